"""The calibration's states and numbers, on synthetic eyes and scripted time."""

import json
from itertools import pairwise

import numpy as np
import pytest

from gaze.vision.regression.calibration import (
    Calibration,
    CalibrationError,
    GazeModel,
    keep_steady,
)
from gaze.vision.regression.features import FACED_MM, HEAD, IRISES, PIXELS, SIZE
from gaze.vision.sample import Screen

SCREEN = Screen(1600, 900, diagonal_mm=400.0)
NINE = [(x, y) for y in (90, 450, 810) for x in (160, 800, 1440)]
CHECKS = [(400, 250), (1200, 250), (400, 650), (1200, 650)]
STEP_S = 1 / 30
MIX = np.random.default_rng(7).normal(0, 1, (3, 120))


class Eyes:
    """A viewer whose features are a smooth function of where they look, and noise."""

    def __init__(self, noise=0.03, seed=0):
        self.rng = np.random.default_rng(seed)
        self.noise = noise
        self.t_s = 0.0

    def features(self, point_px):
        x, y = point_px[0] / SCREEN.width_px - 0.5, point_px[1] / SCREEN.height_px - 0.5
        eye = np.array([-4 * x, 2 * y, -4 * x + 0.3, 2 * y])
        eye = eye + 0.3 * np.array([x * y, x * x, -x * y, y * y])
        row = np.zeros(SIZE)
        row[IRISES] = [*eye, 0.2 - y, 0.3 - y]
        row[HEAD] = [-0.5 * x, -0.2 * y, 0.0, 0.4, 0.6, 0.0]
        row[FACED_MM] = [60 * x, 30 * y]
        row += self.rng.normal(0, self.noise, SIZE)
        pixels = 1.0 + np.array([x, y, x * y]) @ MIX + self.rng.normal(0, 8 * self.noise, 120)
        row[PIXELS] = pixels / np.linalg.norm(pixels)
        return row

    def look(self, calibration, point_px, seconds, closed=False, present=True):
        """Watch for so long; returns every update and the time since the start it came at."""
        seen = []
        start_s = self.t_s
        for _ in range(round(seconds / STEP_S)):
            row = self.features(point_px) if present and not closed else None
            for update in calibration.observe(row, closed, self.t_s):
                seen.append((self.t_s - start_s, update))
            self.t_s += STEP_S
        return seen

    def point(self, calibration, target, action="point", at=None):
        calibration.act(action, target, self.t_s)
        return [update for _, update in self.look(calibration, at or target, 1.8)]


def calibrated(eyes, points=NINE):
    calibration = Calibration(SCREEN)
    calibration.act("start", None, eyes.t_s)
    for target in points:
        assert eyes.point(calibration, target)[-1].state == "accepted"
    return calibration


def test_a_point_passes_over_half_a_second_and_collects_one():
    eyes = Eyes()
    calibration = Calibration(SCREEN)
    assert [u.state for u in calibration.act("start", None, 0.0)] == ["collecting"]
    calibration.act("point", (800, 450), 0.0)
    seen = eyes.look(calibration, (800, 450), 1.8)
    assert seen[0][0] == pytest.approx(0.5, abs=STEP_S)
    progress = [update.progress for _, update in seen]
    assert progress == sorted(progress)
    assert seen[-1][1].state == "accepted"
    assert seen[-1][1].progress == 1.0
    assert seen[-1][0] == pytest.approx(1.5, abs=2 * STEP_S)


def test_what_the_eyes_did_on_their_way_to_the_point_does_not_count():
    still, late = Eyes(noise=0.01), Eyes(noise=0.01)
    one = calibrated(still)
    two = Calibration(SCREEN)
    two.act("start", None, 0.0)
    for target in NINE:
        two.act("point", target, late.t_s)
        late.look(two, (1600 - target[0], 900 - target[1]), 0.45)
        late.look(two, target, 1.5)
    quality = [c.act("finish", None, 99.0)[-1].quality["accuracy_px"] for c in (one, two)]
    assert quality[1] == pytest.approx(quality[0], abs=8)


