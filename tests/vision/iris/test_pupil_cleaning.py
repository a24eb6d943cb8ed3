"""Cleaned pupil diameters: what is removed, what is bridged and what stays."""

from collections.abc import Sequence

import numpy as np
import pytest

from gaze.vision.iris.pupil_cleaning import BRIDGE_S, PupilCleaner

STEP_S = 1 / 30


def clean(diameters: Sequence[float | None]) -> list[float | None]:
    cleaner = PupilCleaner()
    return [cleaner.update(mm, number * STEP_S) for number, mm in enumerate(diameters)]


def steady(count: int, seed: int = 0) -> list[float | None]:
    return list(4.0 + np.random.default_rng(seed).normal(0, 0.02, count))


def test_a_steady_diameter_passes_a_frame_late() -> None:
    diameters = steady(40)
    assert clean(diameters)[1:] == diameters[:-1]


def test_falling_lids_and_jumps_are_removed_and_bridged() -> None:
    diameters = steady(40)
    diameters[20:25] = [2.4, None, None, None, 2.9]
    given = clean(diameters)
    assert min(mm for mm in given[1:] if mm is not None) > 3.9
    assert None not in given[1:]


@pytest.mark.parametrize("mm", [1.2, 9.5])
def test_diameters_out_of_range_are_removed(mm: float) -> None:
    assert clean([*steady(5), mm, mm])[-1] == pytest.approx(4.0, abs=0.1)


def test_a_long_gap_is_unknown_and_a_new_diameter_is_then_accepted() -> None:
    gap = round(2 * BRIDGE_S / STEP_S)
    given = clean([*steady(20), *[None] * gap, *[5.5] * 10])
    assert given[20 + gap - 1] is None
    assert given[-1] == 5.5


def test_a_slow_change_passes() -> None:
    diameters = list(np.linspace(3.0, 5.0, 60))
    assert clean(diameters)[1:] == diameters[:-1]


def test_only_the_past_counts() -> None:
    diameters = steady(60, 1)
    diameters[30] = None
    assert clean(diameters)[:45] == clean(diameters[:45])
