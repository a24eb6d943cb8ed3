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

from gaze.vision.face.finder import Landmarks
from gaze.vision.head.pose import iris_diameters_px
from gaze.vision.iris.pupil_fit import PupilFit, see_disc
from gaze.vision.kernels.face_crop import Image
from gaze.vision.kernels.jit import compiled, line_at, read, solve

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
_GIVEN_UP = (0.06, 0.04)  # of the limbus, of the pupil
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
# The limbus is cut by lids above and below; of the pupil every side may be seen.
_SIDEWAYS = np.clip((np.abs(_RAYS[:, 0]) - 0.4) / 0.3, 0.0, 1.0)
_LEVEL = np.flatnonzero(np.abs(_RAYS[:, 0]) > 0.84)
_RISES = _BINS - 2 * _WIDE + 1
_IRIS, _PUPILS = 4, 5  # their radii, among what is fitted: see `_fit`


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
    disc: PupilFit | None


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
    points = landmarks.points_px.take(_POINTS, axis=0)
    points[:, :2] -= crop.origin + 0.5
    lids = points[:36, :2].copy().reshape(2, 2, 9, 2)
    centres, radius_px, confidence, seen_as, pupils = _settle(crop.grey, points, lids, first_px)
    disc = None
    if _inside(crop.grey, centres, _REACH * radius_px):
        disc = see_disc(crop.grey, pupils, seen_as, lids, radius_px)
    return Irises(centres + crop.origin, radius_px, confidence, disc)


def _inside(grey: Grey, centres: Array, reach_px: float) -> bool:
    """Whether all of both eyes' circles is in the picture."""
    height, width = grey.shape
    return all(
        reach_px < x < width - reach_px and reach_px < y < height - reach_px
        for x, y in centres.tolist()
    )


@compiled("UniTuple(f8, 2)(u1[:,:], f8, f8, f8, i8)")
def dark_centre(
    grey: Grey, start_x: float, start_y: float, iris_radius_px: float, rounds: int
) -> tuple[float, float]:
    """Move from about an iris's centre to that of the darkest part of its middle.

    Places are in the pixels of the grey picture (h, w).
    """
    reach = 1.1 * iris_radius_px
    left, right = max(math.floor(start_x - reach), 0), math.ceil(start_x + reach) + 1
    top, bottom = max(math.floor(start_y - reach), 0), math.ceil(start_y + reach) + 1
    right, bottom = min(right, grey.shape[1]), min(bottom, grey.shape[0])
    near = (0.55 * iris_radius_px) ** 2
    centre_x, centre_y = start_x, start_y
    for _ in range(rounds):
        counts = np.zeros(256, np.int64)
        for y in range(top, bottom):
            for x in range(left, right):
                if (x - centre_x) ** 2 + (y - centre_y) ** 2 < near:
                    counts[grey[y, x]] += 1
        seen = counts.sum()
        if seen < 8:
            return start_x, start_y
        middle, below = 0, counts[0]
        while below <= int(0.6 * seen):
            middle += 1
            below += counts[middle]
        total, across, down = 0.0, 0.0, 0.0
        for y in range(top, bottom):
            for x in range(left, right):
                darker = middle - float(grey[y, x])
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


