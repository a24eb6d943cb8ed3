"""The steps between the two parts of the face mesh, with known answers."""

import numpy as np
import pytest

from gaze.vision.kernels.mesh_eyes import (
    EYE_SIDE,
    FEATURE_SIDE,
    INPUT_SIDE,
    find_eye_boxes,
    place_eye,
    sample_eye_features,
    transform_points,
)

EYES = np.array([[0, 1, 2], [3, 4, 5]])
CORNERS = np.array([[0, 1], [3, 4]])


def test_a_box_is_level_with_its_eye_and_half_as_large_again() -> None:
    points = np.zeros((6, 3))
    points[:3, :2] = [(40, 60), (60, 60), (50, 70)]  # 20 by 10
    points[3:, :2] = [(100, 40), (100, 60), (90, 50)]  # the same, rotated by a quarter
    boxes = np.empty((2, 3), np.complex128)
    find_eye_boxes(points, EYES, CORNERS, boxes)
    level, upright = boxes
    assert level == pytest.approx([35 + 57.5j, 30 / EYE_SIDE, 15j / EYE_SIDE])
    assert upright == pytest.approx([102.5 + 35j, 30j / EYE_SIDE, -15 / EYE_SIDE])


def test_features_are_interpolated_in_the_box() -> None:
    features = np.zeros((FEATURE_SIDE, FEATURE_SIDE, 2), np.float32)
    features[:, :, 0] = np.arange(FEATURE_SIDE)
    features[:, :, 1] = np.arange(FEATURE_SIDE)[:, None]
    cell_px = INPUT_SIDE / FEATURE_SIDE
    sampled = np.empty((EYE_SIDE, EYE_SIDE, 2), np.float32)
    box = np.array([complex(10 * cell_px, 20 * cell_px), cell_px, 0.5j * cell_px])
    sample_eye_features(features, box, sampled)
    columns, rows = np.arange(EYE_SIDE), np.arange(EYE_SIDE)
    assert sampled[0, :, 0] == pytest.approx(10 + columns)
    assert sampled[:, 0, 1] == pytest.approx(20 + rows / 2 - 0.25)


def test_features_beyond_the_picture_are_those_at_its_border() -> None:
    features = np.random.default_rng(0).random((FEATURE_SIDE, FEATURE_SIDE, 1), np.float32)
    sampled = np.empty((EYE_SIDE, EYE_SIDE, 1), np.float32)
    sample_eye_features(features, np.array([-1e4 - 1e4j, 1.0, 1.0j]), sampled)
    assert sampled == pytest.approx(features[0, 0, 0])
    sample_eye_features(features, np.array([complex(np.nan, 0.0), 1.0, 1.0j]), sampled)
    assert np.isfinite(sampled).all()


def test_an_eye_is_placed_in_its_box_and_its_iris_at_the_lids_depth() -> None:
    points = np.zeros((30, 3))
    points[:16, 2] = 5.0
    eye = np.arange(20)
    refined = np.full((20, 2), 8.0, np.float32)
    iris = np.array([(0, 0), (4, 0), (0, 4), (4, 4), (8, 8)], np.float32)
    place_eye(points, eye, 25, np.array([10 + 20j, 2.0, 3.0j]), refined, iris)
    assert points[:20, :2] == pytest.approx(np.tile([14.0, 26.0], (20, 1)))
    assert points[25:, 0] == pytest.approx([10, 12, 10, 12, 14])
    assert points[25:, 1] == pytest.approx([20, 20, 23, 23, 26])
    assert points[25:, 2] == pytest.approx(5.0)


def test_points_are_transformed_back_to_the_picture() -> None:
    points = np.array([(3.0, 4.0, 5.0)])
    transform_points(points, 100 + 200j, 2.0j)
    assert points[0] == pytest.approx([92.0, 206.0, 10.0])
