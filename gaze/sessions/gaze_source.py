"""Where a session's gaze comes from: the camera's frames or the viewer's pointer."""

import asyncio
import contextlib
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import av

from gaze.base.metrics import StageTimes
from gaze.effects.film_luminance import FilmLight
from gaze.frames.latest import LatestValue, LatestValueClosed
from gaze.frames.scaling import fit_within
from gaze.rtc.rtp.rtp_time import CaptureClock
from gaze.sessions.layout import Layout, Point
from gaze.tracking.pool import RemoteTracker, TrackerLostError
from gaze.tracking.protocol import Tracked
from gaze.vision.pointer import PointerGaze
from gaze.vision.sample import CalibrationUpdate, GazeSample, Screen

POINTER_INTERVAL_S = 1 / 30
BEGIN_AGAIN_S = 0.5
"""Before a tracker whose process was lost is made anew."""
NOMINAL_SCREEN = Screen(1920.0, 1080.0)

OnSample = Callable[[GazeSample], None]


def screen_of(layout: Layout) -> Screen:
    """The screen as vision wants it."""
    return Screen(*layout.screen_px, layout.diagonal_mm)


class CameraGazeSource:
    """Takes the newest camera frame, has the gaze found in it and reports it."""

    def __init__(
        self,
        tracker: RemoteTracker,
        camera: LatestValue[av.VideoFrame],
        executor: Executor,
        times: StageTimes,
        largest_px: tuple[int, int],
        on_sample: OnSample,
        on_calibration: Callable[[list[CalibrationUpdate]], None],
    ) -> None:
        self._tracker = tracker
        self._camera = camera
        self._executor = executor
        self._times = times
        self._largest_px = largest_px
        self._on_sample = on_sample
        self._on_calibration = on_calibration
        self._clock = CaptureClock()

    async def run(self) -> None:
        while True:
            try:
                frame = await self._camera.get()
            except LatestValueClosed:
                return
            try:
                tracked = await self._track(frame, self._capture_s(frame))
            except TrackerLostError:
                await self._begin_again()
                continue
            self._times.add("camera_convert", tracked.convert_s)
            self._times.add("track", tracked.track_s)
            if tracked.stepped is not None:
                self._on_calibration(tracked.stepped.updates)
            self._on_sample(tracked.sample)

    async def _track(self, frame: av.VideoFrame, capture_s: float) -> Tracked:
        shape = await asyncio.get_running_loop().run_in_executor(
            self._executor, lambda: self._tracker.put(fit_within(frame, self._largest_px))
        )
        return await self._tracker.track(shape, capture_s)

    async def _begin_again(self) -> None:
        await asyncio.sleep(BEGIN_AGAIN_S)
        with contextlib.suppress(TrackerLostError):
            await self._tracker.begin()

    def _capture_s(self, frame: av.VideoFrame) -> float:
        now_s = time.monotonic()
        if frame.pts is None or frame.time_base is None:
            return now_s
        return self._clock.capture_s(float(frame.pts * frame.time_base), now_s)

    async def calibrate(self, action: str, target: Point | None) -> list[CalibrationUpdate]:
        """One `calibrate` command.

        Raises:
            CalibrationError: the action is not possible now.
        """
        return await self._tracker.calibrate(action, target, time.monotonic())

    @property
    def model(self) -> dict[str, Any] | None:
        """The calibration as JSON, if there is one."""
        return self._tracker.model

    def see(self, light: FilmLight) -> None:
        """The film's newest frame sends this light to the eyes."""
        self._tracker.see_light(light.picture, light.gaze, light.t_s)

    def click(self, screen_px: Point) -> None:
        """The viewer surely looked there now."""
        self._tracker.click(screen_px, time.monotonic())

    def set_layout(self, layout: Layout) -> None:
        self._tracker.screen = screen_of(layout)


class PointerGazeSource:
    """The viewer's mouse or finger as the point of gaze."""

    def __init__(self, on_sample: OnSample) -> None:
        self._pointer = PointerGaze(NOMINAL_SCREEN)
        self._layout: Layout | None = None
        self._on_sample = on_sample

    async def run(self) -> None:
        while True:
            self._on_sample(self._pointer.sample(time.monotonic()))
            await asyncio.sleep(POINTER_INTERVAL_S)

    def move(self, *, screen_px: Point | None = None, shown: Point | None = None) -> None:
        """Move the point of gaze; a sample follows at once."""
        if shown is not None:
            if self._layout is not None:
                screen_px = self._layout.to_screen(shown)
            else:
                screen_px = (
                    shown[0] * NOMINAL_SCREEN.width_px,
                    shown[1] * NOMINAL_SCREEN.height_px,
                )
        if screen_px is None:
            return
        now_s = time.monotonic()
        self._pointer.move(screen_px, now_s)
        self._on_sample(self._pointer.sample(now_s))

    @staticmethod
    def nominal_shown(screen_px: Point) -> Point:
        """The place on the picture while no layout is known and the picture fills the screen."""
        return screen_px[0] / NOMINAL_SCREEN.width_px, screen_px[1] / NOMINAL_SCREEN.height_px

    def set_layout(self, layout: Layout) -> None:
        self._layout = layout
