"""A square in a picture, perhaps turned: what the face's networks look at."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]


@dataclass(frozen=True, slots=True)
class Square:
    """Its middle `centre_px`, as x + iy, its `side_px`, and `turn`, the unit number toward which
    its upper side runs."""

    centre_px: complex
    side_px: float
    turn: complex = 1.0 + 0.0j

    @classmethod
    def around(cls, low_px: complex, high_px: complex, across: complex) -> "Square":
        """The square around a box, 1.5 times as large and turned along `across`."""
        size_px = high_px - low_px
        side_px = 1.5 * max(size_px.real, size_px.imag)
        return cls((low_px + high_px) / 2.0, side_px, across / max(abs(across), 1e-9))


def cut_square(image: Image, square: Square, seen: Image, beyond: int) -> None:
    """Draw the square of a picture (h, w, 3) as `seen` (side, side, 3).

    What lies beyond the picture's edges is drawn as OpenCV's border type `beyond` says.
    """
    half = square.side_px / 2.0 * (abs(square.turn.real) + abs(square.turn.imag)) + 2.0
    (left, right), (top, bottom) = (
        (int(min(max(middle - half, 0), size - 1)), int(min(max(middle + half, 0), size - 1)) + 1)
        for middle, size in (
            (square.centre_px.real, image.shape[1]),
            (square.centre_px.imag, image.shape[0]),
        )
    )
    # A copy, faster than numpy's: read in one go, it is in the cache when it is drawn askew.
    part = cv2.copyMakeBorder(image[top:bottom, left:right], 0, 0, 0, 0, beyond)
    side = len(seen)
    step = square.turn * square.side_px / side
    corner = square.centre_px - step * (1.0 + 1.0j) * side / 2.0 - complex(left, top)
    cv2.warpAffine(
        part,
        np.array([[step.real, -step.imag, corner.real], [step.imag, step.real, corner.imag]]),
        (side, side),
        dst=seen,
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=beyond,
    )
