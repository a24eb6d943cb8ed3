"""The face mesh: 478 landmarks of the face in one square of a picture.

This runs the network of MediaPipe's FaceMesh with refined eyes and irises (Grishchenko et al. 2020,
"Attention Mesh"). Between a first part, which places the whole face, and a second, which places
each eye anew, that network cuts the eyes out of its own features; this is done here. Its third
part, the lips, is left out: nothing here looks at them.
"""

import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.networks import Network, Tensor
from gaze.vision.kernels.face_crop import FaceCrop, Image, cut_square
from gaze.vision.kernels.jit import compiled

Points = NDArray[np.float64]
Boxes = NDArray[np.complex128]

MESH, IRIS = 468, 5
LANDMARKS = MESH + 2 * IRIS

_FILE = "face_landmark_with_attention.tflite"
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
_CORNERS = np.array([(33, 133), (362, 263)])  # of each eye, in the picture's direction


class FaceMesh:
    """The network, ready to run. Not for several threads at once."""

    def __init__(self) -> None:
        self._face = Network(_FILE, ("input_1",), ("output_mesh", "p_re_lu_3", "conv_faceflag"))
        self._eyes = Network(
            _FILE,
            ("transform_tensor_bilinear_v2_1", "transform_tensor_bilinear_v2_2"),
            ("reshape_3", "reshape_4", "reshape_6", "reshape_7"),
        )

    def find(self, image_rgb: Image, square: FaceCrop) -> Points | None:
        """Return the landmarks (478, 3) of the face in the square of a picture (h, w, 3).

        Pixels of the picture, z in the same scale, smaller nearer to the camera. None where the
        square holds no face.
        """
        cut_square(image_rgb, square, self._face.inputs[0][0], white=1.0)
        mesh, features, face = self._face.run()
        if not face.item() > 0.0:
            return None
        points = np.empty((LANDMARKS, 3))
        points[:MESH] = mesh.reshape(MESH, 3)
        boxes = np.empty((2, 3), np.complex128)
        _find_boxes(points, boxes)
        for box, given in zip(boxes, self._eyes.inputs, strict=True):
            _read(features[0], box, given[0])
        del given
        right, right_iris, left, left_iris = self._eyes.run()
        _place_eye(points, 0, boxes[0], right[0], right_iris[0])
        _place_eye(points, 1, boxes[1], left[0], left_iris[0])
        along = square.turn * square.side_px / _SIDE
        _to_picture(points, square.centre_px - along * (1.0 + 1.0j) * _SIDE / 2.0, along)
        return points


@compiled("void(f8[:,::1], c16[:,::1])")
def _find_boxes(points: Points, boxes: Boxes) -> None:
    """Find the box around each eye's landmarks that is level with its corners.

    `boxes` (2, 3) become its first corner, and the ways across one cell of an eye's features and
    down one.
    """
    for eye in range(2):
        first, second = points[_CORNERS[eye, 0]], points[_CORNERS[eye, 1]]
        across = complex(second[0] - first[0], second[1] - first[1])
        turn = across / max(abs(across), 1e-9)
        low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
        for number in _EYES[eye]:
            level = turn.conjugate() * complex(points[number, 0], points[number, 1])
            low_x, high_x = min(low_x, level.real), max(high_x, level.real)
            low_y, high_y = min(low_y, level.imag), max(high_y, level.imag)
        low, high = complex(low_x, low_y), complex(high_x, high_y)
        size = _AROUND_EYE * (high - low)
        boxes[eye, 0] = turn * ((low + high) / 2.0 - size / 2.0)
        boxes[eye, 1] = turn * (size.real / _CUT)
        boxes[eye, 2] = turn * complex(0.0, size.imag / _CUT)


@compiled("void(f4[:,:,::1], c16[::1], f4[:,:,::1])")
def _read(features: Tensor, box: Boxes, eye: Tensor) -> None:
    """Read an eye's features (16, 16, c) in its box (3,) of the face's (48, 48, c), between the
    middles of their cells."""
    corner, across, down = box[0], box[1], box[2]
    for row in range(_CUT):
        for column in range(_CUT):
            at = corner + (column + 0.5) * across + (row + 0.5) * down
            # The constants come first, so that what is no number becomes 0.
            x = min(_GRID - 1.001, max(0.0, at.real * (_GRID / _SIDE) - 0.5))
            y = min(_GRID - 1.001, max(0.0, at.imag * (_GRID / _SIDE) - 0.5))
            left, top = int(x), int(y)
            right, low = np.float32(x - left), np.float32(y - top)
            one, two = features[top, left], features[top, left + 1]
            three, four = features[top + 1, left], features[top + 1, left + 1]
            read = eye[row, column]
            for number in range(len(read)):
                upper = one[number] + right * (two[number] - one[number])
                lower = three[number] + right * (four[number] - three[number])
                read[number] = upper + low * (lower - upper)


@compiled("void(f8[:,::1], i8, c16[::1], f4[:,::1], f4[:,::1])")
def _place_eye(points: Points, eye: int, box: Boxes, placed: Tensor, iris: Tensor) -> None:
    """Place an eye anew (71, 2), and its iris (5, 2), both told in quarters of its box's cells."""
    across, down = box[1] / 4.0, box[2] / 4.0
    depth = 0.0
    for number in range(len(placed)):
        point = points[_EYES[eye, number]]
        at = box[0] + placed[number, 0] * across + placed[number, 1] * down
        point[0], point[1] = at.real, at.imag
        if number < _LIDS:
            depth += point[2] / _LIDS
    for number in range(IRIS):
        point = points[MESH + eye * IRIS + number]
        at = box[0] + iris[number, 0] * across + iris[number, 1] * down
        point[0], point[1], point[2] = at.real, at.imag, depth


@compiled("void(f8[:,::1], c16, c16)")
def _to_picture(points: Points, corner: complex, along: complex) -> None:
    """Turn landmarks from the network's picture to that in which it has its `corner`, and the way
    `along` across one of its pixels."""
    scale = abs(along)
    for number in range(len(points)):
        point = points[number]
        at = corner + along * complex(point[0], point[1])
        point[0], point[1], point[2] = at.real, at.imag, point[2] * scale
