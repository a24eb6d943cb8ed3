"""The hosted films: the films of one folder, probed once, with thumbnails to choose from."""

import logging
import re
import unicodedata
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Final

import cv2

from gaze.media.decode import pictures
from gaze.media.film_file import FilmError, open_film
from gaze.media.probe import FilmInfo, probe_film

logger = logging.getLogger(__name__)

_THUMBNAIL_WIDTH_PX: Final = 320
"""Chosen by hand; no benchmark covers it."""

_THUMBNAIL_POSITION: Final = 0.2
"""Where the thumbnail is taken, as a fraction of the film. Chosen by hand; no benchmark covers
it."""

_JPEG_QUALITY: Final = 82
"""Chosen by hand; no benchmark covers it."""


class Library:
    """The films of a folder, not of its sub-folders; other files are skipped and logged.

    Reads a little of each file and blocks meanwhile: construct it, and ask for thumbnails, in a
    worker thread if an event loop is running.

    Attributes
    ----------
    films : mapping of str to FilmInfo
        By name; read-only.
    """

    def __init__(self, folder: Path) -> None:
        """Probe the files of a folder.

        Parameters
        ----------
        folder : Path
            Links in it may not lead out of it. If it does not exist there are no films.
        """
        self._thumbnails: dict[str, bytes] = {}
        films: dict[str, FilmInfo] = {}
        root = folder.resolve()
        files = sorted(root.iterdir()) if root.is_dir() else []
        if not root.is_dir():
            logger.warning("media folder %s does not exist: no hosted films", folder)
        for file in files:
            if file.name.startswith(".") or file.is_dir():
                continue
            try:
                film = probe_film(
                    _inside(file, root), _free_name(file.stem, films), title(file.stem)
                )
            except (FilmError, OSError) as error:
                logger.warning("media file %s skipped: %s", file.name, error)
            else:
                films[film.name] = film
        self.films: Mapping[str, FilmInfo] = MappingProxyType(films)

    def thumbnail(self, name: str) -> bytes:
        """Return a still picture of a film; decoded once, then kept. Blocks.

        Parameters
        ----------
        name : str
            A name of `films`.

        Returns
        -------
        bytes
            JPEG, at most 320 pixels wide.

        Raises
        ------
        KeyError
            If there is no film of that name.
        FilmError, OSError
            If its file can no longer be read.
        """
        if name not in self._thumbnails:
            self._thumbnails[name] = _thumbnail(self.films[name])
        return self._thumbnails[name]


def slug(text: str) -> str:
    """Make a name that is safe in addresses.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    str
        At most 64 lower-case letters, digits and single dashes; "film" if nothing of the text is
        left.
    """
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-") or "film"


def title(stem: str) -> str:
    """Make a title of a file's name.

    Parameters
    ----------
    stem : str
        The name without its suffix.

    Returns
    -------
    str
        With spaces instead of dashes and underscores and a capital first letter.
    """
    words = " ".join(re.split(r"[\s_-]+", stem)).strip()
    return words[:1].upper() + words[1:]


def _free_name(stem: str, taken: Mapping[str, FilmInfo]) -> str:
    name, number = slug(stem), 2
    while name in taken:
        name, number = f"{slug(stem)}-{number}", number + 1
    return name


def _inside(file: Path, root: Path) -> Path:
    path = file.resolve()
    if not path.is_relative_to(root):
        raise FilmError("a link that leads out of the media folder")
    return path


def _thumbnail(film: FilmInfo) -> bytes:
    with open_film(film.path) as container:
        picture = next(pictures(container, film.duration_s * _THUMBNAIL_POSITION))
    width = min(film.width, _THUMBNAIL_WIDTH_PX)
    height = max(1, round(film.height * width / film.width))
    image = picture.frame.reformat(width, height, "bgr24", interpolation="AREA").to_ndarray()
    encoded, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert encoded  # noqa: S101 - an invariant, which also narrows the type
    return bytes(jpeg)
