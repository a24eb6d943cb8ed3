"""From what the eyes said to what an effect may know: the only place where the two meet."""

from gaze.effects.state import GazeState
from gaze.sessions.layout import Layout, Point
from gaze.vision.sample import GazeSample

CLOSED_BELOW = 0.25
"""Mean openness of the lids below which the eyes count as closed."""


def gaze_state(sample: GazeSample, shown: Point | None, layout: Layout | None) -> GazeState:
    """The state of one sample whose point of gaze lies at `shown` of the returned picture.

    What needs the layout is unknown without one.
    """
    openness = None if sample.openness is None else sum(sample.openness) / 2
    head, pupil = sample.head, sample.pupil
    distance_mm = None if head is None else head.distance_mm
    uncertainty = eccentricity_deg = picture_deg = None
    if layout is not None:
        if sample.uncertainty_px is not None:
            uncertainty = sample.uncertainty_px / layout.picture_px[2]
        picture_deg = layout.picture_deg(distance_mm)
        if shown is not None:
            eccentricity_deg = layout.eccentricity_deg(shown, distance_mm)
    return GazeState(
        t_s=sample.t_s,
        shown=shown,
        uncertainty=uncertainty,
        dwell_s=sample.dwell_s,
        attentive=sample.attentive,
        eyes_closed=openness is not None and openness < CLOSED_BELOW,
        picture_deg=picture_deg,
        signals={
            "pupil.relative": None if pupil is None else pupil.relative,
            "pupil.mm": None if pupil is None else pupil.mm,
            "dwell": sample.dwell_s,
            "openness": openness,
            "attention": 1.0 if sample.attentive else 0.0,
            "eccentricity": eccentricity_deg,
            "head.distance": distance_mm,
            "head.yaw": None if head is None else head.yaw_deg,
            "head.pitch": None if head is None else head.pitch_deg,
            "blink.rate": sample.blink_rate,
        },
    )
