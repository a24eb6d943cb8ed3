"""Every online filter and detector of the eyes, all under the same two tests.

Its output at a time depends on what came before that time and on nothing later, also when that
output is looked at again later; and whatever its input, it never gives NaN or infinity. A class of
`gaze.vision` that takes its time from the caller and is missing here fails the last test.
"""

import copy
import dataclasses
import importlib
import inspect
import math
import pkgutil
from collections.abc import Callable
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gaze.vision
from gaze.effects.parameters import Binding, Follower
from gaze.vision.arrays import Image
from gaze.vision.events.attention import Attention
from gaze.vision.events.blinks import BlinkDetector
from gaze.vision.events.detector import EventDetector
from gaze.vision.face.eye_landmarks import LidBaseline
from gaze.vision.face.finder import Landmarks
from gaze.vision.face.landmark_indices import EYES, LANDMARKS, LIDS
from gaze.vision.filters import OneEuro
from gaze.vision.head.pose import head_pose, iris_diameters_px
from gaze.vision.head.stabilizer import HeadStabilizer
from gaze.vision.iris.light_reflex import LightReflex
from gaze.vision.iris.pupil import PupilMeter
from gaze.vision.iris.pupil_cleaning import PupilCleaner
from gaze.vision.iris.refinement import crop_eyes, find_irises
from gaze.vision.point_of_gaze import PointOfGaze
from gaze.vision.pointer import PointerGaze
from gaze.vision.regression.calibration import Calibration
from gaze.vision.regression.drift import DriftCorrection
from gaze.vision.regression.eyeball_model import AngleOffset
from gaze.vision.regression.features import HEAD, SIZE, EyeReading
from gaze.vision.regression.gaze_model import GazeModel, TrainingSet
from gaze.vision.regression.point_collection import PointCollection
from gaze.vision.sample import GazeSample, Screen
from gaze.vision.tracker import Tracker
from simulation.viewers.landmarks import make_landmarks, rotation

SCREEN = Screen(1920.0, 1080.0)


@dataclasses.dataclass(frozen=True)
class Look:
    """What one frame shows, for any of the streams."""

    step_s: float
    seen: bool
    point_px: tuple[float, float]
    ratio: float
    rotation_deg: tuple[float, float, float]
    eyes_mm: tuple[float, float, float]
    iris_mm: tuple[float, float]
    seed: int

    @property
    def landmarks(self) -> Landmarks | None:
        if not self.seen:
            return None
        if self.seed % 11 == 0:  # what no face looks like
            points = np.random.default_rng(self.seed).normal(0.0, 400.0, (LANDMARKS, 3))
            return Landmarks(points, 640, 480)
        return make_landmarks(rotation(*self.rotation_deg), self.eyes_mm, self.iris_mm, self.ratio)

    @property
    def image(self) -> Image:
        grain = np.random.default_rng(self.seed).integers(140, 200, (12, 16, 3), np.uint8)
        picture = np.repeat(np.repeat(grain, 40, axis=0), 40, axis=1)
        landmarks = self.landmarks
        if landmarks is not None and np.abs(landmarks.points_px[:, :2]).max() < 1e4:
            radius_px = sum(iris_diameters_px(landmarks)) / 4.0
            for eye in EYES:
                x, y = np.round(landmarks.points_px[eye.iris, :2]).astype(int).tolist()
                for share, grey in ((1.0, 120), (0.3 + 0.03 * (self.seed % 6), 20)):
                    cv2.circle(picture, (x, y), round(share * radius_px), [grey] * 3, -1)
        return picture


class Scripted:
    """A face backend whose landmarks are given to it."""

    def __init__(self) -> None:
        self.landmarks: Landmarks | None = None

    def find(self, image_rgb: Image) -> Landmarks | None:
        return self.landmarks

    def close(self) -> None:
        pass


Step = Callable[[Look, float], object]
"""Feeds one look to a stream, and returns its output."""


def one_euro() -> Step:
    smooth = OneEuro(1.0, 0.01)
    return lambda look, t_s: smooth.update(np.array(look.point_px), t_s)


def movements() -> Step:
    detector = EventDetector(50.0)

    def step(look: Look, t_s: float) -> object:
        if not look.seen:
            detector.clear()
            return detector.dwell_s(t_s)
        return detector.update(np.array(look.point_px), t_s), detector.noise_px

    return step


