"""The WebSocket: ways to be let in, the same messages, observers who only watch."""

import json
from typing import Any

import pytest
from aiohttp import WSServerHandshakeError

from simulation.rtc_viewer import RtcViewer


async def receive(socket: Any, kind: str) -> dict[str, Any]:
    while True:
        message = await socket.receive_json(timeout=20)
        if message["type"] == kind:
            return dict(message)


async def test_each_way_of_authorising(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    client, path = viewer._client, f"{viewer.path}/events"
    token = viewer.session["token"]
    async with client.ws_connect(path) as socket:
        assert (await receive(socket, "effects"))["effects"] == []
    client.session.cookie_jar.clear()
    async with client.ws_connect(path, headers=viewer.bearer) as socket:
        await receive(socket, "effects")
    async with client.ws_connect(path, protocols=("gaze.v1", f"bearer.{token}")) as socket:
        assert socket.protocol == "gaze.v1"
        await receive(socket, "effects")


@pytest.mark.parametrize(("protocols", "status"), [((), 401), (("gaze.v1", "bearer.wrong"), 403)])
async def test_without_the_right_token(
    viewer: RtcViewer, protocols: tuple[str, ...], status: int
) -> None:
    await viewer.open(media="texture")
    viewer._client.session.cookie_jar.clear()
    with pytest.raises(WSServerHandshakeError) as caught:
        await viewer._client.ws_connect(f"{viewer.path}/events", protocols=protocols)
    assert caught.value.status == status


async def test_a_foreign_page_gets_no_socket(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    with pytest.raises(WSServerHandshakeError) as caught:
        await viewer._client.ws_connect(
            f"{viewer.path}/events", headers={**viewer.bearer, "Origin": "https://evil.example"}
        )
    assert caught.value.status == 403


async def test_commands_and_gaze_go_over_the_socket_too(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    path = f"{viewer.path}/events"
    async with viewer._client.ws_connect(path, headers=viewer.bearer) as socket:
        await socket.send_json({"type": "ping", "id": "a", "t": 12.25})
        pong = await receive(socket, "pong")
        assert (pong["id"], pong["t"]) == ("a", 12.25)
        await socket.send_json({"type": "effects", "effects": [{"name": "blur"}]})
        while not (effects := (await receive(socket, "effects"))["effects"]):
            pass
        assert effects[0]["name"] == "blur"
        await socket.send_json({"type": "pointer", "shown": [0.25, 0.75]})
        while (gaze := await receive(socket, "gaze"))["shown"] is None:
            pass
        assert gaze["shown"] == pytest.approx([0.25, 0.75], abs=0.02)
        assert (await viewer.hear("effects", lambda m: bool(m["effects"])))["effects"] == effects


async def test_an_observer_receives_and_may_not_command(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    token = viewer.session["observer_token"]
    path = f"{viewer.path}/events"
    viewer._client.session.cookie_jar.clear()
    async with viewer._client.ws_connect(path, protocols=("gaze.v1", f"bearer.{token}")) as socket:
        await socket.send_json({"type": "effects", "effects": [{"name": "blur"}]})
        error = await receive(socket, "error")
        assert error["status"] == 403
        viewer.look(0.5, 0.5)
        await receive(socket, "gaze")
    described = await (await viewer._client.get(viewer.path, headers=viewer.bearer)).json()
    assert described["effects"] == []


async def test_wrong_messages_are_answered_and_change_nothing(viewer: RtcViewer) -> None:
    await viewer.open(media="texture", effects=[{"name": "blur", "strength": 0.5}])
    path = f"{viewer.path}/events"
    wrong = [
        ("{", 400),
        (json.dumps({"type": "dance"}), 422),
        (json.dumps({"type": "effects", "effects": [{"name": "blur", "strength": 9}]}), 422),
        (json.dumps({"type": "media", "name": "none"}), 422),
        (json.dumps({"type": "playback", "seek": 1e6}), 422),
        (json.dumps({"type": "calibrate", "action": "start"}), 409),
        (json.dumps({"type": "ping", "id": "x" * 70_000, "t": 0}), 413),
    ]
    async with viewer._client.ws_connect(path, headers=viewer.bearer) as socket:
        for text, status in wrong:
            await socket.send_str(text)
            error = await receive(socket, "error")
            assert error["status"] == status, (text[:80], error)
            assert error["detail"]
    described = await (await viewer._client.get(viewer.path, headers=viewer.bearer)).json()
    assert described["effects"][0]["strength"] == 0.5
    assert described["playback"]["paused"] is False


async def test_the_data_channel_answers_wrong_messages_as_well(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    viewer.say(type="effects", effects=[{"name": "zoom", "maximum": "much"}])
    error = await viewer.hear("error")
    assert error["status"] == 422
    assert error["field"] == "effects[0].maximum"
