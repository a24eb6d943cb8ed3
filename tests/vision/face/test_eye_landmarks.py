"""Lids and iris offsets with known answers."""

import pytest

from gaze.vision.face.eye_landmarks import EYES, LidBaseline, aspect_ratio, iris_offsets_mm
from gaze.vision.head.pose import head_pose
from simulation.landmarks import make_landmarks, rotation

STEP_S = 1 / 30


@pytest.mark.parametrize("ratio", [0.05, 0.2, 0.35])
@pytest.mark.parametrize("yaw", [0, 25])
def test_aspect_ratio_is_that_of_the_lids_whichever_way_the_head_is_turned(ratio, yaw):
    landmarks = make_landmarks(rotation(yaw_deg=yaw), ratio=ratio)
    for eye in EYES:
        assert aspect_ratio(landmarks, eye) == pytest.approx(ratio, rel=0.03)


@pytest.mark.parametrize("distance_mm", [300.0, 700.0])
def test_iris_offset_is_in_millimetres_at_any_distance(distance_mm):
    landmarks = make_landmarks(eyes_mm=(0, 0, distance_mm), iris_mm=(2.0, -1.0))
    offsets = iris_offsets_mm(landmarks, head_pose(landmarks))
    assert offsets.ravel() == pytest.approx([2.0, -1.0, 2.0, -1.0], abs=0.02)


@pytest.mark.parametrize("own", [0.2, 0.27, 0.4])
def test_openness_is_learned_from_the_viewers_own_open_eyes(own):
    baseline = LidBaseline()
    for frame in range(300):
        baseline.openness(own, frame * STEP_S)
    later = 300 * STEP_S
    assert baseline.openness(own, later) > 0.8
    assert baseline.openness(0.2 * own, later) == 0.0
    assert 0.2 < baseline.openness(0.6 * own, later) < 0.8


def test_long_closed_eyes_do_not_become_the_usual_opening():
    baseline = LidBaseline()
    for frame in range(90):
        baseline.openness(0.3, frame * STEP_S)
    for frame in range(90, 900):
        assert baseline.openness(0.05, frame * STEP_S) == 0.0
