"""What an effect may know of the viewer's eyes while it draws one frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

SIGNALS: Mapping[str, str] = MappingProxyType(
    {
        "pupil.relative": "pupil diameter relative to its running baseline, 0 = baseline",
        "pupil.mm": "pupil diameter in millimetres",
        "dwell": "seconds that the gaze has rested at one place",
        "openness": "mean opening of the lids, 0 closed to 1 open",
        "attention": "1 while the viewer attends to the screen, 0 while away",
        "eccentricity": "degrees between the point of gaze and the middle of the picture",
        "head.distance": "millimetres from camera to eyes",
        "head.yaw": "degrees, positive toward the viewer's left",
        "head.pitch": "degrees, positive upward",
        "blink.rate": "blinks per minute",
    }
)
"""The signals that a parameter can follow, and what each means."""

HOLD_S: Final = 1.0
"""How long the last value of something is used after it became unknown: longer than blinks, which
take 0.1 to 0.4 s. Chosen by hand; no benchmark covers it."""

DEFAULT_PICTURE_DEG: Final = 30.0
"""Width of the picture in degrees of visual angle where it is unknown: a laptop's screen, 34 cm, at
65 cm. Chosen by hand; no benchmark covers it."""


@dataclass(frozen=True, slots=True)
class GazeState:
    """The newest gaze there is, in the coordinates of the returned picture.

    Attributes
    ----------
    t_s : float
        Capture time of the sample on the monotonic clock, in seconds.
    shown : tuple of float, optional
        Point of gaze (x, y) in fractions of the returned frame; None when unknown. A blink keeps
        the last good point.
    uncertainty : float, optional
        One standard deviation of the point of gaze as a fraction of the picture's width.
    dwell_s : float, optional
        How long the gaze has rested at one place.
    attentive : bool, default True
        Whether the viewer attends to the screen.
    eyes_closed : bool, default False
        Whether the eyes are closed for longer than a blink.
    picture_deg : float, optional
        Width of the returned picture for the viewer, in degrees of visual angle.
    signals : mapping of str to float or None
        By the names in `SIGNALS`; a missing or None entry is unknown.
    """

    t_s: float
    shown: tuple[float, float] | None = None
    uncertainty: float | None = None
    dwell_s: float | None = None
    attentive: bool = True
    eyes_closed: bool = False
    picture_deg: float | None = None
    signals: Mapping[str, float | None] = field(default_factory=dict)
