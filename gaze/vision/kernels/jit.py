"""Turns functions of numbers and arrays into machine code (Numba).

Their signatures are given, so all is compiled while a module is imported, and never while somebody
watches. The outcome is kept beside the source files; what it calls from another file is part of it,
and no reason to compile it anew when only that file changes.
"""

import math
from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Grey = NDArray[np.uint8]

P = ParamSpec("P")
R = TypeVar("R")

# Sums may be done in any order, several terms at once.
_FAST = {"reassoc", "contract", "nsz"}


def compiled(signature: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile for a signature as Numba writes it: `f8(u1[:,:], f8[::1])`.

    There are no checks of bounds, and dividing by zero gives infinity.
    """

    def compile_it(function: Callable[P, R]) -> Callable[P, R]:
        def kept(keep: bool) -> Callable[P, R]:
            compiler = numba.njit(
                signature, cache=keep, nogil=True, error_model="numpy", fastmath=_FAST
            )
            return cast(Callable[P, R], compiler(function))

        try:
            return kept(True)
        except RuntimeError:  # no folder that may be written to
            return kept(False)

    return compile_it


@compiled("f8(u1[:,:], f8, f8)")
def read(grey: Grey, x: float, y: float) -> float:
    """What a picture (h, w) shows between the middles of its pixels; beyond its edges, these."""
    height, width = grey.shape
    # Neither where they are no numbers.
    x = min(x, width - 1.0) if x > 0.0 else 0.0
    y = min(y, height - 1.0) if y > 0.0 else 0.0
    left, top = int(x), int(y)
    right, below = min(left + 1, width - 1), min(top + 1, height - 1)
    across, down = x - left, y - top
    upper = grey[top, left] * (1.0 - across) + grey[top, right] * across
    lower = grey[below, left] * (1.0 - across) + grey[below, right] * across
    return float(upper * (1.0 - down) + lower * down)


@compiled("f8(f8[:,::1], f8)")
def line_at(line: Array, x: float) -> float:
    """How far down a line through places (n, 2), each to the right of the one before, is at `x`;
    beside its ends, as these."""
    last = len(line) - 1
    right = 1
    while right < last and line[right, 0] < x:
        right += 1
    apart = line[right] - line[right - 1]
    share = (x - line[right - 1, 0]) / max(apart[0], 1e-9)
    return float(line[right - 1, 1] + min(max(share, 0.0), 1.0) * apart[1])


@compiled("void(f8[:,::1], f8[::1])")
def solve(squares: Array, wanted: Array) -> None:
    """Solve `squares` (n, n), symmetric and positive, for `wanted` (n,), in place (Cholesky)."""
    size = len(wanted)
    for row in range(size):
        for column in range(row + 1):
            rest = squares[row, column]
            for before in range(column):
                rest -= squares[row, before] * squares[column, before]
            if column < row:
                squares[row, column] = rest / squares[column, column]
            else:
                squares[row, row] = math.sqrt(max(rest, 1e-300))
    for row in range(size):
        for before in range(row):
            wanted[row] -= squares[row, before] * wanted[before]
        wanted[row] /= squares[row, row]
    for row in range(size - 1, -1, -1):
        for after in range(row + 1, size):
            wanted[row] -= squares[after, row] * wanted[after]
        wanted[row] /= squares[row, row]


@compiled("f8(f8[::1], f8[::1])")
def dot(one: Array, other: Array) -> float:
    """The product of two vectors (3,)."""
    return float(one[0] * other[0] + one[1] * other[1] + one[2] * other[2])


@compiled("f8[:,::1](f8[:,::1], f8[::1])")
def turned(rotation: Array, turn: Array) -> Array:
    """A rotation (3, 3) turned further about a vector (3,), by its length (Rodrigues)."""
    x, y, z = turn[0], turn[1], turn[2]
    angle = math.sqrt(x * x + y * y + z * z)
    sine, bend = 1.0, 0.5
    if angle > 0.0:
        sine, bend = math.sin(angle) / angle, 2.0 * (math.sin(angle / 2.0) / angle) ** 2
    cosine = 1.0 - bend * angle * angle
    further = np.empty((3, 3))
    for i in range(3):
        a, b, c = rotation[0, i], rotation[1, i], rotation[2, i]
        along = bend * (x * a + y * b + z * c)
        further[0, i] = cosine * a + sine * (y * c - z * b) + along * x
        further[1, i] = cosine * b + sine * (z * a - x * c) + along * y
        further[2, i] = cosine * c + sine * (x * b - y * a) + along * z
    return further
