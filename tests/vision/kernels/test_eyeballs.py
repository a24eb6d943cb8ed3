"""Gaze rays with known answers."""

import cv2
import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.eyeballs import intersect_screen, measure_eyeballs, target_errors
from simulation.viewers.landmarks import rotation

EYEBALLS_MM = np.array([[-30.0, 0.0, 0.0], [30.0, 0.0, 0.0]])
EYES_MM = np.array([0.0, 0.0, 500.0])
RADIUS_MM, FOCAL_PX = 10.0, 500.0
WIDTHS_PER_MM = 1 / 400.0


def features_of(angle: float, turn: FloatArray) -> FloatArray:
    """Features of a head so rotated whose eyes look to its right by an angle in radians."""
    axis = np.array([np.sin(angle), 0.0, -np.cos(angle)])
    irises = (EYEBALLS_MM + RADIUS_MM * axis) @ turn.T + EYES_MM
    features = np.zeros(8)
    measure_eyeballs(
        irises[:, :2] / irises[:, 2:] * FOCAL_PX,
        turn,
        EYES_MM,
        FOCAL_PX,
        EYEBALLS_MM,
        RADIUS_MM,
        features,
    )
    features[5:8] = cv2.Rodrigues(turn)[0].ravel()
    return features


@pytest.mark.parametrize("turn", [np.eye(3), rotation(10.0, -6.0, 4.0)])
@pytest.mark.parametrize("angle", [-0.3, 0.0, 0.2])
def test_angle_and_position_are_measured(angle: float, turn: FloatArray) -> None:
    features = features_of(angle, turn)
    assert features[:2] == pytest.approx([angle, 0.0], abs=1e-9)
    assert features[2:5] == pytest.approx(EYES_MM / 1000.0)


@pytest.mark.parametrize("angle", [-0.3, 0.0, 0.2])
def test_a_gaze_ray_meets_the_screen(angle: float) -> None:
    gaze = np.empty((1, 2))
    intersect_screen(features_of(angle, np.eye(3))[None], np.zeros((1, 7)), WIDTHS_PER_MM, gaze)
    # The image's right is the viewer's left.
    assert gaze[0] == pytest.approx([0.5 - 500.0 * np.tan(angle) / 400.0, 0.0], abs=1e-9)


def test_a_gaze_ray_that_never_meets_the_screen_is_limited() -> None:
    gaze = np.empty((1, 2))
    intersect_screen(features_of(0.0, rotation(85.0))[None], np.zeros((1, 7)), WIDTHS_PER_MM, gaze)
    assert np.isfinite(gaze).all()
    assert np.abs(gaze - 0.5).max() <= 2.5


@pytest.mark.parametrize("turn", [np.eye(3), rotation(10.0, -6.0, 4.0)])
def test_an_error_is_the_offset_that_a_correction_takes_out(turn: FloatArray) -> None:
    features, target = features_of(0.1, turn)[None], np.array([[0.2, 0.15]])
    errors = np.empty((1, 2))
    target_errors(features, np.zeros((1, 7)), target, WIDTHS_PER_MM, errors)
    corrections = np.zeros((1, 7))
    corrections[0, :2] = errors[0]
    gaze = np.empty((1, 2))
    intersect_screen(features, corrections, WIDTHS_PER_MM, gaze)
    assert gaze == pytest.approx(target)
