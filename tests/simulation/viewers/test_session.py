"""A rendered viewer's session: its parts, the screen, and that it repeats exactly."""

import numpy as np
import pytest

from gaze.vision.sample import Screen
from simulation.viewers.rendered import NEAR_MM, draw
from simulation.viewers.rendered.session import (
    CALIBRATION_POINTS,
    COLLECTED_FRAMES,
    SETTLING_FRAMES,
    TARGET_FRAMES,
    TARGETS,
    TRANSITION_FRAMES,
    screen_at,
    screen_point_mm,
    session_frames,
)


def test_a_session_has_its_parts_and_repeats_exactly() -> None:
    session = list(session_frames(draw(50), NEAR_MM))
    again = list(session_frames(draw(50), NEAR_MM))
    assert [frame.target_px for frame in session] == [frame.target_px for frame in again]
    parts = [frame.part for frame in session]
    assert parts.count("calibration") == 9 * (SETTLING_FRAMES + COLLECTED_FRAMES)
    assert parts.count("still") == parts.count("moved") == TARGETS * TARGET_FRAMES
    assert parts.count("transition") == TARGETS * TRANSITION_FRAMES
    first = [frame for frame in session if frame.first and frame.part == "calibration"]
    assert len(first) == len(CALIBRATION_POINTS)


def test_the_screen_lies_before_the_viewer() -> None:
    person, screen = draw(50), screen_at(NEAR_MM)
    top, bottom = (screen_point_mm(person, screen, (960.0, y)) for y in (0.0, 1080.0))
    assert top == pytest.approx([0.0, 0.0, 0.0])
    height_mm = (screen.diagonal_mm or 0.0) * 9 / np.hypot(16, 9)
    assert np.linalg.norm(bottom) == pytest.approx(height_mm)
    right = screen_point_mm(person, screen, (1920.0, 0.0))
    assert right[0] < -60


def test_a_point_of_a_screen_of_unknown_size_is_refused() -> None:
    with pytest.raises(ValueError, match="diagonal_mm is None"):
        screen_point_mm(draw(50), Screen(1920.0, 1080.0), (0.0, 0.0))
