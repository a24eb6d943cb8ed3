"""Cursor: it is where the gaze is, to a fraction of a pixel, in the colour asked for."""

import numpy as np
import pytest

from gaze.effects.chain import Chain
from gaze.effects.veil import COLOURS
from gaze.frames.planes import Planes, planes_of
from simulation.film_frames import frame_of, looking, play

WIDTH, HEIGHT = 640, 360


def drawn_at(shown: tuple[float, float] | None, **options: object) -> Planes:
    frame = frame_of(np.full((HEIGHT, WIDTH), 100, np.uint8))
    chain = Chain([{"name": "cursor", "colour": "white", **options}])
    return planes_of(play(chain, frame, shown, seconds=0.3), writable=False)


@pytest.mark.parametrize("shown", [(0.5, 0.5), (0.3004, 0.7013), (0.25, 0.333)])
@pytest.mark.parametrize("shape", ["ring", "dot"])
def test_its_middle_is_the_point_of_gaze(shown: tuple[float, float], shape: str) -> None:
    light = drawn_at(shown, shape=shape).y.astype(float) - 100
    y, x = np.mgrid[0:HEIGHT, 0:WIDTH] + 0.5
    found = (x * light).sum() / light.sum(), (y * light).sum() / light.sum()
    assert found == pytest.approx((shown[0] * WIDTH, shown[1] * HEIGHT), abs=0.25)


def test_a_dot_has_its_colour_and_its_size() -> None:
    drawn = drawn_at((0.5, 0.5), shape="dot", colour="red", opacity=1.0, size=0.1)
    colour = tuple(
        int(p[s]) for p, s in zip(drawn, [(180, 320), (90, 160), (90, 160)], strict=True)
    )
    assert colour == pytest.approx(COLOURS["red"], abs=1)
    half = (int(drawn.y[180, 320]) - 100) / 2
    covered = np.abs(drawn.y.astype(float) - 100) > abs(half)
    assert covered.sum() == pytest.approx(np.pi * 36**2, rel=0.04)


def test_it_grows_with_uncertainty_unless_told_not_to() -> None:
    frame = frame_of(np.full((HEIGHT, WIDTH), 100, np.uint8))
    gaze = looking((0.5, 0.5), 0.0, uncertainty=0.1)
    sizes = []
    for grow in (True, False):
        chain = Chain([{"name": "cursor", "colour": "white", "grow": grow}])
        light = planes_of(chain.apply(frame, gaze, 0.0), writable=False).y != 100
        sizes.append(light.any(axis=0).sum())
    assert sizes[0] == pytest.approx(2 * 0.1 * WIDTH, abs=6)
    assert sizes[1] < sizes[0] / 2


def test_it_may_hang_over_the_edge_or_lie_beyond_it() -> None:
    assert (drawn_at((0.0, 1.0)).y != 100).any()
    assert (drawn_at((1.5, 0.5)).y == 100).all()
    assert (drawn_at(None).y == 100).all()
