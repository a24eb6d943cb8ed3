"""Frame numbers drawn into a film as black and white cells that survive codecs and blur.

16 bits of the number and 8 check bits are 24 cells over the whole width at the top of the picture.
Cells are fractions of the picture, so that the strip can be read at whatever size it arrives.
"""

import av
import numpy as np
import numpy.typing as npt

BITS, CHECK_BITS = 16, 8
CELLS = BITS + CHECK_BITS
HEIGHT = 1 / 12  # of the picture
NUMBERS = 1 << BITS
CONTRAST_GREY = 60  # least difference between the darkest and the brightest cell

Plane = npt.NDArray[np.uint8]


def _check(number: int) -> int:
    """Return the CRC-8 (polynomial 0x07) of the two bytes, some bits inverted."""
    remainder = number << 8
    for bit in range(BITS - 1, -1, -1):
        if remainder >> (bit + 8) & 1:
            remainder ^= 0x107 << bit
    return (remainder & 0xFF) ^ 0xA5  # so that no number is a strip of one colour


def _bits(number: int) -> npt.NDArray[np.bool_]:
    code = number << CHECK_BITS | _check(number)
    return np.array([code >> (CELLS - 1 - i) & 1 for i in range(CELLS)], bool)


def write(luma: Plane, number: int) -> None:
    """Draw a number modulo `NUMBERS` into a luma plane, in place.

    Parameters
    ----------
    luma : ndarray, shape (height, width), uint8
        Luma.
    number : int
        The number.
    """
    height, width = luma.shape
    cells = np.where(_bits(number % NUMBERS), 235, 16).astype(np.uint8)
    luma[: round(height * HEIGHT)] = cells[np.arange(width) * CELLS // width]


def read(luma: Plane) -> int | None:
    """Read the number from a luma plane.

    Parameters
    ----------
    luma : ndarray, shape (height, width), uint8
        Luma.

    Returns
    -------
    int or None
        None if there is no strip or its check fails.
    """
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
    return decode(code) if means.max() - means.min() > CONTRAST_GREY else None


def decode(code: int) -> int | None:
    """Check the cells' bits.

    Parameters
    ----------
    code : int
        The bits, the leftmost cell the most significant.

    Returns
    -------
    int or None
        The number; None if the check fails.
    """
    number = code >> CHECK_BITS
    return number if code & 0xFF == _check(number) else None


def luma_of(frame: av.VideoFrame) -> Plane:
    """Return the luma plane of a frame, a view.

    Parameters
    ----------
    frame : av.VideoFrame
        yuv420p.

    Returns
    -------
    ndarray, shape (height, width), uint8
        Luma.
    """
    plane = frame.planes[0]
    rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
    return rows[: frame.height, : frame.width]
