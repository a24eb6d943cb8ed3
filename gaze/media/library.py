"""The hosted films: what lies in one folder, looked through once, with stills to choose from."""

import logging
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

import av
import cv2
from av.container import InputContainer

from gaze.media.decode import FilmError, open_film, origin_s, pictures, rate_fps, video_stream

logger = logging.getLogger(__name__)

MAX_PIXELS = 4096 * 2304

_MIN_DURATION_S = 0.2
_MISSING_END_S = 0.5
_MISSING_END_SHARE = 0.1
_THUMBNAIL_WIDTH = 320
_THUMBNAIL_AT = 0.2
_THUMBNAIL_QUALITY = 82


@dataclass(frozen=True, slots=True)
class FilmInfo:
    """A film that can be played. `name` is a slug, safe in addresses; width and height are even."""

    name: str
    title: str
    path: Path
    duration_s: float
    width: int
    height: int
    has_audio: bool
    rate_fps: float


class Library:
    """The films of a folder (not of folders in it); files that are none are logged and skipped.

    Looking through reads a little of each file: construct it, and ask for thumbnails, in a worker
    thread if an event loop is running.
    """

    def __init__(self, folder: Path) -> None:
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
                film = look_at(_inside(file, root), _free_name(file.stem, films), title(file.stem))
            except (FilmError, OSError) as error:
                logger.warning("media file %s skipped: %s", file.name, error)
            else:
                films[film.name] = film
        self.films: Mapping[str, FilmInfo] = MappingProxyType(films)

    def thumbnail(self, name: str) -> bytes:
        """A still of a film as JPEG, at most 320 pixels wide; decoded once, then kept.

        Raises:
            KeyError: there is no film of that name.
            FilmError, OSError: its file can no longer be read.
        """
        if name not in self._thumbnails:
            self._thumbnails[name] = _still(self.films[name])
        return self._thumbnails[name]


def look_at(path: Path, name: str, title: str) -> FilmInfo:
    """Read what a file says of itself, and that its picture can be decoded to the end.

    Raises:
        FilmError: it is no film, or not a whole one, or too large.
        OSError: it cannot be read.
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
            rate_fps=rate_fps(container),
        )


def slug(text: str) -> str:
    """Lower-case letters, digits and single dashes; "film" if nothing of the text is left."""
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    return re.sub(r"[^a-z0-9]+", "-", plain).strip("-")[:64].rstrip("-") or "film"


def title(stem: str) -> str:
    """A file's name as a title: dashes and underscores are spaces, the first letter is large."""
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
    """The file's own figure, from the first picture on; counted if it has none."""
    if container.duration is not None:
        start = container.start_time or 0
        duration_s = (start + container.duration) / av.time_base - origin_s(container)
    else:
        duration_s = _last_picture_s(container, 0.0) + 1 / rate_fps(container)
    if duration_s < _MIN_DURATION_S:
        raise FilmError("a still picture, or shorter than 0.2 s")
    return duration_s


def _check_end(container: InputContainer, duration_s: float) -> None:
    stream = video_stream(container)
    promised_s = duration_s
    if stream.duration is not None and stream.time_base is not None:
        promised_s = min(promised_s, float(stream.duration * stream.time_base))
    last_s = _last_picture_s(container, promised_s)
    if promised_s - last_s > max(_MISSING_END_S, _MISSING_END_SHARE * promised_s):
        raise FilmError(
            f"truncated: says {promised_s:.1f} s, but the picture ends at {last_s:.1f} s"
        )


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


def _still(film: FilmInfo) -> bytes:
    with open_film(film.path) as container:
        picture = next(pictures(container, film.duration_s * _THUMBNAIL_AT))
    width = min(film.width, _THUMBNAIL_WIDTH)
    height = max(1, round(film.height * width / film.width))
    image = picture.frame.reformat(width, height, "bgr24", interpolation="AREA").to_ndarray()
    encoded, jpeg = cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, _THUMBNAIL_QUALITY])
    assert encoded
    return bytes(jpeg)
