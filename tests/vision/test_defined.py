"""What the tracker says when the camera shows something else than one viewer who looks.

Real pictures through the real face mesh. Closed eyes, a lost face and its return are in
test_vision_tracker.py.
"""

import dataclasses
import math

import cv2
import numpy as np
import pytest

from gaze.vision.sample import Screen
from gaze.vision.tracker import HOLD_S, Tracker
from simulation.viewers import viewer_frame

SCREEN = Screen(1920, 1080, diagonal_mm=380.0)


class Camera:
    """A tracker that is shown pictures at a rate; no number that it says may be NaN."""

    def __init__(self, rate_hz=30.0):
        self.tracker = Tracker(SCREEN)
        self.rate_hz = rate_hz
        self.t_s = 50.0
        self.count = 0

    def show(self, seconds, picture=lambda frame: frame, **looks):
        samples = []
        for _ in range(round(seconds * self.rate_hz)):
            self.count += 1
            frame = picture(viewer_frame(noise=self.count, **looks))
            samples.append(self.tracker.track(np.ascontiguousarray(frame), self.t_s))
            for number in numbers(dataclasses.asdict(samples[-1])):
                assert math.isfinite(number), samples[-1]
            self.t_s += 1.0 / self.rate_hz
        return samples


def numbers(value):
    if isinstance(value, dict):
        value = tuple(value.values())
    if isinstance(value, tuple):
        return [number for each in value for number in numbers(each)]
    return [value] if isinstance(value, float) else []


@pytest.fixture
def camera():
    opened = Camera()
    yield opened
    opened.tracker.close()


def place(samples):
    return np.median([sample.screen_px for sample in samples[-6:]], axis=0)


def smaller(frame):
    """The viewer at half the size in the left of the picture, on the colour of its corner."""
    wide = np.empty_like(frame)
    wide[:] = frame[:8, :8].mean(axis=(0, 1))
    wide[120:360, :320] = cv2.resize(frame, None, fx=0.5, fy=0.5, interpolation=cv2.INTER_AREA)
    return wide


def with_second_face(frame):
    """The same with somebody else behind the viewer's shoulder, smaller still."""
    crowd = smaller(frame)
    crowd[150:330, 390:630] = cv2.resize(frame, (240, 180), interpolation=cv2.INTER_AREA)
    return crowd


def with_hand(frame):
    """A palm before the whole face: the colour of skin, softly shaded, with the camera's noise."""
    rng = np.random.default_rng(int(frame[0, 0, 0]))
    shade = 3 * cv2.GaussianBlur(rng.normal(0, 12, frame.shape[:2]), (0, 0), 6)[:, :, None]
    palm = np.clip(np.array([205, 160, 130]) + shade + rng.normal(0, 2, frame.shape), 0, 255)
    outline = np.zeros(frame.shape[:2], np.uint8)
    cv2.ellipse(outline, (320, 240), (260, 230), 10, 0, 360, 255, -1)
    return np.where(outline[:, :, None] > 0, palm, frame).astype(np.uint8)


def test_closed_eyes_from_the_start_have_no_place(camera):
    samples = camera.show(0.8, openness=0.0)
    assert {sample.screen_px for sample in samples} == {None}
    assert {sample.confidence for sample in samples} == {0.0}
    assert {sample.event for sample in samples} <= {"blink", "lost"}
    assert not any(sample.attentive for sample in samples)


def test_a_second_face_does_not_take_the_gaze(camera):
    alone = camera.show(1.0, smaller)
    head = alone[-1].head
    both = camera.show(1.0, with_second_face)
    assert {sample.event for sample in both} <= {"fixation", "pursuit"}
    assert np.linalg.norm(place(both) - place(alone)) < 150
    assert both[-1].head.distance_mm == pytest.approx(head.distance_mm, rel=0.1)
    assert all(sample.attentive for sample in both)


def test_a_hand_before_the_face_is_a_lost_face(camera):
    camera.show(1.0)
    hidden = camera.show(1.5, with_hand)
    late = hidden[round((HOLD_S + 0.2) * camera.rate_hz) :]
    for sample in late:
        assert sample.event == "lost"
        assert sample.screen_px is None
        assert sample.confidence == 0.0
        assert sample.openness is None
    assert not late[-1].attentive
    back = camera.show(0.8)
    assert back[-1].event == "fixation"
    assert back[-1].attentive


def test_a_mirrored_camera_gives_the_mirrored_place(camera):
    """No picture tells that it was mirrored, so left and right are exchanged, and nothing else."""

    def mirror(frame):
        return frame[:, ::-1]

    middle = place(camera.show(0.8, mirror))
    left = place(camera.show(0.8, mirror, iris=(-10, 0)))
    assert left[0] < middle[0] - 300
    low = camera.show(0.8, mirror, iris=(0, 5))
    assert place(low)[1] > middle[1] + 80
    assert low[-1].event == "fixation"


def test_a_mirrored_camera_can_be_calibrated(camera):
    """Calibration learns the exchange of left and right as it learns anything else."""

    def mirror(frame):
        return frame[:, ::-1]

    def looks(target):
        x, y = target[0] / 1920 - 0.5, target[1] / 1080 - 0.5
        return {"iris": (round(-24 * x, 1), round(12 * y, 1))}

    camera.tracker.calibrate("start", None, camera.t_s)
    for target in [(x, y) for y in (150.0, 930.0) for x in (250.0, 960.0, 1670.0)]:
        camera.tracker.calibrate("point", target, camera.t_s)
        camera.show(1.7, mirror, **looks(target))
    assert camera.tracker.calibrate("finish", None, camera.t_s)[-1].state == "fitted"
    for target in [(600.0, 540.0), (1300.0, 540.0)]:
        seen = camera.show(0.8, mirror, **looks(target))
        assert np.linalg.norm(place(seen) - target) < 300
        assert seen[-1].calibrated


def test_five_frames_a_second_are_enough_for_gaze_events_and_attention():
    camera = Camera(rate_hz=5.0)
    rest = camera.show(3.0)
    assert {sample.event for sample in rest[2:]} == {"fixation"}
    assert rest[-1].attentive
    assert rest[-1].dwell_s > 1.0
    there = camera.show(2.0, iris=(-10, 0))
    assert "saccade" in [sample.event for sample in there]
    assert place(there)[0] > place(rest)[0] + 300
    blink = camera.show(0.2, openness=0.0, iris=(-10, 0)) + camera.show(1.0, iris=(-10, 0))
    assert blink[0].event == "blink"
    assert blink[-1].event == "fixation"
    camera.show(8.0)
    assert camera.show(0.2)[-1].blink_rate > 0
    camera.tracker.close()
