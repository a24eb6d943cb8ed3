"""The player, on films whose frames and samples say where they stand, in scripted time."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from gaze.frames.latest import LatestValueClosed
from gaze.media.library import FilmInfo, look_at
from gaze.media.player import Player
from simulation.coded_film import (
    RATE_FPS,
    SOUND_HZ,
    ScriptedTime,
    make_coded_film,
    number_of,
    open_files,
    position_of,
    reached,
    settled,
)

FRAMES = 50
FRAME_S = 1 / RATE_FPS
BLOCK_S = 0.02
FADE = 240


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> FilmInfo:
    path = make_coded_film(tmp_path_factory.mktemp("player") / "coded.mkv", FRAMES)
    return look_at(path, "coded", "Coded")


class Stage:
    """A player in scripted time, and somebody who watches it without ever being late."""

    def __init__(self, info: FilmInfo, position_s: float = 0.0) -> None:
        self.time = ScriptedTime()
        self.player = Player(info, position_s, time=self.time)
        self.shown: list[int] = []

    async def decoded(self) -> None:
        """Wait until the decoder has what comes next, so that its speed plays no part."""
        await reached(lambda: self.player.pictures_ahead > 0 or self.shown[-1:] == [FRAMES - 1])

    async def next(self) -> tuple[int, float, av.VideoFrame]:
        """The next frame's number, when it was due, and itself."""
        asked = asyncio.create_task(self.player.next_video())
        await settled()
        await reached(lambda: asked.done() or not self.player.buffering)
        while not asked.done():
            await self.decoded()
            if not asked.done():
                self.time.move_to(self.time.next_s)
                await settled()
        frame, due_s = await asked
        self.shown.append(number_of(frame))
        return self.shown[-1], due_s, frame

    async def new(self, number: int) -> None:
        """Watch until a frame is shown."""
        for _ in range(100):
            if (await self.next())[0] == number:
                return
        raise AssertionError(f"frame {number} did not come; there were {self.shown}")

    async def hear(self) -> tuple[av.AudioFrame, float]:
        """The next 20 ms of sound, and the time at which they left."""
        assert self.player.audio is not None
        asked = asyncio.create_task(self.player.audio.recv())
        await settled()
        while not asked.done():
            self.time.move_to(self.time.next_s)
            await settled()
        frame = await asked
        assert isinstance(frame, av.AudioFrame)
        return frame, self.time.t_s

    async def ready(self) -> None:
        """Wait until the decoders let the clock go on."""
        await reached(lambda: not self.player.buffering)


Open = Callable[..., Awaitable[Stage]]


@pytest.fixture
async def stage(film: FilmInfo) -> AsyncIterator[Callable[..., Stage]]:
    stages: list[Stage] = []

    def open_stage(info: FilmInfo = film, position_s: float = 0.0) -> Stage:
        stages.append(Stage(info, position_s))
        return stages[-1]

    yield open_stage
    for opened in stages:
        await opened.player.close()


Stages = Callable[..., Stage]


def heard(frame: av.AudioFrame) -> np.ndarray:
    return position_of(frame.to_ndarray().reshape(-1, 2))


async def test_every_frame_in_order_at_its_own_time(stage: Stages) -> None:
    one = stage()
    begin_s = one.time.t_s
    for number in range(FRAMES):
        shown, due_s, frame = await one.next()
        assert shown == number
        assert due_s == pytest.approx(begin_s + number * FRAME_S, abs=1e-6)
        assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 128, 72)


async def test_the_clock_waits_for_the_viewer_and_for_the_decoders(stage: Stages) -> None:
    one = stage()
    await one.decoded()
    one.time.move_to(one.time.t_s + 60)
    assert one.player.position_s == 0.0
    assert (await one.next())[0] == 0


