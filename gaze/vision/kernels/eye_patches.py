"""Cut small grey pictures of both eyes out of a frame, level, scaled and normalised.

This replaces cv2.cvtColor of the frame, cv2.warpAffine and cv2.resize by area for each eye: only
the pixels around the eyes are converted.
"""

import math

from gaze.vision.arrays import FloatArray, Image, IntArray
from gaze.vision.kernels.jit import compiled

_SUPERSAMPLING = 4  # samples of a pixel per axis
_RED, _GREEN, _BLUE = 0.299, 0.587, 0.114  # luma of ITU-R BT.601


@compiled("f8(Array(u1, 3, 'C', True), f8, f8)")
def _sample_luma(image: Image, x: float, y: float) -> float:
    """Return the luma at a point by bilinear interpolation; the picture's border is repeated."""
    height, width, _ = image.shape
    # The constants come first, so that NaN becomes 0.
    x, y = min(width - 1.0, max(0.0, x)), min(height - 1.0, max(0.0, y))
    left, top = int(x), int(y)
    weight_x, weight_y = x - left, y - top
    luma = 0.0
    for row in range(2):
        for column in range(2):
            pixel = image[min(top + row, height - 1), min(left + column, width - 1)]
            weight = (weight_y if row else 1.0 - weight_y) * (
                weight_x if column else 1.0 - weight_x
            )
            luma += weight * (_RED * pixel[0] + _GREEN * pixel[1] + _BLUE * pixel[2])
    return luma


@compiled("void(Array(u1, 3, 'C', True), f8[:,::1], i8[:,::1], f8[:,:,::1])")
def cut_eye_patches(
    image: Image, points: FloatArray, corners: IntArray, patches: FloatArray
) -> None:
    """Fill in the patches of both eyes.

    Parameters
    ----------
    image : Image, shape (h, w, 3)
    points : FloatArray, shape (n, 3)
        The face's landmarks in pixels.
    corners : IntArray, shape (2, 2)
        The landmarks of each eye's corners.
    patches : FloatArray, shape (2, height, width), all 0
        Each has zero mean and one variance (less where the contrast is below a grey level), and
        both together have length 1.
    """
    _, height, width = patches.shape
    size = width * height
    for eye in range(2):
        one, other = points[corners[eye, 0]], points[corners[eye, 1]]
        if one[0] > other[0]:
            one, other = other, one
        centre_x, centre_y = (one[0] + other[0]) / 2.0, (one[1] + other[1]) / 2.0
        step_x = (other[0] - one[0]) / (width * _SUPERSAMPLING)
        step_y = (other[1] - one[1]) / (width * _SUPERSAMPLING)
        patch = patches[eye]
        for down in range(height * _SUPERSAMPLING):
            for across in range(width * _SUPERSAMPLING):
                right = across - (width * _SUPERSAMPLING - 1) / 2.0
                bottom = down - (height * _SUPERSAMPLING - 1) / 2.0
                patch[down // _SUPERSAMPLING, across // _SUPERSAMPLING] += (
                    _sample_luma(
                        image,
                        centre_x + right * step_x - bottom * step_y,
                        centre_y + right * step_y + bottom * step_x,
                    )
                    / _SUPERSAMPLING**2
                )
        mean = patch.sum() / size
        sum_of_squares = 0.0
        for row in range(height):
            for column in range(width):
                patch[row, column] -= mean
                sum_of_squares += patch[row, column] ** 2
        scale = 1.0 / (max(math.sqrt(sum_of_squares / size), 1.0) * math.sqrt(2.0 * size))
        for row in range(height):
            for column in range(width):
                patch[row, column] *= scale
