"""What MediaPipe's own FaceMesh found in pictures of the made viewer, beside what gaze finds.

`facemesh.json` holds its landmarks, since the last MediaPipe with FaceMesh (0.10.21) asks for
Python 3.12 or older and numpy 1. After `make peers`, `python -m tests.vision.face.facemesh` makes
the file again.
"""

import json
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

from benchmarks.facemesh import MISSING, run_facemesh
from simulation.viewers.painted import PX_PER_MM, viewer_frame

FILE = Path(__file__).with_suffix(".json")
FRAMES = 4

# The lips, which MediaPipe places a second time and gaze.vision does not.
LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407),
)
# Every fourth landmark of the face, the edges of the lids, and both irises.
_LIDS = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
)
COMPARED = sorted({*range(0, 468, 4), *_LIDS, *range(468, 478)} - {*LIPS})


def turned(image: NDArray[np.uint8], degrees: float) -> NDArray[np.uint8]:
    """Return a picture turned about its middle and made smaller, so that all of it stays in."""
    height, width = image.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), degrees, 0.6)
    return np.asarray(
        cv2.warpAffine(image, turn, (width, height), borderMode=cv2.BORDER_REPLICATE), np.uint8
    )


def _scaled(image: NDArray[np.uint8], scale: float) -> NDArray[np.uint8]:
    return np.asarray(cv2.resize(image, None, fx=scale, fy=scale), np.uint8)


PICTURES: dict[str, Callable[[int], NDArray[np.uint8]]] = {
    "straight": lambda n: viewer_frame(noise=n),
    "aside": lambda n: viewer_frame(noise=n, shift_px=(50 - n, -30 + n)),
    "lids down": lambda n: viewer_frame(noise=n, openness=0.2),
    "looking away": lambda n: viewer_frame(noise=n, iris=(4 * PX_PER_MM, 2 * PX_PER_MM)),
    "turned": lambda n: turned(viewer_frame(noise=n), 20.0),
    "turned and tall": lambda n: turned(viewer_frame(noise=n), -25.0)[:, 120:520],
    "large": lambda n: _scaled(viewer_frame(noise=n), 2.0),
    "a small photo": lambda n: np.roll(_scaled(data.astronaut(), 0.6), 3 * n, axis=1),
}


def facemesh_landmarks(name: str, video: bool) -> NDArray[np.float64]:
    """Return what FaceMesh found in the last of a picture's `FRAMES` frames.

    Parameters
    ----------
    name : str
        A key of `PICTURES`.
    video : bool
        Whether FaceMesh was given the frames as a video, or the last alone.

    Returns
    -------
    ndarray of float64
        The landmarks `COMPARED`, shape (len(COMPARED), 3), in pixels of the frame.
    """
    stored = json.loads(FILE.read_text())
    return np.array(stored[name]["video" if video else "picture"])


def _main() -> None:
    stored = {}
    for name, picture in PICTURES.items():
        frames = np.stack([picture(number) for number in range(FRAMES)])
        found = [run_facemesh(frames, video=True), run_facemesh(frames[-1:], video=False)]
        if None in found:
            raise SystemExit(MISSING)
        last = [run.points_px[-1, COMPARED].round(2).tolist() for run in found if run is not None]
        stored[name] = dict(zip(("video", "picture"), last, strict=True))
    lines = [
        f' "{name}": {{\n  "video": {json.dumps(each["video"])},\n'
        f'  "picture": {json.dumps(each["picture"])}\n }}'
        for name, each in stored.items()
    ]
    FILE.write_text("{\n" + ",\n".join(lines) + "\n}\n")


if __name__ == "__main__":
    _main()
