"""Where a film is at a given moment, and how to wait for one: playback time without drift."""

import asyncio
import time
from typing import Protocol


class PlaybackClock:
    """Maps monotonic time to the position in a film and back.

    Pure arithmetic on one anchor (a position and the moment it was valid), so that nothing adds up
    and nothing drifts. A new clock stands still. All times and positions are in seconds.
    """

    def __init__(self, duration_s: float, position_s: float = 0.0) -> None:
        self.duration_s = duration_s
        self._anchor_position_s = self._within(position_s)
        self._anchor_t_s = 0.0
        self._running = False

    @property
    def running(self) -> bool:
        """Whether time moves the film; True at its end too, until `pause`."""
        return self._running

    def position_s(self, t_s: float) -> float:
        """The position at time `t_s`, at most the duration.

        A time before the last pause, resume or seek gives the position of that change.
        """
        if not self._running:
            return self._anchor_position_s
        return self._within(self._anchor_position_s + max(0.0, t_s - self._anchor_t_s))

    def due_s(self, position_s: float) -> float | None:
        """The time at which the running film reaches a position; None while it stands still.

        What lies before the last change was due at that change.
        """
        if not self._running:
            return None
        return self._anchor_t_s + max(0.0, position_s - self._anchor_position_s)

    def ended(self, t_s: float) -> bool:
        """Whether the film is at its end at time `t_s`."""
        return self.position_s(t_s) >= self.duration_s

    def pause(self, t_s: float) -> None:
        """Stand still from `t_s` on."""
        self._anchor(self.position_s(t_s), t_s)
        self._running = False

    def resume(self, t_s: float) -> None:
        """Move on from `t_s`; a film that moves already just goes on."""
        if not self._running:
            self._anchor(self._anchor_position_s, t_s)
            self._running = True

    def seek(self, position_s: float, t_s: float) -> None:
        """Go to a position (kept within the film) at `t_s`, moving or standing as before."""
        self._anchor(self._within(position_s), t_s)

    def _anchor(self, position_s: float, t_s: float) -> None:
        self._anchor_position_s = position_s
        self._anchor_t_s = t_s

    def _within(self, position_s: float) -> float:
        return min(max(0.0, position_s), self.duration_s)


class TimeSource(Protocol):
    """Monotonic time, and waiting for it. Tests script one."""

    def now_s(self) -> float:
        """The time now."""

    async def wait(self, event: asyncio.Event, until_s: float | None) -> None:
        """Return when the event is set or at `until_s`, whichever comes first; may set the event.

        `until_s` None waits for the event alone.
        """


class MonotonicTime:
    """`time.monotonic` and the event loop's timers."""

    def now_s(self) -> float:
        return time.monotonic()

    async def wait(self, event: asyncio.Event, until_s: float | None) -> None:
        if until_s is None:
            await event.wait()
            return
        timer = asyncio.get_running_loop().call_later(until_s - time.monotonic(), event.set)
        try:
            await event.wait()
        finally:
            timer.cancel()
