"""Where a session's gaze comes from: the camera's frames or the viewer's pointer."""

import asyncio
import time
from collections.abc import Callable
from concurrent.futures import Executor
from typing import Any

import av

from gaze.base.metrics import StageTimes
from gaze.effects.film_luminance import FilmLuminance
from gaze.frames.latest import LatestValue, LatestValueClosed
from gaze.frames.scaling import fit_within
from gaze.rtc.rtp.rtp_time import CaptureClock
from gaze.sessions.layout import Layout, Point
from gaze.tracking.pool import RemoteTracker
from gaze.vision.pointer import PointerGaze
from gaze.vision.sample import CalibrationUpdate, GazeSample, Screen

POINTER_INTERVAL_S = 1 / 30
EXECUTOR_LIMIT_S = 5.0
"""For a worker thread to take a camera frame; it takes 1 ms, and waits for the film's frames."""
NOMINAL_SCREEN = Screen(1920.0, 1080.0)

OnSample = Callable[[GazeSample], None]


def screen_of(layout: Layout) -> Screen:
    """Return the screen of a layout, as vision takes it.

    Parameters
    ----------
    layout : Layout
        Where the picture lies on the screen.

    Returns
    -------
    Screen
        The viewer's.
    """
    return Screen(*layout.screen_px, layout.diagonal_mm)


class CameraGazeSource:
    """Takes the newest camera frame, has the gaze found in it and reports it.

    Parameters
    ----------
    tracker : RemoteTracker
        Finds the gaze; `run` starts it again where it was lost.
    camera : LatestValue of av.VideoFrame
        The newest camera frame.
    executor : concurrent.futures.Executor
        Copies frames.
    times : StageTimes
        Takes how long that and the tracker take.
    largest_px : tuple of int
        Width and height that larger frames are scaled down to.
    on_sample : callable
        Called with each sample.
    on_calibration : callable
        Called with what came of a calibration.
    """

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
        """Report samples until the camera ends.

        Raises
        ------
        TrackerLostError
            The tracker was lost, also while no frame comes; run it again.
        """
        camera_ended = False
        while not camera_ended:
            if self._tracker.lost or self._tracker.outgrown:
                await self._tracker.begin()
            following = asyncio.ensure_future(self._follow())
            lost = asyncio.ensure_future(self._tracker.until_lost())
            try:
                await asyncio.wait({following, lost}, return_when=asyncio.FIRST_COMPLETED)
                if lost.done():
                    await lost
                camera_ended = await following
            finally:
                following.cancel()
                lost.cancel()
                await asyncio.gather(following, lost, return_exceptions=True)

    async def _follow(self) -> bool:
        """Track frames; return whether the camera has ended, and not the tracker should move."""
        while not self._tracker.outgrown:
            try:
                frame = await self._camera.get()
            except LatestValueClosed:
                return True
            capture_s = self._capture_s(frame)
            async with asyncio.timeout(EXECUTOR_LIMIT_S):
                shape = await asyncio.get_running_loop().run_in_executor(
                    self._executor, self._put, frame
                )
            tracked = await self._tracker.track(shape, capture_s)
            self._times.add("camera_convert", tracked.convert_s)
            self._times.add("track", tracked.track_s)
            if tracked.stepped is not None:
                self._on_calibration(tracked.stepped.updates)
            self._on_sample(tracked.sample)
        return False

    def _put(self, frame: av.VideoFrame) -> tuple[int, ...]:
        return self._tracker.put(fit_within(frame, self._largest_px))

    def _capture_s(self, frame: av.VideoFrame) -> float:
        now_s = time.monotonic()
        if frame.pts is None or frame.time_base is None:
            return now_s
        return self._clock.capture_s(float(frame.pts * frame.time_base), now_s)

    async def calibrate(self, action: str, target: Point | None) -> None:
        """Do one calibration step; what comes of it is reported.

        Parameters
        ----------
        action : str
            As in the message `calibrate`.
        target : tuple of float or None
            (x, y) on the screen, in CSS pixels.

        Raises
        ------
        CalibrationError
            The action is not possible now.
        """
        self._on_calibration(await self._tracker.calibrate(action, target, time.monotonic()))

    @property
    def model(self) -> dict[str, Any] | None:
        """The calibration as JSON, if there is one."""
        return self._tracker.model

    def see(self, light: FilmLuminance) -> None:
        """Note the light that the film's newest frame sends to the eyes; called in any thread.

        Parameters
        ----------
        light : FilmLuminance
            Its luminance.
        """
        self._tracker.see_light(light.picture, light.gaze, light.t_s)

    def point(self, screen_px: Point | None, shown: Point | None, *, click: bool) -> None:
        """Take the viewer's pointer, of which only clicks count: the eyes surely went along.

        Parameters
        ----------
        screen_px : tuple of float or None
            (x, y) on the screen, in CSS pixels.
        shown : tuple of float or None
            (x, y) as fractions of the picture; not looked at.
        click : bool
            Whether it is a click.
        """
        if click and screen_px is not None:
            self._tracker.click(screen_px, time.monotonic())

    def set_layout(self, layout: Layout) -> None:
        """Take the viewer's screen.

        Parameters
        ----------
        layout : Layout
            Where the picture lies on it.
        """
        self._tracker.screen = screen_of(layout)

    def lose_calibration(self) -> None:
        """Report that a calibration under way is lost, if there is one."""
        if self._tracker.calibrating:
            self._tracker.calibrating = False
            reason = "the tracker was lost; start the calibration again"
            self._on_calibration([CalibrationUpdate("cancelled", 0.0, reason)])


