"""Memory that sessions leave free goes back to the system, so that a long-lived server stays small.

Every session brings threads of its own, and glibc gives each new thread its own arena, where
freed frames stay resident: measured, 40 sessions grew the process by 80 MB without a leak.
With few arenas, trimmed when a session ends, it stays flat. Elsewhere than on glibc only the
garbage is collected.
"""

import ctypes
import gc
import os

_M_ARENA_MAX = -8  # malloc.h


def _glibc() -> ctypes.CDLL | None:
    try:
        library = ctypes.CDLL("libc.so.6")
        library.mallopt, library.malloc_trim  # noqa: B018 - looked up, to see that they are there
    except (OSError, AttributeError):
        return None
    return library


_LIBC = _glibc()


def limit_arenas() -> None:
    """Share few malloc arenas between all threads; called once, before threads are started."""
    if _LIBC is not None:
        _LIBC.mallopt(_M_ARENA_MAX, max(2, os.cpu_count() or 2))


def settle() -> None:
    """Let the garbage collector pass over all that was there at the start; makes it quick."""
    gc.collect()
    gc.freeze()


def give_back() -> None:
    """Free what only cycles hold, and return free memory to the system.

    Takes some milliseconds, so not on the event loop.
    """
    gc.collect()
    if _LIBC is not None:
        _LIBC.malloc_trim(0)
