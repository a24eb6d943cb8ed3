"""Blinks of scripted lids, and what is none."""

import pytest

from gaze.vision.events.blinks import Blink, Blinks
from gaze.vision.face.eye_landmarks import LidBaseline

OPEN = 0.3


class Lids:
    """Lids that move by a script, seen at a rate; `blinks` are those that were told."""

    def __init__(self, rate_hz=30.0):
        self.detector = Blinks()
        self.baseline = LidBaseline()
        self.rate_hz = rate_hz
        self.t_s = 0.0
        self.blinks: list[Blink] = []

    def show(self, *parts):
        """Each part is a ratio and how many seconds it lasts."""
        for ratio, seconds in parts:
            for _ in range(round(seconds * self.rate_hz)):
                blink = self.detector.update(
                    ratio, self.baseline.openness(ratio, self.t_s), self.t_s
                )
                self.blinks += [blink] if blink else []
                self.t_s += 1.0 / self.rate_hz
        return self


def kinds(lids):
    return [blink.kind for blink in lids.blinks]


@pytest.mark.parametrize("rate_hz", [10, 15, 30, 60])
@pytest.mark.parametrize("level", [0.2, 0.3, 0.4])
def test_a_blink_is_told_once_with_its_times_at_any_rate_and_for_any_eyes(rate_hz, level):
    lids = Lids(rate_hz).show((level, 4.0))
    start_s = lids.t_s
    lids.show((0.15 * level, 0.2), (level, 2.0))
    assert kinds(lids) == ["short"]
    assert lids.blinks[0].start_s == pytest.approx(start_s, abs=1e-6)
    assert lids.blinks[0].end_s == pytest.approx(start_s + 0.2, abs=1e-6)


def test_a_blink_is_found_at_five_frames_a_second():
    lids = Lids(5).show((OPEN, 4.0), (0.05, 0.2), (OPEN, 2.0))
    assert kinds(lids) == ["short"]


def test_a_long_blink_and_a_half_one():
    lids = Lids().show((OPEN, 4.0), (0.04, 0.8), (OPEN, 2.0), (0.2, 0.2), (OPEN, 2.0))
    assert kinds(lids) == ["long", "half"]


def test_half_is_measured_by_the_viewers_other_blinks():
    """Landmarks that never quite close: a third is this viewer's whole blink."""
    lids = Lids().show((OPEN, 4.0))
    for _ in range(8):
        lids.show((0.19, 0.2), (OPEN, 2.0))
    assert kinds(lids)[6:] == ["short", "short"]
    assert kinds(lids.show((0.24, 0.2), (OPEN, 1.0)))[-1] == "half"


@pytest.mark.parametrize("low", [0.22, 0.17, 0.13])
def test_a_glance_down_and_a_squint_are_no_blinks(low):
    lids = Lids().show((OPEN, 4.0), (low, 2.0), (OPEN, 2.0))
    assert lids.blinks == []
    squint = [(OPEN + (low - OPEN) * step / 30, 1 / 30) for step in range(31)]
    lids = Lids().show((OPEN, 4.0), *squint, (low, 3.0), *reversed(squint), (OPEN, 1.0))
    assert lids.blinks == []


def test_a_glance_down_is_unsettled_only_at_first():
    lids = Lids().show((OPEN, 4.0), (0.15, 0.2))
    assert lids.detector.unsettled
    lids.show((0.15, 0.4))
    assert not lids.detector.unsettled
    assert not lids.detector.closed


def test_a_blink_out_of_a_squint_is_found():
    lids = Lids().show((OPEN, 4.0), (0.2, 4.0), (0.05, 0.15), (0.2, 2.0))
    assert kinds(lids) == ["short"]


def test_closed_eyes_are_closed_and_no_blink():
    lids = Lids().show((OPEN, 4.0), (0.04, 3.0))
    assert lids.detector.closed
    assert lids.detector.unsettled
    lids.show((OPEN, 2.0))
    assert not lids.detector.closed
    assert lids.blinks == []


def test_noise_makes_no_blinks():
    lids = Lids()
    for number in range(3000):
        lids.show((OPEN * (1.0 + (0.06, -0.05, 0.02, -0.07, 0.04)[number * 7 % 5]), 1 / 30))
    assert lids.blinks == []


def test_a_face_lost_for_a_moment_does_not_hide_a_blink_and_one_lost_for_long_makes_none():
    lids = Lids().show((OPEN, 4.0), (0.1, 0.1))
    lids.t_s += 0.2
    assert kinds(lids.show((OPEN, 1.0))) == ["short"]
    lids.show((OPEN, 2.0), (0.1, 0.1))
    lids.t_s += 3.0
    assert len(lids.show((OPEN, 2.0)).blinks) == 1


def test_a_lost_face_has_no_closed_eyes():
    lids = Lids().show((OPEN, 4.0), (0.04, 0.5))
    lids.detector.forget()
    assert not lids.detector.closed


def test_eyes_that_were_closed_when_the_face_was_lost_are_still_so_unless_clearly_open():
    blinks = Blinks()
    blinks.update(0.04, 0.1, 0.0)
    blinks.forget()
    blinks.update(0.04, 0.1, 0.0)
    assert blinks.closed and blinks.unsettled
    blinks.forget()
    blinks.update(0.04, 0.3, 0.1)
    assert blinks.closed and blinks.unsettled
    blinks.update(0.2, 0.5, 0.2)
    assert not blinks.closed


def test_half_closed_eyes_stay_what_they_were():
    blinks = Blinks()
    blinks.update(OPEN, 1.0, 0.0)
    blinks.update(0.12, 0.3, 0.1)
    assert not blinks.closed
    blinks.update(0.1, 0.1, 0.2)
    blinks.update(0.12, 0.3, 0.3)
    assert blinks.closed


def test_blinks_are_counted_per_minute():
    lids = Lids()
    for _ in range(10):
        lids.show((OPEN, 1.9), (0.05, 0.1))
    lids.show((OPEN, 0.4))
    assert lids.detector.rate_per_min(lids.t_s) == pytest.approx(30.0, rel=0.04)


def test_a_blink_leaves_the_count_after_a_minute():
    lids = Lids().show((OPEN, 1.0), (0.05, 0.1), (OPEN, 1.0))
    assert lids.detector.rate_per_min(lids.t_s + 20) > 0
    assert lids.detector.rate_per_min(lids.t_s + 61) == 0


def test_rate_and_perclos_are_unknown_at_first():
    lids = Lids().show((OPEN, 2.0))
    assert lids.detector.rate_per_min(lids.t_s) is None
    assert lids.detector.perclos(lids.t_s) is None


def test_perclos_is_the_share_of_the_last_minute():
    lids = Lids().show((OPEN, 15.0), (0.02, 5.0))
    assert lids.detector.perclos(lids.t_s) == pytest.approx(0.25, abs=0.01)
    lids.show((OPEN, 62.0))
    assert lids.detector.perclos(lids.t_s) == pytest.approx(0.0, abs=1e-9)


def test_time_that_does_not_go_on_changes_nothing():
    lids = Lids().show((OPEN, 4.0))
    assert lids.detector.update(0.02, 0.0, lids.t_s - 1.0) is None
    assert not lids.detector.closed
