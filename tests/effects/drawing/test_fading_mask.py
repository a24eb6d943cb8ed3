"""The mask that lines fade in."""

import numpy as np
import pytest

from gaze.effects.drawing.fading_mask import FadingMask
from gaze.frames.planes import Planes

WIDTH, HEIGHT = 200, 100
PLANES = Planes(
    np.zeros((HEIGHT, WIDTH), np.uint8),
    np.zeros((50, 100), np.uint8),
    np.zeros((50, 100), np.uint8),
)


def mask_with_line() -> FadingMask:
    mask = FadingMask()
    mask.resize(HEIGHT, WIDTH)
    mask.draw_line(PLANES, (0.2, 0.5), (0.8, 0.5), 8.0)
    return mask


def test_a_line_lies_between_its_points_within_its_box() -> None:
    mask = mask_with_line()
    cropped = mask.crop(PLANES, 12.0)
    assert mask.values[50, 50:150].min() == 255
    assert not mask.values[:, :25].any()
    assert not mask.values[70:].any()
    outside = mask.values.copy()
    outside[mask.box] = 0
    assert not outside.any()
    assert np.shares_memory(cropped, mask.values)


@pytest.mark.parametrize("steps", [1, 10, 300])
def test_it_fades_evenly_and_is_empty_after_its_time(steps: int) -> None:
    mask = mask_with_line()
    mask.crop(PLANES, 12.0)
    for _ in range(steps):
        mask.fade(0.5 / steps)
    assert mask.values.max() == pytest.approx(127, abs=2)
    assert mask.crop(PLANES, 12.0).size
    mask.fade(0.51)
    assert not mask.values.any()
    assert not mask.crop(PLANES, 12.0).size


def test_new_lines_lie_over_fainter_ones() -> None:
    mask = mask_with_line()
    mask.crop(PLANES, 12.0)
    mask.fade(0.5)
    mask.draw_line(PLANES, (0.5, 0.2), (0.5, 0.8), 8.0)
    assert mask.values[50, 100] == 255
    assert mask.values[50, 60] == pytest.approx(127, abs=2)


def test_another_picture_size_keeps_lines_in_their_place() -> None:
    mask = mask_with_line()
    mask.resize(2 * HEIGHT, 2 * WIDTH)
    assert mask.values.shape == (2 * HEIGHT, 2 * WIDTH)
    assert mask.values[100, 100:300].min() > 200
    assert not mask.values[140:].any()


def test_a_line_beside_the_picture_is_not_drawn() -> None:
    mask = FadingMask()
    mask.resize(HEIGHT, WIDTH)
    mask.draw_line(PLANES, (1.5, 0.5), (1.9, 0.5), 8.0)
    assert not mask.values.any()
