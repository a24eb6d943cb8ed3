"""The face networks are unpacked from a wheel, and only the ones that gaze knows are taken."""

import zipfile
from pathlib import Path

import pytest

from gaze.vision.face import model_files
from tools import face_models


def wheel_with(folder: Path, end: bytes = b"") -> Path:
    """Return a wheel as MediaPipe's, with the networks' content and `end` after it."""
    wheel = folder / "mediapipe.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        for name in model_files.SHA256:
            content = (model_files.FOLDER / name).read_bytes()
            archive.writestr(f"mediapipe/modules/some/{name}", content + end)
        archive.writestr("mediapipe/modules/some/other.tflite", b"another network")
        archive.writestr("mediapipe-0.10.21.dist-info/LICENSE", b"Apache License")
    return wheel


def test_the_networks_and_their_licence_are_unpacked(tmp_path: Path) -> None:
    folder = tmp_path / "models"
    face_models.unpack(wheel_with(tmp_path), folder)
    assert {file.name for file in folder.iterdir()} == {*model_files.SHA256, "LICENSE", "NOTICE"}
    model_files.check(folder)
    assert (folder / "LICENSE").read_bytes() == b"Apache License"


def test_networks_that_gaze_does_not_know_are_refused(tmp_path: Path) -> None:
    with pytest.raises(model_files.ModelFileError, match="is not the face network known here"):
        face_models.unpack(wheel_with(tmp_path, end=b"?"), tmp_path / "models")


def test_networks_that_are_there_are_not_downloaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    face_models.unpack(wheel_with(tmp_path), tmp_path / "models")
    monkeypatch.setattr(face_models, "REQUIREMENTS", tmp_path / "nothing to download.txt")
    face_models.ensure(tmp_path / "models")
