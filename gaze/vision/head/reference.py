"""Choose patches of skin in one picture of a face, the reference, and model where they are on it.

Their depths are those of the face mesh, which are off by millimetres; their covariance says how the
errors of neighbours are related.
"""

from dataclasses import dataclass, field

import cv2
import numpy as np

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import (
    EYE_CORNERS,
    LEFT_EYE,
    LIDS,
    MESH_LANDMARKS,
    RIGHT_EYE,
)
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.iris.refinement import EyeCrop
from gaze.vision.kernels.patch_tracking import PATCH_SIDE, Templates, make_templates

# Around what does not move in the head: forehead, temples, cheek bones and nose.
_TEMPLES = (54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 356, 454, 234, 127, 21)
_OUTLINE = (*_TEMPLES, 280, 371, 327, 2, 98, 142, 50)
# The constants from here on were chosen on seeds 0 to 15 of `benchmarks.rendered`.
_MAX_PATCHES, _MIN_PATCHES = 32, 8
# Distance of neighbouring samples of a patch, in distances between the eyes' outer corners.
_COARSE, _FINE = 0.0256, 0.0085
# Standard deviations of the depths: independent, and correlated with their neighbours' over a
# length; of the scale of the relief, and of the slant across and down.
_INDEPENDENT_MM, _CORRELATED_MM, _LENGTH_SCALE_MM = 1.0, 1.5, 25.0
_RELIEF, _SLANT = 0.12, (0.05, 0.07)
# How far skin lies aside of its landmarks: the steeper it is, the less certain is its depth.
_ASIDE_MM = 3.0


@dataclass(slots=True)
class View:
    """One frame, in which the head is rotated otherwise than in other views.

    Attributes
    ----------
    pose : RigidPose
        Of the head; refined by bundle adjustment.
    locations_px : FloatArray, shape (n, 2)
        Where it shows the patches, from the frame's centre.
    covariances : FloatArray, shape (n, 2, 2)
        Of the locations.
    eyes_ray : FloatArray, shape (3,)
        Where the face mesh sees the point between the eyes; z is 1.
    """

    pose: RigidPose
    locations_px: FloatArray
    covariances: FloatArray
    eyes_ray: FloatArray


@dataclass(slots=True)
class Reference:
    """The n patches, and what has been learned of them. Points and vectors are in head axes.

    Attributes
    ----------
    rotation : FloatArray, shape (3, 3)
        Of the head in the reference picture.
    initial_mm : FloatArray, shape (n, 3)
        Centres of the patches by the face mesh, from the point between the eyes.
    rays : FloatArray, shape (n, 3)
        The directions from the camera, along which the depths are uncertain.
    tangents_mm : FloatArray, shape (n, 2, 3)
        The skin's tangents, one pixel of the reference picture to the right and down.
    templates : tuple of Templates
        Coarse and fine.
    depth_information : FloatArray, shape (n, n)
        Inverse prior covariance of the depths.
    depth_variances_mm2 : FloatArray, shape (n,)
        Current variances of the depths.
    depths_mm : FloatArray, shape (n,)
        Learned corrections of the depths along the rays.
    points_mm : FloatArray, shape (n, 3)
        Centres of the patches with these corrections.
    eyes_axes : FloatArray, shape (3, 3)
        Columns: the directions to the right, down and deeper at the eyes.
    eyes_depth_mm : float
        Learned correction of the eyes' depth.
    views : list of View
        The last ones.
    """

    rotation: FloatArray
    initial_mm: FloatArray
    rays: FloatArray
    tangents_mm: FloatArray
    templates: tuple[Templates, Templates]
    depth_information: FloatArray
    depth_variances_mm2: FloatArray
    depths_mm: FloatArray
    points_mm: FloatArray
    eyes_axes: FloatArray
    eyes_depth_mm: float = 0.0
    views: list[View] = field(default_factory=list)


