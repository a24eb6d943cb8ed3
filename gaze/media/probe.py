"""Probes a film file: its properties, and whether its picture can be decoded to the end."""

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import av
from av.container import InputContainer

from gaze.media.decode import pictures
from gaze.media.film_file import (
    FilmError,
    frame_rate_fps,
    open_film,
    start_time_s,
    video_stream,
)

MAX_PIXELS: Final = 4096 * 2304
"""Largest picture, level 5.1 of H.264 (ITU-T H.264 table A-1)."""

_MIN_DURATION_S: Final = 0.2
"""A shorter file is a still picture. Chosen by hand, no benchmark covers it."""

_MAX_MISSING_S: Final = 0.5
_MAX_MISSING_FRACTION: Final = 0.1
"""A file whose picture ends earlier than it states, by more than both, is truncated; some muxers
round up or count a longer sound. Chosen by hand (tests/media/test_bad_media.py)."""


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
