"""How near the point of gaze comes to what was looked at: `python -m benchmarks.gaze DATA`.

DATA holds `labels.csv` (person, session, image, target_x_px, target_y_px, screen_width_px,
screen_height_px) and the photos that it names, one for each target. Errors are fractions of the
screen's width, averaged over a session's targets and then over sessions (pairs of sessions).

A live calibration sees a target in some thirty frames; here there is one. So each photo is read
as `SHAKES` and their mirror images tell, slightly moved and scaled, and the features are averaged.
The rows "one reading" do without.
"""

import argparse
import csv
import json
from collections.abc import Callable
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks import ridge
from gaze.vision.face.eye_landmarks import EYES
from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.head.pose import Pose, head_pose
from gaze.vision.head.stabilizer import Placed
from gaze.vision.iris.refinement import cut_eyes, find_irises
from gaze.vision.regression import eyeball_model, gaussian_process
from gaze.vision.regression.features import (
    FACED_MM,
    HEAD,
    IRISES,
    PIXELS,
    SIGHT,
    SIZE,
    gaze_features,
    read_eyes,
)
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import USUAL_LEVEL_DEG, downward_deg, estimate_px

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]

# Across and down in pixels, and scale.
SHAKES = ((0, 0, 1.0), (3, 2, 1.0), (-4, -3, 1.0), (2, -5, 1.0), (0, 0, 1.12), (1, 1, 0.9))
SETTLING = 3
FOUR = ((0.2, 0.2), (0.8, 0.2), (0.2, 0.8), (0.8, 0.8))
NINE = tuple((x, y) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9))
ONE = ((0.5, 0.5),)
PAIRED_SIZE = 16


@dataclass(frozen=True)
class Photos:
    """All photos of one session: `targets` (k, 2) and the uncalibrated `estimates` (k, 2) in
    screen widths, features of one reading and of all, both (k, SIZE)."""

    person: str
    screen: Screen
    targets: Array
    estimates: Array
    once: Array
    averaged: Array

    def nearest(self, places: tuple[tuple[float, float], ...]) -> Numbers:
        """Return which photos' targets are nearest to places given as fractions of the screen."""
        shares = self.targets * (1.0, self.screen.width_px / self.screen.height_px)
        return np.unique([np.linalg.norm(shares - p, axis=1).argmin() for p in places])


@dataclass(frozen=True)
class Split:
    """What is learned from: `parts` of photos and which of them; and what is `tested`."""

    parts: tuple[tuple[Photos, Numbers], ...]
    tested: tuple[Photos, Numbers]


Method = Callable[[Split], Array]


def _centre(split: Split) -> Array:
    photos, numbers = split.tested
    middle = [0.5, photos.screen.height_px / photos.screen.width_px / 2.0]
    return np.tile(middle, (len(numbers), 1))


def _uncalibrated(split: Split) -> Array:
    photos, numbers = split.tested
    return photos.estimates[numbers]


def _ridge(reading: str) -> Method:
    def landmarks_only(photos: Photos, numbers: Numbers) -> Array:
        rows = getattr(photos, reading)[numbers]
        x, y = rows[:, IRISES][:, :4].reshape(-1, 2, 2).mean(axis=1).T
        return np.column_stack([rows[:, IRISES], rows[:, HEAD], x * x, x * y, y * y])

    def predict(split: Split) -> Array:
        features = np.vstack([landmarks_only(*part) for part in split.parts])
        targets = np.vstack([photos.targets[numbers] for photos, numbers in split.parts])
        learned, _ = ridge.fit_best(features, targets, np.arange(len(features)))
        return learned.predict(landmarks_only(*split.tested))

    return predict


def _ours(reading: str) -> Method:
    def predict(split: Split) -> Array:
        photos, numbers = split.tested
        last = len(split.parts) - 1
        # What the tested session itself gave stands last; without any, it is a session of its own.
        own = last if split.parts[last][0] is photos else last + 1
        learned = gaussian_process.fit(
            np.vstack([getattr(each, reading)[part] for each, part in split.parts]),
            np.vstack([each.targets[part] for each, part in split.parts]),
            photos.screen,
            np.repeat(np.arange(last + 1), [len(part) for _, part in split.parts]),
        )
        return learned.predict(getattr(photos, reading)[numbers], photos.screen, own)

    return predict


