"""A square in a picture, perhaps turned: what the face's networks look at."""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.kernels.jit import compiled

Image = NDArray[np.uint8]
Shares = NDArray[np.float32]
Starts = NDArray[np.uint32]

# Unsigned, since an index that may be negative costs a comparison.
_1, _2, _3 = np.uint64(1), np.uint64(2), np.uint64(3)
_NONE, _HALF, _ALL = np.float32(0.0), np.float32(0.5), np.float32(1.0)
_LINE_BYTES = 64  # of the processor's cache
# MediaPipe's pictures are read at whole steps of a pixel and in whole grey levels, by OpenCV.
_STEPS = np.float32(32.0)


@dataclass(frozen=True, slots=True)
class FaceCrop:
    """Its middle `centre_px`, as x + iy, its `side_px`, and `turn`, the unit number toward which
    its upper side runs."""

    centre_px: complex
    side_px: float
    turn: complex = 1.0 + 0.0j

    @classmethod
    def around(cls, low_px: complex, high_px: complex, across: complex) -> "FaceCrop":
        """The square around a box, 1.5 times as large and turned along `across`."""
        size_px = high_px - low_px
        side_px = 1.5 * max(size_px.real, size_px.imag)
        return cls((low_px + high_px) / 2.0, side_px, across / max(abs(across), 1e-9))


def cut_square(
    image: Image, square: FaceCrop, seen: Shares, white: float, dark_beyond: bool = False
) -> None:
    """Draw the square of a picture (h, w, 3) as `seen` (side, side, 3), from 0 to `white`.

    Beyond the picture's edges all is 0 where it is `dark_beyond`, and else as it is at the edge.
    What is less than two pixels wide or high shows nothing.
    """
    if min(image.shape[:2]) < 2:
        seen[:] = 0.0
        return
    side = len(seen)
    step = square.turn * square.side_px / side
    corner = square.centre_px - step * (1.0 + 1.0j) * side / 2.0
    _draw(np.ascontiguousarray(image), corner, step, white / 255.0, dark_beyond, seen)


@compiled("void(f8, f8, i8, u4[::1], f4[::1], f4[::1])")
def _along(
    first: float, step: float, size: int, before: Starts, shares: Shares, inside: Shares
) -> None:
    """Say of places (n,) along one axis of a picture which pixel is `before` each, and which share
    the next has in it; `inside` falls from 1 at the edges to 0 one pixel beyond them."""
    last = np.float32(size - 1)
    for number in range(len(before)):
        place = np.float32(first) + np.float32(step) * np.float32(number)
        place = np.floor(place * _STEPS + _HALF) / _STEPS
        # The constants come first, so that what is no number becomes 0.
        held = min(last, max(_NONE, place))
        pixel = min(np.int32(held), np.int32(size - 2))
        before[number] = np.uint32(pixel)
        shares[number] = held - np.float32(pixel)
        inside[number] = max(_NONE, _ALL - abs(place - held))


# Four bytes are one step of the processor and three are three. So both of these copy a byte too
# many, the next pixel's or the one's before, and go the way in which it is overwritten.


@compiled("void(Array(u1, 1, 'C', True), u4[::1], u8, u1[::1])")
def _take_left(flat: Image, starts: Starts, skip: int, taken: Image) -> None:
    """Copy the pixels that begin `skip` bytes after `starts` (n,); another pixel follows each."""
    for number in range(len(starts)):
        start = starts[number] + skip
        one, two, three = flat[start], flat[start + _1], flat[start + _2]
        beyond = flat[start + _3]
        to = np.uint64(3 * number)
        taken[to], taken[to + _1], taken[to + _2], taken[to + _3] = one, two, three, beyond


@compiled("void(Array(u1, 1, 'C', True), u4[::1], u8, u1[::1])")
def _take_right(flat: Image, starts: Starts, skip: int, taken: Image) -> None:
    """The same for pixels before each of which there is another; `taken` has a byte in front."""
    for number in range(len(starts) - 1, -1, -1):
        start = starts[number] + skip
        before, one = flat[start - _1], flat[start]
        two, three = flat[start + _1], flat[start + _2]
        to = np.uint64(3 * number)
        taken[to], taken[to + _1], taken[to + _2], taken[to + _3] = before, one, two, three


