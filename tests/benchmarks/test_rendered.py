"""The benchmark of rendered viewers: who looks where, and its statistics."""

import numpy as np
import pytest

from benchmarks.rendered import (
    COLLECTED,
    LOOKED,
    NINE,
    ON_THE_WAY,
    PASSED_OVER,
    TESTED,
    area_under_curve,
    looks,
    on_screen_mm,
    screen_of,
)
from simulation.rendered_viewer import NEAR_MM, draw


def test_a_session_has_its_parts_and_repeats_exactly():
    session = list(looks(draw(50), NEAR_MM))
    again = list(looks(draw(50), NEAR_MM))
    assert [look.screen_px for look in session] == [look.screen_px for look in again]
    counts = {part: sum(look.part == part for look in session) for part in ("calibration", "still")}
    assert counts == {"calibration": 9 * (PASSED_OVER + COLLECTED), "still": TESTED * LOOKED}
    assert len(session) == sum(counts.values()) + TESTED * (LOOKED + ON_THE_WAY)
    assert sum(look.first for look in session if look.part == "calibration") == len(NINE)


def test_the_screen_lies_before_the_viewer():
    person, screen = draw(50), screen_of(NEAR_MM)
    top, bottom = (on_screen_mm(person, screen, (960.0, y)) for y in (0.0, 1080.0))
    assert top == pytest.approx([0.0, 0.0, 0.0])
    assert np.linalg.norm(bottom) == pytest.approx(screen.diagonal_mm * 9 / np.hypot(16, 9))
    right = on_screen_mm(person, screen, (1920.0, 0.0))
    assert right[0] < -60


def test_area_under_the_curve():
    assert area_under_curve(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1.0
    assert area_under_curve(np.array([0.5]), np.array([0.5])) == 0.5
    assert np.isnan(area_under_curve(np.array([0.5]), np.array([])))
