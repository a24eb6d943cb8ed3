"""Where the irises are and how large, to a part of a pixel, from the full-resolution picture.

The face mesh places irises to about a pixel, between lids that it places no better. Here the dark
middle of each iris gives a first centre. Along rays around it the brightness rises most (after
Daugman 2004, "How iris recognition works") at the limbus, and at the pupil's edge within. Circles,
as they look on an eye that is turned away from the camera, are fitted to these places, with limbus
and pupil each of one size in both eyes, by least squares that give up what lies off: lids, glints.

Places are in pixels whose centres have whole numbers, half a pixel less than the landmarks'.
"""

import math
from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.disc import Disc, see_disc
from gaze.vision.face import Landmarks
from gaze.vision.median import median
from gaze.vision.pose import iris_diameters_px
from gaze.vision.square import Image

Array = NDArray[np.float64]
Grey = NDArray[np.uint8]

RIGHT_UPPER = (33, 246, 161, 160, 159, 158, 157, 173, 133)
RIGHT_LOWER = (33, 7, 163, 144, 145, 153, 154, 155, 133)
LEFT_UPPER = (362, 398, 384, 385, 386, 387, 388, 466, 263)
LEFT_LOWER = (362, 382, 381, 380, 374, 373, 390, 249, 263)
LIDS = ((RIGHT_UPPER, RIGHT_LOWER), (LEFT_UPPER, LEFT_LOWER))
# The lids, then the irises, then chin and forehead.
_POINTS = np.array([*RIGHT_UPPER, *RIGHT_LOWER, *LEFT_UPPER, *LEFT_LOWER, 468, 473, 152, 10])

# The crop reaches this far beyond the corners of the eyes, to the sides, up and down: to brow and
# nose, in distances between the outer ones.
_BESIDE, _ABOVE, _BELOW = 0.3, 0.5, 0.5
_SMALLEST_PX = 3.0

# All lengths from here on are in radii of the iris.
_ANGLES, _BINS = 32, 48
_FROM, _TO = 0.06, 1.47
_BIN = (_TO - _FROM) / _BINS
_WIDE = 4  # bins to each side of an edge
# Where the limbus is looked for; where the pupil's edge, and how near to that of most rays.
_LIMBUS = (0.74, 1.32)
_PUPIL, _NEAR = (0.2, 0.66), 0.12
# The picture is read anew around the centres found, until they move less than this.
_ROUNDS, _SETTLED = 3, 0.1
_FROM_LID = 0.2
_HIGHEST_RISE = 25.0
_GIVEN_UP = np.repeat([0.06, 0.04], 2 * _ANGLES)
# How firmly the dark middle holds the centres, the mesh the iris's radius, the rings the pupil's.
_HOLD = np.array([0.001, 0.001, 0.001, 0.001, 0.015, 0.02])
# An edge of the pupil counts so much; not at all where it is so faint, fully where so clear.
_PUPIL_COUNTS, _FAINT, _CLEAR = 0.5, 7.0, 19.0
# No pupil is told of an eye that is cut nearer to its middle than this.
_REACH = 0.86
# The pupil stands toward the nose and, as the cornea shows it, behind the limbus.
_NASAL = np.array([[0.02, 0.0], [-0.02, 0.0]])
_DEEP = 0.08
# The eyeball's centre is behind the corners of the eye, and the limbus before that centre.
_BEHIND, _BEFORE = 1.4, 1.78
_MOST_LEANING = 0.75

