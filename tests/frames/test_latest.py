"""The value that only keeps its newest item."""

import asyncio

import pytest

from gaze.frames.latest import LatestValue, LatestValueClosed


async def test_get_returns_the_newest_and_counts_the_dropped() -> None:
    latest: LatestValue[int] = LatestValue()
    for item in range(5):
        latest.put(item)
    assert await latest.get() == 4
    assert (latest.received, latest.dropped) == (5, 4)


async def test_an_item_is_returned_once() -> None:
    latest: LatestValue[str] = LatestValue()
    latest.put("a")
    assert await latest.get() == "a"
    waiting = asyncio.create_task(latest.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    latest.put("b")
    assert await waiting == "b"
    assert latest.dropped == 0


async def test_close_wakes_a_waiting_get() -> None:
    latest: LatestValue[int] = LatestValue()
    waiting = asyncio.create_task(latest.get())
    await asyncio.sleep(0)
    latest.close()
    with pytest.raises(LatestValueClosed):
        await waiting


async def test_nothing_is_kept_after_close() -> None:
    latest: LatestValue[int] = LatestValue()
    latest.put(1)
    latest.close()
    latest.put(2)
    with pytest.raises(LatestValueClosed):
        await latest.get()
    assert latest.received == 1


async def test_a_cancelled_get_takes_nothing() -> None:
    latest: LatestValue[int] = LatestValue()
    waiting = asyncio.create_task(latest.get())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    latest.put(7)
    assert await latest.get() == 7
