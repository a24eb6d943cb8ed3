"""Parameters that follow the eyes: mapping, smoothing, holding, easing, and what is refused."""

import itertools
import math
from typing import Any

import pytest

from gaze.effects.chain import Chain, EffectError
from gaze.effects.parameters import Binding, Follower
from simulation.film_frames import film_frame, looking

BINDING = {"follow": "dwell", "from": [1, 3], "to": [0.2, 0.8], "smooth": 0}


def bound(**changes: Any) -> Binding:
    return Binding.model_validate({**BINDING, **changes})


@pytest.mark.parametrize(
    ("signal", "value"), [(1, 0.2), (2, 0.5), (3, 0.8), (0, 0.2), (99, 0.8), (-99, 0.2)]
)
def test_a_binding_maps_linearly_and_stays_at_its_ends(signal: float, value: float) -> None:
    assert bound().target(signal) == pytest.approx(value)


def test_both_ranges_may_run_backwards() -> None:
    assert bound(**{"from": [3, 1]}).target(1.5) == pytest.approx(0.65)
    assert bound(to=[0.8, 0.2]).target(1.5) == pytest.approx(0.65)


def test_smoothing_is_exponential_whatever_the_steps() -> None:
    binding = bound(smooth=0.5)
    expected = 0.8 + (0.2 - 0.8) * math.exp(-1.0 / 0.5)
    for times in ([0, 1], [0, 0.1, 0.11, 0.7, 1], [index / 60 for index in range(61)]):
        follower = Follower(0.2)
        values = [follower.step(binding, {"dwell": 3.0}, t_s) for t_s in times]
        assert values[0] == 0.2
        assert values[-1] == pytest.approx(expected)


def test_time_that_runs_back_moves_nothing() -> None:
    follower = Follower(0.2)
    follower.step(bound(smooth=0.5), {"dwell": 3.0}, 1.0)
    value = follower.step(bound(smooth=0.5), {"dwell": 3.0}, 1.5)
    assert follower.step(bound(smooth=0.5), {"dwell": 3.0}, 1.2) == value
    assert follower.step(bound(smooth=0.5), {"dwell": 3.0}, 1.5) == value


@pytest.mark.parametrize("unknown", [{}, {"dwell": None}, {"dwell": math.nan}])
def test_an_unknown_signal_holds_for_a_second_and_then_eases_to_the_default(
    unknown: dict[str, float | None],
) -> None:
    follower = Follower(0.4)
    assert follower.step(bound(), {"dwell": 3.0}, 10.0) == pytest.approx(0.8)
    values = [follower.step(bound(), unknown, 10.0 + index / 10) for index in range(1, 61)]
    assert values[:10] == pytest.approx([0.8] * 10)
    easing = values[9:]
    assert all(later < earlier for earlier, later in itertools.pairwise(easing))
    assert easing[1] > 0.7
    assert easing[-1] == pytest.approx(0.4, abs=0.001)


def test_before_the_first_signal_there_is_the_default() -> None:
    follower = Follower(0.4)
    assert [follower.step(bound(), {}, t_s) for t_s in (0.0, 5.0, 50.0)] == [0.4, 0.4, 0.4]


def test_a_number_that_becomes_bound_starts_from_where_it_was() -> None:
    follower = Follower(0.4)
    follower.step(0.9, {}, 0.0)
    assert follower.step(bound(smooth=1), {"dwell": 1.0}, 0.0) == 0.9
    assert 0.2 < follower.step(bound(smooth=1), {"dwell": 1.0}, 0.5) < 0.9


@pytest.mark.parametrize(
    ("changes", "field", "message"),
    [
        ({"follow": "pupil"}, ".follow", "one of pupil.relative, "),
        ({"from": [1, 1]}, "", "`from` should be two different numbers"),
        ({"from": [1]}, ".from[1]", "is missing"),
        ({"from": [1, math.inf]}, ".from[1]", "finite"),
        ({"from": [1, 2, 3]}, ".from", "2 items"),
        ({"to": [0, 2]}, "", "`to` should stay between 0 and 1"),
        ({"to": [math.nan, 1]}, ".to[0]", "finite"),
        ({"to": ["0", 1]}, ".to[0]", "number"),
        ({"smooth": -1}, ".smooth", "greater than or equal to 0"),
        ({"smooth": math.nan}, ".smooth", "finite"),
        ({"speed": 1}, ".speed", "not permitted"),
    ],
)
def test_a_wrong_binding_says_where_and_what_would_be_right(
    changes: dict[str, Any], field: str, message: str
) -> None:
    with pytest.raises(EffectError, match=message) as caught:
        Chain([{"name": "blur", "strength": {**BINDING, **changes}}])
    assert caught.value.field == "effects[0].strength" + field


def test_a_chain_follows_the_pupil() -> None:
    binding = {"follow": "pupil.relative", "from": [0, 0.2], "to": [0, 1], "smooth": 0.2}
    chain = Chain([{"name": "blur", "area": "all", "strength": binding}])
    frame = film_frame(64, 48)
    for index in range(60):
        narrow = chain.apply(frame, looking(None, index / 30, pupil_relative=-0.1), index / 30)
    assert narrow is frame
    for index in range(60, 120):
        wide = chain.apply(frame, looking(None, index / 30, pupil_relative=0.3), index / 30)
    assert wide is not frame
