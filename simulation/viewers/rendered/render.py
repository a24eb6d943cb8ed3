"""One picture of a rendered viewer: the head, the eyes, the light and the lens."""

import cv2
import numpy as np

from simulation.viewers.rendered.camera import FOCAL_PX, HEIGHT, WIDTH, project
from simulation.viewers.rendered.eyes import Eyeball, paint_eye, paint_reflections
from simulation.viewers.rendered.person import Person
from simulation.viewers.rendered.portrait import FRAME_POINTS, face_model
from simulation.viewers.rendered.scene import Picture, Scene, Truth

BLUR_PX = 0.7  # standard deviation of the lens's point spread function


def render(person: Person, scene: Scene) -> tuple[Picture, Truth]:
    """Render one picture without noise; `through_camera` adds that.

    Parameters
    ----------
    person : Person
        Who is seen.
    scene : Scene
        Pose, target, pupils and lids.

    Returns
    -------
    picture : ndarray, shape (480, 640, 3), float32
        RGB in grey levels, blurred by the lens.
    truth : Truth
        Where the irises are.
    """
    picture = _head(person, scene)
    centres, radii = [], []
    for side in (0, 1):
        eyeball = Eyeball.of(person, scene, side)
        limbus = eyeball.limbus_mm(person)
        centres.append(project(limbus))
        radii.append(person.iris_mm / 2.0 * FOCAL_PX / limbus[2])
        paint_eye(picture, person, scene, eyeball)
    _light(picture, person, scene)
    paint_reflections(picture, person, scene)
    blurred = cv2.GaussianBlur(np.clip(picture, 0, 255), (0, 0), BLUR_PX)
    return np.asarray(blurred, np.float32), Truth(np.array(centres), np.array(radii))


def _light(picture: Picture, person: Person, scene: Scene) -> None:
    """Apply brightness, its gradients over the face, and warmth, in place."""
    brightness, right, down, warmth = person.light
    middle = project(scene.position_mm)
    size_px = 140.0 * FOCAL_PX / scene.position_mm[2]
    x = (np.arange(WIDTH, dtype=np.float32) - middle[0]) / size_px
    y = (np.arange(HEIGHT, dtype=np.float32)[:, None] - middle[1]) / size_px
    gain = brightness * (1.0 + right * np.tanh(x) + down * np.tanh(y))
    picture *= gain.astype(np.float32)[:, :, None]
    picture *= np.array([1.0 + warmth, 1.0, 1.0 - warmth], np.float32)


def _head(person: Person, scene: Scene) -> Picture:
    """Draw the head model, triangles from far to near (painter's algorithm)."""
    model = face_model()
    triangles = model.triangles
    points_mm = model.points_mm * person.head_scale @ scene.head_rotation.T + scene.position_mm
    # The border neither turns with the head nor shows its own edge.
    points_mm[-FRAME_POINTS:] = model.points_mm[-FRAME_POINTS:] * 2.0 + scene.position_mm
    seen = project(points_mm)
    order = np.argsort(-points_mm[triangles, 2].mean(axis=1))
    # At half the size: the map is smooth, and the eyes are painted afterwards.
    shape = (HEIGHT // 2, WIDTH // 2)
    numbers = np.full(shape, -1.0, np.float32)
    corners = np.round((seen - 0.5) * 32.0).clip(-2e6, 2e6).astype(np.int32)
    for number in order:
        cv2.fillConvexPoly(numbers, corners[triangles[number]], (float(number),), shift=6)
    which = numbers.astype(np.int32)
    inside = which >= 0
    a, b, c = (seen[triangles[:, k]] for k in range(3))
    ta, tb, tc = (model.points_px[triangles[:, k]] for k in range(3))
    edges = np.stack([b - a, c - a], axis=-1)
    degenerate = np.abs(np.linalg.det(edges)) < 1e-6
    edges[degenerate] = np.eye(2)
    affine = np.stack([tb - ta, tc - ta], axis=-1) @ np.linalg.inv(edges)
    shift = ta - np.einsum("nij,nj->ni", affine, a)
    rows, columns = np.nonzero(inside)
    chosen = which[rows, columns]
    pixels = np.stack([columns, rows], axis=-1) * 2.0 + 0.5
    small = np.zeros((*shape, 2), np.float32)
    small[rows, columns] = (affine[chosen] @ pixels[:, :, None])[:, :, 0] + shift[chosen]
    maps = np.asarray(
        cv2.resize(small, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR), np.float32
    )
    drawn = cv2.remap(
        model.texture,
        maps,
        np.empty(0, np.float32),
        cv2.INTER_LINEAR,
        borderMode=cv2.BORDER_REPLICATE,
    )
    return np.asarray(drawn, np.float32)
