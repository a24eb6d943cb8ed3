"""Turns functions of numbers and arrays into machine code (Numba).

Their signatures are given, so all is compiled while a module is imported, and never while somebody
watches. The outcome is kept beside the source files; what it calls from another file is part of it,
and no reason to compile it anew when only that file changes.
"""

from collections.abc import Callable
from typing import ParamSpec, TypeVar, cast

import numba

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
