"""Iris centres and radii against rendered viewers."""

import dataclasses

import numpy as np
import pytest

from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.iris.refinement import cut_eyes, dark_centre, find_irises
from simulation.landmarks import make_landmarks, rotation
from simulation.rendered_viewer import NEAR_MM, Scene, draw, render, through_camera

STRAIGHT = Scene(np.eye(3), np.array([0.0, 20.0, NEAR_MM]), np.array([0.0, 60.0, 0.0]), 4.0)


@pytest.fixture(scope="module")
def finder():
    mesh = MeshFaceFinder()
    yield mesh
    mesh.close()


def look(finder, seed, scene):
    picture, truth = render(draw(seed), scene)
    for frame in through_camera([picture] * 6, seed):
        landmarks = finder.find(frame)
    return find_irises(cut_eyes(frame, landmarks), landmarks), truth, landmarks


@pytest.mark.parametrize("seed", [30, 31])
@pytest.mark.parametrize("target_mm", [(0.0, 60.0, 0.0), (60.0, 40.0, 0.0), (-60.0, 80.0, 0.0)])
def test_irises_are_found_to_a_part_of_a_pixel(finder, seed, target_mm):
    scene = dataclasses.replace(STRAIGHT, target_mm=np.array(target_mm))
    irises, truth, landmarks = look(finder, seed, scene)
    off = np.linalg.norm(irises.centres_px - truth.irises_px, axis=1)
    meshed = landmarks.points_px[[468, 473], :2] - 0.5
    assert off.max() < 1.0
    assert off.mean() < 0.6
    assert off.mean() < np.linalg.norm(meshed - truth.irises_px, axis=1).mean()
    assert irises.radius_px == pytest.approx(truth.radii_px.mean(), rel=0.05)
    assert irises.confidence.min() > 0.3


def test_confidence_falls_when_the_lids_close(finder):
    open_, _, _ = look(finder, 30, STRAIGHT)
    narrow, _, _ = look(finder, 30, dataclasses.replace(STRAIGHT, openness=0.25))
    assert narrow.confidence.max() < 0.7 * open_.confidence.min()


def test_the_dark_middle_is_found_from_beside_it():
    y, x = np.mgrid[0:80, 0:80]
    eye = np.where(np.hypot(x - 40.3, y - 38.6) < 8, 20, 120).astype(np.uint8)
    assert dark_centre(eye, 44.0, 36.0, 20.0, 5) == pytest.approx([40.3, 38.6], abs=0.15)


def test_eyes_beside_the_frame_and_tiny_ones_are_not_measured():
    image = np.zeros((480, 640, 3), np.uint8)
    beside = make_landmarks(rotation(), (2000.0, 0.0, 600.0))
    assert cut_eyes(image, beside) is None
    far = make_landmarks(rotation(), (0.0, 0.0, 4000.0))
    crop = cut_eyes(image, make_landmarks())
    assert find_irises(crop, far) is None


def test_an_even_surface_gives_finite_numbers_and_no_confidence():
    landmarks = Landmarks(make_landmarks(eyes_mm=(0.0, 0.0, 280.0)).points_px, 640, 480)
    even = np.full((480, 640, 3), 90, np.uint8)
    irises = find_irises(cut_eyes(even, landmarks), landmarks)
    assert np.isfinite(irises.centres_px).all()
    assert irises.confidence.max() < 0.05
