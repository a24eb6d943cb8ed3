"""Attention by scripted time."""

import pytest

from gaze.vision.events.attention import Attention, toward_screen
from gaze.vision.sample import Head, Screen

SCREEN = Screen(1920, 1080)
STEP_S = 1 / 30


def watch(attention, seconds, start_s, present=True, closed=False, toward=True):
    """Returns when it first changed, in seconds from the start, None if it did not."""
    before = attention.attentive
    changed = None
    for frame in range(round(seconds / STEP_S)):
        now = attention.update(present, closed, toward, start_s + frame * STEP_S)
        if now != before and changed is None:
            changed = frame * STEP_S
    return changed


@pytest.fixture
def attending():
    attention = Attention()
    assert watch(attention, 1.0, 0.0) == pytest.approx(0.2)
    return attention


@pytest.mark.parametrize(
    ("looks", "after_s"),
    [({"closed": True}, 0.1), ({"present": False}, 0.3), ({"toward": False}, 0.3)],
)
def test_it_is_lost_after_its_time_and_comes_back(attending, looks, after_s):
    assert watch(attending, 1.0, 1.0, **looks) == pytest.approx(after_s, abs=STEP_S)
    assert not attending.attentive
    assert watch(attending, 1.0, 2.0) == pytest.approx(0.2, abs=STEP_S)


def test_one_bad_frame_does_nothing(attending):
    attending.update(True, True, True, 1.0)
    attending.update(True, False, True, 1.03)
    attending.update(True, True, True, 1.2)
    assert attending.attentive


def head(yaw=0.0, pitch=0.0):
    return Head(yaw, pitch, 0.0, 600.0)


@pytest.mark.parametrize(
    ("face", "gaze", "expected"),
    [
        (head(), (960, 540), True),
        (head(), (-90, 540), True),
        (head(), (-500, 540), False),
        (head(), (960, 1500), False),
        (head(yaw=50), (960, 540), False),
        (head(pitch=-40), (960, 540), False),
        (head(), None, True),
        (None, None, True),
    ],
)
def test_toward_screen(face, gaze, expected):
    assert toward_screen(face, gaze, SCREEN, margin_px=100.0) is expected