_TURNS = (np.arange(_ANGLES) + 0.5) * 2.0 * np.pi / _ANGLES
_RAYS = np.column_stack([np.cos(_TURNS), np.sin(_TURNS)])
_RADII = _FROM + (np.arange(_BINS) + 0.5) * _BIN
_PLACES = (_RAYS[:, None] * _RADII[:, None]).reshape(-1, 2).astype(np.float32)
# The limbus is cut by lids above and below; of the pupil every side may be seen.
_SIDEWAYS = np.clip((np.abs(_RAYS[:, 0]) - 0.4) / 0.3, 0.0, 1.0)
_COUNT = np.concatenate([_SIDEWAYS, _SIDEWAYS, np.full(2 * _ANGLES, _PUPIL_COUNTS)])
_LEVEL = np.flatnonzero(np.tile(np.abs(_RAYS[:, 0]) > 0.84, 2))
# How edges along rays follow both centres (x, y), the radius of the irises and of the pupils. Rows
# are rays: of the limbus in the right and the left eye, then of the pupils.
_DESIGN = np.zeros((2, 2, _ANGLES, 6))
_DESIGN[:, 0, :, 0:2] = _DESIGN[:, 1, :, 2:4] = _RAYS
_DESIGN[0, :, :, 4] = _DESIGN[1, :, :, 5] = 1.0
_DESIGN = _DESIGN.reshape(-1, 6)
_PRODUCTS = (_DESIGN[:, :, None] * _DESIGN[:, None, :]).reshape(-1, 36)
_ROWS = np.tile(np.arange(2 * _ANGLES), 2)
_APART = np.array([[0.0, 1e4], [2e4, 3e4]])
_NO_MAP = np.empty(0, np.float32)


def _bin(radius: float) -> int:
    """The number of the rise at a radius."""
    return round((radius - _FROM) / _BIN) - _WIDE


_LIMBUS_BINS = (_bin(_LIMBUS[0]), _bin(_LIMBUS[1]))


@dataclass(frozen=True, slots=True)
class Crop:
    """The part of a frame around the eyes: `grey` (h, w), its first pixel at `origin` (2,)."""

    grey: Grey
    origin: NDArray[np.intp]


@dataclass(frozen=True, slots=True)
class Irises:
    """`centres_px` (2, 2) of the right and left iris, `radius_px` of both, and how surely each
    was seen, `confidence` (2,) from 0 to 1; `disc` is None where no pupil shows."""

    centres_px: Array
    radius_px: float
    confidence: Array
    disc: Disc | None


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
    points = landmarks.points_px[_POINTS] - np.append(crop.origin + 0.5, 0.0)
    lids = points[:36, :2].reshape(2, 2, 9, 2)
    dark = np.array([dark_centre(crop.grey, each, first_px, 2) for each in points[36:38, :2]])
    leaning = _leaning(dark, points, first_px)
    flat, offset = _seen_as(leaning), ((_NASAL - _DEEP * leaning) @ _RAYS.T).ravel()
    centres, radius_px = dark, first_px
    for _ in range(_ROUNDS):
        seen_as = flat * radius_px
        rises = _rises(crop.grey, centres, seen_as)
        ring, rise = _ring(rises)
        edges, tops = _steepest(rises, ring)
        weights = np.minimum(np.maximum(tops, 0.0), _HIGHEST_RISE) * _COUNT
        weights[2 * _ANGLES :] *= min(max((rise - _FAINT) / (_CLEAR - _FAINT), 0.0), 1.0)
        weights *= _uncovered(centres, edges, seen_as, lids, radius_px)
        edges[2 * _ANGLES :] -= offset
        middles = ((dark - centres) / radius_px - _NASAL).ravel().tolist()
        held = np.array([*middles, first_px / radius_px, ring])
        found, kept = _fit(edges, weights + 1e-4, held)
        moves = found[:4].reshape(2, 2)
        lengths = np.sqrt((moves**2).sum(axis=1, keepdims=True))
        moves = moves * np.minimum(1.0, 0.4 / np.maximum(lengths, 1e-9))
        centres = centres + (seen_as @ moves[:, :, None])[:, :, 0]
        radius_px = min(max(float(found[4]) * radius_px, 0.85 * first_px), 1.18 * first_px)
        if float(lengths.max()) < _SETTLED:
            break
    seen = (kept * weights)[: 2 * _ANGLES].reshape(2, -1).sum(axis=1)
    seen = seen / (_HIGHEST_RISE * _SIDEWAYS.sum())
    disc = None
    if _inside(crop.grey, centres, _REACH * radius_px):
        seen_as, within = flat * radius_px, _NASAL - _DEEP * leaning
        pupils = centres + (seen_as @ within[:, :, None])[:, :, 0]
        disc = see_disc(crop.grey, pupils, seen_as, lids, radius_px)
    centres = np.asarray(centres + crop.origin, np.float64)
    return Irises(centres, radius_px, np.clip(seen / 0.35, 0.0, 1.0), disc)


