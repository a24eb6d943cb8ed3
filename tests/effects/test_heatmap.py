"""Heat map: how heat is gathered and lost, its colours, and what it leaves alone."""

import matplotlib
import numpy as np
import pytest

from gaze.effects.chain import Chain
from gaze.effects.heatmap import Heat, colour_table
from gaze.effects.veil import yuv_of
from gaze.frames.planes import planes_of
from simulation.film_frames import film_frame, looking, play

WIDTH, HEIGHT = 640, 360


def test_half_is_gone_after_a_half_life_whatever_the_frame_rate() -> None:
    for steps in (1, 7, 240):
        heat = Heat(9, 16)
        heat.seconds[:] = 8.0
        for _ in range(steps):
            heat.fade(12.0 / steps, half_life_s=6.0)
        assert heat.seconds == pytest.approx(2.0, rel=1e-4)


def test_a_second_of_looking_is_a_gaussian_of_height_one() -> None:
    heat = Heat(90, 160)
    for _ in range(30):
        heat.look((40.5 / 160, 30.5 / 90), 0.1, 1 / 30)
    assert heat.seconds[30, 40] == pytest.approx(1.0, rel=1e-5)
    assert heat.seconds[39, 40] == pytest.approx(np.exp(-0.5), rel=1e-5)
    assert heat.seconds[30, 49] == pytest.approx(np.exp(-0.5), rel=1e-5)


@pytest.mark.parametrize("name", ["inferno", "magma", "plasma", "viridis", "turbo"])
def test_colours_are_those_of_matplotlib(name: str) -> None:
    expected = [yuv_of(*rgb[:3]) for rgb in matplotlib.colormaps[name](np.arange(256))]
    assert np.abs(colour_table(name) - np.array(expected)).max() <= 4


def test_what_was_looked_at_is_coloured_and_the_rest_untouched() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    source = planes_of(frame, writable=False)
    chain = Chain([{"name": "heatmap", "opacity": 1.0, "colours": "turbo"}])
    drawn = planes_of(play(chain, frame, (0.3, 0.5), seconds=4.0), writable=False)
    hottest = colour_table("turbo")[-6]
    assert drawn.y[180, 192] == pytest.approx(hottest[0], abs=12)
    assert drawn.v[90, 96] == pytest.approx(hottest[2], abs=12)
    far = np.s_[:, 480:]
    assert np.array_equal(drawn.y[far], source.y[far])
    assert np.array_equal(drawn.u[:, 240:], source.u[:, 240:])


def test_it_fades_until_the_film_is_itself_again() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    chain = Chain([{"name": "heatmap", "half_life": 0.5}])
    play(chain, frame, (0.3, 0.5), seconds=1.0)
    assert chain.apply(frame, looking(None, 2.0), 2.0) is not frame
    assert chain.apply(frame, looking(None, 12.0), 12.0) is frame
