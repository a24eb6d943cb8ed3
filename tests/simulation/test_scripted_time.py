"""The scripted clock: it wakes those whose time has come, and never goes back."""

import asyncio

import pytest

from simulation.scripted_time import ScriptedTime, settled


async def test_moving_the_clock_wakes_those_whose_time_has_come() -> None:
    clock = ScriptedTime()
    start_s = clock.now_s()
    woken: list[float] = []

    async def sleeper(after_s: float) -> None:
        await clock.wait(asyncio.Event(), start_s + after_s)
        woken.append(after_s)

    sleepers = [asyncio.create_task(sleeper(after_s)) for after_s in (2.0, 1.0, 3.0)]
    await settled()
    assert clock.next_s == start_s + 1.0
    clock.move_to(start_s + 2.0)
    await settled()
    assert sorted(woken) == [1.0, 2.0]
    clock.move_to(clock.next_s)
    await asyncio.gather(*sleepers)
    assert clock.next_s == float("inf")


async def test_an_event_wakes_before_the_limit() -> None:
    clock, event = ScriptedTime(), asyncio.Event()
    waiting = asyncio.create_task(clock.wait(event, None))
    await settled()
    event.set()
    await waiting


def test_the_clock_does_not_go_back() -> None:
    clock = ScriptedTime()
    with pytest.raises(ValueError, match="cannot go back"):
        clock.move_to(clock.now_s() - 1.0)
