"""The rendered eyes: eyeball, iris, entrance pupil, lids, and corneal reflections."""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.vision.face.landmark_indices import EYES
from simulation.viewers.rendered.camera import FOCAL_PX, HEIGHT, WIDTH, Array, project
from simulation.viewers.rendered.person import (
    CORNEA_CENTRE_MM,
    CORNEA_MM,
    EYE_WIDTH_MM,
    EYEBALL_MM,
    PUPIL_DEPTH_MM,
    PUPIL_NASAL_MM,
    Person,
)
from simulation.viewers.rendered.portrait import face_model
from simulation.viewers.rendered.scene import Picture, Scene

RIGHT = 0

_OVERSAMPLING = 3
_PUPIL_GREY = 14.0
_SCLERA_RGB = np.array([214.0, 202.0, 196.0])
_REFLECTION_GREY = 245.0
_LID_CURVE = np.linspace(-1.0, 1.0, 25)  # from one corner of the eye to the other


@dataclass(frozen=True, slots=True)
class Eyeball:
    """Where one eyeball is, and where it points, in camera space.

    Attributes
    ----------
    side : int
        0 the viewer's right eye, 1 the left.
    centre_mm : ndarray, shape (3,)
        Centre of rotation.
    axis : ndarray, shape (3,)
        Unit vector along the optical axis, out of the eye.
    """

    side: int
    centre_mm: Array
    axis: Array

    @classmethod
    def of(cls, person: Person, scene: Scene, side: int) -> "Eyeball":
        """Rotate an eye so that its visual axis meets the scene's target.

        Parameters
        ----------
        person : Person
            Whose eye.
        scene : Scene
            Pose and target.
        side : int
            0 the viewer's right eye, 1 the left.

        Returns
        -------
        Eyeball
            In camera space.
        """
        centre = scene.head_rotation @ person.eyes_mm[side] + scene.position_mm
        nasal, up = np.radians(person.kappa_deg[side])
        # The nose is on the image's right of the viewer's right eye.
        visual = np.array([np.sin(nasal) * (1.0 if side == RIGHT else -1.0), -np.sin(up), 0.0])
        visual[2] = -np.sqrt(1.0 - visual @ visual)
        toward = scene.head_rotation.T @ (scene.target_mm - centre)
        toward /= np.linalg.norm(toward)
        about = np.cross(visual, toward)
        sine = float(np.linalg.norm(about))
        angle = np.arctan2(sine, float(visual @ toward))
        rotation = cv2.Rodrigues(about / max(sine, 1e-12) * angle)[0]
        optical = rotation @ np.array([0.0, 0.0, -1.0])
        return cls(side, np.asarray(centre), np.asarray(scene.head_rotation @ optical))

    def limbus_mm(self, person: Person) -> Array:
        """Return the centre of the limbus in camera space, shape (3,).

        Parameters
        ----------
        person : Person
            Whose eye.
        """
        ahead = np.sqrt(EYEBALL_MM**2 - (person.iris_mm / 2.0) ** 2)
        return np.asarray(self.centre_mm + self.axis * ahead)


def _lid_edges(person: Person, scene: Scene, eyeball: Eyeball) -> tuple[Array, Array]:
    """Return the upper and the lower lid's edge in camera space, each (25, 3), left to right."""
    side = eyeball.side
    corners = face_model().points_mm[[EYES[side].outer, EYES[side].inner]] * person.head_scale
    corners = corners[np.argsort(corners[:, 0])]
    middle, along = corners.mean(axis=0), corners[1] - corners[0]
    along = along / np.linalg.norm(along[:2]) * EYE_WIDTH_MM
    down_mm = EYEBALL_MM * float((scene.head_rotation.T @ eyeball.axis)[1])
    arc = 1.0 - np.abs(_LID_CURVE) ** 2.2
    upper = -person.lid_mm[0] + person.lid_follows * down_mm
    lower = person.lid_mm[1] + 0.3 * down_mm
    upper = lower + (min(upper, lower - 1.0) - lower) * scene.openness
    edges = []
    for height in (upper, lower):
        edge = middle + _LID_CURVE[:, None] / 2.0 * along
        edge[:, 1] += height * arc
        from_ball = edge[:, :2] - person.eyes_mm[side, :2]
        front = np.sqrt(np.clip((EYEBALL_MM + 0.4) ** 2 - (from_ball**2).sum(axis=1), 0.0, None))
        edge[:, 2] = np.minimum(edge[:, 2], person.eyes_mm[side, 2] - front)
        edges.append(edge @ scene.head_rotation.T + scene.position_mm)
    return edges[0], edges[1]


