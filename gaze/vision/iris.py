"""Where the irises are and how large, to a part of a pixel, from the full-resolution picture.

The face mesh places irises to about a pixel, between lids that it places no better. Here the dark
middle of each iris gives a first centre; then the limbus is looked for along rays to its sides, as
the place where the brightness rises most (after Daugman 2004, "How iris recognition works"), and a
circle is fitted to those places, of one size in both eyes, by least squares that give up what lies
off. Edges that lie within the circle are given up sooner: they are lids.

Places are in pixels whose centres have whole numbers, half a pixel less than the landmarks'.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.eyes import EYES
from gaze.vision.face import Landmarks
from gaze.vision.pose import iris_diameters_px
from gaze.vision.square import Image

Array = NDArray[np.float64]
Grey = NDArray[np.uint8]

RIGHT_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_UPPER = (362, 398, 384, 385, 386, 387, 388, 466, 263)
LEFT_LOWER = (362, 382, 381, 380, 374, 373, 390, 249, 263)
LIDS = ((RIGHT_UPPER, RIGHT_LOWER), (LEFT_UPPER, LEFT_LOWER))
_LIDS = np.array(LIDS)

# The crop reaches this far beyond the corners of the eyes, to the sides, up and down: to brow and
# nose, in distances between the outer ones.
_BESIDE, _ABOVE, _BELOW = 0.3, 0.5, 0.5
_SMALLEST_PX = 3.0
_ANGLES, _BINS = 40, 36
# Rays are read from and to here, and an edge is looked for within the narrower limits, in radii.
_FROM, _TO = 0.5, 1.45
_LIMITS = ((0.72, 1.35), (0.8, 1.25))
_WIDE = 5  # bins to each side of an edge
_FROM_LID = 0.15
_HIGHEST_STEP = 40.0
_GIVEN_UP_INSIDE, _GIVEN_UP_OUTSIDE = 0.04, 0.06
# How firmly the dark middle holds the centre (across, down), and the mesh the radius.
_HOLD = np.array([0.01, 0.02, 0.01, 0.02, 0.03])
# A dark middle this near to a lid, in radii, holds nothing, and one so much farther off as said.
_CUT, _CLEAR = 0.3, 0.3
# The dark middle, the pupil, stands toward the nose by this share of the iris's radius.
_NASAL = 0.02

_TURNS = (np.arange(_ANGLES) + 0.5) * 2.0 * np.pi / _ANGLES
_RAYS = np.tile(np.column_stack([np.cos(_TURNS), np.sin(_TURNS)]), (2, 1))
# A centre's move and the radius, as they change where an edge lies along each ray.
_DESIGN = np.zeros((2 * _ANGLES, 5))
_DESIGN[:_ANGLES, 0:2] = _RAYS[:_ANGLES]
_DESIGN[_ANGLES:, 2:4] = _RAYS[_ANGLES:]
_DESIGN[:, 4] = 1.0
_SIDEWAYS = np.clip((np.abs(_RAYS[:, 0]) - 0.5) / 0.3, 0.0, 1.0)
_ROWS = np.arange(2 * _ANGLES)


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of a frame around the eyes: `grey` (h, w), its first pixel at `origin` (2,)."""

    grey: Grey
    origin: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Irises:
    """`centres_px` (2, 2) of the right and left iris, `radius_px` of both, and how surely each
    was seen, `confidence` (2,) from 0 to 1."""

    centres_px: Array
    radius_px: float
    confidence: Array


def cut_eyes(image: Image, landmarks: Landmarks) -> Crop | None:
    """Return the surroundings of both eyes, None where they are outside of the frame."""
    corners = landmarks.points_px[[33, 133, 362, 263], :2].tolist()
    apart = math.dist(corners[0], corners[3])
    height, width = image.shape[:2]
    across, along = zip(*corners, strict=True)
    left = min(max(math.floor(min(across) - _BESIDE * apart), 0), width)
    right = min(max(math.ceil(max(across) + _BESIDE * apart), 0), width)
    top = min(max(math.floor(min(along) - _ABOVE * apart), 0), height)
    bottom = min(max(math.ceil(max(along) + _BELOW * apart), 0), height)
    if right - left < 8 or bottom - top < 8:
        return None
    grey = cv2.cvtColor(image[top:bottom, left:right], cv2.COLOR_RGB2GRAY)
    return Crop(np.asarray(grey, np.uint8), np.array([left, top]))


