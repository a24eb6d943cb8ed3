"""Take the radial profile of the brightness around pupils, and find the disc that explains it.

This replaces cv2.remap into polar pictures, cv2.inRange with cv2.dilate for specular highlights,
and numpy's medians over masked arrays; the gain is given in `iris_edges`.

Points are in pixels whose centres have whole numbers; radii are in radii of the iris.
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray, GreyImage, IntArray
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.sampling import interpolate_polyline, sample_bilinear

# The constants of this module were chosen on seeds 0 to 11 of `benchmarks.rendered`, at both sizes.
RATIOS = np.arange(0.14, 0.7201, 0.01)
"""Ratios of the pupil's diameter to the iris's that are compared."""
_BIN = 0.03
HALF_WIDTH = 4
"""Half the width of a derivative, in bins."""
_FIRST_RADIUS, _BINS, _RAY_COUNT = 0.06, 32, 32
# Nearer to a lid is its shadow. The iris's own brightness is measured between these radii; what is
# brighter by these grey levels, and by this share, is a specular highlight.
_LID_MARGIN, _PAST_PUPIL, _WITHIN_IRIS = 0.18, 0.5, 0.85
_BRIGHTER, _BRIGHTER_SHARE = 15.0, 0.4
_HALF_PIXEL = 0.5  # a pixel belongs to what reaches its edge

_ANGLES = (np.arange(_RAY_COUNT) + 0.5) * 2.0 * np.pi / _RAY_COUNT
_RAYS = np.column_stack([np.cos(_ANGLES), np.sin(_ANGLES)])
SAMPLE_RADII = _FIRST_RADIUS + (np.arange(_BINS) + 0.5) * _BIN
"""Radii at which the brightness is sampled."""
PROFILE_RADII = _FIRST_RADIUS + np.arange(HALF_WIDTH, _BINS - HALF_WIDTH + 1) * _BIN
"""Radii of a profile's derivatives."""
# Farther out an edge crosses more pixels.
PROFILE_WEIGHTS = np.sqrt(PROFILE_RADII)
"""Weights of a profile's derivatives."""


@compiled("UniTuple(f8, 3)(f8[::1], f8[::1], f8[:,::1])")
def match_disc(
    profile: FloatArray, limbus: FloatArray, discs: FloatArray
) -> tuple[float, float, float]:
    """Find the disc that explains most of a profile besides what the limbus does.

    Parameters
    ----------
    profile : FloatArray, shape (n,)
        Increase of the brightness, in grey levels, at `PROFILE_RADII`.
    limbus : FloatArray, shape (n,)
        Weighted profile of the limbus, of unit length.
    discs : FloatArray, shape (k, n)
        Weighted profiles of pupils of all `RATIOS`, orthogonal to the limbus's.

    Returns
    -------
    ratio : float
        Of the pupil's diameter to the iris's, interpolated by a parabola.
    explained : float
        Weighted sum of squares that the disc explains.
    residual : float
        Weighted sum of squares that neither limbus nor disc explains.
    """
    weighted = profile * PROFILE_WEIGHTS
    weighted -= limbus * (limbus * weighted).sum()
    scores = np.empty(len(discs))
    for number in range(len(discs)):
        scores[number] = max((discs[number] * weighted).sum(), 0.0) ** 2
    best = scores.argmax()
    explained, offset = scores[best], 0.0
    if 0 < best < len(scores) - 1:
        before, after = scores[best - 1], scores[best + 1]
        curvature = before - 2.0 * explained + after
        offset = 0.5 * (before - after) / curvature if curvature < 0.0 else 0.0
    ratio = RATIOS[best] + offset * (RATIOS[1] - RATIOS[0])
    return ratio, explained, (weighted * weighted).sum() - explained


@compiled("f8(i8[::1])")
def _median_of_histogram(histogram: IntArray) -> float:
    """Return the median grey level of a histogram; 0 if it is empty."""
    count = histogram.sum()
    if count == 0:
        return 0.0
    low, high, below = -1, -1, 0
    for grey in range(len(histogram)):
        below += histogram[grey]
        if low < 0 and below > (count - 1) // 2:
            low = grey
        if high < 0 and below > count // 2:
            high = grey
    return (low + high) / 2.0


@compiled("f8[:,::1](f8[:,:,::1], f8, i8, i8)")
def _open_rows(lids: FloatArray, margin_px: float, left: int, side: int) -> FloatArray:
    """Return the first and last row (side, 2) between the lids for each column from `left`.

    These rows are a margin away from both lids (2, n, 2); beside the lids there are none.
    """
    upper, lower = lids[0], lids[1]
    rows = np.empty((side, 2))
    for column in range(side):
        x = float(left + column)
        if upper[0, 0] <= x <= upper[-1, 0] or lower[0, 0] <= x <= lower[-1, 0]:
            rows[column, 0] = interpolate_polyline(upper, x) + margin_px
            rows[column, 1] = interpolate_polyline(lower, x) - margin_px
        else:
            rows[column, 0], rows[column, 1] = np.inf, -np.inf
    return rows


