"""Messages on their way to one client, bounded: what docs/api.md says of slow clients."""

import json
from collections import deque
from collections.abc import Callable, Mapping
from typing import Any, Protocol

REPLACEABLE = ("gaze", "stats")
REPLACE_ABOVE_BYTES = 16 * 1024
CLOSE_ABOVE_BYTES = 1024 * 1024


class Transport(Protocol):
    """What carries an outlet's messages: a data channel or a WebSocket."""

    @property
    def waiting_bytes(self) -> int:
        """Bytes handed over and not yet sent."""
        ...

    def send(self, text: str) -> None: ...

    def close(self) -> None: ...


class MessageSink:
    """Sends messages to one client.

    While more than 16 kB wait, the newest `gaze` and `stats` replace older ones; replies are never
    dropped; a client that lets 1 MB wait is closed.
    """

    def __init__(self, transport: Transport, *, may_command: bool) -> None:
        self.may_command = may_command
        self.closed = False
        self._transport = transport
        self._replies: deque[str] = deque()
        self._replies_bytes = 0
        self._newest: dict[str, str] = {}
        self._on_close: Callable[[], None] | None = None

    def on_close(self, callback: Callable[[], None]) -> None:
        """Call back once, when the outlet closes."""
        self._on_close = callback

    def send(self, message: Mapping[str, Any]) -> None:
        """Send or keep one message."""
        if self.closed:
            return
        text = json.dumps(message, separators=(",", ":"), allow_nan=False)
        if message["type"] in REPLACEABLE:
            self._newest[message["type"]] = text
        else:
            self._replies.append(text)
            self._replies_bytes += len(text)
        self.flush()
        if self._replies_bytes + self._transport.waiting_bytes > CLOSE_ABOVE_BYTES:
            self.close()

    def flush(self) -> None:
        """Hand over what the transport has room for; called again when it has sent some."""
        while self._replies and self._transport.waiting_bytes <= REPLACE_ABOVE_BYTES:
            text = self._replies.popleft()
            self._replies_bytes -= len(text)
            self._transport.send(text)
        while self._newest and self._transport.waiting_bytes <= REPLACE_ABOVE_BYTES:
            self._transport.send(self._newest.pop(next(iter(self._newest))))

    def close(self) -> None:
        """Close the transport; nothing is sent any more."""
        if self.closed:
            return
        self.closed = True
        self._replies.clear()
        self._newest.clear()
        self._transport.close()
        if self._on_close is not None:
            self._on_close()