def test_nine_points_fit_and_say_how_well_without_validation():
    eyes = Eyes()
    fitted = calibrated(eyes).act("finish", None, eyes.t_s)
    assert [update.state for update in fitted] == ["fitted"]
    report = fitted[0]
    assert len(report.points) == 9
    assert report.points[0]["target"] == [160, 90]
    assert report.points[0]["used"] >= 8
    assert np.linalg.norm(np.subtract(report.points[4]["gaze"], (800, 450))) < 60
    assert 0 < report.quality["accuracy_px"] < 80
    assert report.quality["verdict"] == "good"
    assert "not validated" in report.quality["reason"]
    assert report.model == json.loads(json.dumps(report.model))


def test_validation_measures_accuracy_on_points_that_were_not_fitted():
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("finish", None, eyes.t_s)
    for number, target in enumerate(CHECKS, start=1):
        updates = eyes.point(calibration, target, "validate")
        assert updates[-1].state == "validated"
        assert len(updates[-1].points) == number
    quality = updates[-1].quality
    truth = [
        np.linalg.norm(
            calibration.model.predict_px(
                np.array([eyes.features(t) for _ in range(30)]), SCREEN
            ).mean(axis=0)
            - t
        )
        for t in CHECKS
    ]
    assert quality["accuracy_px"] == pytest.approx(np.mean(truth), abs=10)
    assert quality["accuracy_px"] < 60
    degree_px = np.hypot(1600, 900) / 400 * 600 * np.tan(np.pi / 180)
    assert quality["accuracy_deg"] == pytest.approx(quality["accuracy_px"] / degree_px, abs=0.01)
    assert quality["precision_px"] > 0
    assert "4 validation points" in quality["reason"]
    assert calibration.act("finish", None, eyes.t_s)[-1].state == "validated"
    assert not calibration.active


def test_points_validated_before_the_first_finish_are_measured_by_it():
    eyes = Eyes()
    calibration = calibrated(eyes)
    for target in CHECKS:
        assert eyes.point(calibration, target, "validate")[-1].state == "accepted"
    updates = calibration.act("finish", None, eyes.t_s)
    assert [update.state for update in updates] == ["fitted", "validated"]


def test_a_viewer_who_looks_elsewhere_is_told_to_retry():
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("finish", None, eyes.t_s)
    for target in CHECKS:
        updates = eyes.point(calibration, target, "validate", at=(1600 - target[0], target[1]))
    assert updates[-1].quality["verdict"] == "retry"


def test_outliers_are_discarded_and_counted():
    eyes = Eyes(noise=0.01)
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    for target in NINE:
        calibration.act("point", target, eyes.t_s)
        eyes.look(calibration, target, 0.8)
        eyes.look(calibration, (1500, 880), 0.1)
        eyes.look(calibration, target, 1.0)
    report = calibration.act("finish", None, eyes.t_s)[-1]
    assert all(point["discarded"] >= 2 for point in report.points[:8])
    assert report.quality["accuracy_px"] < 60


@pytest.mark.parametrize(
    ("looks", "reason"),
    [({"closed": True}, "eyes were closed"), ({"present": False}, "no face was seen")],
)
def test_a_point_without_eyes_is_rejected_and_can_be_repeated(looks, reason):
    eyes = Eyes()
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    calibration.act("point", (800, 450), 0.0)
    seen = eyes.look(calibration, (800, 450), 4.0, **looks)
    assert [update.state for _, update in seen] == ["rejected"]
    assert reason in seen[0][1].reason
    assert seen[0][0] == pytest.approx(3.5, abs=2 * STEP_S)
    calibration.act("repeat", None, eyes.t_s)
    assert eyes.look(calibration, (800, 450), 1.8)[-1][1].state == "accepted"


def test_a_blink_only_delays_a_point():
    eyes = Eyes()
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    calibration.act("point", (800, 450), 0.0)
    eyes.look(calibration, (800, 450), 0.9)
    assert eyes.look(calibration, (800, 450), 0.2, closed=True) == []
    assert eyes.look(calibration, (800, 450), 0.7)[-1][1].state == "accepted"


def test_repeat_replaces_an_accepted_point():
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("repeat", None, eyes.t_s)
    eyes.look(calibration, NINE[-1], 1.8)
    assert len(calibration.act("finish", None, eyes.t_s)[-1].points) == 9


def test_skip_drops_the_point():
    eyes = Eyes()
    calibration = calibrated(eyes, NINE[:6])
    calibration.act("point", NINE[6], eyes.t_s)
    eyes.look(calibration, NINE[6], 1.0)
    update = calibration.act("skip", None, eyes.t_s)[-1]
    assert (update.state, update.reason) == ("rejected", "skipped")
    assert len(calibration.act("finish", None, eyes.t_s)[-1].points) == 6


