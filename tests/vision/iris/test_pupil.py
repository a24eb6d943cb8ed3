"""Pupil discs of known size: drawn alone, and painted into a viewer's eyes."""

import numpy as np
import pytest

from gaze.vision.face.finder import Landmarks, MeshFaceFinder
from gaze.vision.head.pose import head_pose
from gaze.vision.iris.pupil import RELATIVE_ONLY, Evidence, IrisSize, PupilMeter
from gaze.vision.iris.refinement import LIDS, Crop, cut_eyes, find_irises
from simulation.landmarks import make_landmarks
from simulation.viewers import viewer_frame

STEP_S = 1 / 30


def draw_eyes(
    ratio, iris_radius=20.0, shift=(0.0, 0.0), iris_grey=120.0, pupil_grey=20.0, noise=3.0
):
    """Two grey eyes, 80x80 each, irises in their middles; returns what finds them."""
    y, x = np.mgrid[0:80, 0:80].astype(np.float32)
    away = np.hypot(x - 40, y - 40)
    inner = np.hypot(x - 40 - shift[0], y - 40 - shift[1])
    eye = np.where(away < iris_radius, iris_grey, 200.0)
    edge = np.clip((ratio * iris_radius - inner) / 2 + 0.5, 0, 1)
    eye = np.hstack([eye * (1 - edge) + pupil_grey * edge] * 2)
    rng = np.random.default_rng(0)
    noisy = np.clip(eye + rng.normal(0, noise, eye.shape) + 0.5, 0, 255)
    return Crop(noisy.astype(np.uint8), np.array([0, 0]))


def landmarks_around(iris_radius=20.0, shift=(0.0, 0.0)):
    """Landmarks of such eyes, wide open, in a face that looks straight ahead; the irises' are
    beside their places by `shift`."""
    points = np.zeros((478, 3))
    points[10], points[152] = (80.0, -100.0, 0.0), (80.0, 200.0, 0.0)
    for (upper, lower), middle, iris in zip(LIDS, (40.5, 120.5), (468, 473), strict=True):
        for lid, bow in ((upper, -1.0), (lower, 1.0)):
            across = np.linspace(-2.0, 2.0, len(lid)) * iris_radius
            down = bow * 1.6 * iris_radius * (1.0 - (across / iris_radius / 2.0) ** 2)
            points[list(lid), :2] = np.column_stack([across + middle, down + 40.5])
        ring = np.array([(0, 0), (1, 0), (0, -1), (-1, 0), (0, 1)]) * iris_radius
        points[iris : iris + 5, :2] = ring + np.array([middle, 40.5]) + shift
    return Landmarks(points, 160, 80)


def disc_of(ratio, iris_radius=20.0, beside=(0.0, 0.0), **drawn):
    crop = draw_eyes(ratio, iris_radius, **drawn)
    return find_irises(crop, landmarks_around(iris_radius, beside))


def confidence(irises):
    return 0.0 if irises.disc is None else Evidence(irises.disc, irises.radius_px).confidence


@pytest.mark.parametrize("ratio", [0.22, 0.3, 0.4, 0.5, 0.6])
@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.5, -1.0)])
def test_size_of_a_drawn_pupil(ratio, shift):
    irises = disc_of(ratio, shift=shift)
    assert irises.disc.ratio == pytest.approx(ratio, abs=0.035)
    assert confidence(irises) > 0.6


def test_an_iris_centre_that_is_a_little_off_does_no_harm():
    irises = disc_of(0.4, beside=(2.0, -1.5))
    assert irises.disc.ratio == pytest.approx(0.4, abs=0.03)


@pytest.mark.parametrize(
    "eye",
    [
        {"iris_grey": 27.0},  # a dark iris
        {"iris_grey": 60.0, "pupil_grey": 45.0, "noise": 15.0},  # a dim picture
    ],
)
def test_confidence_is_low_where_the_edge_is_faint(eye):
    assert confidence(disc_of(0.4, **eye)) < 0.3


def test_confidence_is_low_for_a_small_iris():
    assert confidence(disc_of(0.4, iris_radius=5.0)) < 0.3


