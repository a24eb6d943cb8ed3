"""A session's life: grace, resume, and nothing left behind."""

import asyncio
import os
from pathlib import Path
from typing import Any

import pytest
from aiohttp import ClientSession

from gaze.web.sessions import SESSIONS
from simulation.rtc_viewer import PictureTrack, RtcViewer
from simulation.server_process import running_server
from simulation.viewers import viewer_frame
from tests.conftest import Serve


async def wait_for_state(client: Any, state: str, count: int) -> None:
    sessions = client.app[SESSIONS]
    async with asyncio.timeout(30):
        while sessions.count(state) != count:
            await asyncio.sleep(0.05)


async def test_a_page_that_is_left_can_come_back(serve: Serve) -> None:
    client = await serve(grace_s=60)
    left = RtcViewer(client)
    await left.open(media="texture", position=5.0, effects=[{"name": "blur", "strength": 0.6}])
    await left.frame()
    left.say(type="playback", paused=True)
    paused = await left.hear("playback", lambda m: m["paused"])
    await left.disappear()
    await wait_for_state(client, "away", 1)
    back = RtcViewer(client)
    resume = {"id": left.session["id"], "token": left.session["token"]}
    await back.open(resume=resume)
    assert back.session["id"] == left.session["id"]
    effects = await back.hear("effects")
    assert effects["effects"][0]["strength"] == 0.6
    playback = await back.hear("playback")
    assert playback["paused"]
    assert playback["position"] == pytest.approx(paused["position"], abs=0.05)
    await back.close()


async def test_a_film_that_loops_goes_on_looping_for_who_comes_back(serve: Serve) -> None:
    client = await serve(grace_s=60)
    left, back = RtcViewer(client), RtcViewer(client)
    await left.open(media="grid")
    await left.frame()
    left.say(type="playback", loop=True, seek=3.0)
    await left.hear("playback", lambda m: m["position"] == 3.0)
    await left.disappear()
    await wait_for_state(client, "away", 1)
    await back.open(resume={"id": left.session["id"], "token": left.session["token"]})
    async with asyncio.timeout(30):
        while True:
            response = await client.get(back.path, headers=back.bearer)
            playback = (await response.json())["playback"]
            assert playback["reason"] != "ended"
            if playback["position"] < 1.0:
                break
            await asyncio.sleep(0.05)
    await back.close()


async def test_a_lost_session_ends_after_its_grace(serve: Serve) -> None:
    client = await serve(grace_s=0.2)
    person = RtcViewer(client)
    await person.open(media="texture")
    await person.disappear()
    async with asyncio.timeout(30):
        while (await client.get(person.path, headers=person.bearer)).status != 404:
            await asyncio.sleep(0.05)
    other = RtcViewer(client)
    body = {
        **await other.offer(),
        "gaze": "pointer",
        "resume": {"id": person.session["id"], "token": person.session["token"]},
    }
    response = await client.post("/api/sessions", json=body)
    assert response.status == 404
    await other.close()


async def test_resume_needs_the_right_token(serve: Serve) -> None:
    client = await serve()
    person, thief = RtcViewer(client), RtcViewer(client)
    await person.open(media="texture")
    body = {
        **await thief.offer(),
        "gaze": "pointer",
        "resume": {"id": person.session["id"], "token": person.session["observer_token"]},
    }
    assert (await client.post("/api/sessions", json=body)).status == 404
    assert client.app[SESSIONS].count("connected") == 1
    await person.close()
    await thief.close()


async def test_a_resume_that_fails_leaves_the_session_as_it_was(serve: Serve) -> None:
    client = await serve()
    person, clumsy = RtcViewer(client), RtcViewer(client)
    await person.open(media="texture", effects=[{"name": "blur"}])
    await person.frame()
    resume = {"id": person.session["id"], "token": person.session["token"]}
    body = {**await clumsy.offer(), "gaze": "pointer", "resume": resume}
    for change, status in (({"sdp": "nonsense"}, 400), ({"media": "none"}, 422)):
        response = await client.post("/api/sessions", json={**body, **change})
        assert response.status == status
    await person.frame()
    person.say(type="ping", id=1, t=0)
    await person.hear("pong")
    await person.close()
    await clumsy.close()


async def test_who_is_away_makes_room(serve: Serve) -> None:
    client = await serve(max_sessions=1, grace_s=600)
    first, second = RtcViewer(client), RtcViewer(client)
    await first.open(media="texture")
    await first.disappear()
    await wait_for_state(client, "away", 1)
    await second.open(media="texture")
    assert client.app[SESSIONS].count("away") == 0
    await second.close()


async def test_a_server_that_stops_ends_its_sessions(serve: Serve) -> None:
    client = await serve()
    person = RtcViewer(client)
    await person.open(media="texture")
    socket = await client.ws_connect(f"{person.path}/events", headers=person.bearer)
    await client.app.shutdown()
    assert client.app[SESSIONS].count("connected") == 0
    async with asyncio.timeout(10):
        while not (await socket.receive()).type.name.startswith("CLOS"):
            pass
    await person.disappear()


async def _whole_session(client: Any) -> None:
    person = RtcViewer(client)
    camera = PictureTrack(lambda t_s: viewer_frame(iris=(6.0, 0.0)))
    await person.open(camera=camera, media="texture", sound=True, effects=[{"name": "blur"}])
    await person.frame()
    await person.hear("gaze")
    await person.sound()
    await person.close()


def resident_bytes(pid: int) -> float:
    pages = int(Path(f"/proc/{pid}/statm").read_text().split()[1])
    return float(pages * os.sysconf("SC_PAGE_SIZE"))


@pytest.mark.timeout(600)
async def test_twenty_more_sessions_leave_nothing_behind(films: Path) -> None:
    """A leak grows with every twenty sessions; a busy machine's allocator may jump once."""
    flags = ("--media", str(films), "--sessions-per-minute", "1000", "--workers", "2")
    with running_server(*flags) as server:
        async with ClientSession(base_url=server.url) as client:

            async def after_twenty() -> dict[str, float]:
                for _ in range(20):
                    await _whole_session(client)
                await asyncio.sleep(1.0)
                resident = "process_resident_memory_bytes"
                all_bytes = sum(resident_bytes(pid) for pid in server.pids)
                return {**server.figures(), resident: all_bytes}

            before = await after_twenty()
            growths_bytes: list[float] = []
            while not growths_bytes or (growths_bytes[-1] >= 5e6 and len(growths_bytes) < 3):
                after = await after_twenty()
                for figure in ("gaze_threads", "gaze_tasks", "process_open_fds"):
                    assert after[figure] <= before[figure], figure
                memory = "process_resident_memory_bytes"
                growths_bytes.append(after[memory] - before[memory])
                before = after
    assert before['gaze_sessions_opened_total{how="new"}'] == 20 * (1 + len(growths_bytes))
    assert growths_bytes[-1] < 5e6, growths_bytes


async def test_sigterm_ends_the_sessions_and_the_process(films: Path) -> None:
    with running_server("--media", str(films)) as server:
        async with ClientSession(base_url=server.url) as client:
            person = RtcViewer(client)
            await person.open(media="texture")
            await person.frame()
            server.process.terminate()
            status = await asyncio.to_thread(server.process.wait, 30)
            await person.disappear()
    assert status == 0
