"""The lists of effects, presets, films and ICE servers."""

from typing import Any

from pydantic import SecretStr

from gaze.base.settings import Settings
from gaze.rtc.ice.servers import ice_servers
from tests.conftest import Serve


async def test_the_page_and_the_sdk_are_served(serve: Serve) -> None:
    client = await serve()
    page = await client.get("/")
    assert page.status == 200
    assert page.content_type == "text/html"
    assert "default-src 'self'" in page.headers["Content-Security-Policy"]
    sdk = await client.get("/client/gaze-client.js")
    assert sdk.content_type in ("text/javascript", "application/javascript")
    assert "GazeClient" in await sdk.text()


async def test_effects_presets_media(serve: Serve) -> None:
    client = await serve()
    effects = await (await client.get("/api/effects")).json()
    assert {"blur", "zoom", "pause"} <= {effect["name"] for effect in effects}
    assert all(set(effect) >= {"name", "title", "description", "parameters"} for effect in effects)
    presets = await (await client.get("/api/presets")).json()
    assert all({"name", "effects"} <= set(preset) for preset in presets)
    media = {film["name"]: film for film in await (await client.get("/api/media")).json()}
    assert set(media) == {"grid", "texture"}
    texture = media["texture"]
    assert (texture["width"], texture["height"]) == (640, 360)
    assert abs(texture["duration"] - 20) < 0.2
    still = await client.get("/api/media/texture/thumbnail")
    assert still.content_type == "image/jpeg"
    assert (await still.read()).startswith(b"\xff\xd8")


async def test_live_addresses_are_offered_where_the_operator_lists_hosts(serve: Serve) -> None:
    for hosts, schemes in (("", []), ("cam.example:8554", ["rtsp", "http", "https"])):
        client = await serve(live_hosts=hosts)
        assert await (await client.get("/api/live")).json() == {"schemes": schemes}


async def test_health_and_metrics(serve: Serve) -> None:
    client = await serve()
    assert (await client.get("/healthz")).status == 200
    assert (await client.get("/readyz")).status == 200
    text = await (await client.get("/metrics")).text()
    for name in ("gaze_sessions{", "gaze_frames_total{", "gaze_stage_seconds_bucket{"):
        assert name in text


async def test_no_third_party_is_named_by_default(serve: Serve) -> None:
    client = await serve()
    assert await (await client.get("/api/ice")).json() == []


def test_turn_credentials_expire() -> None:
    # Known answer: HMAC-SHA1 of "4600:gaze" with the key "long-secret".
    settings: Any = Settings(
        _env_file=None,
        stun_urls=["stun:stun.example:3478"],
        turn_urls=["turn:turn.example:3478"],
        turn_secret=SecretStr("long-secret"),
        turn_ttl_s=3600,
    )
    stun, turn = ice_servers(settings, 1000.5)
    assert stun == {"urls": ["stun:stun.example:3478"]}
    assert turn["username"] == "4600:gaze"
    assert turn["credential"] == "c6Q0ZX5xEAZ2i1LcM0fQBU0CoL0="