def test_a_plain_surface_has_no_pupil():
    plain = Crop(np.full((80, 160), 100, np.uint8), np.array([0, 0]))
    assert find_irises(plain, landmarks_around()).disc is None


def test_an_eye_at_the_edge_of_the_frame_is_not_measured():
    crop = draw_eyes(0.4)
    cut = Crop(crop.grey[:, 30:], np.array([30, 0]))
    assert find_irises(crop, landmarks_around()).disc is not None
    assert find_irises(cut, landmarks_around()).disc is None


def iris_seen(iris, true_mm, distance_mm=600.0, frames=1):
    """Lets a viewer with a face of average size and such irises be seen."""
    pose = head_pose(make_landmarks(eyes_mm=(0.0, 0.0, distance_mm)))
    for _ in range(frames):
        iris.see(true_mm / 2.0 * pose.focal_px / distance_mm, pose)
    return iris.mm


@pytest.mark.parametrize("distance_mm", [300.0, 600.0])
def test_an_iris_is_thought_larger_where_it_is_so_against_the_face(distance_mm):
    assert iris_seen(IrisSize(), 11.7, distance_mm) == pytest.approx(11.7, abs=0.05)
    assert iris_seen(IrisSize(), 12.7, distance_mm) == pytest.approx(12.1, abs=0.05)
    assert iris_seen(IrisSize(), 10.7, distance_mm) == pytest.approx(11.3, abs=0.05)


def test_the_size_of_an_iris_does_not_follow_single_frames_nor_leave_what_people_have():
    iris = IrisSize()
    before = iris_seen(iris, 12.2, frames=300)
    assert iris_seen(iris, 25.0) == pytest.approx(before, abs=0.01)
    assert 12.0 < iris_seen(IrisSize(), 25.0, frames=900) < 12.8
    assert 10.6 < iris_seen(IrisSize(), 5.0, frames=900) < 11.4


@pytest.fixture(scope="module")
def seen():
    """Watches viewers: `watch(meter, seconds, start_s, **looks)` gives the last pupil; `told` is
    the openness that the meter is told."""
    finder = MeshFaceFinder()

    def watch(meter, seconds, start_s, openness=1.0, told=None, **looks):
        pupil = None
        told = openness if told is None else told
        for number in range(round(seconds / STEP_S)):
            image = viewer_frame(openness=openness, noise=number, **looks)
            landmarks = finder.find(image)
            crop = cut_eyes(image, landmarks)
            irises = find_irises(crop, landmarks)
            t_s = start_s + number * STEP_S
            pupil = meter.measure(irises, (told, told), t_s)
        return pupil

    yield watch
    finder.close()


@pytest.mark.parametrize("mm", [3.0, 4.0, 5.0])
def test_size_of_a_painted_pupil(seen, mm):
    pupil = seen(PupilMeter(), 0.8, 0.0, pupil_mm=mm)
    assert pupil.mm == pytest.approx(mm, abs=0.7)
    assert pupil.confidence > 0.5
    assert pupil.relative is None


def test_a_width_of_low_confidence_is_told_as_a_change_only(seen):
    pupil = seen(PupilMeter(), 1.5, 0.0, told=0.46)
    assert 0.0 < pupil.confidence < RELATIVE_ONLY
    assert pupil.mm is None
    assert pupil.relative == pytest.approx(0.0, abs=0.1)


def test_a_widening_pupil_rises_over_its_baseline_and_comes_back(seen):
    meter = PupilMeter()
    assert seen(meter, 2.0, 0.0, pupil_mm=3.0).relative == pytest.approx(0.0, abs=0.05)
    wide = seen(meter, 1.0, 2.0, pupil_mm=6.0)
    assert wide.relative > 0.4
    assert wide.confidence > 0.4
    assert abs(seen(meter, 1.0, 3.0, pupil_mm=3.0).relative) < 0.1


def test_closed_eyes_show_no_pupil(seen):
    meter = PupilMeter()
    seen(meter, 1.0, 0.0)
    assert seen(meter, 0.5, 1.0, openness=0.0) is None