async def test_a_late_viewer_gets_the_newest_frame_that_is_due(stage: Stages) -> None:
    one = stage()
    await one.new(3)
    await reached(lambda: one.player.pictures_ahead == 4)
    one.time.move_to(one.time.t_s + 3.1 * FRAME_S)
    shown, due_s, _ = await one.next()
    assert shown == 6
    assert due_s == pytest.approx(one.time.t_s - 0.1 * FRAME_S)
    assert (await one.next())[0] == 7


async def test_pause_holds_frame_and_position_and_resume_goes_on(stage: Stages) -> None:
    one = stage()
    await one.new(7)
    _, first_due_s, held = await one.next()
    one.time.move_to(one.time.t_s + 0.01)
    one.player.pause()
    position_s = one.player.position_s
    assert position_s == pytest.approx(8 * FRAME_S + 0.01)
    for repeat in range(1, 20):
        _, due_s, frame = await one.next()
        assert frame is held
        assert due_s == pytest.approx(first_due_s + repeat * FRAME_S)
        assert one.player.position_s == position_s
    assert one.player.paused

    one.time.move_to(one.time.t_s + 0.005)
    resumed_s = one.time.t_s
    one.player.resume()
    shown, due_s, _ = await one.next()
    assert shown == 9
    assert due_s == pytest.approx(resumed_s + FRAME_S - 0.01)
    assert [(await one.next())[0] for _ in range(5)] == [10, 11, 12, 13, 14]


async def test_pausing_wakes_a_viewer_who_waits(stage: Stages) -> None:
    one = stage()
    await one.new(2)
    asked = asyncio.create_task(one.player.next_video())
    await settled()
    one.player.pause()
    await settled()
    one.time.move_to(one.time.next_s)
    frame, _ = await asked
    assert number_of(frame) == 2


async def test_paused_from_the_start_it_shows_the_first_frame(stage: Stages) -> None:
    one = stage()
    one.player.pause()
    assert [(await one.next())[0] for _ in range(3)] == [0, 0, 0]
    assert one.player.position_s == 0.0


@pytest.mark.parametrize("number", [0, 1, 11, 12, 13, 30, 49])
@pytest.mark.parametrize("within", [0.0, 0.5, 0.95])
async def test_seek_is_exact(stage: Stages, number: int, within: float) -> None:
    one = stage()
    await one.new(5)
    one.player.pause()
    position_s = (number + within) * FRAME_S
    one.player.seek(position_s)
    assert one.player.position_s == position_s
    await reached(lambda: not one.player.buffering)
    assert (await one.next())[0] == number
    assert one.player.position_s == position_s
    if number + 1 < FRAMES:
        one.player.resume()
        assert (await one.next())[0] == number + 1


async def test_no_time_passes_in_the_film_while_it_is_sought(
    stage: Stages, monkeypatch: pytest.MonkeyPatch
) -> None:
    one = stage()
    await one.new(5)
    assert not one.player.buffering

    def asked_again() -> float:
        one.time.move_to(one.time.t_s + 0.01)
        return one.time.t_s

    monkeypatch.setattr(one.time, "now_s", asked_again)
    one.player.seek(1.0)
    assert one.player.position_s == 1.0


async def test_the_old_frame_stays_while_a_seek_is_decoded(stage: Stages) -> None:
    one = stage()
    await one.new(40)
    one.player.seek(0.2)
    shown = [(await one.next())[0] for _ in range(6)]
    first = shown.index(5)
    assert shown[:first] == [40] * first
    assert shown[first:] == list(range(5, 11 - first))


async def test_many_seeks_in_a_row_end_at_the_last(stage: Stages) -> None:
    one = stage()
    await one.new(1)
    for number in (30, 10, 44, 3, 21):
        one.player.seek(number * FRAME_S)
    await reached(lambda: not one.player.buffering)
    assert (await one.next())[0] == 21


@pytest.mark.parametrize(("wanted_s", "shown"), [(-5.0, 0), (99.0, 49)])
async def test_seek_stays_within_the_film(stage: Stages, wanted_s: float, shown: int) -> None:
    one = stage()
    one.player.pause()
    one.player.seek(wanted_s)
    await one.new(shown)


