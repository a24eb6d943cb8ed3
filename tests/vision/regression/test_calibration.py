"""The calibration's states, on synthetic eyes and scripted time."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.regression.calibration import Calibration
from gaze.vision.regression.features import FACE_NORMAL_MM, HEAD, IRISES, PIXELS, SIZE
from gaze.vision.regression.gaze_model import GazeModel
from gaze.vision.sample import CalibrationError, CalibrationUpdate, Screen

SCREEN = Screen(1600, 900, diagonal_mm=400.0)
NINE = [(x, y) for y in (90.0, 450.0, 810.0) for x in (160.0, 800.0, 1440.0)]
VALIDATION = [(400.0, 250.0), (1200.0, 250.0), (400.0, 650.0), (1200.0, 650.0)]
Pair = tuple[float, float]
STEP_S = 1 / 30
MIX = np.random.default_rng(7).normal(0, 1, (3, 120))


class Eyes:
    """A viewer whose features are a smooth function of where they look, and noise."""

    def __init__(self, noise: float = 0.03, seed: int = 0) -> None:
        self.rng = np.random.default_rng(seed)
        self.noise = noise
        self.t_s = 0.0

    def features(self, point_px: Pair) -> FloatArray:
        x, y = point_px[0] / SCREEN.width_px - 0.5, point_px[1] / SCREEN.height_px - 0.5
        eye = np.array([-4 * x, 2 * y, -4 * x + 0.3, 2 * y])
        eye = eye + 0.3 * np.array([x * y, x * x, -x * y, y * y])
        row = np.zeros(SIZE)
        row[IRISES] = [*eye, 0.2 - y, 0.3 - y]
        row[HEAD] = [-0.5 * x, -0.2 * y, 0.0, 0.4, 0.6, 0.0]
        row[FACE_NORMAL_MM] = [60 * x, 30 * y]
        row += self.rng.normal(0, self.noise, SIZE)
        pixels = 1.0 + np.array([x, y, x * y]) @ MIX + self.rng.normal(0, 8 * self.noise, 120)
        row[PIXELS] = pixels / np.linalg.norm(pixels)
        return row

    def look(
        self,
        calibration: Calibration,
        point_px: Pair,
        seconds: float,
        closed: bool = False,
        present: bool = True,
    ) -> list[tuple[float, CalibrationUpdate]]:
        """Return every update while looking at a point, and its time since the start."""
        seen = []
        start_s = self.t_s
        for _ in range(round(seconds / STEP_S)):
            row = self.features(point_px) if present and not closed else None
            for update in calibration.observe(row, closed, self.t_s):
                seen.append((self.t_s - start_s, update))
            self.t_s += STEP_S
        return seen

    def point(
        self,
        calibration: Calibration,
        target: Pair,
        action: str = "point",
        at: Pair | None = None,
    ) -> list[CalibrationUpdate]:
        """Collect a point while looking at it, or elsewhere."""
        calibration.act(action, target, self.t_s)
        return [update for _, update in self.look(calibration, at or target, 1.8)]


def calibrated(eyes: Eyes, points: Sequence[Pair] = NINE) -> Calibration:
    calibration = Calibration(SCREEN)
    calibration.act("start", None, eyes.t_s)
    for target in points:
        assert eyes.point(calibration, target)[-1].state == "accepted"
    return calibration


def model_of(calibration: Calibration) -> GazeModel:
    assert calibration.model is not None
    return calibration.model


def quality_of(update: CalibrationUpdate) -> dict[str, Any]:
    assert update.quality is not None
    return update.quality


def points_of(update: CalibrationUpdate) -> list[dict[str, Any]]:
    assert update.points is not None
    return update.points


def test_a_point_ignores_half_a_second_and_collects_one() -> None:
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


def test_the_eyes_movement_to_the_target_does_not_count() -> None:
    still, late = Eyes(noise=0.01), Eyes(noise=0.01)
    one = calibrated(still)
    two = Calibration(SCREEN)
    two.act("start", None, 0.0)
    for target in NINE:
        two.act("point", target, late.t_s)
        late.look(two, (1600 - target[0], 900 - target[1]), 0.45)
        late.look(two, target, 1.5)
    quality = [quality_of(c.act("finish", None, 99.0)[-1])["accuracy_px"] for c in (one, two)]
    assert quality[1] == pytest.approx(quality[0], abs=8)


def test_nine_points_are_fitted_and_their_quality_is_estimated() -> None:
    eyes = Eyes()
    fitted = calibrated(eyes).act("finish", None, eyes.t_s)
    assert [update.state for update in fitted] == ["fitted"]
    report = fitted[0]
    points, quality = points_of(report), quality_of(report)
    assert len(points) == 9
    assert points[0]["target"] == [160, 90]
    assert points[0]["used"] >= 8
    assert np.linalg.norm(np.subtract(points[4]["gaze"], (800, 450))) < 60
    assert 0 < quality["accuracy_px"] < 80
    assert quality["verdict"] == "good"
    assert "not validated" in quality["reason"]
    assert report.model == json.loads(json.dumps(report.model))


def test_validation_measures_accuracy_on_points_that_were_not_fitted() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("finish", None, eyes.t_s)
    for number, target in enumerate(VALIDATION, start=1):
        updates = eyes.point(calibration, target, "validate")
        assert updates[-1].state == "validated"
        assert len(points_of(updates[-1])) == number
    quality = quality_of(updates[-1])
    truth = [
        np.linalg.norm(
            model_of(calibration)
            .predict_px(np.array([eyes.features(t) for _ in range(30)]), SCREEN)
            .mean(axis=0)
            - t
        )
        for t in VALIDATION
    ]
    assert quality["accuracy_px"] == pytest.approx(np.mean(truth), abs=10)
    assert quality["accuracy_px"] < 60
    degree_px = np.hypot(1600, 900) / 400 * 600 * np.tan(np.pi / 180)
    assert quality["accuracy_deg"] == pytest.approx(quality["accuracy_px"] / degree_px, abs=0.01)
    assert quality["precision_px"] > 0
    assert "4 validation points" in quality["reason"]
    assert calibration.act("finish", None, eyes.t_s)[-1].state == "validated"
    assert not calibration.active


def test_points_validated_before_the_first_finish_are_measured_by_it() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes)
    for target in VALIDATION:
        assert eyes.point(calibration, target, "validate")[-1].state == "accepted"
    updates = calibration.act("finish", None, eyes.t_s)
    assert [update.state for update in updates] == ["fitted", "validated"]


def test_a_viewer_who_looks_elsewhere_is_told_to_retry() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("finish", None, eyes.t_s)
    for target in VALIDATION:
        updates = eyes.point(calibration, target, "validate", at=(1600 - target[0], target[1]))
    assert quality_of(updates[-1])["verdict"] == "retry"


def test_outliers_are_discarded_and_counted() -> None:
    eyes = Eyes(noise=0.01)
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    for target in NINE:
        calibration.act("point", target, eyes.t_s)
        eyes.look(calibration, target, 0.8)
        eyes.look(calibration, (1500, 880), 0.1)
        eyes.look(calibration, target, 1.0)
    report = calibration.act("finish", None, eyes.t_s)[-1]
    assert all(point["discarded"] >= 2 for point in points_of(report)[:8])
    assert quality_of(report)["accuracy_px"] < 60


@pytest.mark.parametrize(
    ("looks", "reason"),
    [({"closed": True}, "eyes were closed"), ({"present": False}, "no face was seen")],
)
def test_a_point_without_eyes_is_rejected_and_can_be_repeated(
    looks: dict[str, bool], reason: str
) -> None:
    eyes = Eyes()
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    calibration.act("point", (800, 450), 0.0)
    seen = eyes.look(calibration, (800, 450), 4.0, **looks)
    assert [update.state for _, update in seen] == ["rejected"]
    assert seen[0][1].reason is not None and reason in seen[0][1].reason
    assert seen[0][0] == pytest.approx(3.5, abs=2 * STEP_S)
    calibration.act("repeat", None, eyes.t_s)
    assert eyes.look(calibration, (800, 450), 1.8)[-1][1].state == "accepted"


def test_a_blink_only_delays_a_point() -> None:
    eyes = Eyes()
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    calibration.act("point", (800, 450), 0.0)
    eyes.look(calibration, (800, 450), 0.9)
    assert eyes.look(calibration, (800, 450), 0.2, closed=True) == []
    assert eyes.look(calibration, (800, 450), 0.7)[-1][1].state == "accepted"


def test_repeat_replaces_an_accepted_point() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("repeat", None, eyes.t_s)
    eyes.look(calibration, NINE[-1], 1.8)
    assert len(points_of(calibration.act("finish", None, eyes.t_s)[-1])) == 9


def test_skip_drops_the_point() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes, NINE[:6])
    calibration.act("point", NINE[6], eyes.t_s)
    eyes.look(calibration, NINE[6], 1.0)
    update = calibration.act("skip", None, eyes.t_s)[-1]
    assert (update.state, update.reason) == ("rejected", "skipped")
    assert len(points_of(calibration.act("finish", None, eyes.t_s)[-1])) == 6


def test_too_few_points_are_refused_and_more_can_follow() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes, NINE[:4])
    update = calibration.act("finish", None, eyes.t_s)[-1]
    assert update.state == "rejected"
    assert update.reason is not None and "at least 5" in update.reason
    eyes.point(calibration, NINE[5])
    assert calibration.act("finish", None, eyes.t_s)[-1].state == "fitted"


def test_smooth_pursuit_of_a_moving_target_calibrates() -> None:
    eyes = Eyes(noise=0.02)
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    path = [*NINE[:3], *NINE[3:6][::-1], *NINE[6:]]
    for begin, end in pairwise(path):
        for part in np.linspace(0, 1, 45, endpoint=False):
            x, y = np.array(begin) + part * np.subtract(end, begin)
            spot = (float(x), float(y))
            calibration.act("follow", spot, eyes.t_s)
            eyes.look(calibration, spot, STEP_S)
    updates = calibration.act("finish", None, eyes.t_s)
    assert [update.state for update in updates] == ["accepted", "fitted"]
    predicted = model_of(calibration).predict_px(eyes.features((400, 650))[None], SCREEN)[0]
    assert np.linalg.norm(predicted - (400, 650)) < 120
    assert len(json.dumps(updates[-1].model)) < 60_000


def test_cancel_keeps_no_unfinished_model() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes, NINE[:6])
    assert calibration.act("cancel", None, eyes.t_s)[-1].state == "cancelled"
    assert not calibration.active
    assert calibration.model is None


@pytest.mark.parametrize("action", ["point", "validate", "skip", "repeat", "finish", "cancel"])
def test_nothing_is_possible_before_start(action: str) -> None:
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
def test_impossible_actions_say_why(action: str, target: Pair | None, message: str) -> None:
    calibration = Calibration(SCREEN)
    calibration.act("start", None, 0.0)
    with pytest.raises(CalibrationError, match=message):
        calibration.act(action, target, 0.1)


def test_finish_waits_for_the_point_being_collected() -> None:
    eyes = Eyes()
    calibration = calibrated(eyes)
    calibration.act("point", (800, 450), eyes.t_s)
    with pytest.raises(CalibrationError, match="a point is being collected"):
        calibration.act("finish", None, eyes.t_s)


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    eyes = Eyes()
    fitted = calibrated(eyes).act("finish", None, eyes.t_s)[-1].model
    assert fitted is not None
    return fitted


FIVE = [(160.0, 90.0), (1440.0, 90.0), (800.0, 450.0), (160.0, 810.0), (1440.0, 810.0)]
THIRTEEN = [*NINE, *VALIDATION]


def mean_offset_px(model: GazeModel, targets: Sequence[Pair], shift_px: Pair = (0.0, 0.0)) -> float:
    """Return a model's error for eyes that appear to look `shift_px` beside the targets."""
    eyes = Eyes(noise=0.0)
    rows = np.array([eyes.features((x + shift_px[0], y + shift_px[1])) for x, y in targets])
    return float(np.linalg.norm(model.predict_px(rows, SCREEN) - targets, axis=1).mean())


