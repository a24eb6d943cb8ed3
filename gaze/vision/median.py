"""The median of a few numbers, in a fraction of the time that numpy's own checks take."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def median(values: ArrayLike) -> NDArray[np.float64]:
    """Return the median along the first axis of `values` (n, ...), n > 0, none of them nan."""
    ordered = np.sort(np.asarray(values), axis=0)
    return np.asarray((ordered[(len(ordered) - 1) // 2] + ordered[len(ordered) // 2]) / 2.0)