def find_irises(crop: Crop, landmarks: Landmarks) -> Irises | None:
    """Find both irises, starting from the landmarks; None where they are too small."""
    first_px = sum(iris_diameters_px(landmarks)) / 4.0
    if first_px < _SMALLEST_PX:
        return None
    shift = crop.origin + 0.5
    meshed = landmarks.points_px[[eye.iris for eye in EYES], :2] - shift
    dark = np.array([dark_centre(crop.grey, centre, first_px) for centre in meshed])
    lids = landmarks.points_px[_LIDS, :2] - shift
    hold = _HOLD.copy()
    hold[[1, 3]] *= _between(dark, lids, first_px)
    centres, radius_px = dark, first_px
    for limits in _LIMITS:
        edges, steps = _edges(crop.grey, centres, radius_px, limits)
        weights = np.clip(steps, 0.0, _HIGHEST_STEP) * _SIDEWAYS
        weights = weights * _uncovered(centres, edges, lids, radius_px) + 1e-4
        held = np.append((dark - centres).ravel(), radius_px)
        held[[0, 2]] += np.array([-1.0, 1.0]) * _NASAL * radius_px
        found, kept = _fit(edges, weights, held, hold, radius_px)
        moves = found[:4].reshape(2, 2)
        lengths = np.linalg.norm(moves, axis=1, keepdims=True)
        moves = moves * np.minimum(1.0, 0.4 * radius_px / np.maximum(lengths, 1e-9))
        centres = centres + moves
        radius_px = min(max(float(found[4]), 0.85 * first_px), 1.18 * first_px)
    seen = (kept * weights / _HIGHEST_STEP).reshape(2, -1).sum(axis=1) / _SIDEWAYS.sum() * 2.0
    centres = np.asarray(centres + crop.origin, np.float64)
    return Irises(centres, radius_px, np.clip(seen / 0.35, 0.0, 1.0))


def dark_centre(grey: Grey, start: Array, iris_radius_px: float) -> Array:
    """Move from about an iris's centre to that of the darkest part of its middle.

    `start` (2,) is in the pixels of the grey picture (h, w), as is what is returned.
    """
    reach = 1.1 * iris_radius_px
    left, top = np.maximum(np.floor(start - reach), 0).astype(int)
    right, bottom = np.ceil(start + reach).astype(int) + 1
    part = grey[top : max(bottom, 0), left : max(right, 0)]
    if part.size == 0:
        return start
    values = part.ravel().astype(np.float64)
    x = np.tile(np.arange(left, left + part.shape[1], dtype=np.float64), part.shape[0])
    y = np.repeat(np.arange(top, top + part.shape[0], dtype=np.float64), part.shape[1])
    start_x, start_y = centre_x, centre_y = start.tolist()
    for _ in range(5):
        near = (x - centre_x) ** 2 + (y - centre_y) ** 2 < (0.55 * iris_radius_px) ** 2
        middles = values[near]
        if middles.size < 8:
            return start
        middle = np.partition(middles, int(0.6 * middles.size))[int(0.6 * middles.size)]
        weight = np.maximum(middle - middles, 0.0)
        total = float(weight.sum())
        if total <= 0.0:
            return start
        away_x = float(weight @ x[near]) / total - start_x
        away_y = float(weight @ y[near]) / total - start_y
        share = min(1.0, 0.45 * iris_radius_px / max(math.hypot(away_x, away_y), 1e-9))
        before_x, before_y = centre_x, centre_y
        centre_x, centre_y = start_x + away_x * share, start_y + away_y * share
        if max(abs(centre_x - before_x), abs(centre_y - before_y)) < 0.02:
            break
    return np.array([centre_x, centre_y])


