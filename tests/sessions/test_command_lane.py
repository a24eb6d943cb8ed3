"""Commands in their order, and which of them wait."""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator
from http import HTTPStatus

import pytest

from gaze.base.problems import ProblemError
from gaze.sessions import command_lane
from gaze.sessions.command_lane import WAITING_LIMIT, CommandLane
from gaze.sessions.message_sink import MessageSink


class Taken:
    """Takes messages without end."""

    waiting_bytes = 0

    def __init__(self) -> None:
        self.messages: list[dict[str, object]] = []

    def send(self, text: str) -> None:
        self.messages.append(json.loads(text))

    def close(self) -> None:
        pass


@pytest.fixture
def taken() -> Taken:
    return Taken()


@pytest.fixture
def sink(taken: Taken) -> MessageSink:
    return MessageSink(taken, may_command=True)


@pytest.fixture
async def lane() -> AsyncIterator[CommandLane]:
    made = CommandLane()
    running = asyncio.create_task(made.run())
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_commands_follow_one_another(lane: CommandLane, sink: MessageSink) -> None:
    done: list[int] = []
    last = asyncio.Event()

    def command(number: int) -> command_lane.Work:
        async def work() -> None:
            await asyncio.sleep(0.01 * (3 - number))
            done.append(number)
            if number == 2:
                last.set()

        return work

    for number in range(3):
        lane.put(command(number), sink)
    await asyncio.wait_for(last.wait(), 5)
    assert done == [0, 1, 2]


async def test_a_failed_command_is_answered_and_the_next_is_carried_out(
    lane: CommandLane, sink: MessageSink, taken: Taken
) -> None:
    done = asyncio.Event()

    async def wrong() -> None:
        raise ProblemError(HTTPStatus.CONFLICT, "not now", field="action")

    async def bug() -> None:
        raise KeyError("secret")

    async def right() -> None:
        done.set()

    for work in (wrong, bug, right):
        lane.put(work, sink)
    await asyncio.wait_for(done.wait(), 5)
    assert [message["status"] for message in taken.messages] == [409, 500]
    assert "secret" not in str(taken.messages[1])


async def test_a_command_takes_a_bounded_time(
    lane: CommandLane, sink: MessageSink, taken: Taken, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command_lane, "COMMAND_LIMIT_S", 0.01)
    done = asyncio.Event()

    async def stuck() -> None:
        await asyncio.Event().wait()

    async def right() -> None:
        done.set()

    lane.put(stuck, sink)
    lane.put(right, sink)
    await asyncio.wait_for(done.wait(), 5)
    assert [message["status"] for message in taken.messages] == [504]


async def test_only_so_many_wait(sink: MessageSink) -> None:
    lane = CommandLane()

    async def nothing() -> None:
        pass

    for _ in range(WAITING_LIMIT):
        lane.put(nothing, sink)
    with pytest.raises(ProblemError) as caught:
        lane.put(nothing, sink)
    assert caught.value.problem.status == HTTPStatus.TOO_MANY_REQUESTS
    lane.clear()
    lane.put(nothing, sink)
