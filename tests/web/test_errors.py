"""Each error of the wire contract, provoked through the real server."""

import json
from typing import Any

import pytest
from aiohttp.test_utils import TestClient

from simulation.rtc_viewer import PictureTrack, RtcViewer
from tests.conftest import Serve

JSON = {"Content-Type": "application/json"}
SDPFRAG = {"Content-Type": "application/trickle-ice-sdpfrag"}


async def expect_problem(response: Any, status: int, field: str | None = None) -> dict[str, Any]:
    body = await response.json(content_type="application/problem+json")
    assert response.status == status, body
    assert set(body) >= {"type", "title", "status", "detail"}
    assert body["status"] == status
    assert body.get("field") == field, body
    return dict(body)


@pytest.fixture
async def client(serve: Serve) -> TestClient[Any, Any]:
    return await serve()


@pytest.fixture
async def offer(client: TestClient[Any, Any]) -> Any:
    person = RtcViewer(client)
    yield await person.offer(sound=True)
    await person.close()


async def test_not_json(client: TestClient[Any, Any]) -> None:
    response = await client.post("/api/sessions", data="{", headers=JSON)
    await expect_problem(response, 400)


async def test_no_offer(client: TestClient[Any, Any], offer: dict[str, Any]) -> None:
    for body, field in (
        ({"type": "offer", "tracks": {"film": "0"}}, "sdp"),
        ({**offer, "type": "answer"}, "type"),
        ({**offer, "sdp": "nonsense"}, "sdp"),
        ({**offer, "sdp": ""}, "sdp"),
    ):
        response = await client.post("/api/sessions", json=body)
        await expect_problem(response, 400, field)


async def test_wrong_content_type(client: TestClient[Any, Any], offer: dict[str, Any]) -> None:
    response = await client.post("/api/sessions", data=json.dumps(offer))
    await expect_problem(response, 415)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"effects": [{"name": "dance"}]}, "effects[0].name"),
        ({"effects": [{"name": "blur"}, {"name": "blur", "strength": 7}]}, "effects[1].strength"),
        ({"effects": [{"name": "blur", "colour": "red"}]}, "effects[0].colour"),
        ({"effects": "blur"}, "effects"),
        ({"media": "no-such-film"}, "media"),
        ({"position": -3}, "position"),
        ({"gaze": "ears"}, "gaze"),
        ({"gaze": "camera"}, "tracks.camera"),
        ({"tracks": {"film": "9"}}, "tracks.film"),
        ({"tracks": {"film": "0", "audio": "0"}}, "tracks.audio"),
        ({"surprise": 1}, "surprise"),
    ],
)
async def test_impossible_requests_name_the_field(
    client: TestClient[Any, Any], offer: dict[str, Any], change: dict[str, Any], field: str
) -> None:
    body = {**offer, "media": "texture", "gaze": "pointer", **change}
    response = await client.post("/api/sessions", json=body)
    problem = await expect_problem(response, 422, field)
    assert field in problem["detail"] or "media" in problem["detail"]


async def test_bad_calibration(client: TestClient[Any, Any], viewer: RtcViewer) -> None:
    offer = await viewer.offer(camera=PictureTrack(lambda t_s: None))  # type: ignore[arg-type]
    response = await client.post(
        "/api/sessions", json={**offer, "media": "texture", "calibration": {"version": "?"}}
    )
    await expect_problem(response, 422, "calibration")


@pytest.mark.parametrize(
    ("old", "new", "field"),
    [
        ("a=recvonly", "a=sendonly", "tracks.film"),
        ("a=recvonly", "a=sendrecv", "tracks.film"),
        ("a=recvonly", "a=inactive", "tracks.film"),
    ],
)
async def test_wrong_direction(
    client: TestClient[Any, Any], offer: dict[str, Any], old: str, new: str, field: str
) -> None:
    body = {
        **offer,
        "sdp": offer["sdp"].replace(old, new),
        "media": "texture",
        "gaze": "pointer",
    }
    response = await client.post("/api/sessions", json=body)
    await expect_problem(response, 422, field)


async def test_a_film_without_media_must_be_sendrecv(
    client: TestClient[Any, Any], offer: dict[str, Any]
) -> None:
    response = await client.post("/api/sessions", json={**offer, "gaze": "pointer"})
    await expect_problem(response, 422, "tracks.film")


