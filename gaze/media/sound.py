"""The sound of a hosted film as a track that stays in step with its playback clock."""

import asyncio
from collections.abc import Callable
from fractions import Fraction

import numpy as np
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame
from numpy.typing import NDArray

from gaze.media.clock import TimeSource
from gaze.media.decode import BLOCK_SAMPLES, SAMPLE_RATE_HZ, DecodeAhead, Sound

BLOCK_S = BLOCK_SAMPLES / SAMPLE_RATE_HZ

_FADE_SAMPLES = SAMPLE_RATE_HZ * 5 // 1000
_RAMP = np.linspace(0.0, 1.0, _FADE_SAMPLES, dtype=np.float32)[:, None]
_OUT_OF_STEP_SAMPLES = BLOCK_SAMPLES // 2
_KEPT_SAMPLES = 2 * BLOCK_SAMPLES  # what was sent before a pause is wanted again after it
_LATE_S = 0.2


class FilmSound(MediaStreamTrack):
    """48 kHz stereo s16 frames of 20 ms with continuous timestamps, silent while the film rests.

    A frame leaves when the clock reaches its first sample. `position_at(t_s)` gives the film
    position to be heard at a time, None for silence. Steps (pause, resume, seek) are faded over
    5 ms. A reader that comes more than 200 ms late loses what was due meanwhile.
    """

    kind = "audio"

    def __init__(
        self,
        blocks: DecodeAhead[Sound],
        position_at: Callable[[float], float | None],
        time: TimeSource,
    ) -> None:
        super().__init__()
        self._blocks = blocks
        self._position_at = position_at
        self._time = time
        self._wake = asyncio.Event()
        self._due_s: float | None = None
        self._pts = 0
        self._next: int | None = None
        self._near: list[Sound] = []
        self._last = np.zeros(2, np.float32)

    async def recv(self) -> AudioFrame:
        """The next 20 ms, when they are due.

        Raises:
            MediaStreamError: the track was stopped.
        """
        due_s = self._next_due_s()
        while self.readyState == "live" and self._time.now_s() < due_s:
            self._wake.clear()
            await self._time.wait(self._wake, due_s)
        if self.readyState != "live":
            raise MediaStreamError
        self._due_s = due_s

        frame = AudioFrame.from_ndarray(self._samples(due_s).reshape(1, -1), "s16", "stereo")
        frame.sample_rate = SAMPLE_RATE_HZ
        frame.time_base = Fraction(1, SAMPLE_RATE_HZ)
        frame.pts = self._pts
        self._pts += BLOCK_SAMPLES
        return frame

    @property
    def due_s(self) -> float | None:
        """When the last frame's first sample was due."""
        return self._due_s

    def stop(self) -> None:
        super().stop()
        self._wake.set()

    def _next_due_s(self) -> float:
        now_s = self._time.now_s()
        if self._due_s is None or now_s - self._due_s > _LATE_S:
            return now_s
        return self._due_s + BLOCK_S

    def _samples(self, due_s: float) -> NDArray[np.int16]:
        position_s = self._position_at(due_s)
        if position_s is None:
            start, samples = None, np.zeros((BLOCK_SAMPLES, 2), np.int16)
        else:
            start = round(position_s * SAMPLE_RATE_HZ)
            if self._next is not None and abs(start - self._next) <= _OUT_OF_STEP_SAMPLES:
                start = self._next
            samples = self._read(start)
        if start != self._next:
            samples = self._faded(samples)
        self._next = None if start is None else start + BLOCK_SAMPLES
        self._last = samples[-1].astype(np.float32)
        return samples

    def _read(self, start: int) -> NDArray[np.int16]:
        """The film's samples from `start` on, zeros where it has none."""
        samples = np.zeros((BLOCK_SAMPLES, 2), np.int16)
        end = start + BLOCK_SAMPLES
        while (block := self._blocks.peek()) is not None and block.start < end:
            self._near.append(self._blocks.pop())
        self._near = [b for b in self._near if start - _KEPT_SAMPLES < b.end and b.start < end]
        for block in self._near:
            low, high = max(start, block.start), min(end, block.end)
            if low < high:
                source = slice(low - block.start, high - block.start)
                samples[low - start : high - start] = block.samples[source]
        return samples

    def _faded(self, samples: NDArray[np.int16]) -> NDArray[np.int16]:
        """The samples, coming from the last value sent instead of stepping away from it."""
        faded = samples.copy()
        head = samples[:_FADE_SAMPLES] * _RAMP + self._last * (1 - _RAMP)
        faded[:_FADE_SAMPLES] = np.rint(head).astype(np.int16)
        return faded
