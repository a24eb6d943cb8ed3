"""The film of one session: where its frames come from, and the track that returns them."""

import asyncio
import dataclasses
import fractions
import functools
import time
from collections.abc import Callable
from typing import Protocol

import av
from aiortc.mediastreams import MediaStreamError, MediaStreamTrack

from gaze.frames.latest import LatestValue, LatestValueClosed
from gaze.frames.metadata import metadata_of
from gaze.media.backlog import CATCH_UP_RATE, MAX_BACKLOG_S, PictureBacklog
from gaze.media.player import Player

HELD_INTERVAL_S = 1 / 30
STALLED_INTERVAL_S = 0.1
VIDEO_CLOCK_HZ = 90_000
AUDIO_RATE_HZ = 48_000
AUDIO_FRAME_SAMPLES = 960


class FilmSource(Protocol):
    """Frames of a film, each when it is due."""

    async def next(self) -> tuple[av.VideoFrame, float]:
        """Wait for the newest frame that is due.

        Returns
        -------
        frame : av.VideoFrame
            Shared; not to be written to.
        due_s : float
            When it was due, monotonic.

        Raises
        ------
        LatestValueClosed
            The film is over for good.
        """
        ...


class LiveFilm:
    """A film that comes as it is: from the browser, or from an address.

    While `held`, the same frame is given again and again, so that effects stay alive; so it is when
    nothing new comes for a while (a still screen, a player that the page stopped). What
    comes meanwhile is lost, or else, while `keeping`, kept, and played a little faster afterwards
    until it is live.

    Parameters
    ----------
    slot : callable
        Returns where the newest frame is; None where no film comes.
    capture_s : callable, optional
        Tells from a frame's `pts` when it was captured, in monotonic seconds; None if not known.

    Attributes
    ----------
    held, keeping : bool
        See above.
    """

    def __init__(
        self,
        slot: Callable[[], LatestValue[av.VideoFrame] | None],
        capture_s: Callable[[int | None], float | None] = lambda pts: None,
    ) -> None:
        self.held = False
        self.keeping = False
        self._slot = slot
        self._capture_s = capture_s
        self._lag_s = 0.0
        self._last: av.VideoFrame | None = None
        self._backlog = PictureBacklog()
        self._going: tuple[float, float] | None = None

    @property
    def behind_s(self) -> float:
        """Return how long ago what is shown was live, in seconds; 0 once all is caught up with."""
        first_s = self._backlog.first_s
        return 0.0 if first_s is None else max(0.0, time.monotonic() - self._lag_s - first_s)

    async def next(self) -> tuple[av.VideoFrame, float]:
        """Wait for the newest frame that is due; see `FilmSource.next`."""
        if self._last is None:
            slot = self._slot()
            if slot is None:
                raise LatestValueClosed
            self._last = await slot.get()
            return self._last, self._due_s(self._last)
        if not self.keeping:
            self._backlog.clear()
        if self.held:
            self._going = None
            return self._last, await self._hold()
        due_s = await self._take(STALLED_INTERVAL_S, keep=len(self._backlog) > 0)
        if self._backlog:
            await self._catch_up(due_s)
        return self._last, due_s

    async def _hold(self) -> float:
        """Let a moment pass; what comes in it is kept, or not looked at."""
        if not self.keeping:
            await asyncio.sleep(HELD_INTERVAL_S)
            return time.monotonic() - self._lag_s
        return await self._take(HELD_INTERVAL_S, keep=True)

    async def _take(self, most_s: float, *, keep: bool) -> float:
        """Wait for the next frame, not for ever; return when it, or now, is due."""
        slot = self._slot()
        if slot is None:
            raise LatestValueClosed
        try:
            async with asyncio.timeout(most_s):
                frame = await slot.get()
        except TimeoutError:
            return time.monotonic() - self._lag_s
        due_s = self._due_s(frame)
        if keep:
            await asyncio.to_thread(self._backlog.keep, frame, due_s)
        else:
            self._last = frame
        return due_s

    async def _catch_up(self, due_s: float) -> None:
        """Show what was captured when the faster film gets there."""
        if self._going is None:
            assert self._backlog.first_s is not None  # noqa: S101 - an invariant, which also narrows the type
            self._going = due_s, max(self._backlog.first_s, due_s - MAX_BACKLOG_S)
        since_s, from_s = self._going
        reached_s = from_s + CATCH_UP_RATE * (due_s - since_s)
        taken = await asyncio.to_thread(self._backlog.take, reached_s)
        self._last = taken or self._last
        if not self._backlog:
            self._going = None

    def _due_s(self, frame: av.VideoFrame) -> float:
        now_s = time.monotonic()
        captured_s = self._capture_s(frame.pts)
        if captured_s is None:
            return now_s
        self._lag_s = now_s - captured_s
        return captured_s


class HostedFilm:
    """A film of the server's own.

    Parameters
    ----------
    player : Player
        Plays it.
    """

    def __init__(self, player: Player) -> None:
        self.player = player

    async def next(self) -> tuple[av.VideoFrame, float]:
        """Wait for the newest frame that is due; see `FilmSource.next`."""
        return await self.player.next_video()


