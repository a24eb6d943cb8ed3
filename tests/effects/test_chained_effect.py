"""Effects that misbehave: the film goes on, and failures are reported and counted."""

import time
from typing import Any

import av
import numpy as np
import pytest

from gaze.effects import registry
from gaze.effects.chain import Chain
from gaze.effects.chained_effect import (
    FIRST_SUSPENSION_S,
    MAX_CONSECUTIVE_OVERRUNS,
    VIEW_HISTORY_S,
    ChainedEffect,
)
from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Parameters
from gaze.effects.parameters import Parameters as AnyParameters
from gaze.effects.state import GazeState
from gaze.effects.view import View
from gaze.frames.planes import planes_of
from simulation.films.frames import film_frame


class Plugin(Effect[Parameters]):
    name = "plugin"
    title = "Plug-in"
    description = "Does what a test tells it"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: AnyParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        self.misbehave(canvas)

    def misbehave(self, canvas: Canvas) -> object:
        raise NotImplementedError


class Clock:
    """Time that passes only while an effect is said to work."""

    def __init__(self) -> None:
        self.now_s = 0.0

    def __call__(self) -> float:
        return self.now_s


def register(monkeypatch: pytest.MonkeyPatch, **members: Any) -> None:
    monkeypatch.setitem(registry.EFFECTS, "plugin", type("Made", (Plugin,), members))


def smaller(self: Plugin, canvas: Canvas) -> None:
    canvas.frame = av.VideoFrame(32, 32, "yuv420p")


def other_format(self: Plugin, canvas: Canvas) -> None:
    canvas.frame = av.VideoFrame(64, 48, "rgb24")


def no_frame(self: Plugin, canvas: Canvas) -> None:
    canvas.frame = np.zeros((48, 64))  # type: ignore[assignment]


def no_view(self: Plugin, canvas: Canvas) -> None:
    canvas.view = (0, 0, 1, 1)  # type: ignore[assignment]


def nan_view(self: Plugin, canvas: Canvas) -> None:
    canvas.view = View(0.0, 0.0, float("nan"), 1.0)


def view_beside_picture(self: Plugin, canvas: Canvas) -> None:
    canvas.view = View(0.9, 0.0, 0.5, 0.5)


def wrong_softened(self: Plugin, canvas: Canvas) -> None:
    canvas.softened = np.zeros((48, 64), np.float32)


def nan_softened(self: Plugin, canvas: Canvas) -> None:
    canvas.softened = np.full(canvas.blocks, np.nan, np.float32)


def paints_the_source(self: Plugin, canvas: Canvas) -> None:
    canvas.source.y[:] = 0


def raises(self: Plugin, canvas: Canvas) -> None:
    raise MemoryError("too much")


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        (smaller, "should be .*64, 48.*, not .*32, 32"),
        (other_format, "should be .*yuv420p.*rgb24"),
        (no_frame, "should be a VideoFrame"),
        (no_view, "should be a View"),
        (nan_view, "within the picture"),
        (view_beside_picture, "within the picture"),
        (wrong_softened, r"should be \(3, 4\) finite numbers"),
        (nan_softened, "finite numbers"),
        (paints_the_source, "read-only"),
        (raises, "too much"),
    ],
)
def test_an_invalid_canvas_disables_the_effect_and_the_film_goes_on(
    monkeypatch: pytest.MonkeyPatch, misbehave: Any, message: str
) -> None:
    register(monkeypatch, misbehave=misbehave)
    frame = film_frame(64, 48)
    before = planes_of(frame, writable=False).y.copy()
    chain = Chain([{"name": "plugin"}, {"name": "spotlight"}])
    for t_s in (0.0, 0.1):
        assert chain.apply(frame, None, t_s) is frame
    assert np.array_equal(planes_of(frame, writable=False).y, before)
    (failure,) = chain.failures
    assert (failure.index, failure.name) == (0, "plugin")
    with pytest.raises(AssertionError, match=message):
        raise AssertionError(failure.message)


