"""A pointer instead of eyes."""

import pytest

from gaze.vision.pointer import PointerGaze
from gaze.vision.sample import Screen

SCREEN = Screen(1600, 900)
STEP_S = 1 / 30


def watch(pointer, seconds, start_s):
    return [pointer.sample(start_s + n * STEP_S) for n in range(round(seconds / STEP_S))]


def test_nothing_is_known_before_the_first_move():
    sample = PointerGaze(SCREEN).sample(1.0)
    assert sample.screen_px is None
    assert sample.confidence == 0.0
    assert not sample.attentive
    assert sample.dwell_s is None
    assert sample.event is None


def test_it_is_where_the_pointer_is_at_once():
    pointer = PointerGaze(None)
    pointer.move((100, 200), 1.0)
    sample = pointer.sample(1.0)
    assert sample.screen_px == (100.0, 200.0)
    assert sample.confidence == 1.0
    assert sample.attentive
    assert sample.t_s == 1.0
    assert (sample.head, sample.pupil, sample.openness) == (None, None, None)


def test_resting_dwells_and_a_jump_begins_anew():
    pointer = PointerGaze(SCREEN)
    pointer.move((100, 200), 0.0)
    assert watch(pointer, 2.0, 0.0)[-1].dwell_s == pytest.approx(2.0, abs=2 * STEP_S)
    pointer.move((1200, 700), 2.0)
    after = watch(pointer, 1.0, 2.0)
    assert after[0].screen_px == (1200.0, 700.0)
    assert after[0].dwell_s == 0.0
    assert [sample.event for sample in after[:3]] == ["saccade", "saccade", "fixation"]
    assert after[-1].dwell_s == pytest.approx(1.0, abs=3 * STEP_S)


def test_a_slow_drag_is_pursuit():
    pointer = PointerGaze(SCREEN)
    kinds = []
    for number in range(60):
        pointer.move((200 + 12 * number, 400), number * STEP_S)
        kinds.append(pointer.sample(number * STEP_S).event)
    assert kinds[20:].count("pursuit") == 40


def test_the_screen_can_become_known_later():
    pointer = PointerGaze()
    assert pointer.screen is None
    pointer.screen = SCREEN
    assert pointer.screen == SCREEN
