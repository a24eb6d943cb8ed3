"""The chain as sessions use it: checking, order, changes while it runs, failures, frames."""

import threading
from typing import ClassVar

import numpy as np
import pytest

from gaze.effects import registry
from gaze.effects.chain import Chain, EffectError
from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Parameters
from gaze.effects.parameters import Parameters as AnyParameters
from gaze.effects.state import GazeState
from gaze.effects.view import View
from gaze.frames.planes import planes_of
from simulation.films.frames import FRAME_S, film_frame, looking, play


class Broken(Effect[Parameters]):
    name = "broken"
    title = "Broken"
    description = "Raises after it has begun to draw"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: AnyParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        canvas.blank().y[:] = 0
        raise RuntimeError("no such luck")


class Negative(Effect[Parameters]):
    name = "negative"
    title = "Negative"
    description = "Turns the luma round"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: AnyParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        target = canvas.copy()
        np.subtract(255, canvas.source.y, out=target.y)


class Witness(Effect[Parameters]):
    name = "witness"
    title = "Witness"
    description = "Records the gaze that it gets"
    Parameters = Parameters
    made: ClassVar[list["Witness"]] = []

    def __init__(self) -> None:
        self.seen: list[GazeState] = []
        self.made.append(self)

    def draw(
        self, canvas: Canvas, parameters: AnyParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        if gaze is not None:
            self.seen.append(gaze)


@pytest.fixture(autouse=True)
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "EFFECTS", registry.EFFECTS)
    for effect in (Broken, Negative, Witness):
        monkeypatch.setitem(registry.EFFECTS, effect.name, effect)
    Witness.made.clear()


@pytest.mark.parametrize(
    ("specs", "field", "message"),
    [
        ("blur", "effects", "a list"),
        ([7], "effects[0]", "an object with a name"),
        ([{}], "effects[0].name", "one of blur, "),
        ([{"name": "blur"}, {"name": "sepia"}], "effects[1].name", "one of blur, "),
        ([{"name": "blur", "strength": 1.5}], "effects[0].strength", "from 0 to 1, .* not 1.5"),
        ([{"name": "blur", "strength": "0.5"}], "effects[0].strength", "a number from 0 to 1"),
        ([{"name": "blur", "strength": True}], "effects[0].strength", "a number from 0 to 1"),
        ([{"name": "blur", "strength": None}], "effects[0].strength", "a number from 0 to 1"),
        ([{"name": "blur", "strength": float("nan")}], "effects[0].strength", "a number from"),
        ([{"name": "blur", "area": "left"}], "effects[0].area", "'periphery', 'gaze' or 'all'"),
        ([{"name": "blur", "glow": 1}], "effects[0].glow", "there are: model, area, "),
        ([{"name": "pause"}] * 17, "effects", "at most 16"),
    ],
)
def test_a_wrong_chain_says_where_and_what_would_be_right(
    specs: list[dict[str, object]], field: str, message: str
) -> None:
    with pytest.raises(EffectError, match=message) as caught:
        Chain(specs)
    assert caught.value.field == field


def test_specs_are_complete_and_accepted_again() -> None:
    binding = {"follow": "dwell", "from": [0, 2], "to": [1, 3], "smooth": 0.5}
    chain = Chain([{"name": "zoom", "maximum": binding}, {"name": "pause"}])
    zoom = {"mode": "dwell", "maximum": binding, "dwell": 0.6, "speed": 1.0, "radius": 0.22}
    assert chain.specs[0] == {"name": "zoom", **zoom}
    assert chain.specs[1]["when"] == "attention"
    assert Chain(chain.specs).specs == chain.specs


def test_a_wrong_replacement_changes_nothing() -> None:
    chain = Chain([{"name": "blur", "strength": 0.3}])
    before = chain.specs
    with pytest.raises(EffectError):
        chain.replace([{"name": "zoom"}, {"name": "blur", "strength": 2}])
    assert chain.specs == before


