"""docs/api.md against the server: each names what the other has."""

import json
import re
from pathlib import Path
from typing import Any, get_args

from gaze.base.settings import load
from gaze.sessions.messages import Command, SessionRequest
from gaze.web.app import create_app
from simulation.clients.rtc_viewer import PictureTrack, RtcViewer
from simulation.viewers.painted import viewer_frame
from tests.conftest import Serve

ROOT = Path(__file__).resolve().parents[2]
TEXT = (ROOT / "docs" / "api.md").read_text()


def rows(after: str) -> dict[str, str]:
    """The table that follows some words: its first cells, and the rest of each row."""
    table = TEXT.split(after, 1)[1].split("\n\n| ", 1)[1].split("\n\n", 1)[0]
    cells = (line.strip("| ").split(" | ", 1) for line in table.split("\n")[2:])
    return {first.strip("`"): rest for first, rest in cells}


def named(text: str) -> set[str]:
    """What stands in backticks."""
    return set(re.findall(r"`([^`]+)`", text))


def test_every_call_is_named_and_every_named_call_exists() -> None:
    app = create_app(load([]))
    served = {
        f"{route.method} {route.resource.canonical}"
        for route in app.router.routes()
        if route.resource is not None and route.method != "HEAD"
    }
    told = set()
    for call in rows("## HTTP"):
        method, *paths = re.split(r"`, `|`? and `| ", call)
        told |= {f"{method} {path}" for path in paths}
    assert {call.removesuffix("/...") for call in told} == served


def test_every_field_of_a_session_request_is_documented() -> None:
    example = json.loads(TEXT.split("```json\n", 1)[1].split("```", 1)[0])
    assert set(example) == set(SessionRequest.model_fields)


def test_every_command_and_its_fields_are_documented() -> None:
    told = rows("and takes:")
    assert set(told) == {get_args(c.model_fields["type"].annotation)[0] for c in get_args(Command)}
    for command in get_args(Command):
        name = get_args(command.model_fields["type"].annotation)[0]
        assert set(command.model_fields) - {"type"} <= named(told[name]), name


async def test_every_message_and_its_fields_are_documented(serve: Serve) -> None:
    told = rows("The server sends:")
    figures = rows("## Figures")
    client = await serve()
    viewer = RtcViewer(client)
    picture = viewer_frame()
    await viewer.open(camera=PictureTrack(lambda t_s: picture), media="texture", effects=[])
    await viewer.hear("gaze", lambda m: m["pupil"] is not None and m["head"] is not None)
    await viewer.hear("stats")
    viewer.say(type="ping", id=1, t=0)
    await viewer.hear("pong")
    viewer.say(type="nonsense")
    await viewer.hear("error")
    viewer.say(type="calibrate", action="start")
    await viewer.hear("calibration")
    heard: dict[str, dict[str, Any]] = {m["type"]: m for m in viewer.messages}
    assert set(heard) == set(told)
    for name in set(heard) - {"stats", "error"}:
        assert set(heard[name]) - {"type"} <= named(told[name]), name
    for part in ("pupil", "head"):
        assert set(heard["gaze"][part] or {}) <= named(told["gaze"])
    assert set(heard["stats"]) - {"type"} == set(figures)
    assert set(heard["stats"]["latency_ms"]) <= named(figures["latency_ms"])
    response = await client.get(viewer.path, headers=viewer.bearer)
    about = "".join(TEXT.split("## Figures", 1)[1].split("| member", 1)[0].split())
    assert set(await response.json()) <= set(figures) | named(about)
    await viewer.close()
