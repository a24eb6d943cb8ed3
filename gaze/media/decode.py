"""Decodes the pictures and the sound of a film file from any position on."""

from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Final

import av
import numpy as np
from av.container import InputContainer
from numpy.typing import NDArray

from gaze.frames.clocks import AUDIO_BLOCK_SAMPLES, AUDIO_SAMPLE_RATE_HZ
from gaze.media.film_file import frame_rate_fps, start_time_s, video_stream
from gaze.media.picture_format import as_displayed

Samples = NDArray[np.int16]
"""Interleaved stereo sound at `AUDIO_SAMPLE_RATE_HZ`, (samples, 2)."""

_PREROLL_S: Final = 0.2
"""Sound decoded before the position asked for, so that codecs with overlapping blocks (AAC, Opus)
have converged; Opus asks for 80 ms (RFC 7845 section 4.6). Chosen by hand, no benchmark covers
it."""

_RESYNC_S: Final = 0.04
"""Timestamps off by more than this are a gap, by less are jitter that is smoothed: two frames of 20
ms. Chosen by hand (tests/media/test_decode.py); no benchmark covers it."""


@dataclass(frozen=True, slots=True)
class Picture:
    """A frame and the film position at which it appears.

    Attributes
    ----------
    position_s : float
        Position in the film.
    frame : av.VideoFrame
        As `picture_format.as_displayed` makes it. The frame is shared: nobody writes to it.
    """

    position_s: float
    frame: av.VideoFrame


@dataclass(frozen=True, slots=True)
class SoundBlock:
    """Consecutive samples of the film's sound.

    Attributes
    ----------
    start : int
        Number of the first sample, counted from position 0 of the film.
    samples : ndarray of int16, shape (n, 2)
        The samples at `AUDIO_SAMPLE_RATE_HZ`.
    """

    start: int
    samples: Samples

    @property
    def end(self) -> int:
        """Number of the sample that follows."""
        return self.start + len(self.samples)

    @property
    def position_s(self) -> float:
        """Film position of the first sample."""
        return self.start / AUDIO_SAMPLE_RATE_HZ


def pictures(container: InputContainer, position_s: float) -> Generator[Picture, None, None]:
    """Decode the film's pictures from a position on. Blocks; for worker threads.

    Parameters
    ----------
    container : InputContainer
        An open film; its read position is moved.
    position_s : float
        Where to begin.

    Yields
    ------
    Picture
        First the picture shown at `position_s` (its own position is at most that), then those that
        follow. At or after the end it is the last picture. Damaged frames are skipped.
    """
    stream = video_stream(container)
    start_s, step_s = start_time_s(container), 1 / frame_rate_fps(container)
    _seek(container, stream, position_s + start_s)

    pending: Picture | None = None
    next_s, first = 0.0, True
    for frame in decoded_frames(container, stream):
        at_s = next_s if frame.pts is None else frame.time - start_s
        next_s = at_s + step_s
        if pending is not None and (at_s > position_s or not first):
            yield _displayed(stream, pending, position_s if first else None)
            first = False
        pending = Picture(at_s, frame)
    if pending is not None:
        yield _displayed(stream, pending, position_s if first else None)


def sound_blocks(container: InputContainer, position_s: float) -> Generator[SoundBlock, None, None]:
    """Decode the film's sound from a position on. Blocks; for worker threads.

    Parameters
    ----------
    container : InputContainer
        An open film with sound; its read position is moved.
    position_s : float
        Where to begin.

    Yields
    ------
    SoundBlock
        Blocks of at most 20 ms. Timestamps that jitter are smoothed; where they jump by more than
        40 ms, `start` does too.
    """
    stream = container.streams.audio[0]
    start_s = start_time_s(container)
    _seek(container, stream, max(0.0, position_s - _PREROLL_S) + start_s)
    first_sample = round(position_s * AUDIO_SAMPLE_RATE_HZ)

    resampler, input_format, expected, next_start = make_resampler(), None, 0.0, 0
    for frame in decoded_frames(container, stream):
        at = expected if frame.pts is None else (frame.time - start_s) * AUDIO_SAMPLE_RATE_HZ
        frame_format = (frame.format.name, frame.layout.name, frame.sample_rate)
        jumped = abs(at - expected) > _RESYNC_S * AUDIO_SAMPLE_RATE_HZ
        if frame_format != input_format or jumped:
            if input_format is not None:
                yield from _from_sample(_blocks(resampler.resample(None), next_start), first_sample)
            resampler, input_format = make_resampler(), frame_format
            expected, next_start = at, round(at)
        expected += frame.samples * AUDIO_SAMPLE_RATE_HZ / frame.sample_rate
        for block in _blocks(resampler.resample(frame), next_start):
            next_start = block.end
            if block.end > first_sample:
                yield block
    if input_format is not None:
        yield from _from_sample(_blocks(resampler.resample(None), next_start), first_sample)


def make_resampler() -> av.AudioResampler:
    """Make what converts any sound to 48 kHz stereo s16 in frames of 20 ms.

    Returns
    -------
    av.AudioResampler
        For one stream; it keeps what does not fill a frame.
    """
    return av.AudioResampler("s16", "stereo", AUDIO_SAMPLE_RATE_HZ, AUDIO_BLOCK_SAMPLES)


def decoded_frames(container: InputContainer, *streams: av.stream.Stream) -> Iterator[Any]:
    """Decode streams in the order of their packets. Blocks; for worker threads.

    Parameters
    ----------
    container : InputContainer
        What to read from.
    *streams : av.stream.Stream
        Those to decode.

    Yields
    ------
    av.VideoFrame or av.AudioFrame
        Decoded frames; damaged packets are skipped.
    """
    for packet in container.demux(*streams):
        try:
            yield from packet.decode()
        except av.error.InvalidDataError:
            continue


def _blocks(frames: list[av.AudioFrame], start: int) -> Iterator[SoundBlock]:
    for frame in frames:
        samples = frame.to_ndarray().reshape(-1, 2).astype(np.int16, copy=False)
        yield SoundBlock(start, samples)
        start += len(samples)


def _from_sample(blocks: Iterator[SoundBlock], first_sample: int) -> Iterator[SoundBlock]:
    return (block for block in blocks if block.end > first_sample)


def _seek(container: InputContainer, stream: av.stream.Stream, time_s: float) -> None:
    assert stream.time_base is not None  # noqa: S101 - an invariant, which also narrows the type
    container.seek(int(time_s / stream.time_base), stream=stream, backward=True)


def _displayed(stream: av.VideoStream, picture: Picture, latest_s: float | None) -> Picture:
    position_s = picture.position_s if latest_s is None else min(picture.position_s, latest_s)
    return Picture(position_s, as_displayed(stream, picture.frame))
