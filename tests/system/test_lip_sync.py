"""Sound and picture of a hosted film, as they are returned: in step after pauses, and exact."""

import asyncio
import statistics
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from simulation.coded_film import (
    RATE_FPS,
    make_coded_film,
    number_of,
    sweeping_sound,
    swept_s,
)
from simulation.rtc_viewer import RtcViewer
from tests.conftest import Serve

IN_STEP_S = 0.040
PAUSES = 10
FRAMES = 250
FRAME_S = 1 / RATE_FPS


class Watcher:
    """Notes where in the film every frame and every sound stands, and when it was meant to be."""

    def __init__(self, viewer: RtcViewer) -> None:
        self.pictures: list[tuple[float, int]] = []
        self.sounds: list[tuple[float, float]] = []
        self._viewer = viewer
        self._tasks = [asyncio.create_task(self._watch()), asyncio.create_task(self._listen())]

    async def _watch(self) -> None:
        while True:
            frame = await self._viewer.every_frame()
            meant_s = self._viewer.reports["film"].meant_s(frame)
            if meant_s is not None:
                self.pictures.append((meant_s, number_of(frame)))

    async def _listen(self) -> None:
        while True:
            frame = await self._viewer.sound()
            meant_s = self._viewer.reports["audio"].meant_s(frame)
            swept = swept_s(frame.to_ndarray().reshape(-1, 2))
            if meant_s is not None and swept is not None:
                self.sounds.append((meant_s + frame.samples / frame.sample_rate / 2, swept))

    async def until(self, pictures: int, sounds: int) -> None:
        """Wait for so many new ones."""
        pictures, sounds = pictures + len(self.pictures), sounds + len(self.sounds)
        async with asyncio.timeout(30):
            while len(self.pictures) < pictures or len(self.sounds) < sounds:
                await asyncio.sleep(0.01)

    def lag_s(self, first_picture: int, first_sound: int) -> float:
        """How much later than its picture the sound is heard, from these numbers on."""
        shown: dict[int, float] = {}
        for meant_s, number in self.pictures[first_picture:]:
            shown.setdefault(number, meant_s)
        # The first one was there before.
        starts = [meant_s - number * FRAME_S for number, meant_s in list(shown.items())[1:]]
        starts_s = statistics.median(starts)
        lags = [meant_s - swept - starts_s for meant_s, swept in self.sounds[first_sound:]]
        return statistics.median((lag + 0.5) % 1.0 - 0.5 for lag in lags)

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)


@pytest.fixture
async def viewer(serve: Serve, tmp_path: Path) -> AsyncIterator[RtcViewer]:
    make_coded_film(tmp_path / "coded.mkv", FRAMES, size=(256, 144), sound=sweeping_sound)
    person = RtcViewer(await serve(media=tmp_path))
    yield person
    await person.close()


@pytest.mark.timeout(120)
async def test_ten_pauses_leave_sound_and_picture_in_step_and_the_position_exact(
    viewer: RtcViewer,
) -> None:
    await viewer.open(media="coded", sound=True)
    watcher = Watcher(viewer)
    await watcher.until(1, 1)
    lags = []
    for turn in range(PAUSES + 1):
        picture, sound = len(watcher.pictures), len(watcher.sounds)
        await watcher.until(8 + turn % 3, 10)
        lags.append(watcher.lag_s(picture, sound))
        heard = len(viewer.messages)
        viewer.say(type="playback", paused=True)
        paused = await viewer.hear("playback", lambda m: m["paused"], after=heard)
        await watcher.until(4 + turn % 2, 0)
        assert watcher.pictures[-1][1] == int(paused["position"] * RATE_FPS + 1e-3)
        heard = len(viewer.messages)
        viewer.say(type="playback", paused=False)
        resumed = await viewer.hear("playback", lambda m: not m["paused"], after=heard)
        assert resumed["position"] == pytest.approx(paused["position"], abs=FRAME_S / 2)
    await watcher.stop()
    print("sound after picture, ms:", [round(1000 * lag, 1) for lag in lags])
    assert max(map(abs, lags)) <= IN_STEP_S
