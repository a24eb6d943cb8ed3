"""Compile numeric functions to machine code with Numba while their module is imported.

Signatures are explicit, so nothing is compiled while a viewer is tracked. Compiling everything
takes half a minute, so the machine code is cached. Numba's own cache checks only the file that
holds a function, not those of the functions that are inlined into it. Here the name of the cache
directory contains a hash of all sources of this package (and of Numba's and numpy's versions), so
that every change of a kernel leads to a new directory.
"""

import hashlib
import os
import shutil
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

import numba
import numpy as np

P = ParamSpec("P")
R = TypeVar("R")

# Sums may be reassociated, so that the compiler can vectorise them.
_FAST_MATH = {"reassoc", "contract", "nsz"}

_PACKAGE = Path(__file__).resolve().parent
# Chosen by hand, longer than compiling takes, since another process may be filling the directory;
# no benchmark covers it.
_KEEP_UNUSED_S = 3600.0
_numba_config: Any = numba.config  # its attributes are set dynamically
_config_lock = threading.Lock()


def compiled(signature: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """Compile the decorated function ahead of time.

    The machine code releases the interpreter's lock, does not check array bounds, and gives
    infinity where it divides by zero.

    Parameters
    ----------
    signature : str
        Types in Numba's notation, for example ``f8(u1[:,:], f8[::1])``.

    Returns
    -------
    callable
        The decorator.
    """

    def compile_function(function: Callable[P, R]) -> Callable[P, R]:
        directory = cache_directory()
        with _config_lock:
            configured = _numba_config.CACHE_DIR
            _numba_config.CACHE_DIR = str(directory or "")
            try:
                compiler = numba.njit(
                    signature,
                    cache=directory is not None,
                    nogil=True,
                    error_model="numpy",
                    fastmath=_FAST_MATH,
                )
                return cast(Callable[P, R], compiler(function))
            finally:
                _numba_config.CACHE_DIR = configured

    return compile_function


@cache
def cache_directory() -> Path | None:
    """Return the directory for the machine code of these sources, and remove outdated ones.

    It is in `NUMBA_CACHE_DIR` where that is set, else in this package's ``__pycache__``, or in the
    user's cache directory where the package is read-only. Several processes may share it: Numba
    replaces files atomically.

    Returns
    -------
    Path or None
        None where none of these can be written to: every process then compiles for itself.
    """
    installation = hashlib.sha256(str(_PACKAGE).encode()).hexdigest()[:8]
    sources = hashlib.sha256(f"numba {numba.__version__}, numpy {np.__version__}".encode())
    for source in sorted(_PACKAGE.glob("*.py")):
        sources.update(source.name.encode() + b"\0" + source.read_bytes() + b"\0")
    for parent in _parents():
        directory = parent / f"kernels-{installation}-{sources.hexdigest()[:16]}"
        try:
            directory.mkdir(parents=True, exist_ok=True)
            tempfile.TemporaryFile(dir=directory).close()
            os.utime(directory)
        except OSError:
            continue
        _remove_unused(parent.glob(f"kernels-{installation}-*"), directory)
        return directory
    return None


def _parents() -> Iterator[Path]:
    if _numba_config.CACHE_DIR:
        yield Path(_numba_config.CACHE_DIR)
        return
    yield _PACKAGE / "__pycache__"
    configured = os.environ.get("XDG_CACHE_HOME")
    yield (Path(configured) if configured else Path(os.path.expanduser("~"), ".cache")) / "gaze"  # noqa: PTH111 - gives "~" instead of raising where there is no home


def _remove_unused(directories: Iterator[Path], current: Path) -> None:
    for directory in directories:
        try:
            unused_s = time.time() - directory.stat().st_mtime
        except OSError:  # another process has removed it
            continue
        if directory != current and unused_s > _KEEP_UNUSED_S:
            shutil.rmtree(directory, ignore_errors=True)
