"""The magnifying lens."""

import numpy as np
import pytest

from gaze.effects.drawing.lens import Lens
from gaze.frames.planes import Planes, planes_of
from simulation.films.frames import film_frame, frame_of
from tests.effects.dots import dot_near, dots

WIDTH, HEIGHT = 640, 360


def drawn(source: Planes, centre: tuple[float, float], opacity: float = 1.0) -> Planes:
    target = Planes(*(plane.copy() for plane in source))
    Lens().draw(source, target, 2.0, centre, 0.3, opacity)
    return target


def test_the_centre_stays_and_its_surroundings_are_magnified() -> None:
    source = planes_of(frame_of(dots(WIDTH, HEIGHT)), writable=False)
    luma = drawn(source, (280 / WIDTH, 160 / HEIGHT)).y
    assert dot_near(luma, 280, 160) == pytest.approx((280, 160), abs=0.1)
    assert dot_near(luma, 280, 240, reach=18) == pytest.approx((280, 240), abs=0.15)


def test_nothing_changes_outside_the_rim() -> None:
    source = planes_of(film_frame(WIDTH, HEIGHT), writable=False)
    target = drawn(source, (0.5, 0.5))
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    outside = np.hypot(x - WIDTH / 2, y - HEIGHT / 2) > 0.3 * HEIGHT + 8
    assert np.array_equal(target.y[outside], source.y[outside])
    assert not np.array_equal(target.y, source.y)


@pytest.mark.parametrize("centre", [(-1.0, 0.5), (0.5, 2.0)])
def test_a_lens_beside_the_picture_draws_nothing(centre: tuple[float, float]) -> None:
    source = planes_of(film_frame(WIDTH, HEIGHT), writable=False)
    assert np.array_equal(drawn(source, centre).y, source.y)


def test_opacity_0_draws_nothing() -> None:
    source = planes_of(film_frame(WIDTH, HEIGHT), writable=False)
    assert np.array_equal(drawn(source, (0.5, 0.5), opacity=0.0).y, source.y)
