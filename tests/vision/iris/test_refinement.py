"""Iris centres and radii against rendered viewers."""

import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest

from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.face.landmark_indices import EYES
from gaze.vision.iris.refinement import Irises, crop_eyes, find_irises
from simulation.viewers.landmarks import make_landmarks, rotation
from simulation.viewers.rendered import NEAR_MM, Scene, Truth, draw, render, through_camera

STRAIGHT = Scene(np.eye(3), np.array([0.0, 20.0, NEAR_MM]), np.array([0.0, 60.0, 0.0]), 4.0)


@pytest.fixture(scope="module")
def finder() -> Iterator[MeshFaceFinder]:
    mesh = MeshFaceFinder()
    yield mesh
    mesh.close()


def look(finder: MeshFaceFinder, seed: int, scene: Scene) -> tuple[Irises, Truth, Landmarks]:
    picture, truth = render(draw(seed), scene)
    for frame in through_camera([picture] * 6, seed):
        landmarks = finder.find(frame)
    assert landmarks is not None
    crop = crop_eyes(frame, landmarks)
    assert crop is not None
    irises = find_irises(crop, landmarks)
    assert irises is not None
    return irises, truth, landmarks


@pytest.mark.parametrize("seed", [30, 31])
@pytest.mark.parametrize("target_mm", [(0.0, 60.0, 0.0), (60.0, 40.0, 0.0), (-60.0, 80.0, 0.0)])
def test_irises_are_located_to_a_fraction_of_a_pixel(
    finder: MeshFaceFinder, seed: int, target_mm: tuple[float, float, float]
) -> None:
    scene = dataclasses.replace(STRAIGHT, target_mm=np.array(target_mm))
    irises, truth, landmarks = look(finder, seed, scene)
    errors_px = np.linalg.norm(irises.centres_px - truth.irises_px, axis=1)
    mesh_px = landmarks.points_px[[eye.iris for eye in EYES], :2] - 0.5
    assert errors_px.max() < 1.0
    assert errors_px.mean() < 0.6
    assert errors_px.mean() < np.linalg.norm(mesh_px - truth.irises_px, axis=1).mean()
    assert irises.radius_px == pytest.approx(truth.radii_px.mean(), rel=0.05)
    assert irises.confidence.min() > 0.3


def test_confidence_falls_when_the_lids_close(finder: MeshFaceFinder) -> None:
    open_, _, _ = look(finder, 30, STRAIGHT)
    narrow, _, _ = look(finder, 30, dataclasses.replace(STRAIGHT, openness=0.25))
    assert narrow.confidence.max() < 0.7 * open_.confidence.min()


def test_eyes_outside_of_the_frame_and_tiny_ones_are_not_measured() -> None:
    image = np.zeros((480, 640, 3), np.uint8)
    beside = make_landmarks(rotation(), (2000.0, 0.0, 600.0))
    assert crop_eyes(image, beside) is None
    far = make_landmarks(rotation(), (0.0, 0.0, 4000.0))
    crop = crop_eyes(image, make_landmarks())
    assert crop is not None
    assert find_irises(crop, far) is None


def test_a_uniform_surface_gives_finite_numbers_and_no_confidence() -> None:
    landmarks = Landmarks(make_landmarks(eyes_mm=(0.0, 0.0, 280.0)).points_px, 640, 480)
    crop = crop_eyes(np.full((480, 640, 3), 90, np.uint8), landmarks)
    assert crop is not None
    irises = find_irises(crop, landmarks)
    assert irises is not None
    assert np.isfinite(irises.centres_px).all()
    assert irises.confidence.max() < 0.05
