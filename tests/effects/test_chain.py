"""The chain as sessions use it: checking, order, live changes, failures, frames."""

import math
import threading

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaze.effects import registry
from gaze.effects.chain import Chain, EffectError
from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Parameters
from gaze.effects.state import SIGNALS, GazeState
from gaze.effects.view import WHOLE, View
from gaze.frames.planes import copy_timing, planes_of
from simulation.film_frames import FRAME_S, at_no_time, film_frame, looking, play

BUILT_IN = tuple(registry.EFFECTS)


class Broken(Effect[Parameters]):
    name = "broken"
    title = "Broken"
    description = "Raises after it has begun to draw"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: Parameters, gaze: GazeState | None, t_s: float
    ) -> None:
        canvas.blank().y[:] = 0
        raise RuntimeError("no such luck")


class Negative(Effect[Parameters]):
    name = "negative"
    title = "Negative"
    description = "Turns the luma round"
    Parameters = Parameters

    def draw(
        self, canvas: Canvas, parameters: Parameters, gaze: GazeState | None, t_s: float
    ) -> None:
        target = canvas.copy()
        np.subtract(255, canvas.source.y, out=target.y)


class Witness(Effect[Parameters]):
    name = "witness"
    title = "Witness"
    description = "FrameMetadata the gaze that it gets"
    Parameters = Parameters

    def __init__(self) -> None:
        self.seen: list[GazeState | None] = []

    def draw(
        self, canvas: Canvas, parameters: Parameters, gaze: GazeState | None, t_s: float
    ) -> None:
        self.seen.append(gaze)


@pytest.fixture(autouse=True)
def plug_ins(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "EFFECTS", registry.EFFECTS)
    for effect in (Broken, Negative, Witness):
        monkeypatch.setitem(registry.EFFECTS, effect.name, effect)


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


def test_without_a_change_the_frame_itself_goes_on() -> None:
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