@pytest.mark.parametrize(("targets", "limit_px"), [(FIVE, 130), (NINE, 90), (THIRTEEN, 80)])
def test_five_nine_and_thirteen_points_calibrate(targets: list[Pair], limit_px: float) -> None:
    eyes, calibration = Eyes(), Calibration(SCREEN)
    calibration.act("start", None, eyes.t_s)
    for target in targets:
        assert eyes.point(calibration, target)[-1].state == "accepted"
    fitted = calibration.act("finish", None, eyes.t_s)[-1]
    assert fitted.state == "fitted"
    assert len(points_of(fitted)) == len(targets)
    between = [(600.0, 300.0), (1000.0, 300.0), (600.0, 600.0), (1000.0, 600.0)]
    assert mean_offset_px(model_of(calibration), between) < limit_px


def extended(
    model: dict[str, Any], shift_px: Pair, targets: Sequence[Pair]
) -> tuple[Calibration, dict[str, Any], CalibrationUpdate]:
    """Extend a stored model in a session in which the eyes appear to look `shift_px` aside."""
    eyes = Eyes(seed=5)
    calibration = Calibration(SCREEN, GazeModel.from_json(model))
    for x, y in targets:
        updates = eyes.point(calibration, (x, y), at=(x + shift_px[0], y + shift_px[1]))
        assert updates[-1].state == "accepted"
    fitted = calibration.act("finish", None, eyes.t_s)[-1]
    assert fitted.model is not None
    return calibration, fitted.model, fitted


