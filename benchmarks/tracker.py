"""What one camera frame costs the tracker, stage by stage: `python -m benchmarks.tracker`.

Unit: milliseconds of CPU of all threads for one frame (wall time would include other processes),
the median over frames of a simulated viewer whose face is already found. Peer: `FaceMesh`,
MediaPipe's own, right after and in an environment of its own (benchmarks/facemesh.py), since
machines differ, and one from hour to hour. `tracker` is everything with a calibration of nine
points, `uncalibrated` without one.
"""

import statistics
import time
from collections.abc import Callable, Sequence
from typing import TypeVar

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.facemesh import MISSING, run_facemesh
from benchmarks.report import arguments, write_figures
from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.head.pose import head_pose
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.head.stabilizer import HeadStabilizer
from gaze.vision.iris.pupil import PupilMeter
from gaze.vision.iris.refinement import crop_eyes, find_irises
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.features import SIZE, gaze_features, read_eyes
from gaze.vision.regression.gaze_model import GazeModel, TrainingSet
from gaze.vision.sample import Screen
from gaze.vision.tracker import Tracker
from simulation.viewers.painted import viewer_frame

T = TypeVar("T")

SIZES = ((640, 480, 5.0), (1280, 720, 9.0))  # width and height in px, goal in ms
SCREEN = Screen(1920.0, 1080.0)
PICTURES = 8  # different frames, shown in a loop
WARM_UP_FRAMES = 20
POINTS = 9  # of the calibration


def cost_ms(step: Callable[[int], object], frames: int) -> float:
    """Return the median CPU time of a step.

    Parameters
    ----------
    step : callable
        Its argument is the frame's number.
    frames : int
        Measured calls, after the warm-up.
    """
    for number in range(WARM_UP_FRAMES):
        step(number)
    costs = []
    for number in range(WARM_UP_FRAMES, WARM_UP_FRAMES + frames):
        start_s = time.process_time()
        step(number)
        costs.append(time.process_time() - start_s)
    return 1000.0 * statistics.median(costs)


def measure(width_px: int, height_px: int, frames: int) -> dict[str, float]:
    """Measure each stage and the whole, in milliseconds.

    Parameters
    ----------
    width_px, height_px : int
        Of the camera.
    frames : int
        Measured frames.

    Returns
    -------
    dict of str to float
        By stage.
    """
    scale = height_px / 480
    pictures = []
    for number in range(PICTURES):
        scaled = cv2.resize(viewer_frame(noise=number), None, fx=scale, fy=scale)
        side = (width_px - scaled.shape[1]) // 2
        bordered = cv2.copyMakeBorder(scaled, 0, 0, side, side, cv2.BORDER_REPLICATE)
        pictures.append(np.asarray(bordered, np.uint8))

    def picture(number: int) -> NDArray[np.uint8]:
        return pictures[number % PICTURES]

    finder, pupils = MeshFaceFinder(), PupilMeter()
    for number in range(WARM_UP_FRAMES):
        landmarks = _found(finder.find(picture(number)))
    pose = _found(head_pose(landmarks))
    eyes = read_eyes(landmarks, pose)
    crop = _found(crop_eyes(picture(0), landmarks))
    irises = _found(find_irises(crop, landmarks))
    stabilizer = HeadStabilizer()
    axes = eyeball_model.eyeball_features(
        irises.centres_px, np.array([width_px, height_px]) / 2.0, RigidPose.from_pose(pose)
    )
    row = gaze_features(picture(0), landmarks, eyes, pose, axes)
    random = np.random.default_rng(0)
    points = TrainingSet(
        random.random((POINTS, SIZE)), random.random((POINTS, 2)), np.zeros(POINTS, np.intp), SCREEN
    )
    learned = points.fit()
    stages: dict[str, Callable[[int], object]] = {
        "face": lambda number: finder.find(picture(number)),
        "pose": lambda number: head_pose(landmarks),
        "eyes": lambda number: read_eyes(landmarks, pose),
        "irises": lambda number: find_irises(
            _found(crop_eyes(picture(number), landmarks)), landmarks
        ),
        "stabilizer": lambda number: stabilizer.stabilize(crop, landmarks, pose),
        "features": lambda number: gaze_features(picture(number), landmarks, eyes, pose, axes),
        "regression": lambda number: learned.predict(row[None], SCREEN),
        "pupils": lambda number: pupils.measure(irises, (1.0, 1.0), number / 30.0),
    }
    figures = {name: cost_ms(step, frames) for name, step in stages.items()}
    finder.close()
    for name, model in (("uncalibrated", None), ("tracker", GazeModel(points, 0, 0.1).to_json())):
        tracker = Tracker(SCREEN, model)

        def track(number: int, tracker: Tracker = tracker) -> object:
            return tracker.track(picture(number), number / 30.0)

        figures[name] = cost_ms(track, frames)
        tracker.close()
    repeat = (WARM_UP_FRAMES + frames + PICTURES - 1) // PICTURES
    facemesh = run_facemesh(np.stack(pictures), video=True, repeat=repeat)
    if facemesh is not None:
        figures["FaceMesh"] = facemesh.median_cost_ms(WARM_UP_FRAMES)
    return figures


def _found(value: T | None) -> T:
    if value is None:
        raise RuntimeError("the tracker does not find the simulated viewer's face and eyes")
    return value


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every camera size, print the tables and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "tracker")
    parser.add_argument("--frames", type=int, default=200, help="of each stage, default 200")
    flags = parser.parse_args(argv)
    cv2.setNumThreads(1)
    figures = {}
    for width_px, height_px, goal_ms in SIZES:
        print(f"{width_px} x {height_px}, CPU time of one frame, median of {flags.frames}")
        for stage, value in measure(width_px, height_px, flags.frames).items():
            figures[f"{stage}_{height_px}p_ms"] = value
            print(f"  {stage:13}{value:7.2f} ms" + (f"   goal <= {goal_ms}" * (stage == "tracker")))
    if f"FaceMesh_{SIZES[0][1]}p_ms" not in figures:
        print(MISSING)
    write_figures(figures, flags.json)


if __name__ == "__main__":
    main()
