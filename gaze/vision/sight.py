"""Lines of sight: eyeballs in the head, irises on them, and the screen that they look at.

Each eyeball is a sphere that stands still in the head; where the ray through an iris's centre meets
its orbit tells which way the eye is turned. A person's own kappa angles, the places of their
eyeballs and what the key of `HeadAnchor` got wrong all come down, in a head that turns, to a
straight-line correction of that angle, and a calibration finds it (after Guestrin and Eizenman
2006, "General theory of remote gaze estimation").

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
EYEBALLS_MM = np.array([[-31.5, -0.5, 6.5], [31.5, -0.5, 6.5]])
"""Centres of the right and left eyeball of an average head, from the point between the eyes."""

# As the mesh sees people: the nose rather high.
_USUAL_DEG = np.array([0.0, -20.0])
_USUAL_GAIN = 0.92
# How much people differ from the usual: offset in radians, gains.
_DIFFER = np.array([0.5, 0.15, 0.08])
_NOISE = 0.03
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

    `corrections` (2, 3) or (k, 2, 3) make (1, across, down) the true angles. Held to two screens
    to each side.
    """
    known = np.column_stack([np.ones(len(rows)), rows[:, :2]])
    angles = np.clip((corrections @ known[:, :, None])[:, :, 0], -1.4, 1.4)
    across, down = angles.T
    seen = np.stack(
        [np.sin(across) * np.cos(down), np.sin(down), -np.cos(across) * np.cos(down)], axis=1
    )
    towards = (_turns(rows) @ seen[:, :, None])[:, :, 0]
    hits = np.asarray(rows[:, 2:5] * 1000.0)
    hits = hits - towards * (hits[:, 2] / np.minimum(towards[:, 2], -0.1))[:, None]
    scale = px_per_mm(screen) / screen.width_px
    held = np.clip(hits[:, :2] * (-scale, scale) + (0.5, 0.0), -_FARTHEST, 1.0 + _FARTHEST)
    return np.asarray(held)


def wanted_angles(rows: Array, targets: Array, screen: Screen) -> Array:
    """Return the angles (k, 2) in the head at which the rows would look at targets (k, 2) in
    screen widths."""
    scale = px_per_mm(screen) / screen.width_px
    flat = (targets - (0.5, 0.0)) / (-scale, scale)
    toward = np.column_stack([flat, np.zeros(len(flat))]) - rows[:, 2:5] * 1000.0
    toward /= np.linalg.norm(toward, axis=1, keepdims=True)
    in_head = (toward[:, None, :] @ _turns(rows))[:, 0]
    return np.stack(_angles(in_head), axis=1)


def usual_corrections(level: Array | None = None) -> Array:
    """Return the corrections (2, 3) of an average person; `level` (2,) as of `SightLevel`."""
    offset = np.radians(_USUAL_DEG) if level is None else level
    gains = np.eye(2) * _USUAL_GAIN
    return np.column_stack([-gains @ offset, gains])


def fit(rows: Array, targets: Array, screen: Screen) -> Array:
    """Return the corrections (2, 3) that bring rows (k, 8) to targets (k, 2) in screen widths.

    Ridge regression toward the usual person.
    """
    wanted = wanted_angles(rows, targets, screen)
    known = np.column_stack([np.ones(len(rows)), rows[:, :2]])
    usual = usual_corrections()
    hold = np.diag((_NOISE / _DIFFER) ** 2)
    return np.asarray(np.linalg.solve(known.T @ known + hold, known.T @ wanted + hold @ usual.T).T)


class SightLevel:
    """Learns by how much a viewer's angles are off, uncalibrated: the gaze is at the screen's
    middle on average.

    Across it starts from the usual person, who counts as 20 s of looking; up and down from where
    lids and landmarks let the first frame look, which counts as 4 s. After 30 s the past fades.
    """

    _PRIOR_S = np.array([20.0, 4.0])
    _MEMORY_S = 30.0

    def __init__(self) -> None:
        self.angles = np.radians(_USUAL_DEG)
        self._weight_s = self._PRIOR_S
        self._t_s: float | None = None

    @property
    def started(self) -> bool:
        """Whether anything has been learned."""
        return self._t_s is not None

    def start(self, row: Array, place: Array, screen: Screen) -> None:
        """Take it that the row (8,) looks as high as a place (2,) in screen widths."""
        off = row[:2] - wanted_angles(row[None], place[None], screen)[0] / _USUAL_GAIN
        self.angles = np.array([self.angles[0], off[1]])

    def update(self, row: Array, screen: Screen, t_s: float) -> None:
        """Take one frame's row (8,), seen with open eyes at `t_s`."""
        step_s = 0.0 if self._t_s is None else min(max(t_s - self._t_s, 0.0), 0.2)
        self._t_s = t_s
        self._weight_s = np.minimum(self._weight_s + step_s, self._MEMORY_S)
        middle = np.array([[0.5, screen.height_px / screen.width_px / 2.0]])
        off = row[:2] - wanted_angles(row[None], middle, screen)[0] / _USUAL_GAIN
        self.angles = self.angles + (off - self.angles) * step_s / self._weight_s


def _turns(rows: Array) -> Array:
    return np.array([cv2.Rodrigues(turn)[0] for turn in rows[:, 5:8]]).reshape(-1, 3, 3)


def _angles(directions: Array) -> tuple[Array, Array]:
    """The angles to the right and down of directions (..., 3) that need not have length 1."""
    x, y, z = np.moveaxis(np.asarray(directions), -1, 0)
    length = np.sqrt(x * x + y * y + z * z)
    return np.arctan2(x, -z), np.arcsin(np.clip(y / length, -1.0, 1.0))