class ServedFilm:
    """What the server sends of its own; another source can take its place at any time.

    Parameters
    ----------
    source : FilmSource
        The first one.
    """

    def __init__(self, source: FilmSource) -> None:
        self.source = source

    async def next(self) -> tuple[av.VideoFrame, float]:
        """Wait for the newest frame that is due; see `FilmSource.next`."""
        while True:
            source = self.source
            try:
                return await source.next()
            except LatestValueClosed:
                if source is self.source:
                    raise


Draw = Callable[[], av.VideoFrame]
Prepare = Callable[[av.VideoFrame], Draw]
OnFailure = Callable[[Exception], None]


class ReturnedFilm(MediaStreamTrack):
    """The modified film that goes back: takes the newest frame whenever the encoder is free.

    It gives frames as they came. What is sent instead is drawn by the thread that encodes it, since
    every change of threads costs delay.

    Parameters
    ----------
    source : FilmSource
        Where the frames come from.
    prepare : callable
        Decides how a frame is drawn.
    on_failure : callable
        Called on the event loop with an error of the source, of `prepare` or of drawing: aiortc
        would end its sender without a word.

    Attributes
    ----------
    due_s : float or None
        When the frame given last was due, monotonic.
    draw : callable or None
        Draws that frame; to be called in a worker thread, once.
    """

    kind = "video"

    def __init__(
        self,
        source: FilmSource,
        prepare: Prepare,
        on_failure: OnFailure = lambda error: None,
    ) -> None:
        super().__init__()
        self._source = source
        self._prepare = prepare
        self._on_failure = on_failure
        self._event_loop = asyncio.get_running_loop()
        self.due_s: float | None = None
        self.draw: Draw | None = None
        self._epoch_s: float | None = None
        self._last: av.VideoFrame | None = None
        self._last_pts = -1

    async def recv(self) -> av.VideoFrame:
        """Give the next frame.

        Returns
        -------
        av.VideoFrame
            As it came; `draw` makes what is sent of it.

        Raises
        ------
        MediaStreamError
            The film is over, or failed.
        """
        if self.readyState != "live":
            raise MediaStreamError
        try:
            return await self._next()
        except LatestValueClosed:
            self.stop()
            raise MediaStreamError from None
        except Exception as error:
            self.stop()
            self._on_failure(error)
            raise MediaStreamError from error

    async def _next(self) -> av.VideoFrame:
        frame, due_s = await self._source.next()
        self.due_s = due_s
        if self._epoch_s is None:
            self._epoch_s = due_s
        self._last_pts = max(self._last_pts + 1, round((due_s - self._epoch_s) * VIDEO_CLOCK_HZ))
        encoded_bytes = 0 if frame is self._last else metadata_of(frame).encoded_bytes
        self._last = frame
        self.draw = functools.partial(
            self._draw, frame, self._prepare(frame), self._last_pts, encoded_bytes
        )
        return frame

    def _draw(
        self, frame: av.VideoFrame, draw: Draw, pts: int, encoded_bytes: int
    ) -> av.VideoFrame:
        try:
            drawn = draw()
        except Exception as error:
            self._event_loop.call_soon_threadsafe(self._on_failure, error)
            drawn = frame.reformat(format="yuv420p")
        return _stamped(drawn, pts, encoded_bytes)


def _stamped(drawn: av.VideoFrame, pts: int, encoded_bytes: int) -> av.VideoFrame:
    drawn.opaque = dataclasses.replace(metadata_of(drawn), encoded_bytes=encoded_bytes)
    drawn.pts, drawn.time_base = pts, fractions.Fraction(1, VIDEO_CLOCK_HZ)
    return drawn


class ReturnedSound(MediaStreamTrack):
    """The film's sound; goes on without a break when the film is changed.

    Timestamps count samples; where samples were left out, they leave them out too.

    Parameters
    ----------
    current : callable
        Returns the track to read now; None is silence.
    on_failure : callable
        Called with an error of that track that is not its end.

    Attributes
    ----------
    due_s : float or None
        When the first sample of the frame given last was due, monotonic.
    """

    kind = "audio"

    def __init__(
        self,
        current: Callable[[], MediaStreamTrack | None],
        on_failure: OnFailure = lambda error: None,
    ) -> None:
        super().__init__()
        self._current = current
        self._on_failure = on_failure
        self.due_s: float | None = None
        self._pts = 0
        self._next_due_s: float | None = None
        self._silence_due_s: float | None = None

    async def recv(self) -> av.AudioFrame:
        """Give the next frame.

        Returns
        -------
        av.AudioFrame
            48 kHz.

        Raises
        ------
        MediaStreamError
            The sound is over, or failed.
        """
        if self.readyState != "live":
            raise MediaStreamError
        try:
            frame, due_s = await self._next()
        except MediaStreamError:
            raise
        except Exception as error:
            self.stop()
            self._on_failure(error)
            raise MediaStreamError from error
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
            assert isinstance(frame, av.AudioFrame)  # noqa: S101 - an invariant, which also narrows the type
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
