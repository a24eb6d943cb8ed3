"""What holds for every request."""

from http import HTTPStatus

import pytest
from aiohttp import web
from aiohttp.test_utils import make_mocked_request

from gaze.base.metrics import Metrics
from gaze.base.problems import Problem, ProblemError
from gaze.web.middleware import SAFE_HEADERS, errors, problem_response, safe_headers


def test_a_problem_becomes_an_answer_with_its_headers() -> None:
    full = problem_response(Problem(HTTPStatus.SERVICE_UNAVAILABLE, "full", retry_after_s=7))
    assert (full.status, full.headers["Retry-After"]) == (503, "7")
    assert full.content_type == "application/problem+json"
    unknown = problem_response(Problem(HTTPStatus.UNAUTHORIZED, "no token"))
    assert unknown.headers["WWW-Authenticate"] == "Bearer"


@pytest.mark.parametrize(
    ("raised", "status"),
    [
        (ProblemError(HTTPStatus.CONFLICT, "not now"), 409),
        (web.HTTPNotFound(), 404),
        (KeyError("secret"), 500),
    ],
)
async def test_every_error_becomes_a_problem_and_is_counted(raised: Exception, status: int) -> None:
    async def handler(request: web.Request) -> web.StreamResponse:
        raise raised

    metrics = Metrics()
    response = await errors(metrics)(make_mocked_request("GET", "/"), handler)
    assert isinstance(response, web.Response)
    assert response.status == status
    assert response.text is not None and "secret" not in response.text
    assert f'gaze_requests_refused_total{{status="{status}"}} 1.0'.encode() in metrics.scrape()


async def test_a_handlers_own_headers_stay() -> None:
    response = web.Response(headers={"Referrer-Policy": "no-referrer"})
    await safe_headers(make_mocked_request("GET", "/"), response)
    assert response.headers["Referrer-Policy"] == "no-referrer"
    assert set(SAFE_HEADERS) <= set(response.headers)
