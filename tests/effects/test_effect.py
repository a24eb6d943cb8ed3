"""The canvas of an effect, and what an effect does by default."""

import numpy as np
import pytest

from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Parameters
from gaze.effects.view import WHOLE
from gaze.frames.planes import FramePool, planes_of
from simulation.films.frames import film_frame


def canvas(width: int = 64, height: int = 48) -> Canvas:
    return Canvas(planes_of(film_frame(width, height), writable=False), FramePool())


def test_an_untouched_canvas_changes_nothing() -> None:
    untouched = canvas()
    assert (untouched.frame, untouched.view, untouched.softened) == (None, WHOLE, None)


def test_a_copy_is_the_source_to_draw_on() -> None:
    drawn = canvas(65, 49)
    target = drawn.copy()
    assert drawn.frame is not None
    for source, plane in zip(drawn.source, target, strict=True):
        assert np.array_equal(source, plane)
    target.y[:] = 7
    assert (planes_of(drawn.frame, writable=False).y == 7).all()
    assert (drawn.source.y != 7).any()


@pytest.mark.parametrize(
    ("size", "blocks"), [((64, 48), (3, 4)), ((65, 49), (4, 5)), ((1, 1), (1, 1))]
)
def test_blocks_cover_the_picture(size: tuple[int, int], blocks: tuple[int, int]) -> None:
    assert canvas(*size).blocks == blocks


def test_an_effect_does_nothing_by_default() -> None:
    effect, drawn = Effect[Parameters](), canvas()
    effect.draw(drawn, Parameters(), None, 0.0)
    assert drawn.frame is None
    assert effect.pauses(Parameters(), None, 0.0) is None
    assert not effect.keeps(Parameters())
    assert effect.take_rewind() == 0.0
    assert effect.gone()