@compiled("f8[:,::1](f8[:,::1], f8[:,::1], f8)")
def _leaning(centres: Array, points: Array, radius_px: float) -> Array:
    """Return the part of each iris's axis across the line of sight (2, 2): from where the eyeball
    is behind the corners of the eye, against the way the face looks, to the iris."""
    # Backward in the head: across the line of the eyes and that from forehead to chin.
    right, left, chin, forehead = points[0], points[26], points[38], points[39]
    ax, ay, az = left[0] - right[0], left[1] - right[1], left[2] - right[2]
    dx, dy, dz = chin[0] - forehead[0], chin[1] - forehead[1], chin[2] - forehead[2]
    inward = ay * dz - az * dy, az * dx - ax * dz, ax * dy - ay * dx
    far = max(math.sqrt(inward[0] ** 2 + inward[1] ** 2 + inward[2] ** 2), 1e-9)
    leaning = np.empty((2, 2))
    for eye in range(2):
        outer, inner = points[18 * eye], points[18 * eye + 8]
        for axis in range(2):
            ahead = (centres[eye, axis] - (outer[axis] + inner[axis]) / 2.0) / radius_px
            leaning[eye, axis] = (ahead - _BEHIND * inward[axis] / far) / _BEFORE
        length = math.hypot(leaning[eye, 0], leaning[eye, 1])
        for axis in range(2):
            leaning[eye, axis] *= min(1.0, _MOST_LEANING / max(length, 1e-9))
    return leaning


@compiled("f8[:,:,::1](f8[:,::1])")
def _seen_as(leaning: Array) -> Array:
    """Return what turns a round iris into the ellipse it looks like (2, 2, 2), from the part of
    its axis across the line of sight (2, 2)."""
    shapes = np.empty((2, 2, 2))
    for eye in range(2):
        x, y = leaning[eye, 0], leaning[eye, 1]
        facing = 1.0 + math.sqrt(1.0 - x * x - y * y)
        shapes[eye, 0, 0], shapes[eye, 1, 1] = 1.0 - x * x / facing, 1.0 - y * y / facing
        shapes[eye, 0, 1] = shapes[eye, 1, 0] = -x * y / facing
    return shapes


@compiled("i8(f8)")
def _bin(radius: float) -> int:
    """The number of the rise at a radius."""
    return int((radius - _FROM) / _BIN + 0.5) - _WIDE


@compiled("UniTuple(f8, 2)(i8, f8[:,::1])")
def _along(ray: int, seen_as: Array) -> tuple[float, float]:
    """The way along a ray to the edge of a circle of radius 1, as it looks."""
    x, y = _RAYS[ray, 0], _RAYS[ray, 1]
    return x * seen_as[0, 0] + y * seen_as[1, 0], x * seen_as[0, 1] + y * seen_as[1, 1]


@compiled("f8[:,:,::1](u1[:,:], f8[:,::1], f8[:,:,::1])")
def _rises(grey: Grey, centres: Array, seen_as: Array) -> Array:
    """How much the brightness rises along each ray of both eyes: (2, rays, bins), the first between
    the bins `_WIDE` - 1 and `_WIDE`."""
    rises = np.empty((2, _ANGLES, _RISES))
    sums = np.zeros(_BINS + 1)
    for eye in range(2):
        for ray in range(_ANGLES):
            across, down = _along(ray, seen_as[eye])
            for place in range(_BINS):
                radius = _FROM + (place + 0.5) * _BIN
                seen = read(
                    grey, centres[eye, 0] + radius * across, centres[eye, 1] + radius * down
                )
                sums[place + 1] = sums[place] + seen
            for place in range(_RISES):
                outer, inner = sums[place + 2 * _WIDE], sums[place]
                rises[eye, ray, place] = (outer - 2.0 * sums[place + _WIDE] + inner) / _WIDE
    return rises


@compiled("UniTuple(f8, 2)(f8[:,:,::1])")
def _ring(rises: Array) -> tuple[float, float]:
    """The radius at which most rays rise at the pupil's edge, and by how much.

    It is a peak of its own: where irises are small, the limbus's slope reaches far inward.
    """
    first, last = _bin(_PUPIL[0]), _bin(_PUPIL[1])
    usual = np.empty(last - first + 2)
    level = len(_LEVEL)
    column = np.empty(2 * level)
    for place in range(len(usual)):
        for index in range(level):
            column[index] = rises[0, _LEVEL[index], first - 1 + place]
            column[level + index] = rises[1, _LEVEL[index], first - 1 + place]
        usual[place] = np.median(column)
    best, highest = 1, 0.0
    for place in range(1, len(usual) - 1):
        here = usual[place]
        if here > highest and here >= usual[place - 1] and here > usual[place + 1]:
            best, highest = place, here
    return _FROM + (best - 1 + first + _WIDE) * _BIN, max(usual[best], 0.0)


