"""Pixelate: blocks of one value, the mean of what they hide, where they are asked for."""

import numpy as np
import pytest

from gaze.effects.chain import Chain
from gaze.effects.pixelate import Mosaic
from gaze.frames.planes import planes_of
from simulation.film_frames import film_frame, play

WIDTH, HEIGHT = 640, 320


def test_a_block_is_the_mean_of_its_samples() -> None:
    source = planes_of(film_frame(WIDTH, HEIGHT), writable=False).y
    target = np.empty_like(source)
    Mosaic().draw(source, target, (10, 20))
    blocks = target.reshape(10, 32, 20, 32)
    assert (blocks == blocks[:, :1, :, :1]).all()
    means = source.reshape(10, 32, 20, 32).mean(axis=(1, 3))
    assert np.abs(blocks[:, 0, :, 0] - means).max() <= 1.5


@pytest.mark.parametrize(("width", "height"), [(641, 361), (16, 16), (1000, 31)])
def test_no_sample_is_left_out_at_odd_sizes(width: int, height: int) -> None:
    source = np.full((height, width), 91, np.uint8)
    target = np.zeros_like(source)
    Mosaic().draw(source, target, (7, 9))
    assert (target == 91).all()


def test_it_hides_the_periphery_or_what_is_looked_at() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    source = planes_of(frame, writable=False)
    here, far = np.s_[140:180, 172:212], np.s_[100:220, 520:640]
    for area, kept, hidden in (("periphery", here, far), ("gaze", far, here)):
        chain = Chain([{"name": "pixelate", "area": area, "size": 0.1}])
        drawn = planes_of(play(chain, frame, (0.3, 0.5), seconds=0.5), writable=False)
        assert np.array_equal(drawn.y[kept], source.y[kept])
        block = drawn.y[hidden][8:20, 8:20].astype(float)
        assert block.std() < source.y[hidden][8:20, 8:20].std() / 3


def test_all_needs_no_gaze_and_no_size_is_no_change() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    drawn = Chain([{"name": "pixelate", "area": "all", "size": 0.1}]).apply(frame, None, 0.0)
    assert len(np.unique(planes_of(drawn, writable=False).y[:32, :32])) == 1
    still = Chain([{"name": "pixelate", "area": "all", "size": 0.0}])
    assert still.apply(frame, None, 0.0) is frame


def test_blocks_stay_where_they_are_while_the_gaze_moves() -> None:
    frame = film_frame(WIDTH, HEIGHT)
    far = np.s_[:, 560:]
    pictures = [
        planes_of(play(Chain([{"name": "pixelate"}]), frame, (x, 0.5), seconds=0.2), writable=False)
        for x in (0.1, 0.203, 0.3)
    ]
    assert all(np.array_equal(pictures[0].y[far], p.y[far]) for p in pictures[1:])
