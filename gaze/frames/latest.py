"""One place for the newest item: what keeps delay bounded when a stage cannot keep up."""

import asyncio
from typing import Generic, TypeVar

T = TypeVar("T")


class LatestValueClosed(Exception):
    """Raised by `LatestValue.get` once the slot is closed."""


class LatestValue(Generic[T]):
    """Holds the newest item only; an older one that nobody took is dropped and counted.

    All methods are called on the event loop.
    """

    def __init__(self) -> None:
        self.received = 0
        self.dropped = 0
        self._item: T | None = None
        self._closed = False
        self._ready = asyncio.Event()

    def put(self, item: T) -> None:
        """Replace the waiting item, if any. After `close` nothing is kept."""
        if self._closed:
            return
        self.received += 1
        if self._item is not None:
            self.dropped += 1
        self._item = item
        self._ready.set()

    async def get(self) -> T:
        """Wait for the next item and take it.

        Raises:
            LatestValueClosed: the slot was closed.
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