@pytest.mark.parametrize("answer", [True, 7, "because"])
def test_an_unknown_reason_to_pause_is_ignored(
    monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    register(monkeypatch, pauses=lambda self, parameters, gaze, t_s: answer)
    chain = Chain([{"name": "plugin"}])
    assert chain.update(None, 0.0) is None
    assert "a reason should be one of" in chain.failures[0].message


def test_a_slow_effect_is_suspended_after_a_few_frames_and_run_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    drawn: list[float] = []

    def overrun(self: Plugin, canvas: Canvas) -> None:
        drawn.append(clock.now_s)
        clock.now_s += 0.2

    register(monkeypatch, misbehave=overrun)
    frame = film_frame(64, 48)
    chain = Chain([{"name": "plugin"}], clock=clock)
    for index in range(30):
        chain.update(None, index / 30)
        assert chain.apply(frame, None, index / 30) is frame
    assert len(drawn) == chain.overruns == MAX_CONSECUTIVE_OVERRUNS
    assert chain.failures[0].message == "took 200 ms, more than 100 ms a frame"
    again_s = (MAX_CONSECUTIVE_OVERRUNS - 1) / 30 + FIRST_SUSPENSION_S
    chain.apply(frame, None, again_s - 0.01)
    assert len(drawn) == MAX_CONSECUTIVE_OVERRUNS
    chain.apply(frame, None, again_s + 0.01)
    assert len(drawn) == chain.overruns == MAX_CONSECUTIVE_OVERRUNS + 1
    chain.apply(frame, None, again_s + 2 * FIRST_SUSPENSION_S - 0.1)
    assert len(drawn) == MAX_CONSECUTIVE_OVERRUNS + 1


def test_single_overruns_are_counted_only(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    count = 0

    def overrun_sometimes(self: Plugin, canvas: Canvas) -> None:
        nonlocal count
        count += 1
        clock.now_s += 0.2 if count % 2 else 0.001

    register(monkeypatch, misbehave=overrun_sometimes)
    chain = Chain([{"name": "plugin"}], clock=clock)
    for index in range(20):
        chain.apply(film_frame(64, 48), None, index / 30)
    assert (count, chain.overruns, chain.failures) == (20, 10, [])


def test_an_effect_that_hangs_costs_three_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(self: Plugin, canvas: Canvas) -> None:
        time.sleep(0.2)

    register(monkeypatch, misbehave=hang)
    chain = Chain([{"name": "plugin"}])
    for index in range(60):
        chain.apply(film_frame(64, 48), None, index / 30)
    assert chain.overruns == MAX_CONSECUTIVE_OVERRUNS


def chained(effect: type[Effect[Any]] = Plugin) -> ChainedEffect:
    return ChainedEffect(effect, Parameters())


def test_views_are_remembered_by_time() -> None:
    link = chained()
    left, right = View(0.0, 0.0, 0.5, 1.0), View(0.5, 0.0, 0.5, 1.0)
    link.record_view(left, 1.0)
    link.record_view(left, 1.1)
    link.record_view(right, 2.0)
    assert [link.view_at(t_s) for t_s in (0.9, 1.0, 1.9, 2.0, 9.0)] == [
        View(),
        left,
        left,
        right,
        right,
    ]
    link.record_view(View(), 2.0 + VIEW_HISTORY_S + 1.1)
    assert link.view_at(2.5) == right
    assert link.view_at(1.5) == right, "left is forgotten"


def test_one_that_raises_when_it_leaves_is_gone(caplog: pytest.LogCaptureFixture) -> None:
    class Raises(Plugin):
        def gone(self) -> bool:
            raise RuntimeError("not today")

    link = chained(Raises)
    assert not link.is_leaving_visibly()
    assert link.error == "RuntimeError: not today"
    assert "effect plugin raised and is switched off" in caplog.text
