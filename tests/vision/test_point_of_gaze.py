"""The point of gaze from features: smoothing, clicks, clearing, uncertainty."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.head.pose import Pose, head_pose
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.point_of_gaze import UNCALIBRATED_ERROR_DEG, PointOfGaze
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.features import EYEBALLS, SIZE, EyeReading
from gaze.vision.regression.gaze_model import GazeModel, TrainingSet
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import px_per_degree
from simulation.viewers.landmarks import make_landmarks

SCREEN = Screen(1600, 900, diagonal_mm=400.0)
STEP_S = 1 / 30
EYES = EyeReading(np.zeros((2, 2)), (0.28, 0.28))
CENTRE_PX = np.array([319.5, 239.5])


@pytest.fixture(scope="module")
def pose() -> Pose:
    found = head_pose(make_landmarks())
    assert found is not None
    return found


def features(pose: Pose, shift_px: tuple[float, float] = (0.0, 0.0)) -> FloatArray:
    """Return features of irises that are shifted in the picture."""
    row = np.zeros(SIZE)
    irises = np.array([[290.0, 239.0], [349.0, 239.0]]) + shift_px
    rigid = RigidPose.from_pose(pose)
    row[EYEBALLS] = eyeball_model.eyeball_features(irises, CENTRE_PX, rigid)
    return row


def look(
    gaze: PointOfGaze,
    pose: Pose,
    start_s: float,
    shift_px: tuple[float, float] = (0.0, 0.0),
    frames: int = 15,
) -> FloatArray:
    for frame in range(frames):
        gaze.update(features(pose, shift_px), EYES, pose, start_s + frame * STEP_S)
    assert gaze.px is not None
    return gaze.px.copy()


def calibrated(accuracy: float = 0.05) -> PointOfGaze:
    random = np.random.default_rng(0)
    points = TrainingSet(
        random.normal(0.0, 0.1, (5, SIZE)),
        random.uniform(0.2, 0.4, (5, 2)),
        np.zeros(5, np.intp),
        SCREEN,
    )
    return PointOfGaze(SCREEN, GazeModel(points, 1, accuracy))


def test_irises_toward_the_images_left_look_to_the_right(pose: Pose) -> None:
    gaze = PointOfGaze(SCREEN)
    middle = look(gaze, pose, 0.0)
    assert look(gaze, pose, 0.5, (-3.0, 0.0))[0] > middle[0] + 100.0


def test_a_saccade_is_an_event_and_starts_a_new_dwell(pose: Pose) -> None:
    gaze = PointOfGaze(SCREEN)
    look(gaze, pose, 0.0, frames=30)
    assert gaze.dwell_s(1.0) == pytest.approx(1.0)
    events = [
        gaze.update(features(pose, (-3.0, 0.0)), EYES, pose, 1.0 + frame * STEP_S)
        for frame in range(4)
    ]
    assert "saccade" in events
    dwell_s = gaze.dwell_s(1.0 + 4 * STEP_S)
    assert dwell_s is not None and dwell_s < 0.2


def test_clicks_move_the_gaze_and_the_model_remembers_it(pose: Pose) -> None:
    gaze = calibrated()
    x, y = look(gaze, pose, 0.0)
    gaze.click((x + 200.0, y - 100.0), 14 * STEP_S)
    assert look(gaze, pose, 0.5) == pytest.approx([x + 100.0, y - 50.0], abs=15.0)
    assert gaze.model is not None
    assert gaze.model.shift * (1600.0, 900.0) == pytest.approx([100.0, -50.0], abs=1.0)


@pytest.mark.parametrize(
    ("click_px", "t_s"),
    [((1e4, 0.0), 14 * STEP_S), ((float("nan"), 0.0), 14 * STEP_S), ((900.0, 400.0), 9.0)],
)
def test_a_click_without_looking_changes_nothing(
    pose: Pose, click_px: tuple[float, float], t_s: float
) -> None:
    gaze = calibrated()
    before = look(gaze, pose, 0.0)
    gaze.click(click_px, t_s)
    assert look(gaze, pose, 0.5) == pytest.approx(before, abs=1.0)


def test_after_clear_nothing_is_known(pose: Pose) -> None:
    gaze = PointOfGaze(SCREEN)
    look(gaze, pose, 0.0)
    gaze.clear()
    assert gaze.px is None
    assert gaze.dwell_s(1.0) is None


def test_a_new_model_or_screen_starts_again(pose: Pose) -> None:
    gaze = PointOfGaze(SCREEN)
    look(gaze, pose, 0.0)
    gaze.model = calibrated().model
    assert gaze.px is None
    look(gaze, pose, 1.0)
    gaze.screen = Screen(800, 450)
    assert gaze.px is None


def test_the_uncertainty_is_that_of_the_calibration(pose: Pose) -> None:
    degree_px = px_per_degree(SCREEN, pose.head.distance_mm)
    uncalibrated_px = PointOfGaze(SCREEN).uncertainty_px(pose.head)
    assert uncalibrated_px == pytest.approx(UNCALIBRATED_ERROR_DEG * degree_px, rel=0.1)
    assert calibrated(0.1).uncertainty_px(pose.head) == pytest.approx(160.0, rel=0.1)