async def test_no_common_codec(client: TestClient[Any, Any], offer: dict[str, Any]) -> None:
    sdp = offer["sdp"].replace("VP8/90000", "H261/90000").replace("H264/90000", "H263/90000")
    body = {**offer, "sdp": sdp, "media": "texture", "gaze": "pointer"}
    response = await client.post("/api/sessions", json=body)
    await expect_problem(response, 422, "tracks.film")


async def test_body_too_large(serve: Serve) -> None:
    client = await serve(max_body_bytes=16_384)
    response = await client.post("/api/sessions", data="x" * 20_000, headers=JSON)
    await expect_problem(response, 413)


async def test_too_many_requests(serve: Serve) -> None:
    client = await serve(requests_per_minute=5)
    statuses = [(await client.get("/api/effects")).status for _ in range(6)]
    assert statuses == [200] * 5 + [429]
    response = await client.get("/api/effects")
    assert int(response.headers["Retry-After"]) > 0
    await expect_problem(response, 429)


async def test_too_many_sessions_a_minute(serve: Serve) -> None:
    client = await serve(sessions_per_minute=2)
    for _ in range(2):
        await expect_problem(await client.post("/api/sessions", data="{", headers=JSON), 400)
    await expect_problem(await client.post("/api/sessions", data="{", headers=JSON), 429)


async def test_server_full(serve: Serve) -> None:
    client = await serve(max_sessions=1)
    first, second = RtcViewer(client), RtcViewer(client)
    try:
        await first.open(media="texture")
        assert (await client.get("/readyz")).status == 503
        body = {**await second.offer(), "media": "texture", "gaze": "pointer"}
        response = await client.post("/api/sessions", json=body)
        assert int(response.headers["Retry-After"]) > 0
        await expect_problem(response, 503)
        assert (await client.get("/healthz")).status == 200
    finally:
        await first.close()
        await second.close()
    assert (await client.get("/readyz")).status == 200


async def test_foreign_origin(client: TestClient[Any, Any], offer: dict[str, Any]) -> None:
    body = {**offer, "media": "texture", "gaze": "pointer"}
    for origin in ("https://evil.example", "null", f"http://evil.example:{client.port}"):
        response = await client.post("/api/sessions", json=body, headers={"Origin": origin})
        await expect_problem(response, 403)
    preflight = await client.options("/api/sessions", headers={"Origin": "https://evil.example"})
    assert preflight.status == 403
    assert "Access-Control-Allow-Origin" not in preflight.headers


async def test_a_name_pointed_at_this_machine_is_foreign(client: TestClient[Any, Any]) -> None:
    rebound = f"rebound.example:{client.port}"
    response = await client.post(
        "/api/sessions", data="{", headers={"Origin": f"http://{rebound}", "Host": rebound, **JSON}
    )
    await expect_problem(response, 403)


async def test_allowed_origin_gets_cors(serve: Serve) -> None:
    client = await serve(allowed_origins=["https://films.example"])
    headers = {"Origin": "https://films.example"}
    preflight = await client.options(
        "/api/sessions", headers={**headers, "Access-Control-Request-Method": "POST"}
    )
    assert preflight.status == 204
    assert preflight.headers["Access-Control-Allow-Origin"] == "https://films.example"
    assert {"POST", "PATCH", "DELETE"} <= set(
        preflight.headers["Access-Control-Allow-Methods"].replace(" ", "").split(",")
    )
    allowed = preflight.headers["Access-Control-Allow-Headers"]
    assert all(name in allowed for name in ("Authorization", "Content-Type", "If-Match"))
    refused = await client.post("/api/sessions", data="{", headers={**headers, **JSON})
    assert refused.status == 400
    assert refused.headers["Access-Control-Allow-Origin"] == "https://films.example"
    exposed = refused.headers["Access-Control-Expose-Headers"]
    assert all(name in exposed for name in ("Location", "ETag", "Retry-After"))


async def test_modules_are_for_allowed_origins(serve: Serve) -> None:
    client = await serve(allowed_origins=["https://films.example"])
    for origin, allowed in (("https://films.example", True), ("https://evil.example", False)):
        module = await client.get("/client/gaze-film.js", headers={"Origin": origin})
        assert module.status == 200
        assert ("Access-Control-Allow-Origin" in module.headers) == allowed
        assert "Origin" in module.headers["Vary"]  # a cache must not mix the two up


