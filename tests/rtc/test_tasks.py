"""Tasks that say when they die, and waits that end in time."""

import asyncio
import contextlib

import pytest

from gaze.rtc.tasks import settle, start

PATIENCE_S = 20.0


async def fail() -> None:
    await asyncio.sleep(0)
    raise RuntimeError("broken")


async def test_a_task_that_dies_is_logged_once(caplog: pytest.LogCaptureFixture) -> None:
    task = start(fail(), "failing")
    await asyncio.wait([task])
    await asyncio.sleep(0)
    assert caplog.text.count("failing ended with an error") == 1
    assert "RuntimeError: broken" in caplog.text


async def test_a_task_that_is_cancelled_or_ends_is_not_logged(
    caplog: pytest.LogCaptureFixture,
) -> None:
    ended, cancelled = start(asyncio.sleep(0), "short"), start(asyncio.sleep(60), "long")
    await ended
    cancelled.cancel()
    await asyncio.wait([cancelled])
    await asyncio.sleep(0)
    assert caplog.text == ""


async def test_settling_logs_what_fails(caplog: pytest.LogCaptureFixture) -> None:
    await settle(fail(), PATIENCE_S, "step")
    assert "step failed" in caplog.text and "RuntimeError: broken" in caplog.text


async def test_settling_leaves_behind_what_does_not_let_go(
    caplog: pytest.LogCaptureFixture,
) -> None:
    let_go = asyncio.Event()

    async def clings() -> None:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await let_go.wait()

    async with asyncio.timeout(PATIENCE_S):
        await settle(clings(), 0.05, "step")
    assert "step did not end within 0.05 s; it is left behind" in caplog.text
    let_go.set()
    await asyncio.sleep(0.01)
