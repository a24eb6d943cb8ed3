"""Colours in limited-range YUV."""

from typing import Final, Literal

BLACK_LUMA: Final = 16
"""Black of limited-range luma (ITU-R BT.601)."""

NEUTRAL_CHROMA: Final = 128
"""Chroma of every grey."""

Colour = Literal["white", "amber", "red", "green", "cyan", "black"]
"""The colours that viewers can choose."""


def bt601_yuv(red: float, green: float, blue: float) -> tuple[int, int, int]:
    """Convert a colour to limited-range YUV by the matrix of ITU-R BT.601.

    Parameters
    ----------
    red, green, blue : float
        From 0 to 1.

    Returns
    -------
    tuple of int
        Y, U and V.
    """
    y = 16 + 65.481 * red + 128.553 * green + 24.966 * blue
    u = 128 - 37.797 * red - 74.203 * green + 112 * blue
    v = 128 + 112 * red - 93.786 * green - 18.214 * blue
    return round(y), round(u), round(v)


COLOURS: Final[dict[Colour, tuple[int, int, int]]] = {
    "white": bt601_yuv(1, 1, 1),
    "amber": bt601_yuv(1, 0.7, 0.1),
    "red": bt601_yuv(0.95, 0.2, 0.2),
    "green": bt601_yuv(0.25, 0.9, 0.4),
    "cyan": bt601_yuv(0.2, 0.85, 1),
    "black": bt601_yuv(0, 0, 0),
}
"""Y, U and V of each. Chosen by hand."""
