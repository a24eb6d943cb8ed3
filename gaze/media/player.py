"""One hosted film for one viewer: picture and sound in step, paced, with pause and seek."""

import asyncio
import math
from typing import Final

import av
from aiortc.mediastreams import MediaStreamTrack

from gaze.frames.latest import LatestValueClosed
from gaze.media.clock import MonotonicTime, PlaybackClock, TimeSource
from gaze.media.decode import Picture, SoundBlock, pictures, sound_blocks
from gaze.media.decode_ahead import DecodeAhead
from gaze.media.probe import FilmInfo
from gaze.media.sound import BLOCK_S, FilmSound

_PICTURES_AHEAD: Final = 4
"""Decoded pictures kept: at 25 fps enough for a pause of the decoder of 160 ms, in 5 MB at 720p.
Chosen by hand, no benchmark covers it."""

_SOUND_BLOCKS_AHEAD: Final = 25
"""Half a second of sound. Chosen by hand, no benchmark covers it."""

_STALL_S: Final = 1.0
"""How far the decoder may fall behind before the clock waits for it; until then pictures are
skipped. Chosen by hand, no benchmark covers it."""

_ROUNDING_S: Final = 1e-6
"""Positions that differ by less are the same; far above a float's rounding, far below a frame."""

_MIN_REPEAT_FPS: Final = 10.0
_MAX_REPEAT_FPS: Final = 30.0
"""A resting film is shown again at its own rate within these limits, so that effects stay alive.
Chosen by hand, no benchmark covers it."""


