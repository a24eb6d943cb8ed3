"""What one camera frame costs the tracker, stage by stage: `python -m benchmarks.tracker`.

Processor time of all threads, since the wall's clock also counts what else the machine does; the
median over frames of a made viewer whose face is already found. `FaceMesh` is MediaPipe's own,
bare, right after and in an environment of its own (benchmarks/facemesh.py): machines differ, and
one from hour to hour. `tracker` is all in, with a calibration of nine points; `uncalibrated` is
without one.
"""

import argparse
import json
import statistics
import time
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np

from benchmarks.facemesh import MISSING, run_facemesh
from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.head.pose import head_pose
from gaze.vision.head.stabilizer import HeadStabilizer, Placed
from gaze.vision.iris.pupil import PupilMeter
from gaze.vision.iris.refinement import cut_eyes, find_irises
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.calibration import GazeModel, Learned
from gaze.vision.regression.features import SIZE, gaze_features, read_eyes
from gaze.vision.sample import Screen
from gaze.vision.tracker import Tracker
from simulation.viewers import viewer_frame

SIZES = ((640, 480, 5.0), (1280, 720, 9.0))
SCREEN = Screen(1920.0, 1080.0)
FRAMES = 8
WARM_UP = 20
POINTS = 9


def cost_ms(step: Callable[[int], object], frames: int) -> float:
    """Return the median processor time of a step, which is given the frame's number."""
    for number in range(WARM_UP):
        step(number)
    costs = []
    for number in range(WARM_UP, WARM_UP + frames):
        start_s = time.process_time()
        step(number)
        costs.append(time.process_time() - start_s)
    return 1000.0 * statistics.median(costs)


def measure(width_px: int, height_px: int, frames: int) -> dict[str, float]:
    """Return the cost of each stage and of all, in milliseconds."""
    scale = height_px / 480
    pictures = []
    for number in range(FRAMES):
        picture = cv2.resize(viewer_frame(noise=number), None, fx=scale, fy=scale)
        side = (width_px - picture.shape[1]) // 2
        pictures.append(cv2.copyMakeBorder(picture, 0, 0, side, side, cv2.BORDER_REPLICATE))

    def picture(number: int) -> np.ndarray:
        return pictures[number % FRAMES]

    finder, pupils = MeshFaceFinder(), PupilMeter()
    for number in range(WARM_UP):
        landmarks = finder.find(picture(number))
    pose = head_pose(landmarks)
    eyes = read_eyes(landmarks, pose)
    crop = cut_eyes(picture(0), landmarks)
    irises = find_irises(crop, landmarks)
    anchor = HeadStabilizer()
    seen = eyeball_model.row_of(
        irises.centres_px, np.array([width_px, height_px]) / 2.0, Placed.of(pose)
    )
    row = gaze_features(picture(0), landmarks, eyes, pose, seen)
    random = np.random.default_rng(0)
    points = Learned(
        random.random((POINTS, SIZE)), random.random((POINTS, 2)), np.zeros(POINTS, np.intp), SCREEN
    )
    learned = points.fit()
    stages: dict[str, Callable[[int], object]] = {
        "face": lambda number: finder.find(picture(number)),
        "pose": lambda number: head_pose(landmarks),
        "eyes": lambda number: read_eyes(landmarks, pose),
        "irises": lambda number: find_irises(cut_eyes(picture(number), landmarks), landmarks),
        "anchor": lambda number: anchor.place(crop, landmarks, pose),
        "features": lambda number: gaze_features(picture(number), landmarks, eyes, pose, seen),
        "mapping": lambda number: learned.predict(row[None], SCREEN),
        "pupils": lambda number: pupils.measure(irises, (1.0, 1.0), number / 30.0),
    }
    figures = {name: cost_ms(step, frames) for name, step in stages.items()}
    finder.close()
    for name, model in (("uncalibrated", None), ("tracker", GazeModel(points, 0, 0.1).to_json())):
        tracker = Tracker(SCREEN, model)
        figures[name] = cost_ms(lambda n, t=tracker: t.track(picture(n), n / 30.0), frames)
        tracker.close()
    repeat = (WARM_UP + frames + FRAMES - 1) // FRAMES
    facemesh = run_facemesh(np.stack(pictures), video=True, repeat=repeat)
    if facemesh is not None:
        figures["FaceMesh"] = facemesh.median_cost_ms(WARM_UP)
    return figures


def main() -> None:
    """Print a table for each camera size, and say what the goal is."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--frames", type=int, default=200)
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    cv2.setNumThreads(1)
    flat = {}
    for width_px, height_px, goal_ms in SIZES:
        print(f"{width_px} x {height_px}, processor time of one frame")
        for stage, value in measure(width_px, height_px, arguments.frames).items():
            flat[f"{stage}_{height_px}p_ms"] = value
            print(f"  {stage:13}{value:7.2f} ms" + (f"   goal <= {goal_ms}" * (stage == "tracker")))
    if f"FaceMesh_{SIZES[0][1]}p_ms" not in flat:
        print(MISSING)
    if arguments.json:
        arguments.json.write_text(json.dumps(flat, indent=1) + "\n")


if __name__ == "__main__":
    main()
