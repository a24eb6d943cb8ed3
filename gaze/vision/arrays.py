"""Name the array types that the vision code passes around; docstrings give shapes and units."""

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
Float32Array = NDArray[np.float32]
ComplexArray = NDArray[np.complex128]
"""Points and directions in a picture as x + iy."""
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]
Image = NDArray[np.uint8]
"""RGB, shape (height, width, 3)."""
GreyImage = NDArray[np.uint8]
"""Shape (height, width)."""
