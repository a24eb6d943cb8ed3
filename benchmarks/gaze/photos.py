"""Features of photos: what one session's photos give the regressions."""

import csv
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.face.landmark_indices import EYES
from gaze.vision.head.pose import Pose, head_pose
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.iris.refinement import crop_eyes, find_irises
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.features import (
    EYEBALLS,
    FACE_NORMAL_MM,
    HEAD,
    IRISES,
    PIXELS,
    SIZE,
    gaze_features,
    read_eyes,
)
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import AVERAGE_DOWNWARD_DEG, downward_deg, estimate_px

Array = NDArray[np.float64]
Numbers = NDArray[np.intp]
Points = tuple[tuple[float, float], ...]

# Shift across and down in pixels, and scale; chosen by hand.
AUGMENTATIONS = ((0, 0, 1.0), (3, 2, 1.0), (-4, -3, 1.0), (2, -5, 1.0), (0, 0, 1.12), (1, 1, 0.9))
SETTLING_FRAMES = 3  # until the face finder's region of interest has settled on a photo


@dataclass(frozen=True)
class Photos:
    """All photos of one session in which a face was found.

    Attributes
    ----------
    person : str
        Whose.
    screen : Screen
        The one that was looked at.
    targets, estimates : ndarray, shape (k, 2)
        Targets, and estimates without calibration, in screen widths.
    once, averaged : ndarray, shape (k, SIZE)
        Features of the photo alone, and averaged over all augmentations.
    """

    person: str
    screen: Screen
    targets: Array
    estimates: Array
    once: Array
    averaged: Array

    def nearest(self, points: Points) -> Numbers:
        """Find the photos whose targets are nearest to some points.

        Parameters
        ----------
        points : tuple of (float, float)
            Fractions of the screen.

        Returns
        -------
        ndarray of int
            Indices, each once.
        """
        shares = self.targets * (1.0, self.screen.width_px / self.screen.height_px)
        nearest = [np.linalg.norm(shares - p, axis=1).argmin() for p in points]
        return np.unique(np.array(nearest, dtype=np.intp))


def mirrored(features: Array) -> Array:
    """Return the features of a picture from those of its mirror image.

    Parameters
    ----------
    features : ndarray, shape (SIZE,)
        Of the mirror image.
    """
    result = np.empty(SIZE)
    result[PIXELS] = features[PIXELS].reshape(2, 6, 10)[::-1, :, ::-1].ravel()
    result[IRISES] = features[IRISES][[2, 3, 0, 1, 5, 4]] * (-1, 1, -1, 1, 1, 1)
    result[HEAD] = features[HEAD] * (-1, 1, -1, -1, 1, 1)
    result[FACE_NORMAL_MM] = features[FACE_NORMAL_MM] * (-1, 1)
    result[EYEBALLS] = features[EYEBALLS] * (-1, 1, -1, 1, 1, 1, -1, -1)
    return result


def line_of_sight(image: NDArray[np.uint8], landmarks: Landmarks, pose: Pose) -> Array:
    """Return the eyeball model's features of one photo.

    Parameters
    ----------
    image : ndarray, shape (h, w, 3), uint8
        RGB.
    landmarks : Landmarks
        Of the face in it.
    pose : Pose
        Of the head.

    Returns
    -------
    ndarray
        A row of `eyeball_model`.
    """
    irises_px = landmarks.points_px[[eye.iris for eye in EYES], :2] - 0.5
    crop = crop_eyes(image, landmarks)
    found = None if crop is None else find_irises(crop, landmarks)
    if found is not None:
        irises_px = found.centres_px
    middle_px = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0
    return eyeball_model.eyeball_features(irises_px, middle_px, RigidPose.from_pose(pose))


def read_photo(
    finder: MeshFaceFinder, image: NDArray[np.uint8], screen: Screen
) -> tuple[Array, Array, Array] | None:
    """Read one photo under all augmentations, as it is and mirrored.

    Parameters
    ----------
    finder : MeshFaceFinder
        Is left settled on this photo.
    image : ndarray, shape (h, w, 3), uint8
        RGB.
    screen : Screen
        The one that was looked at.

    Returns
    -------
    once, averaged, estimate : ndarray or None
        As in `Photos`, one row of each; None if no face is found.
    """
    readings = []
    estimate = None
    height, width = image.shape[:2]
    for flipped in (False, True):
        picture = np.ascontiguousarray(image[:, ::-1]) if flipped else image
        for _ in range(SETTLING_FRAMES):
            finder.find(picture)
        for across, down, scale in AUGMENTATIONS:
            move = np.array(
                [
                    [scale, 0.0, (1.0 - scale) * width / 2.0 + across],
                    [0.0, scale, (1.0 - scale) * height / 2.0 + down],
                ]
            )
            augmented = cv2.warpAffine(
                picture,
                move,
                (width, height),
                flags=cv2.INTER_CUBIC,
                borderMode=cv2.BORDER_REPLICATE,
            )
            landmarks = finder.find(np.asarray(augmented, np.uint8))
            if landmarks is None:
                continue
            # Back to the photo's pixels, or the shift would pass for a moved head.
            landmarks.points_px[:, :2] = (landmarks.points_px[:, :2] - move[:, 2]) / scale
            landmarks.points_px[:, 2] /= scale
            pose = head_pose(landmarks)
            if pose is None:
                continue
            eyes = read_eyes(landmarks, pose)
            optical_axes = line_of_sight(picture, landmarks, pose)
            features = gaze_features(picture, landmarks, eyes, pose, optical_axes)
            readings.append(mirrored(features) if flipped else features)
            if estimate is None and not flipped:
                down_deg = downward_deg(eyes.offsets_mm, eyes.ratios) - AVERAGE_DOWNWARD_DEG
                estimate = estimate_px(eyes.offsets_mm, down_deg, pose, screen)
    if estimate is None:
        return None
    size = np.array([screen.width_px, screen.height_px])
    clipped = np.clip(estimate, -size, 2.0 * size) / screen.width_px
    return readings[0], np.mean(readings, axis=0), clipped


def read_sessions(data: Path) -> list[Photos]:
    """Read the photos of every session; name those without a face on stdout, and leave them out.

    Parameters
    ----------
    data : Path
        Folder with `labels.csv` and the photos.

    Returns
    -------
    list of Photos
        One for each session.

    Raises
    ------
    FileNotFoundError
        If a photo is missing or cannot be read.
    """
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
            image = cv2.imread(str(data / row["image"]))
            if image is None:
                raise FileNotFoundError(f"{data / row['image']}: labels.csv names it; no picture")
            rgb = np.asarray(cv2.cvtColor(image, cv2.COLOR_BGR2RGB), np.uint8)
            reading = read_photo(finder, rgb, screen)
            if reading is None:
                print(f"no face: {row['image']}")
                continue
            read.append(reading)
            targets.append([float(row["target_x_px"]), float(row["target_y_px"])])
        once, averaged, estimates = (np.array(part) for part in zip(*read, strict=True))
        shares = np.array(targets) / screen.width_px
        sessions.append(Photos(person, screen, shares, estimates, once, averaged))
    finder.close()
    return sessions
