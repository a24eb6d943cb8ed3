"""Spotlight: what is looked at is untouched, the rest is dimmed or grey."""

import numpy as np
import pytest

from gaze.effects.chain import Chain
from gaze.frames.planes import planes_of
from simulation.film_frames import film_frame, play

WIDTH, HEIGHT = 640, 360
LOOKED_AT = np.s_[160:200, 172:212]
FAR = np.s_[100:260, 480:640]


def test_it_dims_to_black_as_far_as_asked() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "spotlight", "strength": 0.75}])
    source = planes_of(frame, writable=False)
    drawn = planes_of(play(chain, frame, (0.3, 0.5), seconds=0.5), writable=False)
    assert np.array_equal(drawn.y[LOOKED_AT], source.y[LOOKED_AT])
    expected = 16 + 0.25 * (source.y[FAR].astype(float) - 16)
    assert np.abs(drawn.y[FAR] - expected).max() <= 1.5
    expected = 128 + 0.25 * (source.u[50:130, 240:].astype(float) - 128)
    assert np.abs(drawn.u[50:130, 240:] - expected).max() <= 1.5


def test_grey_leaves_the_light_alone() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "spotlight", "look": "grey", "strength": 1.0}])
    source = planes_of(frame, writable=False)
    drawn = planes_of(play(chain, frame, (0.3, 0.5), seconds=0.5), writable=False)
    assert np.array_equal(drawn.y, source.y)
    assert np.array_equal(drawn.u[80:100, 86:106], source.u[80:100, 86:106])
    assert (drawn.u[:, 260:] == 128).all()
    assert (drawn.v[:, 260:] == 128).all()


def test_an_ellipse_is_wider_than_high() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    lit = {}
    for shape in ("circle", "ellipse"):
        chain = Chain([{"name": "spotlight", "shape": shape, "softness": 0.02, "strength": 1.0}])
        drawn = planes_of(play(chain, frame, (0.5, 0.5), seconds=0.5), writable=False)
        bright = drawn.y > 16
        lit[shape] = bright.any(axis=0).sum(), bright.any(axis=1).sum()
    assert lit["circle"][0] == pytest.approx(lit["circle"][1], abs=8)
    assert lit["ellipse"][0] == pytest.approx(lit["ellipse"][1] * WIDTH / HEIGHT, rel=0.06)
    assert lit["ellipse"][1] == pytest.approx(lit["circle"][1], abs=8)


def test_without_a_gaze_the_film_is_untouched() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    assert Chain([{"name": "spotlight"}]).apply(frame, None, 0.0) is frame
