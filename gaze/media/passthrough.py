"""Sound of a film that the browser sends: forwarded, bounded, and muted when the film pauses."""

import asyncio
from collections import deque
from collections.abc import Callable
from typing import Final

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from gaze.media.backlog import SoundBacklog

_MAX_QUEUED_S: Final = 0.2
"""Sound that waits for the reader; older frames are dropped. Chosen by hand: ten packets of 20 ms;
no benchmark covers it."""


class Passthrough(MediaStreamTrack):
    """Forwards another track's audio frames; ends when that track ends.

    Created on the event loop; reads the source from then on, until `stop`.

    Attributes
    ----------
    muted : bool
        Whether frames are silent; they keep their timing.
    keeping : bool
        Whether what is muted is kept, and played a little faster afterwards until it is live again.
    due_s : float or None
        When the frame returned last was captured; None if unknown.
    dropped : int
        Frames dropped because more than 200 ms waited for the reader.
    """

    kind = "audio"

    def __init__(
        self,
        source: MediaStreamTrack,
        capture_s: Callable[[int | None], float | None] = lambda pts: None,
    ) -> None:
        """Start reading a track.

        Parameters
        ----------
        source : MediaStreamTrack
            The track to forward.
        capture_s : callable, optional
            Returns the capture time of a frame's `pts`, on the monotonic clock, None if unknown.
        """
        super().__init__()
        self.muted = False
        self.keeping = False
        self.due_s: float | None = None
        self.dropped = 0
        self._source = source
        self._capture_s = capture_s
        self._queue: deque[AudioFrame] = deque()
        self._queued_s = 0.0
        self._backlog = SoundBacklog()
        self._ready = asyncio.Event()
        self._source_ended = False
        self._reading = asyncio.create_task(self._read_source())

    async def recv(self) -> AudioFrame:
        """Wait for the next frame.

        Returns
        -------
        AudioFrame
            The source's frame, or silence or sound of the backlog in its place.

        Raises
        ------
        MediaStreamError
            If the source has ended or this track was stopped.
        """
        while self.readyState == "live" and not self._queue:
            if self._source_ended:
                self.stop()
                break
            self._ready.clear()
            await self._ready.wait()
        if self.readyState != "live":
            raise MediaStreamError
        frame = self._pop()
        self.due_s = self._capture_s(frame.pts)
        if not self.keeping:
            self._backlog.clear()
        elif self.muted:
            self._backlog.keep(frame)
        elif self._backlog:
            return self._backlog.take(frame)
        return _silence(frame) if self.muted else frame

    def stop(self) -> None:
        """Stop reading the source and wake a waiting `recv`."""
        super().stop()
        self._reading.cancel()
        self._queue.clear()
        self._ready.set()

    async def _read_source(self) -> None:
        try:
            while True:
                frame = await self._source.recv()
                assert isinstance(frame, AudioFrame)  # noqa: S101 - an invariant, which also narrows the type
                self._queue.append(frame)
                self._queued_s += _duration_s(frame)
                while self._queued_s > _MAX_QUEUED_S and len(self._queue) > 1:
                    self._pop()
                    self.dropped += 1
                self._ready.set()
        except MediaStreamError:
            self._source_ended = True
            self._ready.set()

    def _pop(self) -> AudioFrame:
        frame = self._queue.popleft()
        self._queued_s = sum(map(_duration_s, self._queue))
        return frame


def _duration_s(frame: AudioFrame) -> float:
    return frame.samples / frame.sample_rate


def _silence(frame: AudioFrame) -> AudioFrame:
    silent = AudioFrame(frame.format.name, frame.layout.name, frame.samples)
    for plane in silent.planes:
        plane.update(bytes(plane.buffer_size))
    silent.pts, silent.time_base = frame.pts, frame.time_base
    silent.sample_rate = frame.sample_rate
    return silent
