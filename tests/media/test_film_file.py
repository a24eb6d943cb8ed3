"""Opening film files, and nothing else."""

from pathlib import Path

import pytest

from gaze.media.film_file import FilmError, frame_rate_fps, open_film, start_time_s, video_stream
from simulation.films.coded import make_coded_film


def test_start_and_rate_are_those_of_the_picture(tmp_path: Path) -> None:
    path = make_coded_film(tmp_path / "late.mkv", 30, start_s=3.0)
    with open_film(path) as container:
        assert start_time_s(container) == pytest.approx(3.0, abs=0.002)
        assert frame_rate_fps(container) == 25.0
        assert (video_stream(container).width, video_stream(container).height) == (128, 72)


def test_a_missing_file_is_an_os_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), open_film(tmp_path / "none.mkv"):
        pass


def test_a_playlist_opens_nothing_else(tmp_path: Path) -> None:
    make_coded_film(tmp_path / "other.ts", 10, sound=None)
    playlist = tmp_path / "list.m3u8"
    playlist.write_text(
        f"#EXTM3U\n#EXT-X-TARGETDURATION:1\n#EXTINF:1,\n{tmp_path}/other.ts\n#EXT-X-ENDLIST\n"
    )
    with (
        pytest.raises(FilmError, match="refers to other files, as a playlist does"),
        open_film(playlist),
    ):
        pass


def test_text_is_not_a_film(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a film\n" * 50)
    with (
        pytest.raises(FilmError, match="a text or a still picture, not a film"),
        open_film(path),
    ):
        pass
