"""Blends the levels of a plane's image pyramid, so that every place gets its own blur.

Each place has a level of detail: 0 is the picture itself, 1 its half size, and so on. Level k gets
the weight clamp(k + 1 - level of detail) over everything coarser, which is trilinear interpolation
as in mipmapping (Williams, "Pyramidal parametrics", SIGGRAPH 1983).
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from gaze.frames.planes import FloatPlane, Plane


@dataclass(frozen=True, slots=True)
class LevelBlend:
    """How one level of the pyramid is blended over the coarser ones.

    Attributes
    ----------
    rows, columns : slice
        The box of the level in which both are seen.
    fine, coarse : ndarray of float32
        Weights of the level and of the coarser ones in the box; they add up to 1.
    fine_outside : bool
        Whether only the level itself is seen outside the box; else only the coarser ones.
    """

    rows: slice
    columns: slice
    fine: FloatPlane
    coarse: FloatPlane
    fine_outside: bool


def half_size(size: int) -> int:
    """Return the size of the next coarser level.

    Parameters
    ----------
    size : int
        Rows or columns.

    Returns
    -------
    int
        Half of that, rounded up.
    """
    return (size + 1) // 2


class Pyramid:
    """The levels of planes of one shape, in memory that is used again for every frame."""

    def __init__(self, height: int, width: int) -> None:
        """Allocate for planes of a shape.

        Parameters
        ----------
        height, width : int
            Their size in samples.
        """
        self._reduced: list[Plane] = []
        self._expanded: list[Plane] = [np.empty((height, width), np.uint8)]

    def blend(self, source: Plane, target: Plane, blends: Sequence[LevelBlend]) -> None:
        """Fill a plane with the blended levels of another one.

        Parameters
        ----------
        source, target : ndarray of uint8, shape (height, width)
            What is read, and what is written.
        blends : sequence of LevelBlend
            For each level, the finest first, how it goes over the coarser ones.
        """
        levels = [source]
        for k in range(len(blends)):
            levels.append(self._reduce(levels[k], k))
        coarse = levels.pop()
        for k in reversed(range(len(blends))):
            fine, blend = levels[k], blends[k]
            expanded = self._expanded[k]
            if k == 0 and blend.fine_outside:
                np.copyto(target, fine)
                fine = target
            elif k == 0:
                expanded = target
            cv2.resize(coarse, _size(fine), dst=expanded, interpolation=cv2.INTER_LINEAR)
            coarse = fine if blend.fine_outside else expanded
            if blend.fine.size:
                box = (blend.rows, blend.columns)
                cv2.blendLinear(fine[box], expanded[box], blend.fine, blend.coarse, dst=coarse[box])
        if coarse is not target:
            np.copyto(target, coarse)

    def _reduce(self, level: Plane, k: int) -> Plane:
        if len(self._reduced) == k:
            shape = (half_size(level.shape[0]), half_size(level.shape[1]))
            self._reduced.append(np.empty(shape, np.uint8))
            self._expanded.append(np.empty(shape, np.uint8))
        reduced = self._reduced[k]
        cv2.resize(level, _size(reduced), dst=reduced, interpolation=cv2.INTER_AREA)
        if k > 0:
            cv2.GaussianBlur(reduced, (3, 3), 0, dst=reduced)
        return reduced


def _size(plane: Plane) -> tuple[int, int]:
    return plane.shape[1], plane.shape[0]
