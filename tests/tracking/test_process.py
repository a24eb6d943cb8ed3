"""A tracking process: it is watched, and replaced when it stops, dies or grows."""

import asyncio
import os
import signal
import time

import pytest

from gaze.tracking import process as process_module
from gaze.tracking.pool import Trackers
from gaze.tracking.process import TrackerLostError, TrackingProcess
from simulation.server_process import running_server
from tests.timing import limit_s
from tests.tracking.conftest import running, until_gone


async def watched() -> tuple[TrackingProcess, asyncio.Task[None]]:
    one = TrackingProcess()
    watching = asyncio.create_task(one.watch())
    await one.until_ready()
    return one, watching


async def test_it_answers_pings_until_it_is_killed() -> None:
    one, watching = await watched()
    await asyncio.sleep(3 * process_module.PING_INTERVAL_S)
    assert one.running
    one.kill()
    with pytest.raises(TrackerLostError, match="has ended"):
        await watching
    assert not running(one.pid)


async def test_a_stopped_one_is_noticed_and_killed_within_two_seconds() -> None:
    one, watching = await watched()
    began_s = time.monotonic()
    os.kill(one.pid, signal.SIGSTOP)
    with pytest.raises(TrackerLostError, match="does not answer"):
        await watching
    assert time.monotonic() - began_s < limit_s(2.0)
    assert not running(one.pid)


@pytest.mark.parametrize("activity", ["sleeping", "busy"])
async def test_one_that_is_silent_but_not_stopped_is_given_longer(
    monkeypatch: pytest.MonkeyPatch, activity: str
) -> None:
    one, watching = await watched()
    assert one._activity() in ("sleeping", "busy")
    monkeypatch.setattr(TrackingProcess, "_activity", lambda self: activity)
    monkeypatch.setitem(process_module.MISSED_PONGS, "busy", 4)
    os.kill(one.pid, signal.SIGSTOP)
    await asyncio.sleep(2 * process_module.PONG_LIMIT_S)
    assert one.running
    with pytest.raises(TrackerLostError, match="does not answer"):
        await watching
    assert not running(one.pid)


async def test_one_that_dies_while_it_starts_is_reported_to_who_waits() -> None:
    one = TrackingProcess()
    watching = asyncio.create_task(one.watch())
    waiting = asyncio.create_task(one.until_ready())
    await asyncio.sleep(0)
    one.kill()
    with pytest.raises(TrackerLostError):
        await waiting
    with pytest.raises(TrackerLostError):
        await watching


async def test_one_that_has_grown_retires_and_ends_without_sessions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    one, watching = await watched()
    one.sessions = 1
    monkeypatch.setattr(process_module, "MEMORY_LIMIT_BYTES", 1 << 20)
    async with asyncio.timeout(10):
        while not one.retiring:
            await asyncio.sleep(0.05)
    assert one.running
    one.leave()
    await watching
    assert not running(one.pid)


async def test_one_that_has_grown_far_too_large_is_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    one, watching = await watched()
    monkeypatch.setattr(process_module, "MEMORY_KILL_BYTES", 1 << 20)
    with pytest.raises(TrackerLostError, match="MB of memory"):
        await watching
    assert not running(one.pid)


async def test_processes_end_with_the_pool_stopped_ones_too(trackers: Trackers) -> None:
    (await trackers.open(None, None, None)).close()
    (pid,) = trackers.pids
    os.kill(pid, signal.SIGSTOP)
    began_s = time.monotonic()
    await trackers.close()
    assert time.monotonic() - began_s < limit_s(2.0)
    assert not running(pid)


async def test_a_server_that_is_killed_leaves_no_process() -> None:
    with running_server() as server:
        _, pid = server.pids
        server.process.kill()
        await until_gone(pid)
