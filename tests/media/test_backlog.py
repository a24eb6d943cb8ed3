"""The backlog of a paused live film, and catching up with it."""

import asyncio
import sys
from collections.abc import Iterator
from fractions import Fraction
from types import FrameType
from typing import Any

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamTrack

from gaze.frames.latest import LatestValue
from gaze.media.backlog import CATCH_UP_RATE, MAX_BACKLOG_S, PictureBacklog, SoundBacklog
from gaze.media.decode import Samples
from gaze.media.passthrough import Passthrough
from gaze.sessions.returned_film import LiveFilm
from simulation.films.coded import (
    RATE_FPS,
    SOUND_HZ,
    coded_frame,
    number_of,
    sweeping_sound,
    swept_s,
)

BEGIN_S = 1000.0
BLOCK = 960
BLOCK_S = BLOCK / SOUND_HZ
BLOCKS = 2
"""Blocks of sound for each picture of 25 a second."""
IN_STEP_S = 0.04


def picture(number: int) -> av.VideoFrame:
    frame = coded_frame(number % 256)
    frame.pts, frame.time_base = number, Fraction(1, RATE_FPS)
    return frame


def captured_s(pts: int | None) -> float | None:
    return None if pts is None else BEGIN_S + pts / RATE_FPS


def sounds(seconds: int) -> Iterator[av.AudioFrame]:
    wave = sweeping_sound(seconds * SOUND_HZ)
    for start in range(0, len(wave), BLOCK):
        frame = av.AudioFrame.from_ndarray(wave[start : start + BLOCK].reshape(1, -1), "s16")
        frame.sample_rate, frame.pts, frame.time_base = SOUND_HZ, start, Fraction(1, SOUND_HZ)
        yield frame


def samples_of(frame: av.AudioFrame) -> Samples:
    return np.asarray(frame.to_ndarray().reshape(-1, 2), np.int16)


class Microphone(MediaStreamTrack):
    """Gives a frame when the test says so."""

    kind = "audio"

    def __init__(self) -> None:
        super().__init__()
        self.frames: asyncio.Queue[av.AudioFrame] = asyncio.Queue()

    async def recv(self) -> av.AudioFrame:
        return await self.frames.get()


class Stage:
    """A browser's film and its sound, picture by picture, as fast as they are taken."""

    def __init__(self) -> None:
        self.latest: LatestValue[av.VideoFrame] = LatestValue()
        self.film = LiveFilm(lambda: self.latest, captured_s)
        self.microphone = Microphone()
        self.sound = Passthrough(self.microphone)
        self._sounds = sounds(60)
        self.sent = -1

    async def step(self) -> tuple[int, float, list[av.AudioFrame]]:
        """Send one picture and its sound; return what is shown, when it was due, what is heard."""
        self.sent += 1
        self.latest.put(picture(self.sent))
        frame, due_s = await self.film.next()
        heard = []
        for _ in range(BLOCKS):
            self.microphone.frames.put_nowait(next(self._sounds))
            heard.append(await self.sound.recv())
        return number_of(frame), due_s, heard

    def hold(self, held: bool, *, keeping: bool = True) -> None:
        self.film.held = self.sound.muted = held
        self.film.keeping = self.sound.keeping = keeping


@pytest.fixture
async def stage() -> Stage:
    return Stage()


