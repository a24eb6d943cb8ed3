"""What is sent to a client that is slow."""

import json

from gaze.sessions.message_sink import CLOSE_ABOVE_BYTES, REPLACE_ABOVE_BYTES, MessageSink


class SlowTransport:
    """Takes messages and sends none of them until told to."""

    def __init__(self) -> None:
        self.taken: list[str] = []
        self.waiting_bytes = 0
        self.closed = False

    def send(self, text: str) -> None:
        self.taken.append(text)
        self.waiting_bytes += len(text)

    def close(self) -> None:
        self.closed = True

    def types(self) -> list[str]:
        return [json.loads(text)["type"] for text in self.taken]


def fill(sink: MessageSink, transport: SlowTransport) -> None:
    while transport.waiting_bytes <= REPLACE_ABOVE_BYTES:
        sink.send({"type": "effects", "effects": ["x" * 500]})


def test_messages_pass_in_order_while_there_is_room() -> None:
    transport = SlowTransport()
    sink = MessageSink(transport, may_command=True)
    for kind in ("effects", "gaze", "gaze", "stats", "pong"):
        sink.send({"type": kind})
    assert transport.types() == ["effects", "gaze", "gaze", "stats", "pong"]


def test_waiting_gaze_and_stats_are_replaced_and_replies_are_not() -> None:
    transport = SlowTransport()
    sink = MessageSink(transport, may_command=True)
    fill(sink, transport)
    taken = len(transport.taken)
    for number in range(50):
        sink.send({"type": "gaze", "t": number})
        sink.send({"type": "stats", "n": number})
        sink.send({"type": "pong", "id": number})
    assert len(transport.taken) == taken
    transport.waiting_bytes = 0
    sink.flush()
    sent = [json.loads(text) for text in transport.taken[taken:]]
    assert [m["id"] for m in sent if m["type"] == "pong"] == list(range(50))
    assert [m["t"] for m in sent if m["type"] == "gaze"] == [49]
    assert [m["n"] for m in sent if m["type"] == "stats"] == [49]


def test_a_client_that_lets_a_megabyte_wait_is_closed() -> None:
    transport = SlowTransport()
    sink = MessageSink(transport, may_command=True)
    told: list[bool] = []
    sink.on_close(lambda: told.append(True))
    sent_bytes = 0
    while not sink.closed and sent_bytes < 2 * CLOSE_ABOVE_BYTES:
        sink.send({"type": "pong", "id": "x" * 10_000})
        sent_bytes += 10_000
    assert transport.closed
    assert told == [True]
    assert abs(sent_bytes - CLOSE_ABOVE_BYTES) < 30_000


def test_gaze_alone_never_closes_a_client() -> None:
    transport = SlowTransport()
    sink = MessageSink(transport, may_command=True)
    fill(sink, transport)
    for number in range(100_000):
        sink.send({"type": "gaze", "t": number})
    assert not sink.closed
