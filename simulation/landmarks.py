"""Synthetic landmarks: a head of average size, its pose, irises and lids known exactly."""

import math

import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.eye_landmarks import EYES
from gaze.vision.face.finder import LANDMARKS, Landmarks
from gaze.vision.head.pose import (
    IRIS_DIAMETER_MM,
    LEFT_IRIS,
    RIGHT_IRIS,
    RIGID,
    RIGID_MM,
    focal_length_px,
)

WIDTH, HEIGHT = 640, 480


def rotation(yaw_deg: float = 0.0, pitch_deg: float = 0.0, roll_deg: float = 0.0) -> NDArray:
    """Head axes to camera axes, with the signs of `Head`: roll of pitch of yaw."""
    yaw, pitch, roll = (math.radians(angle) for angle in (yaw_deg, pitch_deg, roll_deg))
    about_y = np.array(
        [[math.cos(yaw), 0, -math.sin(yaw)], [0, 1, 0], [math.sin(yaw), 0, math.cos(yaw)]]
    )
    about_x = np.array(
        [[1, 0, 0], [0, math.cos(pitch), math.sin(pitch)], [0, -math.sin(pitch), math.cos(pitch)]]
    )
    about_z = np.array(
        [[math.cos(roll), -math.sin(roll), 0], [math.sin(roll), math.cos(roll), 0], [0, 0, 1]]
    )
    return about_z @ about_x @ about_y


def make_landmarks(
    turn: NDArray | None = None,
    eyes_mm: tuple[float, float, float] = (0.0, 0.0, 600.0),
    iris_mm: tuple[float, float] = (0.0, 0.0),
    ratio: float = 0.3,
) -> Landmarks:
    """Project the average head into a 640x480 camera.

    `eyes_mm` is where the point between the eyes is; `iris_mm` how far both irises stand from the
    middle of their eyes, as seen by the camera; `ratio` the lids' opening over the eye's width.
    """
    turn = np.eye(3) if turn is None else turn
    focal_px = focal_length_px(WIDTH)
    corners = [list(RIGID).index(number) for number in (33, 133, 362, 263)]
    placed = (RIGID_MM - RIGID_MM[corners].mean(axis=0)) @ turn.T + np.array(eyes_mm)
    points = np.zeros((LANDMARKS, 3))
    scale = focal_px / eyes_mm[2]
    points[RIGID, :2] = placed[:, :2] / placed[:, 2:] * focal_px + (WIDTH / 2, HEIGHT / 2)
    points[RIGID, 2] = (placed[:, 2] - eyes_mm[2]) * scale
    radius_px = IRIS_DIAMETER_MM / 2 * scale
    for eye, ring in zip(EYES, (RIGHT_IRIS, LEFT_IRIS), strict=True):
        outer, inner = points[eye.outer], points[eye.inner]
        middle = (outer + inner) / 2
        points[eye.iris, :2] = middle[:2] + np.array(iris_mm) * scale
        for number, way in zip(ring, ((1, 0), (0, -1), (-1, 0), (0, 1)), strict=True):
            points[number, :2] = points[eye.iris, :2] + np.array(way) * radius_px
        half = np.linalg.norm(outer - inner) * ratio / 2
        for upper, lower in eye.lids:
            points[upper] = middle - np.array([0.0, half, 0.0])
            points[lower] = middle + np.array([0.0, half, 0.0])
    return Landmarks(points, WIDTH, HEIGHT)
