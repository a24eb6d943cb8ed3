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

from gaze.vision.face.finder import Landmarks
from gaze.vision.head.pose import Pose
from gaze.vision.iris.refinement import LIDS, Crop, Grey
from gaze.vision.kernels.jit import turned
from gaze.vision.kernels.patch_tracking import (
    BEARABLE,
    PATTERN,
    Patterns,
    between_deg,
    blurred,
    fitted,
    from_head,
    in_head,
    kept,
    slopes,
)

Array = NDArray[np.float64]

# Around what stands still in the head: forehead, temples, cheek bones and nose.
_TEMPLES = (54, 103, 67, 109, 10, 338, 297, 332, 284, 251, 356, 454, 234, 127, 21)
_OUTLINE = (*_TEMPLES, 280, 371, 327, 2, 98, 142, 50)
_CORNERS = (33, 133, 362, 263)
_SPOTS = 32
_FEWEST = 8
# How far apart neighbours in a pattern are, in distances between the eyes' corners.
_COARSE, _FINE = 0.0256, 0.0085
_COARSE_STEPS, _FINE_STEPS = 5, 4
_SETTLED_PX = 0.2
_SURELY = 0.5
_TREMBLE, _TREMBLE_DEG = 0.004, 0.8
_RECOGNISED = 0.3  # share of the spots that agree
_LOST_FRAMES = 150
_MOST_TURNED_DEG = 30.0
# As far as a pose by spots may be from the mesh's, in head's own frame, after usual differences.
_FAR_DEG, _FAR_MM = 12.0, 15.0
_LEARNING = 0.3
# What is unsure of the depths: each by itself and with its neighbours, the relief, and the slant.
_ALONE_MM, _TOGETHER_MM, _REACH_MM = 1.0, 1.5, 25.0
_RELIEF, _SLANT = 0.12, (0.05, 0.07)
# How far aside of its landmarks skin lies: the steeper, the more its depth is unsure.
_ASIDE_MM = 3.0
# How well the mesh sees the eyes in a view, and how unsure it is of them in the key.
_EYES_SEEN_MM, _EYES_UNSURE_MM = 0.7, np.array([1.0, 1.0, 1.3])
_NEW_VIEW_DEG = 4.0
_VIEWS = 10


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
        return between_deg(self.rotation, rotation)


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
    levels: tuple[Patterns, Patterns]
    trust: Array
    spread_mm2: Array
    depths_mm: Array
    spots_mm: Array
    eyes_axes: Array
    eyes_deeper_mm: float = 0.0
    views: list[_View] = field(default_factory=list)


class HeadStabilizer:
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
        guess = meshed.moved(from_head(pose.rotation, self._off))
        middle = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0 - crop.origin
        grey = blurred(crop.grey)
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
        off = in_head(meshed.rotation, meshed.eyes_mm, placed.rotation, placed.eyes_mm)
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
    edge = max(4, round(PATTERN * _COARSE * apart_px / 2.0))
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
            kept(grey, spots_px, _COARSE * apart_px),
            kept(grey, spots_px, _FINE * apart_px),
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
    key: _Key, level: Patterns, grey: Grey, middle: Array, placed: Placed, steps: int
) -> _Seen:
    """Move the head so that the patterns fit, all spots together."""
    rotation, eyes_mm, places, unsure, share, left_px = fitted(
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
    return np.asarray(1.0 / (1.0 + far / BEARABLE**2) ** 2)


def _learn(key: _Key) -> None:
    """Bring the spots' depths and the views' poses to where they agree best."""
    for _ in range(4):
        squares, wanted = key.trust.copy(), -key.trust @ key.depths_mm
        parts = []
        for view in key.views:
            placed = view.placed
            there, by_pose, by_depth = slopes(
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