async def test_what_was_missed_is_played_faster_until_it_is_live(stage: Stage) -> None:
    stage.hold(False)
    for _ in range(5):
        await stage.step()
    stage.hold(True)
    for _ in range(50):
        shown, due_s, heard = await stage.step()
        assert shown == 4
        assert due_s == captured_s(stage.sent)
        assert not any(frame.to_ndarray().any() for frame in heard)
    assert stage.film.behind_s > 0
    stage.hold(False)
    numbers, lags, live_after = [4], [], 0
    while numbers[-1] != stage.sent % 256:
        shown, due_s, heard = await stage.step()
        assert due_s == captured_s(stage.sent)
        numbers.append(shown)
        assert [frame.pts for frame in heard] == [
            (stage.sent * BLOCKS + k) * BLOCK for k in range(BLOCKS)
        ]
        swept = swept_s(samples_of(heard[0]))
        assert swept is not None
        lags.append((shown / RATE_FPS - swept + 0.5) % 1.0 - 0.5)
        live_after += 1
    steps = np.diff(numbers)
    assert numbers[1] <= 6
    assert set(steps) <= {1, 2}
    assert live_after == pytest.approx(51 / (CATCH_UP_RATE - 1), abs=3)
    # Where a sweep begins again its place cannot be read.
    assert np.percentile(np.abs(lags), 90) <= IN_STEP_S
    for _ in range(5):
        shown, _, heard = await stage.step()
    assert shown == stage.sent % 256
    assert stage.film.behind_s == 0
    expected = sweeping_sound((stage.sent + 1) * SOUND_HZ // RATE_FPS)[-BLOCK:]
    assert (heard[-1].to_ndarray().reshape(-1, 2) == expected).all()


async def test_without_keeping_what_was_missed_is_dropped(stage: Stage) -> None:
    stage.hold(False, keeping=False)
    await stage.step()
    stage.hold(True, keeping=False)
    for _ in range(3):
        assert (await stage.step())[0] == 0
    stage.hold(False, keeping=False)
    shown, _, heard = await stage.step()
    assert shown == stage.sent
    assert heard[-1].to_ndarray().any()


async def test_without_keeping_any_longer_the_film_is_live_at_once(stage: Stage) -> None:
    stage.hold(False)
    await stage.step()
    stage.hold(True)
    for _ in range(20):
        await stage.step()
    stage.hold(False)
    assert (await stage.step())[0] < 5
    stage.hold(False, keeping=False)
    shown, _, heard = await stage.step()
    assert shown == stage.sent
    expected = sweeping_sound((stage.sent + 1) * SOUND_HZ // RATE_FPS)[-BLOCK:]
    assert (heard[-1].to_ndarray().reshape(-1, 2) == expected).all()


async def test_a_pause_while_it_catches_up_goes_on_where_it_was(stage: Stage) -> None:
    stage.hold(False)
    await stage.step()
    for _ in range(2):
        stage.hold(True)
        for _ in range(20):
            before = (await stage.step())[0]
        stage.hold(False)
        after = [(await stage.step())[0] for _ in range(6)]
        assert before <= after[0] <= before + 2
        assert set(np.diff(after)) <= {1, 2}


def test_pictures_are_bounded_and_the_oldest_are_dropped() -> None:
    backlog = PictureBacklog()
    seconds = round(MAX_BACKLOG_S) + 20
    for second in range(seconds):
        for part in range(2):
            backlog.keep(coded_frame(second), second + part / 2)
        if second == 30:
            assert number_of(backlog.take(0.0) or coded_frame(9)) == 0
    assert backlog.first_s == pytest.approx(seconds - MAX_BACKLOG_S, abs=2)
    assert len(backlog) <= 2 * (MAX_BACKLOG_S + 2)
    for second in range(seconds - 50, seconds):
        shown = backlog.take(second + 0.25)
        assert shown is not None
        assert number_of(shown) == second
    assert backlog.take(seconds) is not None
    assert backlog.first_s is None


def test_pictures_may_change_their_size() -> None:
    backlog = PictureBacklog()
    sizes = [(128, 72), (256, 144), (160, 90)]
    for second, (width, height) in enumerate(sizes):
        backlog.keep(coded_frame(second, width, height), second)
    for second, size in enumerate(sizes):
        shown = backlog.take(second)
        assert shown is not None
        assert (shown.width, shown.height) == size
        assert number_of(shown) == second


def test_sound_is_bounded_and_the_oldest_is_dropped() -> None:
    backlog = SoundBacklog()
    for frame in sounds(round(MAX_BACKLOG_S) + 5):
        backlog.keep(frame)
    heard = backlog.take(next(sounds(1)))
    assert heard.samples == BLOCK
    swept = swept_s(samples_of(heard))
    assert swept == pytest.approx(1.5 * BLOCK_S, abs=0.04)
    backlog.clear()
    assert not backlog


def test_the_oldest_time_may_be_read_while_a_worker_takes_the_last_picture() -> None:
    """Whatever instruction of the reader the worker's `take` comes between."""
    code = PictureBacklog.first_s.fget.__code__  # type: ignore[attr-defined]

    def read(instruction: int) -> tuple[float | None, bool]:
        """Read `first_s`; take the last picture before the reader's nth instruction."""
        backlog = PictureBacklog()
        backlog.keep(coded_frame(1), 5.0)
        executed = 0

        def trace(frame: FrameType, event: str, _: object) -> Any:
            nonlocal executed
            frame.f_trace_opcodes = True
            if event == "opcode":
                executed += 1
                if executed == instruction:
                    backlog.take(5.0)
            return trace

        before = sys.gettrace()
        sys.settrace(lambda frame, *_: trace(frame, *_) if frame.f_code is code else None)
        try:
            return backlog.first_s, executed >= instruction
        finally:
            sys.settrace(before)

    instruction, reached = 1, True
    while reached:
        first_s, reached = read(instruction)
        assert first_s in (5.0, None)
        instruction += 1
    assert instruction > 2


def test_size_and_length_follow_what_is_kept() -> None:
    backlog = PictureBacklog()
    assert (len(backlog), backlog.size_bytes, backlog.first_s) == (0, 0, None)
    sizes = []
    for second in range(3):
        backlog.keep(coded_frame(second), second)
        sizes.append(backlog.size_bytes)
    assert 0 < sizes[0] < sizes[1] < sizes[2]
    backlog.take(1)
    assert (len(backlog), backlog.size_bytes, backlog.first_s) == (1, sizes[2] - sizes[1], 2)
    backlog.clear()
    assert (len(backlog), backlog.size_bytes, backlog.first_s) == (0, 0, None)
