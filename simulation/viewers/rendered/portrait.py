"""The rendered viewers' head model: the portrait as a texture on a triangle mesh."""

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay  # type: ignore[import-untyped]

from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.face.landmark_indices import EYES
from gaze.vision.head.pose import RIGID, RIGID_MM
from simulation.viewers.portrait import portrait_rgb
from simulation.viewers.rendered.camera import Array, Frame

_TEXTURE_SCALE = 3
_FACE_POINTS = 468
FRAME_POINTS = 8  # the last points of the model: the portrait's border


@dataclass(frozen=True, slots=True)
class FaceModel:
    """A textured triangle mesh: the face's points, two rings around the head, and the border.

    Attributes
    ----------
    texture : ndarray, shape (h, w, 3), uint8
        The portrait, RGB, with skin in place of its eyes.
    points_mm : ndarray, shape (k, 3)
        From the point midway between the eyes, head facing the camera.
    points_px : ndarray, shape (k, 2)
        The same points in the texture.
    triangles : ndarray, shape (n, 3)
        Indices of points.
    """

    texture: Frame
    points_mm: Array
    points_px: Array
    triangles: NDArray[np.intp]


@cache
def face_model() -> FaceModel:
    """Make the model from the portrait, once for each process.

    Raises
    ------
    RuntimeError
        If the face finder finds no face in the portrait.
    """
    portrait = np.asarray(
        cv2.resize(
            portrait_rgb(),
            None,
            fx=_TEXTURE_SCALE,
            fy=_TEXTURE_SCALE,
            interpolation=cv2.INTER_CUBIC,
        ),
        np.uint8,
    )
    landmarks = _landmarks(portrait)
    texture = landmarks[:, :2] - 0.5
    face, scale = _upright(landmarks)
    corners = [number for eye in EYES for number in (eye.outer, eye.inner)]
    face -= face[corners].mean(axis=0)
    nose = texture[[corners]].reshape(-1, 2).mean(axis=0) + np.array([0.0, 30.0])

    hull = cv2.convexHull(texture.astype(np.float32), returnPoints=False).ravel()
    parts_px, parts_mm = [texture], [face]
    for reach, depth_mm in ((1.15, 30.0), (1.5, 70.0)):
        parts_px.append(nose + (texture[hull] - nose) * reach)
        ring = face[hull] * reach
        ring[:, 2] = np.maximum(face[hull, 2], 0.0) * 0.5 + depth_mm
        parts_mm.append(ring)
    side = portrait.shape[0] - 1.0
    grid = [(x * side, y * side) for x in (0, 0.5, 1) for y in (0, 0.5, 1)]
    border_px = np.array(grid)[[0, 1, 2, 3, 5, 6, 7, 8]]
    parts_px.append(border_px)
    flat = (border_px - texture[corners].mean(axis=0)) * scale
    parts_mm.append(np.column_stack([flat, np.full(len(flat), 150.0)]))
    points_px = np.vstack(parts_px)
    return FaceModel(
        _without_eyes(portrait, texture),
        np.vstack(parts_mm),
        points_px,
        Delaunay(points_px).simplices,
    )


def _landmarks(portrait: Frame) -> Array:
    """Find the face; the finder needs some frames until its landmarks have settled."""
    finder = MeshFaceFinder()
    found = [finder.find(portrait) for _ in range(6)]
    finder.close()
    if found[-1] is None:
        raise RuntimeError("MeshFaceFinder finds no face in skimage.data.astronaut()")
    return np.array(found[-1].points_px[:_FACE_POINTS])


def _upright(landmarks: Array) -> tuple[Array, float]:
    """Align landmarks to the average head by Procrustes analysis; return them and mm per pixel."""
    around, unto = landmarks[RIGID], RIGID_MM
    middle = around.mean(axis=0)
    u, sizes, vt = np.linalg.svd((around - middle).T @ (unto - unto.mean(axis=0)))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    rotation = (u * sign) @ vt
    scale = float((sizes * sign).sum() / ((around - middle) ** 2).sum())
    return np.asarray((landmarks - middle) @ rotation * scale), scale


def _without_eyes(portrait: Frame, points: Array) -> Frame:
    hole = np.zeros(portrait.shape[:2], np.uint8)
    for eye in EYES:
        outline = [eye.outer, *(up for up, _ in eye.lid_pairs), eye.inner]
        outline += [low for _, low in reversed(eye.lid_pairs)]
        cv2.fillPoly(hole, [np.round(points[outline]).astype(np.int32)], (255,))
    dilated = cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17)))
    skin = cv2.inpaint(portrait, dilated, 6, cv2.INPAINT_TELEA).astype(np.float32)
    soft = cv2.GaussianBlur(dilated.astype(np.float32) / 255.0, (0, 0), 2.0)[:, :, None]
    mixed = portrait * (1.0 - soft) + cv2.GaussianBlur(skin, (0, 0), 2.0) * soft
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)