@pytest.mark.parametrize("wrong", [float("nan"), float("inf")])
async def test_a_position_that_is_no_number_is_refused(stage: Stages, wrong: float) -> None:
    one = stage()
    message = "position must be a finite number of seconds"
    with pytest.raises(ValueError, match=message):
        one.player.seek(wrong)
    with pytest.raises(ValueError, match=message):
        stage(position_s=wrong)
    assert (await one.next())[0] == 0


async def test_end_and_restart(stage: Stages) -> None:
    one = stage(position_s=46 * FRAME_S)
    await one.new(46)
    assert not one.player.ended
    await one.new(49)
    for _ in range(4):
        assert (await one.next())[0] == 49
    assert one.player.ended
    assert one.player.position_s == one.player.duration_s == pytest.approx(2.0, abs=0.002)

    one.player.resume()
    assert not one.player.ended
    assert one.player.position_s == 0.0
    await one.ready()
    assert [(await one.next())[0] for _ in range(3)] == [0, 1, 2]


async def test_a_loop_begins_again_and_never_ends(stage: Stages) -> None:
    one = stage(position_s=46 * FRAME_S)
    one.player.loop = True
    await one.new(49)
    shown = []
    while shown[-3:] != [0, 1, 2]:
        shown.append((await one.next())[0])
        assert not one.player.ended
        assert len(shown) < 20
        await one.ready()
    assert set(shown[:-3]) <= {49}, "the last picture may stay while the first is decoded"
    assert one.player.position_s < 0.2


async def test_a_paused_loop_stays_where_it_is(stage: Stages) -> None:
    one = stage(position_s=46 * FRAME_S)
    one.player.loop = True
    await one.new(49)
    one.player.pause()
    for _ in range(5):
        assert (await one.next())[0] == 49


async def test_seeking_back_leaves_the_end(stage: Stages) -> None:
    one = stage(position_s=48 * FRAME_S)
    await one.new(49)
    one.time.move_to(one.time.t_s + 1)
    assert one.player.ended
    one.player.seek(10 * FRAME_S)
    assert not one.player.ended
    await one.ready()
    assert [(await one.next())[0] for _ in range(2)] == [10, 11]


async def test_sound_goes_on_without_a_gap(stage: Stages) -> None:
    one = stage()
    await one.next()
    await one.ready()
    places = []
    for block in range(60):
        await reached(lambda: one.player.sound_ahead_s > 0.1)
        frame, left_s = await one.hear()
        assert (frame.sample_rate, frame.samples, frame.format.name) == (SOUND_HZ, 960, "s16")
        assert frame.layout.name == "stereo"
        assert frame.pts == block * 960
        assert left_s == pytest.approx(1000.0 + block * BLOCK_S)
        places.append(heard(frame))
    assert np.array_equal(np.concatenate(places)[FADE:], np.arange(FADE, 60 * 960))


async def test_sound_rests_while_paused_and_fades_at_the_edges(stage: Stages) -> None:
    one = stage()
    await one.next()
    await one.ready()
    for _ in range(10):
        await reached(lambda: one.player.sound_ahead_s > 0.1)
        frame, _ = await one.hear()
    last = frame.to_ndarray().reshape(-1, 2)[-1].astype(int)

    one.player.pause()
    rest = np.concatenate(
        [(await one.hear())[0].to_ndarray().reshape(-1, 2).astype(int) for _ in range(20)]
    )
    assert abs(rest[0] - last).max() <= 2
    assert np.all(np.diff(rest[:FADE, 0]) <= 0)
    assert not rest[FADE:].any()

    one.player.resume()
    await reached(lambda: one.player.sound_ahead_s > 0.1)
    first, _ = await one.hear()
    samples = first.to_ndarray().reshape(-1, 2).astype(int)
    assert not samples[0].any()
    assert first.pts == 30 * 960
    assert heard(first)[FADE] == round(one.player.position_s * SOUND_HZ) + FADE


