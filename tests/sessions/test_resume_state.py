"""What is kept for a resume."""

from typing import Any

import pytest

from gaze.sessions.messages import SessionRequest
from gaze.sessions.resume_state import ResumeState

KEPT = ResumeState(
    effects=[{"name": "blur"}],
    media="texture",
    position_s=7.0,
    calibration={"version": 1},
    paused_by_viewer=True,
    loop=True,
)


def request(*, resumed: bool, **members: Any) -> SessionRequest:
    if resumed:
        members["resume"] = {"id": "a", "token": "b"}
    return SessionRequest.model_validate(
        {"sdp": "v=0", "type": "offer", "tracks": {"film": "0"}, **members}
    )


def test_who_comes_back_and_says_nothing_finds_all_as_it_was() -> None:
    assert KEPT.updated(request(resumed=True)) == KEPT


@pytest.mark.parametrize(
    ("said", "position_s"),
    [
        ({"media": "texture"}, 7.0),
        ({"media": "grid"}, 0.0),
        ({"media": None}, 0.0),
        ({"media": "grid", "position": 2.0}, 2.0),
        ({"position": 2.0}, 2.0),
    ],
)
def test_another_film_starts_at_its_beginning(said: dict[str, Any], position_s: float) -> None:
    updated = KEPT.updated(request(resumed=True, **said))
    assert updated.position_s == position_s
    assert updated.media == said.get("media", "texture")
    assert (updated.paused_by_viewer, updated.loop) == (True, True)


def test_what_the_request_says_comes_first() -> None:
    updated = KEPT.updated(request(resumed=True, effects=[], calibration=None))
    assert (updated.effects, updated.calibration) == ([], None)


def test_a_new_session_begins_with_the_defaults() -> None:
    fresh = ResumeState(effects=[]).updated(request(resumed=False, media="grid"))
    assert fresh == ResumeState(effects=[], media="grid")
