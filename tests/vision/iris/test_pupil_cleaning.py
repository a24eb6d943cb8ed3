"""Cleaned pupil widths: what is taken out, what is bridged and what stays."""

import numpy as np
import pytest

from gaze.vision.iris.pupil_cleaning import BRIDGE_S, PupilCleaner

STEP_S = 1 / 30


def clean(widths):
    cleaner = PupilCleaner()
    return [cleaner.update(mm, number * STEP_S) for number, mm in enumerate(widths)]


def steady(count, seed=0):
    return list(4.0 + np.random.default_rng(seed).normal(0, 0.02, count))


def test_a_steady_width_passes_a_frame_late():
    widths = steady(40)
    assert clean(widths)[1:] == widths[:-1]


def test_falling_lids_and_leaps_are_taken_out_and_bridged():
    widths = steady(40)
    widths[20:25] = [2.4, None, None, None, 2.9]
    given = clean(widths)
    assert min(mm for mm in given[1:] if mm is not None) > 3.9
    assert None not in given[1:]


@pytest.mark.parametrize("mm", [1.2, 9.5])
def test_widths_out_of_range_are_taken_out(mm):
    assert clean([*steady(5), mm, mm])[-1] == pytest.approx(4.0, abs=0.1)


def test_a_long_gap_is_unknown_and_a_new_width_is_then_believed():
    gap = round(2 * BRIDGE_S / STEP_S)
    given = clean([*steady(20), *[None] * gap, *[5.5] * 10])
    assert given[20 + gap - 1] is None
    assert given[-1] == 5.5


def test_a_slow_change_passes():
    widths = list(np.linspace(3.0, 5.0, 60))
    assert clean(widths)[1:] == widths[:-1]


def test_only_the_past_counts():
    widths = steady(60, 1)
    widths[30] = None
    assert clean(widths)[:45] == clean(widths[:45])
