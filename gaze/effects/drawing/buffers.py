"""Memory for planes that is used again for every frame."""

import math

import numpy as np

from gaze.frames.planes import Plane


class PlaneBuffer:
    """Memory for one plane at a time; grows as needed, never shrinks."""

    def __init__(self) -> None:
        self._samples = np.empty(0, np.uint8)

    def plane(self, shape: tuple[int, ...]) -> Plane:
        """Return a plane of undefined content.

        Parameters
        ----------
        shape : tuple of int
            Rows and columns.

        Returns
        -------
        ndarray of uint8
            Contiguous; shares its memory with the plane returned before.
        """
        size = math.prod(shape)
        if self._samples.size < size:
            self._samples = np.empty(max(size, 2 * self._samples.size), np.uint8)
        return self._samples[:size].reshape(shape)
