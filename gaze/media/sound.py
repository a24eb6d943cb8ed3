"""The sound of a hosted film as a track that stays in step with its playback clock."""

import asyncio
from collections.abc import Callable
from fractions import Fraction
from typing import Final

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from gaze.frames.clocks import AUDIO_BLOCK_SAMPLES, AUDIO_SAMPLE_RATE_HZ
from gaze.media.clock import TimeSource
from gaze.media.decode import Samples, SoundBlock
from gaze.media.decode_ahead import DecodeAhead

BLOCK_S: Final = AUDIO_BLOCK_SAMPLES / AUDIO_SAMPLE_RATE_HZ

_FADE_SAMPLES: Final = AUDIO_SAMPLE_RATE_HZ * 5 // 1000
"""5 ms, so that a step does not click. Chosen by hand; no benchmark covers it."""

_FADE_IN: Final = np.linspace(0.0, 1.0, _FADE_SAMPLES, dtype=np.float32)[:, None]

_RESYNC_SAMPLES: Final = AUDIO_BLOCK_SAMPLES // 2
"""A clock that is off by at most this is followed without a gap: samples go on where they ended.
Chosen by hand (tests/media/test_player.py); no benchmark covers it."""

_HISTORY_SAMPLES: Final = 2 * AUDIO_BLOCK_SAMPLES
"""Kept of what was sent: what was sent just before a pause is sent again after it."""

_LATE_S: Final = 0.2
"""A reader that comes later than this skips what was due meanwhile. Chosen by hand, no benchmark
covers it."""


class FilmSound(MediaStreamTrack):
    """48 kHz stereo s16 frames of 20 ms with continuous timestamps, silent while the film rests.

    A frame leaves when the clock reaches its first sample. Steps (pause, resume, seek) are faded
    over 5 ms. A reader that comes more than 200 ms late loses what was due meanwhile.
    """

    kind = "audio"

    def __init__(
        self,
        blocks: DecodeAhead[SoundBlock],
        position_at: Callable[[float], float | None],
        time: TimeSource,
    ) -> None:
        """Set the track up.

        Parameters
        ----------
        blocks : DecodeAhead of SoundBlock
            The film's sound.
        position_at : callable
            Returns the film position to be heard at a monotonic time, None for silence.
        time : TimeSource
            The clock that paces the frames.
        """
        super().__init__()
        self._blocks = blocks
        self._position_at = position_at
        self._time = time
        self._wake = asyncio.Event()
        self._due_s: float | None = None
        self._pts = 0
        self._next_sample: int | None = None
        self._recent: list[SoundBlock] = []
        self._last_sample = np.zeros(2, np.float32)

    async def recv(self) -> AudioFrame:
        """Wait until the next 20 ms are due.

        Returns
        -------
        AudioFrame
            960 samples.

        Raises
        ------
        MediaStreamError
            If the track was stopped.
        """
        due_s = self._next_due_s()
        while self.readyState == "live" and self._time.now_s() < due_s:
            self._wake.clear()
            await self._time.wait(self._wake, due_s)
        if self.readyState != "live":
            raise MediaStreamError
        self._due_s = due_s

        frame = AudioFrame.from_ndarray(self._samples(due_s).reshape(1, -1), "s16", "stereo")
        frame.sample_rate = AUDIO_SAMPLE_RATE_HZ
        frame.time_base = Fraction(1, AUDIO_SAMPLE_RATE_HZ)
        frame.pts = self._pts
        self._pts += AUDIO_BLOCK_SAMPLES
        return frame

    @property
    def due_s(self) -> float | None:
        """When the first sample of the last frame was due; None before there was one."""
        return self._due_s

    def stop(self) -> None:
        """End the track and wake a waiting `recv`."""
        super().stop()
        self._wake.set()

    def _next_due_s(self) -> float:
        now_s = self._time.now_s()
        if self._due_s is None or now_s - self._due_s > _LATE_S:
            return now_s
        return self._due_s + BLOCK_S

    def _samples(self, due_s: float) -> Samples:
        position_s = self._position_at(due_s)
        if position_s is None:
            start, samples = None, np.zeros((AUDIO_BLOCK_SAMPLES, 2), np.int16)
        else:
            start = round(position_s * AUDIO_SAMPLE_RATE_HZ)
            expected = self._next_sample
            if expected is not None and abs(start - expected) <= _RESYNC_SAMPLES:
                start = expected
            samples = self._read(start)
        if start != self._next_sample:
            samples = self._faded_in(samples)
        self._next_sample = None if start is None else start + AUDIO_BLOCK_SAMPLES
        self._last_sample = samples[-1].astype(np.float32)
        return samples

    def _read(self, start: int) -> Samples:
        """Return one block of the film from a sample on; zeros where the film has none."""
        samples = np.zeros((AUDIO_BLOCK_SAMPLES, 2), np.int16)
        end = start + AUDIO_BLOCK_SAMPLES
        while (block := self._blocks.peek()) is not None and block.start < end:
            self._recent.append(self._blocks.pop())
        oldest = start - _HISTORY_SAMPLES
        self._recent = [b for b in self._recent if oldest < b.end and b.start < end]
        for block in self._recent:
            low, high = max(start, block.start), min(end, block.end)
            if low < high:
                source = slice(low - block.start, high - block.start)
                samples[low - start : high - start] = block.samples[source]
        return samples

    def _faded_in(self, samples: Samples) -> Samples:
        """Crossfade the beginning of a block from the last sample that was sent."""
        faded = samples.copy()
        head = samples[:_FADE_SAMPLES] * _FADE_IN + self._last_sample * (1 - _FADE_IN)
        faded[:_FADE_SAMPLES] = np.rint(head).astype(np.int16)
        return faded