def paint_eye(picture: Picture, person: Person, scene: Scene, eyeball: Eyeball) -> None:
    """Paint the eyeball between the lids, the lids' edges and the lashes, in place.

    Parameters
    ----------
    picture : ndarray, shape (480, 640, 3), float32
        RGB in grey levels.
    person : Person
        Whose eye.
    scene : Scene
        Pose, pupil and lids.
    eyeball : Eyeball
        Which eye, and where it points.
    """
    upper, lower = (project(edge) for edge in _lid_edges(person, scene, eyeball))
    both = np.vstack([upper, lower])
    left, top = np.floor(both.min(axis=0)).astype(int) - 4
    right, bottom = np.ceil(both.max(axis=0)).astype(int) + 5
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, WIDTH), min(bottom, HEIGHT)
    if right - left < 4 or bottom - top < 4:
        return
    shape = ((bottom - top) * _OVERSAMPLING, (right - left) * _OVERSAMPLING)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    x = left + (x + 0.5) / _OVERSAMPLING - 0.5
    y = top + (y + 0.5) / _OVERSAMPLING - 0.5
    ball = _ball(x, y, person, scene, eyeball)
    px_per_mm = FOCAL_PX / eyeball.centre_mm[2]
    below_lid_mm = (y - np.interp(x, upper[:, 0], upper[:, 1])) / px_per_mm
    ball *= (1.0 - 0.45 * np.exp(-np.clip(below_lid_mm, 0.0, None) / 1.2))[:, :, None]

    def fine(points: Array) -> NDArray[np.int32]:
        moved = (points - (left, top) + 0.5) * _OVERSAMPLING - 0.5
        return np.asarray(np.round(moved * 64.0).astype(np.int32))

    def line(points: Array, grey: int, width_mm: float) -> NDArray[np.uint8]:
        layer = np.zeros(shape, np.uint8)
        thickness = max(1, round(width_mm * px_per_mm * _OVERSAMPLING))
        cv2.polylines(layer, [fine(points)], False, (grey,), thickness, cv2.LINE_AA, shift=6)
        return layer

    opening = np.zeros(shape, np.uint8)
    if scene.openness > 0.02:
        outline = fine(np.vstack([upper, lower[::-1]]))
        cv2.fillPoly(opening, [outline], (255,), cv2.LINE_AA, shift=6)
    crease = line(upper - (0.0, 2.6 * px_per_mm), 70, 0.9)
    rim, lashes = line(lower, 90, 0.5), line(upper, 200, 0.9)

    def small(layer: NDArray[np.float32]) -> NDArray[np.float32]:
        size = (int(right - left), int(bottom - top))
        return np.asarray(cv2.resize(layer, size, interpolation=cv2.INTER_AREA), np.float32)

    part = picture[top:bottom, left:right]
    share = small(opening.astype(np.float32) / 255.0)[:, :, None]
    part[:] = part * (1.0 - share) + small(ball.astype(np.float32)) * share
    for layer, colour in ((crease, (110, 80, 68)), (rim, (150, 105, 98)), (lashes, (48, 34, 30))):
        share = small(layer.astype(np.float32) / 255.0)[:, :, None]
        part[:] = part * (1.0 - share) + np.array(colour, np.float32) * share


