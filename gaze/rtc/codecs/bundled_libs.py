"""The codec libraries that PyAV's wheel carries beside itself, for direct use through ctypes."""

import ctypes
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import av

Signature = tuple[str, Any, tuple[Any, ...]]


class Unavailable(RuntimeError):
    """A library is not there, or not the one that its module was written for."""


def find(name: str, av_folder: Path | None = None) -> Path:
    """The library called `name`, such as "libvpx".

    Args:
        name: without version and suffix.
        av_folder: where the package `av` is.

    Raises:
        Unavailable: there is none.
    """
    av_folder = av_folder or Path(av.__file__).parent
    folders = (av_folder.parent / "av.libs", av_folder / ".dylibs")  # Linux; macOS
    found = [path for folder in folders for path in sorted(folder.glob(f"{name}[-.]*"))]
    if not found:
        raise Unavailable(f"no {name} in {folders[0]}, where PyAV's wheel has it")
    return found[0]


def load(name: str, signatures: Iterable[Signature]) -> ctypes.CDLL:
    """The library, with the functions' results and arguments declared.

    Raises:
        Unavailable: it cannot be loaded, or a function is missing.
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
