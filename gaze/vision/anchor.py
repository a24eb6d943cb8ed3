"""Holds the head's pose still while the face mesh trembles: skin is followed from a key picture.

The mesh's landmarks tremble by half a pixel and go along with gaze and lids, which is worth some
degrees of gaze. So small patterns of skin and brow are kept from one picture of the face, as long
as it can be recognised, and looked for in each frame, drawn as the pose lets them look. What they
miss moves the head, all spots together, until they fit (inverse compositional alignment, Baker and
Matthews 2004): begun where the head was last or where the mesh sees it, and from coarser patterns
where the fine ones do not agree. Where these spots are in the head is taken from the mesh at first,
whose depth is off by millimetres; so a spot counts the less, the more its unsure depth would move
it in the frame. From views of the head turned otherwise the depths are then learned, together with
the poses of these views (bundle adjustment, Triggs et al. 2000), and from where the mesh sees the
eyes in them, how deep the eyes lie. Whatever was wrong in the key stays wrong by the same amount in
the head's own frame, and a calibration takes it out.
"""

import math
from dataclasses import dataclass, field

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.compiled import compiled, dot, read, solve, turned
from gaze.vision.face import Landmarks
from gaze.vision.iris import LIDS, Crop, Grey
from gaze.vision.pose import Pose

Array = NDArray[np.float64]
Reals = NDArray[np.float32]

# Around what stands still in the head: forehead, temples, cheek bones and nose.
_TEMPLES = (54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 356, 454, 234, 127, 21)
_OUTLINE = (*_TEMPLES, 280, 371, 327, 2, 98, 142, 50)
_CORNERS = (33, 133, 362, 263)
_SPOTS = 32
_FEWEST = 8
# A pattern is square; neighbours in it are this far apart, in distances between the eyes' corners.
_PATTERN = 9
_COARSE, _FINE = 0.0256, 0.0085
_COARSE_STEPS, _FINE_STEPS = 5, 4
_STILL_PX, _SETTLED_PX = 0.05, 0.2
_SURELY = 0.5
_TREMBLE, _TREMBLE_DEG = 0.004, 0.8
_FOUND = 0.5  # correlation
_RECOGNISED = 0.3  # share of the spots that agree
_LOST_FRAMES = 150
_MOST_TURNED_DEG = 30.0
# As far as a pose by spots may be from the mesh's, in head's own frame, after usual differences.
_FAR_DEG, _FAR_MM = 12.0, 15.0
_LEARNING = 0.3
# How well a pattern is found at best, and how far off, in deviations, it counts but little.
_NOISE_PX = 0.15
_BEARABLE = 3.0
# What is unsure of the depths: each by itself and with its neighbours, the relief, and the slant.
_ALONE_MM, _TOGETHER_MM, _REACH_MM = 1.0, 1.5, 25.0
_RELIEF, _SLANT = 0.12, (0.05, 0.07)
# How far aside of its landmarks skin lies: the steeper, the more its depth is unsure.
_ASIDE_MM = 3.0
# How well the mesh sees the eyes in a view, and how unsure it is of them in the key.
_EYES_SEEN_MM, _EYES_UNSURE_MM = 0.7, np.array([1.0, 1.0, 1.3])
_NEW_VIEW_DEG = 4.0
_VIEWS = 10

_GRID = np.arange(_PATTERN) - (_PATTERN - 1) / 2.0
_OFFSETS = np.stack(np.meshgrid(_GRID, _GRID), axis=-1).reshape(-1, 2)
_WINDOW = np.exp(-(_OFFSETS**2).sum(axis=1) / (2.0 * (0.3 * _PATTERN) ** 2))
_WINDOW = (_WINDOW / _WINDOW.sum()).astype(np.float32)
# Differences of neighbouring pixels go together: twice as unsure as if they did not.
_SPREAD = 4.0 * float(_WINDOW @ _WINDOW)
_FIRM = 1e-9


