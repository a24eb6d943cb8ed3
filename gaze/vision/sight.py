"""Lines of sight: eyeballs in the head, irises on them, and the screen that they look at.

Each eyeball is a sphere that stands still in the head; where the ray through an iris's centre meets
its orbit tells which way the eye is turned. A person's own kappa angles, the places of their
eyeballs and what the key of `HeadAnchor` got wrong come down to an offset of that angle in the
head. What is wrong with the distance, and so with all lengths, stretches how far the eye seems to
be turned from the camera, and how far it is from the screen. A calibration finds both (after
Guestrin and Eizenman 2006, "General theory of remote gaze estimation").

A row of sight is (8,): the mean angle of both eyes in the head, to the image's right and down, in
radians; the point between the eyeballs, in metres of camera space; the head's rotation vector.
"""

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.anchor import Placed
from gaze.vision.geometry import px_per_mm
from gaze.vision.sample import Screen

Array = NDArray[np.float64]

SIZE = 8
ORBIT_MM = 10.45
"""From an eyeball's centre to its iris's."""
EYEBALLS_MM = np.array([[-31.5, -0.5, 8.9], [31.5, -0.5, 8.9]])
"""Centres of the right and left eyeball of an average head, from the point between the eyes as the
mesh tells it, which is 2 to 3 mm nearer to the camera than the corners of the eyes are."""
CORRECTIONS = 7
"""Offsets across and down in radians; the logarithm of the lengths' scale; what a matrix (2, 2)
adds to the stretch of the angles from the camera, row by row."""

# As the mesh sees people: the nose rather high, and everything farther away than it is.
_USUAL = np.array([0.0, np.radians(18.4), -0.03, 0.0, 0.0, 0.0, 0.0])
# How much people differ from the usual.
_DIFFER = np.array([0.5, 0.5, 0.04, 0.1, 0.05, 0.05, 0.1])
_NOISE = 0.012
_STEPS, _SMALL = 3, 1e-5
_FARTHEST = 2.0


def row_of(irises_px: Array, middle_px: Array, placed: Placed) -> Array:
    """Return the row of a frame.

    `irises_px` (2, 2) are the (right, left) irises' centres and `middle_px` (2,) the frame's.
    """
    centres = EYEBALLS_MM @ placed.rotation.T + placed.eyes_mm
    rays = np.column_stack([(irises_px - middle_px) / placed.focal_px, np.ones(2)])
    rays /= np.linalg.norm(rays, axis=1, keepdims=True)
    along = (rays * centres).sum(axis=1)
    beside = ((centres - along[:, None] * rays) ** 2).sum(axis=1)
    back = np.sqrt(np.maximum(ORBIT_MM**2 - beside, 0.05 * ORBIT_MM**2))
    axes = (along - back)[:, None] * rays - centres
    axes /= np.linalg.norm(axes, axis=1, keepdims=True)
    across, down = _angles(axes.sum(axis=0) @ placed.rotation)
    turn = cv2.Rodrigues(placed.rotation)[0].ravel()
    return np.concatenate([[across, down], centres.mean(axis=0) / 1000.0, turn])


def places(rows: Array, corrections: Array, screen: Screen) -> Array:
    """Return where on the screen the rows (k, 8) look, (k, 2) in screen widths.

    `corrections` are (7,) or (k, 7). Held to two screens to each side.
    """
    turns = _turns(rows)
    across, down, eyes_mm = _corrected(rows, turns, corrections)
    across, down = np.clip(across, -1.4, 1.4), np.clip(down, -1.4, 1.4)
    seen = _directions(across, down)
    towards = (turns @ seen[:, :, None])[:, :, 0]
    hits = eyes_mm - towards * (eyes_mm[:, 2] / np.minimum(towards[:, 2], -0.1))[:, None]
    scale = px_per_mm(screen) / screen.width_px
    held = np.clip(hits[:, :2] * (-scale, scale) + (0.5, 0.0), -_FARTHEST, 1.0 + _FARTHEST)
    return np.asarray(held)


def offsets(rows: Array, targets: Array, corrections: Array, screen: Screen) -> Array:
    """Return by how much (k, 2) the angles in the head are less than those at which the rows would
    look at targets (k, 2) in screen widths, in radians to the right and down."""
    return _offsets(rows, _turns(rows), _on_screen_mm(targets, screen), corrections)


def usual_corrections(level: Array | None = None) -> Array:
    """Return the corrections (7,) of an average person; `level` (2,) as of `SightLevel`."""
    return _USUAL.copy() if level is None else np.append(level, _USUAL[2:])


def fit(rows: Array, targets: Array, screen: Screen) -> Array:
    """Return the corrections (7,) that bring rows (k, 8) to targets (k, 2) in screen widths.

    Least squares with ridges toward the usual person, by Gauss and Newton.
    """
    turns, targets_mm = _turns(rows), _on_screen_mm(targets, screen)
    found = _USUAL
    for _ in range(_STEPS):
        missed, slopes = _missed(rows, turns, targets_mm, found)
        found = found - np.linalg.lstsq(slopes, missed, rcond=None)[0]
    return np.asarray(found)


