"""Align small patches of skin with a picture, all together, by moving the head that they are on.

This is inverse compositional image alignment (Baker and Matthews 2004, "Lucas-Kanade 20 years on")
with one rigid pose for all patches. It replaces cv2.calcOpticalFlowPyrLK, cv2.remap and
numpy.linalg.solve: together with `rigid_motion` and `gaussian_blur`, the stabilized head took
0.14 ms a frame instead of 0.7 (docs/accuracy.md, "Cost of a frame").
"""

import math
from dataclasses import dataclass

import numpy as np

from gaze.vision.arrays import Float32Array, FloatArray, GreyImage
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.linear_algebra import dot, rotate, solve_cholesky
from gaze.vision.kernels.rigid_motion import project, project_with_jacobians
from gaze.vision.kernels.sampling import sample_bilinear

# The constants of this module were chosen on seeds 0 to 15 of `benchmarks.rendered`.
PATCH_SIDE = 9
"""Width and height of a patch in samples."""
OUTLIER_DEVIATIONS = 3.0
"""Scale, in standard deviations, of the Geman-McClure weights of patches."""
# Standard deviation of a patch's location at best.
_LOCATION_NOISE_PX = 0.15
_MIN_CORRELATION = 0.5
_CONVERGED_PX = 0.05
# Added to the normal matrix's diagonal; chosen by hand, small beside its elements.
_RIDGE = 1e-9

_AXIS = np.arange(PATCH_SIDE) - (PATCH_SIDE - 1) / 2.0
_OFFSETS = np.stack(np.meshgrid(_AXIS, _AXIS), axis=-1).reshape(-1, 2)
_WINDOW = np.exp(-(_OFFSETS**2).sum(axis=1) / (2.0 * (0.3 * PATCH_SIDE) ** 2))
_WINDOW = (_WINDOW / _WINDOW.sum()).astype(np.float32)
# Neighbouring pixels' differences are correlated: the standard deviation is twice that of
# independent ones.
_WINDOW_VARIANCE = 4.0 * float(_WINDOW @ _WINDOW)


@dataclass(frozen=True, slots=True)
class Templates:
    """What n patches of k samples looked like in the reference picture.

    Attributes
    ----------
    offsets_px : FloatArray, shape (k, 2)
        Where the samples of a patch are, in pixels of the reference picture.
    grey : Float32Array, shape (n, k)
        Brightness, of mean 0 and variance 1.
    gains : Float32Array, shape (n, 2, k)
        Inverse normal matrix times Jacobian: turn a difference of brightness into a displacement.
    covariances : FloatArray, shape (n, 2, 2)
        Of that displacement, for differences of variance 1.
    """

    offsets_px: FloatArray
    grey: Float32Array
    gains: Float32Array
    covariances: FloatArray


@compiled("f4[:,::1](u1[:,::1], f8[:,::1], f8[:,:,::1], f8[:,::1])")
def _sample_patches(
    grey: GreyImage, centres: FloatArray, warps: FloatArray, offsets: FloatArray
) -> Float32Array:
    """Sample a picture (n, k) around `centres` (n, 2), at `offsets` (k, 2) warped by (n, 2, 2)."""
    samples = np.empty((len(centres), len(offsets)), np.float32)
    for n in range(len(centres)):
        warp = warps[n]
        for k in range(len(offsets)):
            right, down = offsets[k, 0], offsets[k, 1]
            x = centres[n, 0] + warp[0, 0] * right + warp[0, 1] * down
            y = centres[n, 1] + warp[1, 0] * right + warp[1, 1] * down
            samples[n, k] = sample_bilinear(grey, x, y)
    return samples


@compiled("f4[::1](f4[:,::1])")
def _normalise(patches: Float32Array) -> Float32Array:
    """Give patches (n, k) a mean of 0 and a variance of 1; return their deviations (n,) before."""
    deviations = np.empty(len(patches), np.float32)
    for n in range(len(patches)):
        patch = patches[n]
        mean = variance = np.float32(0.0)
        for k in range(len(patch)):
            mean += _WINDOW[k] * patch[k]
        for k in range(len(patch)):
            patch[k] -= mean
            variance += _WINDOW[k] * patch[k] * patch[k]
        deviations[n] = math.sqrt(max(variance, np.float32(1e-6)))
        for k in range(len(patch)):
            patch[k] /= deviations[n]
    return deviations


