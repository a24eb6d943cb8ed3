"""The codec libraries that PyAV's wheel bundles, for direct use through ctypes."""

import ctypes
import re
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import av

Signature = tuple[str, Any, tuple[Any, ...]]
"""A function's name, result and arguments."""


class Unavailable(RuntimeError):
    """A library is not there, or not the one that its module was written for."""


def find(name: str, av_folder: Path | None = None) -> Path:
    """Find a bundled library.

    The wheels' tools name the folder (auditwheel: `av.libs` beside the package; delocate:
    `.dylibs` in it; delvewheel: `av.libs`) and put a hash or a version into the file's name.

    Parameters
    ----------
    name : str
        Without version and suffix, such as "libvpx".
    av_folder : pathlib.Path or None, default None
        Where the package `av` is; by default that of the one in use.

    Returns
    -------
    pathlib.Path
        The library.

    Raises
    ------
    Unavailable
        If the wheel does not bundle it.
    """
    av_folder = av_folder or Path(av.__file__).parent
    folders = (av_folder.parent / "av.libs", av_folder / ".libs", av_folder / ".dylibs")
    pattern = re.compile(rf"{re.escape(name)}([-.][\w.+-]*)?\.(so|dylib|dll)(\.[\d.]+)?")
    found = [
        path
        for folder in folders
        if folder.is_dir()
        for path in sorted(folder.iterdir())
        if pattern.fullmatch(path.name)
    ]
    if not found:
        raise Unavailable(f"no {name} in {folders[0]}, where PyAV's wheel has it")
    return found[0]


def load(name: str, signatures: Iterable[Signature]) -> ctypes.CDLL:
    """Load a bundled library and declare its functions.

    Parameters
    ----------
    name : str
        Without version and suffix, such as "libvpx".
    signatures : iterable of Signature
        The functions that will be called.

    Returns
    -------
    ctypes.CDLL
        The library.

    Raises
    ------
    Unavailable
        If it cannot be loaded, or a function is missing.
    """
    path = find(name)
    try:
        library = ctypes.CDLL(str(path))
        for function_name, result, arguments in signatures:
            function = getattr(library, function_name)
            function.restype = result
            function.argtypes = arguments
    except (OSError, AttributeError) as error:
        raise Unavailable(f"{name} cannot be used: {error}") from error
    return library
