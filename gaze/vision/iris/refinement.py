"""Locate the irises to a fraction of a pixel in the full-resolution picture.

The face mesh places irises to about a pixel, between lids that it places no better. Here the
centroid of each iris's dark middle gives a first centre. Along rays around it the brightness
increases most at the limbus and, within, at the pupil's edge (after Daugman 2004, "How iris
recognition works"). Circles, projected as ellipses where an eye is turned away from the camera,
are fitted to these edges, with limbus and pupil each of one size in both eyes, by a robust
least-squares fit that ignores lids and specular highlights (`gaze.vision.kernels.iris_circles`).

Points are in pixels whose centres have whole numbers, half a pixel less than the landmarks'.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.arrays import FloatArray, GreyImage, Image
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import CHIN, EYE_CORNERS, EYES, FOREHEAD, LIDS
from gaze.vision.head.pose import iris_diameters_px
from gaze.vision.iris.pupil_fit import PupilFit, fit_pupils
from gaze.vision.kernels.iris_circles import fit_irises

# In the order that `fit_irises` takes them.
_POINTS = np.array(
    [
        *(point for pair in LIDS for lid in pair for point in lid),
        *(eye.iris for eye in EYES),
        CHIN,
        FOREHEAD,
    ]
)
_LID_POINTS = 36

# The crop's margins beyond the corners of the eyes, to brow and nose, in distances between the
# outer corners; chosen by hand, so that the head stabilizer finds skin in it.
_MARGIN_X, _MARGIN_Y = 0.3, 0.5
_MIN_CROP_PX = 8
# Chosen by hand; no benchmark covers smaller irises.
_MIN_RADIUS_PX = 3.0
# Of the iris's radius, how much must be inside of the picture for its pupil to be measured.
_PUPIL_REACH = 0.86


@dataclass(frozen=True, slots=True)
class EyeCrop:
    """The part of a frame around the eyes.

    Attributes
    ----------
    grey : GreyImage, shape (h, w)
    origin : NDArray[np.intp], shape (2,)
        The frame's x and y of its first pixel.
    """

    grey: GreyImage
    origin: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Irises:
    """Both irises of a frame.

    Attributes
    ----------
    centres_px : FloatArray, shape (2, 2)
        Of the right and the left one.
    radius_px : float
        Of both.
    confidence : FloatArray, shape (2,)
        Share of each limbus's edges that agree, from 0 to 1.
    pupils : PupilFit or None
        None where no pupil is visible.
    """

    centres_px: FloatArray
    radius_px: float
    confidence: FloatArray
    pupils: PupilFit | None


def crop_eyes(image: Image, landmarks: Landmarks) -> EyeCrop | None:
    """Return the surroundings of both eyes.

    Parameters
    ----------
    image : Image, shape (h, w, 3)
        The frame, RGB.
    landmarks : Landmarks
        Of the face in it.

    Returns
    -------
    EyeCrop or None
        None where the eyes are outside of the frame.
    """
    corners = landmarks.points_px[list(EYE_CORNERS), :2].tolist()
    eye_distance_px = math.dist(corners[0], corners[3])
    height, width = image.shape[:2]
    across, down = zip(*corners, strict=True)
    left = min(max(math.floor(min(across) - _MARGIN_X * eye_distance_px), 0), width)
    right = min(max(math.ceil(max(across) + _MARGIN_X * eye_distance_px), 0), width)
    top = min(max(math.floor(min(down) - _MARGIN_Y * eye_distance_px), 0), height)
    bottom = min(max(math.ceil(max(down) + _MARGIN_Y * eye_distance_px), 0), height)
    if right - left < _MIN_CROP_PX or bottom - top < _MIN_CROP_PX:
        return None
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    return EyeCrop(np.asarray(grey, np.uint8), np.array([left, top]))


def find_irises(crop: EyeCrop, landmarks: Landmarks) -> Irises | None:
    """Locate both irises, starting from the landmarks.

    Parameters
    ----------
    crop : EyeCrop
        The surroundings of the eyes.
    landmarks : Landmarks
        Of the face in the frame.

    Returns
    -------
    Irises or None
        None where they are too small.
    """
    initial_radius_px = sum(iris_diameters_px(landmarks)) / 4.0
    if initial_radius_px < _MIN_RADIUS_PX:
        return None
    points = landmarks.points_px.take(_POINTS, axis=0)
    points[:, :2] -= crop.origin + 0.5
    lids = points[:_LID_POINTS, :2].copy().reshape(2, 2, _LID_POINTS // 4, 2)
    centres, radius_px, confidence, ellipses, pupil_centres = fit_irises(
        crop.grey, points, lids, initial_radius_px
    )
    pupils = None
    if _is_inside(crop.grey, centres, _PUPIL_REACH * radius_px):
        pupils = fit_pupils(crop.grey, pupil_centres, ellipses, lids, radius_px)
    return Irises(centres + crop.origin, radius_px, confidence, pupils)


def _is_inside(grey: GreyImage, centres: FloatArray, reach_px: float) -> bool:
    """Return whether both eyes' circles are inside of the picture."""
    height, width = grey.shape
    return all(
        reach_px < x < width - reach_px and reach_px < y < height - reach_px
        for x, y in centres.tolist()
    )
