"""Fixations, saccades and pursuits of scripted gaze."""

from collections.abc import Sequence

import numpy as np
import pytest

from gaze.vision.events.detector import EventDetector, EyeMovement

RATE = 30
DEGREE_PX = 50.0


def run(
    points: Sequence[tuple[float, float]],
    noise_px: float = 5.0,
    seed: int = 0,
    detector: EventDetector | None = None,
    start_s: float = 0.0,
) -> tuple[list[EyeMovement], EventDetector]:
    """Classify noisy samples of points, one a frame."""
    rng = np.random.default_rng(seed)
    detector = detector or EventDetector(DEGREE_PX)
    movements = [
        detector.update(np.array(point) + rng.normal(0, noise_px, 2), start_s + number / RATE)
        for number, point in enumerate(points)
    ]
    return movements, detector


def distance_px(movement: EyeMovement, point: tuple[float, float]) -> float:
    """Return the distance of a saccade's landing from a point."""
    assert movement.landing_px is not None
    return float(np.linalg.norm(movement.landing_px - point))


def test_steady_gaze_is_one_fixation_that_dwells() -> None:
    movements, _ = run([(500, 400)] * 90)
    assert {movement.kind for movement in movements} == {"fixation"}
    assert movements[-1].dwell_s == pytest.approx(89 / RATE)


@pytest.mark.parametrize("noise_px", [2.0, 15.0, 30.0])
def test_saccades_are_detected_at_once_whatever_the_noise(noise_px: float) -> None:
    targets = [(200, 300), (900, 300), (900, 800), (300, 500)]
    movements, _ = run([target for target in targets for _ in range(45)], noise_px)
    steps = [number for number, movement in enumerate(movements) if movement.kind == "saccade"]
    assert steps == [46, 91, 136]
    for number, target in zip(steps, targets[1:], strict=True):
        assert distance_px(movements[number], target) < 3 * noise_px + 1
        assert movements[number].dwell_s == 0.0


def test_a_single_distant_sample_is_an_outlier_and_no_saccade() -> None:
    movements, _ = run([(500, 400)] * 30 + [(1500, 100)] + [(500, 400)] * 30)
    assert [number for number, movement in enumerate(movements) if movement.outlier] == [30]
    assert all(movement.kind == "fixation" for movement in movements)
    assert movements[-1].dwell_s == pytest.approx(60 / RATE)


def test_two_distant_samples_far_from_each_other_are_no_saccade() -> None:
    movements, _ = run([(500, 400)] * 30 + [(1500, 100), (100, 1000)] + [(500, 400)] * 10)
    assert "saccade" not in {movement.kind for movement in movements}


def test_smooth_movement_is_pursuit_and_no_dwell() -> None:
    movements, _ = run([(200 + 10 * DEGREE_PX * t / RATE, 400) for t in range(90)])
    kinds = [movement.kind for movement in movements[15:]]
    assert kinds.count("pursuit") > 0.9 * len(kinds)
    assert max(movement.dwell_s for movement in movements[30:]) < 0.6


def test_a_blink_does_not_end_a_dwell() -> None:
    _, detector = run([(500, 400)] * 30)
    assert detector.dwell_s(1.3) == pytest.approx(1.3)
    movements, _ = run([(500, 400)] * 5, detector=detector, start_s=1.4)
    assert movements[-1].dwell_s == pytest.approx(1.4 + 4 / RATE)


def test_nothing_is_known_after_clear() -> None:
    _, detector = run([(500, 400)] * 30)
    detector.clear()
    assert detector.dwell_s(2.0) is None
    assert detector.update(np.array([900.0, 100.0]), 2.0).kind == "fixation"


def test_noise_is_learned() -> None:
    _, detector = run([(500, 400)] * 300, noise_px=20.0)
    assert detector.noise_px == pytest.approx(20.0, rel=0.4)


def test_only_the_past_counts() -> None:
    same = [(500, 400)] * 40
    one, _ = run([*same, *[(500, 400)] * 20])
    two, _ = run([*same, *[(1200, 900)] * 20])
    assert [(m.kind, m.dwell_s) for m in one[:40]] == [(m.kind, m.dwell_s) for m in two[:40]]
    assert two[41].kind == "saccade"


def test_a_slow_random_walk_is_no_pursuit() -> None:
    """Noise that is correlated from frame to frame, as the mesh's is, is not movement."""
    rng = np.random.default_rng(4)
    wander = np.zeros(2)
    points = []
    for _ in range(300):
        wander = 0.8 * wander + rng.normal(0, 12, 2)
        points.append((500 + wander[0], 400 + wander[1]))
    movements, _ = run(points, noise_px=2.0)
    assert [movement.kind for movement in movements].count("pursuit") < 30


def test_a_dwell_is_never_negative() -> None:
    _, detector = run([(500, 400)] * 30)
    assert detector.update(np.array([500.0, 400.0]), -5.0).dwell_s == 0.0


def test_a_saccade_of_two_frames_is_in_flight_and_then_over() -> None:
    path = [(200, 400)] * 30 + [(600, 400), (1100, 400)] + [(1300, 400)] * 30
    movements, _ = run(path)
    steps = [number for number, movement in enumerate(movements) if movement.kind == "saccade"]
    assert steps[0] == 31
    assert movements[31].in_flight
    assert distance_px(movements[31], (1100, 400)) < 20
    assert not movements[steps[-1]].in_flight
    assert steps[-1] <= 33
    assert not any(movement.outlier for movement in movements[40:])


def test_saccades_above_the_noise_are_detected_and_smaller_ones_are_not() -> None:
    noise_px = 20.0
    for size_px, found in ((200, True), (40, False)):
        movements, _ = run([(500, 400)] * 60 + [(500 + size_px, 400)] * 60, noise_px)
        assert ("saccade" in [movement.kind for movement in movements[58:66]]) == found


def test_noise_that_grows_does_not_make_saccades_for_long() -> None:
    _, detector = run([(500, 400)] * 60, noise_px=2.0)
    movements, _ = run([(500, 400)] * 300, noise_px=60.0, seed=1, detector=detector, start_s=2.0)
    assert [movement.kind for movement in movements[60:]].count("saccade") <= 3
    assert detector.noise_px == pytest.approx(60.0, rel=0.4)


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("amplitude_deg", [8.0, 20.0])
def test_the_time_of_a_saccade_is_known_to_a_fraction_of_a_frame(
    phase: float, amplitude_deg: float
) -> None:
    """Frames are means over their time, as a camera's are."""
    lasts_s = 0.021 + 0.0022 * amplitude_deg
    began_s = (40 + phase) / RATE
    fine_s = np.arange(0, 80 / RATE, 0.0005)
    share = np.clip((fine_s - began_s) / lasts_s, 0.0, 1.0)
    x = 300 + amplitude_deg * DEGREE_PX * share
    frame = (fine_s * RATE + 1e-9).astype(int)
    points = [(x[frame == number].mean(), 400.0) for number in range(80)]
    movements, _ = run(points, noise_px=3.0)
    saccades = [each.saccade_s for each in movements if each.saccade_s is not None]
    assert len(saccades) == 1
    began, ended = saccades[0]
    assert (began + ended) / 2 == pytest.approx(began_s + lasts_s / 2, abs=0.012)
    assert ended - began == pytest.approx(lasts_s, rel=0.35)