def make_reference(
    grey: GreyImage, centre_px: FloatArray, crop: EyeCrop, landmarks: Landmarks, pose: RigidPose
) -> Reference | None:
    """Choose patches outside of the eyes, and estimate where they are in the head.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
        The crop's picture, blurred.
    centre_px : FloatArray, shape (2,)
        The frame's centre in pixels of the crop.
    crop : EyeCrop
    landmarks : Landmarks
    pose : RigidPose
        Of the head in the frame.

    Returns
    -------
    Reference or None
        None where there are too few patches with structure.
    """
    points = landmarks.points_px[:MESH_LANDMARKS, :2] - 0.5 - crop.origin
    eye_distance_px = float(np.linalg.norm(points[RIGHT_EYE.outer] - points[LEFT_EYE.outer]))
    patches = cv2.goodFeaturesToTrack(
        grey,
        _MAX_PATCHES,
        0.005,
        max(4.0, 0.055 * eye_distance_px),
        mask=_skin_mask(grey, points, eye_distance_px),
        blockSize=5,
    )
    if patches is None or len(patches) < _MIN_PATCHES:
        return None
    patches_px = np.asarray(patches, np.float64).reshape(-1, 2)

    z = landmarks.points_px[:MESH_LANDMARKS, 2]
    depths_mm = pose.eyes_mm[2] * (1.0 + (z - z[list(EYE_CORNERS)].mean()) / pose.focal_px)
    planes = _local_planes(patches_px, points, depths_mm)
    camera_rays = np.column_stack(
        [(patches_px - centre_px) / pose.focal_px, np.ones(len(patches_px))]
    )
    rays = camera_rays @ pose.rotation
    points_mm = rays * planes[:, :1] - pose.eyes_mm @ pose.rotation
    pixels = np.concatenate([np.eye(2) / pose.focal_px, np.zeros((2, 1))], axis=1)
    tangents = planes[:, 1:, None] * camera_rays[:, None] + planes[:, :1, None] * pixels
    slopes = np.linalg.norm(planes[:, 1:], axis=1) * pose.focal_px / planes[:, 0]
    covariance = _depth_covariance(points_mm, slopes)
    eyes_ray = pose.eyes_mm / pose.eyes_mm[2]
    return Reference(
        pose.rotation,
        points_mm,
        rays,
        tangents @ pose.rotation,
        (
            make_templates(grey, patches_px, _COARSE * eye_distance_px),
            make_templates(grey, patches_px, _FINE * eye_distance_px),
        ),
        np.asarray(np.linalg.inv(covariance), np.float64),
        np.diag(covariance).copy(),
        np.zeros(len(points_mm)),
        points_mm,
        pose.rotation.T @ np.column_stack([np.eye(3)[:, :2], eyes_ray]),
    )


def _skin_mask(grey: GreyImage, points: FloatArray, eye_distance_px: float) -> GreyImage:
    """Return where patches may be.

    Within the face's outline, away from the eyes and the crop's border.
    """
    mask: GreyImage = np.zeros(grey.shape, np.uint8)
    outline = cv2.convexHull(points[list(_OUTLINE)].astype(np.float32))
    cv2.fillConvexPoly(mask, np.asarray(outline, np.int32), (255,))
    border = max(4, round(PATCH_SIDE * _COARSE * eye_distance_px / 2.0))
    cv2.rectangle(mask, (0, 0), (grey.shape[1] - 1, grey.shape[0] - 1), (0,), 2 * border)
    for upper, lower in LIDS:
        hull = cv2.convexHull(points[[*upper, *lower]].astype(np.float32))
        lids = np.asarray(hull, np.int32)
        cv2.fillPoly(mask, [lids], (0,))
        cv2.polylines(mask, [lids], True, (0,), max(2, round(0.1 * eye_distance_px)))
    return mask


def _local_planes(patches_px: FloatArray, points: FloatArray, depths_mm: FloatArray) -> FloatArray:
    """Return each patch's depth, and its slopes per pixel across and down (n, 3).

    A weighted ridge regression on the nearest landmarks.
    """
    offsets = points - patches_px[:, None]
    distances2 = (offsets**2).sum(axis=-1)
    near = np.argsort(distances2, axis=1)[:, :8]
    weights = 1.0 / (np.take_along_axis(distances2, near, axis=1) + 9.0)
    design = np.take_along_axis(offsets, near[:, :, None], axis=1)
    design = np.concatenate([np.ones((*near.shape, 1)), design], axis=-1)
    weighted = np.swapaxes(design * weights[:, :, None], 1, 2)
    ridge = np.diag([0.0, 0.01, 0.01]) * weights.sum(axis=1)[:, None, None]
    planes = np.linalg.solve(weighted @ design + ridge, weighted @ depths_mm[near][:, :, None])
    return np.asarray(planes[:, :, 0])


def _depth_covariance(points_mm: FloatArray, slopes: FloatArray) -> FloatArray:
    """Return the covariance (n, n) of the mesh's errors of the depths, relative to the eyes'.

    `slopes` (n,) are how much deeper the skin gets with each millimetre aside.
    """
    positions = np.vstack([points_mm, np.zeros(3)])[:, :2]
    distances2 = ((positions[:, None] - positions) ** 2).sum(axis=-1)
    kernel = np.exp(-distances2 / (2.0 * _LENGTH_SCALE_MM**2))
    kernel = kernel - kernel[-1] - kernel[:, -1:] + 1.0
    shape = points_mm * (*_SLANT, _RELIEF)
    return np.asarray(
        np.diag(_INDEPENDENT_MM**2 + (_ASIDE_MM * slopes) ** 2)
        + _CORRELATED_MM**2 * kernel[:-1, :-1]
        + shape @ shape.T
    )
