"""Find the edges of irises and pupils along rays around their centres.

The radial derivative of the brightness is largest at the limbus and, within, at the pupil's edge
(after Daugman 2004, "How iris recognition works"). This replaces cv2.remap into polar pictures,
cv2.boxFilter and numpy's median: with `iris_circles` and `pupil_profile`, irises and pupils took
0.3 ms a frame instead of 1.3 (docs/accuracy.md, "Cost of a frame").

Points are in pixels whose centres have whole numbers; radii are in radii of the iris.
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.sampling import interpolate_polyline, sample_bilinear

# The constants of this module were chosen on seeds 0 to 15 of `benchmarks.rendered`.
RAY_COUNT = 32
_BINS = 48
_FIRST_RADIUS, _LAST_RADIUS = 0.06, 1.47
_BIN = (_LAST_RADIUS - _FIRST_RADIUS) / _BINS
_HALF_WIDTH = 4  # of a derivative, in bins
# Where the limbus is looked for, where the pupil's edge, and how near to that of most rays.
_LIMBUS, _PUPIL, _NEAR_RING = (0.74, 1.32), (0.2, 0.66), 0.12
# In grey levels: a stronger edge has no more weight.
MAX_GRADIENT = 25.0
# The weight of the pupil's edges; 0 where it is as faint as the first, full as clear as the second.
_PUPIL_WEIGHT, _FAINT, _CLEAR = 0.5, 7.0, 19.0
_LID_MARGIN = 0.2

_ANGLES = (np.arange(RAY_COUNT) + 0.5) * 2.0 * np.pi / RAY_COUNT
RAYS = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
"""Unit vectors (32, 2)."""
# The limbus is covered by lids above and below; of the pupil every side may be seen.
LIMBUS_WEIGHTS = np.clip((np.abs(RAYS[:, 0]) - 0.4) / 0.3, 0.0, 1.0)
"""Weights (32,) of the limbus's edges: horizontal rays only."""
_HORIZONTAL = np.flatnonzero(np.abs(RAYS[:, 0]) > 0.84)
_GRADIENTS = _BINS - 2 * _HALF_WIDTH + 1


@compiled("UniTuple(f8, 2)(u1[:,:], f8, f8, f8, i8)")
def dark_centroid(
    grey: GreyImage, start_x: float, start_y: float, iris_radius_px: float, max_steps: int
) -> tuple[float, float]:
    """Return the centroid of the darkest part of an iris's middle, by mean shift.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
    start_x, start_y : float
        About the iris's centre.
    iris_radius_px : float
    max_steps : int
        How often the middle is moved to the centroid, at most.

    Returns
    -------
    tuple of float
        x and y; the start where nothing dark is there.
    """
    reach = 1.1 * iris_radius_px
    left, right = max(math.floor(start_x - reach), 0), math.ceil(start_x + reach) + 1
    top, bottom = max(math.floor(start_y - reach), 0), math.ceil(start_y + reach) + 1
    right, bottom = min(right, grey.shape[1]), min(bottom, grey.shape[0])
    near = (0.55 * iris_radius_px) ** 2
    centre_x, centre_y = start_x, start_y
    for _ in range(max_steps):
        histogram = np.zeros(256, np.int64)
        for y in range(top, bottom):
            for x in range(left, right):
                if (x - centre_x) ** 2 + (y - centre_y) ** 2 < near:
                    histogram[grey[y, x]] += 1
        count = histogram.sum()
        if count < 8:
            return start_x, start_y
        threshold, below = 0, histogram[0]
        while below <= int(0.6 * count):
            threshold += 1
            below += histogram[threshold]
        total, across, down = 0.0, 0.0, 0.0
        for y in range(top, bottom):
            for x in range(left, right):
                darker = threshold - float(grey[y, x])
                if darker > 0.0 and (x - centre_x) ** 2 + (y - centre_y) ** 2 < near:
                    total += darker
                    across += darker * (x - start_x)
                    down += darker * (y - start_y)
        if total <= 0.0:
            return start_x, start_y
        away = math.hypot(across, down) / total
        share = min(1.0, 0.45 * iris_radius_px / max(away, 1e-9)) / total
        before_x, before_y = centre_x, centre_y
        centre_x, centre_y = start_x + across * share, start_y + down * share
        if max(abs(centre_x - before_x), abs(centre_y - before_y)) < 0.02:
            break
    return centre_x, centre_y


@compiled("i8(f8)")
def _bin_of(radius: float) -> int:
    """Return the number of the derivative at a radius."""
    return int((radius - _FIRST_RADIUS) / _BIN + 0.5) - _HALF_WIDTH


@compiled("UniTuple(f8, 2)(i8, f8[:,::1])")
def _ray_on_ellipse(ray: int, ellipse: FloatArray) -> tuple[float, float]:
    """Return the vector along a ray from an ellipse's centre to its edge."""
    x, y = RAYS[ray, 0], RAYS[ray, 1]
    return x * ellipse[0, 0] + y * ellipse[1, 0], x * ellipse[0, 1] + y * ellipse[1, 1]


