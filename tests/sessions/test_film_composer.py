"""Gaze in, messages and drawn frames out."""

import time
from pathlib import Path
from typing import Any

import av
import pytest

from gaze.base.metrics import Metrics, StageTimes
from gaze.effects.chain import Chain
from gaze.media.address import Allowed
from gaze.media.library import Library
from gaze.sessions.film_composer import GAZE_LIFE_S, FilmComposer
from gaze.sessions.film_playback import FilmPlayback
from gaze.sessions.gaze_source import PointerGazeSource, unknown_sample
from gaze.sessions.layout import Layout
from gaze.sessions.resume_state import ResumeState
from gaze.vision.sample import GazeSample

LAYOUT = Layout((1000.0, 800.0), (0.0, 0.0, 1000.0, 800.0), (100.0, 200.0, 400.0, 300.0), True)


class Scene:
    """A composer with a chain, and the messages that it sends."""

    def __init__(self, films: Path, *effects: dict[str, Any]) -> None:
        self.messages: list[dict[str, Any]] = []
        self.times = StageTimes(Metrics())

        def send(message: Any) -> None:
            self.messages.append(dict(message))

        film = FilmPlayback(Library(films), Allowed.of([], []), ResumeState(effects=[]), send)
        self.composer = FilmComposer(Chain(effects), film, self.times, (320, 240), send)

    def gaze(self) -> dict[str, Any]:
        return [message for message in self.messages if message["type"] == "gaze"][-1]


def sample(screen_px: tuple[float, float]) -> GazeSample:
    samples: list[GazeSample] = []
    PointerGazeSource(samples.append).point(screen_px, None, click=False)
    return samples[0]


@pytest.fixture
def scene(films: Path) -> Scene:
    return Scene(films, {"name": "blur"})


def test_the_point_of_gaze_is_told_as_far_as_the_layout_is_known(scene: Scene) -> None:
    scene.composer.on_sample(sample((300.0, 350.0)))
    assert scene.gaze()["screen"] == [300.0, 350.0]
    assert scene.gaze()["shown"] is None
    scene.composer.layout = LAYOUT
    scene.composer.on_sample(sample((300.0, 350.0)))
    assert scene.gaze()["shown"] == scene.gaze()["film"] == [0.5, 0.5]


def test_a_pointer_needs_no_layout(scene: Scene) -> None:
    scene.composer.source = PointerGazeSource(scene.composer.on_sample)
    scene.composer.source.point(None, (0.25, 0.75), click=False)
    assert scene.gaze()["shown"] == [0.25, 0.75]
    assert scene.gaze()["screen"] is None


def test_a_lost_gaze_is_told_by_nulls_and_draws_no_longer(scene: Scene) -> None:
    scene.composer.layout = LAYOUT
    scene.composer.on_sample(sample((300.0, 350.0)))
    assert scene.composer.gaze is not None
    scene.composer.lose_gaze(calibrated=True)
    assert scene.composer.gaze is None
    assert scene.gaze()["screen"] is scene.gaze()["shown"] is scene.gaze()["event"] is None
    assert scene.gaze()["calibrated"]


def test_a_frame_is_drawn_within_the_limits_and_its_gaze_timed(scene: Scene) -> None:
    scene.composer.layout = LAYOUT
    scene.composer.on_sample(sample((300.0, 350.0)))
    drawn = scene.composer.prepare(av.VideoFrame(640, 480, "rgb24"))()
    assert (drawn.width, drawn.height, drawn.format.name) == (320, 240, "yuv420p")
    assert scene.composer.frames == 1
    assert set(scene.times.percentiles_ms()) == {"effects", "gaze_age"}


def test_an_old_gaze_says_nothing_about_now(scene: Scene) -> None:
    old = unknown_sample(time.monotonic() - 2 * GAZE_LIFE_S, calibrated=False)
    scene.composer.on_sample(old)
    scene.composer.prepare(av.VideoFrame(64, 48, "yuv420p"))()
    assert "gaze_age" not in scene.times.percentiles_ms()
