"""The rendered viewers: pictures agree with their ground truth, and show a face."""

import dataclasses

import cv2
import numpy as np
import pytest

from gaze.vision.face.finder import MeshFaceFinder
from simulation.viewers.landmarks import rotation
from simulation.viewers.rendered import (
    HEIGHT,
    NEAR_MM,
    WIDTH,
    Picture,
    Scene,
    draw,
    project,
    render,
    through_camera,
)

PERSON = draw(0)
STRAIGHT = Scene(np.eye(3), np.array([0.0, 20.0, NEAR_MM]), np.array([0.0, 40.0, 0.0]), 4.0)


def brightness(picture: Picture, scene: Scene) -> list[float]:
    """Return how bright the picture is at the true centres of the pupils."""
    irises_px = render(PERSON, scene)[1].irises_px
    return [float(picture[round(y), round(x)].mean()) for x, y in irises_px]


def test_pupils_are_where_the_truth_says() -> None:
    picture, truth = render(PERSON, STRAIGHT)
    assert picture.shape == (HEIGHT, WIDTH, 3)
    assert max(brightness(picture, STRAIGHT)) < 60
    for (x, y), radius in zip(truth.irises_px, truth.radii_px, strict=True):
        # From iris to sclera at the limbus, to both sides.
        outside = [picture[round(y), round(x + side * radius * 1.15)].mean() for side in (-1, 1)]
        within = [picture[round(y), round(x + side * radius * 0.75)].mean() for side in (-1, 1)]
        assert min(outside) > max(within) + 10


def test_a_radius_is_that_of_the_iris_in_perspective() -> None:
    _, truth = render(PERSON, STRAIGHT)
    expected = PERSON.iris_mm / 2 * 554.26 / (NEAR_MM - 3.5)
    assert truth.radii_px == pytest.approx([expected] * 2, rel=0.02)


def test_eyes_turn_to_the_target_and_go_along_with_the_head() -> None:
    _, straight = render(PERSON, STRAIGHT)
    aside = dataclasses.replace(STRAIGHT, target_mm=np.array([80.0, 40.0, 0.0]))
    _, turned = render(PERSON, aside)
    # 16 degrees of the eyeball's 10.5 mm.
    assert turned.irises_px[:, 0] - straight.irises_px[:, 0] == pytest.approx([5.8] * 2, abs=0.6)
    moved_mm = STRAIGHT.position_mm + np.array([20.0, 0.0, 0.0])
    _, shifted = render(PERSON, dataclasses.replace(STRAIGHT, position_mm=moved_mm))
    shift_px = project(moved_mm)[0] - project(STRAIGHT.position_mm)[0]
    assert np.all(np.abs(shifted.irises_px[:, 0] - straight.irises_px[:, 0] - shift_px) < 3)


def test_closed_lids_hide_the_eyes() -> None:
    closed = dataclasses.replace(STRAIGHT, openness=0.0)
    picture, _ = render(PERSON, closed)
    assert min(brightness(picture, STRAIGHT)) > 60


def test_seeds_are_different_people_and_one_seed_is_one() -> None:
    again = draw(0)
    assert again.iris_mm == PERSON.iris_mm
    assert np.array_equal(again.kappa_deg, PERSON.kappa_deg)
    assert draw(1).iris_mm != PERSON.iris_mm
    assert PERSON.has_light_iris
    assert not draw(1).has_light_iris


def test_the_face_mesh_finds_the_face_after_the_camera() -> None:
    scene = dataclasses.replace(STRAIGHT, head_rotation=rotation(12.0, -8.0, 5.0))
    picture, truth = render(PERSON, scene)
    frames = list(through_camera([picture] * 3, 1))
    assert len(frames) == 3
    grey = [cv2.cvtColor(frame, cv2.COLOR_RGB2GRAY).astype(int) for frame in frames]
    assert 0.5 < np.abs(grey[0] - grey[2]).mean() < 8
    finder = MeshFaceFinder()
    for frame in frames:
        landmarks = finder.find(frame)
    finder.close()
    assert landmarks is not None
    assert np.abs(landmarks.points_px[[468, 473], :2] - truth.irises_px).max() < 4
