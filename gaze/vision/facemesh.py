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
_LIDS = 16  # so many of an eye's landmarks are its lids' edges
_CORNERS = ((0, 8), (8, 0))  # of each eye, among its landmarks, in the picture's direction

# The middles of the cells of an eye's features: 1, and how far across and down they are, in cells.
_MIDDLES = np.arange(_CUT) + 0.5
_CELLS = np.array([np.ones(_CUT**2), np.tile(_MIDDLES, _CUT), np.repeat(_MIDDLES, _CUT)]).T
_CELLS = _CELLS.astype(np.float32)
_STRIDES = np.array([1.0, _GRID], np.float32)
_NEAR = np.array([0, 1, _GRID, _GRID + 1])


class FaceMesh:
    """The network, ready to run. Not for several threads at once."""

    def __init__(self) -> None:
        self._face = Network(
            _FILE, ("input_1",), ("output_mesh", "p_re_lu_3", "conv_faceflag"), step=1 / 255
        )
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
        cut_square(image_rgb, square, self._face.inputs[0][0], cv2.BORDER_REPLICATE)
        mesh, features, face = self._face.run()
        if not face.item() > 0.0:
            return None
        points = np.empty((LANDMARKS, 3))
        points[:MESH] = mesh.reshape(MESH, 3)
        self._place_eyes(points, features)

        scale_px = square.side_px / _SIDE
        along = square.turn * scale_px
        corner = square.centre_px - along * (1.0 + 1.0j) * _SIDE / 2.0
        placed = points @ np.array(
            [[along.real, along.imag, 0.0], [-along.imag, along.real, 0.0], [0.0, 0.0, scale_px]]
        )
        placed += (corner.real, corner.imag, 0.0)
        return np.asarray(placed)

    def _place_eyes(self, points: Points, features: Tensor) -> None:
        """Place both eyes anew, and their irises; in pixels of the network's picture."""
        eyes = points.take(_EYES, axis=0)
        boxes = _boxes(eyes)
        cells = _CELLS @ (boxes * np.float32(_GRID / _SIDE))
        seen = _read(features, cells.reshape(-1, 2))
        for given, each in zip(self._eyes.inputs, seen.reshape(2, _CUT, _CUT, -1), strict=True):
            given[0] = each
        del given
        # In quarters of a cell.
        found = np.concatenate(self._eyes.run(), axis=1).reshape(2, -1, 2)
        again = found @ (boxes[:, 1:] * np.float32(0.25)) + boxes[:, :1]
        points[_EYES, :2] = again[:, :-IRIS]
        irises = points[MESH:].reshape(2, IRIS, 3)
        irises[:, :, :2] = again[:, -IRIS:]
        irises[:, :, 2] = eyes[:, :_LIDS, 2].sum(axis=1, keepdims=True) / _LIDS


def _boxes(eyes: Points) -> Tensor:
    """Return, of a box around each eye's landmarks (2, n, 3) that is level with its corners, the
    first corner, and the ways across one cell and down one, (2, 3, 2)."""
    turns = []
    for eye, (first, second) in zip(eyes, _CORNERS, strict=True):
        across = complex(*eye[second, :2].tolist()) - complex(*eye[first, :2].tolist())
        turns.append(across / max(abs(across), 1e-9))
    back = np.array([[[turn.real, turn.imag], [-turn.imag, turn.real]] for turn in turns])
    level = back @ eyes[:, :, :2].swapaxes(1, 2)
    lows, highs = level.min(axis=2).tolist(), level.max(axis=2).tolist()
    boxes = []
    for turn, low, high in zip(turns, lows, highs, strict=True):
        middle = (complex(*low) + complex(*high)) / 2.0
        size = _AROUND_EYE * (complex(*high) - complex(*low))
        cell = size / _CUT
        boxes += [turn * (middle - size / 2.0), turn * cell.real, turn * cell.imag * 1j]
    return np.array(boxes, np.complex64).view(np.float32).reshape(2, 3, 2)


def _read(grid: Tensor, places: Tensor) -> Tensor:
    """Return what the grid (1, 48, 48, c) holds at places (n, 2), between the middles of its cells,
    (n, c)."""
    at = np.minimum(np.maximum(places - 0.5, 0.0), _GRID - 1.001)
    cells = np.floor(at)
    right, down = (at - cells).T
    both = right * down
    shares = np.array([1.0 - right - down + both, right - both, down - both, both])
    near = (cells @ _STRIDES).astype(np.intp)[:, None] + _NEAR
    held = grid.reshape(_GRID**2, -1).take(near, axis=0)
    return np.asarray(np.einsum("pkc,kp->pc", held, shares))
