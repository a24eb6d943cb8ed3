"""The samples of a calibration point."""

import numpy as np
import pytest

from gaze.vision.regression.point_collection import (
    PURSUIT_LAG_S,
    SETTLE_S,
    PointCollection,
    inliers,
)

STEP_S = 1 / 30


def test_steady_samples_are_inliers_and_distant_ones_are_not() -> None:
    rng = np.random.default_rng(0)
    features = rng.normal(0, 1, (40, 15))
    features[7] += 8
    kept = inliers(features)
    assert not kept[7]
    assert kept.sum() >= 36


def test_features_that_never_change_make_no_outliers() -> None:
    assert inliers(np.ones((10, 4))).all()


def test_a_point_has_the_samples_that_are_kept() -> None:
    collection = PointCollection.start((800.0, 450.0), False, False, 1.0)
    for number in range(4):
        collection.add(np.full(3, float(number)), 1.0 + SETTLE_S + number * STEP_S)
    assert collection.count == 4
    assert collection.duration_s(3.0) == pytest.approx(1.5)
    point = collection.point(np.array([True, False, True, True]), 1600.0)
    assert point.features[:, 0].tolist() == [0.0, 2.0, 3.0]
    assert point.targets == pytest.approx(np.tile([0.5, 0.28125], (3, 1)))
    assert point.discarded == 1


def test_a_moving_target_becomes_points_of_half_a_second_with_the_eyes_lag() -> None:
    """The target moves by 300 pixels a second."""
    collection = PointCollection.start((0.0, 450.0), False, True, 0.0)
    for number in range(60):
        t_s = number * STEP_S
        collection.path.append((t_s, 300.0 * t_s, 450.0))
        if t_s >= SETTLE_S:
            collection.add(np.full(3, t_s), t_s)
    points = collection.pursuit_points(1600.0)
    assert len(points) == 3
    for point in points:
        assert point.targets[:, 0] * 1600.0 / 300.0 == pytest.approx(
            point.features[:, 0] - PURSUIT_LAG_S
        )
        assert point.target_px[0] == pytest.approx(point.targets[:, 0].mean() * 1600.0)


def test_too_short_a_path_has_no_points() -> None:
    collection = PointCollection.start((0.0, 450.0), False, True, 0.0)
    assert collection.pursuit_points(1600.0) == []
