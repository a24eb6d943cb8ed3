"""The tracker on made viewers, with the real face mesh."""

import dataclasses
import math

import numpy as np
import pytest

from gaze.vision.sample import CalibrationError, Screen
from gaze.vision.tracker import Tracker
from simulation.viewers import viewer_frame

STEP_S = 1 / 30
SCREEN = Screen(1920, 1080, diagonal_mm=380.0)


class Viewer:
    """Somebody in front of a tracker; every sample is checked for NaN."""

    def __init__(self, tracker):
        self.tracker = tracker
        self.t_s = 100.0
        self.number = 0

    def look(self, seconds, **looks):
        samples = []
        for _ in range(round(seconds / STEP_S)):
            samples.append(self.tracker.track(viewer_frame(noise=self.number, **looks), self.t_s))
            assert finite(dataclasses.asdict(samples[-1])), samples[-1]
            self.t_s += STEP_S
            self.number += 1
        return samples


def finite(value):
    if isinstance(value, dict):
        return all(finite(each) for each in value.values())
    if isinstance(value, tuple):
        return all(finite(each) for each in value)
    return not isinstance(value, float) or math.isfinite(value)


@pytest.fixture
def viewer():
    tracker = Tracker(SCREEN)
    yield Viewer(tracker)
    tracker.close()


def test_a_viewer_is_seen(viewer):
    sample = viewer.look(0.8)[-1]
    assert sample.t_s == pytest.approx(viewer.t_s - STEP_S)
    assert sample.event == "fixation"
    assert sample.attentive
    assert not sample.calibrated
    assert min(sample.openness) > 0.8
    assert sample.dwell_s > 0.3
    assert 0.3 < sample.confidence < 0.9
    assert sample.uncertainty_px > 50
    assert sample.blink_rate is None
    assert sample.head.distance_mm == pytest.approx(554.26 * 11.7 / 28.7, rel=0.12)
    assert abs(sample.head.yaw_deg) < 10
    assert 0 < sample.screen_px[0] < 1920
    assert 0 < sample.screen_px[1] < 1080


def test_others_may_go_first_between_the_steps_of_a_frame():
    steps = []
    tracker = Tracker(SCREEN, between_steps=lambda: steps.append(len(steps)))
    assert tracker.track(viewer_frame(), 0.0).head is not None
    assert len(steps) >= 2
    tracker.close()


def test_it_tells_where_the_eyes_are_in_the_picture(viewer):
    viewer.look(0.2)
    (right_x, right_y), (left_x, left_y) = viewer.tracker.eyes_at
    assert (right_x, right_y) == pytest.approx((0.387, 0.351), abs=0.02)
    assert (left_x, left_y) == pytest.approx((0.618, 0.367), abs=0.02)
    viewer.tracker.track(np.zeros((480, 640, 3), np.uint8), viewer.t_s)
    assert viewer.tracker.eyes_at is None


def test_left_right_and_down_have_the_right_sign(viewer):
    def place(**looks):
        return np.mean([sample.screen_px for sample in viewer.look(0.6, **looks)[-6:]], axis=0)

    middle = place()
    right = place(iris=(-10, 0))
    left = place(iris=(10, 0))
    up = place(iris=(0, -5))
    down = place(iris=(0, 5))
    assert right[0] > middle[0] + 300
    assert left[0] < middle[0] - 300
    assert down[1] > up[1] + 200
    assert down[1] > middle[1] + 100
    assert abs(up[0] - down[0]) < 200


def test_a_shifted_head_looks_at_about_the_same_place(viewer):
    still = viewer.look(0.6)[-1]
    moved = viewer.look(0.6, shift_px=(50, 0))[-1]
    assert abs(moved.screen_px[0] - still.screen_px[0]) < 200
    assert moved.head.distance_mm == pytest.approx(still.head.distance_mm, rel=0.1)


def test_a_glance_is_a_saccade_and_the_gaze_then_dwells(viewer):
    viewer.look(0.8)
    samples = viewer.look(0.8, iris=(-10, 0))
    events = [sample.event for sample in samples]
    assert "saccade" in events[:5]
    assert samples[-1].event == "fixation"
    assert 0.3 < samples[-1].dwell_s < 0.8


def test_closed_eyes_hold_the_gaze_and_lose_attention_soon(viewer):
    before = viewer.look(0.8, iris=(-8, 0))[-1]
    closed = viewer.look(1.0, openness=0.0, iris=(-8, 0))
    assert {sample.screen_px for sample in closed[2:]} == {closed[-1].screen_px}
    assert np.linalg.norm(np.subtract(closed[-1].screen_px, before.screen_px)) < 120
    assert {sample.event for sample in closed[3:]} == {"blink"}
    assert max(closed[-1].openness) < 0.2
    assert closed[-1].confidence < 0.2
    assert closed[-1].pupil is None
    away = [sample.attentive for sample in closed].index(False)
    assert away * STEP_S <= 0.2
    assert not any(sample.attentive for sample in closed[away:])
    opened = viewer.look(0.6, iris=(-8, 0))
    assert opened[-1].attentive
    assert opened[-1].event == "fixation"