@compiled("UniTuple(f8, 2)(f8[::1], i8, i8)")
def _steepest(rises: Array, first: int, last: int) -> tuple[float, float]:
    """The radius where a ray rises most, from bin `first` until `last`, and how much it does."""
    best = first
    for place in range(first + 1, last):
        if rises[place] > rises[best]:
            best = place
    before, top, after = rises[best - 1], rises[best], rises[best + 1]
    bend = min(before - 2.0 * top + after, -1e-6)
    part = min(max(0.5 * (before - after) / bend, -1.0), 1.0)
    return _FROM + (best + part + _WIDE) * _BIN, top


@compiled("f8(f8, f8, f8[:,:,::1], f8)")
def _uncovered(x: float, y: float, lids: Array, radius_px: float) -> float:
    """From 0 to 1, how far a place lies between the lids (2, n, 2) of its eye."""
    below = (y - line_at(lids[0], x)) / (_FROM_LID * radius_px)
    above = (line_at(lids[1], x) - y) / (_FROM_LID * radius_px)
    return min(max(below, 0.0), 1.0) * min(max(above, 0.0), 1.0)


@compiled("f8[::1](f8[:,:,::1], f8[:,:,::1], f8[::1], f8[:,:,::1])")
def _fit(edges: Array, weights: Array, held: Array, kept: Array) -> Array:
    """Return the moves of both centres (x, y) and the radii of irises and pupils (6,) that agree
    best with edges along rays (2, 2, n), of limbus and pupil in the right and the left eye.

    `kept` (2, 2, n) is set to which rays were kept, from 0 to 1.
    """
    hold = _HOLD * weights[0].sum()
    found = held
    for last in (False, False, True):
        squares, wanted = np.diag(hold), hold * held
        for ring in range(2):
            bearable = _GIVEN_UP[ring] * (1.0 if last else 2.0)
            for eye in range(2):
                # An edge follows its centre along the ray, and its radius.
                at = (2 * eye, 2 * eye + 1, _IRIS + ring)
                for ray in range(_ANGLES):
                    slopes = (_RAYS[ray, 0], _RAYS[ray, 1], 1.0)
                    edge = edges[ring, eye, ray]
                    off = edge
                    for i in range(3):
                        off -= slopes[i] * found[at[i]]
                    agrees = 1.0 / (1.0 + (off / bearable) ** 2) ** 2
                    kept[ring, eye, ray] = agrees
                    weight = weights[ring, eye, ray] * agrees
                    for i in range(3):
                        wanted[at[i]] += weight * edge * slopes[i]
                        for j in range(3):
                            squares[at[i], at[j]] += weight * slopes[i] * slopes[j]
        solve(squares, wanted)
        found = wanted
    return found


@compiled("f8(u1[:,:], f8[:,::1], f8[:,:,::1], f8[:,:,:,::1], f8, f8[:,:,::1], f8[:,:,::1])")
def _see_edges(
    grey: Grey,
    centres: Array,
    seen_as: Array,
    lids: Array,
    radius_px: float,
    edges: Array,
    weights: Array,
) -> float:
    """Set the radii of the edges along all rays and how much they count, (2, 2, n) of limbus and
    pupil in both eyes; return the radius of the pupils that most rays agree on."""
    rises = _rises(grey, centres, seen_as)
    ring, rise = _ring(rises)
    clear = _PUPIL_COUNTS * min(max((rise - _FAINT) / (_CLEAR - _FAINT), 0.0), 1.0)
    limbus = _bin(_LIMBUS[0]), _bin(_LIMBUS[1])
    pupil = max(_bin(ring - _NEAR), 1), _bin(ring + _NEAR)
    for eye in range(2):
        for ray in range(_ANGLES):
            across, down = _along(ray, seen_as[eye])
            for which in range(2):
                first, last = pupil if which else limbus
                edge, top = _steepest(rises[eye, ray], first, last)
                x, y = centres[eye, 0] + edge * across, centres[eye, 1] + edge * down
                counts = clear if which else _SIDEWAYS[ray]
                counts *= min(max(top, 0.0), _HIGHEST_RISE)
                edges[which, eye, ray] = edge
                weights[which, eye, ray] = counts * _uncovered(x, y, lids[eye], radius_px)
    return ring


