"""Accuracy, precision and verdict, with known answers."""

import numpy as np
import pytest

from gaze.vision.regression.calibration_quality import point_reports, quality
from gaze.vision.regression.point_collection import CalibrationPoint
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import px_per_degree

SCREEN = Screen(1600, 900, diagonal_mm=400.0)
POINTS = [
    CalibrationPoint((100.0, 100.0), np.zeros((3, 2)), np.zeros((3, 2)), 1),
    CalibrationPoint((800.0, 450.0), np.zeros((2, 2)), np.zeros((2, 2)), 0),
]
GAZE_PX = [
    np.array([(130.0, 140.0), (133.0, 144.0), (127.0, 136.0)]),  # 50 px off
    np.array([(800.0, 440.0), (800.0, 440.0)]),  # 10 px off
]


def test_accuracy_is_the_mean_offset_and_precision_the_rms_from_sample_to_sample() -> None:
    result = quality(POINTS, GAZE_PX, SCREEN, 600.0, "measured")
    assert result["accuracy_px"] == 30.0
    assert result["accuracy_deg"] == pytest.approx(30.0 / px_per_degree(SCREEN, 600.0), abs=0.01)
    assert result["precision_px"] == pytest.approx(np.sqrt((25 + 100 + 0) / 3), abs=0.05)
    assert result["reason"] == "measured"


@pytest.mark.parametrize(
    ("offset_deg", "verdict"), [(2.4, "good"), (2.6, "usable"), (4.9, "usable"), (5.1, "retry")]
)
def test_the_verdict_is_by_degrees(offset_deg: float, verdict: str) -> None:
    offset_px = offset_deg * px_per_degree(SCREEN, 600.0)
    gaze_px = [np.add([point.target_px], (offset_px, 0.0)) for point in POINTS]
    assert quality(POINTS, gaze_px, SCREEN, 600.0, "")["verdict"] == verdict


def test_single_samples_have_no_precision() -> None:
    gaze_px = [np.array([point.target_px]) for point in POINTS]
    assert quality(POINTS, gaze_px, SCREEN, None, "")["precision_px"] == 0.0


def test_points_are_reported() -> None:
    assert point_reports(POINTS, GAZE_PX) == [
        {"target": [100.0, 100.0], "gaze": [130.0, 140.0], "used": 3, "discarded": 1},
        {"target": [800.0, 450.0], "gaze": [800.0, 440.0], "used": 2, "discarded": 0},
    ]
