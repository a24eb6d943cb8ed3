"""Where a film is at a given moment, and how to wait for one: playback time without drift."""

import asyncio
import time
from typing import Protocol


class PlaybackClock:
    """Maps monotonic time to the position in a film and back.

    Pure arithmetic on one anchor (a position and the moment it was valid), so that no rounding
    errors add up. A new clock is paused. All times and positions are in seconds.
    """

    def __init__(self, duration_s: float, position_s: float = 0.0) -> None:
        """Set the clock up, paused.

        Parameters
        ----------
        duration_s : float
            Length of the film.
        position_s : float, default 0
            Where to begin; clamped to the film.
        """
        self.duration_s = duration_s
        self._anchor_position_s = self._clamp(position_s)
        self._anchor_t_s = 0.0
        self._running = False

    @property
    def running(self) -> bool:
        """Whether time moves the film; True at its end too, until `pause`."""
        return self._running

    def position_s(self, t_s: float) -> float:
        """Return the position at a time.

        Parameters
        ----------
        t_s : float
            Monotonic time. A time before the last pause, resume or seek gives the position of that
            change.

        Returns
        -------
        float
            At most the duration.
        """
        if not self._running:
            return self._anchor_position_s
        return self._clamp(self._anchor_position_s + max(0.0, t_s - self._anchor_t_s))

    def due_s(self, position_s: float) -> float | None:
        """Return the time at which the running film reaches a position.

        Parameters
        ----------
        position_s : float
            Position in the film. One before the last change was due at that change.

        Returns
        -------
        float or None
            Monotonic time; None while the clock is paused.
        """
        if not self._running:
            return None
        return self._anchor_t_s + max(0.0, position_s - self._anchor_position_s)

    def ended(self, t_s: float) -> bool:
        """Return whether the film is at its end.

        Parameters
        ----------
        t_s : float
            Monotonic time.

        Returns
        -------
        bool
            Whether the position at that time is the duration.
        """
        return self.position_s(t_s) >= self.duration_s

    def pause(self, t_s: float) -> None:
        """Stop.

        Parameters
        ----------
        t_s : float
            From when on, monotonic time.
        """
        self._anchor(self.position_s(t_s), t_s)
        self._running = False

    def resume(self, t_s: float) -> None:
        """Run; a clock that runs already goes on.

        Parameters
        ----------
        t_s : float
            From when on, monotonic time.
        """
        if not self._running:
            self._anchor(self._anchor_position_s, t_s)
            self._running = True

    def seek(self, position_s: float, t_s: float) -> None:
        """Go to a position, running or paused as before.

        Parameters
        ----------
        position_s : float
            Position in the film; clamped to it.
        t_s : float
            When, monotonic time.
        """
        self._anchor(self._clamp(position_s), t_s)

    def _anchor(self, position_s: float, t_s: float) -> None:
        self._anchor_position_s = position_s
        self._anchor_t_s = t_s

    def _clamp(self, position_s: float) -> float:
        return min(max(0.0, position_s), self.duration_s)


class TimeSource(Protocol):
    """Monotonic time, and waiting for it. Tests script one."""

    def now_s(self) -> float:
        """Return the time now."""

    async def wait(self, event: asyncio.Event, until_s: float | None) -> None:
        """Wait for an event or a time, whichever comes first.

        Parameters
        ----------
        event : asyncio.Event
            The event; may be set by this method.
        until_s : float or None
            Monotonic time; None waits for the event alone.
        """


class MonotonicTime:
    """`time.monotonic` and the event loop's timers."""

    def now_s(self) -> float:
        """Return `time.monotonic()`."""
        return time.monotonic()

    async def wait(self, event: asyncio.Event, until_s: float | None) -> None:
        """Wait for an event or a time, whichever comes first; see `TimeSource.wait`.

        Parameters
        ----------
        event : asyncio.Event
            The event; it is set at `until_s`.
        until_s : float or None
            Monotonic time; None waits for the event alone.
        """
        if until_s is None:
            await event.wait()
            return
        timer = asyncio.get_running_loop().call_later(until_s - time.monotonic(), event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()
