"""Every streaming filter and detector of the eyes, all under the same two tests.

What it says at a time depends on what came before that time and on nothing later, also when what
it said is looked at again later; and whatever it is fed, it never says NaN or infinity. A class
of `gaze.vision` that takes its time from the caller and is missing here fails the last test.
"""

import copy
import dataclasses
import importlib
import inspect
import math
import pkgutil

import cv2
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import gaze.vision
from gaze.effects.parameters import Binding, Follower
from gaze.vision.events.attention import Attention
from gaze.vision.events.blinks import Blinks
from gaze.vision.events.detector import EventDetector
from gaze.vision.face.eye_landmarks import EYES, LidBaseline
from gaze.vision.face.finder import LANDMARKS, Landmarks
from gaze.vision.filters import OneEuro
from gaze.vision.head.pose import head_pose, iris_diameters_px
from gaze.vision.head.stabilizer import HeadStabilizer
from gaze.vision.iris.light_reflex import LightReflex
from gaze.vision.iris.pupil import PupilMeter
from gaze.vision.iris.pupil_cleaning import PupilCleaner
from gaze.vision.iris.refinement import LIDS, cut_eyes, find_irises
from gaze.vision.pointer import PointerGaze
from gaze.vision.regression.calibration import Calibration
from gaze.vision.regression.drift import Drift
from gaze.vision.regression.eyeball_model import SightLevel
from gaze.vision.regression.features import SIZE
from gaze.vision.sample import Screen
from gaze.vision.tracker import Tracker
from simulation.landmarks import make_landmarks, rotation

SCREEN = Screen(1920.0, 1080.0)


@dataclasses.dataclass(frozen=True)
class Look:
    """What one frame shows, for whichever stream it is fed to."""

    step_s: float
    seen: bool
    point_px: tuple[float, float]
    ratio: float
    turn_deg: tuple[float, float, float]
    eyes_mm: tuple[float, float, float]
    iris_mm: tuple[float, float]
    seed: int

    @property
    def landmarks(self):
        if not self.seen:
            return None
        if self.seed % 11 == 0:  # what no face looks like
            points = np.random.default_rng(self.seed).normal(0.0, 400.0, (LANDMARKS, 3))
            return Landmarks(points, 640, 480)
        return make_landmarks(rotation(*self.turn_deg), self.eyes_mm, self.iris_mm, self.ratio)

    @property
    def image(self):
        grain = np.random.default_rng(self.seed).integers(140, 200, (12, 16, 3), np.uint8)
        picture = np.repeat(np.repeat(grain, 40, axis=0), 40, axis=1)
        landmarks = self.landmarks
        if landmarks is not None and np.abs(landmarks.points_px[:, :2]).max() < 1e4:
            radius_px = sum(iris_diameters_px(landmarks)) / 4.0
            for eye in EYES:
                centre = np.round(landmarks.points_px[eye.iris, :2]).astype(int).tolist()
                for share, grey in ((1.0, 120), (0.3 + 0.03 * (self.seed % 6), 20)):
                    cv2.circle(picture, centre, round(share * radius_px), [grey] * 3, -1)
        return picture


class Scripted:
    """A face backend whose landmarks are given to it."""

    def __init__(self):
        self.landmarks = None

    def find(self, image_rgb):
        return self.landmarks

    def close(self):
        pass


def one_euro():
    smooth = OneEuro(1.0, 0.01)
    return lambda look, t_s: smooth.update(np.array(look.point_px), t_s)


def movements():
    detector = EventDetector(50.0)

    def step(look, t_s):
        if not look.seen:
            detector.clear()
            return detector.dwell_s(t_s)
        return detector.update(np.array(look.point_px), t_s), detector.noise_px

    return step


def lid_baseline():
    baseline = LidBaseline()
    return lambda look, t_s: baseline.openness(look.ratio, t_s)


def blinks():
    detector = Blinks()

    def step(look, t_s):
        told = None
        if look.seen:
            told = detector.update(look.ratio, min(look.ratio / 0.3, 1.0), t_s)
        else:
            detector.forget()
        rates = detector.rate_per_min(t_s), detector.perclos(t_s)
        return told, detector.closed, detector.unsettled, rates

    return step


