"""Origins, rates and tokens."""

import pytest
from aiohttp.test_utils import make_mocked_request

from gaze.base.problems import ProblemError
from gaze.web.guard import COOKIE, Origins, Rates, presented_tokens

ORIGINS = Origins("https://films.example", ["https://school.example"])


@pytest.mark.parametrize(
    ("origin", "host", "foreign"),
    [
        (None, "a.example", None),
        ("https://films.example", "10.0.0.7:8080", None),
        ("http://10.0.0.7:8080", "10.0.0.7:8080", None),
        ("http://localhost:8080", "localhost:8080", None),
        ("https://school.example", "localhost:8080", "https://school.example"),
    ],
)
def test_our_own_pages_and_those_allowed(
    origin: str | None, host: str, foreign: str | None
) -> None:
    headers = {"Host": host} | ({} if origin is None else {"Origin": origin})
    assert ORIGINS.is_foreign_page(make_mocked_request("GET", "/", headers)) == foreign


@pytest.mark.parametrize(
    ("origin", "host"),
    [
        ("https://evil.example", "localhost:8080"),
        ("null", "localhost:8080"),
        ("http://rebound.example:8080", "rebound.example:8080"),
        ("http://localhost:9090", "localhost:8080"),
    ],
)
def test_foreign_pages_are_refused(origin: str, host: str) -> None:
    with pytest.raises(ProblemError, match="may not use this server"):
        ORIGINS.is_foreign_page(make_mocked_request("GET", "/", {"Host": host, "Origin": origin}))


def test_tokens_are_taken_from_wherever_they_may_stand() -> None:
    request = make_mocked_request(
        "GET",
        "/",
        {
            "Authorization": "Bearer one",
            "Sec-WebSocket-Protocol": "gaze.v1, bearer.two",
            "Cookie": f"{COOKIE}=three",
        },
    )
    assert presented_tokens(request) == ("one", "two", "three")
    basic = make_mocked_request("GET", "/", {"Authorization": "Basic one"})
    assert presented_tokens(basic) == ()


async def test_each_address_may_ask_so_often() -> None:
    rates = Rates(2, 1)
    request = make_mocked_request("GET", "/")
    await rates.spend("sessions", request)
    with pytest.raises(ProblemError) as caught:
        await rates.spend("sessions", request)
    assert caught.value.problem.status == 429
    assert caught.value.problem.retry_after_s
    await rates.spend("requests", request)
    await rates.spend("requests", request)