@dataclass(frozen=True, slots=True)
class Placed:
    """A head's `rotation` (3, 3) and the point between the eyes, `eyes_mm` (3,), in camera
    space, and the focal length they hold for."""

    rotation: Array
    eyes_mm: Array
    focal_px: float

    @classmethod
    def of(cls, pose: Pose) -> "Placed":
        """The pose as the mesh tells it, unsteadied."""
        return cls(pose.rotation, pose.fitted_mm, pose.focal_px)

    def moved(self, way: Array) -> "Placed":
        """Return it turned about a vector and shifted, together `way` (6,)."""
        rotation = turned(self.rotation, way[:3])
        return Placed(rotation, self.eyes_mm + way[3:], self.focal_px)

    def turned_from(self, rotation: Array) -> float:
        """Return the angle to another rotation (3, 3) in degrees."""
        return _between_deg(self.rotation, rotation)


@dataclass(frozen=True, slots=True)
class _Patterns:
    """What surrounds the spots: `grey` (n, k) of mean 0 and variance 1 at `offsets` (k, 2) in key
    pixels; `steps` (n, 2, k) turn what differs from it into a way; `unsure` (n, 2, 2) is the
    covariance of that way for differences of variance 1."""

    offsets: Array
    grey: Reals
    steps: Reals
    unsure: Array


@dataclass(slots=True)
class _View:
    """A head turned otherwise than the others: its pose, where in the frame it shows the spots
    (n, 2), with what covariances (n, 2, 2), and along which way (3,) the mesh sees its eyes."""

    placed: Placed
    places: Array
    unsure: Array
    eyes: Array


@dataclass(slots=True)
class _Key:
    """What is known of the spots: where they are in the head, `spots_mm` (n, 3), which way depth
    moves them, `along` (n, 3), and the skin there, `skin_mm` (n, 2, 3), for a key pixel to the
    right and down. `depths_mm` (n,) is what was learned, `trust` (n, n) the inverse of what they
    were unsure by at first and `spread_mm2` (n,) what they are unsure by now. The eyes lie
    `eyes_deeper_mm` deeper than the mesh saw them in the key; `eyes_axes` (3, 3) has the ways to
    the right, down and deeper there as columns, in the head."""

    rotation: Array
    first_mm: Array
    along: Array
    skin_mm: Array
    levels: tuple[_Patterns, _Patterns]
    trust: Array
    spread_mm2: Array
    depths_mm: Array
    spots_mm: Array
    eyes_axes: Array
    eyes_deeper_mm: float = 0.0
    views: list[_View] = field(default_factory=list)


@compiled("f8[::1](f8[:,::1], f8[::1])")
def _from_head(rotation: Array, way: Array) -> Array:
    """A turn and shift (6,) in the frame of a head so turned (3, 3) as one in the camera's."""
    there = np.empty(6)
    for i in range(3):
        there[i] = dot(rotation[i], way[:3])
        there[3 + i] = dot(rotation[i], way[3:])
    return there


@compiled("f8[::1](f8[:,::1], f8[::1], f8[:,::1], f8[::1])")
def _in_head(rotation: Array, eyes_mm: Array, to: Array, to_mm: Array) -> Array:
    """The turn and shift (6,) of a head from one place to another, in its own frame there: less
    than half a turn."""
    way, between = np.zeros(6), np.zeros((3, 3))
    for k in range(3):
        for i in range(3):
            way[3 + i] += rotation[k, i] * (to_mm[k] - eyes_mm[k])
            for j in range(3):
                between[i, j] += rotation[k, i] * to[k, j]
    way[0] = between[2, 1] - between[1, 2]
    way[1] = between[0, 2] - between[2, 0]
    way[2] = between[1, 0] - between[0, 1]
    sine = math.sqrt(dot(way[:3], way[:3]))
    angle = math.atan2(sine, between[0, 0] + between[1, 1] + between[2, 2] - 1.0)
    way[:3] *= angle / sine if sine > 0.0 else 0.5
    return way


@compiled("f8(f8[:,::1], f8[:,::1])")
def _between_deg(one: Array, other: Array) -> float:
    """The angle between two rotations (3, 3)."""
    both = dot(one[0], other[0]) + dot(one[1], other[1]) + dot(one[2], other[2])
    return math.degrees(math.acos(min(max((both - 1.0) / 2.0, -1.0), 1.0)))


