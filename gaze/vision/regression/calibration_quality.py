"""Report how well a calibration predicts its own or its validation points."""

from typing import Any

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.regression.point_collection import CalibrationPoint
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import px_per_degree

# Chosen by hand; no benchmark covers them.
GOOD_DEG, USABLE_DEG = 2.5, 5.0


def quality(
    points: list[CalibrationPoint],
    gaze_px: list[FloatArray],
    screen: Screen,
    distance_mm: float | None,
    reason: str,
) -> dict[str, Any]:
    """Return accuracy, precision and a verdict, as of docs/api.md.

    Parameters
    ----------
    points : list of CalibrationPoint
    gaze_px : list of FloatArray, shape (k, 2)
        Predicted points of gaze at each point's samples.
    screen : Screen
    distance_mm : float or None
        From the eyes to the screen.
    reason : str
        How this was measured.

    Returns
    -------
    dict
        Accuracy is the mean offset of a point's mean gaze, precision the RMS from sample to sample.
    """
    offsets = [
        float(np.linalg.norm(gaze.mean(axis=0) - point.target_px))
        for point, gaze in zip(points, gaze_px, strict=True)
    ]
    steps = np.concatenate([np.diff(gaze, axis=0) for gaze in gaze_px])
    accuracy_px = float(np.mean(offsets))
    precision_px = float(np.sqrt(np.mean(np.sum(steps**2, axis=1)))) if len(steps) else 0.0
    accuracy_deg = accuracy_px / px_per_degree(screen, distance_mm)
    verdict = (
        "good" if accuracy_deg <= GOOD_DEG else "usable" if accuracy_deg <= USABLE_DEG else "retry"
    )
    return {
        "accuracy_px": round(accuracy_px, 1),
        "accuracy_deg": round(accuracy_deg, 2),
        "precision_px": round(precision_px, 1),
        "verdict": verdict,
        "reason": reason,
    }


def point_reports(
    points: list[CalibrationPoint], gaze_px: list[FloatArray]
) -> list[dict[str, Any]]:
    """Return target, mean point of gaze and sample counts of each point, as of docs/api.md.

    Parameters
    ----------
    points : list of CalibrationPoint
    gaze_px : list of FloatArray, shape (k, 2)
        Predicted points of gaze at each point's samples.

    Returns
    -------
    list of dict
    """
    return [
        {
            "target": [round(value, 1) for value in point.target_px],
            "gaze": [round(float(value), 1) for value in gaze.mean(axis=0)],
            "used": len(point.features),
            "discarded": point.discarded,
        }
        for point, gaze in zip(points, gaze_px, strict=True)
    ]
