"""The tracker on synthetic viewers, with the real face mesh."""

import dataclasses
import math
from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.sample import CalibrationError, GazeSample, Head, Screen
from gaze.vision.tracker import Tracker
from simulation.viewers.painted import viewer_frame

STEP_S = 1 / 30
SCREEN = Screen(1920, 1080, diagonal_mm=380.0)


class Viewer:
    """Somebody in front of a tracker; every sample is checked for NaN."""

    def __init__(self, tracker: Tracker) -> None:
        self.tracker = tracker
        self.t_s = 100.0
        self.number = 0

    def look(self, seconds: float, **looks: Any) -> list[GazeSample]:
        samples = []
        for _ in range(round(seconds / STEP_S)):
            samples.append(self.tracker.track(viewer_frame(noise=self.number, **looks), self.t_s))
            assert finite(dataclasses.asdict(samples[-1])), samples[-1]
            self.t_s += STEP_S
            self.number += 1
        return samples


def finite(value: Any) -> bool:
    if isinstance(value, dict):
        return all(finite(each) for each in value.values())
    if isinstance(value, tuple):
        return all(finite(each) for each in value)
    return not isinstance(value, float) or math.isfinite(value)


def point(sample: GazeSample) -> tuple[float, float]:
    assert sample.screen_px is not None
    return sample.screen_px


def head_of(sample: GazeSample) -> Head:
    assert sample.head is not None
    return sample.head


def distance_px(sample: GazeSample, target: tuple[float, float]) -> float:
    return float(np.linalg.norm(np.subtract(point(sample), target)))


@pytest.fixture
def viewer() -> Iterator[Viewer]:
    tracker = Tracker(SCREEN)
    yield Viewer(tracker)
    tracker.close()


def test_a_viewer_is_tracked(viewer: Viewer) -> None:
    sample = viewer.look(0.8)[-1]
    assert sample.t_s == pytest.approx(viewer.t_s - STEP_S)
    assert sample.event == "fixation"
    assert sample.attentive
    assert not sample.calibrated
    assert sample.openness is not None and min(sample.openness) > 0.8
    assert sample.dwell_s is not None and sample.dwell_s > 0.3
    assert 0.3 < sample.confidence < 0.9
    assert sample.uncertainty_px is not None and sample.uncertainty_px > 50
    assert sample.blink_rate is None
    head, (x, y) = head_of(sample), point(sample)
    assert head.distance_mm == pytest.approx(554.26 * 11.7 / 28.7, rel=0.12)
    assert abs(head.yaw_deg) < 10
    assert 0 < x < 1920
    assert 0 < y < 1080


def test_the_caller_can_act_between_the_steps_of_a_frame() -> None:
    steps: list[int] = []
    tracker = Tracker(SCREEN, between_steps=lambda: steps.append(len(steps)))
    assert tracker.track(viewer_frame(), 0.0).head is not None
    assert len(steps) >= 2
    tracker.close()


def test_the_eyes_are_located_in_the_picture(viewer: Viewer) -> None:
    viewer.look(0.2)
    assert viewer.tracker.eyes_at is not None
    (right_x, right_y), (left_x, left_y) = viewer.tracker.eyes_at
    assert (right_x, right_y) == pytest.approx((0.387, 0.351), abs=0.02)
    assert (left_x, left_y) == pytest.approx((0.618, 0.367), abs=0.02)
    viewer.tracker.track(np.zeros((480, 640, 3), np.uint8), viewer.t_s)
    assert viewer.tracker.eyes_at is None


def test_left_right_and_down_have_the_right_sign(viewer: Viewer) -> None:
    def gaze(**looks: Any) -> FloatArray:
        samples = viewer.look(0.6, **looks)[-6:]
        return np.asarray(np.mean([point(sample) for sample in samples], axis=0))

    middle = gaze()
    right = gaze(iris=(-10, 0))
    left = gaze(iris=(10, 0))
    up = gaze(iris=(0, -5))
    down = gaze(iris=(0, 5))
    assert right[0] > middle[0] + 300
    assert left[0] < middle[0] - 300
    assert down[1] > up[1] + 200
    assert down[1] > middle[1] + 100
    assert abs(up[0] - down[0]) < 200


def test_a_shifted_head_looks_at_about_the_same_point(viewer: Viewer) -> None:
    still = viewer.look(0.6)[-1]
    moved = viewer.look(0.6, shift_px=(50, 0))[-1]
    assert abs(point(moved)[0] - point(still)[0]) < 200
    assert head_of(moved).distance_mm == pytest.approx(head_of(still).distance_mm, rel=0.1)


def test_a_saccade_is_followed_by_a_fixation(viewer: Viewer) -> None:
    viewer.look(0.8)
    samples = viewer.look(0.8, iris=(-10, 0))
    events = [sample.event for sample in samples]
    assert "saccade" in events[:5]
    assert samples[-1].event == "fixation"
    assert samples[-1].dwell_s is not None and 0.3 < samples[-1].dwell_s < 0.8


