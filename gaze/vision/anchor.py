"""Holds the head's pose still while the face mesh trembles: skin is followed from a key picture.

The mesh's landmarks tremble by half a pixel and go along with gaze and lids, which is worth some
degrees of gaze. So one picture of the eyes' surroundings is kept, as long as it can be recognised,
and spots of skin and brow are found again in each frame (Lucas and Kanade 1981), after the mesh has
told roughly where to look. Where the spots are in the head is taken from the mesh
once; the pose comes from a perspective-n-point fit to those that agree. Whatever was wrong in the
key stays wrong by the same amount in the head's own frame, and a calibration takes it out.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.face import Landmarks
from gaze.vision.iris import LIDS, Crop, Grey
from gaze.vision.median import median
from gaze.vision.pose import Pose

Array = NDArray[np.float64]

# Corners of the eyes, bridge of the nose, brows and cheeks: where the eyes' surroundings are.
_AROUND = (33, 133, 362, 263, 168, 6, 8, 9, 70, 300, 105, 334, 107, 336, 55, 285, 122, 351, 46, 276)
_SURROUNDINGS = np.array((*_AROUND, 124, 353, 52, 282))
_CORNERS = (33, 133, 362, 263)
_SPOTS = 32
_FEWEST = 8
_WINDOW_PX = (13, 13)
_RECOGNISED = 0.4  # share of the spots that agree
_LOST_FRAMES = 15
_MOST_TURNED_DEG = 30.0
# As far as a pose by spots may be from the mesh's, in head's own frame, after usual differences.
_FAR_DEG, _FAR_MM = 12.0, 15.0
_LEARNING = 0.05
_SLANT_SHARE = 0.5
_NO_DISTORTION = np.zeros(4)


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


@dataclass(frozen=True, slots=True)
class _Key:
    grey: NDArray[np.uint8]
    origin: NDArray[np.intp]
    to_affine: Array  # (3, k), from where the surroundings are to how they lie over the key's
    spots_px: NDArray[np.float32]
    spots_mm: Array


class HeadAnchor:
    """Follows one head; a frame's crop and landmarks go in and its steadied place comes out."""

    def __init__(self) -> None:
        self._key: _Key | None = None
        self._lost = 0
        # From the mesh's pose to that by spots, in the head's own frame.
        self._turn = np.zeros(3)
        self._shift_mm = np.zeros(3)

    def place(self, crop: Crop, landmarks: Landmarks, pose: Pose) -> Placed:
        """Return where the head is, steadied as far as the spots are found again."""
        guess = Placed(
            pose.rotation @ cv2.Rodrigues(self._turn)[0],
            pose.fitted_mm + pose.rotation @ self._shift_mm,
            pose.focal_px,
        )
        if self._key is None or self._lost >= _LOST_FRAMES:
            head = pose.head
            if max(abs(head.yaw_deg), abs(head.pitch_deg)) < _MOST_TURNED_DEG:
                self._key = _key(crop, landmarks, guess)
                self._lost = 0
            return guess
        found = _find_spots(self._key, crop, landmarks)
        placed = None if found is None else _fit(self._key.spots_mm, found, guess, landmarks)
        if placed is None:
            self._lost += 1
            return guess
        self._lost = 0
        turn = cv2.Rodrigues(pose.rotation.T @ placed.rotation)[0].ravel()
        shift_mm = pose.rotation.T @ (placed.eyes_mm - pose.fitted_mm)
        self._turn += _LEARNING * (turn - self._turn)
        self._shift_mm += _LEARNING * (shift_mm - self._shift_mm)
        return placed


def _key(crop: Crop, landmarks: Landmarks, placed: Placed) -> _Key | None:
    """Choose spots outside of the eyes, and say where they are in the head; None without any."""
    points = landmarks.points_px[:, :2] - 0.5
    apart_px = float(np.linalg.norm(points[33] - points[263]))
    allowed: Grey = np.zeros(crop.grey.shape, np.uint8)
    allowed[4:-4, 4:-4] = 255
    for upper, lower in LIDS:
        hull = cv2.convexHull((points[[*upper, *lower]] - crop.origin).astype(np.float32))
        outline = np.asarray(hull, np.int32)
        cv2.fillPoly(allowed, [outline], (0,))
        cv2.polylines(allowed, [outline], True, (0,), max(2, round(0.1 * apart_px)))
    chosen = cv2.goodFeaturesToTrack(
        crop.grey, _SPOTS, 0.01, max(4.0, 0.04 * apart_px), mask=allowed
    )
    if chosen is None or len(chosen) < _FEWEST:
        return None
    spots_px = np.asarray(chosen, np.float32).reshape(-1, 2)
    places = spots_px + crop.origin
    # As deep as the nearest landmarks.
    away = ((places[:, None] - points[None, :468]) ** 2).sum(axis=-1)
    near = np.argsort(away, axis=1)[:, :4]
    weights = 1.0 / (np.take_along_axis(away, near, axis=1) + 4.0)
    depths = landmarks.points_px[near, 2] - landmarks.points_px[list(_CORNERS), 2].mean()
    deep_px = (depths * weights).sum(axis=1) / weights.sum(axis=1)
    z_mm = placed.eyes_mm[2] * (1.0 + deep_px / placed.focal_px)
    middle = np.array([landmarks.width_px - 1, landmarks.height_px - 1]) / 2.0
    seen = np.column_stack([(places - middle) / placed.focal_px, np.ones(len(places))])
    spots_mm = (seen * z_mm[:, None] - placed.eyes_mm) @ placed.rotation
    known = np.column_stack([points[_SURROUNDINGS], np.ones(len(_SURROUNDINGS))])
    return _Key(crop.grey.copy(), crop.origin, np.linalg.pinv(known), spots_px, spots_mm)