@compiled("Tuple((f8[::1], f8[:,::1]))(f4[:,::1], f4[:,::1], f4[:,:,::1])")
def _compare(
    patches: Float32Array, templates: Float32Array, gains: Float32Array
) -> tuple[FloatArray, FloatArray]:
    """Return the correlations (n,) of patches (n, k) with templates, and displacements (n, 2).

    The displacements are in pixels of the reference picture.
    """
    correlations, displacements = np.empty(len(patches)), np.empty((len(patches), 2))
    for n in range(len(patches)):
        squared = right = down = np.float32(0.0)
        for k in range(len(_WINDOW)):
            difference = patches[n, k] - templates[n, k]
            squared += _WINDOW[k] * difference * difference
            right += gains[n, 0, k] * difference
            down += gains[n, 1, k] * difference
        correlations[n] = 1.0 - squared / 2.0
        displacements[n, 0], displacements[n, 1] = -right, -down
    return correlations, displacements


@compiled("f8[:,:,::1](f8[:,::1], f8[:,:,::1], f8[:,::1], f8[:,::1], f8[::1], f8)")
def _warps(
    points_mm: FloatArray,
    tangents_mm: FloatArray,
    projected: FloatArray,
    rotation: FloatArray,
    eyes_mm: FloatArray,
    focal_px: float,
) -> FloatArray:
    """Return the affine warps (n, 2, 2) from the reference picture to the frame at each point."""
    warps = np.empty((len(projected), 2, 2))
    for n in range(len(projected)):
        depth_mm = dot(rotation[2], points_mm[n]) + eyes_mm[2]
        for i in range(2):
            for axis in range(2):
                sideways = focal_px * dot(rotation[i], tangents_mm[n, axis])
                deeper = projected[n, i] * dot(rotation[2], tangents_mm[n, axis])
                warps[n, i, axis] = (sideways - deeper) / depth_mm
    return warps


@compiled("f8[:,::1](f8[:,:,::1], f8[:,::1])")
def _warp_displacements(warps: FloatArray, displacements: FloatArray) -> FloatArray:
    """Return displacements (n, 2) in the reference picture as they are in the frame."""
    warped = np.empty(displacements.shape)
    for n in range(len(displacements)):
        for i in range(2):
            warped[n, i] = (
                warps[n, i, 0] * displacements[n, 0] + warps[n, i, 1] * displacements[n, 1]
            )
    return warped


@compiled("f8[:,:,::1](f8[:,:,::1], f8[:,:,::1])")
def _warp_covariances(warps: FloatArray, covariances: FloatArray) -> FloatArray:
    """Return covariances (n, 2, 2) in the reference picture as they are in the frame."""
    warped = np.zeros(covariances.shape)
    for n in range(len(warps)):
        for i in range(2):
            for j in range(2):
                for k in range(2):
                    for m in range(2):
                        warped[n, i, j] += warps[n, i, k] * covariances[n, k, m] * warps[n, j, m]
    return warped


@compiled("f8[:,:,::1](f8[::1], f8[:,:,::1])")
def _location_covariances(correlations: FloatArray, unit_covariances: FloatArray) -> FloatArray:
    """Return the covariances (n, 2, 2) of the patches' locations, by their correlations.

    `unit_covariances` are those for differences of variance 1.
    """
    covariances = np.empty(unit_covariances.shape)
    for n in range(len(correlations)):
        variance = _WINDOW_VARIANCE * max(1.0 - correlations[n], 0.01)
        for i in range(2):
            for j in range(2):
                covariances[n, i, j] = variance * unit_covariances[n, i, j]
            covariances[n, i, i] += _LOCATION_NOISE_PX**2
    return covariances


