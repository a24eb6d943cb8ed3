"""What one rendered viewer does: the protocol of `benchmarks.rendered`.

The viewer sits 600 mm from a screen with a diagonal of 380 mm, or 280 mm from one that is smaller
in proportion; the camera is at the middle of its upper edge. The viewer fixates 9 calibration
points, then 8 targets with a still head, then 8 targets before each of which the head rotates by up
to 15 degrees about each axis and moves by up to 80 mm along each.
"""

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from gaze.vision.sample import Screen
from simulation.viewers.landmarks import rotation
from simulation.viewers.rendered.camera import HEIGHT, WIDTH, Array, Frame, project, through_camera
from simulation.viewers.rendered.person import PUPIL_MM, Person
from simulation.viewers.rendered.render import render
from simulation.viewers.rendered.scene import Picture, Scene, Truth

DIAGONAL_PER_DISTANCE = 380.0 / 600.0
CALIBRATION_POINTS = tuple((x, y) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9))
TARGETS = 8
# Frames at a calibration point before and while the tracker collects, at a target, and of these
# the last ones, which are compared with the truth.
SETTLING_FRAMES, COLLECTED_FRAMES, TARGET_FRAMES, JUDGED_FRAMES = 15, 31, 24, 10
TRANSITION_FRAMES = 6  # from one head pose to the next
HEAD_TURN_DEG, HEAD_MOVE_MM = 15.0, 80.0
# Sway of a head that is called still, from one third of a second to the next.
SWAY_DEG, SWAY_MM = 0.3, 1.0
SWAY_FRAMES = 10

# Corners of a face, from the point midway between the eyes: the face stays in the picture.
_FACE_MM = np.array([(x, y, 0.0) for x in (-75.0, 75.0) for y in (-60.0, 110.0)])


@dataclass(frozen=True, slots=True)
class SessionFrame:
    """One frame of a session.

    Attributes
    ----------
    part : {"calibration", "still", "transition", "moved"}
        The part of the session.
    target_px : tuple of float
        The fixated target on the screen.
    judged : bool
        Whether the tracker's answer is compared with the truth.
    scene : Scene
        What the camera sees.
    first : bool
        Whether it is the first frame at its target.
    """

    part: str
    target_px: tuple[float, float]
    judged: bool
    scene: Scene
    first: bool = False


def screen_at(distance_mm: float) -> Screen:
    """Return the screen that a viewer at this distance has.

    Parameters
    ----------
    distance_mm : float
        From the eyes to the screen.
    """
    return Screen(1920.0, 1080.0, DIAGONAL_PER_DISTANCE * distance_mm)


def screen_point_mm(person: Person, screen: Screen, screen_px: tuple[float, float]) -> Array:
    """Return a point of the screen in camera space, shape (3,).

    Parameters
    ----------
    person : Person
        Whose camera; it is tilted against the screen.
    screen : Screen
        With its diagonal.
    screen_px : tuple of float
        The point on the screen.

    Raises
    ------
    ValueError
        If the screen's diagonal is unknown.
    """
    if screen.diagonal_mm is None:
        raise ValueError("the screen's diagonal_mm is None; a point in millimetres needs it")
    mm_per_px = screen.diagonal_mm / np.hypot(screen.width_px, screen.height_px)
    flat = np.array([(screen.width_px / 2.0 - screen_px[0]), screen_px[1], 0.0]) * mm_per_px
    return np.asarray(person.camera_tilt @ flat)


def session_frames(person: Person, distance_mm: float) -> Iterator[SessionFrame]:
    """Yield every frame of a viewer's session in turn, the same at every call.

    Parameters
    ----------
    person : Person
        Who sits there.
    distance_mm : float
        From the screen.
    """
    random = np.random.default_rng([person.seed, round(distance_mm)])
    screen = screen_at(distance_mm)
    size_px = np.array([screen.width_px, screen.height_px])
    angles = random.normal(0.0, (4.0, 4.0, 2.0))
    position = np.array([0.0, 0.0, distance_mm])
    position += random.normal(0.0, (0.04, 0.05, 0.03)) * distance_mm

    def scene(angles: Array, position: Array, target: Array, pupil_mm: float) -> Scene:
        yaw, pitch, roll = angles + random.normal(0.0, SWAY_DEG, 3)
        return Scene(
            rotation(float(yaw), float(pitch), float(roll)),
            position + random.normal(0.0, SWAY_MM, 3),
            screen_point_mm(person, screen, (float(target[0]), float(target[1]))),
            pupil_mm,
            float(random.normal(1.0, 0.04)),
        )

    def fixate(
        part: str, angles: Array, position: Array, target: Array, frames: int
    ) -> Iterator[SessionFrame]:
        pupil_mm = float(random.uniform(*PUPIL_MM))
        for number in range(frames):
            if number % SWAY_FRAMES == 0:
                now = scene(angles, position, target, pupil_mm)
            judged = number >= frames - JUDGED_FRAMES
            target_px = (float(target[0]), float(target[1]))
            yield SessionFrame(part, target_px, judged, now, number == 0)

    for share in CALIBRATION_POINTS:
        frames = SETTLING_FRAMES + COLLECTED_FRAMES
        yield from fixate("calibration", angles, position, np.array(share) * size_px, frames)
    for _ in range(TARGETS):
        target = random.uniform(0.08, 0.92, 2) * size_px
        yield from fixate("still", angles, position, target, TARGET_FRAMES)
    before = (angles, position)
    for _ in range(TARGETS):
        target = random.uniform(0.08, 0.92, 2) * size_px
        turned = angles + random.uniform(-HEAD_TURN_DEG, HEAD_TURN_DEG, 3)
        while True:
            moved = position + random.uniform(-HEAD_MOVE_MM, HEAD_MOVE_MM, 3)
            corners = project(_FACE_MM @ rotation(*turned).T + moved)
            if (corners > 5).all() and (corners < (WIDTH - 6, HEIGHT - 6)).all():
                break
        for step in range(1, TRANSITION_FRAMES + 1):
            fraction = step / (TRANSITION_FRAMES + 1)
            between_angles, between_position = (
                old + (new - old) * fraction
                for old, new in zip(before, (turned, moved), strict=True)
            )
            target_px = (float(target[0]), float(target[1]))
            seen = scene(between_angles, between_position, target, 4.0)
            yield SessionFrame("transition", target_px, False, seen)
        yield from fixate("moved", turned, moved, target, TARGET_FRAMES)
        before = (turned, moved)


def recorded_session(
    person: Person, distance_mm: float
) -> Iterator[tuple[SessionFrame, Truth, Frame]]:
    """Yield every frame of a session as the server decodes it, with its ground truth.

    Parameters
    ----------
    person : Person
        Who sits there.
    distance_mm : float
        From the screen.

    Yields
    ------
    described : SessionFrame
        Target and scene.
    truth : Truth
        Where the irises are.
    frame : ndarray, shape (480, 640, 3), uint8
        RGB.
    """
    pending: deque[tuple[SessionFrame, Truth]] = deque()

    def pictures() -> Iterator[Picture]:
        last: Scene | None = None
        for described in session_frames(person, distance_mm):
            if described.scene is not last:
                picture, truth = render(person, described.scene)
                last = described.scene
            pending.append((described, truth))
            yield picture

    for frame in through_camera(pictures(), person.seed):
        described, truth = pending.popleft()
        yield described, truth, frame
