"""Do what MediaPipe does between the two parts of its attention mesh.

The first part places the whole face, the second refines each eye from the first one's features
around it. These kernels replace MediaPipe's private operations of TensorFlow Lite ("transform
tensor bilinear" and those that make its matrices), which LiteRT lacks. With them and `face_crop`
finding the face took 2.2 ms a frame instead of 2.9 (docs/accuracy.md, "Cost of a frame").

Points and directions in a picture are complex numbers, x + iy.
"""

import numpy as np

from gaze.vision.arrays import ComplexArray, Float32Array, FloatArray, IntArray
from gaze.vision.kernels.jit import compiled

INPUT_SIDE = 192
"""Width and height in pixels of the picture that the first part sees."""
FEATURE_SIDE = 48
"""Width and height in cells of its features."""
EYE_SIDE = 16
"""Width and height in cells of the features around one eye."""
# As in MediaPipe's network: 1.5 times the bounding box of an eye.
_BOX_SCALE = 1.5
# The first landmarks of the second part are the edges of the lids.
_LID_LANDMARKS = 16


@compiled("void(f8[:,::1], i8[:,::1], i8[:,::1], c16[:,::1])")
def find_eye_boxes(
    points: FloatArray, eyes: IntArray, corners: IntArray, boxes: ComplexArray
) -> None:
    """Find the box around each eye that is level with the eye's corners.

    Parameters
    ----------
    points : FloatArray, shape (n, 3)
        Landmarks in pixels of the network's input.
    eyes : IntArray, shape (2, k)
        Which landmarks an eye's box surrounds.
    corners : IntArray, shape (2, 2)
        The landmarks of each eye's corners, from left to right in the image.
    boxes : ComplexArray, shape (2, 3)
        Filled in: each box's first corner, and the directions across and down one of its cells.
    """
    for eye in range(2):
        first, second = points[corners[eye, 0]], points[corners[eye, 1]]
        across = complex(second[0] - first[0], second[1] - first[1])
        direction = across / max(abs(across), 1e-9)
        low_x, low_y, high_x, high_y = np.inf, np.inf, -np.inf, -np.inf
        for number in eyes[eye]:
            level = direction.conjugate() * complex(points[number, 0], points[number, 1])
            low_x, high_x = min(low_x, level.real), max(high_x, level.real)
            low_y, high_y = min(low_y, level.imag), max(high_y, level.imag)
        low, high = complex(low_x, low_y), complex(high_x, high_y)
        size = _BOX_SCALE * (high - low)
        boxes[eye, 0] = direction * ((low + high) / 2.0 - size / 2.0)
        boxes[eye, 1] = direction * (size.real / EYE_SIDE)
        boxes[eye, 2] = direction * complex(0.0, size.imag / EYE_SIDE)


@compiled("void(f4[:,:,::1], c16[::1], f4[:,:,::1])")
def sample_eye_features(features: Float32Array, box: ComplexArray, eye: Float32Array) -> None:
    """Sample the face's features in an eye's box, by bilinear interpolation.

    Parameters
    ----------
    features : Float32Array, shape (48, 48, c)
    box : ComplexArray, shape (3,)
        As of `find_eye_boxes`.
    eye : Float32Array, shape (16, 16, c)
        Filled in.
    """
    corner, across, down = box[0], box[1], box[2]
    for row in range(EYE_SIDE):
        for column in range(EYE_SIDE):
            at = corner + (column + 0.5) * across + (row + 0.5) * down
            # The constants come first, so that NaN becomes 0.
            x = min(FEATURE_SIDE - 1.001, max(0.0, at.real * (FEATURE_SIDE / INPUT_SIDE) - 0.5))
            y = min(FEATURE_SIDE - 1.001, max(0.0, at.imag * (FEATURE_SIDE / INPUT_SIDE) - 0.5))
            left, top = int(x), int(y)
            right, bottom = np.float32(x - left), np.float32(y - top)
            one, two = features[top, left], features[top, left + 1]
            three, four = features[top + 1, left], features[top + 1, left + 1]
            sampled = eye[row, column]
            for number in range(len(sampled)):
                upper = one[number] + right * (two[number] - one[number])
                lower = three[number] + right * (four[number] - three[number])
                sampled[number] = upper + bottom * (lower - upper)


@compiled("void(f8[:,::1], i8[::1], i8, c16[::1], f4[:,::1], f4[:,::1])")
def place_eye(
    points: FloatArray,
    eye: IntArray,
    first_iris: int,
    box: ComplexArray,
    refined: Float32Array,
    iris: Float32Array,
) -> None:
    """Replace an eye's landmarks by those of the second part, and add its iris.

    The irises get the mean depth of the lids' edges.

    Parameters
    ----------
    points : FloatArray, shape (478, 3)
        Landmarks in pixels of the network's input, changed in place.
    eye : IntArray, shape (k,)
        The landmarks that the second part places, in its order.
    first_iris : int
        The first landmark of the iris.
    box : ComplexArray, shape (3,)
        As of `find_eye_boxes`.
    refined, iris : Float32Array, shape (k, 2) and (5, 2)
        The second part's outputs, in quarters of the box's cells.
    """
    across, down = box[1] / 4.0, box[2] / 4.0
    depth = 0.0
    for number in range(len(refined)):
        point = points[eye[number]]
        at = box[0] + refined[number, 0] * across + refined[number, 1] * down
        point[0], point[1] = at.real, at.imag
        if number < _LID_LANDMARKS:
            depth += point[2] / _LID_LANDMARKS
    for number in range(len(iris)):
        point = points[first_iris + number]
        at = box[0] + iris[number, 0] * across + iris[number, 1] * down
        point[0], point[1], point[2] = at.real, at.imag, depth


@compiled("void(f8[:,::1], c16, c16)")
def transform_points(points: FloatArray, origin: complex, step: complex) -> None:
    """Transform landmarks from the network's input to the picture that it was cropped from.

    Parameters
    ----------
    points : FloatArray, shape (n, 3)
        Changed in place; z is scaled alike.
    origin : complex
        The input's first corner in the picture.
    step : complex
        The step in the picture across one pixel of the input.
    """
    scale = abs(step)
    for number in range(len(points)):
        point = points[number]
        at = origin + step * complex(point[0], point[1])
        point[0], point[1], point[2] = at.real, at.imag, point[2] * scale
