"""The light of a frame: known answers, around the gaze, and any size."""

import dataclasses

import numpy as np
import pytest

from gaze.effects.film_luminance import film_light
from simulation.film_frames import looking


@pytest.mark.parametrize(
    ("luma", "expected"), [(16, 0.0), (0, 0.0), (235, 1.0), (255, 1.0), (126, (110 / 219) ** 2.4)]
)
def test_an_even_picture(luma: int, expected: float) -> None:
    light = film_light(np.full((720, 1280), luma, np.uint8), looking((0.5, 0.5), 3.0), 7.0)
    assert (light.picture, light.gaze) == pytest.approx((expected, expected), abs=1e-5)
    assert light.t_s == 7.0


def test_light_is_averaged_not_luma() -> None:
    luma = np.full((720, 1280), 16, np.uint8)
    luma[:, :640] = 235
    assert film_light(luma, None, 0.0).picture == pytest.approx(0.5, abs=0.01)


def test_around_the_gaze_is_five_degrees() -> None:
    luma = np.full((720, 1280), 16, np.uint8)
    y, x = np.mgrid[0:720, 0:1280]
    luma[np.hypot(x - 400, y - 300) < 1280 * 5 / 40] = 235
    gaze = dataclasses.replace(looking((400 / 1280, 300 / 720), 0.0), picture_deg=40.0)
    assert film_light(luma, gaze, 0.0).gaze == pytest.approx(1.0, abs=0.03)
    nearer = dataclasses.replace(gaze, picture_deg=20.0)
    assert film_light(luma, nearer, 0.0).gaze == pytest.approx(0.25, abs=0.03)
    elsewhere = dataclasses.replace(gaze, shown=(0.9, 0.9))
    assert film_light(luma, elsewhere, 0.0).gaze == 0.0


@pytest.mark.parametrize("shown", [None, (float("nan"), 0.5), (7.0, -3.0)])
def test_no_gaze_on_the_picture_is_unknown(shown: tuple[float, float] | None) -> None:
    luma = np.full((17, 33), 235, np.uint8)
    assert film_light(luma, looking(shown, 0.0), 0.0).gaze is None
    assert film_light(luma, looking(shown, 0.0), 0.0).picture == 1.0
