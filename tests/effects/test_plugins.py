"""Effects of third parties: whatever they do, the film goes on, and it is said and counted."""

import time
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from aiohttp import ClientSession

from gaze.effects import registry
from gaze.effects.chain import PATIENCE, SKIPPED_S, Chain
from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import View
from gaze.frames.planes import planes_of
from simulation.film_frames import film_frame
from simulation.films import progress_of, sharpness
from simulation.rtc_viewer import RtcViewer
from simulation.server_process import running_server


class Plugin(Effect[Parameters]):
    name = "plugin"
    title = "Plug-in"
    description = "Does what a test tells it"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: Parameters, gaze: GazeState | None, t_s: float
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


def join(monkeypatch: pytest.MonkeyPatch, **members: Any) -> None:
    monkeypatch.setitem(registry.EFFECTS, "plugin", type("Made", (Plugin,), members))


def smaller(self: Plugin, canvas: Canvas) -> None:
    canvas.frame = av.VideoFrame(32, 32, "yuv420p")


def other_format(self: Plugin, canvas: Canvas) -> None:
    canvas.frame = av.VideoFrame(64, 48, "rgb24")


def no_frame(self: Plugin, canvas: Canvas) -> None:
    canvas.frame = np.zeros((48, 64))  # type: ignore[assignment]


def no_view(self: Plugin, canvas: Canvas) -> None:
    canvas.view = (0, 0, 1, 1)  # type: ignore[assignment]


def nowhere(self: Plugin, canvas: Canvas) -> None:
    canvas.view = View(0.0, 0.0, float("nan"), 1.0)


def beyond(self: Plugin, canvas: Canvas) -> None:
    canvas.view = View(0.9, 0.0, 0.5, 0.5)


def wrong_softened(self: Plugin, canvas: Canvas) -> None:
    canvas.softened = np.zeros((48, 64), np.float32)


def no_softened(self: Plugin, canvas: Canvas) -> None:
    canvas.softened = np.full(canvas.blocks, np.nan, np.float32)


def paints_the_source(self: Plugin, canvas: Canvas) -> None:
    canvas.source.y[:] = 0


def exits(self: Plugin, canvas: Canvas) -> None:
    raise MemoryError("too much")


@pytest.mark.parametrize(
    ("misbehave", "message"),
    [
        (smaller, "should be .*64, 48.*, not .*32, 32"),
        (other_format, "should be .*yuv420p.*rgb24"),
        (no_frame, "should be a VideoFrame"),
        (no_view, "should be a View"),
        (nowhere, "within the picture"),
        (beyond, "within the picture"),
        (wrong_softened, r"should be \(3, 4\) finite numbers"),
        (no_softened, "finite numbers"),
        (paints_the_source, "read-only"),
        (exits, "too much"),
    ],
)
def test_nonsense_is_switched_off_and_the_film_goes_on(
    monkeypatch: pytest.MonkeyPatch, misbehave: Any, message: str
) -> None:
    join(monkeypatch, misbehave=misbehave)
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
def test_an_unknown_reason_to_pause_is_none(
    monkeypatch: pytest.MonkeyPatch, answer: object
) -> None:
    join(monkeypatch, pauses=lambda self, parameters, gaze, t_s: answer)
    chain = Chain([{"name": "plugin"}])
    assert chain.update(None, 0.0) is None
    assert "a reason should be one of" in chain.failures[0].message


def test_a_slow_effect_is_skipped_after_a_few_frames_and_tried_again_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clock = Clock()
    drawn: list[float] = []

    def dawdle(self: Plugin, canvas: Canvas) -> None:
        drawn.append(clock.now_s)
        clock.now_s += 0.2

    join(monkeypatch, misbehave=dawdle)
    frame = film_frame(64, 48)
    chain = Chain([{"name": "plugin"}], clock=clock)
    for index in range(30):
        chain.update(None, index / 30)
        assert chain.apply(frame, None, index / 30) is frame
    assert len(drawn) == chain.overruns == PATIENCE
    assert chain.failures[0].message == "took 200 ms, more than 100 ms a frame"
    again_s = (PATIENCE - 1) / 30 + SKIPPED_S
    chain.apply(frame, None, again_s - 0.01)
    assert len(drawn) == PATIENCE
    chain.apply(frame, None, again_s + 0.01)
    assert len(drawn) == chain.overruns == PATIENCE + 1
    chain.apply(frame, None, again_s + 2 * SKIPPED_S - 0.1)
    assert len(drawn) == PATIENCE + 1


def test_a_hiccup_now_and_then_is_counted_and_forgiven(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = Clock()
    count = 0

    def hiccup(self: Plugin, canvas: Canvas) -> None:
        nonlocal count
        count += 1
        clock.now_s += 0.2 if count % 2 else 0.001

    join(monkeypatch, misbehave=hiccup)
    chain = Chain([{"name": "plugin"}], clock=clock)
    for index in range(20):
        chain.apply(film_frame(64, 48), None, index / 30)
    assert (count, chain.overruns, chain.failures) == (20, 10, [])


def test_one_that_really_hangs_costs_three_frames(monkeypatch: pytest.MonkeyPatch) -> None:
    def hang(self: Plugin, canvas: Canvas) -> None:
        time.sleep(0.2)

    join(monkeypatch, misbehave=hang)
    chain = Chain([{"name": "plugin"}])
    for index in range(60):
        chain.apply(film_frame(64, 48), None, index / 30)
    assert chain.overruns == PATIENCE


async def test_a_running_server_survives_them(films: Path, tmp_path: Path) -> None:
    flags = ("--effects", "tests.effects.misbehaving", "--media", str(films))
    with running_server(*flags, log=tmp_path / "log") as server:
        async with ClientSession(server.url) as client:
            viewer = RtcViewer(client)
            names = ["raises", "hangs", "nonsense"]
            chain = [{"name": name} for name in (*names, "blur")]
            await viewer.open(media="texture", effects=chain)
            viewer.look(0.2, 0.5)
            for name in names:
                error = await viewer.hear("error", lambda m, name=name: name in m["detail"])
                assert f"the effect {name} failed and is switched off" in error["detail"]
            seen = [progress_of(await viewer.grey())]
            while seen[-1] < seen[0] + 0.02:
                viewer.look(0.2, 0.5)
                picture = await viewer.grey()
                seen.append(progress_of(picture))
            assert sharpness(picture, (0.2, 0.5)) > 3 * sharpness(picture, (0.85, 0.5))
            await viewer.hear("stats", lambda m: m["effects"]["overruns"] >= 3)
            await viewer.close()
