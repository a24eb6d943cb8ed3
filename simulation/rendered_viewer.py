"""Rendered viewers: a camera's pictures of a head and eyes whose every measure is known.

The head is scikit-image's public-domain portrait (`data.astronaut()`) laid on the three-dimensional
face that MediaPipe sees in it, turned and seen in perspective. The eyes are spheres of
12 mm with an iris, an entrance pupil behind it, a cornea that reflects lights, and lids that go
along with the gaze; each eye's visual axis, which meets the target, stands off its optical axis by
kappa. Every constant below is one of the terms of `benchmarks.rendered` and was set before the
tracker was tuned on these pictures.

Camera space as everywhere: millimetres, x right, y down, z away from the camera. Places in a
picture are in pixels whose centres have whole numbers.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from functools import cache

import av
import cv2
import numpy as np
from numpy.typing import NDArray
from scipy.spatial import Delaunay
from skimage import data

from gaze.vision.face.eye_landmarks import EYES
from gaze.vision.face.finder import MeshFaceFinder
from gaze.vision.head.pose import RIGID, RIGID_MM
from simulation.landmarks import rotation

Array = NDArray[np.float64]
Picture = NDArray[np.float32]
Frame = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
FOCAL_PX = 554.26  # 60 degrees across
EYE_WIDTH_MM = 30.3  # 28 px at 600 mm, 60 px at 280 mm
FAR_MM, NEAR_MM = 600.0, 280.0
EYEBALL_MM = 12.0
IRIS_MM, IRIS_SPREAD_MM, IRIS_LIMIT_MM = 11.7, 0.5, 1.0
PUPIL_MM = (2.5, 6.5)
# Behind the limbus's plane, as the cornea shows it, and toward the nose.
PUPIL_DEPTH_MM, PUPIL_NASAL_MM = 0.45, 0.2
CORNEA_MM, CORNEA_CENTRE_MM = 7.8, 5.3
# Toward the nose and up, and how much it differs between people.
KAPPA_DEG, KAPPA_SPREAD_DEG = (4.5, 1.0), (1.5, 1.5)
# Behind the line between the corners of the eye, and how much that differs.
EYE_DEPTH_MM, EYE_PLACE_SPREAD_MM = 7.0, 0.6
HEAD_SPREAD = 0.03  # of the head's width, height and depth
LIGHT_IRIS, DARK_IRIS = (95.0, 140.0), (38.0, 62.0)  # grey levels
CAMERA_TILT_DEG = 1.0
NOISE_GREY, BLUR_PX = 4.0, 0.7
BITRATE, FPS = 1_000_000, 30

_TEXTURE_SCALE = 3
_SAMPLES = 3
_PUPIL_GREY = 14.0
_SCLERA = np.array([214.0, 202.0, 196.0])
_CURVE = np.linspace(-1.0, 1.0, 25)


@dataclass(frozen=True, slots=True)
class Person:
    """One viewer's body and the light on it; `draw` makes one from a seed.

    Pairs are (right, left). `kappa_deg` (2, 2) is toward the nose and up, `eyes_mm` (2, 3) the
    eyeballs' centres from the point between the eyes, in a head that faces the camera.
    `light` is brightness, its growth to the right and down the face, and warmth; `lamps` (k, 3)
    are the directions of lights that the corneas mirror.
    """

    seed: int
    iris_mm: float
    iris_grey: float
    kappa_deg: Array
    eyes_mm: Array
    head: Array
    limbus_mm: float
    lid_mm: tuple[float, float]
    lid_follows: float
    light: tuple[float, float, float, float]
    lamps: Array
    lamp_mm: float
    camera_tilt: Array

    @property
    def has_light_iris(self) -> bool:
        """Whether the iris is blue, grey or green, as opposed to brown."""
        return self.iris_grey >= LIGHT_IRIS[0]


@dataclass(frozen=True, slots=True)
class Scene:
    """What one picture shows: `turn` (3, 3) of the head, `place_mm` (3,) of the point between the
    eyes, `target_mm` (3,) that both eyes look at, all in camera space."""

    turn: Array
    place_mm: Array
    target_mm: Array
    pupil_mm: float
    openness: float = 1.0


@dataclass(frozen=True, slots=True)
class Truth:
    """What is true of a picture: `irises_px` (2, 2) centres of the limbus, (right, left), and
    `radii_px` (2,) of it, seen from straight ahead."""

    irises_px: Array
    radii_px: Array


def draw(seed: int) -> Person:
    """Return the viewer of a seed; even seeds have light irises, odd ones dark."""
    random = np.random.default_rng([seed, 4])
    kappa = np.array(KAPPA_DEG) + random.normal(0.0, KAPPA_SPREAD_DEG)
    eyes = _face()[1][[[eye.outer, eye.inner] for eye in EYES]].mean(axis=1)
    place = random.normal(0.0, EYE_PLACE_SPREAD_MM, 3)
    head = random.normal(1.0, HEAD_SPREAD, 3)
    eyes = eyes * head + np.array([0.0, 0.0, EYE_DEPTH_MM]) + place
    lamps = random.normal(0.0, 1.0, (2, 3)) * (0.6, 0.4, 0.0) + (0.0, -0.3, -1.0)
    lamps[0, :2] *= 0.3  # the screen
    return Person(
        seed=seed,
        iris_mm=IRIS_MM
        + float(np.clip(random.normal(0.0, IRIS_SPREAD_MM), -IRIS_LIMIT_MM, IRIS_LIMIT_MM)),
        iris_grey=float(random.uniform(*(DARK_IRIS if seed % 2 else LIGHT_IRIS))),
        kappa_deg=kappa + random.normal(0.0, 0.5, (2, 2)),
        eyes_mm=eyes + random.normal(0.0, 0.2, (2, 3)),
        head=head,
        limbus_mm=float(random.uniform(0.6, 1.2)),
        lid_mm=(float(random.normal(4.6, 0.4)), float(random.normal(5.2, 0.3))),
        lid_follows=float(random.normal(0.75, 0.08)),
        light=(
            float(random.uniform(0.6, 1.1)),
            float(random.uniform(-0.3, 0.3)),
            float(random.uniform(-0.2, 0.2)),
            float(random.uniform(-0.08, 0.08)),
        ),
        lamps=lamps / np.linalg.norm(lamps, axis=1, keepdims=True),
        lamp_mm=float(random.uniform(0.3, 0.7)),
        camera_tilt=rotation(0.0, *random.normal(0.0, CAMERA_TILT_DEG, 2)),
    )


def project(points_mm: Array) -> Array:
    """Return where points (..., 3) of camera space are in the picture, (..., 2)."""
    middle = np.array([WIDTH - 1, HEIGHT - 1]) / 2.0
    return np.asarray(points_mm[..., :2] / points_mm[..., 2:] * FOCAL_PX + middle)


def render(person: Person, scene: Scene) -> tuple[Picture, Truth]:
    """Return the picture as the lens draws it, RGB (480, 640, 3) in grey levels, and its truth.

    Blurred, but without noise; `through_camera` adds that.
    """
    picture = _head(person, scene)
    centres, radii = [], []
    for side in (0, 1):
        optical, centre = _eye(person, scene, side)
        limbus = centre + optical * np.sqrt(EYEBALL_MM**2 - (person.iris_mm / 2.0) ** 2)
        centres.append(project(limbus))
        radii.append(person.iris_mm / 2.0 * FOCAL_PX / limbus[2])
        _paint_eye(picture, person, scene, side, optical, centre)
    brightness, right, down, warmth = person.light
    middle = project(scene.place_mm)
    size_px = 140.0 * FOCAL_PX / scene.place_mm[2]
    x = (np.arange(WIDTH, dtype=np.float32) - middle[0]) / size_px
    y = (np.arange(HEIGHT, dtype=np.float32)[:, None] - middle[1]) / size_px
    gain = brightness * (1.0 + right * np.tanh(x) + down * np.tanh(y))
    picture *= gain.astype(np.float32)[:, :, None]
    picture *= np.array([1.0 + warmth, 1.0, 1.0 - warmth], np.float32)
    _paint_glints(picture, person, scene)
    blurred = cv2.GaussianBlur(np.clip(picture, 0, 255), (0, 0), BLUR_PX)
    return np.asarray(blurred, np.float32), Truth(np.array(centres), np.array(radii))


def through_camera(pictures: Iterable[Picture], seed: int = 0) -> Iterator[Frame]:
    """Yield the RGB frames that a server sees: with noise, through VP8 as browsers make it."""
    random = np.random.default_rng([seed, 5])
    # One sheet of noise, cut anew for every frame, saves most of the time.
    sheet = random.normal(0.0, NOISE_GREY, (HEIGHT + 200, WIDTH + 200)).astype(np.float32)
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate = BITRATE
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS, 1)
    encoder.thread_count = 1
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "g": "3000"}
    decoder = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    for number, picture in enumerate(pictures):
        top, left = random.integers(0, 200, 2)
        grain = sheet[top : top + HEIGHT, left : left + WIDTH]
        if random.random() < 0.5:
            grain = -grain
        noisy = np.clip(picture + grain[:, :, None] + 0.5, 0, 255).astype(np.uint8)
        frame = av.VideoFrame.from_ndarray(
            cv2.cvtColor(noisy, cv2.COLOR_RGB2YUV_I420), format="yuv420p"
        )
        frame.pts = number
        for packet in encoder.encode(frame):
            for shown in decoder.decode(packet):
                yield np.asarray(cv2.cvtColor(shown.to_ndarray(), cv2.COLOR_YUV2RGB_I420), np.uint8)


@cache
def _face() -> tuple[Frame, Array, Array, NDArray[np.intp]]:
    """The portrait with skin over its eyes; its points in millimetres (k, 3) from the point between
    the eyes, facing the camera; in the portrait (k, 2); and the triangles (n, 3) between them.

    The first 468 points are the face's; then come two rings around the head, and the corners.
    """
    portrait = cv2.resize(
        data.astronaut(), None, fx=_TEXTURE_SCALE, fy=_TEXTURE_SCALE, interpolation=cv2.INTER_CUBIC
    )
    finder = MeshFaceFinder()
    seen = [finder.find(portrait) for _ in range(6)]
    finder.close()
    assert seen[-1] is not None, "the portrait's face is not found"
    points = np.array(seen[-1].points_px[:468])
    texture = points[:, :2] - 0.5
    around, unto = points[RIGID], RIGID_MM
    middle = around.mean(axis=0)
    u, sizes, vt = np.linalg.svd((around - middle).T @ (unto - unto.mean(axis=0)))
    sign = np.array([1.0, 1.0, np.sign(np.linalg.det(u @ vt))])
    turn = (u * sign) @ vt
    scale = (sizes * sign).sum() / ((around - middle) ** 2).sum()
    face = (points - middle) @ turn * scale
    corners = [number for eye in EYES for number in (eye.outer, eye.inner)]
    face -= face[corners].mean(axis=0)
    nose = texture[[corners]].reshape(-1, 2).mean(axis=0) + np.array([0.0, 30.0])

    hull = cv2.convexHull(texture.astype(np.float32), returnPoints=False).ravel()
    rings_px, rings_mm = [texture], [face]
    for reach, depth_mm in ((1.15, 30.0), (1.5, 70.0)):
        rings_px.append(nose + (texture[hull] - nose) * reach)
        ring = face[hull] * reach
        ring[:, 2] = np.maximum(face[hull, 2], 0.0) * 0.5 + depth_mm
        rings_mm.append(ring)
    side = portrait.shape[0] - 1.0
    frame_px = np.array([(x * side, y * side) for x in (0, 0.5, 1) for y in (0, 0.5, 1)])
    frame_px = frame_px[[0, 1, 2, 3, 5, 6, 7, 8]]
    rings_px.append(frame_px)
    flat = (frame_px - texture[corners].mean(axis=0)) * scale
    rings_mm.append(np.column_stack([flat, np.full(len(flat), 150.0)]))
    all_px = np.vstack(rings_px)
    return _without_eyes(portrait, texture), np.vstack(rings_mm), all_px, Delaunay(all_px).simplices


def _without_eyes(portrait: Frame, points: Array) -> Frame:
    hole = np.zeros(portrait.shape[:2], np.uint8)
    for eye in EYES:
        outline = [eye.outer, *(up for up, _ in eye.lids), eye.inner]
        outline += [low for _, low in reversed(eye.lids)]
        cv2.fillPoly(hole, [np.round(points[outline]).astype(np.int32)], 255)
    hole = cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (17, 17)))
    skin = cv2.inpaint(portrait, hole, 6, cv2.INPAINT_TELEA).astype(np.float32)
    soft = cv2.GaussianBlur(hole.astype(np.float32) / 255.0, (0, 0), 2.0)[:, :, None]
    mixed = portrait * (1.0 - soft) + cv2.GaussianBlur(skin, (0, 0), 2.0) * soft
    return np.asarray(np.clip(mixed + 0.5, 0, 255), np.uint8)


def _head(person: Person, scene: Scene) -> Picture:
    """The portrait, turned: triangles from far to near, then each pixel from its triangle."""
    portrait, points, texture, triangles = _face()
    placed = points * person.head @ scene.turn.T + scene.place_mm
    placed[-8:] = points[-8:] * 2.0 + scene.place_mm
    seen = project(placed)
    order = np.argsort(-placed[triangles, 2].mean(axis=1))
    # At half the size: the map is smooth, and the eyes are painted afterwards.
    shape = (HEIGHT // 2, WIDTH // 2)
    numbers = np.full(shape, -1.0, np.float32)
    corners = np.round((seen - 0.5) * 32.0).clip(-2e6, 2e6).astype(np.int32)
    for number in order:
        cv2.fillConvexPoly(numbers, corners[triangles[number]], float(number), shift=6)
    which = numbers.astype(np.int32)
    inside = which >= 0
    a, b, c = (seen[triangles[:, k]] for k in range(3))
    ta, tb, tc = (texture[triangles[:, k]] for k in range(3))
    edges = np.stack([b - a, c - a], axis=-1)
    flat = np.abs(np.linalg.det(edges)) < 1e-6
    edges[flat] = np.eye(2)
    affine = np.stack([tb - ta, tc - ta], axis=-1) @ np.linalg.inv(edges)
    shift = ta - np.einsum("nij,nj->ni", affine, a)
    rows, columns = np.nonzero(inside)
    chosen = which[rows, columns]
    places = np.stack([columns, rows], axis=-1) * 2.0 + 0.5
    maps = np.zeros((*shape, 2), np.float32)
    maps[rows, columns] = (affine[chosen] @ places[:, :, None])[:, :, 0] + shift[chosen]
    maps = cv2.resize(maps, (WIDTH, HEIGHT), interpolation=cv2.INTER_LINEAR)
    drawn = cv2.remap(portrait, maps, None, cv2.INTER_LINEAR, borderMode=cv2.BORDER_REPLICATE)
    return np.asarray(drawn, np.float32)


def _eye(person: Person, scene: Scene, side: int) -> tuple[Array, Array]:
    """The optical axis and the centre of an eyeball, in camera space."""
    centre = scene.turn @ person.eyes_mm[side] + scene.place_mm
    nasal, up = np.radians(person.kappa_deg[side])
    # The viewer's right eye is to the image's left, its nose to the right of it.
    visual = np.array([np.sin(nasal) * (1.0 if side == 0 else -1.0), -np.sin(up), 0.0])
    visual[2] = -np.sqrt(1.0 - visual @ visual)
    wanted = scene.turn.T @ (scene.target_mm - centre)
    wanted /= np.linalg.norm(wanted)
    axis = np.cross(visual, wanted)
    sine = float(np.linalg.norm(axis))
    angle = np.arctan2(sine, float(visual @ wanted))
    turned = cv2.Rodrigues(axis / max(sine, 1e-12) * angle)[0] @ np.array([0.0, 0.0, -1.0])
    return np.asarray(scene.turn @ turned), np.asarray(centre)


def _lids(person: Person, scene: Scene, side: int, optical: Array) -> tuple[Array, Array]:
    """The edges of the upper and lower lid in camera space, each (25, 3), left to right."""
    corners = _face()[1][[EYES[side].outer, EYES[side].inner]] * person.head
    corners = corners[np.argsort(corners[:, 0])]
    middle, along = corners.mean(axis=0), corners[1] - corners[0]
    along = along / np.linalg.norm(along[:2]) * EYE_WIDTH_MM
    down_mm = EYEBALL_MM * float((scene.turn.T @ optical)[1])
    bow = 1.0 - np.abs(_CURVE) ** 2.2
    upper = -person.lid_mm[0] + person.lid_follows * down_mm
    lower = person.lid_mm[1] + 0.3 * down_mm
    upper = lower + (min(upper, lower - 1.0) - lower) * scene.openness
    edges = []
    for height in (upper, lower):
        edge = middle + _CURVE[:, None] / 2.0 * along
        edge[:, 1] += height * bow
        from_ball = edge[:, :2] - person.eyes_mm[side, :2]
        front = np.sqrt(np.clip((EYEBALL_MM + 0.4) ** 2 - (from_ball**2).sum(axis=1), 0.0, None))
        edge[:, 2] = np.minimum(edge[:, 2], person.eyes_mm[side, 2] - front)
        edges.append(edge @ scene.turn.T + scene.place_mm)
    return edges[0], edges[1]


def _paint_eye(
    picture: Picture, person: Person, scene: Scene, side: int, optical: Array, centre: Array
) -> None:
    """Paint what is seen between the lids, and the lashes, into a picture."""
    upper, lower = (project(edge) for edge in _lids(person, scene, side, optical))
    both = np.vstack([upper, lower])
    left, top = np.floor(both.min(axis=0)).astype(int) - 4
    right, bottom = np.ceil(both.max(axis=0)).astype(int) + 5
    left, top = max(left, 0), max(top, 0)
    right, bottom = min(right, WIDTH), min(bottom, HEIGHT)
    if right - left < 4 or bottom - top < 4:
        return
    shape = ((bottom - top) * _SAMPLES, (right - left) * _SAMPLES)
    y, x = np.mgrid[0 : shape[0], 0 : shape[1]]
    x = left + (x + 0.5) / _SAMPLES - 0.5
    y = top + (y + 0.5) / _SAMPLES - 0.5
    ball = _ball(x, y, person, scene, side, optical, centre)
    px_per_mm = FOCAL_PX / centre[2]
    below_mm = (y - np.interp(x, upper[:, 0], upper[:, 1])) / px_per_mm
    ball *= (1.0 - 0.45 * np.exp(-np.clip(below_mm, 0.0, None) / 1.2))[:, :, None]

    def fine(points: Array) -> NDArray[np.int32]:
        moved = (points - (left, top) + 0.5) * _SAMPLES - 0.5
        return np.round(moved * 64.0).astype(np.int32)

    open_ = np.zeros(shape, np.uint8)
    if scene.openness > 0.02:
        cv2.fillPoly(open_, [fine(np.vstack([upper, lower[::-1]]))], 255, cv2.LINE_AA, shift=6)
    lash = np.zeros(shape, np.uint8)
    thick = max(1, round(0.9 * px_per_mm * _SAMPLES))
    cv2.polylines(lash, [fine(upper)], False, 200, thick, cv2.LINE_AA, shift=6)
    rim = np.zeros(shape, np.uint8)
    thin = max(1, round(0.5 * px_per_mm * _SAMPLES))
    cv2.polylines(rim, [fine(lower)], False, 90, thin, cv2.LINE_AA, shift=6)
    crease = np.zeros(shape, np.uint8)
    lifted = upper - (0.0, 2.6 * px_per_mm)
    cv2.polylines(crease, [fine(lifted)], False, 70, thick, cv2.LINE_AA, shift=6)

    def small(layer: NDArray) -> NDArray:
        return cv2.resize(layer, (right - left, bottom - top), interpolation=cv2.INTER_AREA)

    part = picture[top:bottom, left:right]
    share = small(open_.astype(np.float32) / 255.0)[:, :, None]
    part[:] = part * (1.0 - share) + small(ball.astype(np.float32)) * share
    for layer, colour in ((crease, (110, 80, 68)), (rim, (150, 105, 98)), (lash, (48, 34, 30))):
        share = small(layer.astype(np.float32) / 255.0)[:, :, None]
        part[:] = part * (1.0 - share) + np.array(colour, np.float32) * share


def _ball(
    x: Array, y: Array, person: Person, scene: Scene, side: int, optical: Array, centre: Array
) -> Array:
    """The colours of an eyeball along the rays through the places (x, y) of the picture."""
    rays = np.stack(
        [
            (x - (WIDTH - 1) / 2.0) / FOCAL_PX,
            (y - (HEIGHT - 1) / 2.0) / FOCAL_PX,
            np.ones_like(x),
        ],
        axis=-1,
    )
    radius = person.iris_mm / 2.0
    ahead = np.sqrt(EYEBALL_MM**2 - radius**2)
    right = scene.turn[:, 0] - optical * float(scene.turn[:, 0] @ optical)
    right /= np.linalg.norm(right)
    down = np.cross(right, optical)
    down *= np.sign(down @ scene.turn[:, 1])

    def on_plane(ahead_mm: float) -> tuple[Array, Array]:
        through = centre + optical * ahead_mm
        hit = rays * (float(through @ optical) / (rays @ optical))[:, :, None] - through
        return hit @ right, hit @ down

    a, b = on_plane(ahead)
    away = np.hypot(a, b)
    angle = np.arctan2(b, a)
    share = away / radius
    texture = np.random.default_rng([person.seed, 6, side])
    phases, turns = texture.uniform(0, 6.28, 6), texture.integers(5, 60, 6)
    streaks = sum(np.sin(n * angle + p + 2.0 * share) for n, p in zip(turns, phases, strict=True))
    tone = person.iris_grey * (1.0 + 0.05 * streaks - 0.1 * (share - 0.5))
    tone = tone * (1.0 - 0.4 * np.clip((share - 0.85) / 0.15, 0.0, 1.0))
    tint = (0.9, 1.0, 1.08) if person.has_light_iris else (1.25, 0.95, 0.75)
    iris = tone[:, :, None] * np.array(tint)
    c, d = on_plane(ahead - PUPIL_DEPTH_MM)
    nasal = PUPIL_NASAL_MM * (1.0 if side == 0 else -1.0)
    in_pupil = _step((scene.pupil_mm / 2.0 - np.hypot(c - nasal, d)) / 0.15)[:, :, None]
    iris = iris * (1.0 - in_pupil) + _PUPIL_GREY * in_pupil

    # Toward the corners the white of the eye turns from the light and reddens.
    from_axis = np.cross(rays / np.linalg.norm(rays, axis=-1, keepdims=True), centre)
    aside = np.clip(np.linalg.norm(from_axis, axis=-1) / EYEBALL_MM, 0.0, 1.3)
    white = _SCLERA * (1.0 - 0.28 * aside[:, :, None] ** 2 * np.array([0.7, 1.05, 1.1]))
    in_iris = _step((radius - away) / person.limbus_mm)[:, :, None]
    return np.asarray(white * (1.0 - in_iris) + iris * in_iris)


def _step(value: Array) -> Array:
    """From 0 to 1 as the value goes from -1/2 to 1/2."""
    t = np.clip(value + 0.5, 0.0, 1.0)
    return np.asarray(t * t * (3.0 - 2.0 * t))


def _paint_glints(picture: Picture, person: Person, scene: Scene) -> None:
    """The lamps, mirrored by the corneas, where no lid covers them."""
    for side in (0, 1):
        optical, centre = _eye(person, scene, side)
        cornea = centre + optical * CORNEA_CENTRE_MM
        toward = -cornea / np.linalg.norm(cornea)
        upper, lower = (project(edge) for edge in _lids(person, scene, side, optical))
        for lamp in person.lamps:
            half = (lamp + toward) / np.linalg.norm(lamp + toward)
            if float(half @ optical) < 0.75:
                continue
            u, v = project(cornea + half * CORNEA_MM)
            size = person.lamp_mm * FOCAL_PX / centre[2]
            reach = int(np.ceil(3 * size)) + 1
            left, top = round(float(u)) - reach, round(float(v)) - reach
            if left < 0 or top < 0 or left + 2 * reach >= WIDTH or top + 2 * reach >= HEIGHT:
                continue
            y, x = np.mgrid[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
            bright = np.clip(1.2 - np.hypot(x - u, y - v) / size, 0.0, 1.0)
            seen = (y > np.interp(x, upper[:, 0], upper[:, 1])) & (
                y < np.interp(x, lower[:, 0], lower[:, 1])
            )
            bright = (bright * seen)[:, :, None]
            part = picture[top : top + 2 * reach + 1, left : left + 2 * reach + 1]
            part[:] = part * (1.0 - bright) + 245.0 * bright
