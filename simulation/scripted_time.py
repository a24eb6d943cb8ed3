"""A clock that a test moves, and waiting for what other tasks and threads do."""

import asyncio
from collections.abc import Callable
from pathlib import Path


class ScriptedTime:
    """A monotonic clock that stands still until the test moves it."""

    def __init__(self) -> None:
        self.t_s = 1000.0
        self._waiting: list[tuple[float, asyncio.Event]] = []

    def now_s(self) -> float:
        """Return the time."""
        return self.t_s

    async def wait(self, event: asyncio.Event, until_s: float | None) -> None:
        """Wait for an event, until a time of this clock.

        Parameters
        ----------
        event : asyncio.Event
            Set by others, or by `move_to` when the time has come.
        until_s : float or None
            The limit; None for no limit.
        """
        entry = (float("inf") if until_s is None else until_s, event)
        if entry[0] <= self.t_s:
            return
        self._waiting.append(entry)
        try:
            await event.wait()
        finally:
            self._waiting.remove(entry)

    @property
    def next_s(self) -> float:
        """The earliest limit that somebody waits for; infinity if nobody waits."""
        return min((until_s for until_s, _ in self._waiting), default=float("inf"))

    def move_to(self, t_s: float) -> None:
        """Move the clock forward and wake those whose limit has come.

        Parameters
        ----------
        t_s : float
            The new time.

        Raises
        ------
        ValueError
            If that is before the present time.
        """
        if t_s < self.t_s:
            raise ValueError(f"the clock is at {self.t_s} s and cannot go back to {t_s} s")
        self.t_s = t_s
        for until_s, event in self._waiting:
            if until_s <= t_s:
                event.set()


def open_files() -> int:
    """Return how many files this process has open (Linux)."""
    return len(list(Path("/proc/self/fd").iterdir()))


async def settled() -> None:
    """Let every callback and task that can run now do so."""
    for _ in range(8):
        await asyncio.sleep(0)


async def reached(condition: Callable[[], bool]) -> None:
    """Wait for a condition that other threads bring about, at most 30 s.

    Parameters
    ----------
    condition : callable
        Returns whether it holds.

    Raises
    ------
    TimeoutError
        If it does not hold in time.
    """
    async with asyncio.timeout(30):
        while not condition():
            await asyncio.sleep(0.001)
    await settled()
