"""Opens a film file, and only that file, and gives its picture stream, start and frame rate."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

import av
from av.container import InputContainer

_REJECTED_FORMATS: Final = frozenset({"tty", "bin", "xbin", "adf", "idf", "image2", "txd"})
"""FFmpeg demuxers of text and still pictures, which would accept nearly any file."""

DEFAULT_RATE_FPS: Final = 25.0
"""Frame rate of a file that states none; FFmpeg's own default for raw video."""


class FilmError(ValueError):
    """A file that is not a film, or not a complete one; the message says why."""


@contextmanager
def open_film(path: Path) -> Iterator[InputContainer]:
    """Open one file for reading, and nothing that it may refer to (playlists name other files).

    Parameters
    ----------
    path : Path
        The file.

    Yields
    ------
    InputContainer
        The open file; its video streams decode with frame threads.

    Raises
    ------
    FilmError
        If it is not a film.
    OSError
        If it cannot be read.
    """
    name = str(path.absolute())
    with path.open("rb") as file:

        def open_only(url: str, _flags: int, _options: dict[str, str]) -> BinaryIO:
            if url != name:
                raise FilmError("refers to other files, as a playlist does")
            return file

        try:
            container = av.open(name, io_open=open_only)
        except av.FFmpegError as error:
            raise FilmError(f"not a film that can be read ({error.strerror})") from error
        with container:
            demuxer = container.format.name
            if demuxer in _REJECTED_FORMATS or demuxer.endswith("_pipe"):
                raise FilmError("a text or a still picture, not a film")
            for stream in container.streams.video:
                stream.thread_type = "AUTO"
            yield container


def video_stream(container: InputContainer) -> av.VideoStream:
    """Return the stream with the film's picture; cover art does not count.

    Parameters
    ----------
    container : InputContainer
        An open file or live stream.

    Returns
    -------
    av.VideoStream
        The first video stream that is not an attached picture.

    Raises
    ------
    FilmError
        If there is none.
    """
    for stream in container.streams.video:
        if not stream.disposition & av.stream.Disposition.attached_pic:
            return stream
    raise FilmError("no video stream")


def start_time_s(container: InputContainer) -> float:
    """Return position 0 of the film in the file's own time: the start of its video stream.

    Parameters
    ----------
    container : InputContainer
        An open file.

    Returns
    -------
    float
        Seconds; may be negative.
    """
    stream = video_stream(container)
    if stream.start_time is not None and stream.time_base is not None:
        return float(stream.start_time * stream.time_base)
    return float(container.start_time or 0) / av.time_base


def frame_rate_fps(container: InputContainer) -> float:
    """Return the frame rate of the picture.

    Parameters
    ----------
    container : InputContainer
        An open file.

    Returns
    -------
    float
        Frames per second; `DEFAULT_RATE_FPS` if the file states none.
    """
    stream = video_stream(container)
    return float(stream.average_rate or stream.guessed_rate or DEFAULT_RATE_FPS)
