"""Models as plain data: what they predict, and which are refused."""

import json
from typing import Any

import numpy as np
import pytest

from gaze.vision.regression.features import EYEBALLS, IRISES, PIXELS, SIZE
from gaze.vision.regression.gaze_model import GazeModel, TrainingSet
from gaze.vision.sample import CalibrationError, Screen

SCREEN = Screen(1600, 900, diagonal_mm=400.0)
NINE = np.array([(x, y) for y in (0.05, 0.28, 0.51) for x in (0.1, 0.5, 0.9)])


def training_set() -> TrainingSet:
    """Eyes whose pixels and irises are linear in nine targets."""
    random = np.random.default_rng(7)
    features = np.zeros((len(NINE), SIZE))
    pixels = 1.0 + (NINE - 0.4) @ random.normal(0, 1, (2, 120))
    features[:, PIXELS] = pixels / np.linalg.norm(pixels, axis=1, keepdims=True)
    features[:, IRISES] = (NINE - 0.4) @ np.array([[-4.0, 0, -4, 0, 0, 0], [0, 3, 0, 3, -2, -2]])
    features[:, EYEBALLS][:, 4] = 0.6
    return TrainingSet(features, NINE, np.zeros(len(NINE), np.intp), SCREEN)


@pytest.fixture(scope="module")
def model() -> dict[str, Any]:
    return GazeModel(training_set(), 0, 0.05).to_json()


def test_the_targets_are_predicted() -> None:
    points = training_set()
    predicted = GazeModel(points, 0, 0.05).predict_px(points.features, SCREEN)
    assert predicted / 1600 == pytest.approx(NINE, abs=0.03)


def test_a_model_survives_json_and_fits_another_screen(model: dict[str, Any]) -> None:
    restored = GazeModel.from_json(json.loads(json.dumps(model)))
    row = training_set().features[4:5]
    small = restored.predict_px(row, SCREEN)
    large = restored.predict_px(row, Screen(3200, 1800, diagonal_mm=400.0))
    assert large == pytest.approx(2 * small)
    assert restored.to_json() == model
    assert len(json.dumps(model)) < 30_000


def test_its_keys_are_those_that_pages_have_stored(model: dict[str, Any]) -> None:
    assert set(model) == {
        "version",
        "accuracy",
        "shift",
        "features",
        "places",
        "sessions",
        "screen",
        "diagonal_mm",
    }
    assert model["version"] == 5


def test_a_restored_model_is_used_in_a_session_of_its_own(model: dict[str, Any]) -> None:
    assert training_set().next_session == 1
    assert GazeModel.from_json({**model, "sessions": [3] * 9}).training_set.next_session == 4


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"version": 99}, "calibration.version: is 99"),
        ({"features": ["x"]}, "calibration.features: must be a list of 5 to 40 points"),
        ({"features": [[1.0] * SIZE] * 41}, "calibration.features: must be a list of 5 to 40"),
        ({"features": [[1.0]] * 9}, "calibration.features: must be finite numbers of shape"),
        ({"places": [[1, 2]]}, "calibration.places: must be finite numbers of shape"),
        ({"sessions": [0.5] * 9}, "calibration.sessions: must be whole numbers"),
        ({"sessions": [-1] * 9}, "calibration.sessions: must be whole numbers"),
        ({"screen": [0, 900]}, "calibration.screen: must be larger"),
        ({"diagonal_mm": "wide"}, "calibration.diagonal_mm: must be numbers"),
        ({"shift": ["a", "b"]}, "calibration.shift: must be numbers"),
        ({"shift": [float("nan"), 0]}, "calibration.shift"),
        ({"accuracy": -1}, "calibration.accuracy"),
    ],
)
def test_a_damaged_model_is_refused(
    model: dict[str, Any], change: dict[str, Any], message: str
) -> None:
    with pytest.raises(CalibrationError, match=message):
        GazeModel.from_json({**model, **change})


def test_a_model_that_is_no_object_is_refused() -> None:
    damaged: Any = [1, 2]
    with pytest.raises(CalibrationError, match="JSON object"):
        GazeModel.from_json(damaged)
