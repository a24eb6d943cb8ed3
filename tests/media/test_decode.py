"""Decoding films: pictures at exact positions, and sound without gaps."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest

from gaze.media.decode import SoundBlock, pictures, sound_blocks
from gaze.media.film_file import open_film
from simulation.films.coded import SOUND_HZ, make_coded_film, number_of, position_of


@pytest.mark.parametrize("ending", ["mkv", "mov"])
@pytest.mark.parametrize(("position_s", "number"), [(0.0, 0), (0.4, 10), (0.439, 10), (9.0, 29)])
def test_pictures_from_a_position_on(
    tmp_path: Path, ending: str, position_s: float, number: int
) -> None:
    path = make_coded_film(tmp_path / f"film.{ending}", 30)
    with open_film(path) as container:
        found = list(pictures(container, position_s))
    assert [number_of(picture.frame) for picture in found] == list(range(number, 30))
    assert found[0].position_s <= position_s
    assert [p.position_s for p in found[1:]] == [
        pytest.approx(n / 25, abs=0.001) for n in range(number + 1, 30)
    ]


def test_a_film_starts_where_its_picture_starts(tmp_path: Path) -> None:
    path = make_coded_film(tmp_path / "late.mkv", 30, start_s=3.0)
    with open_film(path) as container:
        first = next(pictures(container, 0.0))
        assert (number_of(first.frame), first.position_s) == (0, 0.0)
        later = next(pictures(container, 0.8))
        assert number_of(later.frame) == 20
        heard = next(sound_blocks(container, 0.0))
        assert position_of(heard.samples)[0] == heard.start == 0


def test_pictures_after_seeking_back_and_forth(tmp_path: Path) -> None:
    path = make_coded_film(tmp_path / "film.mkv", 30)
    with open_film(path) as container:
        for number in (20, 3, 29, 0, 12):
            assert number_of(next(pictures(container, number / 25)).frame) == number


@pytest.mark.parametrize("position_s", [0.0, 0.0101, 0.5, 0.77])
def test_sound_from_a_position_on_is_whole(tmp_path: Path, position_s: float) -> None:
    path = make_coded_film(tmp_path / "film.mkv", 30)
    with open_film(path) as container:
        blocks = list(sound_blocks(container, position_s))
    assert blocks[0].start <= round(position_s * SOUND_HZ) < blocks[0].end
    assert all(one.end == two.start for one, two in pairwise(blocks))
    assert blocks[-1].end == 30 * SOUND_HZ // 25
    heard = np.concatenate([position_of(block.samples) for block in blocks])
    assert np.array_equal(heard, np.arange(blocks[0].start, blocks[-1].end))


def tone_film(path: Path, rate_hz: int, place: Callable[[int], int]) -> Path:
    """Two seconds of sound in frames of 20 ms, each at `place(its number)` ms, and a picture."""
    with av.open(str(path), "w") as container:
        video = container.add_stream("libx264", rate=25)
        video.width, video.height, video.pix_fmt = 64, 64, "yuv420p"
        audio = container.add_stream("pcm_s16le", rate=rate_hz, layout="mono")
        for number in range(50):
            picture = av.VideoFrame(64, 64, "yuv420p")
            picture.pts, picture.time_base = number, Fraction(1, 25)
            container.mux(video.encode(picture))
        container.mux(video.encode(None))
        for number in range(100):
            t_s = np.arange(rate_hz // 50) / rate_hz + number / 50
            wave = (9000 * np.sin(2 * np.pi * 500 * t_s)).astype(np.int16)
            frame = av.AudioFrame.from_ndarray(wave[None], format="s16", layout="mono")
            frame.sample_rate, frame.pts = rate_hz, place(number)
            frame.time_base = Fraction(1, 1000)
            container.mux(audio.encode(frame))
    return path


def joined(blocks: list[SoundBlock]) -> bool:
    return all(one.end == two.start for one, two in pairwise(blocks))


@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 8_000])
def test_any_rate_becomes_48_khz_stereo(tmp_path: Path, rate_hz: int) -> None:
    path = tone_film(tmp_path / "tone.mkv", rate_hz, lambda number: 20 * number)
    with open_film(path) as container:
        blocks = list(sound_blocks(container, 0.0))
    assert joined(blocks)
    whole = np.concatenate([block.samples for block in blocks])
    assert len(whole) == pytest.approx(2 * SOUND_HZ, abs=200)
    assert np.array_equal(whole[:, 0], whole[:, 1])
    middle = whole[SOUND_HZ // 2 : SOUND_HZ * 3 // 2, 0].astype(float)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 500


def test_jittering_timestamps_are_smoothed(tmp_path: Path) -> None:
    path = tone_film(tmp_path / "jitter.mkv", 48_000, lambda number: 20 * number + number % 3 * 4)
    with open_film(path) as container:
        assert joined(list(sound_blocks(container, 0.0)))


def test_a_gap_in_the_sound_stays_a_gap(tmp_path: Path) -> None:
    path = tone_film(
        tmp_path / "gap.mkv", 48_000, lambda number: 20 * number + 300 * (number >= 50)
    )
    with open_film(path) as container:
        blocks = list(sound_blocks(container, 0.0))
    gaps = [(a.end, b.start) for a, b in pairwise(blocks) if a.end != b.start]
    assert gaps == [(SOUND_HZ, round(1.3 * SOUND_HZ))]