@compiled("f8[:,::1](f8[:,:,::1], f8[:,::1], f8[::1])")
def _information(
    covariances: FloatArray, depth_jacobian: FloatArray, depth_variances_mm2: FloatArray
) -> FloatArray:
    """Return the inverse covariances of the locations: xx, xy and yy (n, 3).

    The variances of the depths are included.
    """
    information = np.empty((len(covariances), 3))
    for n in range(len(covariances)):
        x, y = depth_jacobian[n, 0], depth_jacobian[n, 1]
        xx = covariances[n, 0, 0] + x * x * depth_variances_mm2[n]
        xy = covariances[n, 0, 1] + x * y * depth_variances_mm2[n]
        yy = covariances[n, 1, 1] + y * y * depth_variances_mm2[n]
        determinant = xx * yy - xy * xy
        information[n, 0] = yy / determinant
        information[n, 1] = -xy / determinant
        information[n, 2] = xx / determinant
    return information


@compiled("f8[::1](f8[::1], f8[:,::1], f8[:,::1])")
def _robust_weights(
    correlations: FloatArray, residuals: FloatArray, information: FloatArray
) -> FloatArray:
    """Return the patches' Geman-McClure weights (n,), from 0 to 1."""
    distances, weights = np.empty(len(correlations)), np.zeros(len(correlations))
    for n in range(len(correlations)):
        x, y = residuals[n, 0], residuals[n, 1]
        distances[n] = (
            information[n, 0] * x * x + 2.0 * information[n, 1] * x * y + information[n, 2] * y * y
        )
    scale = max(OUTLIER_DEVIATIONS**2, 2.0 * np.sort(distances)[len(distances) // 2])
    for n in range(len(correlations)):
        if correlations[n] > _MIN_CORRELATION:
            weights[n] = 1.0 / (1.0 + distances[n] / scale) ** 2
    return weights


@compiled("f8[::1](f8[:,:,::1], f8[:,::1], f8[:,::1], f8[::1])")
def _pose_delta(
    pose_jacobian: FloatArray, residuals: FloatArray, information: FloatArray, weights: FloatArray
) -> FloatArray:
    """Return the change of the head's pose (6,) of one Gauss-Newton step."""
    normal_matrix, right_hand_side = _RIDGE * np.eye(6), np.zeros(6)
    for n in range(len(residuals)):
        right, down = pose_jacobian[n]
        xx, xy = information[n, 0] * weights[n], information[n, 1] * weights[n]
        yy = information[n, 2] * weights[n]
        for i in range(6):
            x, y = xx * right[i] + xy * down[i], xy * right[i] + yy * down[i]
            right_hand_side[i] += x * residuals[n, 0] + y * residuals[n, 1]
            for j in range(i + 1):
                normal_matrix[i, j] += x * right[j] + y * down[j]
    solve_cholesky(normal_matrix, right_hand_side)
    return right_hand_side


@compiled(
    "Tuple((f8[:,::1], f8[::1], f8[:,::1], f8[:,:,::1], f8, f8))(f8[:,::1], f8[:,::1],"
    "f8[:,:,::1], f8[::1], f8[:,::1], f4[:,::1], f4[:,:,::1], f8[:,:,::1], u1[:,::1], f8[::1],"
    "f8[:,::1], f8[::1], f8, i8)"
)
def align(
    points_mm: FloatArray,
    rays: FloatArray,
    tangents_mm: FloatArray,
    depth_variances_mm2: FloatArray,
    offsets_px: FloatArray,
    templates: Float32Array,
    gains: Float32Array,
    covariances: FloatArray,
    grey: GreyImage,
    centre_px: FloatArray,
    rotation: FloatArray,
    eyes_mm: FloatArray,
    focal_px: float,
    max_steps: int,
) -> tuple[FloatArray, FloatArray, FloatArray, FloatArray, float, float]:
    """Move a head so that its patches look like their templates.

    Parameters
    ----------
    points_mm : FloatArray, shape (n, 3)
        Centres of the patches in head axes, from the point between the eyes.
    rays : FloatArray, shape (n, 3)
        Directions in head axes along which their depths are uncertain.
    tangents_mm : FloatArray, shape (n, 2, 3)
        The skin's tangents in head axes, one pixel of the reference picture to the right and down.
    depth_variances_mm2 : FloatArray, shape (n,)
        Of the depths.
    offsets_px, templates, gains, covariances
        `Templates.offsets_px`, `grey`, `gains` and `covariances`.
    grey : GreyImage, shape (h, w)
        The frame, or a crop of it.
    centre_px : FloatArray, shape (2,)
        The frame's centre in pixels of `grey`.
    rotation : FloatArray, shape (3, 3)
        The head's rotation to start from.
    eyes_mm : FloatArray, shape (3,)
        The point between its eyes in camera space to start from.
    focal_px : float
        Focal length.
    max_steps : int
        Number of Gauss-Newton steps at most, from 1.

    Returns
    -------
    rotation : FloatArray, shape (3, 3)
    eyes_mm : FloatArray, shape (3,)
        The head's pose.
    locations_px : FloatArray, shape (n, 2)
        Where the patches are seen, from the frame's centre.
    covariances : FloatArray, shape (n, 2, 2)
        Of the locations.
    inliers : float
        Mean weight of the patches, from 0 to 1.
    last_step_px : float
        How far the last step moved the patches on average.
    """
    projected, pose_jacobian, depth_jacobian = project_with_jacobians(
        points_mm, rays, rotation, eyes_mm, focal_px
    )
    warps = _warps(points_mm, tangents_mm, projected, rotation, eyes_mm, focal_px)
    unit_covariances = _warp_covariances(warps, covariances)
    for _ in range(max_steps):
        patches = _sample_patches(grey, projected + centre_px, warps, offsets_px)
        _normalise(patches)
        correlations, displacements = _compare(patches, templates, gains)
        residuals = _warp_displacements(warps, displacements)
        location_covariances = _location_covariances(correlations, unit_covariances)
        information = _information(location_covariances, depth_jacobian, depth_variances_mm2)
        weights = _robust_weights(correlations, residuals, information)
        delta = _pose_delta(pose_jacobian, residuals, information, weights)
        rotation, eyes_mm = rotate(rotation, delta[:3]), eyes_mm + delta[3:]
        before, projected = projected, project(points_mm, rotation, eyes_mm, focal_px)
        last_step_px = np.abs(projected - before).mean()
        if last_step_px < _CONVERGED_PX:
            break
    return rotation, eyes_mm, before + residuals, location_covariances, weights.mean(), last_step_px


def make_templates(grey: GreyImage, centres_px: FloatArray, spacing_px: float) -> Templates:
    """Take the templates of patches from the reference picture.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
        The reference picture.
    centres_px : FloatArray, shape (n, 2)
        Where the patches are in it.
    spacing_px : float
        Distance between neighbouring samples of a patch.

    Returns
    -------
    Templates
    """
    offsets_px = _OFFSETS * spacing_px
    identity = np.tile(np.eye(2), (len(centres_px), 1, 1))

    def sample(right: float, down: float) -> Float32Array:
        return _sample_patches(grey, centres_px + np.array([right, down]), identity, offsets_px)

    templates = sample(0.0, 0.0)
    deviations = _normalise(templates)
    jacobian = np.stack(
        [sample(0.5, 0.0) - sample(-0.5, 0.0), sample(0.0, 0.5) - sample(0.0, -0.5)], axis=1
    )
    jacobian = jacobian / deviations[:, None, None]
    jacobian = jacobian - (jacobian @ _WINDOW)[:, :, None]
    weighted = jacobian * _WINDOW
    normal_matrix = np.asarray(weighted @ np.swapaxes(jacobian, 1, 2), np.float64)
    trace = np.trace(normal_matrix, axis1=1, axis2=2)[:, None, None]
    covariances = np.linalg.inv(normal_matrix + (1e-4 * trace + 1e-9) * np.eye(2))
    return Templates(
        offsets_px, templates, (covariances @ weighted).astype(np.float32), covariances
    )
