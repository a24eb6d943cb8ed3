"""Where the gaze comes from: a pointer, and a camera whose tracker may be lost."""

import asyncio
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import av
import pytest

from gaze.base.metrics import Metrics, StageTimes
from gaze.frames.latest import LatestValue
from gaze.sessions.gaze_source import CameraGazeSource, PointerGazeSource, screen_of, unknown_sample
from gaze.sessions.layout import Layout
from gaze.tracking.pool import TrackerLostError
from gaze.tracking.protocol import Tracked
from gaze.vision.sample import CalibrationUpdate, GazeSample, Screen

LAYOUT = Layout((1000.0, 800.0), (0.0, 0.0, 1000.0, 800.0), (100.0, 200.0, 400.0, 300.0), True, 400)


class ScriptedTracker:
    """A tracker whose loss and growth are scripted."""

    def __init__(self) -> None:
        self.lost = self.outgrown = self.calibrating = False
        self.model: dict[str, Any] | None = None
        self.screen: Screen | None = None
        self.begun = 0
        self.tracked = 0
        self.clicks: list[tuple[float, float]] = []
        self.losing = asyncio.Event()

    async def begin(self) -> None:
        self.begun += 1
        self.lost = self.outgrown = False
        self.losing.clear()

    async def until_lost(self) -> None:
        await self.losing.wait()
        self.lost = True
        raise TrackerLostError("scripted")

    def put(self, frame: av.VideoFrame) -> tuple[int, ...]:
        return frame.height, frame.width, 3

    async def track(self, shape: tuple[int, ...], t_s: float) -> Tracked:
        self.tracked += 1
        return Tracked(unknown_sample(t_s, calibrated=False), None, None, 0.001, 0.01)

    def click(self, screen_px: tuple[float, float], t_s: float) -> None:
        self.clicks.append(screen_px)


@pytest.fixture
def executor() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as made:
        yield made


class Scene:
    """A camera source with what it reports."""

    def __init__(self, executor: ThreadPoolExecutor) -> None:
        self.tracker = ScriptedTracker()
        tracker: Any = self.tracker
        self.camera: LatestValue[av.VideoFrame] = LatestValue()
        self.samples: asyncio.Queue[GazeSample] = asyncio.Queue()
        self.updates: list[CalibrationUpdate] = []
        self.source = CameraGazeSource(
            tracker,
            self.camera,
            executor,
            StageTimes(Metrics()),
            (1280, 720),
            self.samples.put_nowait,
            self.updates.extend,
        )

    async def frame(self) -> GazeSample:
        self.camera.put(av.VideoFrame(64, 48, "rgb24"))
        return await asyncio.wait_for(self.samples.get(), 5)


async def test_frames_become_samples_until_the_camera_ends(executor: ThreadPoolExecutor) -> None:
    scene = Scene(executor)
    running = asyncio.create_task(scene.source.run())
    first, second = await scene.frame(), await scene.frame()
    assert first.t_s < second.t_s
    scene.camera.close()
    await asyncio.wait_for(running, 5)
    assert scene.tracker.begun == 0


async def test_a_loss_is_noticed_while_no_frame_comes_and_mended_by_the_next_run(
    executor: ThreadPoolExecutor,
) -> None:
    scene = Scene(executor)
    running = asyncio.create_task(scene.source.run())
    await scene.frame()
    scene.tracker.losing.set()
    with pytest.raises(TrackerLostError, match="scripted"):
        await asyncio.wait_for(running, 5)
    running = asyncio.create_task(scene.source.run())
    await scene.frame()
    assert scene.tracker.begun == 1
    scene.camera.close()
    await running


async def test_a_tracker_that_outgrew_its_process_moves_between_two_frames(
    executor: ThreadPoolExecutor,
) -> None:
    scene = Scene(executor)
    running = asyncio.create_task(scene.source.run())
    await scene.frame()
    scene.tracker.outgrown = True
    await scene.frame()
    await scene.frame()
    assert (scene.tracker.begun, scene.tracker.tracked) == (1, 3)
    scene.camera.close()
    await running


async def test_a_lost_calibration_is_told_once(executor: ThreadPoolExecutor) -> None:
    scene = Scene(executor)
    scene.source.lose_calibration()
    assert scene.updates == []
    scene.tracker.calibrating = True
    scene.source.lose_calibration()
    scene.source.lose_calibration()
    (update,) = scene.updates
    assert update.state == "cancelled"
    assert update.reason and "lost" in update.reason


async def test_only_clicks_count_beside_a_camera(executor: ThreadPoolExecutor) -> None:
    scene = Scene(executor)
    scene.source.point((1.0, 2.0), None, click=False)
    scene.source.point((3.0, 4.0), None, click=True)
    scene.source.point(None, (0.5, 0.5), click=True)
    assert scene.tracker.clicks == [(3.0, 4.0)]
    scene.source.set_layout(LAYOUT)
    assert scene.tracker.screen == screen_of(LAYOUT) == Screen(1000.0, 800.0, 400)


def test_a_pointer_is_the_point_of_gaze() -> None:
    samples: list[GazeSample] = []
    source = PointerGazeSource(samples.append)
    source.point(None, (0.25, 0.5), click=False)
    assert samples[-1].screen_px is not None
    assert source.nominal_shown(samples[-1].screen_px) == pytest.approx((0.25, 0.5))
    source.set_layout(LAYOUT)
    source.point(None, (0.5, 0.5), click=False)
    assert samples[-1].screen_px == pytest.approx((300.0, 350.0))
    source.point(None, None, click=True)
    assert len(samples) == 2


def test_an_unknown_sample_knows_only_its_time() -> None:
    sample = unknown_sample(3.0, calibrated=True)
    assert (sample.t_s, sample.calibrated, sample.confidence) == (3.0, True, 0.0)
    assert (sample.screen_px, sample.pupil, sample.head, sample.event) == (None,) * 4