async def test_own_origin_is_welcome(client: TestClient[Any, Any]) -> None:
    origin = f"http://127.0.0.1:{client.port}"
    response = await client.post("/api/sessions", data="{", headers={"Origin": origin, **JSON})
    await expect_problem(response, 400)


async def test_forwarded_addresses_are_believed_from_trusted_proxies_only(serve: Serve) -> None:
    trusting = await serve(requests_per_minute=1, trusted_proxies=["127.0.0.0/8"])
    doubting = await serve(requests_per_minute=1)
    for client, statuses in ((trusting, [200, 200]), (doubting, [200, 429])):
        got = [
            (await client.get("/api/effects", headers={"X-Forwarded-For": f"192.0.2.{n}"})).status
            for n in (1, 2)
        ]
        assert got == statuses


async def test_unknown_session(client: TestClient[Any, Any]) -> None:
    await expect_problem(await client.get("/api/sessions/none"), 404)
    await expect_problem(await client.get("/nowhere"), 404)
    await expect_problem(await client.get("/api/media/none/thumbnail"), 404)


async def test_tokens(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    client = viewer._client
    client.session.cookie_jar.clear()
    observer = {"Authorization": f"Bearer {viewer.session['observer_token']}"}
    wrong = {"Authorization": "Bearer wrong"}
    response = await client.get(viewer.path)
    assert response.headers["WWW-Authenticate"] == "Bearer"
    await expect_problem(response, 401)
    await expect_problem(await client.get(viewer.path, headers=wrong), 403)
    assert (await client.get(viewer.path, headers=observer)).status == 200
    await expect_problem(await client.delete(viewer.path, headers=observer), 403)
    patch = {**observer, "If-Match": viewer.etag, **SDPFRAG}
    await expect_problem(await client.patch(viewer.path, data="", headers=patch), 403)
    described = await (await client.get(viewer.path, headers=viewer.bearer)).json()
    assert described["state"] == "connected"
    assert (await client.delete(viewer.path, headers=viewer.bearer)).status == 204
    await expect_problem(await client.get(viewer.path, headers=viewer.bearer), 404)


async def test_trickle(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    client, path = viewer._client, viewer.path
    matching = {**viewer.bearer, **SDPFRAG, "If-Match": viewer.etag}
    ufrag = viewer._pc.localDescription.sdp.split("a=ice-ufrag:")[1].split()[0]
    pwd = viewer._pc.localDescription.sdp.split("a=ice-pwd:")[1].split()[0]
    fragment = (
        f"a=ice-ufrag:{ufrag}\r\na=ice-pwd:{pwd}\r\nm=video 9 UDP/TLS/RTP/SAVPF 0\r\n"
        f"a=mid:{viewer._pc.getTransceivers()[0].mid}\r\n"
        "a=candidate:1 1 UDP 2122260223 127.0.0.1 50000 typ host\r\n"
    )
    assert (await client.patch(path, data=fragment, headers=matching)).status == 204
    without = {**viewer.bearer, **SDPFRAG}
    await expect_problem(await client.patch(path, data=fragment, headers=without), 428)
    stale = {**without, "If-Match": '"stale"'}
    await expect_problem(await client.patch(path, data=fragment, headers=stale), 412)
    await expect_problem(await client.patch(path, data="hello", headers=matching), 400)
    typed = {**viewer.bearer, "If-Match": viewer.etag, "Content-Type": "text/plain"}
    await expect_problem(await client.patch(path, data=fragment, headers=typed), 415)


async def test_an_ice_restart_begins_a_new_ice_session(viewer: RtcViewer) -> None:
    await viewer.open(media="texture")
    client, path, old = viewer._client, viewer.path, viewer.etag
    anew = {**viewer.bearer, **SDPFRAG, "If-Match": "*"}
    fragment = "a=ice-ufrag:fresh\r\na=ice-pwd:1234567890123456789012\r\n"
    response = await client.patch(path, data=fragment, headers=anew)
    assert (response.status, response.content_type) == (200, SDPFRAG["Content-Type"])
    assert response.headers["ETag"] != old
    answer = await response.text()
    assert all(line in answer for line in ("a=ice-ufrag:", "a=ice-pwd:", "a=candidate:"))
    stale = {**anew, "If-Match": old}
    await expect_problem(await client.patch(path, data=fragment, headers=stale), 412)
    await expect_problem(await client.patch(path, data=fragment, headers=anew), 400)
    await expect_problem(await client.patch(path, data="hello", headers=anew), 400)
