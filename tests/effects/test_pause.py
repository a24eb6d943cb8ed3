"""When the film stands still, and when it goes on."""

from collections.abc import Callable
from typing import Any

import pytest

from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from simulation.film_frames import looking

MIDDLE = (0.5, 0.5)
Look = Callable[[float], GazeState | None]


def attending(t_s: float) -> GazeState:
    return looking(MIDDLE, t_s, pupil_relative=0.0)


def away(t_s: float) -> GazeState:
    return looking(None, t_s, attentive=False)


def closed(t_s: float) -> GazeState:
    return looking(MIDDLE, t_s, eyes_closed=True)


def wide(t_s: float) -> GazeState:
    return looking(MIDDLE, t_s, pupil_relative=0.3)


def hidden(t_s: float) -> GazeState:
    return looking(MIDDLE, t_s, pupil_relative=None)


def absent(t_s: float) -> None:
    return None


def about(t_s: float) -> Any:
    return pytest.approx(t_s, abs=0.011)


def changes(parameters: dict[str, Any], *script: tuple[float, Look]) -> list[tuple[float, Any]]:
    """Run a script of (until second, look) at 100 Hz; return when the answer became what."""
    chain = Chain([{"name": "pause", **parameters}])
    answer: str | None = None
    found = []
    index = 0
    for until_s, look in script:
        while (t_s := index / 100) < until_s:
            new = chain.update(look(t_s), t_s)
            if new != answer:
                found.append((t_s, new))
            answer = new
            index += 1
    return found


@pytest.mark.parametrize("look", [away, closed])
def test_it_stops_after_a_while_and_goes_on_after_a_while(look: Look) -> None:
    found = changes(
        {"after": 0.7, "resume_after": 0.4}, (1.0, attending), (3.0, look), (5.0, attending)
    )
    assert found == [(about(1.7), "attention"), (about(3.4), None)]


def test_a_blink_does_not_stop_it() -> None:
    assert changes({"after": 0.5}, (1.0, attending), (1.4, closed), (3.0, attending)) == []


def test_a_short_look_back_does_not_set_it_going() -> None:
    found = changes(
        {"after": 0.5, "resume_after": 0.5},
        (2.0, away),
        (2.3, attending),
        (3.0, away),
        (4.0, attending),
    )
    assert found == [(about(0.5), "attention"), (about(3.5), None)]


def test_closed_means_closed() -> None:
    assert changes({"when": "closed"}, (5.0, away)) == []
    assert changes({"when": "closed", "after": 1}, (5.0, closed)) == [(about(1.0), "attention")]


def test_a_wide_pupil_stops_it_until_it_is_narrow_again() -> None:
    found = changes(
        {"when": "pupil", "threshold": 0.2, "after": 0.5, "resume_after": 0.2},
        (1.0, attending),
        (2.0, wide),
        (3.0, attending),
    )
    assert found == [(about(1.5), "pupil"), (about(2.2), None)]


def test_the_threshold_is_the_threshold() -> None:
    assert changes({"when": "pupil", "threshold": 0.31}, (5.0, wide)) == []


def test_an_unknown_pupil_never_stops_it() -> None:
    assert changes({"when": "pupil", "after": 0.5}, (5.0, hidden)) == []
    assert changes({"when": "pupil", "after": 0.5}, (0.4, wide), (5.0, hidden)) == []


def test_a_blink_does_not_end_a_pause_by_pupil() -> None:
    found = changes(
        {"when": "pupil", "after": 0.5, "resume_after": 0.1},
        (1.0, wide),
        (1.4, hidden),
        (2.0, wide),
        (5.0, hidden),
    )
    assert found == [(about(0.5), "pupil"), (about(3.1), None)]


@pytest.mark.parametrize("when", ["attention", "closed", "pupil"])
def test_without_gaze_the_film_runs(when: str) -> None:
    assert changes({"when": when, "after": 0}, (5.0, absent)) == []


def test_a_lost_tracker_does_not_hold_the_film_for_ever() -> None:
    found = changes({"after": 0.5, "resume_after": 0.3}, (1.0, away), (9.0, absent))
    assert [answer for _, answer in found] == ["attention", None]
    assert found[1][0] < 2.5


def test_the_first_reason_in_the_chain_is_told() -> None:
    chain = Chain([{"name": "pause", "when": "pupil", "after": 0}, {"name": "pause", "after": 0}])
    look = looking(MIDDLE, 0.0, eyes_closed=True, pupil_relative=0.5)
    assert chain.update(look, 0.0) == "pupil"
    chain.update(closed(2.0), 2.0)
    assert chain.update(closed(2.5), 2.5) == "attention"


def test_taking_the_effect_away_lets_the_film_go_on() -> None:
    chain = Chain([{"name": "pause", "after": 0}])
    assert chain.update(away(0.0), 0.0) == "attention"
    chain.replace([{"name": "pause", "after": 5}])
    assert chain.update(away(0.1), 0.1) == "attention"
    chain.replace([])
    assert chain.update(away(0.2), 0.2) is None


def test_the_film_goes_back_once_when_the_viewer_returns() -> None:
    chain = Chain([{"name": "pause", "after": 0.1, "resume_after": 0.1, "rewind": 2.0}])
    rewinds = []
    for index in range(400):
        t_s = index / 100
        chain.update(away(t_s) if 1.0 <= t_s < 2.0 else attending(t_s), t_s)
        if rewind_s := chain.take_rewind():
            rewinds.append((t_s, rewind_s))
    assert rewinds == [(about(2.1), 2.0)]


def test_without_asking_it_never_goes_back() -> None:
    chain = Chain([{"name": "pause", "after": 0.0, "resume_after": 0.0}])
    for index in range(20):
        chain.update(away(index) if index % 2 else attending(index), index)
        assert chain.take_rewind() == 0.0
