"""Opens a live stream with FFmpeg and decodes it at its own pace. Blocks; for worker threads.

FFmpeg opens no connection to a host by itself here, see `pinned_client`.
"""

import threading
import time
from collections.abc import Iterator
from fractions import Fraction
from typing import Final

import av
from av.container import InputContainer

from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.media.decode import decoded_frames, make_resampler
from gaze.media.film_file import video_stream
from gaze.media.picture_format import as_displayed
from gaze.media.pinned_client import TIMEOUT_S, HttpBody, HttpOpener

HTTP_FORMATS: Final = "hls,mpegts,mov,matroska,flv,h264,hevc,mpjpeg,ogg"
"""FFmpeg demuxers that are accepted over HTTP. Not those by which FFmpeg itself connects to further
hosts, as SDP does."""

_HTTP_OPTIONS: Final = {
    "format_whitelist": HTTP_FORMATS,
    "protocol_whitelist": "http,https",
    "http_persistent": "0",
}
_RTSP_OPTIONS: Final = {
    "rtsp_transport": "tcp",
    "protocol_whitelist": "tcp",
    "allowed_media_types": "+video+audio",
}
_PROBE_OPTIONS: Final = {"probesize": "1000000", "analyzeduration": "2000000"}
"""Less than FFmpeg's 5 MB and 5 s, so that a stream opens within 10 s. Chosen by hand
(tests/media/test_live.py); no benchmark covers it."""

_TIMEOUTS_S: Final = (2 * TIMEOUT_S, TIMEOUT_S)
"""To open, and for each read."""

RESTART_S: Final = 0.5
"""A frame later than this, or due later than `TIMEOUT_S` from now, means that the stream stalled or
restarted; its pace is then taken from this frame. Chosen by hand; no benchmark covers it."""


def open_http(url: str, opener: HttpOpener) -> InputContainer:
    """Open a stream over HTTP, every connection through an opener that checks it.

    Parameters
    ----------
    url : str
        Address of the stream or of its playlist.
    opener : HttpOpener
        Opens it and what its playlist refers to.

    Returns
    -------
    InputContainer
        The open stream.

    Raises
    ------
    av.FFmpegError, AddressError, OSError
        If it cannot be opened.
    """

    def opened(asked: str, _flags: int, _options: dict[str, str]) -> HttpBody:
        return opener.open(asked)

    options = {**_HTTP_OPTIONS, **_PROBE_OPTIONS}
    return av.open(url, io_open=opened, options=options, timeout=_TIMEOUTS_S)


def open_rtsp(url: str) -> InputContainer:
    """Open a stream over RTSP with its media on the same TCP connection.

    Parameters
    ----------
    url : str
        Address on this machine, of `pinned_client.rtsp_relay`.

    Returns
    -------
    InputContainer
        The open stream.

    Raises
    ------
    av.FFmpegError
        If it cannot be opened.
    """
    options = {**_RTSP_OPTIONS, **_PROBE_OPTIONS}
    return av.open(url, format="rtsp", options=options, timeout=_TIMEOUTS_S)


def decode_at_pace(
    container: InputContainer, closed: threading.Event
) -> Iterator[av.VideoFrame | av.AudioFrame]:
    """Decode a live stream, each frame when it is due.

    Parameters
    ----------
    container : InputContainer
        The open stream.
    closed : threading.Event
        Ends the iteration and its waits.

    Yields
    ------
    av.VideoFrame or av.AudioFrame
        Pictures as `picture_format.as_displayed` makes them, and sound as 48 kHz stereo s16 in
        frames of 20 ms. Their `pts` is when they are due on the monotonic clock, in units of
        `VIDEO_CLOCK_HZ` or `AUDIO_SAMPLE_RATE_HZ`.
    """
    video = video_stream(container)
    video.thread_type = "AUTO"
    streams: list[av.stream.Stream] = [video, *container.streams.audio[:1]]
    pacer = _StreamPacer(closed)
    resampler = make_resampler()
    for frame in decoded_frames(container, *streams):
        if closed.is_set():
            return
        if frame.pts is None:
            continue
        due_s = pacer.wait(frame.time)
        if isinstance(frame, av.VideoFrame):
            picture = as_displayed(video, frame)
            picture.pts = round(due_s * VIDEO_CLOCK_HZ)
            picture.time_base = Fraction(1, VIDEO_CLOCK_HZ)
            yield picture
        else:
            frame.pts = round(due_s * frame.sample_rate)
            frame.time_base = Fraction(1, frame.sample_rate)
            yield from resampler.resample(frame)


class _StreamPacer:
    """Holds frames back until they are due: a playlist brings seconds of them at once."""

    def __init__(self, closed: threading.Event) -> None:
        self._closed = closed
        self._start_s: float | None = None

    def wait(self, stream_s: float) -> float:
        """Wait until a frame of this time in the stream is due; return that monotonic time."""
        now_s = time.monotonic()
        if self._start_s is None:
            self._start_s = now_s - stream_s
        due_s = self._start_s + stream_s
        if not -RESTART_S <= due_s - now_s <= TIMEOUT_S:
            self._start_s, due_s = now_s - stream_s, now_s
        self._closed.wait(max(0.0, due_s - now_s))
        return due_s
