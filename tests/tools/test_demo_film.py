"""The demo film: whole, small, and detailed everywhere, so that foveation shows."""

from pathlib import Path

import cv2
import numpy as np
import pytest

from gaze.media.library import Library
from tools.demo_film import make_demo
from tools.demo_film.canvas import DURATION_S, HEIGHT, RATE_FPS, WIDTH
from tools.demo_film.music import SAMPLE_RATE_HZ, music
from tools.demo_film.scene import Scene


@pytest.fixture(scope="module")
def scene() -> Scene:
    return Scene()


@pytest.mark.parametrize("share", [0.0, 0.35, 0.7, 1.0])
def test_every_part_of_the_picture_has_detail(scene: Scene, share: float) -> None:
    image = scene.frame(round(share * (DURATION_S * RATE_FPS - 1)))
    assert (image.shape, image.dtype) == ((HEIGHT, WIDTH, 3), np.uint8)
    grey = cv2.cvtColor(image, cv2.COLOR_RGB2GRAY).astype(np.float32)
    blurred = cv2.GaussianBlur(grey, (0, 0), 4)
    for y in range(0, HEIGHT, 120):
        for x in range(0, WIDTH, 160):
            tile, soft = (picture[y : y + 120, x : x + 160] for picture in (grey, blurred))
            lost = cv2.Laplacian(tile, cv2.CV_32F).var() / cv2.Laplacian(soft, cv2.CV_32F).var()
            assert lost > 3, f"blur would not show at {x}, {y}"


def test_something_moves_in_every_third_of_the_picture(scene: Scene) -> None:
    before, after = scene.frame(300).astype(int), scene.frame(330).astype(int)
    changed = (np.abs(before - after).max(2) > 24).astype(float)
    for y in range(0, HEIGHT, 240):
        assert changed[y : y + 240].mean() > 0.02


def test_the_same_frame_twice(scene: Scene) -> None:
    assert np.array_equal(scene.frame(123), scene.frame(123))
    assert np.array_equal(Scene().frame(123), scene.frame(123))


def test_music_is_soft_and_does_not_clip() -> None:
    sound = music(DURATION_S)
    assert (sound.shape, sound.dtype) == ((DURATION_S * SAMPLE_RATE_HZ, 2), np.int16)
    assert np.abs(sound.astype(int)).max() <= 0.5 * 32768
    loudness = np.sqrt((sound[SAMPLE_RATE_HZ:-SAMPLE_RATE_HZ].astype(float) ** 2).mean()) / 32768
    assert -30 < 20 * np.log10(loudness) < -14
    assert np.abs(sound[0]).max() == np.abs(sound[-1]).max() == 0


def test_makes_a_film_that_the_library_takes(tmp_path: Path) -> None:
    path = tmp_path / "media" / "demo.mp4"
    make_demo(path, duration_s=2)
    assert [file.name for file in path.parent.iterdir()] == ["demo.mp4"]
    film = Library(path.parent).films["demo"]
    assert (film.width, film.height, film.rate_fps) == (WIDTH, HEIGHT, RATE_FPS)
    assert film.duration_s == pytest.approx(2.0, abs=0.05)
    assert film.has_audio
    assert path.stat().st_size < 2 * 12e6 / DURATION_S * 1.5


def test_an_interrupted_film_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "demo.mp4"
    path.write_bytes(b"the old one")

    def interrupted(self: Scene, index: int) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(Scene, "frame", interrupted)
    with pytest.raises(KeyboardInterrupt):
        make_demo(path)
    assert path.read_bytes() == b"the old one"
    assert list(tmp_path.iterdir()) == [path]