def attention():
    detector = Attention()
    return lambda look, t_s: detector.update(
        look.seen, look.ratio < 0.1, look.point_px[0] > 0.0, t_s
    )


def level():
    learned = SightLevel()

    def step(look, t_s):
        angles = np.radians(look.turn_deg[:2])
        learned.update(np.array([*angles, 0.0, 0.0, 0.6, 0.0, 0.0, 0.0]), SCREEN, t_s)
        return tuple(learned.angles)

    return step


def pointer():
    gaze_point = PointerGaze(SCREEN)

    def step(look, t_s):
        if look.seen:
            gaze_point.move(look.point_px, t_s)
        return gaze_point.sample(t_s)

    return step


def with_whole_lids(landmarks):
    """The landmarks of a made face have the lids' middles and ends alone."""
    points = landmarks.points_px.copy()
    along = np.linspace(-1.0, 1.0, 9)[:, None]
    for lid in (list(lid) for pair in LIDS for lid in pair):
        first, top, last = points[[lid[0], lid[4], lid[-1]]]
        straight = first + (last - first) * (along + 1.0) / 2.0
        points[lid] = straight + (top - (first + last) / 2.0) * (1.0 - along**4)
    return Landmarks(points, landmarks.width_px, landmarks.height_px)


def pupil_meter():
    meter = PupilMeter()

    def step(look, t_s):
        landmarks = look.landmarks
        if landmarks is None:
            return None
        opened = min(look.ratio / 0.3, 1.0)
        crop = cut_eyes(look.image, landmarks)
        irises = None if crop is None else find_irises(crop, with_whole_lids(landmarks))
        return meter.measure(irises, (opened, opened), t_s, head_pose(landmarks))

    return step


def cleaner():
    cleaned = PupilCleaner()
    return lambda look, t_s: cleaned.update(10.0 * look.ratio if look.seen else None, t_s)


def reflex():
    learned = LightReflex()

    def step(look, t_s):
        learned.see(min(look.ratio, 1.0), None, t_s)
        return learned.without(4.0 + look.ratio, t_s)

    return step


def anchor():
    held = HeadStabilizer()

    def step(look, t_s):
        landmarks = look.landmarks
        crop = None if landmarks is None else cut_eyes(look.image, landmarks)
        pose = None if landmarks is None else head_pose(landmarks)
        if crop is None or pose is None:
            return None
        return tuple(held.place(crop, landmarks, pose).eyes_mm)

    return step


def drift():
    learned = Drift()

    def step(look, t_s):
        head = np.array([*look.turn_deg, *look.iris_mm, look.ratio]) / 10.0
        if look.seed % 3 == 0:
            learned.learn(np.array(look.point_px) / 1e4, head, t_s)
        return learned.shift(head, t_s)

    return step


def calibration():
    machine = Calibration(SCREEN)
    machine.act("start", None, 0.0)
    targets = iter([(x, y) for y in (100.0, 540.0, 980.0) for x in (200.0, 960.0, 1700.0)] * 50)

    machine.act("point", next(targets), 100.0)
    points = 0

    def step(look, t_s):
        nonlocal points
        features = np.random.default_rng(look.seed).normal(0.0, 0.1, SIZE) if look.seen else None
        told = machine.observe(features, look.ratio < 0.1, t_s)
        if told and told[-1].state != "collecting":
            accepted = told[-1].state == "accepted"
            points += accepted
            if accepted and points == 5:
                told = [*told, *machine.act("finish", None, t_s)]
            told = [*told, *machine.act("point", next(targets), t_s)]
        return told

    return step


def tracker():
    finder = Scripted()
    eyes = Tracker(SCREEN, finder=finder)

    def step(look, t_s):
        finder.landmarks = look.landmarks
        if look.seed % 7 == 0:
            eyes.click(look.point_px, t_s)
        return eyes.track(look.image, t_s)

    return step


def follower():
    follow = Follower(0.5)
    binding = Binding.model_validate({"follow": "openness", "from": (0.0, 1.0), "to": (0.0, 2.0)})
    return lambda look, t_s: follow.step(
        binding, {"openness": look.ratio if look.seen else None}, t_s
    )