@compiled("void(f4[::1], f4[::1])")
def _for_channels(each: Shares, channels: Shares) -> None:
    """Repeat values (n,) for the three channels of a pixel, (3 n,)."""
    for number in range(len(each)):
        for channel in range(3):
            channels[3 * number + channel] = each[number]


@compiled("void(u1[:,::1], f4[:,::1], f4[::1])")
def _blend(around: Image, shares: Shares, drawn: Shares) -> None:
    """Draw (n,) what is between the pixels `around`; `shares` (3, n) are those of the right and the
    lower ones, and of what is drawn at all."""
    for number in range(len(drawn)):
        right, low, shown = shares[0, number], shares[1, number], shares[2, number]
        first, third = np.float32(around[0, number]), np.float32(around[2, number])
        # Behind the byte in front.
        second, fourth = np.float32(around[1, number + 1]), np.float32(around[3, number + 1])
        upper = first + right * (second - first)
        lower = third + right * (fourth - third)
        drawn[number] = np.floor(upper + low * (lower - upper) + _HALF) * shown


@compiled("i8(Array(u1, 3, 'C', True), c16, c16, i8)")
def _fetch(image: Image, corner: complex, step: complex, side: int) -> int:
    """Read a byte of every stretch of memory that the square's box holds: all at once it comes
    into the cache sooner than as it is drawn."""
    height, width, _ = image.shape
    reach = side * (abs(step.real) + abs(step.imag)) / 2.0
    middle = corner + step * complex(side / 2.0, side / 2.0)
    left = int(min(width - 1.0, max(0.0, middle.real - reach)))
    right = int(min(width - 1.0, max(0.0, middle.real + reach)))
    top = int(min(height - 1.0, max(0.0, middle.imag - reach)))
    low = int(min(height - 1.0, max(0.0, middle.imag + reach)))
    flat = image.reshape(-1)
    total = 0
    for row in range(top, low + 1):
        for at in range(3 * (row * width + left), 3 * (row * width + right), _LINE_BYTES):
            total += flat[at]
    return total


@compiled("i8(Array(u1, 3, 'C', True), c16, c16, f4, b1, f4[:,:,::1])")
def _draw(
    image: Image, corner: complex, step: complex, scale: float, dark_beyond: bool, seen: Shares
) -> int:
    """Draw row by row: where its pixels are, what is around them, and what is between.

    What is returned means nothing: it keeps the compiler from leaving the fetching out.
    """
    height, width, _ = image.shape
    flat, across, down = image.reshape(-1), 3, 3 * width
    side = len(seen)
    left, top = np.empty(side, np.uint32), np.empty(side, np.uint32)
    starts, shown = np.empty(side, np.uint32), np.empty(side, np.float32)
    right, inside_x = np.empty(side, np.float32), np.empty(side, np.float32)
    low, inside_y = np.empty(side, np.float32), np.empty(side, np.float32)
    shares = np.empty((3, 3 * side), np.float32)
    # Left and right, and left and right below.
    around = np.empty((4, 3 * side + 1), np.uint8)
    fetched = _fetch(image, corner, step, side)
    for row in range(side):
        _along(corner.real - step.imag * row, step.real, width, left, right, inside_x)
        _along(corner.imag + step.real * row, step.imag, height, top, low, inside_y)
        for number in range(side):
            starts[number] = top[number] * down + left[number] * across
            share = inside_x[number] * inside_y[number] if dark_beyond else _ALL
            shown[number] = share * scale
        _take_left(flat, starts, 0, around[0])
        _take_right(flat, starts, across, around[1])
        _take_left(flat, starts, down, around[2])
        _take_right(flat, starts, down + across, around[3])
        _for_channels(right, shares[0])
        _for_channels(low, shares[1])
        _for_channels(shown, shares[2])
        _blend(around, shares, seen[row].reshape(-1))
    return fetched
