"""The critically damped pan."""

import numpy as np
import pytest

from gaze.effects.motion.pan import MAX_WIDTHS_PER_S, Pan

ASPECT = 16 / 9


def panned(rate_fps: int, seconds: float, target: tuple[float, float]) -> list[tuple[float, float]]:
    pan, position = Pan(), (0.1, 0.5)
    positions = [position]
    for _ in range(round(seconds * rate_fps)):
        position = pan.step(position, target, ASPECT, 1 / rate_fps, 1.0)
        positions.append(position)
    return positions


def test_it_reaches_its_target_without_overshoot() -> None:
    x = np.array([position[0] for position in panned(60, 5.0, (0.9, 0.5))])
    assert (np.diff(x) >= -1e-12).all()
    assert x[-1] == pytest.approx(0.9, abs=1e-4)


def test_its_speed_is_limited() -> None:
    x = np.array([position[0] for position in panned(60, 3.0, (0.9, 0.5))])
    assert np.diff(x).max() * 60 <= MAX_WIDTHS_PER_S * 1.001


def test_short_pans_do_not_depend_on_the_frame_rate() -> None:
    at_10_fps, at_240_fps = (panned(rate_fps, 0.5, (0.15, 0.52))[-1] for rate_fps in (10, 240))
    assert at_10_fps == pytest.approx(at_240_fps, abs=1e-6)


def test_it_stays_in_the_picture_and_stops_on_request() -> None:
    pan = Pan()
    assert pan.step((0.99, 0.5), (3.0, 0.5), ASPECT, 10.0, 1.0) == (1.0, 0.5)
    pan.step((0.1, 0.5), (0.9, 0.5), ASPECT, 0.1, 1.0)
    pan.stop()
    assert pan.step((0.3, 0.3), (0.3, 0.3), ASPECT, 0.1, 1.0) == (0.3, 0.3)
