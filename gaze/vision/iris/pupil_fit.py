"""How wide the pupils are against their irises, from how the brightness rises outward.

The camera shows a dark disc on a brighter one on the white of the eye, all blurred alike. Where
irises are few pixels wide, the slopes of pupil and limbus run into each other, and the steepest
place is no longer the pupil's edge. So along rays of both eyes the brightness's rises are read,
their median taken, which neither lashes nor streaks move much, and blurred discs of every width
are laid on it, with as much of the limbus as fits, by least squares.
"""

import math
from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np
from numpy.typing import NDArray

from gaze.vision.kernels.jit import compiled, line_at, read

Array = NDArray[np.float64]
Grey = NDArray[np.uint8]
Counts = NDArray[np.int64]

BLUR_PX = 0.8
"""Of the camera: its lens's 0.7, and that a pixel sees a square."""

# All lengths from here on are in radii of the iris.
_BIN, _WIDE = 0.03, 4  # bins to each side of an edge
_FIRST, _BINS, _ANGLES = 0.06, 32, 32
_RATIOS = np.arange(0.14, 0.7201, 0.01)
_LIMBUS_WIDE = 0.12
# Against widths whose edge hardly differs from the limbus.
_HARDLY_SEEN = 0.01
_STEP, _REACH = 0.005, 1.12
_NARROWEST_BLUR = 0.02
# What lies nearer to a lid is in its shadow; what is so much brighter than the iris is a mirrored
# light.
_FROM_LID, _PAST_PUPIL, _WITHIN = 0.18, 0.5, 0.85
_BRIGHTER, _BRIGHTER_SHARE = 15.0, 0.4
_FEWEST_RAYS = 6
_HALF = 0.5  # a pixel belongs to what reaches its edge

_TURNS = (np.arange(_ANGLES) + 0.5) * 2.0 * np.pi / _ANGLES
_RAYS = np.column_stack([np.cos(_TURNS), np.sin(_TURNS)])
_RADII = _FIRST + (np.arange(_BINS) + 0.5) * _BIN
_EDGES = _FIRST + np.arange(_WIDE, _BINS - _WIDE + 1) * _BIN
# Farther out an edge crosses more pixels.
_COUNT = np.sqrt(_EDGES)


@dataclass(frozen=True)
class PupilFit:
    """The pupils of both eyes: by how many grey levels the brightness `rises` (n,) at radii around
    them, and the irises' `radius_px`."""

    rises: Array
    radius_px: float

    @property
    def ratio(self) -> float:
        """Of the pupil's diameter to the iris's."""
        return self._fit[0]

    @property
    def explained(self) -> float:
        """How much of the rises, squared and summed, is the pupil's edge."""
        return self._fit[1]

    @property
    def rest(self) -> float:
        """How much of them is neither the pupil's edge nor the limbus."""
        return self._fit[2]

    @cached_property
    def _fit(self) -> tuple[float, float, float]:
        limbus, discs = _edges(max(round(BLUR_PX / self.radius_px, 2), _NARROWEST_BLUR))
        return _laid_on(self.rises, limbus, discs)


def see_disc(
    grey: Grey, centres: Array, seen_as: Array, lids: Array, radius_px: float
) -> PupilFit | None:
    """Read the pupils off a picture (h, w); None where too little of them shows.

    `centres` (2, 2) are the pupils', `seen_as` (2, 2, 2) turns a circle of radius 1 into what an
    iris looks like, `lids` (2, 2, n, 2) are the upper and lower lid of each eye, all in pixels.
    """
    rises, rays = _rises(grey, centres, seen_as, lids, radius_px)
    columns = np.flatnonzero(rays >= _FEWEST_RAYS)
    if 2 * len(columns) < len(_EDGES) or not rises.any():
        return None
    return PupilFit(np.interp(_EDGES, _EDGES[columns], rises[columns]), radius_px)


