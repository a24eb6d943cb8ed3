"""Lines of sight: eyeballs in the head, irises on them, and the screen that they look at.

Each eyeball is a sphere that stands still in the head; where the ray through an iris's centre meets
its orbit tells which way the eye is turned. A person's own kappa angles, the places of their
eyeballs and what the key of `HeadStabilizer` got wrong come down to an offset of that angle in the
head. What is wrong with the distance, and so with all lengths, stretches how far the eye seems to
be turned from the camera, and how far it is from the screen. A calibration finds both (after
Guestrin and Eizenman 2006, "General theory of remote gaze estimation").

A row of sight is (8,): the mean angle of both eyes in the head, to the image's right and down, in
radians; the point between the eyeballs, in metres of camera space; the head's rotation vector.
"""

import math

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.head.stabilizer import Placed
from gaze.vision.kernels.jit import compiled
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import px_per_mm

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
    row = np.empty(SIZE)
    rotation = np.ascontiguousarray(placed.rotation)
    _see(irises_px - middle_px, rotation, placed.eyes_mm, placed.focal_px, row)
    row[5:8] = cv2.Rodrigues(rotation)[0].ravel()
    return row


def places(rows: Array, corrections: Array, screen: Screen) -> Array:
    """Return where on the screen the rows (k, 8) look, (k, 2) in screen widths.

    `corrections` are (7,) or (k, 7). Held to two screens to each side.
    """
    found = np.empty((len(rows), 2))
    _meet(np.ascontiguousarray(rows), _for_each(rows, corrections), _widths_per_mm(screen), found)
    return found


def offsets(rows: Array, targets: Array, corrections: Array, screen: Screen) -> Array:
    """Return by how much (k, 2) the angles in the head are less than those at which the rows would
    look at targets (k, 2) in screen widths, in radians to the right and down."""
    off = np.empty((len(rows), 2))
    _miss(
        np.ascontiguousarray(rows),
        _for_each(rows, corrections),
        np.ascontiguousarray(targets),
        _widths_per_mm(screen),
        off,
    )
    return off


def usual_corrections(level: Array | None = None) -> Array:
    """Return the corrections (7,) of an average person; `level` (2,) as of `SightLevel`."""
    return _USUAL.copy() if level is None else np.append(level, _USUAL[2:])


def fit(rows: Array, targets: Array, screen: Screen) -> Array:
    """Return the corrections (7,) that bring rows (k, 8) to targets (k, 2) in screen widths.

    WindowedMinimum squares with ridges toward the usual person, by Gauss and Newton.
    """
    found = _USUAL
    for _ in range(_STEPS):
        missed, slopes = _missed(rows, targets, found, screen)
        found = found - np.linalg.lstsq(slopes, missed, rcond=None)[0]
    return np.asarray(found)


def left_out(rows: Array, targets: Array, found: Array, screen: Screen) -> Array:
    """Return what the corrections `found` for rows (k, 8) become when each row in turn is left out,
    (k, 7), to first order."""
    missed, slopes = _missed(rows, targets, found, screen)
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


def _widths_per_mm(screen: Screen) -> float:
    return px_per_mm(screen) / screen.width_px


def _for_each(rows: Array, corrections: Array) -> Array:
    return np.asarray(corrections + np.zeros((len(rows), 1)))


def _missed(rows: Array, targets: Array, corrections: Array, screen: Screen) -> tuple[Array, Array]:
    """What is to be least in squares (2 k + 7,), and its slopes by the corrections (2 k + 7, 7)."""

    def missed(corrections: Array) -> Array:
        off = offsets(rows, targets, corrections, screen)
        return np.append(off.ravel() / _NOISE, (_USUAL - corrections) / _DIFFER)

    here = missed(corrections)
    moved = corrections + _SMALL * np.eye(CORRECTIONS)
    return here, np.stack([(missed(each) - here) / _SMALL for each in moved], axis=1)


