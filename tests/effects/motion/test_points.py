"""Points of a picture."""

import math

import pytest

from gaze.effects.motion.points import clamp, distance, gaze_point, interpolate
from simulation.films.frames import looking


@pytest.mark.parametrize(
    ("shown", "expected"),
    [
        ((0.25, 0.75), (0.25, 0.75)),
        ((1e6, -1e6), (2.0, -1.0)),
        ((math.nan, 0.5), None),
        ((0.5, math.inf), None),
        (None, None),
    ],
)
def test_the_point_of_gaze_is_bounded_or_unknown(
    shown: tuple[float, float] | None, expected: tuple[float, float] | None
) -> None:
    assert gaze_point(looking(shown, 0.0)) == expected


def test_without_a_gaze_the_point_is_unknown() -> None:
    assert gaze_point(None) is None


def test_distances_are_fractions_of_the_width() -> None:
    assert distance((0.1, 0.5), (0.4, 0.5), 2.0) == pytest.approx(0.3)
    assert distance((0.5, 0.1), (0.5, 0.5), 2.0) == pytest.approx(0.2)


def test_interpolate_and_clamp() -> None:
    assert interpolate((0.0, 1.0), (1.0, 0.0), 0.25) == (0.25, 0.75)
    assert clamp((-0.5, 1.5)) == (0.0, 1.0)
    assert clamp((0.3, 0.4)) == (0.3, 0.4)
