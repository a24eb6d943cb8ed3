"""Which frames are left out, in the frames' own time."""

import random

from gaze.rtc.codecs.frame_rate_limiter import FrameRateLimiter


def sent(times_s: list[float], max_fps: float | None) -> int:
    limiter = FrameRateLimiter()
    return sum(not limiter.is_early(t_s, max_fps) for t_s in times_s)


def test_without_a_limit_every_frame_is_sent() -> None:
    assert sent([0.0, 0.0, 0.001], None) == 3


def test_a_lower_rate_is_kept_exactly() -> None:
    times_s = [index / 30 for index in range(300)]
    assert sent(times_s, 20) == 200
    assert sent(times_s, 15) == 150


def test_an_uneven_film_of_the_highest_rate_loses_nothing() -> None:
    chance = random.Random(1)
    times_s = [index / 30 + chance.uniform(-0.003, 0.003) for index in range(300)]
    assert sent(times_s, 30) == 300


def test_after_a_pause_at_most_one_frame_is_made_up_for() -> None:
    limiter = FrameRateLimiter()
    assert not limiter.is_early(0.0, 10)
    assert not limiter.is_early(5.0, 10)
    assert sum(not limiter.is_early(5.0 + index / 100, 10) for index in range(1, 7)) == 1
