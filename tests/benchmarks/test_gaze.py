"""The gaze benchmark: what is tested was never learned from, and mirror images are undone."""

import csv
import json
import subprocess
import sys
from pathlib import Path

import cv2
import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.gaze.__main__ import PROTOCOLS, measure
from benchmarks.gaze.photos import Photos, mirrored
from gaze.vision.head.pose import head_pose
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.features import (
    EYEBALLS,
    FACE_NORMAL_MM,
    HEAD,
    IRISES,
    PIXELS,
    SIZE,
    gaze_features,
    read_eyes,
)
from gaze.vision.sample import Screen
from simulation.viewers.landmarks import HEIGHT, WIDTH, make_landmarks, rotation
from simulation.viewers.painted import viewer_frame

SCREEN = Screen(1600.0, 1000.0)


Array = NDArray[np.float64]


def session(person: str, seed: int) -> Photos:
    """Return a session of sixteen targets, with features from which they can be predicted."""
    rng = np.random.default_rng(seed)
    targets = np.array([(x, y) for y in (0.05, 0.2, 0.4, 0.6) for x in (0.03, 0.3, 0.6, 0.97)])
    features = rng.normal(0, 0.01, (16, SIZE))
    features[:, IRISES] += (targets - 0.5) @ rng.normal(4, 0.1, (2, 6))
    return Photos(person, SCREEN, targets, targets + 0.2, features, features)


@pytest.fixture(scope="module")
def sessions() -> list[Photos]:
    """Make three sessions of one person."""
    return [session("P", 1), session("P", 2), session("P", 3)]


@pytest.mark.parametrize("protocol", PROTOCOLS)
def test_no_tested_photo_is_learned_from_and_all_others_are_tested(
    protocol: str, sessions: list[Photos]
) -> None:
    groups = PROTOCOLS[protocol][0](sessions)
    assert len(groups) == (6 if protocol.startswith("other") else 3)
    for group in groups:
        tested = [number for split in group for number in split.tested[1]]
        assert len(tested) == len(set(tested))
        for split in group:
            photos, numbers = split.tested
            for part, learned in split.parts:
                assert part is not photos or not set(learned) & set(numbers)
    held = {"nine_targets": 9, "other_session_plus_4": 4, "other_session_plus_1": 1}
    assert len(tested) == 16 - held.get(protocol, 0)


def test_the_figures_are_flat_and_known_ones_are_right(
    sessions: list[Photos], capsys: pytest.CaptureFixture[str]
) -> None:
    figures = measure(sessions)
    assert figures["uncalibrated_ours_P_x"] == pytest.approx(0.2)
    assert figures["uncalibrated_ours_P_mean"] == pytest.approx(0.2 * np.sqrt(2))
    assert figures["leave_one_out_ours_P_mean"] < figures["leave_one_out_centre_P_mean"]
    assert "other_session_plus_4" in capsys.readouterr().out
    assert all(np.isfinite(value) for value in figures.values())


def test_a_mirror_image_has_mirrored_features() -> None:
    def features(image: NDArray[np.uint8], yaw_deg: float, x: float, iris_x: float) -> Array:
        landmarks = make_landmarks(rotation(yaw_deg, 5.0), (x, 20.0, 500.0), (iris_x, 0.5))
        pose = head_pose(landmarks)
        assert pose is not None
        irises_px = landmarks.points_px[[468, 473], :2]
        axes = eyeball_model.eyeball_features(
            irises_px, np.array([WIDTH, HEIGHT]) / 2.0, RigidPose.from_pose(pose)
        )
        return gaze_features(image, landmarks, read_eyes(landmarks, pose), pose, axes)

    y, x = np.mgrid[0:HEIGHT, 0:WIDTH]
    grey = 120 + 50 * np.sin(x / 9 + y / 15) + 40 * np.cos(y / 11 - x / 30)
    image = np.repeat(grey[:, :, None], 3, axis=2).astype(np.uint8)
    row = features(image, 8.0, 30.0, 1.0)
    other = features(image[:, ::-1].copy(), -8.0, -30.0, -1.0)
    back = mirrored(other)
    assert row[PIXELS] @ back[PIXELS] > 0.97
    for part in (IRISES, HEAD):
        assert back[part] == pytest.approx(row[part], abs=0.05)
    assert back[FACE_NORMAL_MM] == pytest.approx(row[FACE_NORMAL_MM], abs=3)
    assert back[EYEBALLS] == pytest.approx(row[EYEBALLS], abs=0.01)
    assert mirrored(back) == pytest.approx(other)


def test_the_command_reads_a_folder_and_writes_json(tmp_path: Path) -> None:
    with (tmp_path / "labels.csv").open("w", newline="") as file:
        table = csv.writer(file)
        table.writerow(
            [
                "person",
                "session",
                "image",
                "target_x_px",
                "target_y_px",
                "screen_width_px",
                "screen_height_px",
            ]
        )
        for number in range(4):
            name = f"{number}.jpg"
            looks = (4.0 * (number % 2), 2.0 * (number // 2))
            picture = cv2.cvtColor(viewer_frame(iris=looks), cv2.COLOR_RGB2BGR)
            cv2.imwrite(str(tmp_path / name), picture)
            table.writerow(["P", "s", name, 100 + 400 * (number % 2), 300 * number + 1, 1000, 1200])
    done = subprocess.run(
        [sys.executable, "-m", "benchmarks.gaze", tmp_path, "--json", tmp_path / "figures.json"],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    figures = json.loads((tmp_path / "figures.json").read_text())
    assert figures["leave_one_out_ours_P_mean"] > 0
    assert "uncalibrated_ours_P_mean" in figures
