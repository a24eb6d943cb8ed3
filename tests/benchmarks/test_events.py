"""The events benchmark: known answers of its measures and of the detectors beside ours."""

import json
import subprocess
import sys

import numpy as np
import pytest

from benchmarks.events import (
    FIXATION,
    SACCADE,
    UNKNOWN,
    at_camera_rate,
    dispersion_threshold,
    event_f1,
    kappa,
    ours,
    stretches,
    velocity_threshold,
)

FIELDS = [("t", "f8"), ("x", "f4"), ("y", "f4"), ("status", "?"), ("evt", "u1")]


def recording(seconds=6):
    """Looks at two places in turn, a second each, with a saccade of 60 ms between."""
    made = np.zeros(1000 * seconds, FIELDS)
    made["t"] = np.arange(len(made)) / 1000
    made["status"] = True
    made["evt"] = FIXATION
    place = (made["t"].astype(int) % 2) * 12.0
    made["x"] = place
    for second in range(1, seconds):
        flight = slice(1000 * second, 1000 * second + 60)
        made["x"][flight] = np.linspace(place[1000 * second - 1], place[1000 * second], 60)
        made["evt"][flight] = SACCADE
    return made


def test_kappa_and_f1_have_their_known_answers():
    truth = np.array([1, 1, 1, 1, 2, 2, 1, 1, 1, 1])
    assert kappa(truth, truth, SACCADE) == 1.0
    assert kappa(truth, np.ones(10, int), SACCADE) == 0.0
    said = np.array([1, 1, 1, 1, 2, 1, 1, 1, 1, 1])
    assert kappa(truth, said, SACCADE) == pytest.approx((0.9 - 0.74) / 0.26)
    assert stretches(truth, SACCADE) == [(4, 6)]
    assert event_f1(truth, said, SACCADE) == 1.0
    assert event_f1(truth, said, FIXATION) == 1.0
    twice = np.array([2, 1, 1, 1, 2, 1, 1, 1, 1, 1])
    assert event_f1(truth, twice, SACCADE) == pytest.approx(2 / 3)


def test_a_recording_comes_at_thirty_frames_with_the_label_of_most_samples():
    made = recording()
    made["status"][2100:2200] = False
    points, labels = at_camera_rate(made)
    assert len(points) == pytest.approx(180, abs=1)
    assert list(labels[29:33]) == [FIXATION, SACCADE, SACCADE, FIXATION]
    assert np.isnan(points[64]).all()
    assert labels[64] == UNKNOWN


def test_every_detector_finds_clear_saccades():
    points, labels = at_camera_rate(recording())
    for said in (
        ours(points),
        velocity_threshold(points, 100.0, 0, "preceding"),
        dispersion_threshold(points, 3.0, 3),
    ):
        assert event_f1(labels, said, SACCADE) == 1.0
        assert event_f1(labels, said, FIXATION) == 1.0


def test_the_command_prints_and_writes_all_figures(tmp_path):
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
