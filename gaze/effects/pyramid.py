"""Blends ever smaller copies of a picture plane, so that every place gets the blur it should have.

At every place a level is wanted: 0 is the picture itself, 1 its half size, and so on. Picture k
gets the weight clamp(k + 1 - level) over everything coarser, which is trilinear interpolation.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.frames.planes import Plane

Weights = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Blend:
    """How picture k goes over the coarser ones.

    `fine` and `coarse` add up to 1 and belong to the box of `rows` and `columns`. Around the box
    only one of the two is seen: the finer one if `fine_around`, else the coarser one.
    """

    rows: slice
    columns: slice
    fine: Weights
    coarse: Weights
    fine_around: bool


def half(size: int) -> int:
    """Return the size of the next coarser picture: half of it, rounded up."""
    return (size + 1) // 2


class Pyramid:
    """The smaller copies of planes of one shape, in memory that is used again for every frame."""

    def __init__(self, height: int, width: int) -> None:
        self._shrunk: list[Plane] = []
        self._grown: list[Plane] = [np.empty((height, width), np.uint8)]

    def blend(self, source: Plane, target: Plane, blends: Sequence[Blend]) -> None:
        """Fill `target` with `source`; `blends[k]` puts picture k over the coarser ones."""
        pictures = [source]
        for k in range(len(blends)):
            pictures.append(self._halve(pictures[k], k))
        coarse = pictures.pop()
        for k in reversed(range(len(blends))):
            fine, blend = pictures[k], blends[k]
            grown = self._grown[k]
            if k == 0 and blend.fine_around:
                np.copyto(target, fine)
                fine = target
            elif k == 0:
                grown = target
            cv2.resize(coarse, _size(fine), dst=grown, interpolation=cv2.INTER_LINEAR)
            coarse = fine if blend.fine_around else grown
            if blend.fine.size:
                box = (blend.rows, blend.columns)
                cv2.blendLinear(fine[box], grown[box], blend.fine, blend.coarse, dst=coarse[box])
        if coarse is not target:
            np.copyto(target, coarse)

    def _halve(self, picture: Plane, k: int) -> Plane:
        if len(self._shrunk) == k:
            shape = (half(picture.shape[0]), half(picture.shape[1]))
            self._shrunk.append(np.empty(shape, np.uint8))
            self._grown.append(np.empty(shape, np.uint8))
        smaller = self._shrunk[k]
        cv2.resize(picture, _size(smaller), dst=smaller, interpolation=cv2.INTER_AREA)
        if k > 0:
            cv2.GaussianBlur(smaller, (3, 3), 0, dst=smaller)
        return smaller


def _size(plane: Plane) -> tuple[int, int]:
    return plane.shape[1], plane.shape[0]
