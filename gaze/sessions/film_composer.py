"""Composes the returned film: the newest gaze meets the effects and the film's frames."""

import functools
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any

import av

from gaze.base.metrics import StageTimes
from gaze.base.problems import Problem
from gaze.effects.chain import Chain, Failure
from gaze.effects.film_luminance import measure_luminance
from gaze.effects.state import GazeState
from gaze.frames.metadata import FrameMetadata
from gaze.frames.planes import planes_of
from gaze.frames.scaling import fit_within
from gaze.sessions.film_playback import FilmPlayback
from gaze.sessions.gaze_source import CameraGazeSource, PointerGazeSource, unknown_sample
from gaze.sessions.gaze_state import gaze_state
from gaze.sessions.layout import Layout, Point
from gaze.sessions.message_encoding import error_message, gaze_message
from gaze.vision.iris.light_reflex import DISPLAY_DELAY_S
from gaze.vision.sample import GazeSample

GAZE_LIFE_S = 1.0
"""A gaze older than this says nothing about now (the camera was unplugged, say). Chosen by hand; no
benchmark covers it."""

Send = Callable[[Mapping[str, Any]], None]


class FilmComposer:
    """Takes gaze samples on one side and film frames on the other.

    Parameters
    ----------
    chain : Chain
        The viewer's effects, made with `DISPLAY_DELAY_S`.
    film : FilmPlayback
        Takes what the effects say: whether the film should stand still.
    times : StageTimes
        Takes how long effects take and how old the gaze was.
    largest_px : tuple of int
        Width and height that larger film frames are scaled down to.
    send : callable
        Sends a message to the viewer.

    Attributes
    ----------
    source : CameraGazeSource or PointerGazeSource or None
        Where the gaze comes from, once that is known.
    layout : Layout or None
        Where the picture lies on the screen.
    gaze : GazeState or None
        The newest.
    perclos : float or None
        Share of the last minute in which the eyes were closed.
    frames : int
        How many frames were prepared.
    """

    def __init__(
        self,
        chain: Chain,
        film: FilmPlayback,
        times: StageTimes,
        largest_px: tuple[int, int],
        send: Send,
    ) -> None:
        self.source: CameraGazeSource | PointerGazeSource | None = None
        self.layout: Layout | None = None
        self.gaze: GazeState | None = None
        self.perclos: float | None = None
        self.frames = 0
        self._chain = chain
        self._film = film
        self._times = times
        self._largest_px = largest_px
        self._send = send
        self._reported: set[Failure] = set()

    def on_sample(self, sample: GazeSample) -> None:
        """Take the newest sample, and send it as `gaze` message.

        Parameters
        ----------
        sample : GazeSample
            From the camera or the pointer.
        """
        screen_px, shown = self._locate(sample)
        seen = self._chain.view_at(sample.t_s - DISPLAY_DELAY_S)
        film = None if shown is None else seen.to_film(shown)
        self.gaze = gaze_state(sample, shown, self.layout)
        self.perclos = sample.perclos
        self._judge(time.monotonic())
        self._send(gaze_message(sample, screen_px, shown, film))

    def lose_gaze(self, *, calibrated: bool) -> None:
        """Go on without gaze until the next sample, and say so by a `gaze` message of nulls.

        Parameters
        ----------
        calibrated : bool
            Whether there is a calibration, which outlives a lost tracker.
        """
        self.gaze = self.perclos = None
        sample = unknown_sample(time.monotonic(), calibrated=calibrated)
        self._send(gaze_message(sample, None, None, None))

    def prepare(self, frame: av.VideoFrame) -> Callable[[], av.VideoFrame]:
        """Decide how a frame that goes out now is to be drawn.

        Parameters
        ----------
        frame : av.VideoFrame
            Of the film; it is not written to.

        Returns
        -------
        callable
            Draws it; to be called in a worker thread.
        """
        now_s = time.monotonic()
        gaze = self._fresh_gaze(now_s)
        if gaze is not None:
            self._times.add("gaze_age", now_s - gaze.t_s)
        self._judge(now_s)
        self._tell_failures()
        self.frames += 1
        return functools.partial(self._draw, frame, gaze, now_s)

    def _locate(self, sample: GazeSample) -> tuple[Point | None, Point | None]:
        """Return the point of gaze on the screen and on the returned picture, where known."""
        point = sample.screen_px
        if point is None:
            return None, None
        if self.layout is not None:
            return point, self.layout.to_shown(point)
        if isinstance(self.source, PointerGazeSource):
            return None, self.source.nominal_shown(point)
        return point, None

    def _fresh_gaze(self, now_s: float) -> GazeState | None:
        if self.gaze is None or now_s - self.gaze.t_s > GAZE_LIFE_S:
            return None
        return self.gaze

    def _draw(self, frame: av.VideoFrame, gaze: GazeState | None, now_s: float) -> av.VideoFrame:
        with self._times.measure("effects"):
            frame = fit_within(frame, self._largest_px)
            if frame.format.name != "yuv420p":
                frame = frame.reformat(format="yuv420p")
            composed = self._chain.apply(frame, gaze, now_s)
            if composed is not frame:
                composed.opaque = FrameMetadata(softened=self._chain.softened)
            if isinstance(self.source, CameraGazeSource):
                luma = planes_of(composed, writable=False).y
                self.source.see(measure_luminance(luma, gaze, now_s))
            return composed

    def _tell_failures(self) -> None:
        failures = set(self._chain.failures)
        for failure in failures - self._reported:
            problem = Problem(
                HTTPStatus.INTERNAL_SERVER_ERROR,
                f"the effect {failure.name} failed and is switched off: {failure.message}",
                f"effects[{failure.index}]",
            )
            self._send(error_message(problem))
        self._reported = failures

    def _judge(self, now_s: float) -> None:
        """Let the effects say whether the film should stand still."""
        by_eyes = self._chain.update(self._fresh_gaze(now_s), now_s)
        self._film.obey(by_eyes, self._chain.take_rewind(), keeping=self._chain.keeps)
