"""The face detector on made viewers: where the crop is."""

import cv2
import numpy as np
import pytest

from gaze.vision.face.detection import FaceDetector
from simulation.viewers.painted import viewer_frame

# Between the painted irises, which are at (248, 169) and (396, 176).
EYES = 322 + 172j


@pytest.fixture(scope="module")
def detector() -> FaceDetector:
    return FaceDetector()


def test_the_crop_is_around_the_face(detector: FaceDetector) -> None:
    crop = detector.find(viewer_frame())
    assert crop is not None
    assert abs(crop.centre_px - EYES) < crop.side_px / 2
    assert 300 < crop.side_px < 700
    assert abs(np.angle(crop.direction)) < 0.2


def test_it_follows_the_face(detector: FaceDetector) -> None:
    still, moved = detector.find(viewer_frame()), detector.find(viewer_frame(shift_px=(40, -20)))
    assert still is not None and moved is not None
    assert moved.centre_px - still.centre_px == pytest.approx(40 - 20j, abs=12)


@pytest.mark.parametrize("degrees", [-20.0, 20.0])
def test_the_crop_is_rotated_with_the_face(detector: FaceDetector, degrees: float) -> None:
    frame = viewer_frame()
    turn = cv2.getRotationMatrix2D((EYES.real, EYES.imag), degrees, 1.0)
    rotated = cv2.warpAffine(frame, turn, (640, 480), borderMode=cv2.BORDER_REPLICATE)
    level, crop = detector.find(frame), detector.find(np.asarray(rotated, np.uint8))
    assert level is not None and crop is not None
    turned_deg = np.degrees(np.angle(crop.direction / level.direction))
    # The image's y is down, OpenCV's angles are counter-clockwise.
    assert turned_deg == pytest.approx(-degrees, abs=4.0)


def test_an_empty_picture_has_no_face(detector: FaceDetector) -> None:
    assert detector.find(np.full((480, 640, 3), 90, np.uint8)) is None
    assert detector.find(viewer_frame(present=False)) is None
