"""Films of phones and discs: turned pictures and pixels that are not square."""

from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import cv2
import numpy as np
import pytest

from gaze.frames.planes import planes_of
from gaze.media.decode import open_film, pictures
from gaze.media.library import Library

WIDTH, HEIGHT = 160, 96
TURNS = {0: (1, 0, 0, 1), 90: (0, 1, -1, 0), 180: (-1, 0, 0, -1), 270: (0, -1, 1, 0)}
"""The matrix a, b, c, d of a track header that is to be shown turned clockwise."""


def make(path: Path, *, turned_deg: int = 0, pixel_aspect: Fraction | None = None) -> None:
    """Ten frames that are bright in the top left corner only."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libx264", rate=25)
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        if pixel_aspect is not None:
            stream.codec_context.sample_aspect_ratio = pixel_aspect
        for _ in range(10):
            frame = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
            planes = planes_of(frame, writable=True)
            for plane, value in zip(planes, (30, 128, 128), strict=True):
                plane[:] = value
            planes.y[: HEIGHT // 2, : WIDTH // 2] = 200
            planes.u[: HEIGHT // 4, : WIDTH // 4] = 90
            container.mux(stream.encode(frame))
        container.mux(stream.encode(None))
    content = bytearray(path.read_bytes())
    matrix = content.index(b"tkhd") + 4 + 40
    for index, value in zip((0, 1, 3, 4), TURNS[turned_deg], strict=True):
        place = matrix + 4 * index
        content[place : place + 4] = (value << 16).to_bytes(4, "big", signed=True)
    path.write_bytes(content)


@pytest.mark.parametrize(
    ("turned_deg", "corner"),
    [
        (0, lambda p: p[: len(p) // 2, : p.shape[1] // 2]),
        (90, lambda p: p[: len(p) // 2, p.shape[1] // 2 :]),
        (180, lambda p: p[len(p) // 2 :, p.shape[1] // 2 :]),
        (270, lambda p: p[len(p) // 2 :, : p.shape[1] // 2]),
    ],
)
def test_a_turned_film_is_shown_upright(
    tmp_path: Path, turned_deg: int, corner: Callable[[np.ndarray], np.ndarray]
) -> None:
    make(tmp_path / "phone.mp4", turned_deg=turned_deg)
    library = Library(tmp_path)
    film = library.films["phone"]
    expected = (HEIGHT, WIDTH) if turned_deg in (90, 270) else (WIDTH, HEIGHT)
    assert (film.width, film.height) == expected
    with open_film(film.path) as container:
        frame = next(pictures(container, 0.2)).frame
    assert (frame.width, frame.height, frame.format.name) == (*expected, "yuv420p")
    planes = planes_of(frame, writable=False)
    assert corner(planes.y).mean() == pytest.approx(200, abs=8)
    assert planes.y.mean() == pytest.approx(30 + 170 / 4, abs=5)
    assert corner(planes.u).mean() == pytest.approx(90, abs=8)
    still = cv2.imdecode(np.frombuffer(library.thumbnail("phone"), np.uint8), cv2.IMREAD_GRAYSCALE)
    assert still.shape == expected[::-1]
    assert corner(still).mean() > 2 * still.mean()


@pytest.mark.parametrize(
    ("pixel_aspect", "size"),
    [
        (Fraction(16, 11), (232, 96)),
        (Fraction(8, 9), (160, 108)),
        (Fraction(1, 1), (160, 96)),
        (Fraction(50, 1), (160, 96)),
    ],
)
def test_pixels_become_square(
    tmp_path: Path, pixel_aspect: Fraction, size: tuple[int, int]
) -> None:
    make(tmp_path / "disc.mp4", pixel_aspect=pixel_aspect)
    film = Library(tmp_path).films["disc"]
    assert (film.width, film.height) == size
    with open_film(film.path) as container:
        found = {(p.frame.width, p.frame.height) for p in pictures(container, 0.0)}
    assert found == {size}