async def test_sound_stays_in_step_through_pauses_and_seeks(stage: Stages) -> None:
    one = stage()
    await one.next()
    for turn in range(10):
        await one.ready()
        for _ in range(4 + turn % 3):
            await reached(lambda: one.player.sound_ahead_s > 0.1)
            frame, left_s = await one.hear()
            assert left_s == one.time.t_s
            late = heard(frame)[FADE:] - np.arange(FADE, 960) - one.player.position_s * SOUND_HZ
            assert np.abs(late).max() <= 0.02 * SOUND_HZ
        one.time.move_to(one.time.t_s + 0.0037 * turn)
        one.player.pause()
        one.time.move_to(one.time.t_s + 0.3)
        if turn % 2:
            one.player.seek(0.11 * turn)
        one.player.resume()


async def test_sound_is_silent_after_the_end(stage: Stages) -> None:
    one = stage(position_s=1.9)
    await one.next()
    await one.ready()
    for _ in range(7):
        await one.hear()
    frame, _ = await one.hear()
    assert one.player.ended
    assert not frame.to_ndarray().any()


async def test_a_listener_who_was_away_hears_what_is_on_now(stage: Stages) -> None:
    one = stage()
    await one.next()
    await one.ready()
    await one.hear()
    one.time.move_to(one.time.t_s + 0.5)
    await one.hear()
    await reached(lambda: one.player.sound_ahead_s > 0.1)
    frame, _ = await one.hear()
    assert frame.pts == 2 * 960
    assert heard(frame)[-1] == pytest.approx(one.player.position_s * SOUND_HZ + 959, abs=2)


async def test_a_silent_film_has_no_audio_track(stage: Stages, tmp_path: Path) -> None:
    silent = look_at(make_coded_film(tmp_path / "s.mp4", 20, sound=None), "s", "S")
    one = stage(silent)
    assert one.player.audio is None
    assert [(await one.next())[0] for _ in range(3)] == [0, 1, 2]


async def test_two_viewers_of_one_film_have_their_own_positions(stage: Stages) -> None:
    one, two = stage(), stage(position_s=30 * FRAME_S)
    for number in range(4):
        assert (await one.next())[0] == number
        assert (await two.next())[0] == 30 + number


async def test_closing_wakes_a_viewer_and_leaves_nothing(film: FilmInfo) -> None:
    threads, files = threading.active_count(), open_files()
    tasks = len(asyncio.all_tasks())
    for _ in range(3):
        player = Player(film)
        assert player.audio is not None
        await player.next_video()
        watching = asyncio.create_task(_watch(player))
        listening = asyncio.create_task(_listen(player))
        await asyncio.sleep(0.05)
        await player.close()
        with pytest.raises(LatestValueClosed):
            await asyncio.wait_for(watching, 5)
        with pytest.raises(MediaStreamError):
            await asyncio.wait_for(listening, 5)
        await player.close()
    assert threading.active_count() == threads
    assert open_files() == files
    assert len(asyncio.all_tasks()) == tasks


async def test_closing_at_once_is_fine(film: FilmInfo) -> None:
    threads = threading.active_count()
    player = Player(film)
    await player.close()
    with pytest.raises(LatestValueClosed):
        await player.next_video()
    assert threading.active_count() == threads


async def test_a_file_that_is_gone_ends_the_film(
    film: FilmInfo, stage: Stages, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = FilmInfo("gone", "Gone", tmp_path / "gone.mkv", 2.0, 128, 72, True, 25.0)
    one = stage(gone)
    with pytest.raises(LatestValueClosed):
        await asyncio.wait_for(one.player.next_video(), 20)
    assert "gone.mkv: decoding stopped" in caplog.text


async def _watch(player: Player) -> None:
    while True:
        await player.next_video()


async def _listen(player: Player) -> None:
    assert player.audio is not None
    while True:
        await player.audio.recv()
