"""Requests and commands as models."""

import json
from http import HTTPStatus
from typing import Any

import pytest

from gaze.base.problems import ProblemError
from gaze.sessions.messages import (
    LayoutMessage,
    Ping,
    PlaybackCommand,
    Pointer,
    parse_command,
    parse_request,
)

LIMIT_BYTES = 65_536
LAYOUT = {
    "type": "layout",
    "screen": [1440, 900],
    "viewport": [0, 100, 1440, 800],
    "picture": [80, 50, 1280, 720],
    "exact": True,
}


def test_commands_are_read() -> None:
    assert isinstance(parse_command(json.dumps(LAYOUT), LIMIT_BYTES), LayoutMessage)
    assert parse_command(b'{"type":"ping","id":7,"t":1.5}', LIMIT_BYTES) == Ping(
        type="ping", id=7, t=1.5
    )
    pointer = parse_command('{"type":"pointer","shown":[0.5,-0.25],"t":3}', LIMIT_BYTES)
    assert isinstance(pointer, Pointer)
    assert pointer.shown == (0.5, -0.25)
    seek = parse_command('{"type":"playback","seek":12.5}', LIMIT_BYTES)
    assert seek == PlaybackCommand(type="playback", seek=12.5)


@pytest.mark.parametrize(
    ("message", "status", "field"),
    [
        ("{", HTTPStatus.BAD_REQUEST, None),
        ("[1]", HTTPStatus.BAD_REQUEST, None),
        ("[" * 100_000, HTTPStatus.REQUEST_ENTITY_TOO_LARGE, None),
        ("[" * 60_000, HTTPStatus.BAD_REQUEST, None),
        ({"type": "dance"}, HTTPStatus.UNPROCESSABLE_ENTITY, "type"),
        ({"effects": []}, HTTPStatus.UNPROCESSABLE_ENTITY, "type"),
        ({"type": "effects", "effects": "blur"}, HTTPStatus.UNPROCESSABLE_ENTITY, "effects"),
        (
            {**LAYOUT, "picture": [0, 0, 0, 720]},
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "picture[2]",
        ),
        (
            {"type": "calibrate", "action": "jump"},
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "action",
        ),
        ({"type": "playback", "seek": -1}, HTTPStatus.UNPROCESSABLE_ENTITY, "seek"),
        (
            '{"type":"pointer","shown":[NaN,0]}',
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "shown[0]",
        ),
        ({"type": "ping", "id": 1}, HTTPStatus.UNPROCESSABLE_ENTITY, "t"),
    ],
)
def test_wrong_commands_are_explained(message: Any, status: HTTPStatus, field: str | None) -> None:
    text = message if isinstance(message, str) else json.dumps(message)
    with pytest.raises(ProblemError) as caught:
        parse_command(text, LIMIT_BYTES)
    assert caught.value.problem.status == status
    assert caught.value.problem.field == field


@pytest.mark.parametrize(
    ("body", "status", "field"),
    [
        ("not json", HTTPStatus.BAD_REQUEST, None),
        ({"type": "answer", "sdp": "v=0"}, HTTPStatus.BAD_REQUEST, "type"),
        ({"type": "offer"}, HTTPStatus.BAD_REQUEST, "sdp"),
        ({"type": "offer", "sdp": "v=0"}, HTTPStatus.UNPROCESSABLE_ENTITY, "tracks"),
        (
            {"type": "offer", "sdp": "v=0", "tracks": {"camera": "0"}},
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "tracks.film",
        ),
        (
            {"type": "offer", "sdp": "v=0", "tracks": {"film": "0"}, "position": -1},
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "position",
        ),
        (
            {"type": "offer", "sdp": "v=0", "tracks": {"film": "0"}, "gaze": "ears"},
            HTTPStatus.UNPROCESSABLE_ENTITY,
            "gaze",
        ),
    ],
)
def test_wrong_requests_are_explained(body: Any, status: HTTPStatus, field: str | None) -> None:
    with pytest.raises(ProblemError) as caught:
        parse_request(body if isinstance(body, str) else json.dumps(body))
    assert caught.value.problem.status == status
    assert caught.value.problem.field == field
