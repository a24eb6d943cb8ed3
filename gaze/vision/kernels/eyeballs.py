"""Intersect gaze rays of a spherical eyeball model with the screen, for a few frames at once.

This replaces vectorised numpy and cv2.Rodrigues, whose many small calls cost more than the
arithmetic for one frame: gaze rays and regression took 0.15 ms a frame instead of 0.4
(docs/accuracy.md, "Cost of a frame"). `gaze.vision.regression.eyeball_model` explains the model,
its features (8,) and its corrections (7,).
"""

import math

import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.jit import compiled
from gaze.vision.kernels.linear_algebra import camera_to_head, head_to_camera

# Chosen by hand, so that gaze rays beside the screen stay finite; no benchmark covers them.
_MAX_SCREENS_BESIDE = 2.0
_MAX_ANGLE = 1.4


@compiled("f8(f8, f8, f8)")
def _clamp(value: float, low: float, high: float) -> float:
    return min(max(value, low), high)


@compiled("UniTuple(f8, 3)(f8, f8)")
def _direction(across: float, down: float) -> tuple[float, float, float]:
    """Return the unit vector at angles to the right and down of the camera's direction."""
    level = math.cos(down)
    return math.sin(across) * level, math.sin(down), -math.cos(across) * level


@compiled("UniTuple(f8, 2)(f8, f8, f8)")
def _angles(x: float, y: float, z: float) -> tuple[float, float]:
    """Return the angles to the right and down of a vector of any length."""
    length = math.sqrt(x * x + y * y + z * z)
    return math.atan2(x, -z), math.asin(_clamp(y / length, -1.0, 1.0))


@compiled("void(f8[:,::1], f8[:,::1], f8[::1], f8, f8[:,::1], f8, f8[::1])")
def measure_eyeballs(
    irises_px: FloatArray,
    rotation: FloatArray,
    eyes_mm: FloatArray,
    focal_px: float,
    eyeballs_mm: FloatArray,
    radius_mm: float,
    features: FloatArray,
) -> None:
    """Fill in the first five features of a frame: the eyes' mean angle in the head, and position.

    Parameters
    ----------
    irises_px : FloatArray, shape (2, 2)
        Centres of the irises, from the frame's centre.
    rotation : FloatArray, shape (3, 3)
        From head axes to camera axes.
    eyes_mm : FloatArray, shape (3,)
        The point between the eyes in camera space.
    focal_px : float
        Focal length.
    eyeballs_mm : FloatArray, shape (2, 3)
        Centres of the eyeballs in head axes, from the point between the eyes.
    radius_mm : float
        From an eyeball's centre to its iris's.
    features : FloatArray, shape (8,)
        Changed in place.
    """
    axes_x, axes_y, axes_z = 0.0, 0.0, 0.0
    features[2:5] = 0.0
    for eye in range(2):
        ball = eyeballs_mm[eye]
        x, y, z = head_to_camera(rotation, ball[0], ball[1], ball[2])
        x, y, z = x + eyes_mm[0], y + eyes_mm[1], z + eyes_mm[2]
        ray_x, ray_y, ray_z = irises_px[eye, 0] / focal_px, irises_px[eye, 1] / focal_px, 1.0
        length = math.sqrt(ray_x * ray_x + ray_y * ray_y + 1.0)
        ray_x, ray_y, ray_z = ray_x / length, ray_y / length, ray_z / length
        along = ray_x * x + ray_y * y + ray_z * z
        distance2 = (x - along * ray_x) ** 2 + (y - along * ray_y) ** 2 + (z - along * ray_z) ** 2
        hit = along - math.sqrt(max(radius_mm**2 - distance2, 0.05 * radius_mm**2))
        axis_x, axis_y, axis_z = hit * ray_x - x, hit * ray_y - y, hit * ray_z - z
        length = math.sqrt(axis_x * axis_x + axis_y * axis_y + axis_z * axis_z)
        axes_x, axes_y, axes_z = (
            axes_x + axis_x / length,
            axes_y + axis_y / length,
            axes_z + axis_z / length,
        )
        # In metres, the mean of two.
        features[2] = features[2] + x / 2000.0
        features[3] = features[3] + y / 2000.0
        features[4] = features[4] + z / 2000.0
    head_x, head_y, head_z = camera_to_head(rotation, axes_x, axes_y, axes_z)
    features[0], features[1] = _angles(head_x, head_y, head_z)