def test_closed_eyes_hold_the_gaze_and_lose_attention_soon(viewer: Viewer) -> None:
    before = viewer.look(0.8, iris=(-8, 0))[-1]
    closed = viewer.look(1.0, openness=0.0, iris=(-8, 0))
    assert {sample.screen_px for sample in closed[2:]} == {closed[-1].screen_px}
    assert distance_px(closed[-1], point(before)) < 120
    assert {sample.event for sample in closed[3:]} == {"blink"}
    assert closed[-1].openness is not None and max(closed[-1].openness) < 0.2
    assert closed[-1].confidence < 0.2
    assert closed[-1].pupil is None
    away = [sample.attentive for sample in closed].index(False)
    assert away * STEP_S <= 0.2
    assert not any(sample.attentive for sample in closed[away:])
    opened = viewer.look(0.6, iris=(-8, 0))
    assert opened[-1].attentive
    assert opened[-1].event == "fixation"


def test_a_blink_is_counted(viewer: Viewer) -> None:
    viewer.look(0.5)
    for _ in range(3):
        viewer.look(0.13, openness=0.0)
        viewer.look(0.4)
    viewer.t_s += 10.0
    assert viewer.look(0.1)[-1].blink_rate == pytest.approx(3 * 60 / 12.3, rel=0.1)


def test_a_viewer_who_is_gone_is_lost_and_found_again(viewer: Viewer) -> None:
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
    assert back.dwell_s is not None and back.dwell_s < 0.8


def test_without_any_face_nothing_is_known(viewer: Viewer) -> None:
    sample = viewer.look(0.2, present=False)[-1]
    assert (sample.screen_px, sample.event, sample.attentive) == (None, "lost", False)


def test_a_dilating_pupil(viewer: Viewer) -> None:
    viewer.look(1.5, pupil_mm=3.0)
    pupil = viewer.look(0.8, pupil_mm=6.0)[-1].pupil
    assert pupil is not None and pupil.relative is not None and pupil.mm is not None
    assert pupil.relative > 0.15
    assert pupil.confidence > 0.3
    assert 4.5 < pupil.mm < 7.5


def test_pictures_of_other_sizes_and_an_empty_one(viewer: Viewer) -> None:
    viewer.tracker.track(np.zeros((120, 160, 3), np.uint8), 1.0)
    large = np.repeat(np.repeat(viewer_frame(), 2, axis=0), 2, axis=1)
    for number in range(10):
        sample = viewer.tracker.track(large, 2.0 + number * STEP_S)
    assert sample.screen_px is not None


def test_a_click_moves_the_gaze_toward_where_it_was(viewer: Viewer) -> None:
    x, y = point(viewer.look(0.8)[-1])
    target = (x + 250.0, y + 150.0)
    before = distance_px(viewer.look(0.5)[-1], target)
    for _ in range(3):
        viewer.tracker.click(target, viewer.t_s)
        after = distance_px(viewer.look(0.5)[-1], target)
    assert after < 0.4 * before


def iris_for(target: tuple[float, float]) -> tuple[float, float]:
    """Return irises that look at a point of the screen: the viewer's right is the image's left."""
    x, y = target[0] / 1920 - 0.5, target[1] / 1080 - 0.5
    return (round(-24 * x, 1), round(12 * y, 1))


def test_calibration_from_points_to_validated_gaze(viewer: Viewer) -> None:
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
        assert distance_px(samples[-1], target) < 250
    validated = tracker.take_updates()[-1]
    assert validated.state == "validated"
    assert validated.quality is not None and validated.quality["accuracy_px"] < 200
    assert samples[-1].calibrated
    assert samples[-1].confidence > 0.7

    again = Tracker(SCREEN, tracker.model)
    other = Viewer(again)
    sample = other.look(0.8, iris=iris_for((1300, 700)))[-1]
    again.close()
    assert sample.calibrated
    assert distance_px(sample, (1300, 700)) < 300


def test_a_point_without_a_face_is_rejected_through_take_updates(viewer: Viewer) -> None:
    viewer.tracker.calibrate("start", None, viewer.t_s)
    viewer.tracker.calibrate("point", (100.0, 100.0), viewer.t_s)
    viewer.look(3.7, present=False)
    assert [update.state for update in viewer.tracker.take_updates()] == ["rejected"]


def test_a_bad_model_is_refused() -> None:
    with pytest.raises(CalibrationError, match="version"):
        Tracker(SCREEN, {"version": 0})


def test_a_wrong_action_is_refused(viewer: Viewer) -> None:
    with pytest.raises(CalibrationError, match="start"):
        viewer.tracker.calibrate("finish", None, viewer.t_s)


def test_without_a_screen_one_is_assumed() -> None:
    tracker = Tracker()
    viewer = Viewer(tracker)
    assert viewer.look(0.4)[-1].screen_px is not None
    assert tracker.screen is None
    tracker.screen = Screen(1000.0, 500.0)
    sample = viewer.look(0.4)[-1]
    tracker.close()
    assert point(sample)[0] < 1000
