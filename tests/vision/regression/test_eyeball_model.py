"""The eyeball model: eyes that are rotated by known angles, and the screen that their rays meet."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.regression import eyeball_model
from gaze.vision.sample import Screen
from simulation.viewers.landmarks import rotation

SCREEN = Screen(1600.0, 900.0, diagonal_mm=400.0)
WIDTH_MM = 400 * 1600 / np.hypot(1600, 900)
CENTRE_PX = np.array([319.5, 239.5])
FOCAL_PX = 554.26
NO_CORRECTIONS = np.zeros(eyeball_model.CORRECTIONS)
TARGETS = np.array([(x, y) for y in (0.05, 0.28, 0.5) for x in (0.1, 0.5, 0.9)])
Pair = tuple[float, float] | FloatArray


def features(
    target: Pair,
    turn: FloatArray | None = None,
    eyes_mm: tuple[float, float, float] = (20.0, 40.0, 500.0),
    kappa_deg: tuple[float, float] = (0.0, 0.0),
) -> FloatArray:
    """Return the features of eyes that look at a target in screen widths."""
    turn = np.eye(3) if turn is None else turn
    target_mm = np.array([(0.5 - target[0]) * WIDTH_MM, target[1] * WIDTH_MM, 0.0])
    irises = []
    for ball in eyeball_model.EYEBALLS_MM:
        centre = turn @ ball + eyes_mm
        toward = turn.T @ (target_mm - centre)
        toward /= np.linalg.norm(toward)
        across = np.arctan2(toward[0], -toward[2]) - np.radians(kappa_deg[0])
        down = np.arcsin(toward[1]) - np.radians(kappa_deg[1])
        axis = [np.sin(across) * np.cos(down), np.sin(down), -np.cos(across) * np.cos(down)]
        iris = centre + turn @ np.array(axis) * eyeball_model.ROTATION_RADIUS_MM
        irises.append(iris[:2] / iris[2] * FOCAL_PX + CENTRE_PX)
    return eyeball_model.eyeball_features(
        np.array(irises), CENTRE_PX, RigidPose(turn, np.array(eyes_mm), FOCAL_PX)
    )


@pytest.mark.parametrize("turn", [None, rotation(15.0, -10.0, 5.0), rotation(-20.0, 5.0)])
def test_the_point_of_gaze_is_found_however_the_head_is_rotated(turn: FloatArray | None) -> None:
    rows = np.array([features(target, turn) for target in TARGETS])
    gaze = eyeball_model.points_of_gaze(rows, NO_CORRECTIONS, SCREEN)
    assert gaze == pytest.approx(TARGETS, abs=0.004)
    errors = eyeball_model.angle_errors(rows, TARGETS, NO_CORRECTIONS, SCREEN)
    assert errors == pytest.approx(0.0, abs=0.006)


def test_nine_points_correct_kappa_also_when_the_head_moves() -> None:
    kappa = (4.0, -6.0)
    rows = np.array([features(target, kappa_deg=kappa) for target in TARGETS])
    corrections = eyeball_model.fit(rows, TARGETS, SCREEN)
    turn, eyes_mm = rotation(12.0, 8.0, -5.0), (-30.0, 0.0, 450.0)
    moved = np.array([features(target, turn, eyes_mm, kappa) for target in TARGETS])
    corrected = eyeball_model.points_of_gaze(moved, corrections, SCREEN)
    assert np.linalg.norm(corrected - TARGETS, axis=1).max() < 0.035
    without = eyeball_model.points_of_gaze(moved, NO_CORRECTIONS, SCREEN)
    assert np.linalg.norm(without - TARGETS, axis=1).min() > 0.08


def test_leaving_one_out_is_as_fitting_without_it() -> None:
    rows = np.array([features(target, kappa_deg=(4.0, -6.0)) for target in TARGETS])
    targets = TARGETS + np.random.default_rng(1).normal(0.0, 0.01, TARGETS.shape)
    corrections = eyeball_model.fit(rows, targets, SCREEN)
    shortcut = eyeball_model.leave_one_out(rows, targets, corrections, SCREEN)
    numbers = np.arange(len(rows))
    for number, corrections in enumerate(shortcut):
        kept = numbers != number
        fitted = eyeball_model.fit(rows[kept], targets[kept], SCREEN)
        first, second = (
            eyeball_model.points_of_gaze(rows, each, SCREEN) for each in (corrections, fitted)
        )
        assert first == pytest.approx(second, abs=0.002)


def test_a_gaze_ray_far_beside_the_screen_is_limited() -> None:
    row = features((0.5, 0.3))
    row[:2] = (3.0, -3.0)
    gaze = eyeball_model.points_of_gaze(row[None], NO_CORRECTIONS, SCREEN)
    assert np.isfinite(gaze).all()
    assert np.abs(gaze).max() <= 3.0


def test_the_offset_converges_to_that_of_a_mean_gaze_at_the_middle() -> None:
    offset = eyeball_model.AngleOffset()
    assert not offset.started
    first = features((0.5, 0.28), kappa_deg=(0.0, 12.0))
    offset.initialise(first, np.array([0.5, 0.28]), SCREEN)
    targets = np.array([(0.3, 0.1), (0.7, 0.46)])
    for frame in range(30 * 90):
        row = features(targets[frame // 15 % 2], kappa_deg=(5.0, 4.0))
        offset.update(row, SCREEN, frame / 30)
    assert offset.started
    corrections = eyeball_model.average_corrections(offset.radians)
    middle = features((0.5, 0.28), kappa_deg=(5.0, 4.0))
    gaze = eyeball_model.points_of_gaze(middle[None], corrections, SCREEN)[0]
    assert gaze == pytest.approx([0.5, 0.28], abs=0.03)
