"""What the server's sender reports tell a browser of picture and sound, in scripted time."""

import random

import pytest

from gaze.rtc.rtp.sender_report_clock import NTP_EPOCH_S, WALL_OFFSET_S, SenderClock, ntp

VIDEO_HZ, AUDIO_HZ = 90_000, 48_000
IN_STEP_S = 0.040


def test_ntp_counts_from_1900_in_fractions_of_a_second() -> None:
    assert ntp(100.5) - ntp(100.0) == pytest.approx(1 << 31, abs=2048)
    assert ntp(0.0) / 2**32 == pytest.approx((WALL_OFFSET_S + NTP_EPOCH_S) % 2**32)


def test_a_moment_has_the_timestamp_that_is_due() -> None:
    clock = SenderClock(VIDEO_HZ)
    assert not clock.known
    clock.note(1000, 50.0)
    assert clock.known
    assert clock.timestamp_at(50.1) == 1000 + 9000
    assert clock.timestamp_at(49.9) == (1000 - 9000) & 0xFFFFFFFF


class Browser:
    """Plays picture and sound where the last report of each puts them."""

    def __init__(self) -> None:
        self.video, self.audio = SenderClock(VIDEO_HZ), SenderClock(AUDIO_HZ)
        self._reports: dict[str, tuple[float, int]] = {}

    def report(self, t_s: float) -> None:
        self._reports = {
            "video": (t_s, self.video.timestamp_at(t_s)),
            "audio": (t_s + 0.3, self.audio.timestamp_at(t_s + 0.3)),
        }

    def plays_s(self, stream: str, timestamp: int) -> float:
        rate_hz = VIDEO_HZ if stream == "video" else AUDIO_HZ
        t_s, reported = self._reports[stream]
        ticks = (timestamp - reported) & 0xFFFFFFFF
        return t_s + (ticks - (1 << 32 if ticks >= 1 << 31 else 0)) / rate_hz


def test_picture_and_sound_of_a_hosted_film_stay_in_step_over_ten_pauses() -> None:
    """Sound goes on as silence, held frames at odd moments; positions must meet all the same."""
    chance = random.Random(3)
    browser = Browser()
    video_zero, audio_zero = 4_294_000_000, 4_294_900_000  # both wrap
    t_s, position_s, offsets = 1000.0, 0.0, []
    sound_s = t_s
    for _ in range(10):
        for playing in (True, False):
            end_s = t_s + chance.uniform(2, 9)
            begin_s, begin_position_s = t_s, position_s
            while t_s < end_s:
                t_s += 1 / 24 if playing else chance.uniform(0.03, 0.05)
                while sound_s < t_s:
                    stamp = audio_zero + round((sound_s - 1000) * AUDIO_HZ)
                    browser.audio.note(stamp & 0xFFFFFFFF, sound_s)
                    sound_s += 0.02
                stamp = (video_zero + round((t_s - 1000) * VIDEO_HZ)) & 0xFFFFFFFF
                browser.video.note(stamp, t_s)
                if playing:
                    position_s = begin_position_s + t_s - begin_s
                    heard = audio_zero + round((t_s - 1000) * AUDIO_HZ)  # the sound of position_s
                    browser.report(t_s)
                    offsets.append(
                        browser.plays_s("video", stamp)
                        - browser.plays_s("audio", heard & 0xFFFFFFFF)
                    )
    assert max(map(abs, offsets)) < 0.001


def test_clocks_that_drift_for_an_hour_stay_in_step() -> None:
    """The sound card runs 200 ppm fast, the camera 100 ppm slow, against the moments told."""
    browser = Browser()
    for i in range(3600 * 50):
        t_s = i / 50
        browser.audio.note(round(t_s * AUDIO_HZ * 1.0002) & 0xFFFFFFFF, t_s)
        if i % 2 == 0:
            browser.video.note(round(t_s * VIDEO_HZ * 0.9999) & 0xFFFFFFFF, t_s)
    t_s = 3600 * 50 / 50
    browser.report(t_s)
    seen = browser.plays_s("video", round(t_s * VIDEO_HZ * 0.9999) & 0xFFFFFFFF)
    heard = browser.plays_s("audio", round(t_s * AUDIO_HZ * 1.0002) & 0xFFFFFFFF)
    assert abs(seen - heard) < 0.005 < IN_STEP_S


def test_a_little_unevenness_is_smoothed_and_a_jump_is_taken() -> None:
    chance = random.Random(5)
    clock = SenderClock(AUDIO_HZ)
    for i in range(1000):
        clock.note(i * 960, i * 0.02 + chance.uniform(-0.01, 0.01))
    assert clock.timestamp_at(20.0) == pytest.approx(960_000, abs=0.005 * AUDIO_HZ)
    clock.note(1000 * 960, 20.5)
    assert clock.timestamp_at(20.5) == 960_000
