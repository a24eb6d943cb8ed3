"""What an effect may know of the eyes while it draws one frame."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType

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


@dataclass(frozen=True, slots=True)
class GazeState:
    """The newest gaze there is, in the coordinates of the returned picture.

    `shown` is the point of gaze as fractions (0..1) of the returned frame, None when unknown; a
    blink keeps the last good point. `uncertainty` is one standard deviation as a fraction of the
    picture's width. `picture_deg` is how wide the returned picture is for the viewer, in degrees
    of visual angle. `signals` maps the names in `SIGNALS` to values; a missing or None entry is
    unknown. `t_s` is the capture time of the sample on the monotonic clock.
    """

    t_s: float
    shown: tuple[float, float] | None = None
    uncertainty: float | None = None
    dwell_s: float | None = None
    attentive: bool = True
    eyes_closed: bool = False
    picture_deg: float | None = None
    signals: Mapping[str, float | None] = field(default_factory=dict)
