"""Problem details, also pickled."""

import pickle
from http import HTTPStatus

from gaze.base.problems import ProblemError, field_path


def test_a_problem_error_survives_pickling() -> None:
    error = ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "full", field="media", retry_after_s=7)
    copy = pickle.loads(pickle.dumps(error))
    assert isinstance(copy, ProblemError)
    assert copy.problem == error.problem
    assert str(copy) == "full"


def test_a_path_is_written_as_a_client_writes_it() -> None:
    assert field_path(("effects", 0, "name")) == "effects[0].name"
    assert field_path((2, "x")) == "[2].x"