def dark_centre(grey: Grey, start: Array, iris_radius_px: float, rounds: int = 5) -> Array:
    """Move from about an iris's centre to that of the darkest part of its middle.

    `start` (2,) is in the pixels of the grey picture (h, w), as is what is returned.
    """
    reach = 1.1 * iris_radius_px
    start_x, start_y = centre_x, centre_y = start.tolist()
    left, top = max(math.floor(start_x - reach), 0), max(math.floor(start_y - reach), 0)
    right, bottom = math.ceil(start_x + reach) + 1, math.ceil(start_y + reach) + 1
    part = grey[top : max(bottom, 0), left : max(right, 0)]
    if part.size == 0:
        return start
    values = part.astype(np.float32)
    x = np.arange(left, left + part.shape[1], dtype=np.float32)
    y = np.arange(top, top + part.shape[0], dtype=np.float32)
    for _ in range(rounds):
        near = (x - centre_x) ** 2 + ((y - centre_y) ** 2)[:, None] < (0.55 * iris_radius_px) ** 2
        middles = part[near]
        if middles.size < 8:
            return start
        middle = float(np.partition(middles, int(0.6 * middles.size))[int(0.6 * middles.size)])
        weights = np.maximum(middle - values, 0.0) * near
        across, down = weights.sum(axis=0), weights.sum(axis=1)
        total = float(across.sum())
        if total <= 0.0:
            return start
        away_x = float(across @ x) / total - start_x
        away_y = float(down @ y) / total - start_y
        share = min(1.0, 0.45 * iris_radius_px / max(math.hypot(away_x, away_y), 1e-9))
        before_x, before_y = centre_x, centre_y
        centre_x, centre_y = start_x + away_x * share, start_y + away_y * share
        if max(abs(centre_x - before_x), abs(centre_y - before_y)) < 0.02:
            break
    return np.array([centre_x, centre_y])


def _leaning(centres: Array, points: Array, radius_px: float) -> Array:
    """Return the part of each iris's axis across the line of sight (2, 2): from where the eyeball
    is behind the corners of the eye, against the way the face looks, to the iris."""
    corners = (points[[0, 18], :2] + points[[8, 26], :2]) / 2.0
    ax, ay, az = (points[26] - points[0]).tolist()
    dx, dy, dz = (points[38] - points[39]).tolist()
    inward = (ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx)
    behind = np.array(inward[:2]) * (_BEHIND / max(math.hypot(*inward), 1e-9))
    leaning = ((centres - corners) / radius_px - behind) / _BEFORE
    lengths = np.sqrt((leaning**2).sum(axis=1, keepdims=True))
    return np.asarray(leaning * np.minimum(1.0, _MOST_LEANING / np.maximum(lengths, 1e-9)))


def _seen_as(leaning: Array) -> Array:
    """Return what turns a round iris into the ellipse it looks like (2, 2, 2), from the part of
    its axis across the line of sight (2, 2)."""
    facing = np.sqrt(1.0 - (leaning**2).sum(axis=1))
    across = leaning[:, :, None] * leaning[:, None, :]
    return np.asarray(np.eye(2) - across / (1.0 + facing)[:, None, None])


def _inside(grey: Grey, centres: Array, reach_px: float) -> bool:
    """Whether all of both eyes' circles is in the picture."""
    height, width = grey.shape
    return all(
        reach_px < x < width - reach_px and reach_px < y < height - reach_px
        for x, y in centres.tolist()
    )


