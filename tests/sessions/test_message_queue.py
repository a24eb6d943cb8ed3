"""Messages that wait for a subscriber."""

import asyncio
import json

import pytest

from gaze.sessions import message_queue
from gaze.sessions.message_queue import MessageQueue
from gaze.sessions.message_sink import REPLACE_ABOVE_BYTES


def types(texts: tuple[str, ...]) -> list[str]:
    return [json.loads(text)["type"] for text in texts]


async def test_a_fetch_waits_for_messages_and_takes_all_there_are() -> None:
    queue = MessageQueue(may_command=True)
    fetching = asyncio.create_task(queue.fetch())
    await asyncio.sleep(0)
    queue.sink.send({"type": "effects"})
    queue.sink.send({"type": "pong"})
    messages = await fetching
    assert types(messages.texts) == ["effects", "pong"]
    assert not messages.closed
    queue.discard()


async def test_a_fetch_ends_without_messages_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_queue, "FETCH_WAIT_S", 0.01)
    queue = MessageQueue(may_command=True)
    messages = await queue.fetch()
    assert (messages.texts, messages.closed) == ((), False)
    queue.discard()


async def test_bytes_wait_until_the_fetch_that_follows() -> None:
    queue = MessageQueue(may_command=True)
    while queue.waiting_bytes <= REPLACE_ABOVE_BYTES:
        queue.sink.send({"type": "effects", "effects": "x" * 1000})
    queue.sink.send({"type": "gaze", "t": 1})
    queue.sink.send({"type": "gaze", "t": 2})
    await queue.fetch()
    assert queue.waiting_bytes > REPLACE_ABOVE_BYTES
    queue.sink.send({"type": "gaze", "t": 3})
    assert [json.loads(text)["t"] for text in (await queue.fetch()).texts] == [3]
    queue.discard()


async def test_the_last_messages_can_be_fetched_after_the_end() -> None:
    queue = MessageQueue(may_command=True)
    queue.sink.send({"type": "error"})
    queue.sink.close()
    messages = await queue.fetch()
    assert (types(messages.texts), messages.closed) == (["error"], True)
    queue.discard()


async def test_who_fetches_nothing_is_forgotten(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(message_queue, "UNFETCHED_LIMIT_S", 0.01)
    expired = asyncio.Event()
    queue = MessageQueue(may_command=True, on_expired=expired.set)
    await asyncio.wait_for(expired.wait(), 5)
    assert queue.sink.closed