@compiled("u1[:,::1](u1[:,::1])")
def _blurred(grey: Grey) -> Grey:
    """A picture, at least 3 by 3, blurred by a Gaussian of 0.8 pixels."""
    height, width = grey.shape
    blurred = np.empty_like(grey)
    # One blurred downward, and mirrored on at both ends.
    row = np.empty(width + 4, np.uint16)
    for i in range(height):
        a, b, c = grey[abs(i - 2)], grey[abs(i - 1)], grey[i]
        d, e = grey[min(i + 1, 2 * height - i - 3)], grey[min(i + 2, 2 * height - i - 4)]
        for j in range(width):
            row[j + 2] = 6 * (a[j] + e[j]) + 58 * (b[j] + d[j]) + 128 * c[j]
        row[0], row[1], row[-2], row[-1] = row[4], row[3], row[-4], row[-5]
        for j in range(width):
            sums = 6 * (row[j] + row[j + 4]) + 58 * (row[j + 1] + row[j + 3]) + 128 * row[j + 2]
            blurred[i, j] = (sums + 32768) >> 16
    return blurred


@compiled("f4[:,::1](u1[:,::1], f8[:,::1], f8[:,:,::1], f8[:,::1])")
def _read(grey: Grey, places: Array, skews: Array, offsets: Array) -> Reals:
    """The picture (n, k) around places (n, 2), at `offsets` (k, 2) skewed by (n, 2, 2); outside of
    it there is what is at its edge."""
    seen = np.empty((len(places), len(offsets)), np.float32)
    for n in range(len(places)):
        skew = skews[n]
        for k in range(len(offsets)):
            right, down = offsets[k, 0], offsets[k, 1]
            x = places[n, 0] + skew[0, 0] * right + skew[0, 1] * down
            y = places[n, 1] + skew[1, 0] * right + skew[1, 1] * down
            seen[n, k] = read(grey, x, y)
    return seen


@compiled("f4[::1](f4[:,::1])")
def _even(patterns: Reals) -> Reals:
    """Give patterns (n, k) a mean of 0 and a variance of 1; return their deviations (n,) before."""
    spreads = np.empty(len(patterns), np.float32)
    for n in range(len(patterns)):
        pattern = patterns[n]
        mean = variance = np.float32(0.0)
        for k in range(len(pattern)):
            mean += _WINDOW[k] * pattern[k]
        for k in range(len(pattern)):
            pattern[k] -= mean
            variance += _WINDOW[k] * pattern[k] * pattern[k]
        spreads[n] = math.sqrt(max(variance, np.float32(1e-6)))
        for k in range(len(pattern)):
            pattern[k] /= spreads[n]
    return spreads


@compiled("Tuple((f8[::1], f8[:,::1]))(f4[:,::1], f4[:,::1], f4[:,:,::1])")
def _compare(seen: Reals, patterns: Reals, steps: Reals) -> tuple[Array, Array]:
    """How alike patterns (n, k) are, their correlation (n,), and how far off they are seen (n, 2),
    in key pixels."""
    alike, off = np.empty(len(seen)), np.empty((len(seen), 2))
    for n in range(len(seen)):
        differ = right = down = np.float32(0.0)
        for k in range(len(_WINDOW)):
            more = seen[n, k] - patterns[n, k]
            differ += _WINDOW[k] * more * more
            right += steps[n, 0, k] * more
            down += steps[n, 1, k] * more
        alike[n] = 1.0 - differ / 2.0
        off[n, 0], off[n, 1] = -right, -down
    return alike, off


@compiled("f8[:,::1](f8[:,::1], f8[:,::1], f8[::1], f8)")
def _spots(spots_mm: Array, rotation: Array, eyes_mm: Array, focal_px: float) -> Array:
    """Where the spots are in the frame, from its middle (n, 2)."""
    there = np.empty((len(spots_mm), 2))
    for n in range(len(there)):
        scale = focal_px / (dot(rotation[2], spots_mm[n]) + eyes_mm[2])
        there[n, 0] = scale * (dot(rotation[0], spots_mm[n]) + eyes_mm[0])
        there[n, 1] = scale * (dot(rotation[1], spots_mm[n]) + eyes_mm[1])
    return there