class Player:
    """Plays a film from the moment its picture or sound is first asked for.

    Created and used on the event loop; decoding runs in two threads of its own. The clock waits
    until the decoders have reached its position (at the start, after a seek, and when they fall
    more than a second behind), so that no part of the film is lost.

    Attributes
    ----------
    info : FilmInfo
        The film.
    loop : bool
        Whether the film begins again at its end.
    """

    def __init__(
        self, info: FilmInfo, position_s: float = 0.0, *, time: TimeSource | None = None
    ) -> None:
        """Start decoding; the clock runs from the first `next_video` or `audio.recv`.

        Parameters
        ----------
        info : FilmInfo
            The film.
        position_s : float, default 0
            Where to begin; clamped to the film.
        time : TimeSource, optional
            `MonotonicTime` by default; tests script one.

        Raises
        ------
        ValueError
            If the position is not finite.
        """
        position_s = _finite(position_s)
        self.info = info
        self._time = time or MonotonicTime()
        self._clock = PlaybackClock(info.duration_s, position_s)
        self.loop = False
        self._paused = False
        self._started = False
        self._buffering = True
        self._closed = False
        self._changed = asyncio.Event()
        self._current: Picture | None = None
        self._last_due_s = -math.inf
        self._repeat_s = 1 / min(max(info.rate_fps, _MIN_REPEAT_FPS), _MAX_REPEAT_FPS)

        start_s = self._clock.position_s(0.0)
        self._pictures: DecodeAhead[Picture] = DecodeAhead(
            info.path, pictures, start_s, _PICTURES_AHEAD, self._on_decoded
        )
        self._sound: DecodeAhead[SoundBlock] | None = None
        self._audio: FilmSound | None = None
        if info.has_audio:
            self._sound = DecodeAhead(
                info.path, sound_blocks, start_s, _SOUND_BLOCKS_AHEAD, self._on_decoded
            )
            self._audio = FilmSound(self._sound, self._audible_at, self._time)

    @property
    def audio(self) -> MediaStreamTrack | None:
        """The film's sound, silent while the film is paused or ended; None if it has none."""
        return self._audio

    @property
    def paused(self) -> bool:
        """Whether `pause` was called, and not yet `resume`."""
        return self._paused

    @property
    def ended(self) -> bool:
        """Whether the film is at its end and stays there."""
        return not self.loop and self._clock.ended(self._time.now_s())

    @property
    def position_s(self) -> float:
        """Where the film is; constant while it is paused or waits for its decoders."""
        return self._clock.position_s(self._time.now_s())

    @property
    def duration_s(self) -> float:
        """Length of the film."""
        return self.info.duration_s

    @property
    def buffering(self) -> bool:
        """Whether the clock waits for the decoders."""
        return self._buffering

    @property
    def pictures_ahead(self) -> int:
        """Number of decoded pictures that are not due yet."""
        return len(self._pictures)

    @property
    def sound_ahead_s(self) -> float:
        """Length of the decoded sound that is not due yet."""
        return 0.0 if self._sound is None else len(self._sound) * BLOCK_S

    def pause(self) -> None:
        """Pause picture and sound where they are."""
        self._paused = True
        self._update_clock()

    def resume(self) -> None:
        """Go on where the film was paused; at its end, from its beginning."""
        self._paused = False
        if self.ended:
            self.seek(0.0)
        self._update_clock()

    def seek(self, position_s: float) -> None:
        """Go to a position; a paused film stays paused.

        Parameters
        ----------
        position_s : float
            Position in the film; clamped to it.

        Raises
        ------
        ValueError
            If the position is not finite.
        """
        position_s = _finite(position_s)
        self._buffering = True
        self._update_clock()
        self._clock.seek(position_s, self._time.now_s())
        position_s = self.position_s
        self._pictures.seek(position_s)
        if self._sound is not None:
            self._sound.seek(position_s)

    async def next_video(self) -> tuple[av.VideoFrame, float]:
        """Wait until the next frame is due.

        Frames are due at their own times in the film; a caller who is late gets the newest one that
        is due and the older ones are skipped. While the film is paused, ended or waiting for its
        decoders, the current frame is due again and again, at the film's rate but between 10 and 30
        times a second.

        Returns
        -------
        frame : av.VideoFrame
            yuv420p. Its `pts` is its time in the file; it is shared and must not be written to.
        due_s : float
            When it was due, on the monotonic clock; larger than the one before.

        Raises
        ------
        LatestValueClosed
            If the player was closed, before the call or during it, or the file has no picture to
            give (it was changed since the library looked at it).
        """
        self._started = True
        while True:
            if self._closed or self._has_no_picture():
                raise LatestValueClosed
            self._update_buffering()
            now_s = self._time.now_s()
            if self.loop and not self._paused and self._has_shown_the_end(now_s):
                self.seek(0.0)
            due_s = self._take_due(now_s)
            if due_s is None and self._current is not None and self._repeat_due_s() <= now_s:
                due_s = max(self._repeat_due_s(), now_s - self._repeat_s)
            if due_s is not None:
                assert self._current is not None  # noqa: S101 - an invariant, which also narrows the type
                self._last_due_s = max(due_s, self._last_due_s + 0.001)
                return self._current.frame, self._last_due_s
            self._changed.clear()
            await self._time.wait(self._changed, self._next_event_s())

    async def close(self) -> None:
        """Stop decoding, end the sound, wake whoever waits; `DecodeAhead.close` bounds the time."""
        self._closed = True
        self._changed.set()
        if self._audio is not None:
            self._audio.stop()
        closing = [self._pictures.close()]
        if self._sound is not None:
            closing.append(self._sound.close())
        await asyncio.gather(*closing)
        self._current = None

    def _has_no_picture(self) -> bool:
        return self._current is None and self._pictures.finished and len(self._pictures) == 0

    def _has_shown_the_end(self, now_s: float) -> bool:
        return self._clock.ended(now_s) and self._pictures.finished and not len(self._pictures)

    def _take_due(self, now_s: float) -> float | None:
        """Make the newest picture that is due the current one; return since when, None if none."""
        position_s = self._clock.position_s(now_s) + _ROUNDING_S
        taken = None
        while (picture := self._pictures.peek()) is not None and picture.position_s <= position_s:
            taken = self._current = self._pictures.pop()
        if taken is None:
            return None
        due_s = self._clock.due_s(taken.position_s)
        return now_s if due_s is None else due_s

    def _repeat_due_s(self) -> float:
        """When the current frame is due again; a playing film gets time to show its next one."""
        resting = not self._clock.running or self.ended
        return self._last_due_s + self._repeat_s * (1 if resting else 2)

    def _next_event_s(self) -> float | None:
        picture = self._pictures.peek()
        next_s = None if picture is None else self._clock.due_s(picture.position_s)
        times_s = [] if next_s is None else [next_s]
        if self._current is not None:
            times_s.append(self._repeat_due_s())
        return min(times_s, default=None)

    def _audible_at(self, t_s: float) -> float | None:
        self._started = True
        self._update_buffering()
        if not self._clock.running or self._clock.ended(t_s):
            return None
        return self._clock.position_s(t_s)

    def _on_decoded(self) -> None:
        self._update_buffering()
        self._changed.set()

    def _update_buffering(self) -> None:
        """Begin or end waiting for the decoders."""
        position_s = self.position_s
        if self._buffering:
            covered = self._pictures.covers(position_s) and (
                self._sound is None or self._sound.covers(position_s)
            )
            self._buffering = not (self._started and covered)
        else:
            self._buffering = not self._pictures.covers(position_s - _STALL_S)
        self._update_clock()

    def _update_clock(self) -> None:
        now_s = self._time.now_s()
        runs = not (self._paused or self._buffering)
        if runs and not self._clock.running:
            self._clock.resume(now_s)
            self._changed.set()
        elif not runs and self._clock.running:
            self._clock.pause(now_s)
            self._changed.set()


def _finite(position_s: float) -> float:
    if not math.isfinite(position_s):
        raise ValueError(f"position must be a finite number of seconds, not {position_s}")
    return position_s