def _edges(
    grey: Grey, centres: Array, radius_px: float, limits: tuple[float, float]
) -> tuple[Array, Array]:
    """How far from its centre the brightness rises most along each ray, and by how much."""
    apart = (_TO - _FROM) / _BINS * radius_px
    along = _FROM * radius_px + (np.arange(_BINS) + 0.5) * apart
    starts = np.repeat(centres, _ANGLES, axis=0)
    read = cv2.remap(
        grey,
        (starts[:, :1] + _RAYS[:, :1] * along).astype(np.float32),
        (starts[:, 1:] + _RAYS[:, 1:] * along).astype(np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    sums = np.zeros((2 * _ANGLES, _BINS + 1))
    np.cumsum(read, axis=1, out=sums[:, 1:])
    means = (sums[:, _WIDE:] - sums[:, :-_WIDE]) / _WIDE
    steps = means[:, _WIDE:] - means[:, :-_WIDE]
    # Step number 0 lies between the bins _WIDE - 1 and _WIDE.
    first, last = (round(float(limit - _FROM) * _BINS / (_TO - _FROM)) - _WIDE for limit in limits)
    first, last = max(first, 0), min(last, steps.shape[1])
    best = np.clip(steps[:, first:last].argmax(axis=1) + first, 1, steps.shape[1] - 2)
    before, top, after = (steps[_ROWS, best + way] for way in (-1, 0, 1))
    bend = np.minimum(before - 2.0 * top + after, -1e-6)
    part = np.clip(0.5 * (before - after) / bend, -1.0, 1.0)
    return _FROM * radius_px + (best + part + _WIDE) * apart, top


def _between(dark: Array, lids: Array, radius_px: float) -> list[float]:
    """From 0 to 1 for each eye, how far the dark middle (2, 2) is from both lids: one that a lid
    cuts is not the iris's."""
    gaps = [
        min(y - np.interp(x, *upper.T), np.interp(x, *lower.T) - y)
        for (x, y), (upper, lower) in zip(dark.tolist(), lids, strict=True)
    ]
    return [float(np.clip((gap / radius_px - _CUT) / _CLEAR, 0.0, 1.0)) for gap in gaps]


def _uncovered(centres: Array, edges: Array, lids: Array, radius_px: float) -> Array:
    """From 0 to 1, how far each ray's edge lies between the lids."""
    places = np.repeat(centres, _ANGLES, axis=0) + _RAYS * edges[:, None]
    shares = []
    for place, (upper, lower) in zip(places.reshape(2, -1, 2), lids, strict=True):
        below = place[:, 1] - np.interp(place[:, 0], upper[:, 0], upper[:, 1])
        above = np.interp(place[:, 0], lower[:, 0], lower[:, 1]) - place[:, 1]
        shares.append(
            np.clip(below / (_FROM_LID * radius_px), 0.0, 1.0)
            * np.clip(above / (_FROM_LID * radius_px), 0.0, 1.0)
        )
    return np.concatenate(shares)


def _fit(
    edges: Array, weights: Array, held: Array, hold: Array, radius_px: float
) -> tuple[Array, Array]:
    """Return the moves and the radius (5,) that agree best, and which rays were kept (0 to 1)."""
    found = held
    hold = hold * float(weights.sum())
    for step in range(4):
        off = edges - _DESIGN @ found
        bearable = np.where(off < 0.0, _GIVEN_UP_INSIDE, _GIVEN_UP_OUTSIDE) * radius_px
        kept = 1.0 / (1.0 + (off / (bearable * (2.0 if step < 2 else 1.0))) ** 2) ** 2
        weighted = _DESIGN.T * (weights * kept)
        found = np.linalg.solve(weighted @ _DESIGN + np.diag(hold), weighted @ edges + hold * held)
    return found, kept
