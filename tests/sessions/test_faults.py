"""Faults injected into a session: it recovers or ends as defined, and leaves nothing behind."""

import asyncio
import os
import random
import signal
import threading
import time
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from gaze.base.supervisor import Restart
from gaze.rtc.peer import Peer
from gaze.sessions import command_lane, connection, session
from gaze.sessions.figures import Figures
from gaze.sessions.film_composer import FilmComposer
from gaze.sessions.film_playback import FilmPlayback
from gaze.sessions.gaze_source import CameraGazeSource
from gaze.sessions.returned_film import ReturnedSound, ServedFilm
from gaze.sessions.session import Session
from gaze.tracking.pool import RemoteTracker, TrackerLostError
from gaze.web.app import TRACKERS
from gaze.web.sessions import SESSIONS
from simulation.clients.rtc_viewer import RtcViewer
from tests.conftest import Serve
from tests.sessions.faults import Camera, eventually, nothing_left, once, then_hang, then_raise
from tests.timing import limit_s

Client = TestClient[Any, Any]
LAYOUT: dict[str, Any] = {
    "type": "layout",
    "screen": [1920, 1080],
    "viewport": [0, 0, 1920, 1080],
    "picture": [0, 0, 1920, 1080],
    "exact": True,
}


@pytest.fixture
async def client(serve: Serve) -> AsyncIterator[Client]:
    yield await serve(grace_s=60)


async def seen(viewer: RtcViewer) -> None:
    """Wait for a sample with a point of gaze that came just now."""
    heard = len(viewer.messages)
    await viewer.hear("gaze", lambda sample: sample["screen"] is not None, after=heard)


async def leave(viewer: RtcViewer) -> float:
    """Leave by DELETE; return how long its answer took."""
    began_s = time.monotonic()
    response = await viewer._client.delete(viewer.path, headers=viewer.bearer)
    assert response.status == 204
    took_s = time.monotonic() - began_s
    await viewer.disappear()
    return took_s


async def ping(viewer: RtcViewer, number: int) -> None:
    viewer.say(type="ping", id=number, t=0)
    async with asyncio.timeout(2):
        await viewer.hear("pong", lambda pong: pong["id"] == number)


# An exception in each of a session's tasks


