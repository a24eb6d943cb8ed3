"""Pictures turned upright."""

import fractions

import av
import numpy as np
import pytest

from gaze.frames.rotation import upright


def frame(width: int, height: int) -> av.VideoFrame:
    """Every pixel of every plane different from its neighbours."""
    chance = np.random.default_rng(1)
    made = av.VideoFrame(width, height, "yuv420p")
    for plane in made.planes:
        plane.update(chance.integers(0, 256, plane.buffer_size, np.uint8).tobytes())
    made.pts, made.time_base = 77, fractions.Fraction(1, 90000)
    return made


def planes(picture: av.VideoFrame) -> list[np.ndarray]:
    return [
        np.frombuffer(bytes(plane), np.uint8)
        .reshape(-1, plane.line_size)[: plane.height, : plane.width]
        .copy()
        for plane in picture.planes
    ]


def test_an_upright_picture_is_left_alone() -> None:
    given = frame(64, 48)
    assert upright(given, 0) is given


@pytest.mark.parametrize(("clockwise", "quarters"), [(90, -1), (180, -2), (270, -3)])
@pytest.mark.parametrize("size", [(64, 48), (50, 30)])
def test_all_planes_are_turned(clockwise: int, quarters: int, size: tuple[int, int]) -> None:
    given = frame(*size)
    turned = upright(given, clockwise)
    assert (turned.width, turned.height) == (size if clockwise == 180 else size[::-1])
    assert (turned.pts, turned.time_base) == (given.pts, given.time_base)
    for before, after in zip(planes(given), planes(turned), strict=True):
        assert np.array_equal(np.rot90(before, quarters), after)


def test_another_format_is_turned_too() -> None:
    turned = upright(frame(64, 48).reformat(format="rgb24"), 90)
    assert (turned.format.name, turned.width, turned.height) == ("yuv420p", 48, 64)
