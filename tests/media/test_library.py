"""The folder of hosted films: which files are films, which are skipped and why."""

import logging
from pathlib import Path

import cv2
import numpy as np
import pytest

from gaze.media.library import Library, slug, title
from simulation.films.coded import make_coded_film
from simulation.scripted_time import open_files
from tests.media.bad_media import BAD


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = make_coded_film(tmp_path_factory.mktemp("good") / "good.mkv", 50, size=(400, 226))
    return path.read_bytes()


def test_properties_of_a_film(tmp_path: Path, good: bytes) -> None:
    (tmp_path / "My_first film.mkv").write_bytes(good)
    make_coded_film(tmp_path / "silent.mp4", 30, sound=None)
    films = Library(tmp_path).films
    assert list(films) == ["my-first-film", "silent"]
    film = films["my-first-film"]
    assert (film.name, film.title) == ("my-first-film", "My first film")
    assert (film.width, film.height, film.rate_fps) == (400, 226, 25.0)
    assert film.duration_s == pytest.approx(2.0, abs=0.01)
    assert film.has_audio
    assert not films["silent"].has_audio
    assert films["silent"].duration_s == pytest.approx(1.2, abs=0.01)
    assert film.path.read_bytes() == good


def test_names_do_not_collide(tmp_path: Path, good: bytes) -> None:
    for name in ("a b.mkv", "a-b.mkv", "A_B.mkv"):
        (tmp_path / name).write_bytes(good)
    assert sorted(Library(tmp_path).films) == ["a-b", "a-b-2", "a-b-3"]


@pytest.mark.parametrize(
    ("text", "made"),
    [
        ("Été à Paris", "ete-a-paris"),
        ("../../etc/passwd", "etc-passwd"),
        ("  --x--  ", "x"),
        ("映画", "film"),
        ("a" * 100, "a" * 64),
    ],
)
def test_slug(text: str, made: str) -> None:
    assert slug(text) == made


def test_title() -> None:
    assert title("an_old-film  (1924)") == "An old film (1924)"


@pytest.mark.parametrize("name", BAD)
def test_a_bad_file_is_logged_in_one_line(
    tmp_path: Path, good: bytes, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    (tmp_path / "good.mkv").write_bytes(good)
    make, why = BAD[name]
    make(tmp_path / name, good)
    files = open_files()
    with caplog.at_level(logging.INFO, "gaze"):
        library = Library(tmp_path)
    assert list(library.films) == ["good"]
    (line,) = [record for record in caplog.records if record.name.startswith("gaze")]
    assert line.levelno == logging.WARNING
    assert f"media file {name} skipped: " in line.getMessage()
    assert why in line.getMessage()
    assert open_files() == files


def test_a_film_outside_is_not_reached_through_a_link(tmp_path: Path, good: bytes) -> None:
    (tmp_path / "secret.mkv").write_bytes(good)
    folder = tmp_path / "media"
    folder.mkdir()
    (folder / "link.mkv").symlink_to(tmp_path / "secret.mkv")
    (folder / "up.mkv").symlink_to("../secret.mkv")
    (folder / "real.mkv").write_bytes(good)
    (folder / "within.mkv").symlink_to("real.mkv")
    assert list(Library(folder).films) == ["real", "within"]


def test_hidden_files_and_folders_are_no_films(
    tmp_path: Path, good: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    (tmp_path / ".demo.mp4.part").write_bytes(good)
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder" / "film.mkv").write_bytes(good)
    assert not Library(tmp_path).films
    assert not caplog.records


def test_a_missing_folder_is_logged(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    assert not Library(tmp_path / "none").films
    assert "does not exist: no hosted films" in caplog.text


def test_a_thumbnail_is_a_small_jpeg_decoded_once(tmp_path: Path, good: bytes) -> None:
    (tmp_path / "good.mkv").write_bytes(good)
    make_coded_film(tmp_path / "small.mkv", 20, size=(128, 72))
    library = Library(tmp_path)
    jpeg = library.thumbnail("good")
    image = cv2.imdecode(np.frombuffer(jpeg, np.uint8), cv2.IMREAD_COLOR)
    assert image is not None and image.shape == (181, 320, 3)
    assert library.thumbnail("good") is jpeg
    small = cv2.imdecode(np.frombuffer(library.thumbnail("small"), np.uint8), cv2.IMREAD_COLOR)
    assert small is not None and small.shape == (72, 128, 3)
    with pytest.raises(KeyError):
        library.thumbnail("../good")