@compiled("u1[:,::1](u1[:,:], f8[::1], f8[:,::1], f8[:,::1], f8, i8, i8)")
def _highlights(
    grey: GreyImage,
    centre: FloatArray,
    ellipse: FloatArray,
    open_rows: FloatArray,
    radius_px: float,
    left: int,
    top: int,
) -> GreyImage:
    """Return a mask of the specular highlights in an iris, in a square of the picture.

    It is dilated by a pixel.
    """
    (height, width), side = grey.shape, len(open_rows)
    determinant = ellipse[0, 0] * ellipse[1, 1] - ellipse[0, 1] * ellipse[1, 0]
    within, histogram = np.zeros((side, side), np.uint8), np.zeros(256, np.int64)
    for row in range(min(side, height - top)):
        for column in range(min(side, width - left)):
            x, y = left + column - centre[0], top + row - centre[1]
            across = (x * ellipse[1, 1] - y * ellipse[1, 0]) / determinant
            down = (y * ellipse[0, 0] - x * ellipse[0, 1]) / determinant
            radius = math.sqrt(across * across + down * down) - _HALF_PIXEL / radius_px
            if radius <= _WITHIN_IRIS:
                within[row, column] = 1
                is_open = open_rows[column, 0] <= top + row <= open_rows[column, 1]
                if is_open and radius > _PAST_PUPIL:
                    histogram[grey[top + row, left + column]] += 1
    level = _median_of_histogram(histogram)
    level += max(_BRIGHTER, _BRIGHTER_SHARE * level)
    mask = np.zeros((side, side), np.uint8)
    for row in range(side):
        for column in range(side):
            if within[row, column] and grey[top + row, left + column] > level:
                for beside in range(-1, 2):
                    mask[min(max(row + beside, 0), side - 1), column] = 1
                    mask[row, min(max(column + beside, 0), side - 1)] = 1
    return mask


@compiled("Tuple((f8[::1], i8[::1]))(u1[:,:], f8[:,::1], f8[:,:,::1], f8[:,:,:,::1], f8)")
def measure_profile(
    grey: GreyImage,
    centres: FloatArray,
    ellipses: FloatArray,
    lids: FloatArray,
    radius_px: float,
) -> tuple[FloatArray, IntArray]:
    """Return the median radial profile over those rays of both eyes that are clear.

    A ray is clear at a radius where neither a lid's shadow nor a specular highlight is near.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
    centres : FloatArray, shape (2, 2)
        Of the pupils.
    ellipses : FloatArray, shape (2, 2, 2)
        Matrices that turn the unit circle into the irises' outlines, in pixels.
    lids : FloatArray, shape (2, 2, n, 2)
        Polylines of the upper and the lower lid of each eye.
    radius_px : float
        Of the irises.

    Returns
    -------
    profile : FloatArray, shape (n,)
        Increase of the brightness at `PROFILE_RADII`, in grey levels; 0 without a clear ray.
    rays : IntArray, shape (n,)
        The number of clear rays.
    """
    count = len(PROFILE_RADII)
    gradients, rays = np.empty((count, 2 * _RAY_COUNT)), np.zeros(count, np.int64)
    reach = math.ceil(1.05 * radius_px) + 2
    side = 2 * reach + 2
    integral, clear = np.zeros(_BINS + 1), np.zeros(_BINS + 1)
    for eye in range(2):
        ellipse = ellipses[eye]
        left = max(math.floor(centres[eye, 0]) - reach, 0)
        top = max(math.floor(centres[eye, 1]) - reach, 0)
        open_rows = _open_rows(lids[eye], _LID_MARGIN * radius_px - _HALF_PIXEL, left, side)
        mask = _highlights(grey, centres[eye], ellipse, open_rows, radius_px, left, top)
        for ray in range(_RAY_COUNT):
            u, v = _RAYS[ray, 0], _RAYS[ray, 1]
            across, down = (
                u * ellipse[0, 0] + v * ellipse[1, 0],
                u * ellipse[0, 1] + v * ellipse[1, 1],
            )
            for number in range(_BINS):
                radius = _FIRST_RADIUS + (number + 0.5) * _BIN
                x, y = centres[eye, 0] + radius * across, centres[eye, 1] + radius * down
                lit = sample_bilinear(mask, x - left, y - top) >= 0.5
                column = min(max(int(x - left + _HALF_PIXEL), 0), side - 1)
                is_clear = not lit and open_rows[column, 0] <= y <= open_rows[column, 1]
                integral[number + 1] = integral[number] + sample_bilinear(grey, x, y)
                clear[number + 1] = clear[number] + (1.0 if is_clear else 0.0)
            for edge in range(count):
                outer, inner = edge + 2 * HALF_WIDTH, edge
                if clear[outer] - clear[inner] == 2 * HALF_WIDTH:
                    gradient = integral[outer] - 2.0 * integral[edge + HALF_WIDTH] + integral[inner]
                    gradients[edge, rays[edge]] = gradient / HALF_WIDTH
                    rays[edge] += 1
    profile = np.zeros(count)
    for edge in range(count):
        if rays[edge]:
            profile[edge] = np.median(gradients[edge, : rays[edge]])
    return profile, rays
