"""Decoding a live stream at its own pace."""

import threading
import time
from pathlib import Path

import av
import pytest

from gaze.frames.clocks import AUDIO_SAMPLE_RATE_HZ, VIDEO_CLOCK_HZ
from gaze.media.film_file import open_film
from gaze.media.live_decoder import RESTART_S, _StreamPacer, decode_at_pace
from gaze.media.pinned_client import TIMEOUT_S
from simulation.films.progress import make_film, texture


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("live") / "film.ts", texture(160, 96), 1.0)


def test_frames_carry_the_monotonic_time_at_which_they_are_due(film: Path) -> None:
    begun_s = time.monotonic()
    with open_film(film) as container:
        found = [
            (time.monotonic(), frame) for frame in decode_at_pace(container, threading.Event())
        ]
    pictures = [frame for _, frame in found if isinstance(frame, av.VideoFrame)]
    sounds = [frame for _, frame in found if isinstance(frame, av.AudioFrame)]
    assert len(pictures) == 30
    assert {frame.time_base.denominator for frame in pictures if frame.time_base} == {
        VIDEO_CLOCK_HZ
    }
    assert {(frame.sample_rate, frame.samples) for frame in sounds[:-1]} == {
        (AUDIO_SAMPLE_RATE_HZ, 960)
    }
    rounding_s = 1 / VIDEO_CLOCK_HZ
    for came_s, frame in found:
        if isinstance(frame, av.VideoFrame):
            assert begun_s - rounding_s <= frame.time <= came_s + rounding_s
    # Longer where the machine stalled and the pace was taken again.
    assert pictures[-1].time - pictures[0].time > 29 / 30 - 0.01


def test_closing_ends_the_iteration(film: Path) -> None:
    closed = threading.Event()
    with open_film(film) as container:
        frames = decode_at_pace(container, closed)
        next(frames)
        closed.set()
        left_s = time.monotonic()
        assert list(frames) == []
    assert time.monotonic() - left_s < 10


@pytest.fixture
def closed() -> threading.Event:
    """Set, so that a pacer answers without waiting."""
    event = threading.Event()
    event.set()
    return event


def test_the_pacer_keeps_the_distances_of_the_stream(closed: threading.Event) -> None:
    pacer = _StreamPacer(closed)
    first_s = pacer.wait(100.0)
    assert pacer.wait(101.5) - first_s == pytest.approx(1.5)
    assert pacer.wait(104.0) - first_s == pytest.approx(4.0)


@pytest.mark.parametrize("jump_s", [TIMEOUT_S + 60.0, -RESTART_S - 60.0])
def test_the_pacer_begins_anew_where_the_stream_does(
    closed: threading.Event, jump_s: float
) -> None:
    pacer = _StreamPacer(closed)
    first_s = pacer.wait(100.0)
    again_s = pacer.wait(100.0 + jump_s)
    assert first_s <= again_s <= time.monotonic()
    assert pacer.wait(101.0 + jump_s) - again_s == pytest.approx(1.0)
