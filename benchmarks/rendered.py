"""Rendered viewers against the truth: `python -m benchmarks.rendered`.

What is rendered, and how the camera spoils it, are the terms of
`simulation/rendered_viewer.py`. A viewer sits
600 mm from a screen with a diagonal of 380 mm (eyes 28 px wide), or 280 mm from one that
is smaller in proportion (60 px); the camera is at the middle of its upper edge. The viewer looks at
9 points, for half a second and then 30 frames each, with which the tracker is calibrated; then at 8
others with a still head; then at 8 others, before each of which the head turns by up to 15 degrees
about each axis and moves by up to 80 mm along each. What the tracker says in the last 10 frames
at each point is compared with the truth.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from itertools import repeat

import cv2
import numpy as np
from numpy.typing import NDArray

from benchmarks.report import Goal, Report, arguments, machine, publish
from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.iris.refinement import cut_eyes, find_irises
from gaze.vision.sample import GazeSample, Screen
from gaze.vision.tracker import Tracker
from simulation.landmarks import rotation
from simulation.rendered_viewer import (
    FAR_MM,
    FPS,
    HEIGHT,
    NEAR_MM,
    PUPIL_MM,
    WIDTH,
    Frame,
    Person,
    Picture,
    Scene,
    Truth,
    draw,
    project,
    render,
    through_camera,
)

Array = NDArray[np.float64]

HELD_OUT = range(1000, 1020)
SIZES = {"60 px": NEAR_MM, "28 px": FAR_MM}
DIAGONAL_SHARE = 380.0 / 600.0
NINE = tuple((x, y) for y in (0.1, 0.5, 0.9) for x in (0.1, 0.5, 0.9))
TESTED = 8
PASSED_OVER, COLLECTED, LOOKED, JUDGED = 15, 31, 24, 10
ON_THE_WAY = 6
TURN_DEG, MOVE_MM = 15.0, 80.0
# The head that is called still: from one third of a second to the next.
SWAY_DEG, SWAY_MM = 0.3, 1.0
HELD_FRAMES = 10
GOOD_PUPIL_MM = 0.5
# A face in millimetres around the point between the eyes: it stays in the picture.
_FACE = np.array([(x, y, 0.0) for x in (-75.0, 75.0) for y in (-60.0, 110.0)])

GOALS = {
    "gaze, calibrated, still head (degrees)": Goal(most=1.0),
    "gaze, calibrated, head moved (degrees)": Goal(most=2.0),
    "gaze, uncalibrated (degrees)": Goal(most=6.0),
    "head: mean of yaw, pitch, roll (degrees)": Goal(most=2.0),
    "distance (%)": Goal(most=5.0),
    "iris centre (px)": Goal(most=0.25),
    "pupil, light irises (mm)": Goal(most=0.25),
    "confidence of pupils, AUC": Goal(least=0.9),
}


@dataclass(frozen=True, slots=True)
class Look:
    """One frame of a viewer: `part` is calibration, still or moved, `screen_px` the target,
    and `judged` whether the tracker's answer counts."""

    part: str
    screen_px: tuple[float, float]
    judged: bool
    scene: Scene
    first: bool = False


def screen_of(distance_mm: float) -> Screen:
    """The screen that a viewer at this distance sits before."""
    return Screen(1920.0, 1080.0, DIAGONAL_SHARE * distance_mm)


def on_screen_mm(person: Person, screen: Screen, screen_px: tuple[float, float]) -> Array:
    """Return where a place of the screen is in camera space, (3,)."""
    assert screen.diagonal_mm is not None
    mm_per_px = screen.diagonal_mm / np.hypot(screen.width_px, screen.height_px)
    flat = np.array([(screen.width_px / 2.0 - screen_px[0]), screen_px[1], 0.0]) * mm_per_px
    return np.asarray(person.camera_tilt @ flat)


