"""Stabilize the head's pose: patches of skin are tracked from a reference picture.

The face mesh's landmarks jitter by half a pixel and move with gaze and lids, which amounts to some
degrees of gaze. So small patches of skin and brow are taken from one picture of the face, as long
as it can be recognised, and aligned with each frame, all together, by moving the head (inverse
compositional alignment: `gaze.vision.kernels.patch_tracking`). Alignment starts from the last pose
or from the mesh's, and from coarser patches where the fine ones do not agree. The patches' depths
are the mesh's at first, so a patch counts the less, the more its uncertain depth moves it in the
frame. Views of the head rotated otherwise then correct them, and the depth of the eyes
(`gaze.vision.head.bundle_adjustment`). A constant error of the reference stays constant in the
head's own axes, and calibration removes it.
"""

import math
from dataclasses import dataclass

import numpy as np

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.face.finder import Landmarks
from gaze.vision.head.bundle_adjustment import adjust
from gaze.vision.head.pose import Pose
from gaze.vision.head.reference import Reference, View, make_reference
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.iris.refinement import EyeCrop
from gaze.vision.kernels.gaussian_blur import gaussian_blur
from gaze.vision.kernels.patch_tracking import Templates, align
from gaze.vision.kernels.rigid_motion import change_between, change_to_camera

# The constants were chosen on seeds 0 to 15 of `benchmarks.rendered`.
_COARSE_STEPS, _FINE_STEPS = 5, 4
# Beyond these, alignment starts again from the coarse patches.
_MAX_LAST_STEP_PX = 0.2
_MIN_FINE_INLIERS = 0.5
# The mesh's jitter: relative to the distance, and of the rotation.
_JITTER, _JITTER_DEG = 0.004, 0.8
_MIN_INLIERS = 0.3
_MAX_LOST_FRAMES = 150
_MAX_REFERENCE_DEG = 30.0
# The largest plausible difference from the mesh's pose, after the mean difference.
_MAX_DIFFERENCE_DEG, _MAX_DIFFERENCE_MM, _MAX_DIFFERENCE_DEPTH = 12.0, 15.0, 0.2
_MEAN_DIFFERENCE_RATE = 0.3
_NEW_VIEW_DEG = 4.0
_MAX_VIEWS = 10


class HeadStabilizer:
    """Tracks the head of one viewer."""

    def __init__(self) -> None:
        self._reference: Reference | None = None
        self._lost_frames = 0
        self._last: RigidPose | None = None
        # From the mesh's pose to the patches', in head axes.
        self._mean_difference = np.zeros(6)

    def stabilize(self, crop: EyeCrop, landmarks: Landmarks, pose: Pose) -> RigidPose:
        """Return the head's pose in a frame.

        Parameters
        ----------
        crop : EyeCrop
            The surroundings of the eyes.
        landmarks : Landmarks
        pose : Pose
            By these landmarks.

        Returns
        -------
        RigidPose
            By the patches where these are recognised; otherwise by the landmarks, corrected by the
            mean difference.
        """
        mesh_pose = RigidPose.from_pose(pose)
        guess = mesh_pose.moved(change_to_camera(pose.rotation, self._mean_difference))
        centre_px = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0 - crop.origin
        grey = gaussian_blur(crop.grey)
        if self._reference is None or self._lost_frames >= _MAX_LOST_FRAMES:
            rotated_deg = max(abs(pose.head.yaw_deg), abs(pose.head.pitch_deg))
            if rotated_deg < _MAX_REFERENCE_DEG:
                self._reference = make_reference(grey, centre_px, crop, landmarks, guess)
                self._lost_frames = 0
            return guess
        tracked = self._last = _track(
            self._reference, grey, centre_px, mesh_pose, guess, self._last
        )
        if tracked is None:
            self._lost_frames += 1
            return _with_eyes_depth(self._reference, guess)
        self._lost_frames = 0
        difference = change_between(
            mesh_pose.rotation, mesh_pose.eyes_mm, tracked.rotation, tracked.eyes_mm
        )
        self._mean_difference += _MEAN_DIFFERENCE_RATE * (difference - self._mean_difference)
        return _with_eyes_depth(self._reference, tracked)


