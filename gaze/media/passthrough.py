"""Sound of a film that the browser sends: handed on, bounded, and silent when it should be."""

import asyncio
from collections import deque
from collections.abc import Callable

from aiortc.mediastreams import MediaStreamError, MediaStreamTrack
from av import AudioFrame

from gaze.media.backlog import SoundBacklog

_BOUND_S = 0.2


class Passthrough(MediaStreamTrack):
    """Forwards another track's audio frames; ends when that track ends.

    At most 200 ms wait for the reader: older frames are dropped and counted. While `muted`, frames
    keep their timing and are silent. What is muted while `keeping` is heard afterwards, a little
    faster, until it is live again. Created on the event loop; reads the source from then on, until
    `stop`.
    """

    kind = "audio"

    def __init__(
        self,
        source: MediaStreamTrack,
        capture_s: Callable[[int | None], float | None] = lambda pts: None,
    ) -> None:
        """Take the other track, and what tells from a frame's `pts` when it was captured."""
        super().__init__()
        self.muted = False
        self.keeping = False
        self.due_s: float | None = None  # when the last frame was captured, if that is known
        self.dropped = 0
        self._source = source
        self._capture_s = capture_s
        self._kept: deque[AudioFrame] = deque()
        self._kept_s = 0.0
        self._backlog = SoundBacklog()
        self._ready = asyncio.Event()
        self._source_ended = False
        self._pump = asyncio.create_task(self._read_source())

    async def recv(self) -> AudioFrame:
        """The next frame.

        Raises:
            MediaStreamError: the source has ended, or this track was stopped.
        """
        while self.readyState == "live" and not self._kept:
            if self._source_ended:
                self.stop()
                break
            self._ready.clear()
            await self._ready.wait()
        if self.readyState != "live":
            raise MediaStreamError
        frame = self._take()
        self.due_s = self._capture_s(frame.pts)
        if not self.keeping:
            self._backlog.clear()
        elif self.muted:
            self._backlog.keep(frame)
        elif self._backlog:
            return self._backlog.take(frame)
        return _silence(frame) if self.muted else frame

    def stop(self) -> None:
        super().stop()
        self._pump.cancel()
        self._kept.clear()
        self._ready.set()

    async def _read_source(self) -> None:
        try:
            while True:
                frame = await self._source.recv()
                assert isinstance(frame, AudioFrame)
                self._kept.append(frame)
                self._kept_s += _duration_s(frame)
                while self._kept_s > _BOUND_S and len(self._kept) > 1:
                    self._take()
                    self.dropped += 1
                self._ready.set()
        except MediaStreamError:
            self._source_ended = True
            self._ready.set()

    def _take(self) -> AudioFrame:
        frame = self._kept.popleft()
        self._kept_s = sum(map(_duration_s, self._kept))
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
