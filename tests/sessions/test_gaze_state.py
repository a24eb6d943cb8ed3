"""The state that effects get from a gaze sample."""

import math

import pytest

from gaze.effects.state import SIGNALS
from gaze.sessions.gaze_state import gaze_state
from gaze.sessions.layout import Layout
from gaze.vision.sample import GazeSample, Head, Pupil

LAYOUT = Layout((1440.0, 900.0), (0.0, 0.0, 1440.0, 900.0), (80.0, 90.0, 1280.0, 720.0), True)
SAMPLE = GazeSample(
    t_s=5.0,
    screen_px=(720.0, 450.0),
    confidence=0.9,
    uncertainty_px=64.0,
    calibrated=True,
    event="fixation",
    dwell_s=1.5,
    attentive=True,
    openness=(0.8, 0.6),
    blink_rate=12.0,
    pupil=Pupil(mm=4.2, relative=0.1, confidence=0.7),
    head=Head(yaw_deg=3.0, pitch_deg=-2.0, roll_deg=0.0, distance_mm=610.0),
)
UNKNOWN = GazeSample(5.0, None, 0.0, None, False, "lost", None, False, None, None, None, None)


def test_every_signal_has_a_value() -> None:
    state = gaze_state(SAMPLE, (0.5, 0.5), LAYOUT)
    assert set(state.signals) == set(SIGNALS)
    assert state.signals["openness"] == pytest.approx(0.7)
    assert state.signals["eccentricity"] == 0
    assert state.uncertainty == pytest.approx(0.05)
    assert state.picture_deg == pytest.approx(2 * math.degrees(math.atan(133.8 / 610)), abs=0.01)
    assert not state.eyes_closed


def test_what_is_unknown_stays_unknown() -> None:
    state = gaze_state(UNKNOWN, None, LAYOUT)
    assert {name for name, value in state.signals.items() if value is not None} == {"attention"}
    assert state.shown is None
    assert not state.eyes_closed
    assert gaze_state(SAMPLE, (0.5, 0.5), None).signals["eccentricity"] is None