def lid_baseline() -> Step:
    baseline = LidBaseline()
    return lambda look, t_s: baseline.openness(look.ratio, t_s)


def blinks() -> Step:
    detector = BlinkDetector()

    def step(look: Look, t_s: float) -> object:
        blink = None
        if look.seen:
            blink = detector.update(look.ratio, min(look.ratio / 0.3, 1.0), t_s)
        else:
            detector.lose_face()
        rates = detector.rate_per_min(t_s), detector.perclos(t_s)
        return blink, detector.closed, detector.unsettled, rates

    return step


def attention() -> Step:
    detector = Attention()
    return lambda look, t_s: detector.update(
        look.seen, look.ratio < 0.1, look.point_px[0] > 0.0, t_s
    )


def angle_offset() -> Step:
    offset = AngleOffset()

    def step(look: Look, t_s: float) -> object:
        angles = np.radians(look.rotation_deg[:2])
        offset.update(np.array([*angles, 0.0, 0.0, 0.6, 0.0, 0.0, 0.0]), SCREEN, t_s)
        return tuple(offset.radians)

    return step


def pointer() -> Step:
    gaze_point = PointerGaze(SCREEN)

    def step(look: Look, t_s: float) -> object:
        if look.seen:
            gaze_point.move(look.point_px, t_s)
        return gaze_point.sample(t_s)

    return step


def with_whole_lids(landmarks: Landmarks) -> Landmarks:
    """Return the landmarks with whole lids: synthetic faces have their middles and ends alone."""
    points = landmarks.points_px.copy()
    along = np.linspace(-1.0, 1.0, 9)[:, None]
    for lid in (list(lid) for pair in LIDS for lid in pair):
        first, top, last = points[[lid[0], lid[4], lid[-1]]]
        straight = first + (last - first) * (along + 1.0) / 2.0
        points[lid] = straight + (top - (first + last) / 2.0) * (1.0 - along**4)
    return Landmarks(points, landmarks.width_px, landmarks.height_px)


def pupil_meter() -> Step:
    meter = PupilMeter()

    def step(look: Look, t_s: float) -> object:
        landmarks = look.landmarks
        if landmarks is None:
            return None
        opened = min(look.ratio / 0.3, 1.0)
        crop = crop_eyes(look.image, landmarks)
        irises = None if crop is None else find_irises(crop, with_whole_lids(landmarks))
        return meter.measure(irises, (opened, opened), t_s, head_pose(landmarks))

    return step


def cleaner() -> Step:
    cleaned = PupilCleaner()
    return lambda look, t_s: cleaned.update(10.0 * look.ratio if look.seen else None, t_s)


def reflex() -> Step:
    learned = LightReflex()

    def step(look: Look, t_s: float) -> object:
        learned.add_frame(min(look.ratio, 1.0), None, t_s)
        return learned.remove(4.0 + look.ratio, t_s)

    return step


def stabilizer() -> Step:
    stabilizer = HeadStabilizer()

    def step(look: Look, t_s: float) -> object:
        landmarks = look.landmarks
        crop = None if landmarks is None else crop_eyes(look.image, landmarks)
        pose = None if landmarks is None else head_pose(landmarks)
        if landmarks is None or crop is None or pose is None:
            return None
        return tuple(stabilizer.stabilize(crop, landmarks, pose).eyes_mm)

    return step


def drift() -> Step:
    drift = DriftCorrection()

    def step(look: Look, t_s: float) -> object:
        head = np.array([*look.rotation_deg, *look.iris_mm, look.ratio]) / 10.0
        if look.seed % 3 == 0:
            drift.add_click(np.array(look.point_px) / 1e4, head, t_s)
        return drift.correction(head, t_s)

    return step


def calibration() -> Step:
    machine = Calibration(SCREEN)
    machine.act("start", None, 0.0)
    targets = iter([(x, y) for y in (100.0, 540.0, 980.0) for x in (200.0, 960.0, 1700.0)] * 50)

    machine.act("point", next(targets), 100.0)
    points = 0

    def step(look: Look, t_s: float) -> object:
        nonlocal points
        features = np.random.default_rng(look.seed).normal(0.0, 0.1, SIZE) if look.seen else None
        updates = machine.observe(features, look.ratio < 0.1, t_s)
        if updates and updates[-1].state != "collecting":
            accepted = updates[-1].state == "accepted"
            points += accepted
            if accepted and points == 5:
                updates = [*updates, *machine.act("finish", None, t_s)]
            updates = [*updates, *machine.act("point", next(targets), t_s)]
        return updates

    return step


