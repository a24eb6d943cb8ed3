"""The face that all simulated viewers have: scikit-image's public-domain portrait."""

import numpy as np
from numpy.typing import NDArray
from skimage import data


def portrait_rgb() -> NDArray[np.uint8]:
    """Return `skimage.data.astronaut()`, RGB of shape (512, 512, 3)."""
    image: NDArray[np.uint8] = data.astronaut()
    return image