@compiled("f8[:,:,::1](u1[:,:], f8[:,::1], f8[:,:,::1])")
def _radial_gradients(grey: GreyImage, centres: FloatArray, ellipses: FloatArray) -> FloatArray:
    """Return the brightness's increase along each ray of both eyes (2, rays, bins).

    The first is between the bins `_HALF_WIDTH` - 1 and `_HALF_WIDTH`.
    """
    gradients = np.empty((2, RAY_COUNT, _GRADIENTS))
    integral = np.zeros(_BINS + 1)
    for eye in range(2):
        for ray in range(RAY_COUNT):
            across, down = _ray_on_ellipse(ray, ellipses[eye])
            for number in range(_BINS):
                radius = _FIRST_RADIUS + (number + 0.5) * _BIN
                sample = sample_bilinear(
                    grey, centres[eye, 0] + radius * across, centres[eye, 1] + radius * down
                )
                integral[number + 1] = integral[number] + sample
            for number in range(_GRADIENTS):
                outer, inner = integral[number + 2 * _HALF_WIDTH], integral[number]
                gradients[eye, ray, number] = (
                    outer - 2.0 * integral[number + _HALF_WIDTH] + inner
                ) / _HALF_WIDTH
    return gradients


@compiled("UniTuple(f8, 2)(f8[:,:,::1])")
def _pupil_ring(gradients: FloatArray) -> tuple[float, float]:
    """Return the radius at which the median over horizontal rays increases most, and by how much.

    It is searched for at the pupil's edge, and must be a peak of its own: where irises are small,
    the limbus's slope reaches far inward.
    """
    first, last = _bin_of(_PUPIL[0]), _bin_of(_PUPIL[1])
    medians = np.empty(last - first + 2)
    rays = len(_HORIZONTAL)
    column = np.empty(2 * rays)
    for number in range(len(medians)):
        for index in range(rays):
            column[index] = gradients[0, _HORIZONTAL[index], first - 1 + number]
            column[rays + index] = gradients[1, _HORIZONTAL[index], first - 1 + number]
        medians[number] = np.median(column)
    best, highest = 1, 0.0
    for number in range(1, len(medians) - 1):
        here = medians[number]
        if here > highest and here >= medians[number - 1] and here > medians[number + 1]:
            best, highest = number, here
    return _FIRST_RADIUS + (best - 1 + first + _HALF_WIDTH) * _BIN, max(medians[best], 0.0)


@compiled("UniTuple(f8, 2)(f8[::1], i8, i8)")
def _steepest(gradients: FloatArray, first: int, last: int) -> tuple[float, float]:
    """Return the radius where a ray increases most, from bin `first` until `last`, and by how much.

    The radius is interpolated by a parabola.
    """
    best = first
    for number in range(first + 1, last):
        if gradients[number] > gradients[best]:
            best = number
    before, top, after = gradients[best - 1], gradients[best], gradients[best + 1]
    curvature = min(before - 2.0 * top + after, -1e-6)
    offset = min(max(0.5 * (before - after) / curvature, -1.0), 1.0)
    return _FIRST_RADIUS + (best + offset + _HALF_WIDTH) * _BIN, top


@compiled("f8(f8, f8, f8[:,:,::1], f8)")
def _visibility(x: float, y: float, lids: FloatArray, radius_px: float) -> float:
    """Return how far a point lies between the lids (2, n, 2) of its eye, from 0 to 1."""
    below = (y - interpolate_polyline(lids[0], x)) / (_LID_MARGIN * radius_px)
    above = (interpolate_polyline(lids[1], x) - y) / (_LID_MARGIN * radius_px)
    return min(max(below, 0.0), 1.0) * min(max(above, 0.0), 1.0)


@compiled("f8(u1[:,:], f8[:,::1], f8[:,:,::1], f8[:,:,:,::1], f8, f8[:,:,::1], f8[:,:,::1])")
def find_edges(
    grey: GreyImage,
    centres: FloatArray,
    ellipses: FloatArray,
    lids: FloatArray,
    radius_px: float,
    edges: FloatArray,
    weights: FloatArray,
) -> float:
    """Find the edges of limbus and pupil along all rays of both eyes.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
    centres : FloatArray, shape (2, 2)
        Of the irises.
    ellipses : FloatArray, shape (2, 2, 2)
        Matrices that turn the unit circle into the irises' outlines, in pixels.
    lids : FloatArray, shape (2, 2, n, 2)
        Polylines of the upper and the lower lid of each eye.
    radius_px : float
        Of the irises.
    edges, weights : FloatArray, shape (2, 2, 32)
        Filled in: the edges' radii and their weights, of limbus and pupil in both eyes.

    Returns
    -------
    float
        The radius of the pupils on which most rays agree.
    """
    gradients = _radial_gradients(grey, centres, ellipses)
    ring, gradient = _pupil_ring(gradients)
    clear = _PUPIL_WEIGHT * min(max((gradient - _FAINT) / (_CLEAR - _FAINT), 0.0), 1.0)
    limbus = _bin_of(_LIMBUS[0]), _bin_of(_LIMBUS[1])
    pupil = max(_bin_of(ring - _NEAR_RING), 1), _bin_of(ring + _NEAR_RING)
    for eye in range(2):
        for ray in range(RAY_COUNT):
            across, down = _ray_on_ellipse(ray, ellipses[eye])
            for circle in range(2):
                first, last = pupil if circle else limbus
                edge, top = _steepest(gradients[eye, ray], first, last)
                x, y = centres[eye, 0] + edge * across, centres[eye, 1] + edge * down
                weight = clear if circle else LIMBUS_WEIGHTS[ray]
                weight *= min(max(top, 0.0), MAX_GRADIENT)
                edges[circle, eye, ray] = edge
                weights[circle, eye, ray] = weight * _visibility(x, y, lids[eye], radius_px)
    return ring
