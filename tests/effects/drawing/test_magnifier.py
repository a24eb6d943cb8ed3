"""Magnification, on pictures whose every place is known."""

import itertools

import numpy as np
import pytest

from gaze.effects.drawing.magnifier import Magnifier
from gaze.frames.planes import Planes, planes_of
from simulation.films.frames import frame_of
from tests.effects.dots import dot_near, dots

WIDTH, HEIGHT = 640, 360


@pytest.mark.parametrize("magnification", [1.02, 1.37, 2.0, 2.5, 4.0])
@pytest.mark.parametrize("centre", [(0.5, 0.5), (0.25, 0.7), (0.31, 0.444)])
def test_every_dot_lands_where_it_should(magnification: float, centre: tuple[float, float]) -> None:
    source = planes_of(frame_of(dots(WIDTH, HEIGHT)), writable=False)
    target = planes_of(frame_of(np.zeros((HEIGHT, WIDTH), np.uint8)), writable=True)
    Magnifier().draw(source, target, magnification, centre)
    seen = 0
    for x, y in itertools.product(range(0, WIDTH, 40), range(0, HEIGHT, 40)):
        expected_x = centre[0] * WIDTH + (x - centre[0] * WIDTH) * magnification
        expected_y = centre[1] * HEIGHT + (y - centre[1] * HEIGHT) * magnification
        if 25 < expected_x < WIDTH - 25 and 25 < expected_y < HEIGHT - 25:
            seen += 1
            found = dot_near(target.y, expected_x, expected_y, reach=18)
            assert found == pytest.approx((expected_x, expected_y), abs=0.1)
    assert seen >= 6


def test_chroma_stays_on_its_luma() -> None:
    """A ramp in luma and the same ramp in chroma, sited as in MPEG-2, still agree afterwards."""
    frame = frame_of(np.zeros((HEIGHT, WIDTH), np.uint8))
    planes = planes_of(frame, writable=True)
    columns = np.arange(WIDTH) * 0.25 + 30
    rows = np.arange(HEIGHT) * 0.1
    planes.y[:] = np.round(columns + rows[:, None])
    planes.u[:] = np.round(columns[::2] + (rows[::2] + rows[1::2])[:, None] / 2)
    planes.v[:] = planes.u
    target = planes_of(frame_of(np.zeros((HEIGHT, WIDTH), np.uint8)), writable=True)
    Magnifier().draw(planes, target, 3.0, (0.3, 0.6))
    luma = target.y.astype(float)[:, ::2]
    luma = (luma[::2] + luma[1::2]) / 2
    inner = np.s_[4:-4, 4:-4]
    for chroma in (target.u, target.v):
        assert np.abs(chroma[inner] - luma[inner]).max() <= 1.5
        assert (chroma[inner] - luma[inner]).mean() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (641, 361)])
def test_any_size_is_filled(size: tuple[int, int]) -> None:
    width, height = size
    source = planes_of(frame_of(np.full((height, width), 77, np.uint8)), writable=False)
    source = Planes(source.y, np.full_like(source.u, 90), np.full_like(source.v, 160))
    for magnification, x, y in itertools.product((1.0003, 1.9, 4.0), (0, 0.4, 1), (0, 0.4, 1)):
        target = planes_of(frame_of(np.zeros((height, width), np.uint8)), writable=True)
        Magnifier().draw(source, target, magnification, (x, y))
        assert {int(v) for v in np.unique(target.y)} == {77}
        assert {int(v) for v in np.unique(target.u)} == {90}
        assert {int(v) for v in np.unique(target.v)} == {160}
