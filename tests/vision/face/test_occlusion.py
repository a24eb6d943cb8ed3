"""Eyes that something covers, on made landmarks and pictures."""

import numpy as np
import pytest

from gaze.vision.face.eye_landmarks import EYES
from gaze.vision.face.occlusion import eyes_hidden
from simulation.landmarks import HEIGHT, WIDTH, make_landmarks

LANDMARKS = make_landmarks(eyes_mm=(0.0, 0.0, 500.0))


def picture(eyes=EYES, noise=2.0):
    """An even skin, and on it the dark line and disc of the eyes given."""
    made = np.full((HEIGHT, WIDTH, 3), 150.0)
    for eye in eyes:
        x, y = LANDMARKS.points_px[eye.iris, :2].astype(int)
        made[y - 4 : y + 5, x - 5 : x + 6] = 60.0
    made += np.random.default_rng(0).normal(0.0, noise, made.shape)
    return made.astype(np.uint8)


@pytest.mark.parametrize("noise", [0.0, 2.0, 6.0])
def test_an_even_surface_hides_the_eyes_however_noisy_the_camera(noise):
    assert eyes_hidden(picture((), noise), LANDMARKS)
    assert not eyes_hidden(picture(EYES, noise), LANDMARKS)


def test_one_eye_is_enough():
    assert not eyes_hidden(picture(EYES[:1]), LANDMARKS)
    assert not eyes_hidden(picture(EYES[1:]), LANDMARKS)


def test_eyes_outside_of_the_picture_are_not_seen():
    away = make_landmarks(eyes_mm=(900.0, 0.0, 500.0))
    assert eyes_hidden(picture(), away)
