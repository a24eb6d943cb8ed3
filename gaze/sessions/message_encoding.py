"""What the server says: the messages of docs/api.md made from the house's own data."""

import math
from typing import Any

from gaze.base.problems import Problem
from gaze.sessions.layout import Point
from gaze.vision.sample import CalibrationUpdate, GazeSample


def gaze_message(
    sample: GazeSample, screen_px: Point | None, shown: Point | None, film: Point | None
) -> dict[str, Any]:
    """The `gaze` message of docs/api.md."""
    pupil, head = sample.pupil, sample.head
    return {
        "type": "gaze",
        "t": round(sample.t_s, 4),
        "screen": _rounded(screen_px, 1),
        "shown": _rounded(shown, 4),
        "film": _rounded(film, 4),
        "confidence": round(sample.confidence, 3),
        "uncertainty": _rounded_number(sample.uncertainty_px, 1),
        "calibrated": sample.calibrated,
        "event": sample.event,
        "dwell": _rounded_number(sample.dwell_s, 3),
        "attentive": sample.attentive,
        "openness": _rounded(sample.openness, 3),
        "blink_rate": _rounded_number(sample.blink_rate, 1),
        "pupil": pupil
        and {
            "mm": _rounded_number(pupil.mm, 3),
            "relative": _rounded_number(pupil.relative, 4),
            "confidence": round(pupil.confidence, 3),
        },
        "head": head
        and {
            "yaw": round(head.yaw_deg, 2),
            "pitch": round(head.pitch_deg, 2),
            "roll": round(head.roll_deg, 2),
            "distance": _rounded_number(head.distance_mm, 0),
        },
    }


def calibration_message(update: CalibrationUpdate) -> dict[str, Any]:
    """The `calibration` message of docs/api.md; members that say nothing are left out."""
    message = {
        "type": "calibration",
        "state": update.state,
        "progress": update.progress,
        "reason": update.reason,
    }
    for name in ("points", "quality", "model"):
        if (value := getattr(update, name)) is not None:
            message[name] = value
    return message


def error_message(problem: Problem) -> dict[str, Any]:
    """The `error` message: the problem detail, told apart from others by `type`.

    RFC 9457's own `type` would clash with the message's; `about:blank` is its default and may be
    left out.
    """
    return {**problem.as_json(), "type": "error"}


def _rounded_number(value: float | None, digits: int) -> float | None:
    return None if value is None or not math.isfinite(value) else round(value, digits)


def _rounded(values: tuple[float, float] | None, digits: int) -> list[float] | None:
    return None if values is None else [round(value, digits) for value in values]
