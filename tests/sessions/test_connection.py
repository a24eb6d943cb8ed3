"""A connection's own part of the walk of an offer; faults and lives have tests of their own."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from gaze.base.problems import ProblemError
from gaze.rtc.sdp import offer as offers
from gaze.sessions import connection as connections
from gaze.sessions.connection import Connection, Services
from gaze.sessions.messages import SessionRequest
from gaze.sessions.resume_state import ResumeState
from gaze.web.sessions import SESSIONS
from simulation.clients.rtc_viewer import RtcViewer
from tests.conftest import Serve


@pytest.fixture
async def services(serve: Serve) -> Services:
    made: Services = (await serve()).app[SESSIONS]._services
    return made


@pytest.fixture
async def request_body() -> AsyncIterator[dict[str, Any]]:
    viewer = RtcViewer(None)  # type: ignore[arg-type]
    yield {**await viewer.offer(), "gaze": "pointer", "media": "texture"}
    await viewer.disappear()


def connected(services: Services, memory: ResumeState) -> tuple[Connection, list[dict[str, Any]]]:
    messages: list[dict[str, Any]] = []

    def send(message: Any) -> None:
        messages.append(dict(message))

    return Connection(services, "one", memory, send, lambda reason: None), messages


async def test_an_offer_is_read_once_and_answered(
    services: Services, request_body: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    read = []

    def reading(*arguments: Any, **named: Any) -> offers.Offer:
        read.append(arguments)
        return offers.read_offer(*arguments, **named)

    monkeypatch.setattr(connections, "read_offer", reading)
    memory = ResumeState(effects=[{"name": "blur"}], media="texture")
    one, messages = connected(services, memory)
    answer = await one.open(SessionRequest.model_validate(request_body))
    assert answer.startswith("v=0")
    assert len(read) == 1
    assert messages[0]["type"] == "playback"
    assert memory.effects[0]["strength"] is not None  # with its defaults, from the one chain
    figures = one.figures.as_json()
    assert figures["frames"] == {"film": {"in": 0, "out": 0, "dropped": 0}}
    assert figures["gaze_age_ms"] is figures["eyes"] is None
    await one.close()
    await one.close()


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"sdp": "nonsense"}, "sdp"),
        ({"tracks": {"film": "9"}}, "tracks.film"),
        ({"gaze": "camera"}, "tracks.camera"),
    ],
)
async def test_a_wrong_offer_opens_no_tracker_and_no_film(
    services: Services,
    request_body: dict[str, Any],
    monkeypatch: pytest.MonkeyPatch,
    change: dict[str, Any],
    field: str,
) -> None:
    async def never(*arguments: Any) -> None:
        raise AssertionError("opened before the offer was checked")

    monkeypatch.setattr(services.trackers, "open", never)
    one, _ = connected(services, ResumeState(effects=[], media="texture"))
    monkeypatch.setattr(one.film, "open", never)
    with pytest.raises(ProblemError) as caught:
        await one.open(SessionRequest.model_validate({**request_body, **change}))
    assert caught.value.problem.field == field


async def test_a_wrong_effect_is_refused_before_anything_is_made(services: Services) -> None:
    with pytest.raises(ProblemError) as caught:
        connected(services, ResumeState(effects=[{"name": "dance"}]))
    assert caught.value.problem.field == "effects[0].name"
