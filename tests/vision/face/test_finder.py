"""The face mesh on simulated viewers."""

import subprocess
import sys
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from gaze.vision.face import finder as finder_module
from gaze.vision.face import model_files
from gaze.vision.face.finder import FaceModelError, Landmarks, MeshFaceFinder, TaskFaceFinder
from gaze.vision.face.model_files import ModelFileError
from simulation.viewers.painted import PX_PER_MM, viewer_frame
from tests.vision.face.facemesh import COMPARED, FRAMES, PICTURES, facemesh_landmarks


@pytest.fixture(scope="module")
def finder() -> Iterator[MeshFaceFinder]:
    finder = MeshFaceFinder()
    yield finder
    finder.close()


def find(finder: MeshFaceFinder, **looks: Any) -> Landmarks | None:
    for number in range(6):
        landmarks = finder.find(viewer_frame(noise=number, **looks))
    return landmarks


def found(finder: MeshFaceFinder, **looks: Any) -> Landmarks:
    landmarks = find(finder, **looks)
    assert landmarks is not None
    return landmarks


def test_478_points_in_pixels_of_the_frame(finder: MeshFaceFinder) -> None:
    landmarks = found(finder)
    assert landmarks.points_px.shape == (478, 3)
    assert (landmarks.width_px, landmarks.height_px) == (640, 480)
    # The painted iris of the viewer's right eye.
    assert landmarks.points_px[468, :2] == pytest.approx([248, 169], abs=6)


def test_it_follows_the_head_and_the_irises(finder: MeshFaceFinder) -> None:
    straight = found(finder).points_px
    moved = found(finder, shift_px=(40, -20)).points_px
    assert (moved - straight)[468, :2] == pytest.approx([40, -20], abs=4)
    looking = found(finder, iris=(4 * PX_PER_MM, 0)).points_px
    share = (looking - straight)[[468, 473], 0].mean() / (4 * PX_PER_MM)
    assert 0.4 < share < 1.0


def test_nobody_is_none(finder: MeshFaceFinder) -> None:
    assert find(finder, present=False) is None
    assert find(finder) is not None


@pytest.mark.parametrize("name", PICTURES)
@pytest.mark.parametrize("video", [False, True])
def test_its_landmarks_are_those_of_facemesh(name: str, video: bool) -> None:
    """The network run part by part: an upgrade that changes a part would show here."""
    finder = MeshFaceFinder()
    # A face that is followed is looked for where it was found, and small differences add up.
    bound_px = 1.0 if video else 0.08
    for number in range(0 if video else FRAMES - 1, FRAMES):
        landmarks = finder.find(PICTURES[name](number))
    assert landmarks is not None
    away_px = np.linalg.norm(
        landmarks.points_px[COMPARED] - facemesh_landmarks(name, video), axis=1
    )
    assert away_px.mean() < bound_px
    assert away_px.max() < 4.0 * bound_px


def test_a_face_network_that_is_missing_or_another_is_refused_with_advice(tmp_path: Path) -> None:
    name = "face_detection_short_range.tflite"
    with pytest.raises(ModelFileError, match=rf"{name} cannot be read \(No such file.*make setup"):
        model_files.check(tmp_path)
    content = (model_files.FOLDER / name).read_bytes()
    (tmp_path / name).write_bytes(content)
    assert model_files.read(name, tmp_path) == content
    (tmp_path / name).write_bytes(content[:-1] + b"?")
    with pytest.raises(
        ModelFileError, match=rf"{name} is not the face network known here: its SHA"
    ):
        model_files.check(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    """A bundle of gaze's models, since no package has a real face_landmarker.task.

    It loads, but its landmarks are FaceMesh's, which the Face Landmarker cannot read.
    """
    file = tmp_path / "face_landmarker.task"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        for model, name in (
            ("face_detection_short_range.tflite", "face_detector.tflite"),
            ("face_landmark_with_attention.tflite", "face_landmarks_detector.tflite"),
        ):
            archive.write(model_files.FOLDER / model, name)
    return file


def test_the_tasks_backend_loads_a_bundle_and_sees_nobody_where_nobody_is(bundle: Path) -> None:
    finder = TaskFaceFinder(bundle)
    assert finder.delegate in ("GPU", "CPU")
    for number in range(4):
        assert finder.find(viewer_frame(noise=number, present=False)) is None
    finder.close()


@pytest.mark.parametrize(
    ("on_card", "delegate"), [(0.005, "GPU"), (0.02, "CPU"), (RuntimeError("no EGL"), "CPU")]
)
def test_the_tasks_backend_takes_the_video_card_where_it_is_no_slower(
    monkeypatch: pytest.MonkeyPatch, on_card: float | Exception, delegate: str
) -> None:
    def frame_s(model: Path, delegate: str) -> float:
        if delegate == "CPU":
            return 0.01
        if isinstance(on_card, Exception):
            raise on_card
        return on_card

    monkeypatch.setattr(finder_module, "_frame_s", frame_s)
    assert finder_module._fastest_delegate.__wrapped__(Path("face_landmarker.task")) == delegate


def test_a_file_that_is_no_face_landmarker_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "face.task"
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(FaceModelError, match=r"face\.task: must be a face_landmarker\.task"):
        TaskFaceFinder(file)


def test_the_server_does_not_start_with_a_wrong_model(tmp_path: Path) -> None:
    file = tmp_path / "face.task"
    file.write_bytes(b"nothing of the kind")
    done = subprocess.run(
        [sys.executable, "server.py", "--face-landmarker", file, "--port", "0"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 1
    assert "must be a face_landmarker.task" in done.stderr
