"""Unpacks the face networks from MediaPipe's wheel: `python -m tools.face_models`.

The wheel is downloaded by pip, which checks its hash against requirements-models.txt, and is used
as an archive: it asks for Python 3.12 or older and numpy 1, and the networks do not.
"""

import subprocess
import sys
import tempfile
import zipfile
from pathlib import Path, PurePosixPath

from gaze.vision.face import model_files

REQUIREMENTS = Path(__file__).resolve().parent.parent / "requirements-models.txt"
NOTICE = """\
The .tflite files in this folder are parts of MediaPipe 0.10.21, Copyright The MediaPipe Authors,
licensed under the Apache License 2.0, whose text is in LICENSE. They are unchanged.
"""


def download(folder: Path) -> Path:
    """Download the wheel that requirements-models.txt names, and return its path.

    Parameters
    ----------
    folder : Path
        Where the wheel goes.

    Raises
    ------
    subprocess.CalledProcessError
        pip could not download it, or its hash is another; pip has said why on stderr.
    """
    subprocess.run(  # noqa: S603 - this Python, and paths of this project
        [
            *(sys.executable, "-m", "pip", "--disable-pip-version-check", "download", "--quiet"),
            *("--no-deps", "--only-binary=:all:", "--implementation=cp", "--python-version=3.12"),
            *("--platform=manylinux_2_28_x86_64", f"--dest={folder}", "-r", str(REQUIREMENTS)),
        ],
        check=True,
        stdout=sys.stderr,
    )
    [wheel] = folder.glob("*.whl")
    return wheel


def unpack(wheel: Path, folder: Path) -> None:
    """Write the networks, MediaPipe's licence and a notice into `folder`.

    Parameters
    ----------
    wheel : Path
        MediaPipe's wheel.
    folder : Path
        Where they go; made where it is missing.

    Raises
    ------
    gaze.vision.face.model_files.ModelFileError
        A network in the wheel is not the one that gaze knows.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with zipfile.ZipFile(wheel) as archive:
        for member in archive.namelist():
            name = PurePosixPath(member).name
            if name in model_files.SHA256 or member.endswith(".dist-info/LICENSE"):
                (folder / name).write_bytes(archive.read(member))
    (folder / "NOTICE").write_text(NOTICE)
    model_files.check(folder)


def ensure(folder: Path = model_files.FOLDER) -> None:
    """Download and unpack the networks unless all are there.

    Parameters
    ----------
    folder : Path
        Where they go; by default where the server looks for them.

    Raises
    ------
    subprocess.CalledProcessError
        pip could not download the wheel; it has said why on stderr.
    """
    try:
        model_files.check(folder)
    except model_files.ModelFileError:
        with tempfile.TemporaryDirectory() as temporary:
            unpack(download(Path(temporary)), folder)


if __name__ == "__main__":
    try:
        ensure()
    except subprocess.CalledProcessError as error:
        sys.exit(f"tools.face_models: the face networks could not be downloaded: {error}")