def test_without_a_change_the_frame_itself_is_returned() -> None:
    frame = film_frame(64, 48)
    chain = Chain([{"name": "blur"}, {"name": "zoom"}, {"name": "pause"}])
    assert chain.apply(frame, None, 0.0) is frame
    assert Chain([]).apply(frame, looking((0.5, 0.5), 0.0), 0.0) is frame


def test_effects_stack_in_order() -> None:
    frame = film_frame(64, 48)
    source = planes_of(frame, writable=False)
    once = planes_of(Chain([{"name": "negative"}]).apply(frame, None, 0.0), writable=False)
    assert np.array_equal(once.y, 255 - source.y)
    assert np.array_equal(once.u, source.u)
    twice = Chain([{"name": "negative"}, {"name": "negative"}]).apply(frame, None, 0.0)
    assert np.array_equal(planes_of(twice, writable=False).y, source.y)


def test_other_formats_come_out_as_yuv420p() -> None:
    frame = film_frame(64, 48).reformat(format="yuv444p")
    frame.pts = 11
    drawn = Chain([{"name": "blur", "area": "all"}]).apply(frame, None, 0.0)
    assert (drawn.format.name, drawn.width, drawn.height, drawn.pts) == ("yuv420p", 64, 48, 11)


def test_an_effect_that_raises_is_disabled_and_the_film_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    frame = film_frame(64, 48)
    chain = Chain([{"name": "broken"}, {"name": "negative"}])
    for t_s in (0.0, 0.1, 0.2):
        chain.update(None, t_s)
        drawn = chain.apply(frame, None, t_s)
    source = planes_of(frame, writable=False)
    assert np.array_equal(planes_of(drawn, writable=False).y, 255 - source.y)
    assert [(f.index, f.name, f.message) for f in chain.failures] == [
        (0, "broken", "RuntimeError: no such luck")
    ]
    assert len(caplog.records) == 1
    chain.replace([{"name": "negative"}])
    assert chain.failures == []


def test_the_effect_before_a_zoom_sees_the_film_and_the_one_after_it_the_picture() -> None:
    chain = Chain([{"name": "witness"}, {"name": "zoom"}, {"name": "witness"}])
    first, last = Witness.made
    play(chain, film_frame(64, 48), (0.25, 0.5), seconds=2.0)
    assert chain.view == View(0.125, 0.25, 0.5, 0.5)
    chain.apply(film_frame(64, 48), looking((0.75, 0.5), 2.0, uncertainty=0.1), 2.0)
    assert first.seen[-1].shown == pytest.approx((0.5, 0.5))
    assert first.seen[-1].uncertainty == pytest.approx(0.05)
    assert last.seen[-1].shown == (0.75, 0.5)


def test_gaze_is_mapped_by_the_view_of_its_own_time() -> None:
    chain = Chain([{"name": "witness"}, {"name": "zoom"}])
    (witness,) = Witness.made
    play(chain, film_frame(64, 48), (0.0, 0.0), seconds=2.0)
    assert chain.view.width == 0.5
    assert chain.view_at(1.9).width == 0.5
    chain.apply(film_frame(64, 48), looking((0.8, 0.8), 0.1), 2.0)
    assert witness.seen[-1].shown == (0.8, 0.8)
    chain.apply(film_frame(64, 48), looking((0.8, 0.8), 1.9), 2.0)
    assert witness.seen[-1].shown == pytest.approx((0.4, 0.4))


def test_gaze_is_mapped_by_the_view_that_was_displayed_then() -> None:
    chain = Chain([{"name": "witness"}, {"name": "zoom"}], display_delay_s=0.9)
    (witness,) = Witness.made
    play(chain, film_frame(64, 48), (0.0, 0.0), seconds=2.0)
    seen = chain.view_at(1.015)
    assert 0.5 < seen.width < 1
    chain.apply(film_frame(64, 48), looking((0.8, 0.8), 1.915), 2.0)
    assert witness.seen[-1].shown == pytest.approx((0.8 * seen.width, 0.8 * seen.height))