def looks(person: Person, distance_mm: float) -> Iterator[Look]:
    """Yield every frame of a viewer's session in turn."""
    random = np.random.default_rng([person.seed, round(distance_mm)])
    screen = screen_of(distance_mm)
    size = np.array([screen.width_px, screen.height_px])
    angles = random.normal(0.0, (4.0, 4.0, 2.0))
    place = np.array([0.0, 0.0, distance_mm])
    place += random.normal(0.0, (0.04, 0.05, 0.03)) * distance_mm

    def scene(angles: Array, place: Array, target: Array, pupil_mm: float) -> Scene:
        return Scene(
            rotation(*(angles + random.normal(0.0, SWAY_DEG, 3))),
            place + random.normal(0.0, SWAY_MM, 3),
            on_screen_mm(person, screen, (float(target[0]), float(target[1]))),
            pupil_mm,
            float(random.normal(1.0, 0.04)),
        )

    def rest(part: str, angles: Array, place: Array, target: Array, frames: int) -> Iterator[Look]:
        pupil_mm = float(random.uniform(*PUPIL_MM))
        for number in range(frames):
            if number % HELD_FRAMES == 0:
                now = scene(angles, place, target, pupil_mm)
            judged = number >= frames - JUDGED
            yield Look(part, (float(target[0]), float(target[1])), judged, now, number == 0)

    for share in NINE:
        frames = PASSED_OVER + COLLECTED
        yield from rest("calibration", angles, place, np.array(share) * size, frames)
    for _ in range(TESTED):
        target = random.uniform(0.08, 0.92, 2) * size
        yield from rest("still", angles, place, target, LOOKED)
    before = (angles, place)
    for _ in range(TESTED):
        target = random.uniform(0.08, 0.92, 2) * size
        turned = angles + random.uniform(-TURN_DEG, TURN_DEG, 3)
        while True:
            moved = place + random.uniform(-MOVE_MM, MOVE_MM, 3)
            corners = project(_FACE @ rotation(*turned).T + moved)
            if (corners > 5).all() and (corners < (WIDTH - 6, HEIGHT - 6)).all():
                break
        for step in range(1, ON_THE_WAY + 1):
            share = step / (ON_THE_WAY + 1)
            way = [
                old + (new - old) * share for old, new in zip(before, (turned, moved), strict=True)
            ]
            yield Look("way", (float(target[0]), float(target[1])), False, scene(*way, target, 4.0))
        yield from rest("moved", turned, moved, target, LOOKED)
        before = (turned, moved)


def watch(person: Person, distance_mm: float) -> Iterator[tuple[Look, Truth, Frame]]:
    """Yield every frame of a viewer's session as the server gets it, with its truth."""
    shown: deque[tuple[Look, Truth]] = deque()

    def pictures() -> Iterator[Picture]:
        last: Scene | None = None
        for look in looks(person, distance_mm):
            if look.scene is not last:
                picture, truth = render(person, look.scene)
                last = look.scene
            shown.append((look, truth))
            yield picture

    for frame in through_camera(pictures(), person.seed):
        look, truth = shown.popleft()
        yield look, truth, frame


class Remembering(MeshFaceFinder):
    """The face mesh; keeps the landmarks that it gave last."""

    def __init__(self) -> None:
        super().__init__()
        self.last: Landmarks | None = None

    def find(self, image_rgb: Frame) -> Landmarks | None:
        self.last = super().find(image_rgb)
        return self.last


@dataclass(slots=True)
class Measured:
    """Errors of one viewer at one size; lists hold one value a judged frame."""

    light_iris: bool
    gaze_deg: dict[str, list[float]]
    head_deg: list[float]
    turn_deg: list[float]
    distance: list[float]
    iris_px: list[float]
    landmarks_px: list[float]
    pupil_mm: list[float]
    pupil_confidence: list[float]
    missed: int = 0
    judged: int = 0


def measure(seed: int, distance_mm: float) -> Measured:
    """Watch one viewer, calibrate, and compare."""
    cv2.setNumThreads(1)
    person = draw(seed)
    screen = screen_of(distance_mm)
    finder = Remembering()
    tracker = Tracker(screen, finder=finder)
    tracker.calibrate("start", None, 0.0)
    found = Measured(person.has_light_iris, {}, [], [], [], [], [], [], [])
    calibrated = False
    for number, (look, truth, frame) in enumerate(watch(person, distance_mm)):
        t_s = number / FPS
        if look.part == "calibration" and look.first:
            tracker.calibrate("point", look.screen_px, t_s)
        elif look.part != "calibration" and not calibrated:
            calibrated = True
            tracker.calibrate("finish", None, t_s)
            tracker.calibrate("finish", None, t_s)
        sample = tracker.track(frame, t_s)
        if look.judged:
            _judge(found, look, truth, sample, person, screen, frame, finder.last)
    tracker.close()
    return found


