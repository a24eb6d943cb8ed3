"""Take the median of a few numbers, in a fraction of the time that numpy.median's checks take."""

import numpy as np
from numpy.typing import ArrayLike

from gaze.vision.arrays import FloatArray


def median(values: ArrayLike) -> FloatArray:
    """Return the median along the first axis.

    Parameters
    ----------
    values : array_like, shape (n, ...)
        At least one, none of them NaN.

    Returns
    -------
    FloatArray, shape (...)
    """
    ordered = np.sort(np.asarray(values), axis=0)
    return np.asarray((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2.0)