@compiled(
    "Tuple((f8[:,::1], f8[:,:,::1], f8[:,::1]))(f8[:,::1], f8[:,::1], f8[:,::1], f8[::1], f8)"
)
def _slopes(
    spots_mm: Array, along: Array, rotation: Array, eyes_mm: Array, focal_px: float
) -> tuple[Array, Array, Array]:
    """The spots' places from the picture's middle (n, 2), and how these change with the turn and
    shift of the head (n, 2, 6) and with each spot's depth (n, 2)."""
    there = _spots(spots_mm, rotation, eyes_mm, focal_px)
    by_pose, by_depth = np.zeros((len(there), 2, 6)), np.empty((len(there), 2))
    for n in range(len(there)):
        a, b, c = (
            dot(rotation[0], spots_mm[n]),
            dot(rotation[1], spots_mm[n]),
            dot(rotation[2], spots_mm[n]),
        )
        z = c + eyes_mm[2]
        scale = focal_px / z
        for i in range(2):
            slope = -there[n, i] / z
            by_pose[n, i, 0], by_pose[n, i, 1] = b * slope, -a * slope
            by_pose[n, i, 3 + i], by_pose[n, i, 5] = scale, slope
            by_depth[n, i] = scale * dot(rotation[i], along[n])
            by_depth[n, i] += slope * dot(rotation[2], along[n])
        by_pose[n, 0, 1] += c * scale
        by_pose[n, 0, 2] = -b * scale
        by_pose[n, 1, 0] -= c * scale
        by_pose[n, 1, 2] = a * scale
    return there, by_pose, by_depth


@compiled("f8[:,:,::1](f8[:,::1], f8[:,:,::1], f8[:,::1], f8[:,::1], f8[::1], f8)")
def _skews(
    spots_mm: Array,
    skin_mm: Array,
    there: Array,
    rotation: Array,
    eyes_mm: Array,
    focal_px: float,
) -> Array:
    """What turns ways in the key picture into those in the frame (n, 2, 2), around the spots."""
    skews = np.empty((len(there), 2, 2))
    for n in range(len(there)):
        deep_mm = dot(rotation[2], spots_mm[n]) + eyes_mm[2]
        for i in range(2):
            for way in range(2):
                across = focal_px * dot(rotation[i], skin_mm[n, way])
                deeper = there[n, i] * dot(rotation[2], skin_mm[n, way])
                skews[n, i, way] = (across - deeper) / deep_mm
    return skews


@compiled("f8[:,:,::1](f8[:,:,::1], f8[:,:,::1])")
def _skewed(skews: Array, unsure: Array) -> Array:
    """Covariances (n, 2, 2) in the key picture as they are in the frame."""
    skewed = np.zeros(unsure.shape)
    for n in range(len(skews)):
        for i in range(2):
            for j in range(2):
                for k in range(2):
                    for m in range(2):
                        skewed[n, i, j] += skews[n, i, k] * unsure[n, k, m] * skews[n, j, m]
    return skewed


@compiled("f8[::1](f8[:,:,::1], f8[:,::1], f8[:,::1], f8[::1])")
def _step(by_pose: Array, missed: Array, trust: Array, agreed: Array) -> Array:
    """The turn and shift of the head (6,) that takes away what spots missed, (n, 2); `trust` (n, 3)
    are inverse covariances without what they have twice, and count by how far spots `agreed`."""
    squares, wanted = _FIRM * np.eye(6), np.zeros(6)
    for n in range(len(missed)):
        right, down = by_pose[n]
        xx, xy, yy = trust[n, 0] * agreed[n], trust[n, 1] * agreed[n], trust[n, 2] * agreed[n]
        for i in range(6):
            x, y = xx * right[i] + xy * down[i], xy * right[i] + yy * down[i]
            wanted[i] += x * missed[n, 0] + y * missed[n, 1]
            for j in range(i + 1):
                squares[i, j] += x * right[j] + y * down[j]
    solve(squares, wanted)
    return wanted