def test_a_replaced_effect_keeps_its_state() -> None:
    frame = film_frame(64, 48)
    chain = Chain([{"name": "zoom"}])
    play(chain, frame, (0.25, 0.5), seconds=2.0)
    before = chain.view
    chain.replace([{"name": "blur", "strength": 0.0}, {"name": "zoom", "dwell": 0.9}])
    chain.apply(frame, looking((0.25, 0.5), 2.0), 2.0)
    assert chain.view == before


def test_frames_that_somebody_holds_are_not_reused() -> None:
    chain = Chain([{"name": "blur", "area": "all"}])
    held = []
    for value in range(12):
        frame = film_frame(64, 48)
        planes_of(frame, writable=True).y[:] = value
        held.append(chain.apply(frame, None, value * FRAME_S))
    assert [planes_of(frame, writable=False).y.max() for frame in held] == list(range(12))


def test_planes_keep_their_frame_from_being_reused() -> None:
    chain = Chain([{"name": "negative"}])
    luma = planes_of(chain.apply(film_frame(64, 48), None, 0.0), writable=False).y
    before = luma.copy()
    for seed in range(5):
        chain.apply(film_frame(64, 48, seed=seed + 1), None, 0.1 * seed)
    assert np.array_equal(luma, before)


def test_unused_frames_are_reused() -> None:
    chain = Chain([{"name": "negative"}, {"name": "negative"}])
    frame = film_frame(64, 48)
    places = set()
    for index in range(20):
        drawn = chain.apply(frame, None, index * FRAME_S)
        places.add(drawn.planes[0].buffer_ptr)
    assert len(places) <= 3


def test_the_frame_size_may_change_midstream() -> None:
    chain = Chain([{"name": "blur"}, {"name": "zoom"}])
    for index, (width, height) in enumerate([(64, 48), (33, 17), (160, 90), (64, 48)] * 10):
        t_s = index * 0.1
        drawn = chain.apply(film_frame(width, height), looking((0.5, 0.5), t_s), t_s)
        assert (drawn.width, drawn.height) == (width, height)
    assert chain.failures == []
    assert chain.view.width == 0.5


def test_the_chain_may_be_replaced_while_it_draws() -> None:
    chain = Chain([])
    stop = threading.Event()
    raised: list[BaseException] = []

    def draw() -> None:
        frame = film_frame(160, 90)
        t_s = 0.0
        while not stop.is_set():
            t_s += FRAME_S
            try:
                drawn = chain.apply(frame, looking((0.3, 0.3), t_s), t_s)
                assert (drawn.width, drawn.height) == (160, 90)
            except BaseException as error:
                raised.append(error)
                return

    worker = threading.Thread(target=draw)
    worker.start()
    presets = registry.presets()
    for index in range(200):
        chain.replace(presets[index % len(presets)]["effects"])
        chain.update(looking((0.3, 0.3), 0.0), index / 100)
        chain.view_at(index / 100)
    stop.set()
    worker.join()
    assert raised == []
    assert chain.failures == []


def test_overruns_of_both_threads_are_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    """An overrun of `pauses` on the event loop while `draw` is being timed in a worker."""
    times_s = {"worker": iter([0.0, 0.2]), "loop": iter([0.0, 0.2])}
    timing, updated = threading.Event(), threading.Event()

    def clock() -> float:
        worker = threading.current_thread() is thread
        t_s = next(times_s["worker" if worker else "loop"])
        if worker and t_s > 0:
            timing.set()
            assert updated.wait(10)
        return t_s

    chain = Chain([{"name": "witness"}], clock=clock)
    thread = threading.Thread(target=chain.apply, args=(film_frame(64, 48), None, 0.0))
    thread.start()
    assert timing.wait(10)
    chain.update(None, 0.0)
    updated.set()
    thread.join()
    assert chain.overruns == 2