@compiled("f8(f8, f8, f8)")
def _held(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@compiled("UniTuple(f8, 3)(f8, f8)")
def _direction(across: float, down: float) -> tuple[float, float, float]:
    level = math.cos(down)
    return math.sin(across) * level, math.sin(down), -math.cos(across) * level


@compiled("UniTuple(f8, 2)(f8, f8, f8)")
def _angles(x: float, y: float, z: float) -> tuple[float, float]:
    """The angles to the right and down of a direction that need not have length 1."""
    length = math.sqrt(x * x + y * y + z * z)
    return math.atan2(x, -z), math.asin(_held(y / length, -1.0, 1.0))


@compiled("UniTuple(f8, 3)(f8[:,::1], f8, f8, f8)")
def _turned(turn: Array, x: float, y: float, z: float) -> tuple[float, float, float]:
    """From the head's axes to the camera's."""
    return (
        turn[0, 0] * x + turn[0, 1] * y + turn[0, 2] * z,
        turn[1, 0] * x + turn[1, 1] * y + turn[1, 2] * z,
        turn[2, 0] * x + turn[2, 1] * y + turn[2, 2] * z,
    )


@compiled("UniTuple(f8, 3)(f8[:,::1], f8, f8, f8)")
def _turned_back(turn: Array, x: float, y: float, z: float) -> tuple[float, float, float]:
    """From the camera's axes to the head's."""
    return (
        turn[0, 0] * x + turn[1, 0] * y + turn[2, 0] * z,
        turn[0, 1] * x + turn[1, 1] * y + turn[2, 1] * z,
        turn[0, 2] * x + turn[1, 2] * y + turn[2, 2] * z,
    )


@compiled("void(f8[:,::1], f8[:,::1], f8[::1], f8, f8[::1])")
def _see(away_px: Array, turn: Array, eyes_mm: Array, focal_px: float, row: Array) -> None:
    """Fill in the angles and the place of a row (8,), from where the irises (2, 2) are away from
    the frame's middle."""
    axes_x, axes_y, axes_z = 0.0, 0.0, 0.0
    row[2:5] = 0.0
    for eye in range(2):
        ball = EYEBALLS_MM[eye]
        x, y, z = _turned(turn, ball[0], ball[1], ball[2])
        x, y, z = x + eyes_mm[0], y + eyes_mm[1], z + eyes_mm[2]
        ray_x, ray_y, ray_z = away_px[eye, 0] / focal_px, away_px[eye, 1] / focal_px, 1.0
        length = math.sqrt(ray_x * ray_x + ray_y * ray_y + 1.0)
        ray_x, ray_y, ray_z = ray_x / length, ray_y / length, ray_z / length
        along = ray_x * x + ray_y * y + ray_z * z
        beside = (x - along * ray_x) ** 2 + (y - along * ray_y) ** 2 + (z - along * ray_z) ** 2
        hit = along - math.sqrt(max(ORBIT_MM**2 - beside, 0.05 * ORBIT_MM**2))
        axis_x, axis_y, axis_z = hit * ray_x - x, hit * ray_y - y, hit * ray_z - z
        length = math.sqrt(axis_x * axis_x + axis_y * axis_y + axis_z * axis_z)
        axes_x, axes_y, axes_z = (
            axes_x + axis_x / length,
            axes_y + axis_y / length,
            axes_z + axis_z / length,
        )
        row[2], row[3], row[4] = row[2] + x / 2000.0, row[3] + y / 2000.0, row[4] + z / 2000.0
    head_x, head_y, head_z = _turned_back(turn, axes_x, axes_y, axes_z)
    row[0], row[1] = _angles(head_x, head_y, head_z)


@compiled("void(f8[::1], f8[:,::1])")
def _turn_of(row: Array, turn: Array) -> None:
    """Fill in the rotation (3, 3) of a row (8,), by Rodrigues' formula."""
    x, y, z = row[5], row[6], row[7]
    angle = math.sqrt(x * x + y * y + z * z)
    length = max(angle, 1e-12)
    x, y, z = x / length, y / length, z / length
    sine, cosine = math.sin(angle), math.cos(angle)
    rest = 1.0 - cosine
    turn[0, 0], turn[1, 1], turn[2, 2] = (
        cosine + rest * x * x,
        cosine + rest * y * y,
        cosine + rest * z * z,
    )
    turn[0, 1], turn[1, 0] = rest * x * y - sine * z, rest * x * y + sine * z
    turn[0, 2], turn[2, 0] = rest * x * z + sine * y, rest * x * z - sine * y
    turn[1, 2], turn[2, 1] = rest * y * z - sine * x, rest * y * z + sine * x


@compiled("UniTuple(f8, 5)(f8[::1], f8[:,::1], f8[::1])")
def _corrected(
    row: Array, turn: Array, corrections: Array
) -> tuple[float, float, float, float, float]:
    """The true angles across and down, and where the eyes are in millimetres."""
    scale = math.exp(_held(corrections[2], -1.0, 1.0))
    x_mm, y_mm, z_mm = row[2] * 1000.0, row[3] * 1000.0, row[4] * 1000.0
    far_mm = max(math.sqrt(x_mm * x_mm + y_mm * y_mm + z_mm * z_mm), 1.0)
    camera_x, camera_y, _ = _turned_back(turn, -x_mm / far_mm, -y_mm / far_mm, -z_mm / far_mm)
    seen_x, seen_y, _ = _direction(row[0], row[1])
    away_x, away_y = (seen_x - camera_x) * scale, (seen_y - camera_y) * scale
    side_x = camera_x + away_x + corrections[3] * away_x + corrections[4] * away_y
    side_y = camera_y + away_y + corrections[5] * away_x + corrections[6] * away_y
    ahead = -math.sqrt(max(1.0 - side_x * side_x - side_y * side_y, 0.05))
    across, down = _angles(side_x, side_y, ahead)
    return (
        across + corrections[0],
        down + corrections[1],
        x_mm * scale,
        y_mm * scale,
        z_mm * scale,
    )


@compiled("void(f8[:,::1], f8[:,::1], f8, f8[:,::1])")
def _meet(rows: Array, corrections: Array, widths_per_mm: float, found: Array) -> None:
    """Find the places (k, 2) of rows (k, 8) with corrections (k, 7)."""
    turn = np.empty((3, 3))
    for number in range(len(rows)):
        _turn_of(rows[number], turn)
        across, down, x_mm, y_mm, z_mm = _corrected(rows[number], turn, corrections[number])
        seen_x, seen_y, seen_z = _direction(_held(across, -1.4, 1.4), _held(down, -1.4, 1.4))
        toward_x, toward_y, toward_z = _turned(turn, seen_x, seen_y, seen_z)
        length = z_mm / min(toward_z, -0.1)
        x, y = x_mm - toward_x * length, y_mm - toward_y * length
        found[number, 0] = _held(0.5 - x * widths_per_mm, -_FARTHEST, 1.0 + _FARTHEST)
        found[number, 1] = _held(y * widths_per_mm, -_FARTHEST, 1.0 + _FARTHEST)


@compiled("void(f8[:,::1], f8[:,::1], f8[:,::1], f8, f8[:,::1])")
def _miss(
    rows: Array, corrections: Array, targets: Array, widths_per_mm: float, off: Array
) -> None:
    """Find the offsets (k, 2) of rows (k, 8) with corrections (k, 7) from targets (k, 2)."""
    turn = np.empty((3, 3))
    for number in range(len(rows)):
        _turn_of(rows[number], turn)
        across, down, x_mm, y_mm, z_mm = _corrected(rows[number], turn, corrections[number])
        target_x_mm = (0.5 - targets[number, 0]) / widths_per_mm
        target_y_mm = targets[number, 1] / widths_per_mm
        x, y, z = _turned_back(turn, target_x_mm - x_mm, target_y_mm - y_mm, -z_mm)
        to_across, to_down = _angles(x, y, z)
        off[number, 0], off[number, 1] = to_across - across, to_down - down
