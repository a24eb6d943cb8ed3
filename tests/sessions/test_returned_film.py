"""When the frames and sounds of a returned film are due."""

import asyncio
import fractions
from collections.abc import Callable, Sequence

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamTrack

from gaze.frames.latest import LatestValue
from gaze.frames.metadata import FrameMetadata, metadata_of
from gaze.sessions.returned_film import LiveFilm, ReturnedFilm, ReturnedSound


def picture(pts: int = 0) -> av.VideoFrame:
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.pts, frame.time_base = pts, fractions.Fraction(1, 90_000)
    return frame


class Film:
    """Gives frames that are due at scripted times."""

    def __init__(self, due_s: Sequence[float]) -> None:
        self._due_s = iter(due_s)

    async def next(self) -> tuple[av.VideoFrame, float]:
        return picture(), next(self._due_s)


class Sound(MediaStreamTrack):
    """Gives 20 ms that are due at scripted times."""

    kind = "audio"

    def __init__(self, due_s: Sequence[float | None]) -> None:
        super().__init__()
        self.due_s: float | None = None
        self._due_s = iter(due_s)

    async def recv(self) -> av.AudioFrame:
        self.due_s = next(self._due_s)
        frame = av.AudioFrame("s16", "stereo", 960)
        frame.sample_rate = 48_000
        return frame


async def test_a_returned_frame_has_the_time_at_which_it_was_due() -> None:
    due_s = [100.0, 100.04, 100.04, 101.0]
    track = ReturnedFilm(Film(due_s), lambda frame: lambda: picture())
    assert track.due_s is None
    seen = []
    for _ in due_s:
        given = await track.recv()
        assert track.draw is not None
        seen.append((track.draw().pts, track.due_s))
        assert given.pts == 0
    assert seen == list(zip([0, 3600, 3601, 90_000], due_s, strict=True))


async def test_a_frame_that_is_shown_again_does_not_come_as_a_large_one_again() -> None:
    one, other = picture(0), picture(3000)
    one.opaque = other.opaque = FrameMetadata(encoded_bytes=40_000)
    shown = iter([one, one, other, other])

    class Stalling:
        async def next(self) -> tuple[av.VideoFrame, float]:
            return next(shown), 1.0

    softened = np.ones((1, 1), np.float32)

    def prepare(frame: av.VideoFrame) -> Callable[[], av.VideoFrame]:
        drawn = picture()
        drawn.opaque = FrameMetadata(softened=softened)
        return lambda: drawn

    track = ReturnedFilm(Stalling(), prepare)
    told = []
    for _ in range(4):
        await track.recv()
        assert track.draw is not None
        notes = metadata_of(track.draw())
        told.append(notes.encoded_bytes)
        assert notes.softened is softened
    assert told == [40_000, 0, 40_000, 0]


async def test_sound_counts_samples_and_leaves_out_what_was_left_out() -> None:
    due_s = [50.0, 50.02, 50.5, 50.52, 50.53, None, 50.6]
    source = Sound(due_s)
    track = ReturnedSound(lambda: source)
    seen = [((await track.recv()).pts, track.due_s) for _ in due_s]
    assert seen == list(zip([0, 960, 24_000, 24_960, 25_920, 26_880, 29_280], due_s, strict=True))


async def test_a_browsers_frames_are_due_when_they_were_captured_held_ones_too() -> None:
    slot: LatestValue[av.VideoFrame] = LatestValue()
    now_s = asyncio.get_running_loop().time()
    film = LiveFilm(lambda: slot, lambda pts: None if not pts else now_s - 5 + pts / 90_000)
    slot.put(picture(0))
    _, unknown_s = await film.next()
    assert unknown_s >= now_s
    slot.put(picture(9000))
    _, captured_s = await film.next()
    assert captured_s == pytest.approx(now_s - 4.9)
    film.held = True
    _, held_s = await film.next()
    assert captured_s < held_s < now_s - 3
