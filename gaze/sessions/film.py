"""The film of one session: where its frames come from, and the track that returns them."""

import asyncio
import fractions
import functools
import time
from collections.abc import Callable
from typing import Protocol

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from gaze.media.player import Player
from gaze.media.slot import Slot, SlotClosed

HELD_INTERVAL_S = 1 / 30
STALLED_INTERVAL_S = 0.1
VIDEO_CLOCK_HZ = 90_000
AUDIO_RATE_HZ = 48_000
AUDIO_FRAME_SAMPLES = 960


class FilmSource(Protocol):
    """Frames of a film, each when it is due."""

    async def next(self) -> tuple[av.VideoFrame, float]:
        """The newest frame that is due, and when it was.

        Raises:
            SlotClosed: the film is over for good.
        """
        ...


class BrowserFilm:
    """The film that the browser sends.

    While held, the same frame is given again and again, so that effects stay alive; so it is when
    the browser sends nothing new for a while (a still screen, a player that the page stopped).
    """

    def __init__(
        self,
        slot: Callable[[], Slot[av.VideoFrame] | None],
        capture_s: Callable[[int | None], float | None] = lambda pts: None,
    ) -> None:
        """Take the slot, and what tells from a frame's `pts` when the browser captured it."""
        self.held = False
        self._slot = slot
        self._capture_s = capture_s
        self._lag_s = 0.0
        self._last: av.VideoFrame | None = None

    async def next(self) -> tuple[av.VideoFrame, float]:
        if self.held and self._last is not None:
            await asyncio.sleep(HELD_INTERVAL_S)
            return self._last, time.monotonic() - self._lag_s
        slot = self._slot()
        if slot is None:
            raise SlotClosed
        if self._last is None:
            self._last = await slot.get()
        else:
            try:
                async with asyncio.timeout(STALLED_INTERVAL_S):
                    self._last = await slot.get()
            except TimeoutError:
                return self._last, time.monotonic() - self._lag_s
        now_s = time.monotonic()
        captured_s = self._capture_s(self._last.pts)
        if captured_s is None:
            return self._last, now_s
        self._lag_s = now_s - captured_s
        return self._last, captured_s


class HostedFilm:
    """A film hosted by the server; another one can take its place at any time."""

    def __init__(self, player: Player) -> None:
        self.player = player

    async def next(self) -> tuple[av.VideoFrame, float]:
        while True:
            player = self.player
            try:
                return await player.next_video()
            except SlotClosed:
                if player is self.player:
                    raise


Draw = Callable[[], av.VideoFrame]
Prepare = Callable[[av.VideoFrame], Draw]


class ReturnedFilm(MediaStreamTrack):
    """The modified film on its way back: takes the newest frame whenever the encoder is free.

    It gives frames as they came. What is sent instead is drawn by the thread that encodes it, since
    every change of threads costs delay.

    Attributes:
        due_s: when the frame given last was due.
        draw: draws that frame; to be called in a worker thread, once.
    """

    kind = "video"

    def __init__(self, source: FilmSource, prepare: Prepare) -> None:
        """Take the source, and what says of a frame how to draw it."""
        super().__init__()
        self._source = source
        self._prepare = prepare
        self.due_s: float | None = None
        self.draw: Draw | None = None
        self._epoch_s: float | None = None
        self._last_pts = -1

    async def recv(self) -> av.VideoFrame:
        if self.readyState != "live":
            raise MediaStreamError
        try:
            frame, due_s = await self._source.next()
        except SlotClosed:
            self.stop()
            raise MediaStreamError from None
        self.due_s = due_s
        if self._epoch_s is None:
            self._epoch_s = due_s
        self._last_pts = max(self._last_pts + 1, round((due_s - self._epoch_s) * VIDEO_CLOCK_HZ))
        self.draw = functools.partial(_draw_at, self._prepare(frame), self._last_pts)
        return frame


def _draw_at(draw: Draw, pts: int) -> av.VideoFrame:
    drawn = draw()
    drawn.pts, drawn.time_base = pts, fractions.Fraction(1, VIDEO_CLOCK_HZ)
    return drawn


class ReturnedSound(MediaStreamTrack):
    """The film's sound; goes on without a break when the film is changed.

    Timestamps count samples; where samples were left out, they leave them out too.

    Attributes:
        due_s: when the first sample of the frame given last was due.
    """

    kind = "audio"

    def __init__(self, current: Callable[[], MediaStreamTrack | None]) -> None:
        super().__init__()
        self._current = current
        self.due_s: float | None = None
        self._pts = 0
        self._next_due_s: float | None = None
        self._silence_due_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        if self.readyState != "live":
            raise MediaStreamError
        frame, due_s = await self._next()
        duration_s = frame.samples / AUDIO_RATE_HZ
        if due_s is not None:
            self._leave_out(due_s)
            self._next_due_s = due_s + duration_s
        elif self._next_due_s is not None:
            self._next_due_s += duration_s
        self.due_s = due_s
        frame.pts = self._pts
        frame.time_base = fractions.Fraction(1, AUDIO_RATE_HZ)
        self._pts += frame.samples
        return frame

    def _leave_out(self, due_s: float) -> None:
        if self._next_due_s is None:
            return
        missing = round((due_s - self._next_due_s) * AUDIO_RATE_HZ)
        if missing >= AUDIO_FRAME_SAMPLES:
            self._pts += missing

    async def _next(self) -> tuple[av.AudioFrame, float | None]:
        while True:
            source = self._current()
            if source is None:
                return await self._silence()
            try:
                frame = await source.recv()
            except MediaStreamError:
                if source is self._current():
                    self.stop()
                    raise
                continue
            assert isinstance(frame, av.AudioFrame)
            self._silence_due_s = None
            due_s: float | None = getattr(source, "due_s", None)
            return frame, due_s

    async def _silence(self) -> tuple[av.AudioFrame, float]:
        now_s = time.monotonic()
        due_s = now_s if self._silence_due_s is None else self._silence_due_s
        await asyncio.sleep(max(0.0, due_s - now_s))
        self._silence_due_s = due_s + AUDIO_FRAME_SAMPLES / AUDIO_RATE_HZ
        frame = av.AudioFrame(format="s16", layout="stereo", samples=AUDIO_FRAME_SAMPLES)
        frame.planes[0].update(bytes(frame.planes[0].buffer_size))
        frame.sample_rate = AUDIO_RATE_HZ
        return frame, due_s
