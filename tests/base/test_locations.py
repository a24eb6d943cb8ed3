"""Where the server looks for its files, in a clone and as an installed package."""

import stat
from pathlib import Path

import pytest

from gaze.base import locations

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Change to an empty working directory, as where gaze is an installed package."""
    monkeypatch.setattr(locations, "CLONE", None)
    monkeypatch.setattr(locations, "_FILMS", tmp_path / "package" / "films")
    folder = tmp_path / "empty"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


def test_in_a_clone_all_is_inside_it() -> None:
    assert locations.CLONE == ROOT
    assert locations.client() == ROOT / "client"
    assert locations.media() == ROOT / "media"
    assert locations.certificates() == ROOT / "certs"


def test_an_installed_server_shows_the_films_of_the_working_directory(
    installed: Path, tmp_path: Path
) -> None:
    assert locations.media() == installed / "media"
    films = tmp_path / "package" / "films"
    films.mkdir(parents=True)
    assert locations.media() == films
    (installed / "media").mkdir()
    assert locations.media() == installed / "media"


@pytest.mark.parametrize("state", ["named", "empty", "not set"])
def test_an_installed_server_keeps_its_certificate_where_only_the_user_reads(
    installed: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, state: str
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("XDG_STATE_HOME", raising=False)
    if state != "not set":
        monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path / "state") if state == "named" else "")
    folder = locations.certificates()
    expected = tmp_path / ("state" if state == "named" else ".local/state")
    assert folder == expected / "gaze" / "certs"
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert locations.certificates() == folder
    assert list(installed.iterdir()) == []
