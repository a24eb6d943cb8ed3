"""Messages that a subscriber fetches: the transport of a `MessageSink` across an interface."""

import asyncio
import contextlib
from collections import deque
from collections.abc import Callable

from gaze.sessions.message_sink import MessageSink
from gaze.sessions.service import Messages

FETCH_WAIT_S = 10.0
"""How long a fetch waits for a message."""
UNFETCHED_LIMIT_S = 30.0
"""A subscriber that fetches nothing for so long is gone."""


class MessageQueue:
    """Holds messages until they are fetched; bytes wait until the fetch that follows.

    Parameters
    ----------
    may_command : bool
        Whether the subscriber may send commands.
    on_expired : callable, optional
        Called when the subscriber has fetched nothing for too long; the sink is then closed.

    Attributes
    ----------
    sink : MessageSink
        What puts messages in.
    waiting_bytes : int
        See `message_sink.Transport`.
    """

    def __init__(
        self, *, may_command: bool, on_expired: Callable[[], object] = lambda: None
    ) -> None:
        self.waiting_bytes = 0
        self.sink = MessageSink(self, may_command=may_command)
        self._texts: deque[str] = deque()
        self._fetched_bytes = 0
        self._more = asyncio.Event()
        self._closed = False
        self._on_expired = on_expired
        self._expiry = self._expire_after(UNFETCHED_LIMIT_S)

    def send(self, text: str) -> None:
        """Keep one message until it is fetched."""
        self._texts.append(text)
        self.waiting_bytes += len(text)
        self._more.set()

    def close(self) -> None:
        """Take no further message; what waits can still be fetched."""
        self._closed = True
        self._more.set()

    def discard(self) -> None:
        """Take no further message and forget what waits: nobody will fetch it."""
        self._expiry.cancel()
        self.sink.close()
        self._texts.clear()

    async def fetch(self) -> Messages:
        """Wait for messages, at most `FETCH_WAIT_S`.

        Returns
        -------
        Messages
            All that wait; none where no message came in that time.
        """
        self.waiting_bytes -= self._fetched_bytes
        self._fetched_bytes = 0
        self._expiry.cancel()
        self._expiry = self._expire_after(FETCH_WAIT_S + UNFETCHED_LIMIT_S)
        self.sink.flush()
        if not self._texts and not self._closed:
            self._more.clear()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(FETCH_WAIT_S):
                    await self._more.wait()
        texts = tuple(self._texts)
        self._texts.clear()
        self._fetched_bytes = sum(map(len, texts))
        return Messages(texts, self._closed)

    def _expire_after(self, delay_s: float) -> asyncio.TimerHandle:
        return asyncio.get_running_loop().call_later(delay_s, self._expire)

    def _expire(self) -> None:
        self.discard()
        self._on_expired()
