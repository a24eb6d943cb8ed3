"""Fits the confidence of pupil diameters: `python -m benchmarks.pupil_confidence`.

Unit: area under the ROC curve (AUC), for viewers left out of the fit, every fourth in turn; and the
weights for `gaze/vision/iris/pupil.py`. No peer. The viewers are the rendered ones of
`benchmarks.rendered`, with other seeds, at both distances. A diameter is good if its error is at
most half a millimetre; a logistic regression estimates how likely that is.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from itertools import repeat

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.rendered import GOOD_PUPIL_MM, SIZES, area_under_curve
from benchmarks.report import Report, arguments, machine, publish
from gaze.vision.face.eye_landmarks import LidBaseline, aspect_ratio
from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.face.landmark_indices import EYES
from gaze.vision.head.pose import head_pose
from gaze.vision.iris.pupil import MIN_MM_CONFIDENCE, PupilMeter
from gaze.vision.iris.refinement import crop_eyes, find_irises
from simulation.viewers.rendered import FPS, draw
from simulation.viewers.rendered.session import recorded_session

Array = NDArray[np.float64]

LEARNED = range(12)
FOLDS = 4
NEWTON_STEPS = 50
_RIDGE = 1e-3  # keeps the weights finite when a term separates the two kinds


def measure(seed: int, distance_mm: float) -> list[tuple[float, ...]]:
    """Watch one viewer.

    Parameters
    ----------
    seed : int
        Of the viewer.
    distance_mm : float
        From the screen.

    Returns
    -------
    list of tuple
        For each judged frame the terms of the evidence, and whether the diameter was good, 0 or 1.
    """
    cv2.setNumThreads(1)
    finder, meter, lids = MeshFaceFinder(), PupilMeter(), (LidBaseline(), LidBaseline())
    rows: list[tuple[float, ...]] = []
    session = recorded_session(draw(seed), distance_mm)
    for number, (described, _, frame) in enumerate(session):
        landmarks, t_s = finder.find(frame), number / FPS
        pose = None if landmarks is None else head_pose(landmarks)
        if landmarks is None or pose is None:
            continue
        right, left = (
            lid.openness(aspect_ratio(landmarks, eye), t_s)
            for lid, eye in zip(lids, EYES, strict=True)
        )
        crop = crop_eyes(frame, landmarks)
        irises = None if crop is None else find_irises(crop, landmarks)
        meter.measure(irises, (left, right), t_s, pose)
        evidence = meter.evidence
        if described.judged and evidence is not None:
            error_mm = abs(evidence.mm - described.scene.pupil_mm)
            rows.append((*evidence.predictors, float(error_mm <= GOOD_PUPIL_MM)))
    finder.close()
    return rows


def fit(terms: Array, good: Array) -> Array:
    """Fit a logistic regression by Newton's method, with a small ridge penalty.

    Parameters
    ----------
    terms : ndarray, shape (n, k)
        The terms of the evidence.
    good : ndarray, shape (n,)
        0 or 1.

    Returns
    -------
    ndarray, shape (k,)
        The weights.
    """
    weights = np.zeros(terms.shape[1])
    for _ in range(NEWTON_STEPS):
        probability = 1.0 / (1.0 + np.exp(-terms @ weights))
        gradient = terms.T @ (probability - good) / len(good) + _RIDGE * weights
        hessian = (terms.T * (probability * (1.0 - probability))) @ terms / len(good)
        hessian += _RIDGE * np.eye(len(weights))
        weights = weights - np.linalg.solve(hessian, gradient)
    return weights


def left_out_auc(viewers: Sequence[Array], least: float = 0.0) -> float:
    """Return the AUC of viewers judged by a fit to the others.

    Parameters
    ----------
    viewers : sequence of ndarray, shape (n, k + 1)
        Rows of `measure`, by viewer.
    least : float, default 0
        Only diameters with at least this confidence count.
    """
    confidences, good = [], []
    folds = min(FOLDS, len(viewers))
    for fold in range(folds):
        others = np.vstack([each for n, each in enumerate(viewers) if n % folds != fold])
        judged = np.vstack([each for n, each in enumerate(viewers) if n % folds == fold])
        logit = judged[:, :-1] @ fit(others[:, :-1], others[:, -1])
        confidences.append(1.0 / (1.0 + np.exp(-logit)))
        good.append(judged[:, -1] > 0)
    confidence, is_good = np.concatenate(confidences), np.concatenate(good)
    enough = confidence >= least
    return area_under_curve(confidence[is_good & enough], confidence[~is_good & enough])


def main(argv: Sequence[str] | None = None) -> None:
    """Watch the viewers, fit, print the weights and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "pupil_confidence")
    count_help = f"seeds, two or more, default {len(LEARNED)}"
    parser.add_argument("--count", type=int, default=len(LEARNED), help=count_help)
    parser.add_argument("--jobs", type=int, default=1, help="processes to run in, default 1")
    flags = parser.parse_args(argv)
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
        "AUC": left_out_auc(known),
        "AUC of diameters given in mm": left_out_auc(known, MIN_MM_CONFIDENCE),
        "good (%)": 100.0 * joined[:, -1].mean(),
    }
    report.add("viewers left out", figures)
    publish([report], flags.json)


if __name__ == "__main__":
    main()
