"""Reading films: exact places, sound without gaps, and pictures in the one form that is used."""

from collections.abc import Callable
from fractions import Fraction
from itertools import pairwise
from pathlib import Path

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange

from gaze.media.decode import FilmError, Sound, open_film, pictures, sounds, to_yuv420p
from simulation.coded_film import SOUND_HZ, coded_frame, make_coded_film, number_of, position_of


def luma(frame: av.VideoFrame) -> np.ndarray:
    return frame.to_ndarray()[: frame.height]


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
        heard = next(sounds(container, 0.0))
        assert position_of(heard.samples)[0] == heard.start == 0


def test_pictures_again_after_a_seek(tmp_path: Path) -> None:
    path = make_coded_film(tmp_path / "film.mkv", 30)
    with open_film(path) as container:
        for number in (20, 3, 29, 0, 12):
            assert number_of(next(pictures(container, number / 25)).frame) == number


@pytest.mark.parametrize("position_s", [0.0, 0.0101, 0.5, 0.77])
def test_sound_from_a_position_on_is_whole(tmp_path: Path, position_s: float) -> None:
    path = make_coded_film(tmp_path / "film.mkv", 30)
    with open_film(path) as container:
        blocks = list(sounds(container, position_s))
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


def joined(blocks: list[Sound]) -> bool:
    return all(one.end == two.start for one, two in pairwise(blocks))


@pytest.mark.parametrize("rate_hz", [48_000, 44_100, 8_000])
def test_any_rate_becomes_48_khz_stereo(tmp_path: Path, rate_hz: int) -> None:
    path = tone_film(tmp_path / "tone.mkv", rate_hz, lambda number: 20 * number)
    with open_film(path) as container:
        blocks = list(sounds(container, 0.0))
    assert joined(blocks)
    whole = np.concatenate([block.samples for block in blocks])
    assert whole.shape == (pytest.approx(2 * SOUND_HZ, abs=200), 2)
    assert np.array_equal(whole[:, 0], whole[:, 1])
    middle = whole[SOUND_HZ // 2 : SOUND_HZ * 3 // 2, 0].astype(float)
    assert np.argmax(np.abs(np.fft.rfft(middle))) == 500


def test_jittering_timestamps_are_smoothed(tmp_path: Path) -> None:
    path = tone_film(tmp_path / "jitter.mkv", 48_000, lambda number: 20 * number + number % 3 * 4)
    with open_film(path) as container:
        assert joined(list(sounds(container, 0.0)))


def test_a_gap_in_the_sound_stays_a_gap(tmp_path: Path) -> None:
    path = tone_film(
        tmp_path / "gap.mkv", 48_000, lambda number: 20 * number + 300 * (number >= 50)
    )
    with open_film(path) as container:
        blocks = list(sounds(container, 0.0))
    gaps = [(a.end, b.start) for a, b in pairwise(blocks) if a.end != b.start]
    assert gaps == [(SOUND_HZ, round(1.3 * SOUND_HZ))]


def test_a_good_frame_is_not_copied() -> None:
    frame = coded_frame(5)
    assert to_yuv420p(frame) is frame


@pytest.mark.parametrize(("width", "height"), [(129, 73), (128, 73), (129, 72)])
def test_odd_rows_and_columns_are_cut(width: int, height: int) -> None:
    source = av.VideoFrame(width, height, "yuv420p")
    for plane, level in zip(source.planes, (120, 90, 160), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        rows[:] = 0
        rows[: plane.height, : plane.width] = level + np.arange(plane.width) % 50
    source.pts, source.time_base = 7, Fraction(1, 25)

    cut = to_yuv420p(source)
    assert (cut.width, cut.height, cut.format.name) == (128, 72, "yuv420p")
    assert (cut.pts, cut.time_base) == (7, Fraction(1, 25))
    for plane, level in zip(cut.planes, (120, 90, 160), strict=True):
        rows = np.frombuffer(memoryview(plane), np.uint8).reshape(-1, plane.line_size)
        wanted = level + np.arange(plane.width) % 50
        assert np.array_equal(
            rows[: plane.height, : plane.width], np.tile(wanted, (plane.height, 1))
        )


def test_full_range_becomes_limited() -> None:
    ramp = np.tile(np.linspace(0, 255, 128).astype(np.uint8), (64, 1))
    planes = np.vstack((ramp, np.full((32, 128), 128, np.uint8)))
    frame = av.VideoFrame.from_ndarray(planes, format="yuvj420p")
    frame.color_range = ColorRange.JPEG
    frame.pts, frame.time_base = 7, Fraction(1, 25)
    converted = to_yuv420p(frame)
    assert (converted.pts, converted.time_base) == (7, Fraction(1, 25))
    limited = luma(converted)
    assert limited.min() == pytest.approx(16, abs=1)
    assert limited.max() == pytest.approx(235, abs=1)


def test_ten_bit_becomes_eight() -> None:
    frame = av.VideoFrame(64, 64, "yuv420p10le")
    for plane, level in zip(frame.planes, (400, 512, 512), strict=True):
        np.frombuffer(memoryview(plane), np.uint16)[:] = level
    eight = to_yuv420p(frame)
    assert eight.format.name == "yuv420p"
    assert luma(eight).mean() == pytest.approx(100, abs=1)


@pytest.mark.parametrize(("rgb", "y"), [((255, 255, 255), 235), ((0, 0, 0), 16)])
def test_rgb_becomes_limited_yuv(rgb: tuple[int, int, int], y: int) -> None:
    image = np.full((64, 64, 3), rgb, np.uint8)
    frame = to_yuv420p(av.VideoFrame.from_ndarray(image, format="rgb24"))
    assert luma(frame).mean() == pytest.approx(y, abs=1)


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


def test_text_is_no_film(tmp_path: Path) -> None:
    path = tmp_path / "notes.txt"
    path.write_text("not a film\n" * 50)
    with (
        pytest.raises(FilmError, match="a text or a still picture, not a film"),
        open_film(path),
    ):
        pass
