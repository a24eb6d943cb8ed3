"""Where the server's files are.

In a clone all are inside it; where gaze is installed as a package, they are in the package, in the
working directory and in the user's own folders.
"""

import os
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parent.parent
_FILMS = _PACKAGE / "media" / "films"
_STATIC = _PACKAGE / "web" / "static"

CLONE = _PACKAGE.parent if (_PACKAGE.parent / "pyproject.toml").is_file() else None
"""The clone that this code runs from, None where it is an installed package."""


def client() -> Path:
    """Return the folder of the page and its modules."""
    return _STATIC if CLONE is None else CLONE / "client"


def media() -> Path:
    """Return the folder of the hosted films where no setting names one.

    It is `media` in the clone, or in the working directory; where that has none, the folder of
    the demo film inside the package.
    """
    if CLONE is not None:
        return CLONE / "media"
    here = Path("media").resolve()
    return _FILMS if _FILMS.is_dir() and not here.is_dir() else here


def certificates() -> Path:
    """Return the folder of the development certificate; made where it is missing.

    It is `certs` in the clone, or a folder of the user's that no other user can read.

    Raises
    ------
    OSError
        The folder cannot be made.
    """
    if CLONE is not None:
        return CLONE / "certs"
    state = os.environ.get("XDG_STATE_HOME") or "~/.local/state"
    folder = Path(state).expanduser() / "gaze" / "certs"
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    return folder
