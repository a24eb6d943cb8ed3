"""Learn from views of a head where its patches and its eyes are on it.

The patches' depths and the poses of the views are refined together (bundle adjustment, Triggs et
al. 2000, "Bundle adjustment - a modern synthesis"). The eyes' depth follows from where the face
mesh sees the eyes in these views.
"""

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.head.reference import Reference
from gaze.vision.kernels.patch_tracking import OUTLIER_DEVIATIONS
from gaze.vision.kernels.rigid_motion import project_with_jacobians

# The constants were chosen on seeds 0 to 15 of `benchmarks.rendered`.
_STEPS = 4
# Standard deviation of where the mesh sees the eyes in a view, and of where it saw them in the
# reference picture: across, down and deeper.
_EYES_IN_VIEW_MM, _EYES_IN_REFERENCE_MM = 0.7, np.array([1.0, 1.0, 1.3])


def adjust(reference: Reference) -> None:
    """Refine depths, their variances and the poses of the views.

    Parameters
    ----------
    reference : Reference
        Changed in place.
    """
    for _ in range(_STEPS):
        # The Schur complement of the poses: normal equations of the depths alone.
        schur_complement = reference.depth_information.copy()
        right_hand_side = -reference.depth_information @ reference.depths_mm
        pose_blocks = []
        for view in reference.views:
            pose = view.pose
            projected, pose_jacobian, depth_jacobian = project_with_jacobians(
                reference.points_mm, reference.rays, pose.rotation, pose.eyes_mm, pose.focal_px
            )
            residuals = view.locations_px - projected
            information = np.asarray(np.linalg.inv(view.covariances), np.float64)
            information = information * _robust_weights(residuals, information)[:, None, None]
            weighted = np.swapaxes(pose_jacobian, 1, 2) @ information
            pose_covariance = np.linalg.inv(
                (weighted @ pose_jacobian).sum(axis=0) + 1e-9 * np.eye(6)
            )
            pose_gradient = (weighted @ residuals[:, :, None]).sum(axis=0)[:, 0]
            cross = (weighted @ depth_jacobian[:, :, None])[:, :, 0]
            depth_weighted = (depth_jacobian[:, None] @ information)[:, 0]
            schur_complement += (
                np.diag((depth_weighted * depth_jacobian).sum(axis=1))
                - cross @ pose_covariance @ cross.T
            )
            right_hand_side += (depth_weighted * residuals).sum(
                axis=1
            ) - cross @ pose_covariance @ pose_gradient
            pose_blocks.append((pose_covariance, pose_gradient, cross))
        delta = np.linalg.solve(schur_complement, right_hand_side)
        reference.depths_mm = reference.depths_mm + delta
        reference.points_mm = reference.initial_mm + reference.depths_mm[:, None] * reference.rays
        for view, (pose_covariance, pose_gradient, cross) in zip(
            reference.views, pose_blocks, strict=True
        ):
            view.pose = view.pose.moved(pose_covariance @ (pose_gradient - cross.T @ delta))
    reference.depth_variances_mm2 = np.diag(np.linalg.inv(schur_complement)).copy()
    reference.eyes_depth_mm = _eyes_depth_mm(reference)


def _robust_weights(residuals: FloatArray, information: FloatArray) -> FloatArray:
    """Return the Geman-McClure weights (n,) of residuals (n, 2) with information (n, 2, 2)."""
    distances = (residuals[:, None] @ information @ residuals[:, :, None])[:, 0, 0]
    return np.asarray(1.0 / (1.0 + distances / OUTLIER_DEVIATIONS**2) ** 2)


def _eyes_depth_mm(reference: Reference) -> float:
    """Return how much deeper the eyes are than the mesh had them in the reference picture.

    It follows from where the mesh sees them in all views: a rotation moves aside what is deep.
    """
    normal_matrix = np.diag((_EYES_IN_VIEW_MM / _EYES_IN_REFERENCE_MM) ** 2)
    normal_matrix[:2, :2] += np.eye(2)
    right_hand_side = np.zeros(3)
    for view in reference.views:
        # Zero for points on the ray at which the mesh sees the eyes.
        off_ray = np.column_stack([np.eye(2), -view.eyes_ray[:2]])
        jacobian = off_ray @ view.pose.rotation @ reference.eyes_axes
        normal_matrix += jacobian.T @ jacobian
        right_hand_side -= jacobian.T @ (off_ray @ view.pose.eyes_mm)
    return float(np.linalg.solve(normal_matrix, right_hand_side)[2])