def test_a_stored_calibration_is_extended_by_one_point(model: dict[str, Any]) -> None:
    shift_px = (0.0, 110.0)
    before_px = mean_offset_px(GazeModel.from_json(model), VALIDATION, shift_px)
    calibration, longer, fitted = extended(model, shift_px, [(800.0, 450.0)])
    assert fitted.state == "fitted"
    assert len(points_of(fitted)) == 1
    after_px = mean_offset_px(model_of(calibration), VALIDATION, shift_px)
    assert after_px < 0.75 * before_px
    four, _, _ = extended(model, shift_px, VALIDATION)
    assert mean_offset_px(model_of(four), NINE, shift_px) < after_px
    assert longer["sessions"] == [0] * 9 + [1]


def test_an_extended_calibration_can_be_stored_and_extended_again(model: dict[str, Any]) -> None:
    _, second, _ = extended(model, (0.0, 50.0), [(800.0, 450.0)])
    _, third, _ = extended(json.loads(json.dumps(second)), (0.0, 80.0), [(800.0, 450.0)])
    assert third["sessions"] == [0] * 9 + [1, 2]


def test_a_calibration_that_is_extended_often_is_bounded(model: dict[str, Any]) -> None:
    for _ in range(8):
        _, model, _ = extended(model, (0.0, 30.0), VALIDATION)
    assert len(model["features"]) == 40
    assert model["sessions"][-4:] == [8] * 4


def test_an_extension_without_a_point_is_refused_and_the_model_stays(
    model: dict[str, Any],
) -> None:
    calibration = Calibration(SCREEN, GazeModel.from_json(model))
    calibration.act("point", (800, 450), 0.0)
    calibration.act("skip", None, 0.1)
    refused = calibration.act("finish", None, 0.2)[-1]
    assert refused.state == "rejected"
    assert refused.reason is not None and "at least 1" in refused.reason
    assert model_of(calibration).to_json() == model


def test_start_starts_again_also_with_a_stored_model(model: dict[str, Any]) -> None:
    eyes, calibration = Eyes(), Calibration(SCREEN, GazeModel.from_json(model))
    calibration.act("start", None, eyes.t_s)
    eyes.point(calibration, (800, 450))
    refused = calibration.act("finish", None, eyes.t_s)[-1]
    assert refused.reason is not None and "at least 5" in refused.reason
