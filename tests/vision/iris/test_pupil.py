"""Pupil discs of known size: drawn alone, and painted into a viewer's eyes."""

from collections.abc import Iterator
from typing import Any

import numpy as np
import pytest

from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.face.landmark_indices import CHIN, FOREHEAD, LIDS
from gaze.vision.head.pose import head_pose
from gaze.vision.iris.pupil import MIN_MM_CONFIDENCE, IrisDiameter, PupilEvidence, PupilMeter
from gaze.vision.iris.refinement import EyeCrop, Irises, crop_eyes, find_irises
from gaze.vision.sample import Pupil
from simulation.viewers.landmarks import make_landmarks
from simulation.viewers.painted import viewer_frame

STEP_S = 1 / 30
Pair = tuple[float, float]


def draw_eyes(
    ratio: float,
    iris_radius: float = 20.0,
    shift: Pair = (0.0, 0.0),
    iris_grey: float = 120.0,
    pupil_grey: float = 20.0,
    noise: float = 3.0,
) -> EyeCrop:
    """Return two grey eyes, 80x80 each, with irises in their centres."""
    y, x = np.mgrid[0:80, 0:80].astype(np.float32)
    away = np.hypot(x - 40, y - 40)
    inner = np.hypot(x - 40 - shift[0], y - 40 - shift[1])
    eye = np.where(away < iris_radius, iris_grey, 200.0)
    edge = np.clip((ratio * iris_radius - inner) / 2 + 0.5, 0, 1)
    eye = np.hstack([eye * (1 - edge) + pupil_grey * edge] * 2)
    rng = np.random.default_rng(0)
    noisy = np.clip(eye + rng.normal(0, noise, eye.shape) + 0.5, 0, 255)
    return EyeCrop(noisy.astype(np.uint8), np.array([0, 0]))


def landmarks_around(iris_radius: float = 20.0, shift: Pair = (0.0, 0.0)) -> Landmarks:
    """Return landmarks of open eyes in a frontal face, with the irises off by `shift`."""
    points = np.zeros((478, 3))
    points[FOREHEAD], points[CHIN] = (80.0, -100.0, 0.0), (80.0, 200.0, 0.0)
    for (upper, lower), middle, iris in zip(LIDS, (40.5, 120.5), (468, 473), strict=True):
        for lid, bow in ((upper, -1.0), (lower, 1.0)):
            across = np.linspace(-2.0, 2.0, len(lid)) * iris_radius
            down = bow * 1.6 * iris_radius * (1.0 - (across / iris_radius / 2.0) ** 2)
            points[list(lid), :2] = np.column_stack([across + middle, down + 40.5])
        ring = np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)]) * iris_radius
        points[iris : iris + 5, :2] = ring + np.array([middle, 40.5]) + shift
    return Landmarks(points, 160, 80)


def found(crop: EyeCrop, landmarks: Landmarks) -> Irises:
    irises = find_irises(crop, landmarks)
    assert irises is not None
    return irises


def irises_of(
    ratio: float, iris_radius: float = 20.0, landmark_shift: Pair = (0.0, 0.0), **drawn: Any
) -> Irises:
    crop = draw_eyes(ratio, iris_radius, **drawn)
    return found(crop, landmarks_around(iris_radius, landmark_shift))


def ratio_of(irises: Irises) -> float:
    assert irises.pupils is not None
    return irises.pupils.ratio


def confidence(irises: Irises) -> float:
    if irises.pupils is None:
        return 0.0
    return PupilEvidence(irises.pupils, irises.radius_px).confidence


@pytest.mark.parametrize("ratio", [0.22, 0.3, 0.4, 0.5, 0.6])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.5, -1.0)])
def test_size_of_a_drawn_pupil(ratio: float, shift: Pair) -> None:
    irises = irises_of(ratio, shift=shift)
    assert ratio_of(irises) == pytest.approx(ratio, abs=0.035)
    assert confidence(irises) > 0.6


def test_an_iris_landmark_that_is_a_little_off_does_no_harm() -> None:
    irises = irises_of(0.4, landmark_shift=(2.0, -1.5))
    assert ratio_of(irises) == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize(
    "eye",
    [
        {"iris_grey": 27.0},  # a dark iris
        {"iris_grey": 60.0, "pupil_grey": 45.0, "noise": 15.0},  # a dim picture
    ],
)
def test_confidence_is_low_where_the_edge_is_faint(eye: dict[str, Any]) -> None:
    assert confidence(irises_of(0.4, **eye)) < 0.3


def test_confidence_is_low_for_a_small_iris() -> None:
    assert confidence(irises_of(0.4, iris_radius=5.0)) < 0.3


def test_a_uniform_surface_has_no_pupil() -> None:
    plain = EyeCrop(np.full((80, 160), 100, np.uint8), np.array([0, 0]))
    assert found(plain, landmarks_around()).pupils is None