async def test_gaze_goes_on_after_an_exception_in_its_task(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nothing_left(client):
        viewer = RtcViewer(client)
        await viewer.open(camera=Camera(), media="texture")
        await seen(viewer)
        heard = len(viewer.messages)
        monkeypatch.setattr(FilmComposer, "on_sample", once(FilmComposer.on_sample))
        # The source keeps the bound method, so the fault comes with the next connection's.
        other = RtcViewer(client)
        await other.open(camera=Camera(), media="texture")
        error = await other.hear("error")
        assert (error["status"], "gaze" in error["detail"]) == (500, True)
        assert "injected" not in error["detail"]
        nulls = await other.hear("gaze", lambda sample: sample["screen"] is None)
        assert nulls["confidence"] == 0
        await seen(other)
        assert not any(m["type"] == "error" for m in viewer.messages[heard:])
        await leave(viewer)
        await leave(other)


async def test_gaze_is_given_up_in_the_end_and_the_film_goes_on(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lost(*arguments: Any) -> None:
        raise TrackerLostError("injected")

    monkeypatch.setattr(connection, "RESTART", Restart(pauses_s=(0.01, 0.01)))
    async with nothing_left(client):
        monkeypatch.setattr(RemoteTracker, "track", lost)
        viewer = RtcViewer(client)
        await viewer.open(camera=Camera(), media="texture")
        await viewer.hear("error", lambda m: "goes on without gaze" in m["detail"])
        errors = [m for m in viewer.messages if m["type"] == "error"]
        assert [m["status"] for m in errors] == [503, 503, 503]
        await viewer.frame()
        await asyncio.sleep(0.2)
        assert len([m for m in viewer.messages if m["type"] == "error"]) == 3
        viewer.say(type="effects", effects=[{"name": "blur"}])
        await viewer.hear("effects", lambda m: bool(m["effects"]))
        assert await leave(viewer) < limit_s(5)


async def test_stats_go_on_after_an_exception_in_their_task(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nothing_left(client):
        viewer = RtcViewer(client)
        await viewer.open(media="texture")
        await viewer.hear("stats")
        monkeypatch.setattr(Figures, "as_json", once(Figures.as_json))
        heard = len(viewer.messages)
        await asyncio.sleep(1.0)
        await viewer.hear("stats", after=heard)
        await leave(viewer)


@pytest.mark.parametrize("kind", ["film", "calibration"])
async def test_commands_go_on_after_one_that_raises_and_after_their_task_died(
    client: Client, monkeypatch: pytest.MonkeyPatch, kind: str
) -> None:
    def faulty(*arguments: Any) -> None:
        raise ValueError("injected")

    command: dict[str, Any]
    if kind == "film":
        command = {"type": "playback", "paused": True}
        monkeypatch.setattr(FilmPlayback, "set_paused", faulty)
    else:
        command = {"type": "calibrate", "action": "start"}
        monkeypatch.setattr(CameraGazeSource, "calibrate", faulty)
    viewer = RtcViewer(client)
    await viewer.open(camera=Camera(), media="texture")
    viewer.say(**command)
    error = await viewer.hear("error")
    assert error["status"] == 500
    assert "injected" not in error["detail"]
    with monkeypatch.context() as patched:
        patched.setattr(command_lane, "answer_error", once(command_lane.answer_error))
        viewer.say(**command)
        await asyncio.sleep(0.3)
    monkeypatch.undo()
    viewer.say(**command)
    if kind == "film":
        assert (await viewer.hear("playback", lambda m: m["paused"]))["reason"] == "viewer"
    else:
        await viewer.hear("calibration")
    await leave(viewer)


async def test_a_session_whose_film_fails_ends_with_a_reason(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*arguments: Any) -> None:
        raise ValueError("injected")

    places = [
        (FilmComposer, "_tell_failures"),  # while a frame is prepared
        (FilmComposer, "_draw"),
        (ServedFilm, "next"),
        (ReturnedSound, "_next"),
    ]
    async with nothing_left(client):
        for owner, name in places:
            viewer = RtcViewer(client)
            await viewer.open(media="texture", sound=True)
            await viewer.frame()
            with monkeypatch.context() as patched:
                patched.setattr(owner, name, faulty)
                error = await viewer.hear("error", lambda m: "session ends" in m["detail"])
                assert error["status"] == 500
                await eventually(lambda: client.app[SESSIONS].count("connected") == 0)
            response = await client.get(viewer.path, headers=viewer.bearer)
            assert response.status == 404
            await viewer.disappear()


async def test_a_session_that_cannot_go_away_ends(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def faulty(*arguments: Any) -> None:
        raise ValueError("injected")

    async with nothing_left(client):
        viewer = RtcViewer(client)
        await viewer.open(media="texture")
        monkeypatch.setattr(Session, "_go_away", faulty)
        await viewer.disappear()
        await eventually(lambda: not client.app[SESSIONS]._sessions)


async def test_a_layout_without_extent_is_refused_and_nothing_dies(client: Client) -> None:
    async with nothing_left(client):
        viewer = RtcViewer(client)
        await viewer.open(media="texture")
        viewer.say(**{**LAYOUT, "picture": [0, 0, 5e-324, 720]})
        error = await viewer.hear("error")
        assert (error["status"], error["field"]) == (422, "picture[2]")
        viewer.say(**LAYOUT)
        viewer.look(0.25, 0.5)
        gaze = await viewer.hear("gaze", lambda m: m["shown"] is not None)
        assert gaze["screen"] == pytest.approx([480, 540], abs=10)
        assert await leave(viewer) < limit_s(5)


# The tracking process is stopped or killed


@pytest.mark.parametrize("state", ["idle", "tracking", "calibrating"])
async def test_a_lost_tracking_process_is_replaced_and_reported(client: Client, state: str) -> None:
    async with nothing_left(client):
        for number in (signal.SIGSTOP, signal.SIGKILL):
            await lose_tracking_process(client, state, number)


async def lose_tracking_process(client: Client, state: str, number: signal.Signals) -> None:
    viewer, camera = RtcViewer(client), Camera()
    await viewer.open(camera=camera, media="texture")
    await seen(viewer)
    if state == "calibrating":
        viewer.say(type="calibrate", action="start")
        await viewer.hear("calibration")
    elif state == "idle":
        camera.going.clear()
        await asyncio.sleep(0.3)
    (pid,) = client.app[TRACKERS].pids
    heard = len(viewer.messages)
    began_s = time.monotonic()
    os.kill(pid, number)
    viewer.say(type="calibrate", action="skip")
    await ping(viewer, 1)
    error = await viewer.hear("error", lambda m: m["status"] == 503, after=heard)
    assert "tracker" in error["detail"]
    assert time.monotonic() - began_s < limit_s(3)
    nulls = await viewer.hear("gaze", lambda m: m["screen"] is None, after=heard)
    assert nulls["event"] is None
    cancelled = [
        m
        for m in viewer.messages[heard:]
        if m["type"] == "calibration" and m["state"] == "cancelled"
    ]
    assert [bool(m["reason"]) for m in cancelled] == ([True] if state == "calibrating" else [])
    await eventually(lambda: client.app[TRACKERS].pids not in ([], [pid]))
    camera.going.set()
    await seen(viewer)
    await ping(viewer, 2)
    assert await leave(viewer) < limit_s(5)


async def test_who_leaves_while_the_tracking_process_is_stopped_is_let_go(client: Client) -> None:
    async with nothing_left(client):
        viewer = RtcViewer(client)
        await viewer.open(camera=Camera(), media="texture")
        await seen(viewer)
        os.kill(client.app[TRACKERS].pids[0], signal.SIGSTOP)
        viewer.say(type="calibrate", action="start")
        assert await leave(viewer) < limit_s(5)


@pytest.mark.long
@pytest.mark.timeout(600)
async def test_tracking_processes_that_are_killed_all_the_time_leave_nothing(
    client: Client,
) -> None:
    chance = random.Random(7)
    async with nothing_left(client):
        viewers = [RtcViewer(client) for _ in range(3)]
        for viewer in viewers:
            await viewer.open(camera=Camera(), media="texture")
        for _ in range(40):
            await asyncio.sleep(chance.uniform(0.0, 3.0))
            pids = client.app[TRACKERS].pids
            if pids:
                os.kill(chance.choice(pids), chance.choice([signal.SIGKILL, signal.SIGSTOP]))
        for viewer in viewers:
            await ping(viewer, 1)
            await viewer.frame()
            assert await leave(viewer) < limit_s(5)


# Opening and closing


async def test_a_peer_that_never_answers_can_be_left(client: Client) -> None:
    async with nothing_left(client):
        viewer = RtcViewer(client)
        body = {**await viewer.offer(camera=Camera()), "media": "texture"}
        viewer.session = await (await client.post("/api/sessions", json=body)).json()
        assert client.app[SESSIONS].count("connecting") == 1
        assert await leave(viewer) < limit_s(5)


async def test_a_peer_that_never_answers_is_given_up(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with nothing_left(client):
        monkeypatch.setattr(session, "CONNECT_LIMIT_S", 0.2)
        viewer = RtcViewer(client)
        body = {**await viewer.offer(), "media": "texture", "gaze": "pointer"}
        viewer.session = await (await client.post("/api/sessions", json=body)).json()
        await eventually(lambda: client.app[SESSIONS].count("away") == 1)
        assert await leave(viewer) < limit_s(5)


async def test_a_session_that_is_still_being_opened_ends_with_the_server(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    opening = asyncio.Event()

    async def never(*arguments: Any) -> None:
        opening.set()
        await asyncio.Event().wait()

    async with nothing_left(client):
        monkeypatch.setattr(FilmPlayback, "open", never)
        viewer = RtcViewer(client)
        body = {**await viewer.offer(camera=Camera()), "media": "texture"}
        posting = asyncio.create_task(client.post("/api/sessions", json=body))
        await opening.wait()
        (only,) = client.app[SESSIONS]._sessions.values()
        began_s = time.monotonic()
        await only.end()
        assert time.monotonic() - began_s < limit_s(5)
        assert (await posting).status == 404
        await viewer.disappear()


PARTS: dict[str, tuple[type, str]] = {
    "peer": (Peer, "close"),
    "film": (FilmPlayback, "close"),
    "tracker": (RemoteTracker, "close"),
    "figures": (Figures, "count_frames"),
    "resume state": (FilmPlayback, "remember"),
}


@pytest.mark.parametrize("fault", [then_raise, then_hang])
async def test_a_session_ends_whatever_its_parts_do_while_they_are_closed(
    client: Client, monkeypatch: pytest.MonkeyPatch, fault: Callable[..., Any]
) -> None:
    async with nothing_left(client):
        for part, (owner, name) in PARTS.items():
            if part == "tracker" and fault is then_hang:
                continue  # its close waits for nothing
            with monkeypatch.context() as patched:
                # While a session is open its parts work; the fault comes with the end.
                viewer, ending = RtcViewer(client), asyncio.Event()
                patched.setattr(owner, name, fault(getattr(owner, name), ending))
                await viewer.open(camera=Camera(), media="texture", sound=True)
                await viewer.frame()
                ending.set()
                assert await leave(viewer) < 5, part


async def test_a_busy_executor_does_not_hold_up_the_end(client: Client) -> None:
    viewer = RtcViewer(client)
    await viewer.open(media="texture")
    (only,) = client.app[SESSIONS]._sessions.values()
    executor = only._services.executor
    free = threading.Event()
    for _ in range(64):
        executor.submit(free.wait)
    took_s = await leave(viewer)
    free.set()
    assert took_s < limit_s(5)


async def test_the_server_ends_all_sessions_with_one_stuck(
    client: Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    viewers = [RtcViewer(client) for _ in range(3)]
    for viewer in viewers:
        await viewer.open(media="texture")
    stuck, *_ = client.app[SESSIONS]._sessions.values()
    stuck._connection._supervisor.own("stuck", lambda: asyncio.Event().wait(), limit_s=60)
    began_s = time.monotonic()
    await client.app.shutdown()
    assert time.monotonic() - began_s < limit_s(6)
    assert not client.app[SESSIONS]._sessions
    for viewer in viewers:
        await viewer.disappear()


# Commands beside one another


async def test_a_slow_change_of_film_holds_back_only_the_films_commands(serve: Serve) -> None:
    silent = await asyncio.start_server(lambda reader, writer: None, "127.0.0.1", 0)
    port = silent.sockets[0].getsockname()[1]
    client = await serve(live_hosts=[f"127.0.0.1:{port}"])
    viewer = RtcViewer(client)
    await viewer.open(media="texture")
    viewer.say(type="media", name=f"http://127.0.0.1:{port}/")
    viewer.say(type="playback", paused=True)
    await ping(viewer, 1)
    viewer.say(type="effects", effects=[{"name": "blur"}])
    async with asyncio.timeout(2):
        await viewer.hear("effects", lambda m: bool(m["effects"]))
    assert not any(m["type"] == "playback" and m["paused"] for m in viewer.messages)
    assert await leave(viewer) < limit_s(5)
    silent.close()
