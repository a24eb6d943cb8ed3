"""The network benchmark's figures, from received frames."""

import math
from collections.abc import Callable
from fractions import Fraction

import pytest

from benchmarks.network.judge import judge
from benchmarks.viewer import Returned
from simulation.network.emulator import Conditions

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


def watched(seconds: float, late_s: Callable[[float], float], width: int = 1280) -> list[Returned]:
    """Return the frames of a film at 30 frames a second, each late by a function of its time."""
    dues = [number / 30 for number in range(round(seconds * 30))]
    return [Returned(n, due + late_s(due), width, width * 9 // 16) for n, due in enumerate(dues)]


def test_a_steady_film_has_no_freeze_and_the_delay_of_its_link() -> None:
    figures = judge(watched(15, lambda t: 100.0), [(100.0, Conditions(delay_s=0.02))], 115, 1280)
    assert figures["freezes"] == 0
    assert figures["fps"] == pytest.approx(30, abs=0.2)
    assert figures["delay_ms_p50"] == pytest.approx(20)


def test_rtp_timestamps_decide_the_delay_if_there_are_any() -> None:
    paused = [
        Returned(n, n / 30 + (1.0 if n > 300 else 0.0), 1280, 720, rtp=rtp % 2**32)
        for n, rtp in ((n, 2**32 - 50_000 + n * 3000 + 90_000 * (n > 300)) for n in range(450))
    ]
    figures = judge(paused, [(0.0, Conditions(delay_s=0.02))], 16, 1280)
    assert figures["delay_ms_p99"] == pytest.approx(20)


def test_a_restarted_stream_counts_as_a_reconnection_with_its_own_delay() -> None:
    film = [
        Returned(n, n / 30, 1280, 720, rtp=n * 3000 + (8_000_000 if n >= 300 else 0))
        for n in range(450)
    ]
    figures = judge(film, [(0.0, Conditions(delay_s=0.02))], 15, 1280)
    assert figures["reconnections"] == 1
    assert figures["delay_ms_p99"] == pytest.approx(20)


def test_gaps_repeats_and_unreadable_frames_do_not_count_as_frames() -> None:
    film = watched(15, lambda t: 0.0)
    holed = [frame for frame in film if not 8 <= frame.arrived_s < 9]
    stuttering = [copy for frame in holed for copy in (frame, frame)]
    unread = [Returned(None, 8.5, 1280, 720), *stuttering]
    figures = judge(unread, [(0.0, Conditions())], 15, 1280)
    assert figures["freezes"] == 1
    assert figures["longest_gap_ms"] == pytest.approx(1033, abs=1)
    assert figures["fps"] == pytest.approx(27, abs=0.2)
    assert judge([], [(0.0, Conditions())], 15, 1280) == {"freezes": math.inf, "fps": 0.0}


def test_a_step_is_judged_by_its_settling_and_by_full_size() -> None:
    near = Conditions(delay_s=0.02)
    film = watched(60, lambda t: 0.8 if 25 <= t < 28 else 0.0)
    film = [
        Returned(f.number, f.arrived_s, 640 if 30 <= f.arrived_s < 52 else 1280, 720) for f in film
    ]
    figures = judge(film, [(0.0, near), (25.0, near), (45.0, near)], 60, 1280)
    assert figures["calm_after_down_s"] == pytest.approx(3.77, abs=0.05)
    assert figures["full_size_after_up_s"] == pytest.approx(7, abs=0.05)
    frozen = [f for f in film if not 29 <= f.arrived_s < 46]
    figures = judge(frozen, [(0.0, near), (25.0, near), (45.0, near)], 60, 1280)
    assert figures["calm_after_down_s"] == math.inf
    still_late = judge(
        watched(60, lambda t: 0.8 if t >= 25 else 0.0),
        [(0.0, near), (25.0, near), (45.0, near)],
        60,
        1280,
    )
    assert still_late["calm_after_down_s"] == math.inf
