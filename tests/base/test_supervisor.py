"""The supervisor: what becomes of tasks that die, and that closing always completes."""

import asyncio
import time
from collections.abc import AsyncIterator

import pytest
import structlog

from gaze.base.metrics import Metrics
from gaze.base.supervisor import CLOSE_LIMIT_S, Restart, Supervisor

AT_ONCE = Restart(pauses_s=(0.0, 0.0, 0.0))


class Deaths:
    """Remembers the deaths reported to it."""

    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []
        self.one = asyncio.Event()

    def __call__(self, kind: str, error: Exception) -> None:
        self.told.append((kind, str(error)))
        self.one.set()


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def deaths() -> Deaths:
    return Deaths()


@pytest.fixture
async def supervisor(metrics: Metrics, deaths: Deaths) -> AsyncIterator[Supervisor]:
    made = Supervisor(metrics, deaths, session="one")
    yield made
    await made.close()


def counted(metrics: Metrics, kind: str) -> float:
    line = f'gaze_task_failures_total{{kind="{kind}"}} '
    found = [x for x in metrics.scrape().decode().splitlines() if x.startswith(line)]
    return float(found[0].removeprefix(line)) if found else 0.0


async def test_a_task_that_dies_is_reported_once_and_its_siblings_go_on(
    supervisor: Supervisor, metrics: Metrics, deaths: Deaths
) -> None:
    going_on = asyncio.Event()

    async def dies() -> None:
        raise ValueError("out of eyes")

    async def lives() -> None:
        await deaths.one.wait()
        await asyncio.sleep(0)
        going_on.set()

    with structlog.testing.capture_logs() as logs:
        supervisor.start("gaze", dies)
        supervisor.start("stats", lives)
        await asyncio.wait_for(going_on.wait(), 5)
    assert deaths.told == [("gaze", "out of eyes")]
    assert counted(metrics, "gaze") == 1
    (entry,) = logs
    assert (entry["session"], entry["kind"]) == ("one", "gaze")
    assert "out of eyes" in entry["error"]


async def test_a_task_is_started_again_until_its_pauses_are_used_up(
    supervisor: Supervisor, metrics: Metrics, deaths: Deaths
) -> None:
    starts = 0
    restarts: list[str] = []

    async def dies() -> None:
        nonlocal starts
        starts += 1
        raise ValueError(f"start {starts}")

    supervisor.start(
        "gaze", dies, restart=AT_ONCE, on_restart=lambda kind, error: restarts.append(str(error))
    )
    await asyncio.wait_for(deaths.one.wait(), 5)
    assert starts == 4
    assert restarts == ["start 1", "start 2", "start 3"]
    assert deaths.told == [("gaze", "start 4")]
    assert counted(metrics, "gaze") == 4


async def test_who_ran_well_for_long_has_all_restarts_again(
    supervisor: Supervisor, deaths: Deaths
) -> None:
    starts = 0
    enough = asyncio.Event()

    async def dies() -> None:
        nonlocal starts
        starts += 1
        if starts == 10:
            enough.set()
            await asyncio.Event().wait()
        raise ValueError

    restart = Restart(pauses_s=(0.0,), forgiven_after_s=-1.0)
    supervisor.start("gaze", dies, restart=restart)
    await asyncio.wait_for(enough.wait(), 5)
    assert not deaths.told


async def test_pauses_grow_and_end() -> None:
    pauses_s = Restart().pauses_s
    assert list(pauses_s) == sorted(pauses_s)
    assert sum(pauses_s[:2]) < 1


async def test_an_inner_cancellation_is_a_death_too(supervisor: Supervisor, deaths: Deaths) -> None:
    async def waits_for_what_is_cancelled() -> None:
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        future.cancel()
        await future

    supervisor.start("gaze", waits_for_what_is_cancelled)
    await asyncio.wait_for(deaths.one.wait(), 5)


async def test_parts_are_closed_last_first_whatever_they_raise(metrics: Metrics) -> None:
    supervisor = Supervisor(metrics)
    closed: list[str] = []

    def part(name: str, error: BaseException | None = None) -> None:
        async def close() -> None:
            closed.append(name)
            if error is not None:
                raise error

        supervisor.own(name, close)

    part("tracker")
    part("film", ValueError("no"))
    part("peer", asyncio.CancelledError())
    supervisor.own("plain function", lambda: closed.append("plain function"))
    await supervisor.close()
    assert closed == ["plain function", "peer", "film", "tracker"]
    assert counted(metrics, "close") == 2


async def test_closing_ends_tasks_before_parts(metrics: Metrics) -> None:
    supervisor = Supervisor(metrics)
    ended: list[str] = []
    running = asyncio.Event()

    async def task() -> None:
        try:
            running.set()
            await asyncio.Event().wait()
        finally:
            ended.append("task")

    supervisor.own("part", lambda: ended.append("part"))
    supervisor.start("task", task)
    await running.wait()
    await supervisor.close()
    assert ended == ["task", "part"]
    assert "task" not in [task.get_name() for task in asyncio.all_tasks()]


async def test_closing_takes_a_bounded_time_with_all_stuck(metrics: Metrics) -> None:
    supervisor = Supervisor(metrics)
    free = asyncio.Event()
    closed: list[str] = []

    async def stuck() -> None:
        while not free.is_set():
            try:
                await free.wait()
            except asyncio.CancelledError:
                continue

    for number in range(12):
        supervisor.own(f"stuck {number}", stuck)
    supervisor.own("last", lambda: closed.append("last"))
    supervisor.start("task", stuck)
    await asyncio.sleep(0.01)
    began_s = time.monotonic()
    await supervisor.close()
    assert time.monotonic() - began_s < CLOSE_LIMIT_S + 0.4
    assert closed == ["last"]
    assert counted(metrics, "close") == 13
    free.set()
    await asyncio.sleep(0.01)
    assert len(asyncio.all_tasks()) == 1


async def test_closing_twice_or_cancelled_closes_once(metrics: Metrics) -> None:
    supervisor = Supervisor(metrics)
    closed: list[int] = []
    go_on = asyncio.Event()

    async def close() -> None:
        await go_on.wait()
        closed.append(1)

    supervisor.own("part", close)
    first = asyncio.create_task(supervisor.close())
    await asyncio.sleep(0)
    first.cancel()
    go_on.set()
    await supervisor.close()
    assert closed == [1]


async def test_nothing_is_started_once_closed(supervisor: Supervisor, deaths: Deaths) -> None:
    await supervisor.close()

    async def never() -> None:
        raise AssertionError

    supervisor.start("late", never)
    supervisor.fail("late", ValueError())
    await asyncio.sleep(0)
    assert not deaths.told


async def test_a_failure_elsewhere_is_reported_like_a_tasks_own(
    supervisor: Supervisor, metrics: Metrics, deaths: Deaths
) -> None:
    supervisor.fail("film", ValueError("no frame"))
    assert deaths.told == [("film", "no frame")]
    assert counted(metrics, "film") == 1