def _with_eyes_depth(reference: Reference, pose: RigidPose) -> RigidPose:
    """Return a pose with the learned depth of the eyes."""
    deeper_mm = pose.rotation @ reference.eyes_axes[:, 2] * reference.eyes_depth_mm
    return RigidPose(pose.rotation, pose.eyes_mm + deeper_mm, pose.focal_px)


def _is_within_jitter(one: RigidPose, other: RigidPose) -> bool:
    """Return whether two poses differ by no more than the mesh's jitter."""
    distance_mm = math.dist(one.eyes_mm.tolist(), other.eyes_mm.tolist())
    return distance_mm < _JITTER * one.eyes_mm[2] and one.angle_to_deg(other.rotation) < _JITTER_DEG


def _is_implausible(pose: RigidPose, guess: RigidPose) -> bool:
    """Return whether a pose is NaN or too far from the guess."""
    (x, y, z), (guess_x, guess_y, guess_z) = pose.eyes_mm.tolist(), guess.eyes_mm.tolist()
    return not (
        math.hypot(x - guess_x, y - guess_y) <= _MAX_DIFFERENCE_MM
        and abs(z / guess_z - 1.0) <= _MAX_DIFFERENCE_DEPTH
        and pose.angle_to_deg(guess.rotation) <= _MAX_DIFFERENCE_DEG
    )


def _track(
    reference: Reference,
    grey: GreyImage,
    centre_px: FloatArray,
    mesh_pose: RigidPose,
    guess: RigidPose,
    last: RigidPose | None,
) -> RigidPose | None:
    """Find the head by its patches; None where too few agree, or it is far from the guess.

    `last` is the pose in the last frame, `mesh_pose` that of the mesh in this one.
    """
    coarse, fine = reference.templates
    start = last if last is not None and _is_within_jitter(last, guess) else guess
    aligned = _align(reference, fine, grey, centre_px, start, _FINE_STEPS)
    if aligned.inliers < _MIN_FINE_INLIERS or aligned.last_step_px > _MAX_LAST_STEP_PX:
        near = _align(reference, coarse, grey, centre_px, guess, _COARSE_STEPS)
        aligned = _align(reference, fine, grey, centre_px, near.pose, _FINE_STEPS + 1)
    pose = aligned.pose
    if aligned.inliers < _MIN_INLIERS or _is_implausible(pose, guess):
        return None
    others = (reference.rotation, *(view.pose.rotation for view in reference.views))
    if all(pose.angle_to_deg(other) > _NEW_VIEW_DEG for other in others):
        eyes_ray = mesh_pose.eyes_mm / mesh_pose.eyes_mm[2]
        view = View(pose, aligned.locations_px, aligned.covariances, eyes_ray)
        reference.views = [*reference.views, view][-_MAX_VIEWS:]
        adjust(reference)
        pose = view.pose
    return pose


@dataclass(frozen=True, slots=True)
class _Aligned:
    """The result of `gaze.vision.kernels.patch_tracking.align`."""

    pose: RigidPose
    locations_px: FloatArray
    covariances: FloatArray
    inliers: float
    last_step_px: float


def _align(
    reference: Reference,
    templates: Templates,
    grey: GreyImage,
    centre_px: FloatArray,
    start: RigidPose,
    max_steps: int,
) -> _Aligned:
    rotation, eyes_mm, locations_px, covariances, inliers, last_step_px = align(
        reference.points_mm,
        reference.rays,
        reference.tangents_mm,
        reference.depth_variances_mm2,
        templates.offsets_px,
        templates.grey,
        templates.gains,
        templates.covariances,
        grey,
        centre_px,
        start.rotation,
        start.eyes_mm,
        start.focal_px,
        max_steps,
    )
    pose = RigidPose(rotation, eyes_mm, start.focal_px)
    return _Aligned(pose, locations_px, covariances, inliers, last_step_px)