def test_too_few_points_are_refused_and_more_can_follow():
    eyes = Eyes()
    calibration = calibrated(eyes, NINE[:4])
    update = calibration.act("finish", None, eyes.t_s)[-1]
    assert update.state == "rejected"
    assert "at least 5" in update.reason
    eyes.point(calibration, NINE[5])
    assert calibration.act("finish", None, eyes.t_s)[-1].state == "fitted"


def test_following_a_moving_dot_calibrates():
    eyes = Eyes(noise=0.02)
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    path = [*NINE[:3], *NINE[3:6][::-1], *NINE[6:]]
    for begin, end in pairwise(path):
        for part in np.linspace(0, 1, 45, endpoint=False):
            spot = tuple(np.array(begin) + part * np.subtract(end, begin))
            calibration.act("follow", spot, eyes.t_s)
            eyes.look(calibration, spot, STEP_S)
    updates = calibration.act("finish", None, eyes.t_s)
    assert [update.state for update in updates] == ["accepted", "fitted"]
    predicted = calibration.model.predict_px(eyes.features((400, 650))[None], SCREEN)[0]
    assert np.linalg.norm(predicted - (400, 650)) < 120
    assert len(json.dumps(updates[-1].model)) < 60_000


def test_cancel_ends_it_and_keeps_no_half_model():
    eyes = Eyes()
    calibration = calibrated(eyes, NINE[:6])
    assert calibration.act("cancel", None, eyes.t_s)[-1].state == "cancelled"
    assert not calibration.active
    assert calibration.model is None


@pytest.mark.parametrize("action", ["point", "validate", "skip", "repeat", "finish", "cancel"])
def test_nothing_goes_before_start(action):
    with pytest.raises(CalibrationError, match="send 'start' first"):
        Calibration(SCREEN).act(action, (1, 1), 0.0)


@pytest.mark.parametrize(
    ("action", "target", "message"),
    [
        ("dance", None, "'dance' is none of start, point"),
        ("point", None, "needs \\[x, y\\]"),
        ("point", (float("nan"), 1.0), "needs \\[x, y\\]"),
        ("skip", None, "no point to skip"),
        ("repeat", None, "no point to repeat"),
    ],
)
def test_impossible_actions_say_why(action, target, message):
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    with pytest.raises(CalibrationError, match=message):
        calibration.act(action, target, 0.1)


def test_finish_waits_for_the_point_being_collected():
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("point", (800, 450), eyes.t_s)
    with pytest.raises(CalibrationError, match="a point is being collected"):
        calibration.act("finish", None, eyes.t_s)


@pytest.fixture(scope="module")
def model():
    eyes = Eyes()
    return calibrated(eyes).act("finish", None, eyes.t_s)[-1].model


def test_a_model_survives_json_and_fits_another_screen(model):
    again = GazeModel.from_json(json.loads(json.dumps(model)))
    row = Eyes(noise=0.0).features((1200, 250))[None]
    small = again.predict_px(row, SCREEN)
    large = again.predict_px(row, Screen(3200, 1800, diagonal_mm=400.0))
    assert large == pytest.approx(2 * small)
    assert again.to_json() == model
    assert len(json.dumps(model)) < 20_000


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "calibration.version: is 99"),
        ({"features": ["x"]}, "calibration.features: must be a list of 5 to 40 points"),
        ({"features": [[1.0] * SIZE] * 41}, "calibration.features: must be a list of 5 to 40"),
        ({"features": [[1.0]] * 9}, "calibration.features: must be finite numbers of shape"),
        ({"places": [[1, 2]]}, "calibration.places: must be finite numbers of shape"),
        ({"sessions": [0.5] * 9}, "calibration.sessions: must be whole numbers"),
        ({"sessions": [-1] * 9}, "calibration.sessions: must be whole numbers"),
        ({"screen": [0, 900]}, "calibration.screen: must be larger"),
        ({"diagonal_mm": "wide"}, "calibration.diagonal_mm: must be numbers"),
        ({"shift": ["a", "b"]}, "calibration.shift: must be numbers"),
        ({"shift": [float("nan"), 0]}, "calibration.shift"),
        ({"accuracy": -1}, "calibration.accuracy"),
    ],
)
def test_a_damaged_model_is_refused(model, change, message):
    with pytest.raises(CalibrationError, match=message):
        GazeModel.from_json({**model, **change})


