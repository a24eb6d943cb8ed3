"""Coded films: frame numbers and sound positions are read back as they were written."""

from pathlib import Path

import av
import numpy as np
import pytest

from simulation.films.coded import (
    RATE_FPS,
    SOUND_HZ,
    coded_frame,
    coded_sound,
    make_coded_film,
    number_of,
    position_of,
    sweeping_sound,
    swept_s,
)


@pytest.mark.parametrize("number", [0, 1, 170, 255])
def test_a_frames_number_is_read_back(number: int) -> None:
    assert number_of(coded_frame(number)) == number


def test_every_samples_position_is_read_back_and_silence_has_none() -> None:
    assert np.array_equal(position_of(coded_sound(5000)), np.arange(5000))
    assert np.array_equal(position_of(np.zeros((10, 2), np.int16)), np.full(10, -1))


@pytest.mark.parametrize("start_s", [0.1, 0.5, 0.9])
def test_the_position_in_a_sweep_is_its_frequency(start_s: float) -> None:
    first = round(start_s * SOUND_HZ)
    piece = sweeping_sound(SOUND_HZ)[first : first + 960]
    assert swept_s(piece) == pytest.approx(start_s + 0.01, abs=0.005)
    assert swept_s(np.zeros((960, 2), np.int16)) is None


def test_a_film_has_its_frames_in_order_and_starts_at_its_first_timestamp(tmp_path: Path) -> None:
    film = make_coded_film(tmp_path / "coded.mkv", 30, start_s=2.0)
    with av.open(str(film)) as container:
        frames = list(container.decode(video=0))
    assert [number_of(frame) for frame in frames] == list(range(30))
    assert frames[0].time == pytest.approx(2.0, abs=0.01)
    assert frames[-1].time == pytest.approx(2.0 + 29 / RATE_FPS, abs=0.01)
