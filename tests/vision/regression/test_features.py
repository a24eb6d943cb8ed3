"""The features of one frame."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray, Image
from gaze.vision.head.pose import head_pose
from gaze.vision.regression.features import (
    EYEBALLS,
    FACE_NORMAL_MM,
    HEAD,
    IRISES,
    PIXELS,
    SIZE,
    eye_pixels,
    gaze_features,
    read_eyes,
)
from simulation.viewers.landmarks import HEIGHT, WIDTH, make_landmarks, rotation


def picture(seed: int = 0) -> Image:
    """A smooth random RGB picture."""
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    a, b, c = np.random.default_rng(seed).uniform(0.05, 0.2, 3)
    grey = 120 + 50 * np.sin(a * x + c * y) + 40 * np.cos(b * y)
    return np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)


def features(
    turn: FloatArray | None = None,
    eyes_mm: tuple[float, float, float] = (0.0, 0.0, 600.0),
    iris_mm: tuple[float, float] = (0.0, 0.0),
    ratio: float = 0.3,
    image: Image | None = None,
) -> FloatArray:
    landmarks = make_landmarks(turn, eyes_mm, iris_mm, ratio)
    pose = head_pose(landmarks)
    assert pose is not None
    image = picture() if image is None else image
    return gaze_features(image, landmarks, read_eyes(landmarks, pose), pose, np.arange(8.0))


def test_every_feature_is_where_its_name_says() -> None:
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
    assert row[EYEBALLS].tolist() == list(range(8))


def test_the_face_normal_meets_the_screens_plane() -> None:
    straight = features(None, (0.0, 0.0, 500.0))[FACE_NORMAL_MM]
    assert straight == pytest.approx([0.0, 0.0], abs=10)
    # The nose toward the image's right is toward the viewer's left, where the screen's x falls.
    rotated = features(rotation(yaw_deg=10), (0.0, 0.0, 500.0))[FACE_NORMAL_MM]
    assert rotated == pytest.approx([-500 * np.tan(np.radians(10)), 0.0], abs=15)
    moved = features(None, (60.0, 40.0, 500.0))[FACE_NORMAL_MM]
    assert moved == pytest.approx([-60.0, 40.0], abs=15)


def test_pixels_do_not_depend_on_brightness_and_contrast() -> None:
    row = features()[PIXELS]
    right, left = row.reshape(2, -1)
    assert (right.mean(), left.mean()) == pytest.approx((0.0, 0.0), abs=1e-6)
    assert np.linalg.norm(row) == pytest.approx(1.0, rel=1e-3)
    dim = (picture() * 0.5 + 40).astype(np.uint8)
    assert features(image=dim)[PIXELS] == pytest.approx(row, abs=0.02)


def test_pixels_do_not_depend_on_the_eyes_roll_and_size() -> None:
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
    rotated = np.zeros_like(image)
    for number in (468, 473):
        x, y = upside.points_px[number, :2].round().astype(int)
        rotated[y - 6 : y + 6, x - 6 : x + 6] = 255
    assert eye_pixels(rotated, upside) @ eye_pixels(image, landmarks) > 0.9


def test_a_uniform_surface_gives_zeros() -> None:
    uniform = np.full((HEIGHT, WIDTH, 3), 90, np.uint8)
    assert not eye_pixels(uniform, make_landmarks()).any()


def test_eyes_outside_of_the_picture_are_no_error() -> None:
    away = make_landmarks()
    away.points_px[:, 0] += 2000
    assert np.isfinite(eye_pixels(picture(), away)).all()
