"""The face mesh on made viewers."""

import subprocess
import sys
import zipfile
from pathlib import Path

import mediapipe
import pytest

from gaze.vision.face import FaceModelError, MeshFaceFinder, TaskFaceFinder
from tests.viewers import PX_PER_MM, viewer_frame


@pytest.fixture(scope="module")
def finder():
    finder = MeshFaceFinder()
    yield finder
    finder.close()


def find(finder, **looks):
    for number in range(6):
        landmarks = finder.find(viewer_frame(noise=number, **looks))
    return landmarks


def test_478_points_in_pixels_of_the_frame(finder):
    landmarks = find(finder)
    assert landmarks.points_px.shape == (478, 3)
    assert (landmarks.width_px, landmarks.height_px) == (640, 480)
    # The painted iris of the viewer's right eye.
    assert landmarks.points_px[468, :2] == pytest.approx([248, 169], abs=6)


def test_it_follows_the_head_and_the_irises(finder):
    straight = find(finder).points_px
    moved = find(finder, shift_px=(40, -20)).points_px
    assert (moved - straight)[468, :2] == pytest.approx([40, -20], abs=4)
    looking = find(finder, iris=(4 * PX_PER_MM, 0)).points_px
    share = (looking - straight)[[468, 473], 0].mean() / (4 * PX_PER_MM)
    assert 0.4 < share < 1.0


def test_nobody_is_none(finder):
    assert find(finder, present=False) is None
    assert find(finder) is not None


@pytest.fixture
def bundle(tmp_path):
    """A bundle of the models in MediaPipe's wheel: it loads, but its landmarks are FaceMesh's,
    which the Face Landmarker cannot read. A real face_landmarker.task is not in the wheel."""
    modules = Path(mediapipe.__file__).parent / "modules"
    file = tmp_path / "face_landmarker.task"
    with zipfile.ZipFile(file, "w", zipfile.ZIP_STORED) as archive:
        archive.write(
            modules / "face_detection/face_detection_short_range.tflite", "face_detector.tflite"
        )
        archive.write(
            modules / "face_landmark/face_landmark_with_attention.tflite",
            "face_landmarks_detector.tflite",
        )
    return file


def test_the_tasks_backend_loads_a_bundle_and_sees_nobody_where_nobody_is(bundle):
    finder = TaskFaceFinder(bundle)
    for number in range(4):
        assert finder.find(viewer_frame(noise=number, present=False)) is None
    finder.close()


def test_a_file_that_is_no_face_landmarker_is_refused(tmp_path):
    file = tmp_path / "face.task"
    file.write_bytes(b"nothing of the kind")
    with pytest.raises(FaceModelError, match=r"face\.task: must be a face_landmarker\.task"):
        TaskFaceFinder(file)


def test_the_server_does_not_start_with_a_wrong_model(tmp_path):
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
