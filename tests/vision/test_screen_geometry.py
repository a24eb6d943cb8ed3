"""The uncalibrated point of gaze: signs and sizes from synthetic heads."""

import numpy as np
import pytest

from gaze.vision.face.eye_landmarks import iris_offsets_mm
from gaze.vision.head.pose import head_pose
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import (
    downward_deg,
    estimate_px,
    px_per_degree,
    px_per_mm,
    screen_point_px,
)
from simulation.landmarks import make_landmarks, rotation

SCREEN = Screen(1600, 900, diagonal_mm=400.0)


def look(iris_mm=(0.0, 0.0), down_deg=0.0, eyes_mm=(0.0, 0.0, 600.0), turn=None):
    landmarks = make_landmarks(turn, eyes_mm, iris_mm)
    pose = head_pose(landmarks)
    return estimate_px(iris_offsets_mm(landmarks, pose), down_deg, pose, SCREEN)


def test_scale_of_the_screen():
    assert px_per_mm(Screen(1600, 1200, diagonal_mm=500.0)) == pytest.approx(4.0)
    assert px_per_degree(Screen(1600, 1200, diagonal_mm=500.0), 573.0) == pytest.approx(
        40, rel=0.01
    )


def test_a_line_of_sight_meets_the_screen_where_it_should():
    # From 600 mm, 30 degrees to the image's left is the viewer's right.
    direction = np.array([-np.sin(np.pi / 6), 0.0, -np.cos(np.pi / 6)])
    x_px, y_px = screen_point_px(np.array([0.0, 100.0, 600.0]), direction, SCREEN)
    scale = px_per_mm(SCREEN)
    assert x_px == pytest.approx(800 + 600 * np.tan(np.pi / 6) * scale)
    assert y_px == pytest.approx(100 * scale)
    assert screen_point_px(np.array([0.0, 0.0, 600.0]), np.array([1.0, 0.0, 0.0]), SCREEN) is None


def test_straight_eyes_at_the_usual_level_look_at_the_middle():
    assert look() == pytest.approx([800, 450], abs=15)


@pytest.mark.parametrize("eyes_mm", [(0.0, 0.0, 600.0), (100.0, 40.0, 500.0)])
def test_signs(eyes_mm):
    x_px, y_px = look(eyes_mm=eyes_mm)
    assert look((-1.0, 0.0), eyes_mm=eyes_mm)[0] > x_px + 150
    assert look((1.0, 0.0), eyes_mm=eyes_mm)[0] < x_px - 150
    assert look(down_deg=5.0, eyes_mm=eyes_mm)[1] > y_px + 100
    assert look(down_deg=-5.0, eyes_mm=eyes_mm)[1] < y_px - 100


def test_size_of_a_turn_down():
    degree_px = px_per_degree(SCREEN, 600.0)
    assert look(down_deg=5.0)[1] - look()[1] == pytest.approx(5 * degree_px, rel=0.1)


def test_head_and_eyes_turned_against_each_other_look_at_the_same_place():
    # The irises of a head turned by yaw that stay on the middle of the screen, as the mesh
    # shows them: 0.6 of the eyes' turn in the head.
    for yaw in (-15, 15):
        sine = np.sin(np.radians(yaw))
        iris_mm = (4.5 * sine - 0.6 * 10.5 * sine, 0.0)
        assert look(iris_mm, turn=rotation(yaw_deg=yaw))[0] == pytest.approx(800, abs=30)


def test_a_turned_head_with_straight_eyes_looks_where_it_is_turned():
    # The nose to the image's right is the viewer's left.
    sine = np.sin(np.radians(15))
    assert look((4.5 * sine, 0.0), turn=rotation(yaw_deg=15))[0] < 400


def test_lowered_lids_and_irises_look_down():
    offsets = np.zeros((2, 2))
    assert downward_deg(offsets, (0.25, 0.25)) > downward_deg(offsets, (0.3, 0.3))
    assert downward_deg(np.array([[0, 1], [0, 1]]), (0.3, 0.3)) > downward_deg(offsets, (0.3, 0.3))