def _find_spots(key: _Key, crop: Crop, landmarks: Landmarks) -> Array | None:
    """Return where the spots are in the frame (k, 2), nan where they were not found."""
    affine = (key.to_affine @ (landmarks.points_px[_SURROUNDINGS, :2] - 0.5)).T
    (a, b, _), (c, d, _) = affine.tolist()
    if not 0.05 < a * d - b * c < 20.0:
        return None
    # The frame, drawn so that it lies over the key.
    over = affine.copy()
    over[:, 2] += affine[:, :2] @ key.origin - crop.origin
    height, width = key.grey.shape
    drawn = cv2.warpAffine(
        crop.grey,
        over,
        (width, height),
        flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP,
        borderMode=cv2.BORDER_REPLICATE,
    )
    moved, good, _ = cv2.calcOpticalFlowPyrLK(
        key.grey,
        drawn,
        key.spots_px,
        key.spots_px.copy(),
        winSize=_WINDOW_PX,
        maxLevel=1,
        flags=cv2.OPTFLOW_USE_INITIAL_FLOW,
        criteria=(cv2.TERM_CRITERIA_COUNT | cv2.TERM_CRITERIA_EPS, 12, 0.02),
    )
    places = (moved.reshape(-1, 2) + key.origin) @ affine[:, :2].T + affine[:, 2]
    places[good.ravel() == 0] = np.nan
    return np.asarray(places, np.float64)


def _fit(spots_mm: Array, places: Array, guess: Placed, landmarks: Landmarks) -> Placed | None:
    """Fit the pose to the spots that agree; None where too few do, or it is far from the guess."""
    middle = ((landmarks.width_px - 1) / 2.0, (landmarks.height_px - 1) / 2.0)
    camera = np.array([[guess.focal_px, 0, middle[0]], [0, guess.focal_px, middle[1]], [0, 0, 1.0]])
    agreed = np.flatnonzero(np.isfinite(places[:, 0]))
    turn = np.asarray(cv2.Rodrigues(guess.rotation)[0], np.float64)
    shift = guess.eyes_mm.reshape(3, 1).copy()
    for _ in range(2):
        if len(agreed) < max(_FEWEST, _RECOGNISED * len(places)):
            return None
        _, turned, shifted = cv2.solvePnP(
            spots_mm[agreed],
            places[agreed],
            camera,
            _NO_DISTORTION,
            rvec=turn,
            tvec=shift,
            useExtrinsicGuess=True,
            flags=cv2.SOLVEPNP_ITERATIVE,
        )
        turn, shift = np.asarray(turned, np.float64), np.asarray(shifted, np.float64)
        seen = cv2.projectPoints(spots_mm, turn, shift, camera, _NO_DISTORTION)[0]
        away = np.asarray(seen).reshape(-1, 2) - places
        away_px = np.sqrt((away * away).sum(axis=1))
        away_px[np.isnan(away_px)] = np.inf
        before = agreed
        agreed = np.flatnonzero(away_px < max(2.5 * float(median(away_px)), 0.5))
        if np.array_equal(before, agreed):
            break
    rotation = np.asarray(cv2.Rodrigues(turn)[0], np.float64)
    # Spots around the eyes lie almost in a plane; the mesh knows more of its slant.
    toward = cv2.Rodrigues(guess.rotation.T @ rotation)[0]
    rotation = guess.rotation @ cv2.Rodrigues(toward * _SLANT_SHARE)[0]
    eyes_mm = _shift(spots_mm[agreed], places[agreed] - middle, rotation, guess.focal_px)
    cosine = (float(np.trace(guess.rotation.T @ rotation)) - 1.0) / 2.0
    if (
        not np.isfinite(eyes_mm).all()
        or cosine < np.cos(np.radians(_FAR_DEG))
        or float(np.linalg.norm(eyes_mm[:2] - guess.eyes_mm[:2])) > _FAR_MM
        or abs(eyes_mm[2] / guess.eyes_mm[2] - 1.0) > 0.2
    ):
        return None
    return Placed(rotation, eyes_mm, guess.focal_px)


def _shift(spots_mm: Array, places: Array, rotation: Array, focal_px: float) -> Array:
    """Return the shift (3,) that brings turned spots nearest to the places, from the middle."""
    x, y, z = (spots_mm @ rotation.T).T
    u, v = (places / focal_px).T
    right, down = u * z - x, v * z - y
    slant = -np.array([u.sum(), v.sum()])
    squares = np.diag([len(u), len(u), u @ u + v @ v])
    squares[:2, 2] = squares[2, :2] = slant
    wanted = np.array([right.sum(), down.sum(), -(u @ right + v @ down)])
    return np.asarray(np.linalg.solve(squares, wanted))