STREAMS = {
    OneEuro: one_euro,
    EventDetector: movements,
    LidBaseline: lid_baseline,
    Blinks: blinks,
    Attention: attention,
    SightLevel: level,
    PointerGaze: pointer,
    PupilMeter: pupil_meter,
    PupilCleaner: cleaner,
    LightReflex: reflex,
    HeadStabilizer: anchor,
    Drift: drift,
    Calibration: calibration,
    Tracker: tracker,
    Follower: follower,
}


def number(low, high):
    return st.floats(low, high, allow_nan=False)


LOOKS = st.lists(
    st.builds(
        Look,
        step_s=st.sampled_from([0.001, 1 / 60, 1 / 30, 1 / 30, 1 / 30, 0.2, 1.5, 0.0]),
        seen=st.sampled_from([True, True, True, True, False]),
        point_px=st.tuples(number(-4e3, 6e3), number(-4e3, 6e3)),
        ratio=number(0.0, 0.6),
        turn_deg=st.tuples(number(-80, 80), number(-60, 60), number(-60, 60)),
        eyes_mm=st.tuples(number(-300, 300), number(-200, 200), number(150, 2000)),
        iris_mm=st.tuples(number(-8, 8), number(-8, 8)),
        seed=st.integers(0, 1000),
    ),
    min_size=1,
    max_size=40,
)


def feed(make, looks):
    """Return what is said at each look, and the same as it stood when it was said."""
    step, t_s = make(), 100.0
    said, then = [], []
    for look in looks:
        t_s += look.step_s
        said.append(step(look, t_s))
        then.append(copy.deepcopy(said[-1]))
    return said, then


def same(one, other):
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
    return one == other


def finite(value):
    if isinstance(value, np.ndarray):
        return bool(np.isfinite(value).all())
    if dataclasses.is_dataclass(value):
        return all(finite(getattr(value, field.name)) for field in dataclasses.fields(value))
    if isinstance(value, list | tuple):
        return all(map(finite, value))
    if isinstance(value, dict):
        return all(map(finite, value.values()))
    return not isinstance(value, float) or math.isfinite(value)


def walk(seed, count=140):
    """Looks of somebody whose gaze jumps, who blinks, and whose face is lost at times."""
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
                turn_deg=tuple(rng.normal(0, 5, 3).tolist()),
                eyes_mm=(float(rng.normal(0, 20)), float(rng.normal(0, 20)), 300.0),
                iris_mm=tuple(rng.normal(0, 1, 2).tolist()),
                seed=int(rng.integers(1, 7)),
            )
        )
    return looks


@pytest.mark.parametrize("make", STREAMS.values(), ids=lambda make: make.__name__)
@pytest.mark.parametrize("cut", [1, 33, 61, 120])
def test_only_the_past_counts(make, cut):
    whole = walk(1)
    other = whole[:cut] + walk(2)[cut:]
    said, then = feed(make, whole)
    assert same(said, then), "what was said was changed later"
    assert same(feed(make, other)[0][:cut], then[:cut])
    assert same(feed(make, whole[:cut])[0], then[:cut])


@pytest.mark.parametrize("make", STREAMS.values(), ids=lambda make: make.__name__)
def test_the_test_can_fail_because_what_is_said_does_change(make):
    said, _ = feed(make, walk(1))
    other, _ = feed(make, walk(2))
    assert not same(said, other)


@pytest.mark.parametrize("make", STREAMS.values(), ids=lambda make: make.__name__)
@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks=LOOKS)
def test_nothing_is_ever_nan(make, looks):
    said, _ = feed(make, looks)
    assert all(map(finite, said))


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(looks=LOOKS)
def test_no_place_is_told_before_open_eyes_were_seen(looks):
    blind = [dataclasses.replace(look, ratio=0.02, seed=1) for look in looks]
    for sample in feed(tracker, blind)[0]:
        assert sample.screen_px is None
        assert sample.confidence == 0.0
        assert sample.uncertainty_px is None
        assert sample.dwell_s is None
        assert sample.event in ("blink", "lost")
        assert not sample.attentive


def test_every_stream_is_here():
    """A stream is a public class with a public method that takes `t_s`."""
    streams = set()
    for module in pkgutil.iter_modules(gaze.vision.__path__):
        loaded = importlib.import_module(f"gaze.vision.{module.name}")
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
