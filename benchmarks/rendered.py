"""The tracker against ground truth, on rendered viewers: `python -m benchmarks.rendered`.

Unit: degrees of visual angle, millimetres, pixels, as each row says; the mean absolute error over
20 viewers whose seeds were never used for tuning, in the last 10 frames at each target. Peers: the
landmarks' own iris centres beside the refined ones. What is rendered, and how the camera degrades
it, is specified by `simulation/viewers/rendered/`, the protocol (9 calibration points, 8 targets
with a still head, 8 after a head movement) by its `session.py`. One column for each size of the
eye in the picture; the goals are judged at 60 px.
"""

from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, field
from itertools import repeat

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Goal, Report, arguments, machine, publish
from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.iris.refinement import crop_eyes, find_irises
from gaze.vision.sample import GazeSample, Screen
from gaze.vision.tracker import Tracker
from simulation.viewers.landmarks import rotation
from simulation.viewers.rendered import FAR_MM, FPS, NEAR_MM, Frame, Person, Truth, draw
from simulation.viewers.rendered.session import (
    SessionFrame,
    recorded_session,
    screen_at,
    screen_point_mm,
)

Array = NDArray[np.float64]

HELD_OUT = range(1000, 1020)
SIZES = {"60 px": NEAR_MM, "28 px": FAR_MM}
GOOD_PUPIL_MM = 0.5

GOALS = {
    "gaze, calibrated, still head (degrees)": Goal(most=1.0),
    "gaze, calibrated, head moved (degrees)": Goal(most=2.0),
    "gaze, uncalibrated (degrees)": Goal(most=6.0),
    "head: mean of yaw, pitch, roll (degrees)": Goal(most=2.0),
    "distance (%)": Goal(most=5.0),
    "iris centre (px)": Goal(most=0.25),
    "pupil, light irises (mm)": Goal(most=0.25),
    "confidence of pupils, AUC": Goal(least=0.9),
}


class _LastLandmarks(MeshFaceFinder):
    """The face finder; keeps the landmarks that it found last."""

    def __init__(self) -> None:
        super().__init__()
        self.last: Landmarks | None = None

    def find(self, image_rgb: Frame) -> Landmarks | None:
        self.last = super().find(image_rgb)
        return self.last


@dataclass(slots=True)
class Errors:
    """Absolute errors of one viewer at one distance; lists hold one value for a judged frame.

    Attributes
    ----------
    light_iris : bool
        Whether the viewer's irises are light.
    gaze_deg : dict of str to list of float
        By part: uncalibrated, still, moved.
    head_deg, rotation_deg : list of float
        Mean of yaw, pitch and roll; angle of the whole rotation.
    distance_percent : list of float
        Of the distance.
    iris_px, landmark_iris_px : list of float
        Iris centres: refined, and as the landmarks have them.
    pupil_mm, pupil_confidence : list of float
        Pupil diameter, and the confidence given with it.
    judged, missed : int
        Frames that were judged, and those without gaze or head.
    """

    light_iris: bool
    gaze_deg: dict[str, list[float]] = field(default_factory=dict)
    head_deg: list[float] = field(default_factory=list)
    rotation_deg: list[float] = field(default_factory=list)
    distance_percent: list[float] = field(default_factory=list)
    iris_px: list[float] = field(default_factory=list)
    landmark_iris_px: list[float] = field(default_factory=list)
    pupil_mm: list[float] = field(default_factory=list)
    pupil_confidence: list[float] = field(default_factory=list)
    missed: int = 0
    judged: int = 0

    def add(
        self,
        described: SessionFrame,
        truth: Truth,
        sample: GazeSample,
        frame: Frame,
        landmarks: Landmarks | None,
        person: Person,
        screen: Screen,
    ) -> None:
        """Compare the tracker's answer to one frame with the truth.

        Parameters
        ----------
        described, truth : SessionFrame, Truth
            What the frame shows.
        sample : GazeSample
            The tracker's answer.
        frame : ndarray, shape (480, 640, 3)
            The frame, RGB.
        landmarks : Landmarks or None
            Those that the tracker found in it.
        person, screen : Person, Screen
            Who looks at what.
        """
        scene = described.scene
        self.judged += 1
        if sample.screen_px is None or sample.head is None or landmarks is None:
            self.missed += 1
            return
        directions = [
            screen_point_mm(person, screen, point) - scene.position_mm
            for point in (described.target_px, sample.screen_px)
        ]
        part = "uncalibrated" if described.part == "calibration" else described.part
        self.gaze_deg.setdefault(part, []).append(_between_deg(*directions))
        yaw, pitch, roll = _angles_deg(scene.head_rotation)
        head = sample.head
        away = np.abs([head.yaw_deg - yaw, head.pitch_deg - pitch, head.roll_deg - roll])
        self.head_deg.append(float(away.mean()))
        estimated = rotation(head.yaw_deg, head.pitch_deg, head.roll_deg)
        cosine = (np.trace(estimated.T @ scene.head_rotation) - 1) / 2
        self.rotation_deg.append(float(np.degrees(np.arccos(cosine))))
        if head.distance_mm is not None:
            true_mm = float(np.linalg.norm(scene.position_mm))
            self.distance_percent.append(100.0 * abs(head.distance_mm - true_mm) / true_mm)
        crop = crop_eyes(frame, landmarks)
        irises = None if crop is None else find_irises(crop, landmarks)
        if irises is not None:
            self.iris_px += np.linalg.norm(irises.centres_px - truth.irises_px, axis=1).tolist()
        meshed = landmarks.points_px[[468, 473], :2] - 0.5
        self.landmark_iris_px += np.linalg.norm(meshed - truth.irises_px, axis=1).tolist()
        pupil = sample.pupil
        if pupil is not None and pupil.mm is not None:
            self.pupil_mm.append(abs(pupil.mm - scene.pupil_mm))
            self.pupil_confidence.append(pupil.confidence)


