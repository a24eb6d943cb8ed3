"""The messages of the data channel."""

from typing import Any

from aiortc import RTCDataChannel
from pyee.base import EventEmitter

from gaze.sessions.data_channel import Channel
from gaze.sessions.message_sink import MessageSink


class OpenChannel(EventEmitter):
    """What a data channel is to its user, without a peer."""

    def __init__(self) -> None:
        super().__init__()
        self.readyState = "open"
        self.bufferedAmount = 0
        self.bufferedAmountLowThreshold = 0
        self.sent: list[str] = []

    def send(self, text: str) -> None:
        self.sent.append(text)

    def close(self) -> None:
        self.readyState = "closing"


def opened() -> tuple[Any, list[str | bytes], Channel]:
    taken: list[str | bytes] = []
    channel: Any = OpenChannel()
    assert {"readyState", "bufferedAmount", "bufferedAmountLowThreshold"} <= set(
        dir(RTCDataChannel)
    )

    def receive(text: str | bytes, sink: MessageSink) -> None:
        taken.append(text)

    return channel, taken, Channel(channel, receive)


def test_commands_come_in_and_messages_go_out() -> None:
    channel, taken, served = opened()
    channel.emit("message", "{}")
    assert taken == ["{}"]
    served.sink.send({"type": "pong"})
    assert channel.sent == ['{"type":"pong"}']


def test_what_waited_goes_out_once_there_is_room() -> None:
    channel, _, served = opened()
    channel.bufferedAmount = 1 << 19
    served.sink.send({"type": "pong"})
    assert channel.sent == []
    channel.bufferedAmount = 0
    channel.emit("bufferedamountlow")
    assert channel.sent == ['{"type":"pong"}']


def test_once_closed_nothing_comes_or_goes() -> None:
    channel, taken, served = opened()
    served.close()
    assert channel.readyState == "closing"
    channel.emit("message", "{}")
    served.sink.send({"type": "pong"})
    assert (taken, channel.sent) == ([], [])
