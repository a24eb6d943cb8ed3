"""STUN and TURN servers of the settings."""

from typing import Any

from pydantic import SecretStr

from gaze.base.settings import Settings
from gaze.rtc.ice.servers import ice_servers


def settings(**values: Any) -> Settings:
    return Settings(_env_file=None, **values)


def test_there_are_none_by_default() -> None:
    assert ice_servers(settings(), 0.0) == []


def test_stun_servers_have_no_credentials() -> None:
    servers = ice_servers(settings(stun_urls=["stun:stun.example:3478"]), 0.0)
    assert servers == [{"urls": ["stun:stun.example:3478"]}]


def test_turn_credentials_expire() -> None:
    # Known answer: HMAC-SHA1 of "4600:gaze" with the key "long-secret".
    made = settings(
        turn_urls=["turn:turn.example:3478"],
        turn_secret=SecretStr("long-secret"),
        turn_ttl_s=3600,
    )
    (turn,) = ice_servers(made, 1000.5)
    assert turn == {
        "urls": ["turn:turn.example:3478"],
        "username": "4600:gaze",
        "credential": "c6Q0ZX5xEAZ2i1LcM0fQBU0CoL0=",
    }