def test_a_model_that_is_no_object_is_refused():
    with pytest.raises(CalibrationError, match="JSON object"):
        GazeModel.from_json([1, 2])


def test_steady_rows_are_kept_and_wild_ones_not():
    rng = np.random.default_rng(0)
    rows = rng.normal(0, 1, (40, 15))
    rows[7] += 8
    kept = keep_steady(rows)
    assert not kept[7]
    assert kept.sum() >= 36


FIVE = [(160, 90), (1440, 90), (800, 450), (160, 810), (1440, 810)]
THIRTEEN = [*NINE, *CHECKS]


def offsets_px(model, places, shift_px=(0.0, 0.0)):
    """How far a model is off for eyes that go as if they looked `shift_px` beside a place."""
    eyes = Eyes(noise=0.0)
    rows = np.array([eyes.features(np.add(place, shift_px)) for place in places])
    return np.linalg.norm(model.predict_px(rows, SCREEN) - places, axis=1)


@pytest.mark.parametrize(("targets", "limit_px"), [(FIVE, 130), (NINE, 90), (THIRTEEN, 80)])
def test_five_nine_and_thirteen_points_calibrate(targets, limit_px):
    eyes, calibration = Eyes(), Calibration(SCREEN)
    calibration.act("start", None, eyes.t_s)
    for target in targets:
        assert eyes.point(calibration, target)[-1].state == "accepted"
    fitted = calibration.act("finish", None, eyes.t_s)[-1]
    assert fitted.state == "fitted"
    assert len(fitted.points) == len(targets)
    places = [(600, 300), (1000, 300), (600, 600), (1000, 600)]
    assert offsets_px(calibration.model, places).mean() < limit_px


def taken_up_again(model, shift_px, targets):
    """A stored model in a later session, in which the eyes' picture is off by `shift_px`."""
    eyes = Eyes(seed=5)
    calibration = Calibration(SCREEN, GazeModel.from_json(model))
    for target in targets:
        updates = eyes.point(calibration, target, at=tuple(np.add(target, shift_px)))
        assert updates[-1].state == "accepted"
    return calibration, calibration.act("finish", None, eyes.t_s)[-1]


def test_a_stored_calibration_is_taken_up_again_with_one_point(model):
    shift_px = (0.0, 110.0)
    before_px = offsets_px(GazeModel.from_json(model), CHECKS, shift_px).mean()
    calibration, fitted = taken_up_again(model, shift_px, [(800, 450)])
    assert fitted.state == "fitted"
    assert len(fitted.points) == 1
    after_px = offsets_px(calibration.model, CHECKS, shift_px).mean()
    assert after_px < 0.75 * before_px
    four, _ = taken_up_again(model, shift_px, CHECKS)
    assert offsets_px(four.model, NINE, shift_px).mean() < after_px
    assert fitted.model["sessions"] == [0] * 9 + [1]


def test_a_calibration_that_was_taken_up_again_can_be_stored_and_taken_up_once_more(model):
    _, fitted = taken_up_again(model, (0.0, 50.0), [(800, 450)])
    _, third = taken_up_again(json.loads(json.dumps(fitted.model)), (0.0, 80.0), [(800, 450)])
    assert third.model["sessions"] == [0] * 9 + [1, 2]


def test_a_calibration_taken_up_often_does_not_grow_without_end(model):
    for _ in range(8):
        _, fitted = taken_up_again(model, (0.0, 30.0), CHECKS)
        model = fitted.model
    assert len(model["features"]) == 40
    assert model["sessions"][-4:] == [8] * 4


def test_taking_up_again_without_a_point_is_refused_and_the_model_stays(model):
    calibration = Calibration(SCREEN, GazeModel.from_json(model))
    calibration.act("point", (800, 450), 0.0)
    calibration.act("skip", None, 0.1)
    refused = calibration.act("finish", None, 0.2)[-1]
    assert refused.state == "rejected"
    assert "at least 1" in refused.reason
    assert calibration.model.to_json() == model


def test_start_begins_anew_also_with_a_stored_model(model):
    eyes, calibration = Eyes(), Calibration(SCREEN, GazeModel.from_json(model))
    calibration.act("start", None, eyes.t_s)
    eyes.point(calibration, (800, 450))
    assert "at least 5" in calibration.act("finish", None, eyes.t_s)[-1].reason
