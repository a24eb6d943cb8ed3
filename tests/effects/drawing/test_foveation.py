"""Levels of detail around the gaze, and the pyramid weights that give them."""

import math

import numpy as np
import pytest

from gaze.effects.drawing.acuity import Acuity
from gaze.effects.drawing.foveation import Area, LevelMap, LevelWeights
from gaze.frames.planes import FloatPlane


def summed_level(levels: LevelMap, distance: FloatPlane) -> FloatPlane:
    """The level of detail that the weights of all pyramid levels add up to."""
    level = np.zeros_like(distance)
    for k in range(math.ceil(levels.max_level)):
        level += 1 - levels.weight(k, distance)
    return level


@pytest.mark.parametrize("area", ["periphery", "gaze", "all"])
@pytest.mark.parametrize("max_level", [0.3, 1.0, 2.4, 4.0])
def test_weights_are_constant_beyond_their_outer_radius(area: Area, max_level: float) -> None:
    levels = LevelMap(area, 0.5, 0.5, 0.1, 0.3, max_level)
    distance = np.linspace(0, 2, 401, dtype=np.float32)
    for k in range(int(np.ceil(max_level))):
        weight = levels.weight(k, distance)
        beyond = weight[distance > levels.outer_radius(k) + 1e-6]
        assert np.allclose(beyond, 1.0 if area == "gaze" else 0.0, atol=1e-5)
    level = summed_level(levels, distance)
    assert level.max() == pytest.approx(max_level, abs=1e-5)
    assert level.min() == pytest.approx(max_level if area == "all" else 0.0, abs=1e-5)


@pytest.mark.parametrize("gain", [1.0, 3.0])
@pytest.mark.parametrize("max_level", [1.3, 3.0])
def test_levels_are_those_of_the_acuity_model(gain: float, max_level: float) -> None:
    acuity = Acuity.of_picture(1280, 30.0, gain)
    levels = LevelMap("periphery", 0.5, 0.5, 0.05, 0.3, max_level, acuity, height_deg=16.9)
    distance = np.linspace(0, 2, 401, dtype=np.float32)
    beyond_deg = np.maximum(0, distance - 0.05) * 16.9
    level = summed_level(levels, distance)
    assert level == pytest.approx(np.minimum(max_level, acuity.level(beyond_deg)), abs=1e-4)
    for k in range(int(np.ceil(max_level))):
        weight = levels.weight(k, distance)
        assert np.allclose(weight[distance > levels.outer_radius(k) + 1e-6], 0.0, atol=1e-5)


@pytest.mark.parametrize("area", ["periphery", "gaze", "all"])
@pytest.mark.parametrize("place", [(0.5, 0.5), (0.02, 0.9), (-0.4, 0.5)])
def test_the_weights_of_a_box_are_those_of_its_places(
    area: Area, place: tuple[float, float]
) -> None:
    width, height = 320, 180
    levels = LevelMap(area, *place, 0.1, 0.3, 2.4)
    y = (np.arange(height) + 0.5 - round(place[1] * height)) / height
    x = (np.arange(width) + 0.5 - round(place[0] * width)) / height
    expected = levels.weight(0, np.hypot(x[None, :], y[:, None]).astype(np.float32))
    blend = LevelWeights(0, width, height).blend(levels)
    assert blend.fine_outside == (area == "gaze")
    found = np.full((height, width), float(blend.fine_outside), np.float32)
    found[blend.rows, blend.columns] = blend.fine
    # Interpolated from a grid, which is less than two levels of 8 bits off on average.
    assert np.abs(found - expected).mean() < 2 / 255
    assert np.abs(found - expected).max() < 0.15
    assert blend.fine + blend.coarse == pytest.approx(1.0)


def test_weights_are_not_computed_anew_while_only_the_gaze_moves() -> None:
    weights = LevelWeights(0, 1280, 720)
    first = weights.blend(LevelMap("periphery", 0.5, 0.5, 0.1, 0.1, 3.0)).fine
    moved = weights.blend(LevelMap("periphery", 0.6, 0.4, 0.1, 0.1, 3.0)).fine
    assert np.shares_memory(first, moved)
    assert first.shape == moved.shape
