"""Which film a session shows, and whether it plays; the server's own films need no peer."""

from collections.abc import AsyncIterator
from http import HTTPStatus
from pathlib import Path
from typing import Any

import pytest

from gaze.base.problems import ProblemError
from gaze.media.address import Allowed
from gaze.media.library import Library
from gaze.rtc.peer import Peer
from gaze.sessions.film_playback import FilmPlayback
from gaze.sessions.resume_state import ResumeState


class Shown:
    """A film being shown, with the messages to the viewer."""

    def __init__(self, films: Path, **kept: Any) -> None:
        self.messages: list[dict[str, Any]] = []
        self.memory = ResumeState(effects=[], **kept)
        self.peer = Peer()
        self.film = FilmPlayback(
            Library(films), Allowed.of([], []), self.memory, lambda m: self.messages.append(dict(m))
        )

    async def open(self) -> None:
        await self.film.open(self.peer)
        self.film.begin(self.peer)


@pytest.fixture
async def shown(films: Path) -> AsyncIterator[Shown]:
    made = Shown(films, media="texture", position_s=5.0)
    await made.open()
    yield made
    await made.film.close()
    await made.peer.close()


async def test_a_film_goes_on_where_it_stood_and_leaves_where_it_stands(shown: Shown) -> None:
    assert shown.messages == [
        {"type": "playback", "paused": False, "reason": None, "position": 5.0, "lost": False}
    ]
    shown.film.seek(12.0)
    shown.film.set_paused(True)
    shown.film.set_loop(True)
    shown.film.remember()
    memory = shown.memory
    assert (memory.position_s, memory.paused_by_viewer, memory.loop) == (12.0, True, True)


async def test_the_viewers_pause_outlasts_the_eyes(shown: Shown) -> None:
    shown.film.set_paused(True)
    shown.film.obey("attention", 0.0, keeping=False)
    shown.film.obey(None, 0.0, keeping=False)
    assert [m["reason"] for m in shown.messages] == [None, "viewer"]
    shown.film.obey("attention", 0.0, keeping=False)
    shown.film.set_paused(False)
    assert shown.messages[-1]["reason"] == "attention"


async def test_the_effects_may_rewind(shown: Shown) -> None:
    shown.film.obey(None, 2.0, keeping=False)
    assert shown.film.message()["position"] == 3.0
    shown.film.obey(None, 9.0, keeping=False)
    assert shown.film.message()["position"] == 0.0


async def test_another_film_begins_at_its_beginning_for_who_comes_back_too(shown: Shown) -> None:
    await shown.film.change("grid")
    assert shown.film.message()["position"] == 0.0
    assert (shown.memory.media, shown.memory.position_s) == ("grid", 0.0)


async def test_what_is_impossible_is_said_and_changes_nothing(shown: Shown, films: Path) -> None:
    with pytest.raises(ProblemError, match="beyond the end"):
        shown.film.seek(1e6)
    with pytest.raises(ProblemError, match="no hosted film 'none'"):
        await shown.film.change("none")
    with pytest.raises(ProblemError, match="media"):
        await shown.film.change("http://127.0.0.1/")
    assert shown.film.message()["position"] == 5.0

    browsers = Shown(films)
    await browsers.open()
    with pytest.raises(ProblemError) as caught:
        browsers.film.seek(1.0)
    assert caught.value.problem.status == HTTPStatus.CONFLICT
    with pytest.raises(ProblemError) as caught:
        browsers.film.set_loop(True)
    assert caught.value.problem.status == HTTPStatus.CONFLICT
    with pytest.raises(ProblemError, match="from the browser"):
        await browsers.film.change("grid")
    assert browsers.film.message()["position"] is None
    await browsers.film.close()
    await browsers.peer.close()
