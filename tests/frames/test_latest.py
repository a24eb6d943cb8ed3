"""The slot that keeps the newest item."""

import asyncio

import pytest

from gaze.frames.latest import LatestValue, LatestValueClosed


async def test_gives_the_newest_and_counts_what_it_dropped() -> None:
    slot: LatestValue[int] = LatestValue()
    for item in range(5):
        slot.put(item)
    assert await slot.get() == 4
    assert (slot.received, slot.dropped) == (5, 4)


async def test_an_item_is_given_once() -> None:
    slot: LatestValue[str] = LatestValue()
    slot.put("a")
    assert await slot.get() == "a"
    waiting = asyncio.create_task(slot.get())
    await asyncio.sleep(0)
    assert not waiting.done()
    slot.put("b")
    assert await waiting == "b"
    assert slot.dropped == 0


async def test_closing_wakes_whoever_waits() -> None:
    slot: LatestValue[int] = LatestValue()
    waiting = asyncio.create_task(slot.get())
    await asyncio.sleep(0)
    slot.close()
    with pytest.raises(LatestValueClosed):
        await waiting


async def test_a_closed_slot_keeps_nothing() -> None:
    slot: LatestValue[int] = LatestValue()
    slot.put(1)
    slot.close()
    slot.put(2)
    with pytest.raises(LatestValueClosed):
        await slot.get()
    assert slot.received == 1


async def test_a_getter_that_was_cancelled_takes_nothing() -> None:
    slot: LatestValue[int] = LatestValue()
    waiting = asyncio.create_task(slot.get())
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    slot.put(7)
    assert await slot.get() == 7
