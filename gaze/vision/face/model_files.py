"""The files of the face networks: where they are, and that they are those this code knows.

They are Apache-2.0 files of MediaPipe's wheel 0.10.21, the last that carries them. They are not in
git: `python -m tools.face_models` unpacks them, as `make setup` and the build of gaze's own wheel
do. What the networks' insides are called, and what their outputs mean, is private to MediaPipe, so
a file is identified by its hash.
"""

import hashlib
from pathlib import Path

FOLDER = Path(__file__).resolve().parent / "models"

SHA256 = {
    # BlazeFace, short range (Bazarevsky et al. 2019)
    "face_detection_short_range.tflite": (
        "bbff11cebd1eb27a1e004cae0b0e63ec8c551cbf34a4451148b4908b8db3eca8"
    ),
    # Attention Mesh (Grishchenko et al. 2020)
    "face_landmark_with_attention.tflite": (
        "e06a804e0144f9929eda782122916b35d60c697c3c9344013ca2bbe76a6ce2b4"
    ),
}


class ModelFileError(RuntimeError):
    """A face network's file is missing or is not the one this code knows."""


def read(name: str, folder: Path = FOLDER) -> bytes:
    """Return the content of a network's file, checked.

    Parameters
    ----------
    name : str
        A key of `SHA256`.
    folder : Path
        Where the files are; by default beside this module.

    Raises
    ------
    ModelFileError
        The file is missing, or has another content than the one known here.
    """
    path = folder / name
    try:
        content = path.read_bytes()
    except OSError as error:
        raise ModelFileError(
            f"{path} cannot be read ({error.strerror}): run `make setup`, or in a clone "
            "`python -m tools.face_models`, which unpacks the face networks there"
        ) from None
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise ModelFileError(
            f"{path} is not the face network known here: its SHA-256 is {found}, it must be "
            f"{SHA256[name]}; delete it and run `make setup` or `python -m tools.face_models`"
        )
    return content


def check(folder: Path = FOLDER) -> None:
    """Make sure that all files are there and are the ones known here.

    Parameters
    ----------
    folder : Path
        Where the files are; by default beside this module.

    Raises
    ------
    ModelFileError
        A file is missing, or has another content.
    """
    for name in SHA256:
        read(name, folder)