def test_a_blink_is_counted(viewer):
    viewer.look(0.5)
    for _ in range(3):
        viewer.look(0.13, openness=0.0)
        viewer.look(0.4)
    viewer.t_s += 10.0
    assert viewer.look(0.1)[-1].blink_rate == pytest.approx(3 * 60 / 12.3, rel=0.1)


def test_a_viewer_who_is_gone_is_lost_and_found_again(viewer):
    viewer.look(0.8)
    gone = viewer.look(1.0, present=False)
    assert gone[-1].screen_px is None
    assert gone[-1].confidence == 0.0
    assert gone[-1].event == "lost"
    assert not gone[-1].attentive
    for unknown in ("uncertainty_px", "dwell_s", "openness", "pupil", "head"):
        assert getattr(gone[-1], unknown) is None
    back = viewer.look(0.8)[-1]
    assert back.attentive
    assert back.screen_px is not None
    assert back.dwell_s < 0.8


def test_nobody_was_ever_there(viewer):
    sample = viewer.look(0.2, present=False)[-1]
    assert (sample.screen_px, sample.event, sample.attentive) == (None, "lost", False)


def test_a_widening_pupil(viewer):
    viewer.look(1.5, pupil_mm=3.0)
    pupil = viewer.look(0.8, pupil_mm=6.0)[-1].pupil
    assert pupil.relative > 0.15
    assert pupil.confidence > 0.3
    assert 4.5 < pupil.mm < 7.5


def test_pictures_of_other_sizes_and_an_empty_one(viewer):
    viewer.tracker.track(np.zeros((120, 160, 3), np.uint8), 1.0)
    large = np.repeat(np.repeat(viewer_frame(), 2, axis=0), 2, axis=1)
    for number in range(10):
        sample = viewer.tracker.track(large, 2.0 + number * STEP_S)
    assert sample.screen_px is not None


def test_a_click_moves_the_gaze_toward_where_it_was(viewer):
    def miss(target):
        samples = viewer.look(0.5)
        return np.linalg.norm(np.subtract(samples[-1].screen_px, target))

    target = np.add(viewer.look(0.8)[-1].screen_px, (250.0, 150.0))
    before = miss(target)
    for _ in range(3):
        viewer.tracker.click(tuple(target), viewer.t_s)
        after = miss(target)
    assert after < 0.4 * before


def iris_for(target):
    """A look that goes with a place on the screen: the viewer's right is the image's left."""
    x, y = target[0] / 1920 - 0.5, target[1] / 1080 - 0.5
    return (round(-24 * x, 1), round(12 * y, 1))


def test_calibration_from_points_to_validated_gaze(viewer):
    tracker = viewer.tracker
    assert tracker.model is None
    tracker.calibrate("start", None, viewer.t_s)
    targets = [(x, y) for y in (150, 540, 930) for x in (250, 960, 1670)]
    for target in targets:
        tracker.calibrate("point", target, viewer.t_s)
        viewer.look(1.7, iris=iris_for(target))
        assert tracker.take_updates()[-1].state == "accepted"
        assert tracker.take_updates() == []
    fitted = tracker.calibrate("finish", None, viewer.t_s)[-1]
    assert fitted.state == "fitted"
    for target in [(600, 350), (1300, 700)]:
        tracker.calibrate("validate", target, viewer.t_s)
        samples = viewer.look(1.7, iris=iris_for(target))
        assert np.linalg.norm(np.subtract(samples[-1].screen_px, target)) < 250
    validated = tracker.take_updates()[-1]
    assert validated.state == "validated"
    assert validated.quality["accuracy_px"] < 200
    assert samples[-1].calibrated
    assert samples[-1].confidence > 0.7

    again = Tracker(SCREEN, tracker.model)
    other = Viewer(again)
    sample = other.look(0.8, iris=iris_for((1300, 700)))[-1]
    again.close()
    assert sample.calibrated
    assert np.linalg.norm(np.subtract(sample.screen_px, (1300, 700))) < 300


def test_a_point_without_a_face_is_rejected_through_take_updates(viewer):
    viewer.tracker.calibrate("start", None, viewer.t_s)
    viewer.tracker.calibrate("point", (100.0, 100.0), viewer.t_s)
    viewer.look(3.7, present=False)
    assert [update.state for update in viewer.tracker.take_updates()] == ["rejected"]


def test_a_bad_model_is_refused():
    with pytest.raises(CalibrationError, match="version"):
        Tracker(SCREEN, {"version": 0})


def test_a_wrong_action_is_refused(viewer):
    with pytest.raises(CalibrationError, match="start"):
        viewer.tracker.calibrate("finish", None, viewer.t_s)


def test_without_a_screen_one_is_assumed():
    tracker = Tracker()
    viewer = Viewer(tracker)
    assert viewer.look(0.4)[-1].screen_px is not None
    assert tracker.screen is None
    tracker.screen = Screen(1000.0, 500.0)
    sample = viewer.look(0.4)[-1]
    tracker.close()
    assert sample.screen_px[0] < 1000
