"""One place for the newest item: what bounds delay when a stage cannot keep up."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValueClosed(Exception):
    """Raised by `LatestValue.get` once the value was closed."""


class LatestValue(Generic[T]):
    """Holds the newest item only; an older one that was not taken is dropped and counted.

    Not thread-safe: all methods are called on the event loop.

    Attributes
    ----------
    received : int
        How many items were put.
    dropped : int
        How many of these were replaced before anybody took them.
    """

    def __init__(self) -> None:
        self.received = 0
        self.dropped = 0
        self._item: T | None = None
        self._closed = False
        self._ready = asyncio.Event()

    def put(self, item: T) -> None:
        """Replace the waiting item, if there is one. After `close` nothing is kept.

        Parameters
        ----------
        item : T
            The new item; not None.
        """
        if self._closed:
            return
        self.received += 1
        if self._item is not None:
            self.dropped += 1
        self._item = item
        self._ready.set()

    async def get(self) -> T:
        """Wait for the next item and take it.

        Returns
        -------
        T
            The newest item.

        Raises
        ------
        LatestValueClosed
            If `close` was called, before or during the wait.
        """
        while self._item is None:
            if self._closed:
                raise LatestValueClosed
            self._ready.clear()
            await self._ready.wait()
        item, self._item = self._item, None
        return item

    def close(self) -> None:
        """Drop the waiting item and wake whoever waits."""
        self._closed = True
        self._item = None
        self._ready.set()