def test_an_eye_at_the_edge_of_the_frame_is_not_measured() -> None:
    crop = draw_eyes(0.4)
    cut = EyeCrop(crop.grey[:, 30:], np.array([30, 0]))
    assert found(crop, landmarks_around()).pupils is not None
    assert found(cut, landmarks_around()).pupils is None


def estimated_mm(
    iris: IrisDiameter, true_mm: float, distance_mm: float = 600.0, frames: int = 1
) -> float:
    """Return the estimate after frames of a viewer with a face of average size and such irises."""
    pose = head_pose(make_landmarks(eyes_mm=(0.0, 0.0, distance_mm)))
    assert pose is not None
    for _ in range(frames):
        iris.update(true_mm / 2.0 * pose.focal_px / distance_mm, pose)
    return iris.mm


@pytest.mark.parametrize("distance_mm", [300.0, 600.0])
def test_an_iris_that_is_large_relative_to_the_face_is_estimated_larger(
    distance_mm: float,
) -> None:
    assert estimated_mm(IrisDiameter(), 11.7, distance_mm) == pytest.approx(11.7, abs=0.05)
    assert estimated_mm(IrisDiameter(), 12.7, distance_mm) == pytest.approx(12.1, abs=0.05)
    assert estimated_mm(IrisDiameter(), 10.7, distance_mm) == pytest.approx(11.3, abs=0.05)


def test_the_diameter_does_not_follow_single_frames_nor_leave_the_human_range() -> None:
    iris = IrisDiameter()
    before = estimated_mm(iris, 12.2, frames=300)
    assert estimated_mm(iris, 25.0) == pytest.approx(before, abs=0.01)
    assert 12.0 < estimated_mm(IrisDiameter(), 25.0, frames=900) < 12.8
    assert 10.6 < estimated_mm(IrisDiameter(), 5.0, frames=900) < 11.4


class Camera:
    """Films viewers and measures their pupils."""

    def __init__(self) -> None:
        self.finder = MeshFaceFinder()

    def last(
        self,
        meter: PupilMeter,
        seconds: float,
        start_s: float,
        openness: float = 1.0,
        reported_openness: float | None = None,
        **looks: Any,
    ) -> Pupil | None:
        """Return the pupil in the last frame."""
        pupil = None
        reported = openness if reported_openness is None else reported_openness
        for number in range(round(seconds / STEP_S)):
            image = viewer_frame(openness=openness, noise=number, **looks)
            landmarks = self.finder.find(image)
            assert landmarks is not None
            crop = crop_eyes(image, landmarks)
            assert crop is not None
            irises = find_irises(crop, landmarks)
            t_s = start_s + number * STEP_S
            pupil = meter.measure(irises, (reported, reported), t_s)
        return pupil

    def measured(self, meter: PupilMeter, seconds: float, start_s: float, **looks: Any) -> Pupil:
        pupil = self.last(meter, seconds, start_s, **looks)
        assert pupil is not None
        return pupil

    def change(self, meter: PupilMeter, seconds: float, start_s: float, **looks: Any) -> float:
        relative = self.measured(meter, seconds, start_s, **looks).relative
        assert relative is not None
        return relative


@pytest.fixture(scope="module")
def camera() -> Iterator[Camera]:
    opened = Camera()
    yield opened
    opened.finder.close()


@pytest.mark.parametrize("mm", [3.0, 4.0, 5.0])
def test_size_of_a_painted_pupil(camera: Camera, mm: float) -> None:
    pupil = camera.measured(PupilMeter(), 0.8, 0.0, pupil_mm=mm)
    assert pupil.mm == pytest.approx(mm, abs=0.7)
    assert pupil.confidence > 0.5
    assert pupil.relative is None


def test_a_diameter_of_low_confidence_is_reported_as_a_change_only(camera: Camera) -> None:
    pupil = camera.measured(PupilMeter(), 1.5, 0.0, reported_openness=0.46)
    assert 0.0 < pupil.confidence < MIN_MM_CONFIDENCE
    assert pupil.mm is None
    assert pupil.relative == pytest.approx(0.0, abs=0.1)


def test_a_dilating_pupil_rises_over_its_baseline_and_comes_back(camera: Camera) -> None:
    meter = PupilMeter()
    assert camera.change(meter, 2.0, 0.0, pupil_mm=3.0) == pytest.approx(0.0, abs=0.05)
    wide = camera.measured(meter, 1.0, 2.0, pupil_mm=6.0)
    assert wide.relative is not None and wide.relative > 0.4
    assert wide.confidence > 0.4
    assert abs(camera.change(meter, 1.0, 3.0, pupil_mm=3.0)) < 0.1


def test_closed_eyes_show_no_pupil(camera: Camera) -> None:
    meter = PupilMeter()
    camera.last(meter, 1.0, 0.0)
    assert camera.last(meter, 0.5, 1.0, openness=0.0) is None
