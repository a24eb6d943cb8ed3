"""The face mesh: 478 landmarks of the face in one square of a picture.

This runs the network of MediaPipe's FaceMesh with refined eyes and irises (Grishchenko et al. 2020,
"Attention Mesh"). Between a first part, which places the whole face, and a second, which places
each eye anew, that network cuts the eyes out of its own features; this is done here. Its third
part, the lips, is left out: nothing here looks at them.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.networks import Network, Tensor
from gaze.vision.square import Image, Square, cut_square

Points = NDArray[np.float64]

MESH, IRIS = 468, 5
LANDMARKS = MESH + 2 * IRIS

_FILE = "face_landmark/face_landmark_with_attention.tflite"
_SIDE = 192  # of the picture that the network sees
_GRID = 48  # of its features: a cell is 4 pixels wide
_CUT = 16  # of an eye's features
_AROUND_EYE = 1.5

# Which landmarks the second part places, in its order: contours of the lids, then ever farther
# from them, as of the lower and the upper side; last the brow.
_RIGHT = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    *(130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190),
    *(226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189),
    *(35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245),
    *(156, 70, 63, 105, 66, 107, 55, 193),
)
_LEFT = (
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
    *(359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414),
    *(446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413),
    *(265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465),
    *(383, 300, 293, 334, 296, 336, 285, 417),
)
_EYES = np.array([_RIGHT, _LEFT])
_LIDS = _EYES[:, :16]
_LEVEL = np.array([[33, 133], [362, 263]])  # each eye's corners, in the picture's direction

# The middles of the cells of an eye's features, from their middle, in their widths and heights.
_OFFSETS = (np.arange(_CUT) + 0.5) / _CUT - 0.5
_ACROSS, _DOWN = np.tile(_OFFSETS, _CUT), np.repeat(_OFFSETS, _CUT)
_NEAR = np.array([0, 1, _GRID, _GRID + 1])


class FaceMesh:
    """The network, ready to run. Not for several threads at once."""

    def __init__(self) -> None:
        self._face = Network(_FILE, ("input_1",), ("output_mesh", "p_re_lu_3", "conv_faceflag"))
        self._eyes = Network(
            _FILE,
            ("transform_tensor_bilinear_v2_1", "transform_tensor_bilinear_v2_2"),
            ("reshape_3", "reshape_4", "reshape_6", "reshape_7"),
        )

    def find(self, image_rgb: Image, square: Square) -> Points | None:
        """Return the landmarks (478, 3) of the face in the square of a picture (h, w, 3).

        Pixels of the picture, z in the same scale, smaller nearer to the camera. None where the
        square holds no face.
        """
        seen = cut_square(image_rgb, square, _SIDE, cv2.BORDER_REPLICATE)
        mesh, features, face = self._face(np.multiply(seen, np.float32(1 / 255))[None])
        if not face.item() > 0.0 or not np.isfinite(mesh).all():
            return None
        mesh = mesh.reshape(MESH, 3)
        places = np.empty(LANDMARKS, np.complex128)
        places[:MESH] = mesh[:, :2].copy().view(np.complex64)[:, 0]
        self._place_eyes(places, features)

        scale_px = square.side_px / _SIDE
        middle = _SIDE / 2.0 * (1.0 + 1.0j)
        placed = square.centre_px + square.turn * scale_px * (places - middle)
        points = np.empty((LANDMARKS, 3))
        points[:, 0], points[:, 1] = placed.real, placed.imag
        points[:MESH, 2] = mesh[:, 2]
        points[MESH:, 2] = np.repeat(mesh[_LIDS, 2].mean(axis=1), IRIS)
        points[:, 2] *= scale_px
        return points

    def _place_eyes(self, places: NDArray[np.complex128], features: Tensor) -> None:
        """Place both eyes anew, and their irises; in pixels of the network's picture."""
        across = places[_LEVEL[:, 1]] - places[_LEVEL[:, 0]]
        turns = (across / np.maximum(np.abs(across), 1e-9))[:, None]
        level = places[_EYES] * turns.conj()
        low = level.real.min(axis=1) + 1j * level.imag.min(axis=1)
        high = level.real.max(axis=1) + 1j * level.imag.max(axis=1)
        centres = (low + high)[:, None] / 2.0 * turns
        size = _AROUND_EYE * (high - low)[:, None]

        def placed(x: Points, y: Points) -> NDArray[np.complex128]:
            """Where places are that are given from the eyes' middles in their widths, heights."""
            return np.asarray(centres + turns * (size.real * x + 1j * size.imag * y))

        cells = placed(_ACROSS, _DOWN) * (_GRID / _SIDE) - (0.5 + 0.5j)
        right, left = _read(features[0], cells).reshape(2, 1, _CUT, _CUT, -1)
        found = self._eyes(right, left)
        # In quarters of a cell of an eye's features.
        eyes = np.concatenate(found, axis=1).reshape(2, -1, 2) / (4.0 * _CUT) - 0.5
        again = placed(eyes[:, :, 0], eyes[:, :, 1])
        places[_EYES] = again[:, :-IRIS]
        places[MESH:] = again[:, -IRIS:].ravel()


def _read(grid: Tensor, places: NDArray[np.complex128]) -> Tensor:
    """Return what the grid (48, 48, c) holds at places (n, m) between its cells, (n * m, c)."""
    at = np.clip(places.view(np.float64).reshape(-1, 2), 0.0, _GRID - 1.001)
    cells = at.astype(np.intp)
    right, down = (at - cells).T
    left, up = 1.0 - right, 1.0 - down
    shares = np.stack([left * up, right * up, left * down, right * down]).astype(np.float32)
    near = (cells @ (1, _GRID))[:, None] + _NEAR
    held = grid.reshape(_GRID**2, -1).take(near, axis=0)
    return np.asarray(np.einsum("pkc,kp->pc", held, shares))
