"""The image pyramid and the blending of its levels."""

import cv2
import numpy as np
import pytest

from gaze.effects.drawing.pyramid import LevelBlend, Pyramid, half_size
from gaze.frames.planes import Plane


def noise(height: int, width: int) -> Plane:
    return np.random.default_rng(0).integers(0, 256, (height, width)).astype(np.uint8)


def whole(height: int, width: int, fine: float, fine_outside: bool = False) -> LevelBlend:
    weights = np.full((height, width), fine, np.float32)
    return LevelBlend(
        slice(0, height),
        slice(0, width),
        weights,
        np.asarray(1 - weights, np.float32),
        fine_outside,
    )


NOWHERE = np.empty((0, 0), np.float32)


def test_half_size_rounds_up() -> None:
    assert [half_size(size) for size in (1, 2, 3, 720)] == [1, 1, 2, 360]


def test_without_levels_the_source_is_copied() -> None:
    source = noise(33, 47)
    target = np.zeros_like(source)
    Pyramid(33, 47).blend(source, target, [])
    assert np.array_equal(source, target)


@pytest.mark.parametrize("fine", [0.0, 0.25, 1.0])
def test_weights_mix_the_source_with_its_half_size(fine: float) -> None:
    source = noise(32, 48)
    target = np.empty_like(source)
    Pyramid(32, 48).blend(source, target, [whole(32, 48, fine)])
    half = cv2.resize(source, (24, 16), interpolation=cv2.INTER_AREA)
    coarse = cv2.resize(half, (48, 32), interpolation=cv2.INTER_LINEAR)
    expected = fine * source + (1 - fine) * coarse.astype(float)
    assert np.abs(target - expected).max() <= 1


@pytest.mark.parametrize("fine_outside", [True, False])
def test_outside_the_box_only_one_of_the_two_is_seen(fine_outside: bool) -> None:
    source = noise(32, 48)
    target = np.empty_like(source)
    nothing = LevelBlend(slice(0, 0), slice(0, 0), NOWHERE, NOWHERE, fine_outside)
    Pyramid(32, 48).blend(source, target, [nothing])
    assert np.array_equal(source, target) == fine_outside


def test_more_levels_are_smoother() -> None:
    source = noise(128, 128)
    pyramid, deviations = Pyramid(128, 128), []
    for levels in range(1, 5):
        target = np.empty_like(source)
        nothing = LevelBlend(slice(0, 0), slice(0, 0), NOWHERE, NOWHERE, False)
        pyramid.blend(source, target, [nothing] * levels)
        assert target.mean() == pytest.approx(source.mean(), abs=1)
        deviations.append(float(target.std()))
    assert deviations == sorted(deviations, reverse=True)
    assert deviations[-1] < deviations[0] / 4
