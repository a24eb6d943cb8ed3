"""Films with a progress bar: what is measured in their frames is what was drawn."""

from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from simulation.films.progress import (
    RATE_FPS,
    dots,
    grid,
    make_film,
    progress_of,
    sharpness,
    spacing,
    texture,
)


def test_the_dots_of_a_grid_have_its_spacing() -> None:
    centres = dots(grid(640, 360, step=40))
    assert spacing(centres) == pytest.approx(40, abs=0.1)
    assert len(centres) == 16 * 8  # the row under the bar does not count


def test_a_texture_is_equally_sharp_everywhere_and_blur_lowers_sharpness() -> None:
    picture = texture(640, 360)
    left, right = (sharpness(picture, (x, 0.5)) for x in (0.2, 0.8))
    assert left == pytest.approx(right, rel=0.3)
    blurred = np.asarray(cv2.GaussianBlur(picture, (0, 0), 3.0), np.uint8)
    assert sharpness(blurred, (0.2, 0.5)) < left / 10


@pytest.mark.parametrize("name", ["film.mp4", "film.webm"])
def test_every_frame_shows_its_share_of_the_film(tmp_path: Path, name: str) -> None:
    film = make_film(tmp_path / name, texture(320, 180), 1.0)
    with av.open(str(film)) as container:
        assert {stream.type for stream in container.streams} == {"video", "audio"}
        planes = [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]
    shares = [progress_of(np.asarray(plane[:180], np.uint8)) for plane in planes]
    expected = [index / RATE_FPS for index in range(RATE_FPS)]
    assert shares == pytest.approx(expected, abs=0.02)