@compiled("UniTuple(f8, 3)(f8[::1], f8[::1], f8[:,::1])")
def _laid_on(rises: Array, limbus: Array, discs: Array) -> tuple[float, float, float]:
    """The ratio of the disc that explains most of the rises, besides what the limbus does; how much
    it explains, and how much is left."""
    seen = rises * _COUNT
    seen -= limbus * (limbus * seen).sum()
    told = np.empty(len(discs))
    for each in range(len(discs)):
        told[each] = max((discs[each] * seen).sum(), 0.0) ** 2
    best = told.argmax()
    explained, part = told[best], 0.0
    if 0 < best < len(told) - 1:
        before, after = told[best - 1], told[best + 1]
        bend = before - 2.0 * explained + after
        part = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
    ratio = _RATIOS[best] + part * (_RATIOS[1] - _RATIOS[0])
    return ratio, explained, (seen * seen).sum() - explained


@compiled("f8(i8[::1])")
def _median_of(counts: Counts) -> float:
    """The median of grey levels of which there are so many each; 0 of none."""
    seen = counts.sum()
    if seen == 0:
        return 0.0
    low, high, below = -1, -1, 0
    for grey in range(len(counts)):
        below += counts[grey]
        if low < 0 and below > (seen - 1) // 2:
            low = grey
        if high < 0 and below > seen // 2:
            high = grey
    return (low + high) / 2.0


@compiled("f8[:,::1](f8[:,:,::1], f8, i8, i8)")
def _between(lids: Array, shadow_px: float, left: int, side: int) -> Array:
    """The first and the last row (side, 2), for each column from `left`, that are so far from both
    lids (2, n, 2) that these cast no shadow there; where there are no lids, no row is between."""
    upper, lower = lids[0], lids[1]
    rows = np.empty((side, 2))
    for column in range(side):
        x = float(left + column)
        if upper[0, 0] <= x <= upper[-1, 0] or lower[0, 0] <= x <= lower[-1, 0]:
            rows[column, 0] = line_at(upper, x) + shadow_px
            rows[column, 1] = line_at(lower, x) - shadow_px
        else:
            rows[column, 0], rows[column, 1] = np.inf, -np.inf
    return rows


@compiled("u1[:,::1](u1[:,:], f8[::1], f8[:,::1], f8[:,::1], f8, i8, i8)")
def _lights(
    grey: Grey,
    centre: Array,
    shape: Array,
    between: Array,
    radius_px: float,
    left: int,
    top: int,
) -> Grey:
    """One where a mirrored light is in an iris or beside, in a square of the picture."""
    (height, width), side = grey.shape, len(between)
    turned = shape[0, 0] * shape[1, 1] - shape[0, 1] * shape[1, 0]
    within, counts = np.zeros((side, side), np.uint8), np.zeros(256, np.int64)
    for row in range(min(side, height - top)):
        for column in range(min(side, width - left)):
            x, y = left + column - centre[0], top + row - centre[1]
            across = (x * shape[1, 1] - y * shape[1, 0]) / turned
            down = (y * shape[0, 0] - x * shape[0, 1]) / turned
            away = math.sqrt(across * across + down * down) - _HALF / radius_px
            if away <= _WITHIN:
                within[row, column] = 1
                bare = between[column, 0] <= top + row <= between[column, 1]
                if bare and away > _PAST_PUPIL:
                    counts[grey[top + row, left + column]] += 1
    level = _median_of(counts)
    level += max(_BRIGHTER, _BRIGHTER_SHARE * level)
    lights = np.zeros((side, side), np.uint8)
    for row in range(side):
        for column in range(side):
            if within[row, column] and grey[top + row, left + column] > level:
                for beside in range(-1, 2):
                    lights[min(max(row + beside, 0), side - 1), column] = 1
                    lights[row, min(max(column + beside, 0), side - 1)] = 1
    return lights