@compiled(
    "Tuple((f8[:,::1], f8[::1], f8[:,::1], f8[:,:,::1], f8, f8))(f8[:,::1], f8[:,::1],"
    "f8[:,:,::1], f8[::1], f8[:,::1], f4[:,::1], f4[:,:,::1], f8[:,:,::1], u1[:,::1], f8[::1],"
    "f8[:,::1], f8[::1], f8, i8)"
)
def _fitted(
    spots_mm: Array,
    along: Array,
    skin_mm: Array,
    spread_mm2: Array,
    offsets: Array,
    patterns: Reals,
    steps: Reals,
    unsure_key: Array,
    grey: Grey,
    middle: Array,
    rotation: Array,
    eyes_mm: Array,
    focal_px: float,
    rounds: int,
) -> tuple[Array, Array, Array, Array, float, float]:
    """What `_approach` returns, from what a `_Key`, its `_Patterns` and a `Placed` hold."""
    there, by_pose, by_depth = _slopes(spots_mm, along, rotation, eyes_mm, focal_px)
    skews = _skews(spots_mm, skin_mm, there, rotation, eyes_mm, focal_px)
    spread = _skewed(skews, unsure_key)
    places, unsure, trust = np.empty_like(there), np.empty_like(spread), np.empty((len(there), 3))
    far, agreed = np.empty(len(there)), np.empty(len(there))
    left_px = math.inf
    for _ in range(rounds):
        seen = _read(grey, there + middle, skews, offsets)
        _even(seen)
        alike, missed = _compare(seen, patterns, steps)
        for n in range(len(there)):
            right, down = missed[n, 0], missed[n, 1]
            for i in range(2):
                missed[n, i] = skews[n, i, 0] * right + skews[n, i, 1] * down
                places[n, i] = there[n, i] + missed[n, i]
                for j in range(2):
                    unsure[n, i, j] = _SPREAD * max(1.0 - alike[n], 0.01) * spread[n, i, j]
                unsure[n, i, i] += _NOISE_PX**2
            xx = unsure[n, 0, 0] + by_depth[n, 0] * by_depth[n, 0] * spread_mm2[n]
            xy = unsure[n, 0, 1] + by_depth[n, 0] * by_depth[n, 1] * spread_mm2[n]
            yy = unsure[n, 1, 1] + by_depth[n, 1] * by_depth[n, 1] * spread_mm2[n]
            area = xx * yy - xy * xy
            trust[n, 0], trust[n, 1], trust[n, 2] = yy / area, -xy / area, xx / area
            x, y = missed[n, 0], missed[n, 1]
            far[n] = (yy * x * x - 2.0 * xy * x * y + xx * y * y) / area
        bearable = max(_BEARABLE**2, 2.0 * np.sort(far)[len(far) // 2])
        for n in range(len(there)):
            agreed[n] = 1.0 / (1.0 + far[n] / bearable) ** 2 if alike[n] > _FOUND else 0.0
        way = _step(by_pose, missed, trust, agreed)
        rotation, eyes_mm = turned(rotation, way[:3]), eyes_mm + way[3:]
        before, there = there, _spots(spots_mm, rotation, eyes_mm, focal_px)
        left_px = np.abs(there - before).mean()
        if left_px < _STILL_PX:
            break
    return rotation, eyes_mm, places, unsure, agreed.mean(), left_px


class HeadAnchor:
    """Follows one head; a frame's crop and landmarks go in and its steadied place comes out."""

    def __init__(self) -> None:
        self._key: _Key | None = None
        self._lost = 0
        self._last: Placed | None = None
        # From the mesh's pose to that by spots: turn and shift in the head's own frame.
        self._off = np.zeros(6)

    def place(self, crop: Crop, landmarks: Landmarks, pose: Pose) -> Placed:
        """Return where the head is, steadied as far as the spots are found again."""
        meshed = Placed.of(pose)
        guess = meshed.moved(_from_head(pose.rotation, self._off))
        middle = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0 - crop.origin
        grey = _blurred(crop.grey)
        if self._key is None or self._lost >= _LOST_FRAMES:
            turned_deg = max(abs(pose.head.yaw_deg), abs(pose.head.pitch_deg))
            if turned_deg < _MOST_TURNED_DEG:
                self._key = _key(grey, middle, crop, landmarks, guess)
                self._lost = 0
            return guess
        placed = self._last = _follow(self._key, grey, middle, meshed, guess, self._last)
        if placed is None:
            self._lost += 1
            return _deeper(self._key, guess)
        self._lost = 0
        off = _in_head(meshed.rotation, meshed.eyes_mm, placed.rotation, placed.eyes_mm)
        self._off += _LEARNING * (off - self._off)
        return _deeper(self._key, placed)


def _key(
    grey: Grey, middle: Array, crop: Crop, landmarks: Landmarks, placed: Placed
) -> _Key | None:
    """Choose spots outside of the eyes, and say where they are in the head; None without any."""
    points = landmarks.points_px[:468, :2] - 0.5 - crop.origin
    apart_px = float(np.linalg.norm(points[33] - points[263]))
    allowed: Grey = np.zeros(grey.shape, np.uint8)
    outline = cv2.convexHull(points[list(_OUTLINE)].astype(np.float32))
    cv2.fillConvexPoly(allowed, np.asarray(outline, np.int32), (255,))
    edge = max(4, round(_PATTERN * _COARSE * apart_px / 2.0))
    cv2.rectangle(allowed, (0, 0), (grey.shape[1] - 1, grey.shape[0] - 1), (0,), 2 * edge)
    for upper, lower in LIDS:
        hull = cv2.convexHull(points[[*upper, *lower]].astype(np.float32))
        lids = np.asarray(hull, np.int32)
        cv2.fillPoly(allowed, [lids], (0,))
        cv2.polylines(allowed, [lids], True, (0,), max(2, round(0.1 * apart_px)))
    chosen = cv2.goodFeaturesToTrack(
        grey, _SPOTS, 0.005, max(4.0, 0.055 * apart_px), mask=allowed, blockSize=5
    )
    if chosen is None or len(chosen) < _FEWEST:
        return None
    spots_px = np.asarray(chosen, np.float64).reshape(-1, 2)

    # As deep as the nearest landmarks, and slanted as they are.
    z = landmarks.points_px[:468, 2]
    deep_mm = placed.eyes_mm[2] * (1.0 + (z - z[list(_CORNERS)].mean()) / placed.focal_px)
    apart = points - spots_px[:, None]
    away = (apart**2).sum(axis=-1)
    near = np.argsort(away, axis=1)[:, :8]
    weights = 1.0 / (np.take_along_axis(away, near, axis=1) + 9.0)
    known = np.take_along_axis(apart, near[:, :, None], axis=1)
    known = np.concatenate([np.ones((*near.shape, 1)), known], axis=-1)
    weighted = np.swapaxes(known * weights[:, :, None], 1, 2)
    held = np.diag([0.0, 0.01, 0.01]) * weights.sum(axis=1)[:, None, None]
    planes = np.linalg.solve(weighted @ known + held, weighted @ deep_mm[near][:, :, None])[:, :, 0]

    rays = np.column_stack([(spots_px - middle) / placed.focal_px, np.ones(len(spots_px))])
    along = rays @ placed.rotation
    spots_mm = along * planes[:, :1] - placed.eyes_mm @ placed.rotation
    level = np.concatenate([np.eye(2) / placed.focal_px, np.zeros((2, 1))], axis=1)
    skin = planes[:, 1:, None] * rays[:, None] + planes[:, :1, None] * level
    steep = np.linalg.norm(planes[:, 1:], axis=1) * placed.focal_px / planes[:, 0]
    unsure = _unsure_depths(spots_mm, steep)
    return _Key(
        placed.rotation,
        spots_mm,
        along,
        skin @ placed.rotation,
        (
            _patterns(grey, spots_px, _COARSE * apart_px),
            _patterns(grey, spots_px, _FINE * apart_px),
        ),
        np.linalg.inv(unsure),
        np.diag(unsure).copy(),
        np.zeros(len(spots_mm)),
        spots_mm,
        placed.rotation.T @ np.column_stack([np.eye(3)[:, :2], placed.eyes_mm / placed.eyes_mm[2]]),
    )


def _unsure_depths(spots_mm: Array, steep: Array) -> Array:
    """The covariance (n, n) of what the mesh gets wrong of the spots' depths, against that of the
    eyes; `steep` (n,) is how much deeper the skin gets with each millimetre aside."""
    places = np.vstack([spots_mm, np.zeros(3)])[:, :2]
    apart = ((places[:, None] - places) ** 2).sum(axis=-1)
    alike = np.exp(-apart / (2.0 * _REACH_MM**2))
    alike = alike - alike[-1] - alike[:, -1:] + 1.0
    shape = spots_mm * (*_SLANT, _RELIEF)
    return np.asarray(
        np.diag(_ALONE_MM**2 + (_ASIDE_MM * steep) ** 2)
        + _TOGETHER_MM**2 * alike[:-1, :-1]
        + shape @ shape.T
    )


def _patterns(grey: Grey, spots_px: Array, apart_px: float) -> _Patterns:
    offsets = _OFFSETS * apart_px
    straight = np.tile(np.eye(2), (len(spots_px), 1, 1))

    def seen(right: float, down: float) -> Reals:
        return _read(grey, spots_px + np.array([right, down]), straight, offsets)

    level = seen(0.0, 0.0)
    spread = _even(level)
    slopes = np.stack([seen(0.5, 0.0) - seen(-0.5, 0.0), seen(0.0, 0.5) - seen(0.0, -0.5)], axis=1)
    slopes = slopes / spread[:, None, None]
    slopes = slopes - (slopes @ _WINDOW)[:, :, None]
    weighted = slopes * _WINDOW
    squares = np.asarray(weighted @ np.swapaxes(slopes, 1, 2), np.float64)
    firm = np.trace(squares, axis1=1, axis2=2)[:, None, None]
    unsure = np.linalg.inv(squares + (1e-4 * firm + 1e-9) * np.eye(2))
    return _Patterns(offsets, level, (unsure @ weighted).astype(np.float32), unsure)


def _deeper(key: _Key, placed: Placed) -> Placed:
    """The same with the eyes as deep as the views say."""
    deeper_mm = placed.rotation @ key.eyes_axes[:, 2] * key.eyes_deeper_mm
    return Placed(placed.rotation, placed.eyes_mm + deeper_mm, placed.focal_px)


def _is_near(one: Placed, other: Placed) -> bool:
    """Whether two places are no farther apart than the mesh trembles."""
    apart_mm = math.dist(one.eyes_mm.tolist(), other.eyes_mm.tolist())
    return apart_mm < _TREMBLE * one.eyes_mm[2] and one.turned_from(other.rotation) < _TREMBLE_DEG


def _is_far(placed: Placed, guess: Placed) -> bool:
    """Whether a place is no number or too far from the guess."""
    (x, y, z), (guess_x, guess_y, guess_z) = placed.eyes_mm.tolist(), guess.eyes_mm.tolist()
    return not (
        math.hypot(x - guess_x, y - guess_y) <= _FAR_MM
        and abs(z / guess_z - 1.0) <= 0.2
        and placed.turned_from(guess.rotation) <= _FAR_DEG
    )


def _follow(
    key: _Key, grey: Grey, middle: Array, meshed: Placed, guess: Placed, last: Placed | None
) -> Placed | None:
    """Find the head by its spots; None where too few agree, or it is far from the guess. `last` is
    where it was last, and `meshed` where the mesh sees it."""
    coarse, fine = key.levels
    start = last if last is not None and _is_near(last, guess) else guess
    seen = _approach(key, fine, grey, middle, start, _FINE_STEPS)
    if seen.share < _SURELY or seen.left_px > _SETTLED_PX:
        near = _approach(key, coarse, grey, middle, guess, _COARSE_STEPS)
        seen = _approach(key, fine, grey, middle, near.placed, _FINE_STEPS + 1)
    placed = seen.placed
    if seen.share < _RECOGNISED or _is_far(placed, guess):
        return None
    others = (key.rotation, *(view.placed.rotation for view in key.views))
    if all(placed.turned_from(other) > _NEW_VIEW_DEG for other in others):
        eyes = meshed.eyes_mm / meshed.eyes_mm[2]
        view = _View(placed, seen.places, seen.unsure, eyes)
        key.views = [*key.views, view][-_VIEWS:]
        _learn(key)
        placed = view.placed
    return placed


@dataclass(frozen=True, slots=True)
class _Seen:
    """A head as a level of the patterns shows it: where it is; its spots' `places` (n, 2) from the
    picture's middle, with covariances (n, 2, 2); the share of them that agree, and how far the
    last step moved them."""

    placed: Placed
    places: Array
    unsure: Array
    share: float
    left_px: float


def _approach(
    key: _Key, level: _Patterns, grey: Grey, middle: Array, placed: Placed, steps: int
) -> _Seen:
    """Move the head so that the patterns fit, all spots together."""
    rotation, eyes_mm, places, unsure, share, left_px = _fitted(
        key.spots_mm,
        key.along,
        key.skin_mm,
        key.spread_mm2,
        level.offsets,
        level.grey,
        level.steps,
        level.unsure,
        grey,
        middle,
        placed.rotation,
        placed.eyes_mm,
        placed.focal_px,
        steps,
    )
    return _Seen(Placed(rotation, eyes_mm, placed.focal_px), places, unsure, share, left_px)


def _agreeing(off: Array, trust: Array) -> Array:
    """From 0 to 1, how far what is off by (n, 2) agrees; `trust` (n, 2, 2) are inverse
    covariances."""
    far = (off[:, None] @ trust @ off[:, :, None])[:, 0, 0]
    return np.asarray(1.0 / (1.0 + far / _BEARABLE**2) ** 2)


def _learn(key: _Key) -> None:
    """Bring the spots' depths and the views' poses to where they agree best."""
    for _ in range(4):
        squares, wanted = key.trust.copy(), -key.trust @ key.depths_mm
        parts = []
        for view in key.views:
            placed = view.placed
            there, by_pose, by_depth = _slopes(
                key.spots_mm, key.along, placed.rotation, placed.eyes_mm, placed.focal_px
            )
            off = view.places - there
            trust = np.linalg.inv(view.unsure)
            trust = trust * _agreeing(off, trust)[:, None, None]
            weighted = np.swapaxes(by_pose, 1, 2) @ trust
            of_pose = np.linalg.inv((weighted @ by_pose).sum(axis=0) + 1e-9 * np.eye(6))
            pull = (weighted @ off[:, :, None]).sum(axis=0)[:, 0]
            both = (weighted @ by_depth[:, :, None])[:, :, 0]
            deep = (by_depth[:, None] @ trust)[:, 0]
            squares += np.diag((deep * by_depth).sum(axis=1)) - both @ of_pose @ both.T
            wanted += (deep * off).sum(axis=1) - both @ of_pose @ pull
            parts.append((of_pose, pull, both))
        way = np.linalg.solve(squares, wanted)
        key.depths_mm = key.depths_mm + way
        key.spots_mm = key.first_mm + key.depths_mm[:, None] * key.along
        for view, (of_pose, pull, both) in zip(key.views, parts, strict=True):
            view.placed = view.placed.moved(of_pose @ (pull - both.T @ way))
    key.spread_mm2 = np.diag(np.linalg.inv(squares)).copy()
    key.eyes_deeper_mm = _eyes_deeper_mm(key)


def _eyes_deeper_mm(key: _Key) -> float:
    """How much deeper the eyes must lie for the mesh to see them where it does in all views: a turn
    moves what is deep aside. How far aside they were in the key is unsure, too."""
    squares = np.diag((_EYES_SEEN_MM / _EYES_UNSURE_MM) ** 2)
    squares[:2, :2] += np.eye(2)
    wanted = np.zeros(3)
    for view in key.views:
        across = np.column_stack([np.eye(2), -view.eyes[:2]])
        slopes = across @ view.placed.rotation @ key.eyes_axes
        squares += slopes.T @ slopes
        wanted -= slopes.T @ (across @ view.placed.eyes_mm)
    return float(np.linalg.solve(squares, wanted)[2])
