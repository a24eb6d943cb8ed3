"""Fit limbus and pupil, each of one size in both eyes, to edges along rays.

The fit is by robust least squares; an iris that is turned away from the camera is an ellipse. This
replaces numpy.linalg.lstsq and dozens of small calls of numpy a frame; the gain is given in
`iris_edges`.

Points are in pixels whose centres have whole numbers; radii are in radii of the iris.
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.kernels.iris_edges import (
    LIMBUS_WEIGHTS,
    MAX_GRADIENT,
    RAY_COUNT,
    RAYS,
    dark_centroid,
    find_edges,
)
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.linear_algebra import solve_cholesky

# The constants of this module were chosen on seeds 0 to 15 of `benchmarks.rendered`.
# The picture is sampled again around the centres found, until they move less than this.
_MAX_ROUNDS, _CONVERGED = 3, 0.1
# Scales of the Geman-McClure weights, of the limbus and of the pupil.
_OUTLIER_SCALE = (0.06, 0.04)
# Prior information, relative to the limbus's edges: of the centres by the dark middle, of the
# iris's radius by the mesh, of the pupil's by the ring that most rays agree on.
_PRIOR = np.array([0.001, 0.001, 0.001, 0.001, 0.015, 0.02])
# The pupil is nasal of the iris's centre and, as refracted by the cornea, behind the limbus.
_NASAL = np.array([[0.02, 0.0], [-0.02, 0.0]])
_PUPIL_DEPTH = 0.08
# The eyeball's centre is behind the corners of the eye, and the limbus before that centre.
_EYEBALL_DEPTH, _LIMBUS_DISTANCE = 1.4, 1.78
_MAX_TILT = 0.75
# Indices of the radii among the unknowns of `_fit_circles`.
_IRIS_RADIUS, _PUPIL_RADIUS = 4, 5


@compiled("f8[:,::1](f8[:,::1], f8[:,::1], f8)")
def _tilts(centres: FloatArray, points: FloatArray, radius_px: float) -> FloatArray:
    """Return the part of each iris's axis across the line of sight (2, 2).

    The axis goes from the eyeball's centre, which is behind the corners of the eye along the face's
    axis, to the iris.
    """
    # Backward in the head: perpendicular to the lines between the eyes and from forehead to chin.
    right, left, chin, forehead = points[0], points[26], points[38], points[39]
    ax, ay, az = left[0] - right[0], left[1] - right[1], left[2] - right[2]
    dx, dy, dz = chin[0] - forehead[0], chin[1] - forehead[1], chin[2] - forehead[2]
    inward = ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx
    length = max(math.sqrt(inward[0] ** 2 + inward[1] ** 2 + inward[2] ** 2), 1e-9)
    tilts = np.empty((2, 2))
    for eye in range(2):
        outer, inner = points[18 * eye], points[18 * eye + 8]
        for axis in range(2):
            forward = (centres[eye, axis] - (outer[axis] + inner[axis]) / 2.0) / radius_px
            tilts[eye, axis] = (forward - _EYEBALL_DEPTH * inward[axis] / length) / _LIMBUS_DISTANCE
        tilt = math.hypot(tilts[eye, 0], tilts[eye, 1])
        for axis in range(2):
            tilts[eye, axis] *= min(1.0, _MAX_TILT / max(tilt, 1e-9))
    return tilts


@compiled("f8[:,:,::1](f8[:,::1])")
def _unit_ellipses(tilts: FloatArray) -> FloatArray:
    """Return the matrices (2, 2, 2) that turn a unit circle into the ellipse of a tilted iris.

    `tilts` (2, 2) are the parts of the irises' axes across the line of sight.
    """
    ellipses = np.empty((2, 2, 2))
    for eye in range(2):
        x, y = tilts[eye, 0], tilts[eye, 1]
        facing = 1.0 + math.sqrt(1.0 - x * x - y * y)
        ellipses[eye, 0, 0], ellipses[eye, 1, 1] = 1.0 - x * x / facing, 1.0 - y * y / facing
        ellipses[eye, 0, 1] = ellipses[eye, 1, 0] = -x * y / facing
    return ellipses


@compiled("f8[::1](f8[:,:,::1], f8[:,:,::1], f8[::1], f8[:,:,::1])")
def _fit_circles(
    edges: FloatArray, weights: FloatArray, prior_mean: FloatArray, robust_weights: FloatArray
) -> FloatArray:
    """Return the displacements of both centres and the radii of irises and pupils (6,).

    They agree best with edges along rays (2, 2, n), of limbus and pupil in the right and the left
    eye. `robust_weights` (2, 2, n) are filled in, from 0 to 1.
    """
    prior = _PRIOR * weights[0].sum()
    solution = prior_mean
    for last in (False, False, True):
        normal_matrix, right_hand_side = np.diag(prior), prior * prior_mean
        for circle in range(2):
            scale = _OUTLIER_SCALE[circle] * (1.0 if last else 2.0)
            for eye in range(2):
                # An edge depends on its centre along the ray, and on its radius.
                at = (2 * eye, 2 * eye + 1, _IRIS_RADIUS + circle)
                for ray in range(RAY_COUNT):
                    jacobian = (RAYS[ray, 0], RAYS[ray, 1], 1.0)
                    edge = edges[circle, eye, ray]
                    residual = edge
                    for i in range(3):
                        residual -= jacobian[i] * solution[at[i]]
                    robust = 1.0 / (1.0 + (residual / scale) ** 2) ** 2
                    robust_weights[circle, eye, ray] = robust
                    weight = weights[circle, eye, ray] * robust
                    for i in range(3):
                        right_hand_side[at[i]] += weight * edge * jacobian[i]
                        for j in range(3):
                            normal_matrix[at[i], at[j]] += weight * jacobian[i] * jacobian[j]
        solve_cholesky(normal_matrix, right_hand_side)
        solution = right_hand_side
    return solution


@compiled(
    "Tuple((f8[:,::1], f8, f8[::1], f8[:,:,::1], f8[:,::1]))(u1[:,:], f8[:,::1], f8[:,:,:,::1], f8)"
)
def fit_irises(
    grey: GreyImage, points: FloatArray, lids: FloatArray, initial_radius_px: float
) -> tuple[FloatArray, float, FloatArray, FloatArray, FloatArray]:
    """Fit both irises, starting from the face mesh's landmarks.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
    points : FloatArray, shape (40, 3)
        Landmarks: upper and lower lid of the right eye and of the left, nine each; the centres of
        both irises; chin and forehead.
    lids : FloatArray, shape (2, 2, 9, 2)
        The first 36 of them.
    initial_radius_px : float
        Of the irises by the landmarks.

    Returns
    -------
    centres : FloatArray, shape (2, 2)
        Of the irises.
    radius_px : float
        Of both.
    confidence : FloatArray, shape (2,)
        Share of each limbus's edges that agree, from 0 to 1.
    ellipses : FloatArray, shape (2, 2, 2)
        Matrices that turn the unit circle into the irises' outlines, in pixels.
    pupils : FloatArray, shape (2, 2)
        Centres of the pupils.
    """
    dark = np.empty((2, 2))
    for eye in range(2):
        x, y = points[36 + eye, 0], points[36 + eye, 1]
        dark[eye, 0], dark[eye, 1] = dark_centroid(grey, x, y, initial_radius_px, 2)
    tilts = _tilts(dark, points, initial_radius_px)
    unit_ellipses, pupil_offsets = _unit_ellipses(tilts), _NASAL - _PUPIL_DEPTH * tilts
    centres, radius_px = dark.copy(), initial_radius_px
    edges, weights = np.empty((2, 2, RAY_COUNT)), np.empty((2, 2, RAY_COUNT))
    robust_weights, prior_mean = np.empty((2, 2, RAY_COUNT)), np.empty(6)
    for _ in range(_MAX_ROUNDS):
        ellipses = unit_ellipses * radius_px
        prior_mean[_PUPIL_RADIUS] = find_edges(
            grey, centres, ellipses, lids, radius_px, edges, weights
        )
        prior_mean[_IRIS_RADIUS] = initial_radius_px / radius_px
        for eye in range(2):
            for axis in range(2):
                offset = (dark[eye, axis] - centres[eye, axis]) / radius_px
                prior_mean[2 * eye + axis] = offset - _NASAL[eye, axis]
            for ray in range(RAY_COUNT):
                along = pupil_offsets[eye, 0] * RAYS[ray, 0] + pupil_offsets[eye, 1] * RAYS[ray, 1]
                edges[1, eye, ray] -= along
        solution = _fit_circles(edges, weights + 1e-4, prior_mean, robust_weights)
        farthest = 0.0
        for eye in range(2):
            x, y = solution[2 * eye], solution[2 * eye + 1]
            distance = math.hypot(x, y)
            share = min(1.0, 0.4 / max(distance, 1e-9))
            ellipse = ellipses[eye]
            centres[eye, 0] += share * (ellipse[0, 0] * x + ellipse[0, 1] * y)
            centres[eye, 1] += share * (ellipse[1, 0] * x + ellipse[1, 1] * y)
            farthest = max(farthest, distance)
        radius_px = min(
            max(solution[_IRIS_RADIUS] * radius_px, 0.85 * initial_radius_px),
            1.18 * initial_radius_px,
        )
        if farthest < _CONVERGED:
            break
    confidence, pupils, ellipses = np.empty(2), np.empty((2, 2)), unit_ellipses * radius_px
    for eye in range(2):
        agreeing = (robust_weights[0, eye] * weights[0, eye]).sum()
        agreeing /= MAX_GRADIENT * LIMBUS_WEIGHTS.sum()
        confidence[eye] = min(max(agreeing / 0.35, 0.0), 1.0)
        for axis in range(2):
            ellipse_row = ellipses[eye, axis]
            offset = ellipse_row[0] * pupil_offsets[eye, 0] + ellipse_row[1] * pupil_offsets[eye, 1]
            pupils[eye, axis] = centres[eye, axis] + offset
    return centres, radius_px, confidence, ellipses, pupils