def measure(seed: int, distance_mm: float) -> Errors:
    """Track one viewer's session, calibrating on the way, and compare with the truth.

    Parameters
    ----------
    seed : int
        Of the viewer.
    distance_mm : float
        From the screen.

    Returns
    -------
    Errors
        Of all judged frames.
    """
    cv2.setNumThreads(1)
    person = draw(seed)
    screen = screen_at(distance_mm)
    finder = _LastLandmarks()
    tracker = Tracker(screen, finder=finder)
    tracker.calibrate("start", None, 0.0)
    errors = Errors(person.has_light_iris)
    calibrated = False
    for number, (described, truth, frame) in enumerate(recorded_session(person, distance_mm)):
        t_s = number / FPS
        if described.part == "calibration" and described.first:
            tracker.calibrate("point", described.target_px, t_s)
        elif described.part != "calibration" and not calibrated:
            calibrated = True
            tracker.calibrate("finish", None, t_s)
            tracker.calibrate("finish", None, t_s)
        sample = tracker.track(frame, t_s)
        if described.judged:
            errors.add(described, truth, sample, frame, finder.last, person, screen)
    tracker.close()
    return errors


def _between_deg(one: Array, other: Array) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other)))


def _angles_deg(head_rotation: Array) -> tuple[float, float, float]:
    """Return yaw, pitch and roll of a rotation, with the signs of `Head`."""
    nose, across = -head_rotation[:, 2], head_rotation[:, 0]
    return (
        float(np.degrees(np.arctan2(nose[0], -nose[2]))),
        float(np.degrees(np.arcsin(-nose[1]))),
        float(np.degrees(np.arctan2(across[1], across[0]))),
    )


def area_under_curve(good: Array, bad: Array) -> float:
    """Return the area under the ROC curve (Fawcett 2006): how well confidence separates the two.

    Parameters
    ----------
    good, bad : ndarray, shape (n,), (m,)
        Confidences of good and of bad measurements.

    Returns
    -------
    float
        The probability that a good one has the higher confidence; nan if either is empty.
    """
    if not len(good) or not len(bad):
        return float("nan")
    ranks = np.searchsorted(np.sort(bad), good, "left") + np.searchsorted(
        np.sort(bad), good, "right"
    )
    return float(ranks.mean() / 2.0 / len(bad))


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "rendered")
    parser.add_argument("--first", type=int, default=HELD_OUT.start, help="first seed")
    parser.add_argument("--count", type=int, default=len(HELD_OUT), help="number of seeds")
    parser.add_argument("--jobs", type=int, default=1, help="processes to run in")
    flags = parser.parse_args(argv)
    seeds = range(flags.first, flags.first + flags.count)
    report = Report(
        f"rendered viewers, seeds {seeds[0]} to {seeds[-1]}; {machine()}",
        GOALS,
        judged="60 px",
        prefix="rendered.",
    )
    every: list[Errors] = []
    with ProcessPoolExecutor(flags.jobs) as pool:
        for column, distance_mm in SIZES.items():
            found = list(pool.map(measure, seeds, repeat(distance_mm)))
            every += found
            report.add(column, _rows(found))
    report.add("60 px", {"confidence of pupils, AUC": _auc(every)})
    report.notes.append("AUC: area under the ROC curve, over both columns.")
    publish([report], flags.json)


def _rows(viewers: list[Errors]) -> dict[str, float]:
    def mean(values: list[list[float]]) -> float:
        joined = [value for each in values for value in each]
        return float(np.mean(joined)) if joined else float("nan")

    def pupils(light: bool) -> list[list[float]]:
        return [each.pupil_mm for each in viewers if each.light_iris == light]

    parts = ("still", "moved", "uncalibrated")
    gaze = [mean([each.gaze_deg.get(part, []) for each in viewers]) for part in parts]
    judged = sum(each.judged for each in viewers)
    return {
        "gaze, calibrated, still head (degrees)": gaze[0],
        "gaze, calibrated, head moved (degrees)": gaze[1],
        "gaze, uncalibrated (degrees)": gaze[2],
        "head: mean of yaw, pitch, roll (degrees)": mean([each.head_deg for each in viewers]),
        "head: whole rotation (degrees)": mean([each.rotation_deg for each in viewers]),
        "distance (%)": mean([each.distance_percent for each in viewers]),
        "iris centre (px)": mean([each.iris_px for each in viewers]),
        "iris centre of the landmarks (px)": mean([each.landmark_iris_px for each in viewers]),
        "pupil, light irises (mm)": mean(pupils(True)),
        "pupil, dark irises (mm)": mean(pupils(False)),
        "frames with a pupil (%)": 100.0 * sum(len(each.pupil_mm) for each in viewers) / judged,
        "frames without gaze (%)": 100.0 * sum(each.missed for each in viewers) / judged,
    }


def _auc(viewers: list[Errors]) -> float:
    errors = np.array([value for each in viewers for value in each.pupil_mm])
    confidence = np.array([value for each in viewers for value in each.pupil_confidence])
    good = errors <= GOOD_PUPIL_MM
    return area_under_curve(confidence[good], confidence[~good])


if __name__ == "__main__":
    main()
