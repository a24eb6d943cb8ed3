"""The events benchmark: known answers of its measures and of the detectors beside ours."""

import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.events import (
    FIXATION,
    SACCADE,
    UNKNOWN,
    at_camera_rate,
    dispersion_threshold,
    event_f1,
    event_spans,
    kappa,
    ours,
    velocities_deg_s,
    velocity_threshold,
)

FIELDS = [("t", "f8"), ("x", "f4"), ("y", "f4"), ("status", "?"), ("evt", "u1")]


def recording(seconds: int = 6) -> NDArray[np.void]:
    """Return fixations of two points in turn, a second each, with saccades of 60 ms between."""
    samples = np.zeros(1000 * seconds, FIELDS)
    samples["t"] = np.arange(len(samples)) / 1000
    samples["status"] = True
    samples["evt"] = FIXATION
    x_deg = (samples["t"].astype(int) % 2) * 12.0
    samples["x"] = x_deg
    for second in range(1, seconds):
        flight = slice(1000 * second, 1000 * second + 60)
        samples["x"][flight] = np.linspace(x_deg[1000 * second - 1], x_deg[1000 * second], 60)
        samples["evt"][flight] = SACCADE
    return samples


def test_kappa_and_f1_have_their_known_answers() -> None:
    truth = np.array([1, 1, 1, 1, 2, 2, 1, 1, 1, 1])
    assert kappa(truth, truth, SACCADE) == 1.0
    assert kappa(truth, np.ones(10, int), SACCADE) == 0.0
    detected = np.array([1, 1, 1, 1, 2, 1, 1, 1, 1, 1])
    assert kappa(truth, detected, SACCADE) == pytest.approx((0.9 - 0.74) / 0.26)
    assert event_spans(truth, SACCADE) == [(4, 6)]
    assert event_f1(truth, detected, SACCADE) == 1.0
    assert event_f1(truth, detected, FIXATION) == 1.0
    twice = np.array([2, 1, 1, 1, 2, 1, 1, 1, 1, 1])
    assert event_f1(truth, twice, SACCADE) == pytest.approx(2 / 3)


def test_a_recording_is_downsampled_with_the_label_of_most_samples() -> None:
    samples = recording()
    samples["status"][2100:2200] = False
    points, labels = at_camera_rate(samples)
    assert len(points) == pytest.approx(180, abs=1)
    assert list(labels[29:33]) == [FIXATION, SACCADE, SACCADE, FIXATION]
    assert np.isnan(points[64]).all()
    assert labels[64] == UNKNOWN


def test_every_detector_finds_clear_saccades() -> None:
    points, labels = at_camera_rate(recording())
    for detected in (
        ours(points),
        velocity_threshold(points, 100.0, 0, "preceding"),
        dispersion_threshold(points, 3.0, 3),
    ):
        assert event_f1(labels, detected, SACCADE) == 1.0
        assert event_f1(labels, detected, FIXATION) == 1.0


def test_the_command_prints_and_writes_all_figures(tmp_path: Path) -> None:
    np.save(tmp_path / "one.npy", recording())
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.events", tmp_path, "--json", tmp_path / "out.json"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "out.json").read_text())
    assert figures["kappa_saccade_ours"] > 0.4
    assert {"f1_fixation_ivt", "kappa_fixation_idt", "kappa_fixation_difference"} <= set(figures)


@pytest.mark.parametrize("differences", ["preceding", "neighbors", "smooth"])
def test_a_steady_movement_has_its_velocity_by_all_differences(differences: str) -> None:
    points = np.column_stack([np.arange(10) * 2.0, np.zeros(10)])
    velocities = velocities_deg_s(points, differences)
    assert velocities[2:-2, 0] == pytest.approx(60.0)
    assert velocities[:, 1] == pytest.approx(0.0)
