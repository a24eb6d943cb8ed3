"""The service of sessions, directly and as if it ran in another process."""

import asyncio
import json
from http import HTTPStatus
from typing import Any

import pytest

from gaze.base.problems import ProblemError
from gaze.sessions.messages import parse_request
from gaze.sessions.service import Opened, SessionService
from gaze.web.sessions import SESSIONS
from simulation.clients.rtc_viewer import RtcViewer
from tests.conftest import Serve
from tests.sessions.pickling import PicklingService


@pytest.fixture(params=["direct", "pickled"])
async def service(serve: Serve, request: pytest.FixtureRequest) -> SessionService:
    sessions: SessionService = (await serve(max_sessions=1, grace_s=60)).app[SESSIONS]
    return sessions if request.param == "direct" else PicklingService(sessions)


async def offer(**members: Any) -> str:
    viewer = RtcViewer(None)  # type: ignore[arg-type]
    body = {**await viewer.offer(), "media": "texture", "gaze": "pointer", **members}
    await viewer.disappear()
    return json.dumps(body)


async def opened_by(service: SessionService, **members: Any) -> Opened:
    return await service.open(parse_request(await offer(**members)))


def status_of(caught: pytest.ExceptionInfo[ProblemError]) -> HTTPStatus:
    return caught.value.problem.status


async def test_a_session_is_opened_described_and_ended(service: SessionService) -> None:
    assert await service.ready()
    opened = await opened_by(service, effects=[{"name": "blur", "strength": 0.5}])
    assert opened.answer_sdp.startswith("v=0")
    assert opened.etag.startswith('"')
    assert not await service.ready()
    described = await service.describe(opened.session_id)
    assert (described["id"], described["state"]) == (opened.session_id, "connecting")
    assert described["effects"][0]["strength"] == 0.5
    json.dumps(described)
    await service.end(opened.session_id)
    assert await service.ready()
    with pytest.raises(ProblemError) as caught:
        await service.describe(opened.session_id)
    assert status_of(caught) == HTTPStatus.NOT_FOUND


async def test_tokens_tell_the_role(service: SessionService) -> None:
    opened = await opened_by(service)
    for tokens, role in (
        ((opened.token,), "viewer"),
        (("wrong", opened.observer_token), "observer"),
        ((opened.observer_token, opened.token), "viewer"),
        (("wrong",), None),
        ((), None),
    ):
        assert await service.role_of(opened.session_id, tokens) == role
    await service.end(opened.session_id)


async def test_errors_come_through_whole(service: SessionService) -> None:
    with pytest.raises(ProblemError) as caught:
        await opened_by(service, effects=[{"name": "dance"}])
    assert caught.value.problem.field == "effects[0].name"
    opened = await opened_by(service)
    with pytest.raises(ProblemError) as caught:
        await opened_by(service)
    assert status_of(caught) == HTTPStatus.SERVICE_UNAVAILABLE
    assert caught.value.problem.retry_after_s
    for etag, fragment, status in (('"stale"', "", 412), (opened.etag, "hello", 400)):
        with pytest.raises(ProblemError) as caught:
            await service.add_candidates(opened.session_id, etag, fragment)
        assert status_of(caught) == status
    with pytest.raises(ProblemError) as caught:
        await service.restart_ice(opened.session_id, "hello")
    assert status_of(caught) in (HTTPStatus.BAD_REQUEST, HTTPStatus.CONFLICT)
    await service.end(opened.session_id)


async def test_a_subscriber_hears_how_things_stand_and_commands(service: SessionService) -> None:
    opened = await opened_by(service)
    subscription = await service.subscribe(opened.session_id, "viewer")
    messages = await service.next_messages(subscription)
    assert [json.loads(text)["type"] for text in messages.texts][:2] == ["effects", "playback"]
    await service.command(subscription, '{"type":"ping","id":1,"t":0}')
    heard: list[str] = []
    async with asyncio.timeout(5):
        while "pong" not in heard:
            messages = await service.next_messages(subscription)
            heard += [json.loads(text)["type"] for text in messages.texts]
    await service.end(opened.session_id)
    async with asyncio.timeout(5):
        while not messages.closed:
            messages = await service.next_messages(subscription)
    with pytest.raises(ProblemError):
        await service.command(subscription, "{}")
    await service.unsubscribe(subscription)


async def test_an_observer_may_not_command(service: SessionService) -> None:
    opened = await opened_by(service)
    subscription = await service.subscribe(opened.session_id, "observer")
    await service.command(subscription, '{"type":"ping","id":1,"t":0}')
    messages = await service.next_messages(subscription)
    errors = [m for m in map(json.loads, messages.texts) if m["type"] == "error"]
    assert [m["status"] for m in errors] == [403]
    await service.unsubscribe(subscription)
    with pytest.raises(ProblemError):
        await service.next_messages(subscription)
    await service.end(opened.session_id)


async def test_a_closed_service_takes_nobody(service: SessionService) -> None:
    await opened_by(service)
    await service.close()
    assert not await service.ready()
    with pytest.raises(ProblemError, match="shutting down"):
        await opened_by(service)
