"""A browser's streams on our clock, by its sender reports."""

import itertools

import pytest

from gaze.rtc.rtp.rtp_time import CaptureClock, RtpTimes

CAMERA, SOUND = 11, 22


def test_nothing_is_known_before_a_report() -> None:
    captures = RtpTimes()
    assert captures.capture_s(CAMERA, 0, 90_000) is None
    captures.on_report(SOUND, 5 << 32, 0, 100.0)
    assert captures.capture_s(CAMERA, 0, 90_000) is None


def test_the_first_report_maps_the_browsers_clock_to_ours_for_all_streams() -> None:
    captures = RtpTimes()
    captures.on_report(CAMERA, 5 << 32, 4_294_967_290, 100.0)
    captures.on_report(SOUND, 6 << 32, 1000, 101.7)  # late by 0.7 s
    assert captures.capture_s(CAMERA, 8994, 90_000) == pytest.approx(100.1)
    assert captures.capture_s(CAMERA, 4_294_967_290 - 9000, 90_000) == pytest.approx(99.9)
    assert captures.capture_s(SOUND, 1000 + 4800, 48_000) == pytest.approx(101.1)


def test_what_was_captured_together_stays_together_over_an_hour_of_drift() -> None:
    captures = RtpTimes()
    for second in range(3600):
        captures.on_report(CAMERA, second << 32, round(second * 90_000 * 0.9999), 50.0 + second)
        captures.on_report(
            SOUND,
            (second << 32) + (1 << 31),
            round((second + 0.5) * 48_000 * 1.0002),
            50.5 + second,
        )
        seen_s = captures.capture_s(CAMERA, round((second + 0.9) * 90_000 * 0.9999), 90_000)
        heard_s = captures.capture_s(SOUND, round((second + 0.9) * 48_000 * 1.0002), 48_000)
        assert seen_s is not None and heard_s is not None
        assert abs(seen_s - heard_s) < 0.001


def test_capture_times_keep_the_frames_own_spacing_through_jitter() -> None:
    clock = CaptureClock()
    delays_s = [0.02, 0.005, 0.04, 0.01, 0.03, 0.005, 0.025]
    captured = [
        clock.capture_s(i / 30, 100 + i / 30 + delay_s) for i, delay_s in enumerate(delays_s)
    ]
    steps_s = [b - a for a, b in itertools.pairwise(captured[1:])]
    assert steps_s == pytest.approx([1 / 30] * 5, abs=2e-4)
    assert all(
        t_s <= 100 + i / 30 + delay_s
        for i, (t_s, delay_s) in enumerate(zip(captured, delays_s, strict=True))
    )


def test_capture_clock_follows_a_slower_sender() -> None:
    clock = CaptureClock(rise_per_s=0.001)
    for i in range(30 * 600):
        arrival_s = i / 30 * 1.0005
        captured_s = clock.capture_s(i / 30, arrival_s)
    assert arrival_s - captured_s < 0.01
