"""The film's sound track, on a film whose samples say where they stand, in scripted time."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import numpy as np
import pytest
from aiortc.mediastreams import MediaStreamError

from gaze.media.decode import Samples, SoundBlock, sound_blocks
from gaze.media.decode_ahead import DecodeAhead
from gaze.media.sound import FilmSound
from simulation.films.coded import SOUND_HZ, make_coded_film, position_of
from simulation.scripted_time import ScriptedTime, reached, settled

BLOCK = 960
FADE = 240


class Listener:
    """A track of the film from its beginning, and somebody who hears it."""

    def __init__(self, path: Path) -> None:
        self.time = ScriptedTime()
        self.offset_s: float | None = -self.time.t_s
        """Film position less time; None while the film rests."""
        self.blocks: DecodeAhead[SoundBlock] = DecodeAhead(
            path, sound_blocks, 0.0, 25, lambda: None
        )
        self.track = FilmSound(
            self.blocks,
            lambda t_s: None if self.offset_s is None else t_s + self.offset_s,
            self.time,
        )

    async def hear(self) -> Samples:
        await reached(lambda: self.blocks.finished or len(self.blocks) > 5)
        asked = asyncio.create_task(self.track.recv())
        await settled()
        while not asked.done():
            self.time.move_to(self.time.next_s)
            await settled()
        samples = (await asked).to_ndarray().reshape(-1, 2)
        return np.asarray(samples, np.int16)


@pytest.fixture
async def listener(tmp_path: Path) -> AsyncIterator[Listener]:
    listener = Listener(make_coded_film(tmp_path / "coded.mkv", 50))
    yield listener
    listener.track.stop()
    await listener.blocks.close()


async def test_blocks_follow_each_other_without_a_gap(listener: Listener) -> None:
    heard = np.concatenate([position_of(await listener.hear()) for _ in range(20)])
    assert np.array_equal(heard[FADE:], np.arange(FADE, 20 * BLOCK))


async def test_a_clock_that_is_a_little_off_makes_no_gap(listener: Listener) -> None:
    await listener.hear()
    assert listener.offset_s is not None
    listener.offset_s += 0.008
    assert np.array_equal(position_of(await listener.hear()), np.arange(BLOCK, 2 * BLOCK))


async def test_a_step_of_the_clock_is_followed_and_faded(listener: Listener) -> None:
    last = (await listener.hear())[-1].astype(int)
    assert listener.offset_s is not None
    listener.offset_s += 0.1
    samples = await listener.hear()
    start = BLOCK + SOUND_HZ // 10
    assert np.array_equal(position_of(samples)[FADE:], np.arange(start + FADE, start + BLOCK))
    assert np.abs(samples[0].astype(int) - last).max() <= 1


async def test_a_resting_film_is_silent_and_goes_on_where_it_rested(listener: Listener) -> None:
    await listener.hear()
    offset_s, listener.offset_s = listener.offset_s, None
    assert not (await listener.hear())[FADE:].any()
    assert offset_s is not None
    listener.offset_s = offset_s - 0.02
    samples = await listener.hear()
    assert np.array_equal(position_of(samples)[FADE:], np.arange(BLOCK + FADE, 2 * BLOCK))


async def test_beyond_the_end_there_is_silence(listener: Listener) -> None:
    listener.offset_s = 60.0
    await listener.hear()
    assert not (await listener.hear()).any()


async def test_stop_wakes_a_reader(listener: Listener) -> None:
    await listener.hear()
    waiting = asyncio.create_task(listener.track.recv())
    await settled()
    listener.track.stop()
    with pytest.raises(MediaStreamError):
        await asyncio.wait_for(waiting, 5)