@compiled(
    "Tuple((f8[:,::1], f8, f8[::1], f8[:,:,::1], f8[:,::1]))(u1[:,:], f8[:,::1], f8[:,:,:,::1], f8)"
)
def _settle(
    grey: Grey, points: Array, lids: Array, first_px: float
) -> tuple[Array, float, Array, Array, Array]:
    """Return the irises' centres (2, 2) and radius, how surely each was seen (2,), what turns a
    circle of radius 1 into what they look like (2, 2, 2), and the pupils' centres (2, 2).

    `points` (40, 3) are those of `_POINTS`, `lids` (2, 2, n, 2) the first of them.
    """
    dark = np.empty((2, 2))
    for eye in range(2):
        x, y = points[36 + eye, 0], points[36 + eye, 1]
        dark[eye, 0], dark[eye, 1] = dark_centre(grey, x, y, first_px, 2)
    leaning = _leaning(dark, points, first_px)
    flat, within = _seen_as(leaning), _NASAL - _DEEP * leaning
    centres, radius_px = dark.copy(), first_px
    edges, weights = np.empty((2, 2, _ANGLES)), np.empty((2, 2, _ANGLES))
    kept, held = np.empty((2, 2, _ANGLES)), np.empty(6)
    for _ in range(_ROUNDS):
        seen_as = flat * radius_px
        held[_PUPILS] = _see_edges(grey, centres, seen_as, lids, radius_px, edges, weights)
        held[_IRIS] = first_px / radius_px
        for eye in range(2):
            for axis in range(2):
                middle = (dark[eye, axis] - centres[eye, axis]) / radius_px
                held[2 * eye + axis] = middle - _NASAL[eye, axis]
            for ray in range(_ANGLES):
                beside = within[eye, 0] * _RAYS[ray, 0] + within[eye, 1] * _RAYS[ray, 1]
                edges[1, eye, ray] -= beside
        found = _fit(edges, weights + 1e-4, held, kept)
        farthest = 0.0
        for eye in range(2):
            x, y = found[2 * eye], found[2 * eye + 1]
            away = math.hypot(x, y)
            share = min(1.0, 0.4 / max(away, 1e-9))
            shape = seen_as[eye]
            centres[eye, 0] += share * (shape[0, 0] * x + shape[0, 1] * y)
            centres[eye, 1] += share * (shape[1, 0] * x + shape[1, 1] * y)
            farthest = max(farthest, away)
        radius_px = min(max(found[_IRIS] * radius_px, 0.85 * first_px), 1.18 * first_px)
        if farthest < _SETTLED:
            break
    confidence, pupils, seen_as = np.empty(2), np.empty((2, 2)), flat * radius_px
    for eye in range(2):
        seen = (kept[0, eye] * weights[0, eye]).sum() / (_HIGHEST_RISE * _SIDEWAYS.sum())
        confidence[eye] = min(max(seen / 0.35, 0.0), 1.0)
        for axis in range(2):
            shape = seen_as[eye, axis]
            beside = shape[0] * within[eye, 0] + shape[1] * within[eye, 1]
            pupils[eye, axis] = centres[eye, axis] + beside
    return centres, radius_px, confidence, seen_as, pupils