class PointerGazeSource:
    """The viewer's mouse or finger as the point of gaze.

    Parameters
    ----------
    on_sample : callable
        Called with each sample.
    """

    def __init__(self, on_sample: OnSample) -> None:
        self._pointer = PointerGaze(NOMINAL_SCREEN)
        self._layout: Layout | None = None
        self._on_sample = on_sample

    async def run(self) -> None:
        """Report samples until cancelled."""
        while True:
            self._on_sample(self._pointer.sample(time.monotonic()))
            await asyncio.sleep(POINTER_INTERVAL_S)

    def point(self, screen_px: Point | None, shown: Point | None, *, click: bool) -> None:
        """Move the point of gaze; a sample follows at once.

        Parameters
        ----------
        screen_px : tuple of float or None
            (x, y) on the screen, in CSS pixels.
        shown : tuple of float or None
            (x, y) as fractions of the picture; comes before `screen_px`.
        click : bool
            Whether it is a click, which makes no difference.
        """
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
        """Map the screen to the picture while no layout is known: the picture fills the screen.

        Parameters
        ----------
        screen_px : tuple of float
            (x, y) on the nominal screen.

        Returns
        -------
        tuple of float
            (x, y) as fractions of the picture.
        """
        return screen_px[0] / NOMINAL_SCREEN.width_px, screen_px[1] / NOMINAL_SCREEN.height_px

    def set_layout(self, layout: Layout) -> None:
        """Take where the picture lies on the screen.

        Parameters
        ----------
        layout : Layout
            In the place of the one before.
        """
        self._layout = layout


def unknown_sample(t_s: float, *, calibrated: bool) -> GazeSample:
    """Make a sample that knows nothing.

    Parameters
    ----------
    t_s : float
        Its time, monotonic.
    calibrated : bool
        Whether there is a calibration, which outlives a lost tracker.

    Returns
    -------
    GazeSample
        All None but the time.
    """
    return GazeSample(
        t_s=t_s,
        screen_px=None,
        confidence=0.0,
        uncertainty_px=None,
        calibrated=calibrated,
        event=None,
        dwell_s=None,
        attentive=False,
        openness=None,
        blink_rate=None,
        pupil=None,
        head=None,
    )
