"""Size and rate steps in scripted time."""

import math
import random
from itertools import pairwise

from gaze.rtc.codecs.quality_scaler import STEPS, UP_PAUSE_S, QualityScaler, Step


def follow(rates_bps: list[float], width: int = 1280, height: int = 720) -> list[Step]:
    """A bitrate every 100 ms, and the step after each."""
    quality = QualityScaler()
    return [quality.update(bps, width, height, i / 10) for i, bps in enumerate(rates_bps)]


def changes(steps: list[Step]) -> int:
    return sum(a != b for a, b in pairwise(steps))


def test_the_first_step_fits_at_once() -> None:
    assert follow([2.5e6])[0] == STEPS[0]
    assert follow([1e6])[0].scale == 1.0
    assert follow([0.7e6])[0].scale == 0.75
    assert follow([0.3e6])[0].scale == 0.5
    assert follow([20e3])[0] == STEPS[-1]
    assert QualityScaler().step == STEPS[0]


def test_one_megabit_carries_full_rate_at_every_size() -> None:
    for size in [(640, 360), (1280, 720), (1920, 1080)]:
        step = follow([1e6], *size)[0]
        assert step.rate_fps is None or step.rate_fps >= 20


def test_down_after_a_second_and_at_once_when_it_is_hopeless() -> None:
    steps = follow([2.5e6] * 10 + [0.7e6] * 30)
    assert [step.scale for step in steps[10:19]] == [1.0] * 9
    assert steps[21].scale == 0.75
    assert follow([2.5e6] * 10 + [0.3e6])[10].scale == 0.5


def test_down_at_once_with_a_margin_where_a_key_frame_is_made_anyway() -> None:
    for bps, scale in [(0.6e6, 0.5), (0.8e6, 0.75), (1e6, 1.0)]:
        quality = QualityScaler()
        quality.update(2.5e6, 1280, 720, 0.0)
        assert quality.update(bps, 1280, 720, 0.1, anew=True).scale == scale
        assert quality.update(bps, 1280, 720, 0.2, anew=True).scale == scale


def test_a_short_dip_changes_nothing() -> None:
    assert changes(follow([2.5e6] * 10 + [0.7e6] * 8 + [2.5e6] * 20)) == 0


def test_up_to_full_size_once_the_bitrate_lasts_but_not_soon_after_a_step_down() -> None:
    steps = follow([0.6e6] * 20 + [4e6] * 40)
    assert steps[20].scale == 0.75 and steps[38].scale == 0.75
    assert steps[42].scale == 1.0
    steps = follow([2.5e6] * 10 + [0.3e6] * 5 + [4e6] * 100)
    back = next(i for i in range(11, len(steps)) if steps[i].scale == 1.0)
    assert UP_PAUSE_S <= (back - 10) / 10 <= UP_PAUSE_S + 1


def test_an_estimate_that_swings_makes_no_oscillation() -> None:
    chance = random.Random(1)
    for capacity in [0.2e6, 0.5e6, 0.7e6, 0.8e6, 0.9e6, 1e6, 1.2e6, 2e6]:
        swing = [
            capacity * (0.95 + 0.1 * math.sin(i / 12) + chance.uniform(-0.03, 0.03))
            for i in range(1200)
        ]
        assert changes(follow(swing)[50:]) <= 1, capacity


def test_nothing_is_below_the_last_step() -> None:
    assert follow([1e3] * 30)[-1] == STEPS[-1]
