"""Warp a square, perhaps rotated, crop of a picture into the input of the face's networks.

This replaces cv2.warpAffine together with the conversion to float: only the crop's bytes are read,
in one pass, and the result needs no copy. With it and `mesh_eyes` finding the face took 2.2 ms a
frame instead of 2.9 (docs/accuracy.md, "Cost of a frame"). As MediaPipe does by OpenCV, it
interpolates at steps of 1/32 pixel and rounds to whole grey levels.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.arrays import Float32Array, Image
from gaze.vision.kernels.jit import compiled

UInt32Array = NDArray[np.uint32]

# Unsigned, since an index that may be negative costs a comparison.
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)
_ZERO, _HALF, _ONE = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_CACHE_LINE_BYTES = 64
_STEPS = np.float32(32.0)  # OpenCV's INTER_TAB_SIZE


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """A square of a picture.

    Attributes
    ----------
    centre_px : complex
        Its centre, as x + iy.
    side_px : float
        Length of its sides.
    direction : complex
        Unit number along which its upper side runs, default 1 (not rotated).
    """

    centre_px: complex
    side_px: float
    direction: complex = 1.0 + 0.0j

    @classmethod
    def around(cls, low_px: complex, high_px: complex, direction: complex) -> "FaceCrop":
        """Return the crop around a bounding box, 1.5 times as large, as in MediaPipe's graph.

        Parameters
        ----------
        low_px, high_px : complex
            Corners of the box with the least and the greatest x and y, as x + iy.
        direction : complex
            Direction of the crop's upper side, of any length.

        Returns
        -------
        FaceCrop
        """
        size_px = high_px - low_px
        side_px = 1.5 * max(size_px.real, size_px.imag)
        return cls((low_px + high_px) / 2.0, side_px, direction / max(abs(direction), 1e-9))


def warp_face_crop(
    image: Image, crop: FaceCrop, output: Float32Array, white: float, zero_border: bool = False
) -> None:
    """Warp a crop of a picture into a network's input.

    A picture that is less than two pixels wide or high gives zeros.

    Parameters
    ----------
    image : Image, shape (h, w, 3)
    crop : FaceCrop
        What to take from it.
    output : Float32Array, shape (side, side, 3)
        Filled in.
    white : float
        What the grey level 255 becomes in the output; 0 stays 0.
    zero_border : bool, default False
        Whether everything beyond the picture is 0; otherwise its border is repeated.
    """
    if min(image.shape[:2]) < 2:
        output[:] = 0.0
        return
    side = len(output)
    step = crop.direction * crop.side_px / side
    corner = crop.centre_px - step * (1.0 + 1.0j) * side / 2.0
    _warp(np.ascontiguousarray(image), corner, step, white / 255.0, zero_border, output)


@compiled("void(f8, f8, i8, u4[::1], f4[::1], f4[::1])")
def _axis_weights(
    first: float,
    step: float,
    size: int,
    before: UInt32Array,
    weights: Float32Array,
    inside: Float32Array,
) -> None:
    """Find the pixel `before` each coordinate (n,) along one axis, and the weight of the next one.

    `inside` falls from 1 at the borders of the picture to 0 one pixel beyond them.
    """
    last = np.float32(size - 1)
    for number in range(len(before)):
        coordinate = np.float32(first) + np.float32(step) * np.float32(number)
        coordinate = np.floor(coordinate * _STEPS + _HALF) / _STEPS
        # The constants come first, so that NaN becomes 0.
        clamped = min(last, max(_ZERO, coordinate))
        pixel = min(np.int32(clamped), np.int32(size - 2))
        before[number] = np.uint32(pixel)
        weights[number] = clamped - np.float32(pixel)
        inside[number] = max(_ZERO, _ONE - abs(coordinate - clamped))


# Four bytes are copied by one instruction and three by three. So both functions below copy a byte
# too many, the next pixel's or the previous one's, and run in the direction that overwrites it.


@compiled("void(Array(u1, 1, 'C', True), u4[::1], u8, u1[::1])")
def _gather_left(flat: Image, starts: UInt32Array, skip: int, gathered: Image) -> None:
    """Copy the pixels that begin `skip` bytes after `starts` (n,); another pixel follows each."""
    for number in range(len(starts)):
        start = starts[number] + skip
        one, two, three = flat[start], flat[start + _1], flat[start + _2]
        beyond = flat[start + _3]
        to = np.uint64(3 * number)
        gathered[to], gathered[to + _1], gathered[to + _2] = one, two, three
        gathered[to + _3] = beyond


@compiled("void(Array(u1, 1, 'C', True), u4[::1], u8, u1[::1])")
def _gather_right(flat: Image, starts: UInt32Array, skip: int, gathered: Image) -> None:
    """Copy pixels before each of which there is another one; `gathered` has a byte in front."""
    for number in range(len(starts) - 1, -1, -1):
        start = starts[number] + skip
        before, one = flat[start - _1], flat[start]
        two, three = flat[start + _1], flat[start + _2]
        to = np.uint64(3 * number)
        gathered[to], gathered[to + _1] = before, one
        gathered[to + _2], gathered[to + _3] = two, three


@compiled("void(f4[::1], f4[::1])")
def _repeat_for_channels(values: Float32Array, channels: Float32Array) -> None:
    """Repeat values (n,) for the three channels of a pixel, (3 n,)."""
    for number in range(len(values)):
        for channel in range(3):
            channels[3 * number + channel] = values[number]


@compiled("void(u1[:,::1], f4[:,::1], f4[::1])")
def _interpolate(neighbours: Image, weights: Float32Array, output: Float32Array) -> None:
    """Interpolate (n,) between four neighbours.

    `weights` (3, n) are those of the right and of the lower ones, and the factor of the result.
    """
    for number in range(len(output)):
        right, bottom, factor = weights[0, number], weights[1, number], weights[2, number]
        first, third = np.float32(neighbours[0, number]), np.float32(neighbours[2, number])
        # Behind the byte in front.
        second = np.float32(neighbours[1, number + 1])
        fourth = np.float32(neighbours[3, number + 1])
        upper = first + right * (second - first)
        lower = third + right * (fourth - third)
        output[number] = np.floor(upper + bottom * (lower - upper) + _HALF) * factor


@compiled("i8(Array(u1, 3, 'C', True), c16, c16, i8)")
def _prefetch(image: Image, corner: complex, step: complex, side: int) -> int:
    """Read a byte of every cache line in the crop's bounding box.

    In sequence they arrive in the cache sooner than in the order of the rotated rows.
    """
    height, width, _ = image.shape
    reach = side * (abs(step.real) + abs(step.imag)) / 2.0
    centre = corner + step * complex(side / 2.0, side / 2.0)
    left = int(min(width - 1.0, max(0.0, centre.real - reach)))
    right = int(min(width - 1.0, max(0.0, centre.real + reach)))
    top = int(min(height - 1.0, max(0.0, centre.imag - reach)))
    bottom = int(min(height - 1.0, max(0.0, centre.imag + reach)))
    flat = image.reshape(-1)
    total = 0
    for row in range(top, bottom + 1):
        for at in range(3 * (row * width + left), 3 * (row * width + right), _CACHE_LINE_BYTES):
            total += flat[at]
    return total


@compiled("i8(Array(u1, 3, 'C', True), c16, c16, f4, b1, f4[:,:,::1])")
def _warp(
    image: Image,
    corner: complex,
    step: complex,
    scale: float,
    zero_border: bool,
    output: Float32Array,
) -> int:
    """Warp row by row.

    The returned number has no meaning: it keeps the compiler from removing `_prefetch`.
    """
    height, width, _ = image.shape
    flat, across, down = image.reshape(-1), 3, 3 * width
    side = len(output)
    left, top = np.empty(side, np.uint32), np.empty(side, np.uint32)
    starts, factor = np.empty(side, np.uint32), np.empty(side, np.float32)
    right, inside_x = np.empty(side, np.float32), np.empty(side, np.float32)
    bottom, inside_y = np.empty(side, np.float32), np.empty(side, np.float32)
    weights = np.empty((3, 3 * side), np.float32)
    # Upper left and right, lower left and right.
    neighbours = np.empty((4, 3 * side + 1), np.uint8)
    fetched = _prefetch(image, corner, step, side)
    for row in range(side):
        _axis_weights(corner.real - step.imag * row, step.real, width, left, right, inside_x)
        _axis_weights(corner.imag + step.real * row, step.imag, height, top, bottom, inside_y)
        for number in range(side):
            starts[number] = top[number] * down + left[number] * across
            inside = inside_x[number] * inside_y[number] if zero_border else _ONE
            factor[number] = inside * scale
        _gather_left(flat, starts, 0, neighbours[0])
        _gather_right(flat, starts, across, neighbours[1])
        _gather_left(flat, starts, down, neighbours[2])
        _gather_right(flat, starts, down + across, neighbours[3])
        _repeat_for_channels(right, weights[0])
        _repeat_for_channels(bottom, weights[1])
        _repeat_for_channels(factor, weights[2])
        _interpolate(neighbours, weights, output[row].reshape(-1))
    return fetched