@compiled("void(f8[::1], f8[:,::1])")
def _rotation_of(features: FloatArray, rotation: FloatArray) -> None:
    """Fill in the rotation (3, 3) of a frame's features (8,), by Rodrigues' formula."""
    x, y, z = features[5], features[6], features[7]
    angle = math.sqrt(x * x + y * y + z * z)
    length = max(angle, 1e-12)
    x, y, z = x / length, y / length, z / length
    sine, cosine = math.sin(angle), math.cos(angle)
    rest = 1.0 - cosine
    rotation[0, 0], rotation[1, 1], rotation[2, 2] = (
        cosine + rest * x * x,
        cosine + rest * y * y,
        cosine + rest * z * z,
    )
    rotation[0, 1], rotation[1, 0] = rest * x * y - sine * z, rest * x * y + sine * z
    rotation[0, 2], rotation[2, 0] = rest * x * z + sine * y, rest * x * z - sine * y
    rotation[1, 2], rotation[2, 1] = rest * y * z - sine * x, rest * y * z + sine * x


@compiled("UniTuple(f8, 5)(f8[::1], f8[:,::1], f8[::1])")
def _corrected(
    features: FloatArray, rotation: FloatArray, corrections: FloatArray
) -> tuple[float, float, float, float, float]:
    """Return the visual axis's angles to the right and down in the head, and the eyes' x, y, z.

    The position is in millimetres.
    """
    scale = math.exp(_clamp(corrections[2], -1.0, 1.0))
    x_mm, y_mm, z_mm = features[2] * 1000.0, features[3] * 1000.0, features[4] * 1000.0
    distance_mm = max(math.sqrt(x_mm * x_mm + y_mm * y_mm + z_mm * z_mm), 1.0)
    camera_x, camera_y, _ = camera_to_head(
        rotation, -x_mm / distance_mm, -y_mm / distance_mm, -z_mm / distance_mm
    )
    optical_x, optical_y, _ = _direction(features[0], features[1])
    away_x, away_y = (optical_x - camera_x) * scale, (optical_y - camera_y) * scale
    x = camera_x + away_x + corrections[3] * away_x + corrections[4] * away_y
    y = camera_y + away_y + corrections[5] * away_x + corrections[6] * away_y
    z = -math.sqrt(max(1.0 - x * x - y * y, 0.05))
    across, down = _angles(x, y, z)
    return (
        across + corrections[0],
        down + corrections[1],
        x_mm * scale,
        y_mm * scale,
        z_mm * scale,
    )


@compiled("void(f8[:,::1], f8[:,::1], f8, f8[:,::1])")
def intersect_screen(
    features: FloatArray, corrections: FloatArray, widths_per_mm: float, gaze: FloatArray
) -> None:
    """Find the points of gaze.

    Parameters
    ----------
    features : FloatArray, shape (k, 8)
    corrections : FloatArray, shape (k, 7)
    widths_per_mm : float
        Screen widths per millimetre.
    gaze : FloatArray, shape (k, 2)
        Filled in, in screen widths, at most two screens beside the screen.
    """
    rotation = np.empty((3, 3))
    for number in range(len(features)):
        _rotation_of(features[number], rotation)
        across, down, x_mm, y_mm, z_mm = _corrected(features[number], rotation, corrections[number])
        head_x, head_y, head_z = _direction(
            _clamp(across, -_MAX_ANGLE, _MAX_ANGLE), _clamp(down, -_MAX_ANGLE, _MAX_ANGLE)
        )
        ray_x, ray_y, ray_z = head_to_camera(rotation, head_x, head_y, head_z)
        length = z_mm / min(ray_z, -0.1)
        x, y = x_mm - ray_x * length, y_mm - ray_y * length
        gaze[number, 0] = _clamp(
            0.5 - x * widths_per_mm, -_MAX_SCREENS_BESIDE, 1.0 + _MAX_SCREENS_BESIDE
        )
        gaze[number, 1] = _clamp(y * widths_per_mm, -_MAX_SCREENS_BESIDE, 1.0 + _MAX_SCREENS_BESIDE)


@compiled("void(f8[:,::1], f8[:,::1], f8[:,::1], f8, f8[:,::1])")
def target_errors(
    features: FloatArray,
    corrections: FloatArray,
    targets: FloatArray,
    widths_per_mm: float,
    errors: FloatArray,
) -> None:
    """Find how far the eyes' angles in the head are from those at which they look at targets.

    Parameters
    ----------
    features : FloatArray, shape (k, 8)
    corrections : FloatArray, shape (k, 7)
    targets : FloatArray, shape (k, 2)
        In screen widths.
    widths_per_mm : float
        Screen widths per millimetre.
    errors : FloatArray, shape (k, 2)
        Filled in: target less gaze, in radians to the right and down.
    """
    rotation = np.empty((3, 3))
    for number in range(len(features)):
        _rotation_of(features[number], rotation)
        across, down, x_mm, y_mm, z_mm = _corrected(features[number], rotation, corrections[number])
        target_x_mm = (0.5 - targets[number, 0]) / widths_per_mm
        target_y_mm = targets[number, 1] / widths_per_mm
        x, y, z = camera_to_head(rotation, target_x_mm - x_mm, target_y_mm - y_mm, -z_mm)
        target_across, target_down = _angles(x, y, z)
        errors[number, 0], errors[number, 1] = target_across - across, target_down - down