METHODS: dict[str, Method] = {
    "centre": _centre,
    "ridge_one_reading": _ridge("once"),
    "ridge": _ridge("averaged"),
    "ours_one_reading": _ours("once"),
    "ours": _ours("averaged"),
}


def leave_one_out(sessions: list[Photos]) -> list[list[Split]]:
    """Every target of a session in turn is predicted from the session's others."""
    groups = []
    for photos in sessions:
        _, names = np.unique(photos.targets.round(4), axis=0, return_inverse=True)
        names = names.ravel()
        groups.append(
            [
                Split(((photos, np.flatnonzero(names != n)),), (photos, np.flatnonzero(names == n)))
                for n in np.unique(names)
            ]
        )
    return groups


def spread(sessions: list[Photos]) -> list[list[Split]]:
    """Nine targets, spread out, predict the rest of their session."""
    return [[Split(((p, p.nearest(NINE)),), (p, _others(p, p.nearest(NINE))))] for p in sessions]


def other_session(places: tuple[tuple[float, float], ...]) -> Callable[[list[Photos]], list]:
    """One session, and the targets of another that are nearest to `places`, predict the rest."""

    def splits(sessions: list[Photos]) -> list[list[Split]]:
        groups = []
        paired = [photos for photos in sessions if len(photos.targets) == PAIRED_SIZE]
        for first, second in permutations(paired, 2):
            again = second.nearest(places) if places else np.zeros(0, dtype=np.intp)
            parts = ((first, np.arange(len(first.targets))), (second, again))
            groups.append([Split(parts[: 2 if places else 1], (second, _others(second, again)))])
        return groups

    return splits


def whole(sessions: list[Photos]) -> list[list[Split]]:
    """Every photo of a session, nothing learned."""
    return [[Split((), (photos, np.arange(len(photos.targets))))] for photos in sessions]


PROTOCOLS: dict[str, tuple[Callable[[list[Photos]], list[list[Split]]], dict[str, Method]]] = {
    "leave_one_out": (leave_one_out, METHODS),
    "nine_targets": (spread, METHODS),
    "other_session_plus_4": (other_session(FOUR), METHODS),
    "other_session_plus_1": (other_session(ONE), METHODS),
    "other_session": (other_session(()), METHODS),
    "uncalibrated": (whole, {"centre": _centre, "ours": _uncalibrated}),
}


def _others(photos: Photos, numbers: Numbers) -> Numbers:
    return np.setdiff1d(np.arange(len(photos.targets)), numbers)


def mirrored(features: Array) -> Array:
    """Return the features (n,) of a picture from those of its mirror image."""
    result = np.empty(SIZE)
    result[PIXELS] = features[PIXELS].reshape(2, 6, 10)[::-1, :, ::-1].ravel()
    result[IRISES] = features[IRISES][[2, 3, 0, 1, 5, 4]] * (-1, 1, -1, 1, 1, 1)
    result[HEAD] = features[HEAD] * (-1, 1, -1, -1, 1, 1)
    result[FACED_MM] = features[FACED_MM] * (-1, 1)
    result[SIGHT] = features[SIGHT] * (-1, 1, -1, 1, 1, 1, -1, -1)
    return result


def line_of_sight(image: NDArray[np.uint8], landmarks: Landmarks, pose: Pose) -> Array:
    """Return the row of `sight` that one photo tells."""
    irises_px = landmarks.points_px[[eye.iris for eye in EYES], :2] - 0.5
    crop = cut_eyes(image, landmarks)
    found = None if crop is None else find_irises(crop, landmarks)
    if found is not None:
        irises_px = found.centres_px
    middle_px = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0
    return eyeball_model.row_of(irises_px, middle_px, Placed.of(pose))