def _rises(grey: Grey, centres: Array, seen_as: Array) -> Array:
    """How much the brightness rises along each ray of both eyes: (rays, bins), the first between
    the bins `_WIDE` - 1 and `_WIDE`."""
    places = _PLACES @ seen_as.astype(np.float32) + centres[:, None].astype(np.float32)
    read = cv2.remap(
        grey,
        places.reshape(2 * _ANGLES, _BINS, 2),
        _NO_MAP,
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    sums = np.zeros((2 * _ANGLES, _BINS + 1), np.float32)
    np.cumsum(read, axis=1, out=sums[:, 1:])
    rises = sums[:, 2 * _WIDE :] - 2.0 * sums[:, _WIDE:-_WIDE] + sums[:, : -2 * _WIDE]
    return np.asarray(rises / _WIDE)


def _steepest(rises: Array, ring: float) -> tuple[Array, Array]:
    """The radii where each ray rises most, at the limbus and near a ring, and how much it does."""
    best = np.concatenate(
        [
            rises[:, begin:end].argmax(axis=1) + begin
            for begin, end in (_LIMBUS_BINS, (max(_bin(ring - _NEAR), 1), _bin(ring + _NEAR)))
        ]
    )
    before, top, after = rises[_ROWS, best - 1], rises[_ROWS, best], rises[_ROWS, best + 1]
    bend = np.minimum(before - 2.0 * top + after, -1e-6)
    part = np.minimum(np.maximum(0.5 * (before - after) / bend, -1.0), 1.0)
    return _FROM + (best + part + _WIDE) * _BIN, top


def _ring(rises: Array) -> tuple[float, float]:
    """The radius at which most rays rise at the pupil's edge, and by how much.

    It is a peak of its own: where irises are small, the limbus's slope reaches far inward.
    """
    first, last = _bin(_PUPIL[0]), _bin(_PUPIL[1])
    usual = median(rises[_LEVEL, first - 1 : last + 1])
    inner, middle, outer = usual[:-2], usual[1:-1], usual[2:]
    best = int(np.where((middle >= inner) & (middle > outer), middle, 0.0).argmax())
    return _FROM + (best + first + _WIDE) * _BIN, max(float(middle[best]), 0.0)


def _uncovered(
    centres: Array, edges: Array, seen_as: Array, lids: Array, radius_px: float
) -> Array:
    """From 0 to 1, how far each ray's edge lies between the lids."""
    places = (edges.reshape(2, 2, -1, 1) * _RAYS) @ seen_as + centres[:, None]
    x, y = places[..., 0], places[..., 1]
    # All four lids are one line, each to the right of the one before.
    line = (lids[..., 0] + _APART[:, :, None]).ravel(), lids[..., 1].ravel()
    upper, lower = np.interp(x + _APART.T[:, None, :, None], *line)
    scale = 1.0 / (_FROM_LID * radius_px)
    below = np.minimum(np.maximum((y - upper) * scale, 0.0), 1.0)
    above = np.minimum(np.maximum((lower - y) * scale, 0.0), 1.0)
    return np.asarray((below * above).ravel())


def _fit(edges: Array, weights: Array, held: Array) -> tuple[Array, Array]:
    """Return the moves and the radii (6,) that agree best, and which rays were kept (0 to 1)."""
    found = held
    hold = _HOLD * float(weights[: 2 * _ANGLES].sum())
    pull = hold * held
    for bearable in (2.0 * _GIVEN_UP, 2.0 * _GIVEN_UP, _GIVEN_UP):
        off = (edges - _DESIGN @ found) / bearable
        off = 1.0 + off * off
        kept = 1.0 / (off * off)
        weighted = weights * kept
        around = weighted @ _PRODUCTS
        around[::7] += hold
        toward = (weighted * edges) @ _DESIGN + pull
        solved = cv2.solve(around.reshape(6, 6), toward, flags=cv2.DECOMP_CHOLESKY)[1]
        found = np.asarray(solved, np.float64).ravel()
    return found, kept