def test_an_effect_that_raises_is_switched_off_and_the_film_goes_on(
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
    first, _, last = (link.effect for link in chain._links)
    play(chain, film_frame(64, 48), (0.25, 0.5), seconds=2.0)
    assert chain.view == View(0.125, 0.25, 0.5, 0.5)
    chain.apply(film_frame(64, 48), looking((0.75, 0.5), 2.0, uncertainty=0.1), 2.0)
    assert first.seen[-1].shown == pytest.approx((0.5, 0.5))
    assert first.seen[-1].uncertainty == pytest.approx(0.05)
    assert last.seen[-1].shown == (0.75, 0.5)


def test_gaze_is_undone_with_the_view_of_its_own_time() -> None:
    chain = Chain([{"name": "witness"}, {"name": "zoom"}])
    witness = chain._links[0].effect
    play(chain, film_frame(64, 48), (0.0, 0.0), seconds=2.0)
    assert chain.view.width == 0.5
    assert chain.view_at(1.9).width == 0.5
    chain.apply(film_frame(64, 48), looking((0.8, 0.8), 0.1), 2.0)
    assert witness.seen[-1].shown == (0.8, 0.8)
    chain.apply(film_frame(64, 48), looking((0.8, 0.8), 1.9), 2.0)
    assert witness.seen[-1].shown == pytest.approx((0.4, 0.4))


def test_gaze_is_undone_with_the_view_that_was_seen_then() -> None:
    chain = Chain([{"name": "witness"}, {"name": "zoom"}], display_delay_s=0.9)
    witness = chain._links[0].effect
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


def test_frames_that_somebody_holds_are_left_alone() -> None:
    chain = Chain([{"name": "blur", "area": "all"}])
    held = []
    for value in range(12):
        frame = film_frame(64, 48)
        planes_of(frame, writable=True).y[:] = value
        held.append(chain.apply(frame, None, value * FRAME_S))
    assert [planes_of(frame, writable=False).y.max() for frame in held] == list(range(12))


def test_a_view_of_a_dropped_frame_stays_as_it_was() -> None:
    chain = Chain([{"name": "negative"}])
    luma = planes_of(chain.apply(film_frame(64, 48), None, 0.0), writable=False).y
    before = luma.copy()
    for seed in range(5):
        chain.apply(film_frame(64, 48, seed=seed + 1), None, 0.1 * seed)
    assert np.array_equal(luma, before)


def test_frames_are_used_again() -> None:
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


def test_it_may_be_changed_while_it_draws() -> None:
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


def test_the_view_goes_there_and_back() -> None:
    view = View(0.1, 0.2, 0.5, 0.25)
    assert view.to_film((0.0, 1.0)) == pytest.approx((0.1, 0.45))
    assert view.to_shown(view.to_film((0.3, -0.7))) == pytest.approx((0.3, -0.7))
    inner = View(0.5, 0.5, 0.5, 0.5)
    point = (0.2, 0.9)
    assert inner.within(view).to_film(point) == pytest.approx(view.to_film(inner.to_film(point)))
    assert WHOLE.to_film(point) == point


def test_the_catalogue_makes_controls() -> None:
    entries = {entry["name"]: entry for entry in registry.catalogue()}
    assert {"blur", "zoom", "pause"} <= set(entries)
    schema = entries["blur"]["parameters"]
    strength = schema["properties"]["strength"]
    assert {"minimum": 0, "maximum": 1, "default": 0.8, "unit": "share"}.items() <= strength.items()
    assert strength["bindable"] is True
    number, binding = strength["anyOf"]
    assert number == {"type": "number", "minimum": 0, "maximum": 1}
    definition = schema["$defs"][binding["$ref"].rsplit("/", 1)[1]]
    assert definition["required"] == ["follow", "from", "to"]
    assert definition["properties"]["follow"]["enum"] == list(SIGNALS)
    assert schema["properties"]["area"]["enum"] == ["periphery", "gaze", "all"]
    for entry in entries.values():
        assert entry["title"]
        assert entry["description"]
        for about in entry["parameters"].get("properties", {}).values():
            assert {"title", "description", "default"} <= set(about)


def test_every_preset_is_a_chain() -> None:
    names = {preset["name"] for preset in registry.presets()}
    assert {"focus", "attention-pause", "pupil-pulse", "privacy"} <= names
    for preset in registry.presets():
        assert len(Chain(preset["effects"]).specs) == len(preset["effects"])


def test_a_name_is_given_once() -> None:
    class Other(Negative):
        name = "blur"

    with pytest.raises(ValueError, match="an effect called blur is there already"):
        registry.register(Other)


def settings_of(name: str) -> st.SearchStrategy[dict[str, object]]:
    """Any valid parameters of an effect, made from its schema."""
    properties = registry.EFFECTS[name].Parameters.model_json_schema()["properties"]
    values: dict[str, st.SearchStrategy[object]] = {}
    for key, about in properties.items():
        if "enum" in about:
            values[key] = st.sampled_from(about["enum"])
            continue
        if about.get("type") == "boolean":
            values[key] = st.booleans()
            continue
        number = st.floats(about["minimum"], about["maximum"])
        end = st.floats(-10, 10)
        binding = st.fixed_dictionaries(
            {
                "follow": st.sampled_from(list(SIGNALS)),
                "from": st.lists(end, min_size=2, max_size=2, unique=True),
                "to": st.lists(number, min_size=2, max_size=2),
                "smooth": st.floats(0, 60),
            }
        )
        values[key] = number | binding
    return st.fixed_dictionaries({"name": st.just(name)}, optional=values)


def gazes() -> st.SearchStrategy[GazeState | None]:
    anywhere = st.floats(-1e6, 1e6) | st.floats(-0.2, 1.2) | st.just(math.nan)
    unknown = st.none() | st.just(math.nan)
    return st.none() | st.builds(
        GazeState,
        t_s=st.floats(0, 10),
        shown=st.none() | st.tuples(anywhere, anywhere),
        uncertainty=unknown | st.floats(0, 10),
        attentive=st.booleans(),
        eyes_closed=st.booleans(),
        picture_deg=unknown | st.floats(0.01, 500),
        signals=st.dictionaries(
            st.sampled_from(list(SIGNALS)), unknown | st.floats(-1e3, 1e3), max_size=10
        ),
    )


@pytest.mark.parametrize("name", BUILT_IN)
@pytest.mark.parametrize("size", [(16, 16), (17, 33), (1281, 719), (3840, 2160)])
def test_every_effect_draws_the_smallest_and_the_largest(name: str, size: tuple[int, int]) -> None:
    frame = film_frame(*size)
    chain = Chain([{"name": name}], clock=at_no_time)
    for index, shown in enumerate([(0.5, 0.5), (0.0, 1.0), None, (1.4, -0.7)]):
        t_s = index * 0.4
        chain.update(looking(shown, t_s), t_s)
        drawn = chain.apply(frame, looking(shown, t_s), t_s)
        assert (drawn.width, drawn.height, drawn.format.name) == (*size, "yuv420p")
        assert (drawn.pts, drawn.time_base) == (frame.pts, frame.time_base)
    assert chain.failures == []


Looks = list[tuple[GazeState | None, float]]


def draw_and_check(specs: list[dict[str, object]], looks: Looks, frame: av.VideoFrame) -> None:
    chain = Chain(specs, clock=at_no_time)
    before = [bytes(plane) for plane in frame.planes]
    t_s = 0.0
    for gaze, step_s in looks:
        t_s += step_s
        chain.update(gaze, t_s)
        drawn = chain.apply(frame, gaze, t_s)
        assert (drawn.width, drawn.height) == (frame.width, frame.height)
        assert drawn.format.name == "yuv420p"
        assert (drawn.pts, drawn.time_base) == (frame.pts, frame.time_base)
        view = chain.view
        assert view.x >= -1e-9
        assert view.y >= -1e-9
        assert view.x + view.width <= 1 + 1e-9
        assert view.y + view.height <= 1 + 1e-9
    assert chain.failures == []
    assert [bytes(plane) for plane in frame.planes] == before


@settings(max_examples=300, deadline=None)
@given(
    specs=st.lists(st.sampled_from(BUILT_IN).flatmap(settings_of), max_size=3),
    looks=st.lists(st.tuples(gazes(), st.floats(0, 2)), min_size=1, max_size=8),
    width=st.integers(16, 120),
    height=st.integers(16, 120),
)
def test_whatever_comes_the_frame_keeps_its_shape_and_time(
    specs: list[dict[str, object]], looks: Looks, width: int, height: int
) -> None:
    draw_and_check(specs, looks, film_frame(width, height))


@pytest.fixture(scope="module")
def large() -> av.VideoFrame:
    return film_frame(3840, 2160)


@settings(max_examples=100, deadline=None)
@given(
    specs=st.lists(st.sampled_from(BUILT_IN).flatmap(settings_of), min_size=1, max_size=2),
    looks=st.lists(st.tuples(gazes(), st.floats(0, 2)), min_size=1, max_size=4),
    width=st.integers(16, 3840),
    height=st.integers(16, 2160),
)
def test_so_does_a_frame_of_any_size(
    large: av.VideoFrame, specs: list[dict[str, object]], looks: Looks, width: int, height: int
) -> None:
    frame = av.VideoFrame(width, height, "yuv420p")
    for cut, whole in zip(
        planes_of(frame, writable=True), planes_of(large, writable=False), strict=True
    ):
        cut[:] = whole[: cut.shape[0], : cut.shape[1]]
    copy_timing(large, frame)
    draw_and_check(specs, looks, frame)
