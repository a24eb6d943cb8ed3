"""The data channel `gaze`: a sink for messages and a source of commands."""

from collections.abc import Callable

from aiortc import RTCDataChannel

from gaze.sessions.message_sink import REPLACE_ABOVE_BYTES, MessageSink

Receive = Callable[[str | bytes, MessageSink], None]


class _ChannelTransport:
    """Carries a sink's messages over a data channel."""

    def __init__(self, channel: RTCDataChannel) -> None:
        self._channel = channel

    @property
    def waiting_bytes(self) -> int:
        return self._channel.bufferedAmount

    def send(self, text: str) -> None:
        if self._channel.readyState == "open":
            self._channel.send(text)

    def close(self) -> None:
        if self._channel.readyState == "open":
            self._channel.close()


class Channel:
    """Serves one data channel until it closes.

    Parameters
    ----------
    channel : RTCDataChannel
        The browser's.
    receive : callable
        Takes each command as it comes, and the sink that answers go to; does not raise.

    Attributes
    ----------
    sink : MessageSink
        Sends messages over the channel.
    """

    def __init__(self, channel: RTCDataChannel, receive: Receive) -> None:
        self.sink = MessageSink(_ChannelTransport(channel), may_command=True)
        self._receive = receive
        channel.bufferedAmountLowThreshold = REPLACE_ABOVE_BYTES
        channel.on("bufferedamountlow", self.sink.flush)
        channel.on("message", self._on_message)
        channel.on("close", self.sink.close)

    def _on_message(self, text: str | bytes) -> None:
        if not self.sink.closed:
            self._receive(text, self.sink)

    def close(self) -> None:
        """Send and take nothing more."""
        self.sink.close()
