"""Grade: its tables, by known answers, and that the picture goes through them."""

import numpy as np
import pytest

from gaze.effects.chain import Chain
from gaze.effects.grade import chroma_table, luma_table
from gaze.frames.planes import planes_of
from simulation.film_frames import film_frame, looking

NEUTRAL = {"brightness": 0.0, "contrast": 1.0, "saturation": 1.0, "warmth": 0.0}


def test_brightness_moves_the_middle_and_keeps_black_and_white() -> None:
    brighter, darker = luma_table(0.5, 1.0), luma_table(-0.5, 1.0)
    assert [brighter[16], brighter[235], darker[16], darker[235]] == [16, 235, 16, 235]
    assert brighter[126] == round(16 + 219 * (110 / 219) ** 2**-0.5)
    assert darker[126] == round(16 + 219 * (110 / 219) ** 2**0.5)
    assert (np.diff(brighter.astype(int)) >= 0).all()


def test_contrast_turns_about_middle_grey() -> None:
    assert (luma_table(0.0, 0.0) == 126).all() or (luma_table(0.0, 0.0) == 125).all()
    double = luma_table(0.0, 2.0)
    assert (double[16], double[235]) == (0, 255)
    assert int(double[150]) - int(double[140]) == 20


def test_saturation_scales_and_warmth_shifts_chroma() -> None:
    assert (chroma_table(0.0, 0.0) == 128).all()
    assert chroma_table(2.0, 0.0)[100] == 72
    assert chroma_table(1.0, -7.0)[128] == 121


def test_nothing_asked_is_nothing_done() -> None:
    frame = film_frame(64, 48)
    assert Chain([{"name": "grade", **NEUTRAL}]).apply(frame, None, 0.0) is frame


def test_warmth_makes_red_of_blue() -> None:
    frame = film_frame(64, 48)
    source = planes_of(frame, writable=False)
    chain = Chain([{"name": "grade", **NEUTRAL, "warmth": 1.0}])
    drawn = planes_of(chain.apply(frame, None, 0.0), writable=False)
    assert np.array_equal(drawn.y, source.y)
    assert drawn.u.mean() == pytest.approx(source.u.mean() - 20, abs=0.1)
    assert drawn.v.mean() == pytest.approx(source.v.mean() + 14, abs=0.1)


def test_the_pupil_can_take_the_colour_away() -> None:
    binding = {"follow": "pupil.relative", "from": [-0.1, 0.1], "to": [1, 0], "smooth": 0}
    chain = Chain([{"name": "grade", **NEUTRAL, "saturation": binding}])
    frame = film_frame(64, 48)
    drawn = chain.apply(frame, looking(None, 0.0, pupil_relative=0.1), 0.0)
    assert (planes_of(drawn, writable=False).u == 128).all()
    assert chain.apply(frame, looking(None, 0.1, pupil_relative=-0.1), 0.1) is frame