def point_collection() -> Step:
    collection = PointCollection.start((0.0, 0.0), False, True, 100.0)

    def step(look: Look, t_s: float) -> object:
        collection.path.append((t_s, *look.point_px))
        collection.add(np.random.default_rng(look.seed).normal(0.0, 0.1, SIZE), t_s)
        return collection.pursuit_points(1920.0)

    return step


def point_of_gaze() -> Step:
    random = np.random.default_rng(0)
    points = random.normal(0.0, 0.1, (5, SIZE)), random.uniform(0.0, 0.5, (5, 2))
    model = GazeModel(TrainingSet(*points, np.zeros(5, np.intp), SCREEN), 0, 0.05)
    gaze = PointOfGaze(SCREEN, model)

    def step(look: Look, t_s: float) -> object:
        pose = None if look.landmarks is None else head_pose(look.landmarks)
        if pose is None:
            gaze.clear()
            return gaze.dwell_s(t_s)
        features = np.random.default_rng(look.seed).normal(0.0, 0.1, SIZE)
        features[HEAD] = np.radians([*look.rotation_deg, 0.0, 0.0, 0.0])
        eyes = EyeReading(np.zeros((2, 2)), (look.ratio, look.ratio))
        event = gaze.update(features, eyes, pose, t_s)
        if look.seed % 7 == 0:
            gaze.click(look.point_px, t_s)
        assert gaze.px is not None
        return event, gaze.px.copy(), gaze.uncertainty_px(pose.head), gaze.dwell_s(t_s)

    return step

    return step


def tracker() -> Step:
    finder = Scripted()
    eyes = Tracker(SCREEN, finder=finder)

    def step(look: Look, t_s: float) -> object:
        finder.landmarks = look.landmarks
        if look.seed % 7 == 0:
            eyes.click(look.point_px, t_s)
        return eyes.track(look.image, t_s)

    return step


def follower() -> Step:
    follow = Follower(0.5)
    binding = Binding.model_validate({"follow": "openness", "from": (0.0, 1.0), "to": (0.0, 2.0)})
    return lambda look, t_s: follow.step(
        binding, {"openness": look.ratio if look.seen else None}, t_s
    )


STREAMS: dict[type, Callable[[], Step]] = {
    OneEuro: one_euro,
    EventDetector: movements,
    LidBaseline: lid_baseline,
    BlinkDetector: blinks,
    Attention: attention,
    AngleOffset: angle_offset,
    PointerGaze: pointer,
    PupilMeter: pupil_meter,
    PupilCleaner: cleaner,
    LightReflex: reflex,
    HeadStabilizer: stabilizer,
    DriftCorrection: drift,
    Calibration: calibration,
    PointCollection: point_collection,
    PointOfGaze: point_of_gaze,
    Tracker: tracker,
    Follower: follower,
}


def number(low: float, high: float) -> st.SearchStrategy[float]:
    return st.floats(low, high, allow_nan=False)


LOOKS = st.lists(
    st.builds(
        Look,
        step_s=st.sampled_from([0.001, 1 / 60, 1 / 30, 1 / 30, 1 / 30, 0.2, 1.5, 0.0]),
        seen=st.sampled_from([True, True, True, True, False]),
        point_px=st.tuples(number(-4e3, 6e3), number(-4e3, 6e3)),
        ratio=number(0.0, 0.6),
        rotation_deg=st.tuples(number(-80, 80), number(-60, 60), number(-60, 60)),
        eyes_mm=st.tuples(number(-300, 300), number(-200, 200), number(150, 2000)),
        iris_mm=st.tuples(number(-8, 8), number(-8, 8)),
        seed=st.integers(0, 1000),
    ),
    min_size=1,
    max_size=40,
)


def feed(make: Callable[[], Step], looks: list[Look]) -> tuple[list[object], list[object]]:
    """Return the output at each look, and a copy of it taken at once."""
    step, t_s = make(), 100.0
    outputs: list[object] = []
    copies: list[object] = []
    for look in looks:
        t_s += look.step_s
        outputs.append(step(look, t_s))
        copies.append(copy.deepcopy(outputs[-1]))
    return outputs, copies


