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

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.median import median

Array = NDArray[np.float64]
Grey = NDArray[np.uint8]

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

_TURNS = (np.arange(_ANGLES) + 0.5) * 2.0 * np.pi / _ANGLES
_RAYS = np.column_stack([np.cos(_TURNS), np.sin(_TURNS)])
_RADII = _FIRST + (np.arange(_BINS) + 0.5) * _BIN
_PLACES = (_RAYS[:, None] * _RADII[:, None]).reshape(-1, 2)
_EDGES = _FIRST + np.arange(_WIDE, _BINS - _WIDE + 1) * _BIN
# Farther out an edge crosses more pixels.
_COUNT = np.sqrt(_EDGES)
_CROSS = cv2.getStructuringElement(cv2.MORPH_CROSS, (3, 3))
_NO_MAP = np.empty(0, np.float32)


@dataclass(frozen=True)
class Disc:
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
        seen = self.rises * _COUNT
        seen = seen - limbus * float(limbus @ seen)
        told = np.maximum(discs @ seen, 0.0) ** 2
        best = int(told.argmax())
        explained = float(told[best])
        part = 0.0
        if 0 < best < len(told) - 1:
            before, after = float(told[best - 1]), float(told[best + 1])
            bend = before - 2.0 * explained + after
            part = 0.5 * (before - after) / bend if bend < 0.0 else 0.0
        step = float(_RATIOS[1] - _RATIOS[0])
        return float(_RATIOS[best]) + part * step, explained, float(seen @ seen) - explained


def see_disc(
    grey: Grey, centres: Array, seen_as: Array, lids: Array, radius_px: float
) -> Disc | None:
    """Read the pupils off a picture (h, w); None where too little of them shows.

    `centres` (2, 2) are the pupils', `seen_as` (2, 2, 2) turns a circle of radius 1 into what an
    iris looks like, `lids` (2, 2, n, 2) are the upper and lower lid of each eye, all in pixels.
    """
    read = [
        _along_rays(grey, centre, shape, pair, radius_px)
        for centre, shape, pair in zip(centres, seen_as, lids, strict=True)
    ]
    values, clear = (np.concatenate(each) for each in zip(*read, strict=True))
    sums = np.zeros((2, len(values), _BINS + 1), np.float32)
    np.cumsum(values, axis=1, out=sums[0, :, 1:])
    np.cumsum(clear, axis=1, out=sums[1, :, 1:])
    ends, middles, starts = sums[..., 2 * _WIDE :], sums[..., _WIDE:-_WIDE], sums[..., : -2 * _WIDE]
    whole = ends[1] - starts[1] == 2 * _WIDE
    rises = (ends[0] - 2.0 * middles[0] + starts[0]) / _WIDE
    # The median of those rays that are clear: the others stand behind them.
    ordered = np.sort(np.where(whole, rises, np.inf), axis=0)
    rays = whole.sum(axis=0)
    enough = rays >= _FEWEST_RAYS
    if 2 * int(enough.sum()) < len(_EDGES):
        return None
    columns = np.flatnonzero(enough)
    low, high = (rays[columns] - 1) // 2, rays[columns] // 2
    usual = (ordered[low, columns] + ordered[high, columns]) / 2.0
    if not usual.any():
        return None
    return Disc(np.interp(_EDGES, _EDGES[columns], usual), radius_px)


def _along_rays(
    grey: Grey, centre: Array, shape: Array, lids: Array, radius_px: float
) -> tuple[NDArray[np.float32], NDArray[np.bool_]]:
    """What is seen along the rays of one eye (rays, bins), and where neither lids nor mirrored
    lights are in the way."""
    reach = math.ceil(1.05 * radius_px) + 2
    left, top = (max(math.floor(place) - reach, 0) for place in centre.tolist())
    part = grey[top : top + 2 * reach + 2, left : left + 2 * reach + 2]
    corner = np.array([left, top])
    upper, lower = lids - corner
    middle = (upper[:, 1] + lower[:, 1]) / 2.0
    upper[:, 1] = np.minimum(upper[:, 1] + _FROM_LID * radius_px, middle)
    lower[:, 1] = np.maximum(lower[:, 1] - _FROM_LID * radius_px, middle)
    clear = _filled(part.shape, np.concatenate([upper, lower[::-1]]))
    rim = _RAYS @ shape
    inner = _filled(part.shape, _WITHIN * rim + (centre - corner))
    pupil = _filled(part.shape, _PAST_PUPIL * rim + (centre - corner))
    greys = part.astype(np.float32)
    iris = greys[(inner & clear) > pupil]
    level = float(median(iris)) if len(iris) else 0.0
    bright = inner & (part > level + max(_BRIGHTER, _BRIGHTER_SHARE * level))
    clear[cv2.dilate(bright, _CROSS) > 0] = 0
    places = (_PLACES @ shape + (centre - corner)).astype(np.float32).reshape(_ANGLES, _BINS, 2)
    values = cv2.remap(greys, places, _NO_MAP, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    share = cv2.remap(255 * clear, places, _NO_MAP, cv2.INTER_LINEAR)
    return np.asarray(values, np.float32), np.asarray(share > 127)


def _filled(shape: tuple[int, ...], outline: Array) -> Grey:
    """One inside of an outline (n, 2), zero outside."""
    picture = np.zeros(shape, np.uint8)
    cv2.fillPoly(picture, [np.round(outline * 16.0).astype(np.int32)], (1,), shift=4)
    return picture


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
    return limbus, discs / np.sqrt((discs**2).sum(axis=1, keepdims=True) + _HARDLY_SEEN)
