"""Detect a face in a whole picture, for the face mesh to start from.

This runs MediaPipe's short-range BlazeFace (Bazarevsky et al. 2019, "BlazeFace"), for faces within
about two metres.
"""

import numpy as np

from gaze.vision.arrays import ComplexArray, FloatArray, Image
from gaze.vision.face.networks import Network
from gaze.vision.kernels.face_crop import FaceCrop, warp_face_crop

_INPUT_SIDE = 128  # of the picture that the network sees
# As in MediaPipe's graph: boxes that overlap by more are merged, by weighted non-maximum
# suppression.
_MIN_OVERLAP = 0.3


def _anchors() -> ComplexArray:
    """Return the points (896,), as x + iy, from which the network measures.

    There are 2 in each cell of 16 x 16 and 6 in each of 8 x 8.
    """
    points = []
    for cells, repeats in ((16, 2), (8, 6)):
        centres = (np.arange(cells) + 0.5) / cells
        points.append(np.repeat((centres + 1j * centres[:, None]).ravel(), repeats))
    return np.concatenate(points)


_ANCHORS = _anchors()


class FaceDetector:
    """The network, loaded. Not safe to use from several threads at once."""

    def __init__(self) -> None:
        self._network = Network(
            "face_detection_short_range.tflite",
            ("input",),
            ("regressors", "classificators"),
        )

    def find(self, image_rgb: Image) -> FaceCrop | None:
        """Return the crop around the most probable face of a picture.

        Parameters
        ----------
        image_rgb : Image, shape (h, w, 3)

        Returns
        -------
        FaceCrop or None
            None where no face has a probability of at least one half.
        """
        height, width = image_rgb.shape[:2]
        whole = FaceCrop(complex(width, height) / 2.0, max(width, height))
        (network_input,) = self._network.inputs
        warp_face_crop(image_rgb, whole, network_input[0], white=2.0, zero_border=True)
        network_input -= 1.0
        # A network cannot run while its tensors are held.
        del network_input
        regressors, scores = self._network.run()
        likely = np.flatnonzero(scores[0, :, 0] >= 0.0)
        if len(likely) == 0:
            return None
        probabilities = 1.0 / (1.0 + np.exp(-scores[0, likely, 0].astype(np.float64)))
        # Of a box and its landmarks: centre, size and eyes; the rest is not needed.
        centres, sizes, *eyes = (
            (regressors[0, likely, :8] / _INPUT_SIDE).copy().view(np.complex64).T
        )
        centres = centres + _ANCHORS[likely]
        low, high = centres - sizes / 2.0, centres + sizes / 2.0
        best = int(np.argmax(probabilities))
        weights = probabilities * (_overlaps(low, high, best) > _MIN_OVERLAP)
        weights /= weights.sum()
        corner = whole.centre_px - whole.side_px * (0.5 + 0.5j)
        first, last = (corner + whole.side_px * complex(weights @ each) for each in (low, high))
        return FaceCrop.around(first, last, complex(weights @ (eyes[1] - eyes[0])))


def _overlaps(low: ComplexArray, high: ComplexArray, number: int) -> FloatArray:
    """Return the intersection over union (n,) of boxes with one of them; corners as x + iy."""
    width, height = (
        np.clip(np.minimum(high_, high_[number]) - np.maximum(low_, low_[number]), 0.0, None)
        for low_, high_ in ((low.real, high.real), (low.imag, high.imag))
    )
    sizes = high - low
    areas = sizes.real * sizes.imag
    return np.asarray(width * height / (areas + areas[number] - width * height))