def left_out(rows: Array, targets: Array, found: Array, screen: Screen) -> Array:
    """Return what the corrections `found` for rows (k, 8) become when each row in turn is left out,
    (k, 7), to first order."""
    missed, slopes = _missed(rows, _turns(rows), _on_screen_mm(targets, screen), found)
    parts = slopes[: 2 * len(rows)].reshape(-1, 2, CORRECTIONS)
    across = np.swapaxes(parts, 1, 2)
    squares = slopes.T @ slopes - across @ parts
    pulls = (slopes.T @ missed)[:, None] - across @ missed[: 2 * len(rows)].reshape(-1, 2, 1)
    return np.asarray(found - np.linalg.solve(squares, pulls)[:, :, 0])


class SightLevel:
    """Learns the offsets of a viewer's angles, uncalibrated: the gaze is at the screen's middle on
    average.

    Across it starts from the usual person, who counts as 7 s of looking; up and down from where
    lids and landmarks let the first frame look, which counts as 3 s. After 30 s the past fades.
    """

    _PRIOR_S = np.array([7.0, 3.0])
    _MEMORY_S = 30.0

    def __init__(self) -> None:
        self.angles = _USUAL[:2]
        self._weight_s = self._PRIOR_S
        self._t_s: float | None = None

    @property
    def started(self) -> bool:
        """Whether anything has been learned."""
        return self._t_s is not None

    def start(self, row: Array, place: Array, screen: Screen) -> None:
        """Take it that the row (8,) looks as high as a place (2,) in screen widths."""
        off = offsets(row[None], place[None], usual_corrections(self.angles), screen)[0]
        self.angles = self.angles + off * (0.0, 1.0)

    def update(self, row: Array, screen: Screen, t_s: float) -> None:
        """Take one frame's row (8,), seen with open eyes at `t_s`."""
        step_s = 0.0 if self._t_s is None else min(max(t_s - self._t_s, 0.0), 0.2)
        self._t_s = t_s
        self._weight_s = np.minimum(self._weight_s + step_s, self._MEMORY_S)
        middle = np.array([[0.5, screen.height_px / screen.width_px / 2.0]])
        off = offsets(row[None], middle, usual_corrections(self.angles), screen)[0]
        self.angles = self.angles + off * step_s / self._weight_s


def _turns(rows: Array) -> Array:
    return np.array([cv2.Rodrigues(turn)[0] for turn in rows[:, 5:8]]).reshape(-1, 3, 3)


def _on_screen_mm(places: Array, screen: Screen) -> Array:
    """Where places (k, 2) in screen widths are in camera space, (k, 3)."""
    scale = px_per_mm(screen) / screen.width_px
    return np.column_stack([(places - (0.5, 0.0)) / (-scale, scale), np.zeros(len(places))])


def _missed(
    rows: Array, turns: Array, targets_mm: Array, corrections: Array
) -> tuple[Array, Array]:
    """What is to be least in squares (2 k + 7,), and its slopes by the corrections (2 k + 7, 7)."""

    def missed(corrections: Array) -> Array:
        off = _offsets(rows, turns, targets_mm, corrections)
        return np.append(off.ravel() / _NOISE, (_USUAL - corrections) / _DIFFER)

    here = missed(corrections)
    moved = corrections + _SMALL * np.eye(CORRECTIONS)
    return here, np.stack([(missed(each) - here) / _SMALL for each in moved], axis=1)


def _offsets(rows: Array, turns: Array, targets_mm: Array, corrections: Array) -> Array:
    across, down, eyes_mm = _corrected(rows, turns, corrections)
    toward = ((targets_mm - eyes_mm)[:, None] @ turns)[:, 0]
    return np.stack(_angles(toward), axis=1) - np.stack([across, down], axis=1)


def _corrected(rows: Array, turns: Array, corrections: Array) -> tuple[Array, Array, Array]:
    """The true angles across and down (k,), and where the eyes are (k, 3)."""
    corrections = np.atleast_2d(corrections)
    scale = np.exp(np.clip(corrections[:, 2:3], -1.0, 1.0))
    eyes_mm = rows[:, 2:5] * 1000.0
    far_mm = np.maximum(np.linalg.norm(eyes_mm, axis=1, keepdims=True), 1.0)
    camera = -(eyes_mm[:, None] @ turns)[:, 0] / far_mm
    away = (_directions(*rows[:, :2].T) - camera)[:, :2]
    stretch = (np.eye(2) + corrections[:, 3:].reshape(-1, 2, 2)) * scale[:, :, None]
    side = camera[:, :2] + (stretch @ away[:, :, None])[:, :, 0]
    ahead = -np.sqrt(np.maximum(1.0 - (side**2).sum(axis=1, keepdims=True), 0.05))
    across, down = _angles(np.concatenate([side, ahead], axis=1))
    return across + corrections[:, 0], down + corrections[:, 1], eyes_mm * scale


def _directions(across: Array, down: Array) -> Array:
    level = np.cos(down)
    return np.stack([np.sin(across) * level, np.sin(down), -np.cos(across) * level], axis=1)


def _angles(directions: Array) -> tuple[Array, Array]:
    """The angles to the right and down of directions (..., 3) that need not have length 1."""
    x, y, z = np.moveaxis(np.asarray(directions), -1, 0)
    length = np.sqrt(x * x + y * y + z * z)
    return np.arctan2(x, -z), np.arcsin(np.clip(y / length, -1.0, 1.0))