def _ball(x: Array, y: Array, person: Person, scene: Scene, eyeball: Eyeball) -> Array:
    """Return the colours of an eyeball along the rays through the pixels (x, y)."""
    optical, centre = eyeball.axis, eyeball.centre_mm
    rays = np.stack(
        [
            (x - (WIDTH - 1) / 2.0) / FOCAL_PX,
            (y - (HEIGHT - 1) / 2.0) / FOCAL_PX,
            np.ones_like(x),
        ],
        axis=-1,
    )
    radius = person.iris_mm / 2.0
    limbus_ahead_mm = np.sqrt(EYEBALL_MM**2 - radius**2)
    right = scene.head_rotation[:, 0] - optical * float(scene.head_rotation[:, 0] @ optical)
    right /= np.linalg.norm(right)
    down = np.cross(right, optical)
    down *= np.sign(down @ scene.head_rotation[:, 1])

    def on_plane(ahead_mm: float) -> tuple[Array, Array]:
        through = centre + optical * ahead_mm
        hit = rays * (float(through @ optical) / (rays @ optical))[:, :, None] - through
        return hit @ right, hit @ down

    a, b = on_plane(limbus_ahead_mm)
    away = np.hypot(a, b)
    iris = _iris(away / radius, np.arctan2(b, a), person, eyeball.side)
    c, d = on_plane(limbus_ahead_mm - PUPIL_DEPTH_MM)
    nasal = PUPIL_NASAL_MM * (1.0 if eyeball.side == RIGHT else -1.0)
    in_pupil = _step((scene.pupil_mm / 2.0 - np.hypot(c - nasal, d)) / 0.15)[:, :, None]
    iris = iris * (1.0 - in_pupil) + _PUPIL_GREY * in_pupil

    # Toward the corners the sclera is turned from the light, and redder.
    from_axis = np.cross(rays / np.linalg.norm(rays, axis=-1, keepdims=True), centre)
    aside = np.clip(np.linalg.norm(from_axis, axis=-1) / EYEBALL_MM, 0.0, 1.3)
    sclera = _SCLERA_RGB * (1.0 - 0.28 * aside[:, :, None] ** 2 * np.array([0.7, 1.05, 1.1]))
    in_iris = _step((radius - away) / person.limbus_mm)[:, :, None]
    return np.asarray(sclera * (1.0 - in_iris) + iris * in_iris)


def _iris(share: Array, angle: Array, person: Person, side: int) -> Array:
    """Return the colours of an iris without its pupil, by share of its radius and by angle."""
    random = np.random.default_rng([person.seed, 6, side])
    phases, turns = random.uniform(0, 6.28, 6), random.integers(5, 60, 6)
    streaks = sum(np.sin(n * angle + p + 2.0 * share) for n, p in zip(turns, phases, strict=True))
    tone = person.iris_grey * (1.0 + 0.05 * streaks - 0.1 * (share - 0.5))
    tone = tone * (1.0 - 0.4 * np.clip((share - 0.85) / 0.15, 0.0, 1.0))
    tint = (0.9, 1.0, 1.08) if person.has_light_iris else (1.25, 0.95, 0.75)
    return np.asarray(tone[:, :, None] * np.array(tint))


def _step(value: Array) -> Array:
    """Rise smoothly from 0 to 1 as the value goes from -1/2 to 1/2."""
    t = np.clip(value + 0.5, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def paint_reflections(picture: Picture, person: Person, scene: Scene) -> None:
    """Paint the corneal reflections of the lamps where no lid covers them, in place.

    Parameters
    ----------
    picture : ndarray, shape (480, 640, 3), float32
        RGB in grey levels.
    person : Person
        Whose eyes, and the lamps around them.
    scene : Scene
        Pose and lids.
    """
    for side in (0, 1):
        eyeball = Eyeball.of(person, scene, side)
        cornea = eyeball.centre_mm + eyeball.axis * CORNEA_CENTRE_MM
        toward = -cornea / np.linalg.norm(cornea)
        upper, lower = (project(edge) for edge in _lid_edges(person, scene, eyeball))
        for lamp in person.lamps:
            half = (lamp + toward) / np.linalg.norm(lamp + toward)
            if float(half @ eyeball.axis) < 0.75:
                continue
            u, v = project(cornea + half * CORNEA_MM)
            size = person.lamp_mm * FOCAL_PX / eyeball.centre_mm[2]
            reach = int(np.ceil(3 * size)) + 1
            left, top = round(float(u)) - reach, round(float(v)) - reach
            if left < 0 or top < 0 or left + 2 * reach >= WIDTH or top + 2 * reach >= HEIGHT:
                continue
            y, x = np.mgrid[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
            bright = np.clip(1.2 - np.hypot(x - u, y - v) / size, 0.0, 1.0)
            uncovered = (y > np.interp(x, upper[:, 0], upper[:, 1])) & (
                y < np.interp(x, lower[:, 0], lower[:, 1])
            )
            bright = (bright * uncovered)[:, :, None]
            part = picture[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
            part[:] = part * (1.0 - bright) + _REFLECTION_GREY * bright
