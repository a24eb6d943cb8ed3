"""The features of one frame."""

import numpy as np
import pytest

from gaze.vision.head.pose import head_pose
from gaze.vision.regression.features import (
    FACED_MM,
    HEAD,
    IRISES,
    PIXELS,
    SIGHT,
    SIZE,
    eye_pixels,
    gaze_features,
    read_eyes,
)
from simulation.landmarks import HEIGHT, WIDTH, make_landmarks, rotation


def picture(seed=0):
    """A smooth random RGB picture."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    a, b, c = np.random.default_rng(seed).uniform(0.05, 0.2, 3)
    grey = 120 + 50 * np.sin(a * x + c * y) + 40 * np.cos(b * y)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def features(*face, image=None):
    landmarks = make_landmarks(*face)
    pose = head_pose(landmarks)
    image = picture() if image is None else image
    return gaze_features(image, landmarks, read_eyes(landmarks, pose), pose, np.arange(8.0))


def test_every_number_is_where_its_name_says():
    row = features(rotation(yaw_deg=10), (30.0, -20.0, 500.0), (1.0, -0.5), 0.31)
    assert row.shape == (SIZE,)
    right_x, right_y, left_x, left_y, right_lids, left_lids = row[IRISES]
    assert (right_x, left_x) == pytest.approx((1.0, 1.0), abs=0.05)
    assert (right_y, left_y) == pytest.approx((-0.5, -0.5), abs=0.05)
    assert (right_lids, left_lids) == pytest.approx((0.3, 0.3), abs=0.02)
    yaw, pitch, roll, x, y, z = row[HEAD]
    assert yaw == pytest.approx(np.radians(10) / 0.2, abs=0.05)
    assert (pitch, roll) == pytest.approx((0.0, 0.0), abs=0.05)
    assert (x, y, z) == pytest.approx((0.6, -0.4, -1.0), abs=0.1)
    assert row[SIGHT].tolist() == list(range(8))


def test_the_face_points_at_the_screen():
    straight = features(None, (0.0, 0.0, 500.0))[FACED_MM]
    assert straight == pytest.approx([0.0, 0.0], abs=10)
    # The nose toward the image's right is toward the viewer's left, where the screen's x falls.
    turned = features(rotation(yaw_deg=10), (0.0, 0.0, 500.0))[FACED_MM]
    assert turned == pytest.approx([-500 * np.tan(np.radians(10)), 0.0], abs=15)
    moved = features(None, (60.0, 40.0, 500.0))[FACED_MM]
    assert moved == pytest.approx([-60.0, 40.0], abs=15)


def test_pixels_have_no_brightness_and_no_contrast():
    row = features()[PIXELS]
    right, left = row.reshape(2, -1)
    assert (right.mean(), left.mean()) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert np.linalg.norm(row) == pytest.approx(1.0, rel=1e-3)
    dim = (picture() * 0.5 + 40).astype(np.uint8)
    assert features(image=dim)[PIXELS] == pytest.approx(row, abs=0.02)


def test_pixels_turn_and_scale_with_the_eyes():
    landmarks = make_landmarks()
    image = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    for number in (468, 473):
        x, y = landmarks.points_px[number, :2].round().astype(int)
        image[y - 6 : y + 6, x - 6 : x + 6] = 255
    twice = make_landmarks()
    twice.points_px[:, :2] *= 2
    large = image.repeat(2, axis=0).repeat(2, axis=1)
    assert eye_pixels(large, twice) @ eye_pixels(image, landmarks) > 0.95
    upside = make_landmarks(rotation(roll_deg=90))
    turned = np.zeros_like(image)
    for number in (468, 473):
        x, y = upside.points_px[number, :2].round().astype(int)
        turned[y - 6 : y + 6, x - 6 : x + 6] = 255
    alike = eye_pixels(turned, upside) @ eye_pixels(image, landmarks)
    assert alike > 0.9


def test_an_even_surface_gives_zeros():
    even = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert not eye_pixels(even, make_landmarks()).any()


def test_eyes_beside_the_picture_are_no_error():
    away = make_landmarks()
    away.points_px[:, 0] += 2000
    assert np.isfinite(eye_pixels(picture(), away)).all()
