"""Colours in YUV."""

from typing import get_args

import pytest

from gaze.effects.drawing.colours import COLOURS, Colour, bt601_yuv


@pytest.mark.parametrize(
    ("rgb", "yuv"),
    [
        ((0, 0, 0), (16, 128, 128)),
        ((1, 1, 1), (235, 128, 128)),
        ((1, 0, 0), (81, 90, 240)),
        ((0, 1, 0), (145, 54, 34)),
        ((0, 0, 1), (41, 240, 110)),
    ],
)
def test_the_colours_of_bt601(rgb: tuple[float, float, float], yuv: tuple[int, int, int]) -> None:
    assert bt601_yuv(*rgb) == yuv


def test_every_colour_that_can_be_chosen_is_there() -> None:
    assert set(COLOURS) == set(get_args(Colour))
