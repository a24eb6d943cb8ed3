"""MediaPipe's own FaceMesh as a peer, in an environment of its own.

The last MediaPipe with FaceMesh asks for Python 3.12 or older and numpy 1, so it runs in
`.venv-peers` (`make peers`). There this file is the program: `facemesh.py FRAMES.npy [--video]`.
"""

import argparse
import json
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

PYTHON = Path(__file__).resolve().parent.parent / ".venv-peers/bin/python"
MISSING = "FaceMesh was not run: `make peers` makes its environment and needs Python 3.12 or 3.11"


@dataclass(frozen=True, slots=True)
class FaceMeshRun:
    """What FaceMesh found in frames (n, h, w, 3), and what it cost.

    `points_px` has shape (n, 478, 3): x and y in pixels of the frame, z in the same scale; NaN
    where no face was found. `cost_s` has shape (n,): processor time of all threads, in seconds.
    """

    points_px: NDArray[np.float64]
    cost_s: NDArray[np.float64]

    def median_cost_ms(self, warm_up: int) -> float:
        """Return the median cost of a frame in milliseconds, without the first `warm_up`."""
        return 1000.0 * float(np.median(self.cost_s[warm_up:]))


def run_facemesh(frames: NDArray[np.uint8], video: bool, repeat: int = 1) -> FaceMeshRun | None:
    """Run FaceMesh with refined eyes and irises in its own environment.

    Parameters
    ----------
    frames : ndarray of uint8
        RGB frames, shape (n, h, w, 3).
    video : bool
        Whether a face is looked for where it was in the frame before.
    repeat : int
        How often the frames are gone through; the result has `repeat * n` frames.

    Returns
    -------
    FaceMeshRun or None
        None where there is no such environment (`MISSING` says how to make it).

    Raises
    ------
    subprocess.CalledProcessError
        FaceMesh failed; it has said why on stderr.
    """
    if not PYTHON.exists():
        return None
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "frames.npy"
        np.save(file, frames)
        flags = [f"--repeat={repeat}", *(["--video"] if video else [])]
        done = subprocess.run(  # noqa: S603 - the Python of the peers, and this file
            [PYTHON, __file__, file, *flags], check=True, stdout=subprocess.PIPE, text=True
        )
    said = json.loads(done.stdout)
    return FaceMeshRun(np.array(said["points_px"], np.float64), np.array(said["cost_s"]))


def _main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("frames", type=Path)
    parser.add_argument("--video", action="store_true")
    parser.add_argument("--repeat", type=int, default=1)
    flags = parser.parse_args()

    from mediapipe.python.solutions.face_mesh import FaceMesh

    frames = np.load(flags.frames, mmap_mode="r")
    height, width = frames.shape[1:3]
    nothing = [[float("nan")] * 3] * 478
    points_px: list[Any] = []
    cost_s: list[float] = []
    with FaceMesh(static_image_mode=not flags.video, refine_landmarks=True) as mesh:
        for frame in [*frames] * flags.repeat:
            picture = np.ascontiguousarray(frame)
            began_s = time.process_time()
            faces = mesh.process(picture).multi_face_landmarks
            cost_s.append(time.process_time() - began_s)
            found = faces[0].landmark if faces else []
            points_px.append([(p.x * width, p.y * height, p.z * width) for p in found] or nothing)
    print(json.dumps({"points_px": points_px, "cost_s": cost_s}))


if __name__ == "__main__":
    _main()
