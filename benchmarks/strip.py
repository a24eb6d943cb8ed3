"""A number written into a film as a strip of black and white cells that survives codecs and blur.

16 bits of the number and 8 bits of a check, as 24 cells over the whole width at the top of the
picture. Cells are fractions of the picture, so the strip can be read at whatever size it arrives.
"""

import av
import numpy as np
import numpy.typing as npt

BITS, CHECK_BITS = 16, 8
CELLS = BITS + CHECK_BITS
HEIGHT = 1 / 12  # of the picture
NUMBERS = 1 << BITS

Plane = npt.NDArray[np.uint8]


def _check(number: int) -> int:
    """CRC-8 (polynomial 0x07) of the two bytes, turned over in part."""
    rest = number << 8
    for bit in range(BITS - 1, -1, -1):
        if rest >> (bit + 8) & 1:
            rest ^= 0x107 << bit
    return (rest & 0xFF) ^ 0xA5  # so that no number is a strip of one colour


def _bits(number: int) -> npt.NDArray[np.bool_]:
    code = number << CHECK_BITS | _check(number)
    return np.array([code >> (CELLS - 1 - i) & 1 for i in range(CELLS)], bool)


def write(luma: Plane, number: int) -> None:
    """Draw a number modulo `NUMBERS` into a luma plane (height, width), in place."""
    height, width = luma.shape
    cells = np.where(_bits(number % NUMBERS), 235, 16).astype(np.uint8)
    luma[: round(height * HEIGHT)] = cells[np.arange(width) * CELLS // width]


def read(luma: Plane) -> int | None:
    """The number in a luma plane (height, width), None where there is none or it is damaged."""
    height, width = luma.shape
    rows = luma[round(height * HEIGHT * 0.3) : max(1, round(height * HEIGHT * 0.7))]
    edges = np.linspace(0, width, CELLS + 1)
    inner = (edges[1:] - edges[:-1]) * 0.3
    means = np.array(
        [
            rows[:, int(left + pad) : max(int(left + pad) + 1, int(right - pad))].mean()
            for left, right, pad in zip(edges[:-1], edges[1:], inner, strict=True)
        ]
    )
    code = sum(int(bit) << (CELLS - 1 - i) for i, bit in enumerate(means > 128))
    return decode(code) if means.max() - means.min() > 60 else None


def decode(code: int) -> int | None:
    """The number in the cells' bits, the leftmost the highest; None where the check fails."""
    number = code >> CHECK_BITS
    return number if code & 0xFF == _check(number) else None


def luma_of(frame: av.VideoFrame) -> Plane:
    """The luma plane of a yuv420p frame, (height, width); a view."""
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]
