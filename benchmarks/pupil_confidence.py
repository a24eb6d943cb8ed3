"""Fits the confidence of pupils to rendered viewers: `python -m benchmarks.pupil_confidence`.

The viewers are those of `benchmarks.rendered` with other seeds than its own, at both sizes. A
width is good when it is off by half a millimetre at most, and a logistic regression tells how
likely that is. It is judged by viewers left out, every fourth in turn.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.rendered import GOOD_PUPIL_MM, SIZES, area_under_curve, watch
from benchmarks.report import Report, arguments, machine, publish
from gaze.vision.face.eye_landmarks import EYES, LidBaseline, aspect_ratio
from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.head.pose import head_pose
from gaze.vision.iris.pupil import RELATIVE_ONLY, PupilMeter
from gaze.vision.iris.refinement import cut_eyes, find_irises
from simulation.rendered_viewer import FPS, draw

Array = NDArray[np.float64]

LEARNED = range(12)
FOLDS = 4
_PULL = 1e-3


def measure(seed: int, distance_mm: float) -> list[tuple[float, ...]]:
    """Watch one viewer; return the terms of the evidence and whether the width was good."""
    cv2.setNumThreads(1)
    finder, meter, lids = MeshFaceFinder(), PupilMeter(), (LidBaseline(), LidBaseline())
    rows = []
    for number, (look, _, frame) in enumerate(watch(draw(seed), distance_mm)):
        landmarks, t_s = finder.find(frame), number / FPS
        pose = None if landmarks is None else head_pose(landmarks)
        if landmarks is None or pose is None:
            continue
        right, left = (
            lid.openness(aspect_ratio(landmarks, eye), t_s)
            for lid, eye in zip(lids, EYES, strict=True)
        )
        crop = cut_eyes(frame, landmarks)
        irises = None if crop is None else find_irises(crop, landmarks)
        meter.measure(irises, (left, right), t_s, pose)
        evidence = meter.evidence
        if look.judged and evidence is not None:
            off_mm = abs(evidence.mm - look.scene.pupil_mm)
            rows.append((*evidence.terms, float(off_mm <= GOOD_PUPIL_MM)))
    finder.close()
    return rows


def fit(terms: Array, good: Array) -> Array:
    """Return the weights of the terms (n, k) by which `good` (n,), 0 or 1, is likeliest."""
    weights = np.zeros(terms.shape[1])
    for _ in range(50):
        told = 1.0 / (1.0 + np.exp(-terms @ weights))
        slope = terms.T @ (told - good) / len(good) + _PULL * weights
        bend = (terms.T * (told * (1.0 - told))) @ terms / len(good)
        weights = weights - np.linalg.solve(bend + _PULL * np.eye(len(weights)), slope)
    return weights


def left_out(viewers: Sequence[Array], least: float = 0.0) -> float:
    """Return the area under the curve of viewers judged by what the others taught, over the widths
    whose confidence is `least` or more."""
    told, good = [], []
    folds = min(FOLDS, len(viewers))
    for fold in range(folds):
        others = np.vstack([each for n, each in enumerate(viewers) if n % folds != fold])
        judged = np.vstack([each for n, each in enumerate(viewers) if n % folds == fold])
        sure = judged[:, :-1] @ fit(others[:, :-1], others[:, -1])
        told.append(1.0 / (1.0 + np.exp(-sure)))
        good.append(judged[:, -1] > 0)
    all_told, all_good = np.concatenate(told), np.concatenate(good)
    enough = all_told >= least
    return area_under_curve(all_told[all_good & enough], all_told[~all_good & enough])


def main() -> None:
    """Watch the viewers, fit, and print the weights."""
    parser = arguments(__doc__, "pupil confidence", 26.0, 1)
    parser.add_argument(
        "--count", type=int, default=len(LEARNED), help="how many seeds, two or more"
    )
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    flags = parser.parse_args()
    seeds = range(flags.count)
    viewers: list[list[tuple[float, ...]]] = [[] for _ in seeds]
    with ProcessPoolExecutor(flags.jobs) as pool:
        for distance_mm in SIZES.values():
            for rows, more in zip(
                viewers, pool.map(measure, seeds, repeat(distance_mm)), strict=True
            ):
                rows += more
    known = [np.array(rows) for rows in viewers]
    joined = np.vstack(known)
    names = ("constant", "log of explained", "log of rest", "log of radius", "log of width")
    weights = fit(joined[:, :-1], joined[:, -1])
    report = Report(f"confidence of pupils, seeds 0 to {seeds[-1]}; {machine()}", prefix="pupil.")
    report.add("weights", dict(zip(names, weights.tolist(), strict=True)))
    figures = {
        "AUC": left_out(known),
        "AUC of those told in millimetres": left_out(known, RELATIVE_ONLY),
        "good (%)": 100.0 * joined[:, -1].mean(),
    }
    report.add("viewers left out", figures)
    publish([report], flags.json)


if __name__ == "__main__":
    main()