def read_photo(
    finder: MeshFaceFinder, image: NDArray[np.uint8], screen: Screen
) -> tuple[Array, Array, Array] | None:
    """Return features of one reading and of all, and the uncalibrated place in screen widths.

    None where no face is seen.
    """
    readings = []
    place = None
    height, width = image.shape[:2]
    for flipped in (False, True):
        picture = np.ascontiguousarray(image[:, ::-1]) if flipped else image
        for _ in range(SETTLING):
            finder.find(picture)
        for across, down, scale in SHAKES:
            move = np.array(
                [
                    [scale, 0.0, (1.0 - scale) * width / 2.0 + across],
                    [0.0, scale, (1.0 - scale) * height / 2.0 + down],
                ]
            )
            shaken = cv2.warpAffine(
                picture,
                move,
                (width, height),
                flags=cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            )
            landmarks = finder.find(shaken)
            if landmarks is None:
                continue
            # Back to the photo, so that the shake does not pass for a moved head.
            landmarks.points_px[:, :2] = (landmarks.points_px[:, :2] - move[:, 2]) / scale
            landmarks.points_px[:, 2] /= scale
            pose = head_pose(landmarks)
            if pose is None:
                continue
            eyes = read_eyes(landmarks, pose)
            seen = line_of_sight(picture, landmarks, pose)
            features = gaze_features(picture, landmarks, eyes, pose, seen)
            readings.append(mirrored(features) if flipped else features)
            if place is None and not flipped:
                down_deg = downward_deg(eyes.offsets_mm, eyes.ratios) - USUAL_LEVEL_DEG
                place = estimate_px(eyes.offsets_mm, down_deg, pose, screen)
    if place is None:
        return None
    size = np.array([screen.width_px, screen.height_px])
    place = np.clip(place, -size, 2.0 * size) / screen.width_px
    return readings[0], np.mean(readings, axis=0), place


def read_sessions(data: Path) -> list[Photos]:
    """Read the photos of every session; those without a face are left out and told."""
    cv2.setNumThreads(1)
    with (data / "labels.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    sessions = []
    finder = MeshFaceFinder()
    for person, session in sorted({(row["person"], row["session"]) for row in rows}):
        mine = [row for row in rows if (row["person"], row["session"]) == (person, session)]
        screen = Screen(float(mine[0]["screen_width_px"]), float(mine[0]["screen_height_px"]))
        read, targets = [], []
        for row in mine:
            image = cv2.cvtColor(cv2.imread(str(data / row["image"])), cv2.COLOR_BGR2RGB)
            reading = read_photo(finder, image, screen)
            if reading is None:
                print(f"no face: {row['image']}")
                continue
            read.append(reading)
            targets.append([float(row["target_x_px"]), float(row["target_y_px"])])
        once, averaged, estimates = (np.array(part) for part in zip(*read, strict=True))
        places = np.array(targets) / screen.width_px
        sessions.append(Photos(person, screen, places, estimates, once, averaged))
    finder.close()
    return sessions


def measure(sessions: list[Photos]) -> dict[str, float]:
    """Print the table and return its figures."""
    figures: dict[str, float] = {}
    print(f"{'':22}{'':20}person   mean  median      x      y")
    for protocol, (splits, methods) in PROTOCOLS.items():
        for name, method in methods.items():
            for person in sorted({photos.person for photos in sessions}):
                mine = [photos for photos in sessions if photos.person == person]
                misses = [
                    np.vstack([method(s) - s.tested[0].targets[s.tested[1]] for s in group])
                    for group in splits(mine)
                ]
                if not misses:
                    continue
                away = [np.linalg.norm(miss, axis=1) for miss in misses]
                x, y = np.mean([np.abs(miss).mean(axis=0) for miss in misses], axis=0)
                row = {
                    "mean": float(np.mean([each.mean() for each in away])),
                    "median": float(np.mean([np.median(each) for each in away])),
                    "x": float(x),
                    "y": float(y),
                }
                print(
                    f"{protocol:22}{name:20}{person:6}"
                    + "".join(f"{value:7.3f}" for value in row.values())
                )
                for statistic, value in row.items():
                    figures[f"{protocol}_{name}_{person}_{statistic}"] = value
    return figures


def main() -> None:
    """Parse the command line, measure and report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("data", type=Path, help="folder with labels.csv and its photos")
    parser.add_argument("--json", type=Path, help="also write the figures to this file")
    arguments = parser.parse_args()
    figures = measure(read_sessions(arguments.data))
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1) + "\n")


if __name__ == "__main__":
    main()