def same(one: Any, other: Any) -> bool:
    if isinstance(one, np.ndarray):
        return np.array_equal(one, other)
    if dataclasses.is_dataclass(one):
        return type(one) is type(other) and all(
            same(getattr(one, field.name), getattr(other, field.name))
            for field in dataclasses.fields(one)
        )
    if isinstance(one, list | tuple):
        return len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return bool(one == other)


def finite(value: Any) -> bool:
    if isinstance(value, np.ndarray):
        return bool(np.isfinite(value).all())
    if dataclasses.is_dataclass(value):
        return all(finite(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, list | tuple):
        return all(map(finite, value))
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)


def walk(seed: int, count: int = 140) -> list[Look]:
    """Return looks of somebody whose gaze jumps, who blinks, and whose face is lost at times."""
    rng = np.random.default_rng(seed)
    looks, point = [], np.array([900.0, 500.0])
    for frame in range(count):
        if rng.random() < 0.05:
            point = rng.uniform((0, 0), (1920, 1080))
        looks.append(
            Look(
                step_s=float(rng.choice([1 / 30, 1 / 30, 1 / 15, 0.2])),
                seen=not 60 <= frame < 64,
                point_px=tuple((point + rng.normal(0, 20, 2)).tolist()),
                ratio=0.03 if frame % 40 in (30, 31, 32) else float(rng.normal(0.29, 0.01)),
                rotation_deg=tuple(rng.normal(0, 5, 3).tolist()),
                eyes_mm=(float(rng.normal(0, 20)), float(rng.normal(0, 20)), 300.0),
                iris_mm=tuple(rng.normal(0, 1, 2).tolist()),
                seed=int(rng.integers(1, 7)),
            )
        )
    return looks


@pytest.mark.parametrize("make", STREAMS.values(), ids=lambda make: make.__name__)
@pytest.mark.parametrize("cut", [1, 33, 61, 120])
def test_only_the_past_counts(make: Callable[[], Step], cut: int) -> None:
    whole = walk(1)
    other = whole[:cut] + walk(2)[cut:]
    outputs, copies = feed(make, whole)
    assert same(outputs, copies), "an output was changed later"
    assert same(feed(make, other)[0][:cut], copies[:cut])
    assert same(feed(make, whole[:cut])[0], copies[:cut])


@pytest.mark.parametrize("make", STREAMS.values(), ids=lambda make: make.__name__)
def test_the_test_can_fail_because_the_output_depends_on_the_input(
    make: Callable[[], Step],
) -> None:
    one, _ = feed(make, walk(1))
    other, _ = feed(make, walk(2))
    assert not same(one, other)


@pytest.mark.parametrize("make", STREAMS.values(), ids=lambda make: make.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks=LOOKS)
def test_nothing_is_ever_nan(make: Callable[[], Step], looks: list[Look]) -> None:
    outputs, _ = feed(make, looks)
    assert all(map(finite, outputs))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks=LOOKS)
def test_there_is_no_point_of_gaze_before_open_eyes_were_seen(looks: list[Look]) -> None:
    blind = [dataclasses.replace(look, ratio=0.02, seed=1) for look in looks]
    for sample in feed(tracker, blind)[0]:
        assert isinstance(sample, GazeSample)
        assert sample.screen_px is None
        assert sample.confidence == 0.0
        assert sample.uncertainty_px is None
        assert sample.dwell_s is None
        assert sample.event in ("blink", "lost")
        assert not sample.attentive


def test_every_stream_is_here() -> None:
    """A stream is a public class with a public method that takes `t_s`."""
    streams = set()
    for module in pkgutil.walk_packages(gaze.vision.__path__, "gaze.vision."):
        loaded = importlib.import_module(module.name)
        for name, found in inspect.getmembers(loaded, inspect.isclass):
            if name.startswith("_") or found.__module__ != loaded.__name__:
                continue
            methods = inspect.getmembers(found, inspect.isfunction)
            if any(
                "t_s" in inspect.signature(method).parameters
                for called, method in methods
                if not called.startswith("_")
            ):
                streams.add(found)
    assert streams <= set(STREAMS)
    assert streams >= set(STREAMS) - {Follower, HeadStabilizer}
