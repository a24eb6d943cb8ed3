"""The hosted films: the films of one folder, probed once, with thumbnails to choose from."""

import logging
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Final

import av
import cv2
from av.container import InputContainer

from gaze.media.decode import pictures
from gaze.media.film_file import (
    FilmError,
    frame_rate_fps,
    open_film,
    start_time_s,
    video_stream,
)

logger = logging.getLogger(__name__)

MAX_PIXELS: Final = 4096 * 2304
"""Largest picture, level 5.1 of H.264 (ITU-T H.264 table A-1)."""

_MIN_DURATION_S: Final = 0.2
"""A shorter file is a still picture. Chosen by hand, no benchmark covers it."""

_MAX_MISSING_S: Final = 0.5
_MAX_MISSING_FRACTION: Final = 0.1
"""A file whose picture ends earlier than it states, by more than both, is truncated; some muxers
round up or count a longer sound. Chosen by hand (tests/media/test_bad_media.py)."""

_THUMBNAIL_WIDTH_PX: Final = 320
_THUMBNAIL_POSITION: Final = 0.2
"""Where the thumbnail is taken, as a fraction of the film, past its titles. Chosen by hand."""

_JPEG_QUALITY: Final = 82
"""Chosen by hand for thumbnails of about 15 kB; no benchmark covers it."""


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """A film that can be played.

    Attributes
    ----------
    name : str
        A slug, safe in addresses.
    title : str
        For people.
    path : Path
        The file.
    duration_s : float
        From the first picture to the end.
    width, height : int
        Size of the picture as displayed, in pixels; even.
    has_audio : bool
        Whether there is sound.
    rate_fps : float
        Frame rate.
    """

    name: str
    title: str
    path: Path
    duration_s: float
    width: int
    height: int
    has_audio: bool
    rate_fps: float


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


def probe_film(path: Path, name: str, title: str) -> FilmInfo:
    """Read a file's properties and check that its picture can be decoded to the end.

    Parameters
    ----------
    path : Path
        The file.
    name : str
        Name to give it, a slug.
    title : str
        Title to give it.

    Returns
    -------
    FilmInfo
        Its properties.

    Raises
    ------
    FilmError
        If it is not a film, or not a complete one, or too large.
    OSError
        If it cannot be read.
    """
    if not path.is_file():
        raise FilmError("not a file")
    if path.stat().st_size == 0:
        raise FilmError("empty, 0 bytes")
    with open_film(path) as container:
        stream = video_stream(container)
        width, height = stream.width & ~1, stream.height & ~1
        if width == 0 or height == 0:
            raise FilmError("no picture")
        if width * height > MAX_PIXELS:
            raise FilmError(f"{width}x{height} is larger than 4096x2304")
        duration_s = _duration_s(container)
        _check_end(container, duration_s)
        first = next(pictures(container, 0.0)).frame
        return FilmInfo(
            name=name,
            title=title,
            path=path,
            duration_s=duration_s,
            width=first.width,
            height=first.height,
            has_audio=bool(container.streams.audio),
            rate_fps=frame_rate_fps(container),
        )


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


def _duration_s(container: InputContainer) -> float:
    """Return the duration that the file states, from the first picture on; if none, decode it."""
    if container.duration is not None:
        start = container.start_time or 0
        duration_s = (start + container.duration) / av.time_base - start_time_s(container)
    else:
        duration_s = _last_picture_s(container, 0.0) + 1 / frame_rate_fps(container)
    if duration_s < _MIN_DURATION_S:
        raise FilmError("a still picture, or shorter than 0.2 s")
    return duration_s


def _check_end(container: InputContainer, duration_s: float) -> None:
    stream = video_stream(container)
    stated_s = duration_s
    if stream.duration is not None and stream.time_base is not None:
        stated_s = min(stated_s, float(stream.duration * stream.time_base))
    last_s = _last_picture_s(container, stated_s)
    if stated_s - last_s > max(_MAX_MISSING_S, _MAX_MISSING_FRACTION * stated_s):
        raise FilmError(f"truncated: says {stated_s:.1f} s, but the picture ends at {last_s:.1f} s")


def _last_picture_s(container: InputContainer, from_s: float) -> float:
    last_s = None
    try:
        for picture in pictures(container, from_s):
            last_s = picture.position_s
    except av.FFmpegError as error:
        raise FilmError(f"damaged ({error.strerror})") from error
    if last_s is None:
        raise FilmError("truncated or damaged: no picture can be decoded")
    return last_s


def _thumbnail(film: FilmInfo) -> bytes:
    with open_film(film.path) as container:
        picture = next(pictures(container, film.duration_s * _THUMBNAIL_POSITION))
    width = min(film.width, _THUMBNAIL_WIDTH_PX)
    height = max(1, round(film.height * width / film.width))
    image = picture.frame.reformat(width, height, "bgr24", interpolation="AREA").to_ndarray()
    encoded, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _JPEG_QUALITY])
    assert encoded
    return bytes(jpeg)
