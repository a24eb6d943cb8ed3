"""What holds for every effect, with any parameters, gaze and frame size."""

import math

import av
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from gaze.effects import registry
from gaze.effects.chain import Chain
from gaze.effects.state import SIGNALS, GazeState
from gaze.frames.planes import copy_properties, planes_of
from simulation.films.frames import at_no_time, film_frame, looking

BUILT_IN = tuple(registry.EFFECTS)


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
"""Gaze states, and the seconds from the one before."""


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
def test_any_parameters_and_gaze_keep_the_size_and_time_of_the_frame(
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
def test_any_size_of_frame_is_kept(
    large: av.VideoFrame, specs: list[dict[str, object]], looks: Looks, width: int, height: int
) -> None:
    frame = av.VideoFrame(width, height, "yuv420p")
    for cut, whole in zip(
        planes_of(frame, writable=True), planes_of(large, writable=False), strict=True
    ):
        cut[:] = whole[: cut.shape[0], : cut.shape[1]]
    copy_properties(large, frame)
    draw_and_check(specs, looks, frame)
