"""Finds where a face is in a whole picture, for the face mesh to begin with.

This runs MediaPipe's short-range BlazeFace (Bazarevsky et al. 2019, "BlazeFace"), for faces within
about two metres.
"""

import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.networks import Network
from gaze.vision.kernels.face_crop import FaceCrop, Image, cut_square

Shares = NDArray[np.float64]

_SIDE = 128  # of the picture that the network sees
_ALIKE = 0.3  # overlap of boxes of one face


def _anchors() -> NDArray[np.complex128]:
    """The places (896,) from which the network measures: 2 in each cell of 16 x 16, 6 of 8 x 8."""
    places = []
    for cells, each in ((16, 2), (8, 6)):
        middles = (np.arange(cells) + 0.5) / cells
        places.append(np.repeat((middles + 1j * middles[:, None]).ravel(), each))
    return np.concatenate(places)


_ANCHORS = _anchors()


class FaceDetector:
    """The network, ready to run. Not for several threads at once."""

    def __init__(self) -> None:
        self._network = Network(
            "face_detection_short_range.tflite",
            ("input",),
            ("regressors", "classificators"),
        )

    def find(self, image_rgb: Image) -> FaceCrop | None:
        """Return the square around the surest face in a picture (h, w, 3); None where none is more
        likely than not."""
        height, width = image_rgb.shape[:2]
        whole = FaceCrop(complex(width, height) / 2.0, max(width, height))
        (given,) = self._network.inputs
        cut_square(image_rgb, whole, given[0], white=2.0, dark_beyond=True)
        given -= 1.0
        del given
        told, scores = self._network.run()
        likely = np.flatnonzero(scores[0, :, 0] >= 0.0)
        if len(likely) == 0:
            return None
        sure = 1.0 / (1.0 + np.exp(-scores[0, likely, 0].astype(np.float64)))
        # Box and landmarks: the middle, the size, the eyes, and what is not needed.
        middles, sizes, *eyes = (told[0, likely, :8] / _SIDE).copy().view(np.complex64).T
        middles = middles + _ANCHORS[likely]
        low, high = middles - sizes / 2.0, middles + sizes / 2.0
        weights = sure * (_overlaps(low, high, int(np.argmax(sure))) > _ALIKE)
        weights /= weights.sum()
        corner = whole.centre_px - whole.side_px * (0.5 + 0.5j)
        first, last = (corner + whole.side_px * complex(weights @ each) for each in (low, high))
        return FaceCrop.around(first, last, complex(weights @ (eyes[1] - eyes[0])))


def _overlaps(low: NDArray[np.complex128], high: NDArray[np.complex128], number: int) -> Shares:
    """Return intersection over union (n,) of boxes with one of them; corners as x + iy."""
    width, height = (
        np.clip(np.minimum(high_, high_[number]) - np.maximum(low_, low_[number]), 0.0, None)
        for low_, high_ in ((low.real, high.real), (low.imag, high.imag))
    )
    sizes = high - low
    areas = sizes.real * sizes.imag
    return np.asarray(width * height / (areas + areas[number] - width * height))
