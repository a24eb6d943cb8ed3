"""Shapes at subpixel positions."""

import numpy as np
import pytest

from gaze.effects.drawing.shapes import (
    ANTIALIAS_PX,
    draw_disc,
    draw_ring,
    even_box,
    to_fixed_point,
)
from gaze.frames.planes import Plane, Planes


def centre_of(mask: Plane) -> tuple[float, float]:
    light = mask.astype(float)
    y, x = np.mgrid[0 : mask.shape[0], 0 : mask.shape[1]] + 0.5
    return float((x * light).sum() / light.sum()), float((y * light).sum() / light.sum())


@pytest.mark.parametrize("place", [(50.0, 40.0), (50.3, 40.6), (49.95, 40.11)])
def test_a_disc_is_where_it_should_be_and_as_large(place: tuple[float, float]) -> None:
    mask = np.zeros((80, 100), np.uint8)
    draw_disc(mask, to_fixed_point(*place), 20.0, 200)
    assert centre_of(mask) == pytest.approx(place, abs=0.1)
    assert mask.astype(float).sum() / 200 == pytest.approx(np.pi * 20.5**2, rel=0.03)
    y, x = np.mgrid[0:80, 0:100] + 0.5
    assert not mask[np.hypot(x - place[0], y - place[1]) > 20 + ANTIALIAS_PX].any()


def test_a_ring_is_hollow_and_has_its_thickness() -> None:
    mask = np.zeros((80, 100), np.uint8)
    draw_ring(mask, to_fixed_point(50.0, 40.0), 25.0, 6.0, 255)
    assert centre_of(mask) == pytest.approx((50, 40), abs=0.1)
    assert not mask[35:45, 45:55].any()
    assert (mask[40, 50:] > 127).sum() == pytest.approx(6, abs=1)


def sized(width: int, height: int) -> Planes:
    chroma = np.zeros(((height + 1) // 2, (width + 1) // 2), np.uint8)
    return Planes(np.zeros((height, width), np.uint8), chroma, chroma)


@pytest.mark.parametrize(
    ("rectangle", "expected"),
    [
        ((11.2, 7.9, 20.1, 12.0), (slice(6, 12), slice(10, 22))),
        ((-5.0, -5.0, 3.0, 3.0), (slice(0, 4), slice(0, 4))),
        ((95.0, 70.0, 200.0, 200.0), (slice(70, 81), slice(94, 101))),
        ((300.0, 0.0, 400.0, 10.0), (slice(0, 10), slice(100, 101))),
        ((-90.0, 0.0, -40.0, 10.0), (slice(0, 10), slice(0, 0))),
    ],
)
def test_boxes_begin_at_even_samples_and_stay_in_the_picture(
    rectangle: tuple[float, float, float, float], expected: tuple[slice, slice]
) -> None:
    assert even_box(sized(101, 81), *rectangle) == expected
