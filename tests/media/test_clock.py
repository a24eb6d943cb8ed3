"""The playback clock, by scripted time."""

import asyncio
import random
import time

import pytest

from gaze.media.clock import MonotonicTime, PlaybackClock


def test_new_clock_stands_still() -> None:
    clock = PlaybackClock(10.0, 2.0)
    assert clock.position_s(0.0) == clock.position_s(99.0) == 2.0
    assert clock.due_s(3.0) is None
    assert not clock.running


def test_moves_with_time_and_says_when_a_position_is_due() -> None:
    clock = PlaybackClock(10.0, 2.0)
    clock.resume(100.0)
    assert clock.position_s(101.5) == 3.5
    assert clock.due_s(3.5) == 101.5
    assert clock.due_s(1.0) == 100.0


def test_pause_holds_and_resume_goes_on() -> None:
    clock = PlaybackClock(10.0)
    clock.resume(100.0)
    clock.pause(101.0)
    assert clock.position_s(150.0) == 1.0
    clock.pause(160.0)
    clock.resume(200.0)
    clock.resume(200.5)
    assert clock.position_s(201.0) == 2.0


def test_seek_keeps_moving_or_standing() -> None:
    clock = PlaybackClock(10.0)
    clock.seek(4.0, 100.0)
    assert clock.position_s(101.0) == 4.0
    clock.resume(101.0)
    clock.seek(7.0, 102.0)
    assert clock.position_s(102.5) == 7.5


@pytest.mark.parametrize(("wanted_s", "reached_s"), [(-3.0, 0.0), (12.0, 10.0)])
def test_seek_stays_within_the_film(wanted_s: float, reached_s: float) -> None:
    clock = PlaybackClock(10.0)
    clock.seek(wanted_s, 100.0)
    assert clock.position_s(100.0) == reached_s


def test_end() -> None:
    clock = PlaybackClock(10.0, 9.0)
    clock.resume(100.0)
    assert not clock.ended(100.999)
    assert clock.ended(101.0)
    assert clock.position_s(500.0) == 10.0
    clock.seek(0.0, 500.0)
    assert not clock.ended(500.0)
    assert clock.position_s(501.0) == 1.0


def test_a_time_before_the_last_change_gives_the_position_of_that_change() -> None:
    clock = PlaybackClock(10.0)
    clock.resume(100.0)
    assert clock.position_s(99.0) == 0.0


def test_never_drifts() -> None:
    chance = random.Random(1)
    clock, t_s, played_s = PlaybackClock(1e6), 1000.0, 0.0
    for _ in range(10_000):
        clock.resume(t_s)
        step_s = chance.random() / 16
        for _ in range(3):
            clock.position_s(t_s + step_s / 2)
        t_s += step_s
        played_s += step_s
        clock.pause(t_s)
        t_s += chance.random()
    assert clock.position_s(t_s) == pytest.approx(played_s, abs=1e-6)


async def test_monotonic_time_waits_for_the_event_or_the_time() -> None:
    source, event = MonotonicTime(), asyncio.Event()
    assert source.now_s() == pytest.approx(time.monotonic(), abs=1.0)

    begin_s = source.now_s()
    await source.wait(event, begin_s + 0.02)
    assert source.now_s() >= begin_s + 0.015

    event.clear()
    waiting = asyncio.create_task(source.wait(event, begin_s + 3600))
    await asyncio.sleep(0)
    assert not waiting.done()
    event.set()
    await asyncio.wait_for(waiting, 5)
