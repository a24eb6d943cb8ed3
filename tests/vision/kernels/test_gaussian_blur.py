"""The blur, against OpenCV's."""

import cv2
import numpy as np
import pytest

from gaze.vision.kernels.gaussian_blur import gaussian_blur


@pytest.mark.parametrize("shape", [(3, 3), (8, 61), (120, 97)])
def test_every_byte_is_that_of_opencv(shape: tuple[int, int]) -> None:
    grey = np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8)
    assert np.array_equal(gaussian_blur(grey), cv2.GaussianBlur(grey, (5, 5), 0.8))
