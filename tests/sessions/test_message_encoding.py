"""Messages as JSON."""

import dataclasses
import json
import math
from http import HTTPStatus

from gaze.base.problems import Problem
from gaze.sessions.gaze_source import unknown_sample
from gaze.sessions.message_encoding import calibration_message, error_message, gaze_message
from gaze.vision.sample import CalibrationUpdate
from tests.sessions.test_gaze_state import SAMPLE


def test_what_is_unknown_is_null() -> None:
    message = gaze_message(unknown_sample(1.0, calibrated=True), None, None, None)
    known = {name for name, value in message.items() if value is not None}
    assert known == {"type", "t", "confidence", "calibrated", "attentive"}


def test_numbers_are_rounded_and_what_is_no_number_is_null() -> None:
    sample = dataclasses.replace(SAMPLE, uncertainty_px=math.inf)
    message = gaze_message(sample, (720.04, 450.0), (0.123456, 0.5), (math.nan, 0.5))
    assert message["screen"] == [720.0, 450.0]
    assert message["shown"] == [0.1235, 0.5]
    assert message["film"] is message["uncertainty"] is None
    json.dumps(message, allow_nan=False)


def test_a_calibration_says_only_what_there_is() -> None:
    message = calibration_message(CalibrationUpdate("cancelled", 0.0, "lost"))
    assert message == {
        "type": "calibration",
        "state": "cancelled",
        "progress": 0.0,
        "reason": "lost",
    }


def test_an_error_is_a_problem_detail_of_its_own_type() -> None:
    message = error_message(Problem(HTTPStatus.CONFLICT, "not now", "action"))
    assert message["type"] == "error"
    assert (message["status"], message["field"]) == (409, "action")
