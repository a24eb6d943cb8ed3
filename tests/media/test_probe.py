"""Probing a film file; what is refused is in test_library and test_bad_media."""

from pathlib import Path

import pytest

from gaze.media.film_file import FilmError
from gaze.media.probe import FilmInfo, probe_film
from simulation.films.coded import make_coded_film


def test_a_film_has_its_properties(tmp_path: Path) -> None:
    path = make_coded_film(tmp_path / "film.mkv", 50, size=(130, 74))
    film = probe_film(path, "film", "Film")
    assert film == FilmInfo("film", "Film", path, film.duration_s, 130, 74, True, 25.0)
    assert film.duration_s == pytest.approx(2.0, abs=0.01)


def test_a_folder_is_not_a_film(tmp_path: Path) -> None:
    with pytest.raises(FilmError, match="not a file"):
        probe_film(tmp_path, "x", "X")
