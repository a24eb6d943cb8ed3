"""Dwell detection."""

import pytest

from gaze.effects.motion.dwell import GLANCE_S, DwellDetector
from gaze.effects.state import HOLD_S
from gaze.effects.view import Point

ASPECT, RADIUS = 16 / 9, 0.05


def dwell(detector: DwellDetector, point: Point | None, t_s: float) -> float | None:
    return detector.step(point, ASPECT, RADIUS, t_s)


def test_time_counts_while_the_gaze_stays_within_the_radius() -> None:
    detector = DwellDetector()
    assert dwell(detector, (0.5, 0.5), 10.0) == 0.0
    assert dwell(detector, (0.53, 0.5), 10.5) == 0.5
    assert dwell(detector, (0.5, 0.5 + 0.04 * ASPECT), 11.0) == 1.0


def test_noise_is_averaged_out_of_the_place() -> None:
    detector = DwellDetector()
    for index in range(200):
        dwell(detector, (0.5 + (-0.02, 0.02)[index % 2], 0.5), index / 30)
    assert detector.place is not None
    assert detector.place[0] == pytest.approx(0.5, abs=0.003)


def test_a_glance_does_not_end_a_dwell_and_a_longer_look_does() -> None:
    detector = DwellDetector()
    dwell(detector, (0.2, 0.2), 0.0)
    dwell(detector, (0.2, 0.2), 1.0)
    assert dwell(detector, (0.8, 0.8), 1.0 + GLANCE_S / 2) == 1.0
    assert dwell(detector, (0.2, 0.2), 1.2) == 1.2
    dwell(detector, (0.8, 0.8), 1.25)
    assert dwell(detector, (0.8, 0.8), 1.2 + 1.01 * GLANCE_S) == 0.0
    assert detector.place == (0.8, 0.8)


def test_an_unknown_gaze_keeps_the_place_for_a_while() -> None:
    detector = DwellDetector()
    dwell(detector, (0.2, 0.2), 0.0)
    assert dwell(detector, None, HOLD_S) == 0.0
    assert dwell(detector, None, HOLD_S + 0.01) is None
    assert detector.place is None
