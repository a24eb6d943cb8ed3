"""The viewer's mouse or finger stands in for the eyes, with the same events and dwell times."""

import threading

import numpy as np

from gaze.vision.events.detector import EventDetector
from gaze.vision.sample import Event, GazeSample, Screen
from gaze.vision.screen_geometry import DEFAULT_SCREEN, px_per_degree


class PointerGaze:
    """Gaze samples from pointer positions; safe to use from several threads."""

    def __init__(self, screen: Screen | None = None) -> None:
        self._lock = threading.Lock()
        self._screen = screen
        self._point_px: tuple[float, float] | None = None
        self._movements = EventDetector(px_per_degree(screen or DEFAULT_SCREEN))

    @property
    def screen(self) -> Screen | None:
        """The viewer's screen; None before it is known."""
        return self._screen

    @screen.setter
    def screen(self, screen: Screen) -> None:
        with self._lock:
            self._screen = screen
            self._movements.degree_px = px_per_degree(screen)

    def move(self, screen_px: tuple[float, float], t_s: float) -> None:
        """The pointer is now at `screen_px`; `t_s` is when it came there."""
        with self._lock:
            self._point_px = (float(screen_px[0]), float(screen_px[1]))

    def sample(self, t_s: float) -> GazeSample:
        """Return the gaze at `t_s`; before the first move nothing is known."""
        with self._lock:
            point_px = self._point_px
            if point_px is None:
                return _sample(t_s)
            movement = self._movements.update(np.array(point_px), t_s)
            # A mouse makes no outliers: what is far away has been stepped to.
            event: Event = "saccade" if movement.outlier else movement.kind
            dwell_s = 0.0 if movement.outlier else movement.dwell_s
            return _sample(t_s, point_px, event, dwell_s)


def _sample(
    t_s: float,
    point_px: tuple[float, float] | None = None,
    event: Event | None = None,
    dwell_s: float | None = None,
) -> GazeSample:
    known = point_px is not None
    return GazeSample(
        t_s=t_s,
        screen_px=point_px,
        confidence=1.0 if known else 0.0,
        uncertainty_px=0.0 if known else None,
        calibrated=known,
        event=event,
        dwell_s=dwell_s,
        attentive=known,
        openness=None,
        blink_rate=None,
        pupil=None,
        head=None,
    )
