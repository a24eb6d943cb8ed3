"""Masks around the point of gaze."""

import numpy as np
import pytest

from gaze.effects.drawing.masks import (
    MAX_WIDENING_HEIGHTS,
    inverse_smoothstep,
    peripheral_mask,
    smoothstep,
)
from gaze.effects.motion.gaze_filter import FilteredGaze
from gaze.frames.planes import Planes


def planes(width: int, height: int) -> Planes:
    chroma = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
    return Planes(np.zeros((height, width), np.uint8), chroma, chroma)


def test_smoothstep_and_its_inverse() -> None:
    x = np.linspace(0, 1, 11, dtype=np.float32)
    y = smoothstep(x)
    assert (y[0], y[5], y[10]) == (0, 0.5, 1)
    assert [inverse_smoothstep(float(value)) for value in y] == pytest.approx(list(x), abs=1e-3)
    assert inverse_smoothstep(-1) == pytest.approx(0)
    assert inverse_smoothstep(2) == pytest.approx(1)


def test_the_mask_is_0_within_the_radius_and_1_beyond_the_edge() -> None:
    mask = peripheral_mask(planes(1600, 900), FilteredGaze(0.5, 0.5, 1.0, 0.0), 0.2, 0.2)
    rows, columns = mask.shape
    y, x = np.mgrid[0:rows, 0:columns] + 0.5
    distance = np.hypot((x / columns - 0.5) * 16 / 9, y / rows - 0.5)
    assert (mask[distance < 0.2] == 0).all()
    assert (mask[distance > 0.4] == 1).all()
    assert mask[np.abs(distance - 0.3) < 0.004].mean() == pytest.approx(0.5, abs=0.03)


@pytest.mark.parametrize(("uncertainty", "widening"), [(0.05, 0.05), (9.0, MAX_WIDENING_HEIGHTS)])
def test_uncertainty_widens_the_radius(uncertainty: float, widening: float) -> None:
    picture = planes(800, 800)
    widened = peripheral_mask(picture, FilteredGaze(0.5, 0.5, 1.0, uncertainty), 0.1, 0.1)
    larger = peripheral_mask(picture, FilteredGaze(0.5, 0.5, 1.0, 0.0), 0.1 + widening, 0.1)
    assert np.array_equal(widened, larger)


def test_an_ellipse_has_the_proportions_of_the_picture() -> None:
    gaze = FilteredGaze(0.5, 0.5, 1.0, 0.0)
    mask = peripheral_mask(planes(1600, 900), gaze, 0.3, 0.02, ellipse=True)
    inside = mask == 0
    wide, high = inside.any(axis=0).mean(), inside.any(axis=1).mean()
    assert wide == pytest.approx(high, abs=0.02)


def test_a_narrow_edge_gets_a_finer_grid() -> None:
    picture, gaze = planes(1600, 900), FilteredGaze(0.5, 0.5, 1.0, 0.0)
    assert len(peripheral_mask(picture, gaze, 0.2, 0.02)) > len(
        peripheral_mask(picture, gaze, 0.2, 0.5)
    )
    assert len(peripheral_mask(planes(20, 10), gaze, 0.2, 0.02)) == 10
