"""Speed against quality, in scripted time."""

import itertools
from collections.abc import Callable

from gaze.rtc.codecs.speed_control import SpeedControl

INTERVAL_S = 1 / 30


def run(
    control: SpeedControl, load: Callable[[int], float], seconds: float, start_s: float = 0.0
) -> list[int]:
    """The speed after each frame, where a frame at a speed takes that share of its time."""
    speeds = []
    for index in range(round(seconds * 30)):
        took_s = load(control.speed) * INTERVAL_S
        speeds.append(control.add(took_s, INTERVAL_S, start_s + index * INTERVAL_S))
    return speeds


def test_with_little_time_it_becomes_faster_within_a_second() -> None:
    control = SpeedControl(5, 2)
    assert run(control, lambda speed: 0.8, 1.0)[-1] == 5


def test_with_much_time_the_picture_becomes_better_step_by_step() -> None:
    control = SpeedControl(5, 5)
    speeds = run(control, lambda speed: 0.05, 20.0)
    assert speeds[-1] == 0
    assert all(after - before in (0, -1) for before, after in itertools.pairwise(speeds))


def test_in_between_it_stays() -> None:
    control = SpeedControl(5, 3)
    assert set(run(control, lambda speed: 0.18, 60.0)) == {3}


def test_one_slow_frame_changes_nothing() -> None:
    control = SpeedControl(5, 3)
    run(control, lambda speed: 0.15, 2.0)
    control.add(1.0 * INTERVAL_S, INTERVAL_S, 2.0)
    assert set(run(control, lambda speed: 0.15, 2.0, 2.1)) == {3}


def test_it_does_not_swing_between_two_speeds() -> None:
    """One is too slow, the next leaves time: tried less and less often."""
    control = SpeedControl(5, 3)
    speeds = run(control, lambda speed: 0.4 if speed <= 2 else 0.05, 300.0)
    steps = [a != b for a, b in itertools.pairwise(speeds)]
    assert sum(steps[:900]) <= 12
    assert sum(steps[-1800:]) <= 4


def test_the_first_frame_says_nothing() -> None:
    """It is a key frame, and the encoder is made with it."""
    control = SpeedControl(5, 2)
    control.add(3 * INTERVAL_S, INTERVAL_S, 0.0)
    assert set(run(control, lambda speed: 0.15, 2.0, 0.1)) == {2}
