"""The filter of the point of gaze: fixations, saccades, pursuit, and an unknown gaze."""

import itertools

import pytest

from gaze.effects.motion.gaze_filter import (
    DEAD_ZONE_HEIGHTS,
    PURSUIT_S,
    SACCADE_HEIGHTS,
    FilteredGaze,
    GazeFilter,
)
from gaze.effects.state import HOLD_S
from simulation.films.frames import FRAME_S, looking

ASPECT = 2.0


def follow(
    gaze_filter: GazeFilter,
    shown: tuple[float, float] | None,
    start_s: float,
    seconds: float,
    uncertainty: float | None = None,
) -> list[FilteredGaze | None]:
    times_s = [start_s + index * FRAME_S for index in range(round(seconds / FRAME_S))]
    return [
        gaze_filter.step(looking(shown, t_s, uncertainty=uncertainty), ASPECT, t_s)
        for t_s in times_s
    ]


def last(found: list[FilteredGaze | None]) -> FilteredGaze:
    assert found[-1] is not None
    return found[-1]


def test_before_the_first_gaze_there_is_nothing_to_draw() -> None:
    assert GazeFilter().step(None, ASPECT, 0.0) is None
    assert GazeFilter().step(looking(None, 0.0), ASPECT, 0.0) is None


def test_the_first_gaze_is_taken_at_once() -> None:
    assert GazeFilter().step(looking((0.2, 0.7), 0.0), ASPECT, 0.0) == FilteredGaze(
        0.2, 0.7, 1.0, 0.0
    )


def test_movements_within_the_dead_zone_are_ignored() -> None:
    gaze_filter = GazeFilter()
    follow(gaze_filter, (0.5, 0.5), 0.0, 0.2)
    near = (0.5 + 0.9 * DEAD_ZONE_HEIGHTS / ASPECT, 0.5)
    assert last(follow(gaze_filter, near, 0.2, 1.0)).x == 0.5


def test_slow_movements_are_low_pass_filtered_up_to_the_dead_zone() -> None:
    gaze_filter = GazeFilter()
    follow(gaze_filter, (0.5, 0.5), 0.0, 0.2)
    step = 0.8 * SACCADE_HEIGHTS
    ys = [f.y for f in follow(gaze_filter, (0.5, 0.5 + step), 0.2, 20 * PURSUIT_S) if f]
    assert all(later > earlier for earlier, later in itertools.pairwise(ys[:10]))
    assert ys[0] < 0.5 + step / 2
    assert ys[-1] == pytest.approx(0.5 + step - DEAD_ZONE_HEIGHTS, abs=1e-4)


def test_saccades_are_taken_at_once() -> None:
    gaze_filter = GazeFilter()
    follow(gaze_filter, (0.2, 0.5), 0.0, 0.2)
    place = (0.2 + 1.1 * SACCADE_HEIGHTS / ASPECT, 0.5)
    found = last(follow(gaze_filter, place, 0.2, FRAME_S))
    assert (found.x, found.y) == place


def test_an_unknown_gaze_is_held_and_then_fades_and_comes_back_elsewhere() -> None:
    gaze_filter = GazeFilter()
    follow(gaze_filter, (0.2, 0.5), 0.0, 1.0)
    held = last(follow(gaze_filter, None, 1.0, HOLD_S - 0.1))
    assert held.x == 0.2
    assert held.visibility == pytest.approx(1.0)
    fading = follow(gaze_filter, None, 0.9 + HOLD_S, 5.0)
    known = [f.visibility for f in fading if f is not None]
    assert all(later <= earlier for earlier, later in itertools.pairwise(known))
    assert fading[-1] is None
    back = follow(gaze_filter, (0.21, 0.5), 5.9 + HOLD_S, 1.0)
    first = next(f for f in back if f is not None)
    assert first.x == 0.21, "no movement from where it was lost"
    assert first.visibility < 0.5 < last(back).visibility


def test_uncertainty_is_in_picture_heights_and_filtered() -> None:
    gaze_filter = GazeFilter()
    assert last(follow(gaze_filter, (0.5, 0.5), 0.0, FRAME_S, 0.02)).uncertainty == pytest.approx(
        0.02 * ASPECT
    )
    growing = follow(gaze_filter, (0.5, 0.5), FRAME_S, 5.0, 0.05)
    assert growing[0] is not None
    assert 0.04 < growing[0].uncertainty < 0.05
    assert last(growing).uncertainty == pytest.approx(0.05 * ASPECT, rel=0.01)
