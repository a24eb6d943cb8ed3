"""Fixations, saccades and pursuits of scripted gaze."""

import numpy as np
import pytest

from gaze.vision.events.detector import EventDetector

RATE = 30
DEGREE_PX = 50.0


def run(points, noise_px=5.0, seed=0, movements=None, start_s=0.0):
    rng = np.random.default_rng(seed)
    movements = movements or EventDetector(DEGREE_PX)
    seen = [
        movements.update(np.array(point) + rng.normal(0, noise_px, 2), start_s + number / RATE)
        for number, point in enumerate(points)
    ]
    return seen, movements


def test_steady_gaze_is_one_fixation_that_dwells():
    seen, _ = run([(500, 400)] * 90)
    assert {movement.kind for movement in seen} == {"fixation"}
    assert seen[-1].dwell_s == pytest.approx(89 / RATE)


@pytest.mark.parametrize("noise_px", [2.0, 15.0, 30.0])
def test_steps_are_found_at_once_whatever_the_noise(noise_px):
    targets = [(200, 300), (900, 300), (900, 800), (300, 500)]
    seen, _ = run([target for target in targets for _ in range(45)], noise_px)
    steps = [number for number, movement in enumerate(seen) if movement.kind == "saccade"]
    assert steps == [46, 91, 136]
    for number, target in zip(steps, targets[1:], strict=True):
        assert np.linalg.norm(seen[number].step_px - target) < 3 * noise_px + 1
        assert seen[number].dwell_s == 0.0


def test_a_lone_wild_sample_is_an_outlier_and_no_step():
    seen, _ = run([(500, 400)] * 30 + [(1500, 100)] + [(500, 400)] * 30)
    assert [number for number, movement in enumerate(seen) if movement.outlier] == [30]
    assert all(movement.kind == "fixation" for movement in seen)
    assert seen[-1].dwell_s == pytest.approx(60 / RATE)


def test_two_wild_samples_far_from_each_other_are_no_step():
    seen, _ = run([(500, 400)] * 30 + [(1500, 100), (100, 1000)] + [(500, 400)] * 10)
    assert "saccade" not in {movement.kind for movement in seen}


def test_smooth_movement_is_pursuit_and_does_not_dwell():
    seen, _ = run([(200 + 10 * DEGREE_PX * t / RATE, 400) for t in range(90)])
    kinds = [movement.kind for movement in seen[15:]]
    assert kinds.count("pursuit") > 0.9 * len(kinds)
    assert max(movement.dwell_s for movement in seen[30:]) < 0.6


def test_dwell_goes_on_through_a_blink():
    _, movements = run([(500, 400)] * 30)
    assert movements.dwell_s(1.3) == pytest.approx(1.3)
    seen, _ = run([(500, 400)] * 5, movements=movements, start_s=1.4)
    assert seen[-1].dwell_s == pytest.approx(1.4 + 4 / RATE)


def test_nothing_is_known_after_clear():
    _, movements = run([(500, 400)] * 30)
    movements.clear()
    assert movements.dwell_s(2.0) is None
    assert movements.update(np.array([900.0, 100.0]), 2.0).kind == "fixation"


def test_noise_is_learned():
    _, movements = run([(500, 400)] * 300, noise_px=20.0)
    assert movements.noise_px == pytest.approx(20.0, rel=0.4)


def test_only_the_past_counts():
    same = [(500, 400)] * 40
    one, _ = run([*same, *[(500, 400)] * 20])
    two, _ = run([*same, *[(1200, 900)] * 20])
    assert [(m.kind, m.dwell_s) for m in one[:40]] == [(m.kind, m.dwell_s) for m in two[:40]]
    assert two[41].kind == "saccade"


def test_slow_wandering_that_goes_nowhere_is_no_pursuit():
    """Noise that lasts from frame to frame, as the mesh's does, is not movement."""
    rng = np.random.default_rng(4)
    wander = np.zeros(2)
    points = []
    for _ in range(300):
        wander = 0.8 * wander + rng.normal(0, 12, 2)
        points.append((500 + wander[0], 400 + wander[1]))
    seen, _ = run(points, noise_px=2.0)
    assert [movement.kind for movement in seen].count("pursuit") < 30


def test_time_that_goes_back_never_gives_a_negative_dwell():
    _, movements = run([(500, 400)] * 30)
    assert movements.update(np.array([500.0, 400.0]), -5.0).dwell_s == 0.0


def test_a_saccade_that_lasts_two_frames_is_moving_and_then_over():
    path = [(200, 400)] * 30 + [(600, 400), (1100, 400)] + [(1300, 400)] * 30
    seen, _ = run(path)
    steps = [number for number, movement in enumerate(seen) if movement.kind == "saccade"]
    assert steps[0] == 31
    assert seen[31].moving
    assert np.linalg.norm(seen[31].step_px - (1100, 400)) < 20
    assert not seen[steps[-1]].moving
    assert steps[-1] <= 33
    assert not any(movement.outlier for movement in seen[40:])


def test_small_steps_out_of_the_noise_are_found_and_smaller_ones_are_not():
    noise_px = 20.0
    for size_px, found in ((200, True), (40, False)):
        seen, _ = run([(500, 400)] * 60 + [(500 + size_px, 400)] * 60, noise_px)
        assert ("saccade" in [movement.kind for movement in seen[58:66]]) == found


def test_noise_that_grows_does_not_make_saccades_for_long():
    _, movements = run([(500, 400)] * 60, noise_px=2.0)
    seen, _ = run([(500, 400)] * 300, noise_px=60.0, seed=1, movements=movements, start_s=2.0)
    assert [movement.kind for movement in seen[60:]].count("saccade") <= 3
    assert movements.noise_px == pytest.approx(60.0, rel=0.4)


@pytest.mark.parametrize("phase", [0.0, 0.3, 0.7])
@pytest.mark.parametrize("way_deg", [8.0, 20.0])
def test_the_time_of_a_saccade_is_told_to_a_fraction_of_a_frame(phase, way_deg):
    """Frames are means over their time, as a camera's are."""
    lasts_s = 0.021 + 0.0022 * way_deg
    began_s = (40 + phase) / RATE
    fine_s = np.arange(0, 80 / RATE, 0.0005)
    share = np.clip((fine_s - began_s) / lasts_s, 0.0, 1.0)
    x = 300 + way_deg * DEGREE_PX * share
    frame = (fine_s * RATE + 1e-9).astype(int)
    points = [(x[frame == number].mean(), 400.0) for number in range(80)]
    seen, _ = run(points, noise_px=3.0)
    flights = [movement.flight_s for movement in seen if movement.flight_s is not None]
    assert len(flights) == 1
    began, ended = flights[0]
    assert (began + ended) / 2 == pytest.approx(began_s + lasts_s / 2, abs=0.012)
    assert ended - began == pytest.approx(lasts_s, rel=0.35)