def _judge(
    found: Measured,
    look: Look,
    truth: Truth,
    sample: GazeSample,
    person: Person,
    screen: Screen,
    frame: Frame,
    landmarks: Landmarks | None,
) -> None:
    scene = look.scene
    found.judged += 1
    if sample.screen_px is None or sample.head is None or landmarks is None:
        found.missed += 1
        return
    sights = [
        on_screen_mm(person, screen, point) - scene.place_mm
        for point in (look.screen_px, sample.screen_px)
    ]
    part = "uncalibrated" if look.part == "calibration" else look.part
    found.gaze_deg.setdefault(part, []).append(_between_deg(*sights))
    yaw, pitch, roll = _angles_deg(scene.turn)
    head = sample.head
    away = np.abs([head.yaw_deg - yaw, head.pitch_deg - pitch, head.roll_deg - roll])
    found.head_deg.append(float(away.mean()))
    said = rotation(head.yaw_deg, head.pitch_deg, head.roll_deg)
    found.turn_deg.append(float(np.degrees(np.arccos((np.trace(said.T @ scene.turn) - 1) / 2))))
    if head.distance_mm is not None:
        true_mm = float(np.linalg.norm(scene.place_mm))
        found.distance.append(100.0 * abs(head.distance_mm - true_mm) / true_mm)
    crop = cut_eyes(frame, landmarks)
    irises = None if crop is None else find_irises(crop, landmarks)
    if irises is not None:
        found.iris_px += np.linalg.norm(irises.centres_px - truth.irises_px, axis=1).tolist()
    meshed = landmarks.points_px[[468, 473], :2] - 0.5
    found.landmarks_px += np.linalg.norm(meshed - truth.irises_px, axis=1).tolist()
    pupil = sample.pupil
    if pupil is not None and pupil.mm is not None:
        found.pupil_mm.append(abs(pupil.mm - scene.pupil_mm))
        found.pupil_confidence.append(pupil.confidence)


def _between_deg(one: Array, other: Array) -> float:
    return float(np.degrees(np.arctan2(np.linalg.norm(np.cross(one, other)), one @ other)))


def _angles_deg(turn: Array) -> tuple[float, float, float]:
    """Yaw, pitch and roll of a rotation, with the signs of `Head`."""
    nose, across = -turn[:, 2], turn[:, 0]
    return (
        float(np.degrees(np.arctan2(nose[0], -nose[2]))),
        float(np.degrees(np.arcsin(-nose[1]))),
        float(np.degrees(np.arctan2(across[1], across[0]))),
    )


def area_under_curve(good: Array, bad: Array) -> float:
    """Return how often a good one's confidence is above a bad one's; nan without both."""
    if not len(good) or not len(bad):
        return float("nan")
    ranks = np.searchsorted(np.sort(bad), good, "left") + np.searchsorted(
        np.sort(bad), good, "right"
    )
    return float(ranks.mean() / 2.0 / len(bad))


def main() -> None:
    """Watch all viewers at both sizes and print the table."""
    parser = arguments(__doc__, "rendered", 26.0, 1)
    parser.add_argument("--first", type=int, default=HELD_OUT.start, help="seed to begin with")
    parser.add_argument("--count", type=int, default=len(HELD_OUT), help="how many seeds")
    parser.add_argument("--jobs", type=int, default=1, help="processes")
    flags = parser.parse_args()
    seeds = range(flags.first, flags.first + flags.count)
    report = Report(
        f"rendered viewers, seeds {seeds[0]} to {seeds[-1]}; {machine()}",
        GOALS,
        judged="60 px",
        prefix="rendered.",
    )
    every: list[Measured] = []
    with ProcessPoolExecutor(flags.jobs) as pool:
        for column, distance_mm in SIZES.items():
            found = list(pool.map(measure, seeds, repeat(distance_mm)))
            every += found
            report.add(column, _rows(found))
    report.add("60 px", {"confidence of pupils, AUC": _auc(every)})
    report.notes.append("The AUC is over both sizes.")
    publish([report], flags.json)


def _rows(found: list[Measured]) -> dict[str, float]:
    def mean(values: list[list[float]]) -> float:
        joined = [value for each in values for value in each]
        return float(np.mean(joined)) if joined else float("nan")

    def pupils(light: bool) -> list[list[float]]:
        return [each.pupil_mm for each in found if each.light_iris == light]

    parts = ("still", "moved", "uncalibrated")
    gaze = [mean([each.gaze_deg.get(part, []) for each in found]) for part in parts]
    judged = sum(each.judged for each in found)
    return {
        "gaze, calibrated, still head (degrees)": gaze[0],
        "gaze, calibrated, head moved (degrees)": gaze[1],
        "gaze, uncalibrated (degrees)": gaze[2],
        "head: mean of yaw, pitch, roll (degrees)": mean([each.head_deg for each in found]),
        "head: whole rotation (degrees)": mean([each.turn_deg for each in found]),
        "distance (%)": mean([each.distance for each in found]),
        "iris centre (px)": mean([each.iris_px for each in found]),
        "iris centre of the landmarks (px)": mean([each.landmarks_px for each in found]),
        "pupil, light irises (mm)": mean(pupils(True)),
        "pupil, dark irises (mm)": mean(pupils(False)),
        "frames with a pupil (%)": 100.0 * sum(len(each.pupil_mm) for each in found) / judged,
        "frames without gaze (%)": 100.0 * sum(each.missed for each in found) / judged,
    }


def _auc(found: list[Measured]) -> float:
    errors = np.array([value for each in found for value in each.pupil_mm])
    confidence = np.array([value for each in found for value in each.pupil_confidence])
    good = errors <= GOOD_PUPIL_MM
    return area_under_curve(confidence[good], confidence[~good])


if __name__ == "__main__":
    main()