@compiled("Tuple((f8[::1], i8[::1]))(u1[:,:], f8[:,::1], f8[:,:,::1], f8[:,:,:,::1], f8)")
def _rises(
    grey: Grey, centres: Array, seen_as: Array, lids: Array, radius_px: float
) -> tuple[Array, Counts]:
    """The median rise at each of `_EDGES` along those rays of both eyes that are clear of lids and
    mirrored lights there, 0 without any, and how many they are."""
    rises, rays = np.empty((len(_EDGES), 2 * _ANGLES)), np.zeros(len(_EDGES), np.int64)
    reach = math.ceil(1.05 * radius_px) + 2
    side = 2 * reach + 2
    sums, clear = np.zeros(_BINS + 1), np.zeros(_BINS + 1)
    for eye in range(2):
        shape = seen_as[eye]
        left = max(math.floor(centres[eye, 0]) - reach, 0)
        top = max(math.floor(centres[eye, 1]) - reach, 0)
        between = _between(lids[eye], _FROM_LID * radius_px - _HALF, left, side)
        lights = _lights(grey, centres[eye], shape, between, radius_px, left, top)
        for ray in range(_ANGLES):
            u, v = _RAYS[ray, 0], _RAYS[ray, 1]
            across, down = u * shape[0, 0] + v * shape[1, 0], u * shape[0, 1] + v * shape[1, 1]
            for place in range(_BINS):
                radius = _FIRST + (place + 0.5) * _BIN
                x, y = centres[eye, 0] + radius * across, centres[eye, 1] + radius * down
                lit = read(lights, x - left, y - top) >= 0.5
                column = min(max(int(x - left + _HALF), 0), side - 1)
                bare = not lit and between[column, 0] <= y <= between[column, 1]
                sums[place + 1] = sums[place] + read(grey, x, y)
                clear[place + 1] = clear[place] + (1.0 if bare else 0.0)
            for edge in range(len(_EDGES)):
                outer, inner = edge + 2 * _WIDE, edge
                if clear[outer] - clear[inner] == 2 * _WIDE:
                    rise = sums[outer] - 2.0 * sums[edge + _WIDE] + sums[inner]
                    rises[edge, rays[edge]] = rise / _WIDE
                    rays[edge] += 1
    usual = np.zeros(len(_EDGES))
    for edge in range(len(_EDGES)):
        if rays[edge]:
            usual[edge] = np.median(rises[edge, : rays[edge]])
    return usual, rays


@lru_cache(64)
def _edges(blur: float) -> tuple[Array, Array]:
    """The rises at a blurred limbus (n,) and at pupils of all ratios (k, n) without what they share
    with the limbus, each of length 1 or, where that is little, less."""
    inner = (np.arange(_REACH / _STEP) + 0.5) * _STEP
    bend = _RADII[:, None] * inner / blur**2
    # A ring blurred by a round Gaussian, and so by the Bessel function I0; for large values as it
    # goes toward.
    near = np.minimum(bend, 500.0)
    bessel = np.where(bend < 500.0, np.i0(near) * np.exp(-near), 1.0 / np.sqrt(2.0 * np.pi * bend))
    rings = inner / blur**2 * np.exp(-((_RADII[:, None] - inner) ** 2) / 2.0 / blur**2) * bessel
    bright = np.cumsum(rings, axis=1) * _STEP  # of discs that reach as far as `inner` and a half

    def rises(radii: Array) -> Array:
        at = np.array([np.interp(radii, inner + _STEP / 2.0, row) for row in bright])
        sums = np.concatenate([np.zeros((1, len(radii))), np.cumsum(at, axis=0)])
        risen = sums[2 * _WIDE :] - 2.0 * sums[_WIDE:-_WIDE] + sums[: -2 * _WIDE]
        return np.asarray(-risen.T * _COUNT / _WIDE)

    limbus = rises(1.0 + np.linspace(-0.5, 0.5, 9) * _LIMBUS_WIDE).mean(axis=0)
    limbus /= np.linalg.norm(limbus)
    discs = rises(_RATIOS)
    discs -= np.outer(discs @ limbus, limbus)
    discs /= np.sqrt((discs**2).sum(axis=1, keepdims=True) + _HARDLY_SEEN)
    return limbus, np.ascontiguousarray(discs)
