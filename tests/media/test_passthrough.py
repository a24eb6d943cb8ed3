"""Sound handed on: bounded, muted, ended."""

import asyncio
from collections.abc import Sequence
from fractions import Fraction

import av
import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from gaze.media.passthrough import Passthrough


def block(number: int) -> av.AudioFrame:
    samples = np.full((1, 1920), 100 + number, np.int16)
    frame = av.AudioFrame.from_ndarray(samples, format="s16", layout="stereo")
    frame.sample_rate, frame.pts, frame.time_base = 48_000, number * 960, Fraction(1, 48_000)
    return frame


class Source(MediaStreamTrack):
    """A track that gives its frames as fast as they are taken, then waits or ends."""

    kind = "audio"

    def __init__(self, frames: Sequence[av.AudioFrame], *, ends: bool) -> None:
        super().__init__()
        self._left = list(frames)
        self._ends = ends

    async def recv(self) -> av.AudioFrame:
        if not self._left:
            if self._ends:
                raise MediaStreamError
            await asyncio.Event().wait()
        return self._left.pop(0)


async def settled() -> None:
    for _ in range(50):
        await asyncio.sleep(0)


async def test_forwards_frames_as_they_are() -> None:
    frames = [block(number) for number in range(5)]
    track = Passthrough(Source(frames, ends=False))
    assert [await track.recv() for _ in range(5)] == frames
    assert track.kind == "audio"
    track.stop()


async def test_keeps_the_newest_200_ms_and_counts_the_rest() -> None:
    track = Passthrough(Source([block(number) for number in range(25)], ends=False))
    await settled()
    assert track.dropped == 15
    assert [(await track.recv()).pts for _ in range(10)] == [960 * n for n in range(15, 25)]
    track.stop()


async def test_muted_frames_keep_their_timing_and_are_silent() -> None:
    track = Passthrough(Source([block(number) for number in range(3)], ends=False))
    track.muted = True
    silent = await track.recv()
    assert (silent.pts, silent.samples, silent.sample_rate) == (0, 960, 48_000)
    assert (silent.time_base, silent.format.name) == (Fraction(1, 48_000), "s16")
    assert not silent.to_ndarray().any()
    track.muted = False
    assert (await track.recv()).to_ndarray()[0, 0] == 101
    track.stop()


async def test_ends_with_its_source_after_what_was_left() -> None:
    track = Passthrough(Source([block(0), block(1)], ends=True))
    await settled()
    assert [(await track.recv()).pts for _ in range(2)] == [0, 960]
    with pytest.raises(MediaStreamError):
        await track.recv()
    assert track.readyState == "ended"


async def test_stop_wakes_a_reader_and_leaves_no_task() -> None:
    tasks = len(asyncio.all_tasks())
    track = Passthrough(Source([], ends=False))
    reading = asyncio.create_task(track.recv())
    await settled()
    track.stop()
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(reading, 5)
    await settled()
    assert len(asyncio.all_tasks()) == tasks
