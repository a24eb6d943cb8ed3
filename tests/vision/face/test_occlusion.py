"""Occluded eyes, on synthetic landmarks and pictures."""

from collections.abc import Sequence

import numpy as np
import pytest

from gaze.vision.arrays import Image
from gaze.vision.face.landmark_indices import EYES, EyeIndices
from gaze.vision.face.occlusion import eyes_occluded
from simulation.viewers.landmarks import HEIGHT, WIDTH, make_landmarks

LANDMARKS = make_landmarks(eyes_mm=(0.0, 0.0, 500.0))


def picture(eyes: Sequence[EyeIndices] = EYES, noise: float = 2.0) -> Image:
    """Return uniform skin, and on it a dark square for each eye."""
    made = np.full((HEIGHT, WIDTH, 3), 150.0)
    for eye in eyes:
        x, y = LANDMARKS.points_px[eye.iris, :2].astype(int)
        made[y - 4 : y + 5, x - 5 : x + 6] = 60.0
    made += np.random.default_rng(0).normal(0.0, noise, made.shape)
    return made.astype(np.uint8)


@pytest.mark.parametrize("noise", [0.0, 2.0, 6.0])
def test_a_uniform_surface_occludes_the_eyes_however_noisy_the_camera(noise: float) -> None:
    assert eyes_occluded(picture((), noise), LANDMARKS)
    assert not eyes_occluded(picture(EYES, noise), LANDMARKS)


def test_one_eye_is_enough() -> None:
    assert not eyes_occluded(picture(EYES[:1]), LANDMARKS)
    assert not eyes_occluded(picture(EYES[1:]), LANDMARKS)


def test_eyes_outside_of_the_picture_are_not_seen() -> None:
    away = make_landmarks(eyes_mm=(900.0, 0.0, 500.0))
    assert eyes_occluded(picture(), away)
