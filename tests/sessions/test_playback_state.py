"""The state of playback."""

from gaze.sessions.playback_state import Playback


def test_plays_until_told_otherwise() -> None:
    assert Playback().reason is None
    assert not Playback().paused


def test_a_viewers_pause_outlives_attention() -> None:
    playback = Playback(by_viewer=True, by_eyes="attention")
    playback.by_eyes = None
    assert playback.reason == "viewer"
    playback.by_viewer = False
    assert not playback.paused


def test_the_end_outlasts_the_eyes() -> None:
    assert Playback(by_eyes="pupil").reason == "pupil"
    assert Playback(by_eyes="pupil", ended=True).reason == "ended"
