"""Alpha blending in 8 bits."""

import numpy as np
import pytest

from gaze.effects.drawing.blending import GridBlender, MaskBlender
from gaze.frames.planes import Plane, Planes


def noise(height: int, width: int, seed: int = 0) -> Plane:
    return np.random.default_rng(seed).integers(0, 256, (height, width)).astype(np.uint8)


def picture(height: int, width: int, seed: int = 0) -> Planes:
    half = (height + 1) // 2, (width + 1) // 2
    return Planes(noise(height, width, seed), noise(*half, seed + 1), noise(*half, seed + 2))


def test_a_colour_is_blended_by_alpha_and_leaves_0_untouched() -> None:
    source = noise(96, 96)
    target = np.empty_like(source)
    alpha = np.repeat(np.array([[0], [0], [0.5], [0.5], [1], [1]], np.float32), 4, axis=1)
    GridBlender().blend_colour(source, target, alpha, 200.0)
    assert np.array_equal(target[:20], source[:20])
    assert np.abs(target[44:52] - (source[44:52] * 0.5 + 100)).max() <= 1.5
    assert (target[76:] == 200).all()


def test_each_cell_may_have_its_own_colour() -> None:
    source = noise(40, 40)
    target = np.empty_like(source)
    colour = np.array([[10, 200]], np.float32)
    GridBlender().blend_colour(source, target, np.ones((1, 2), np.float32), colour)
    assert (target[:, :8] == 10).all()
    assert (target[:, -8:] == 200).all()


def test_a_plane_is_blended_over_another() -> None:
    source, over = noise(64, 96), noise(64, 96, seed=5)
    expected, target = over.copy(), np.empty_like(source)
    alpha = np.repeat(np.array([[0.0], [0.0], [1.0], [1.0]], np.float32), 4, axis=1)
    GridBlender().blend_plane(source, over, target, alpha)
    assert np.array_equal(target[:20], source[:20])
    assert np.array_equal(target[44:], expected[44:])


@pytest.mark.parametrize("opacity", [1.0, 0.5])
def test_a_mask_blends_a_colour_into_luma_and_chroma_of_its_box(opacity: float) -> None:
    target, blender = picture(60, 80), MaskBlender()
    before = [plane.copy() for plane in target]
    rows, columns = slice(10, 30), slice(20, 60)
    mask = blender.empty_mask(rows, columns)
    mask[:, 20:] = 255
    blender.blend_colour(target, rows, columns, mask, (200, 60, 90), opacity)
    for plane, source, value, scale in zip(target, before, (200, 60, 90), (1, 2, 2), strict=True):
        inside = np.s_[10 // scale : 30 // scale, 40 // scale : 60 // scale]
        expected = source[inside] * (1 - opacity) + value * opacity
        assert np.abs(plane[inside] - expected).max() <= 1.5
        source[inside] = plane[inside]
        assert np.array_equal(plane, source)


def test_a_picture_is_blended_into_a_box() -> None:
    target, blender = picture(60, 80), MaskBlender()
    before = [plane.copy() for plane in target]
    over = picture(20, 40, seed=9)
    expected = [plane.copy() for plane in over]
    rows, columns = slice(10, 30), slice(20, 60)
    mask = blender.empty_mask(rows, columns)
    mask[:, 20:] = 255
    blender.blend_picture(target, rows, columns, mask, over)
    for plane, source, new, scale in zip(target, before, expected, (1, 2, 2), strict=True):
        inside = np.s_[10 // scale : 30 // scale, 40 // scale : 60 // scale]
        assert np.array_equal(plane[inside], new[:, 20 // scale :])
        source[inside] = plane[inside]
        assert np.array_equal(plane, source)


def test_an_empty_box_changes_nothing() -> None:
    target, blender = picture(60, 80), MaskBlender()
    before = target.y.copy()
    rows, columns = slice(0, 0), slice(0, 10)
    blender.blend_colour(target, rows, columns, blender.empty_mask(rows, columns), (0, 0, 0))
    assert np.array_equal(target.y, before)
