"""Trackers in processes of their own: what they say, and how both sides end."""

import asyncio
import contextlib
import os
import signal
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import av
import numpy as np
import pytest

from gaze.tracking.pool import RemoteTracker, TrackerLostError, Trackers
from gaze.vision.sample import CalibrationError, Screen
from gaze.vision.tracker import Tracker
from gaze.web.app import TRACKERS
from simulation.rtc_viewer import PictureTrack, RtcViewer
from simulation.server_process import running_server
from simulation.viewers import viewer_frame
from tests.conftest import Serve

SCREEN = Screen(1920.0, 1080.0)


@pytest.fixture
def trackers() -> Iterator[Trackers]:
    pool = Trackers(2, (640, 480))
    yield pool
    pool.close()


@pytest.fixture
async def tracker(trackers: Trackers) -> AsyncIterator[RemoteTracker]:
    opened = await trackers.open(SCREEN, None, None)
    yield opened
    opened.close()


def rgb(number: int) -> av.VideoFrame:
    picture = viewer_frame(iris=(0.5 * number, 0.0), noise=number)
    return av.VideoFrame.from_ndarray(picture, format="rgb24")


def descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


def running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_gone(pid: int) -> None:
    async with asyncio.timeout(30):
        while running(pid):
            await asyncio.sleep(0.05)


@pytest.fixture
def no_memfd(monkeypatch: pytest.MonkeyPatch) -> None:
    """A system on which memory cannot be handed over, as macOS is one."""
    monkeypatch.delattr(os, "memfd_create")


def trackers_here() -> int:
    return sum(thread.name == "tracker" for thread in threading.enumerate())


@pytest.mark.usefixtures("no_memfd")
async def test_without_memory_to_hand_over_a_thread_tracks(
    caplog: pytest.LogCaptureFixture,
) -> None:
    before = descriptors()
    trackers = Trackers(2, (640, 480))
    assert "in the server's own process" in caplog.text
    tracker = await trackers.open(SCREEN, None, None)
    await test_it_says_what_a_tracker_here_says(tracker)
    await tracker.begin()
    await test_a_calibration_is_made_there_and_its_model_comes_back(tracker)
    assert trackers.pids == []
    tracker.close()
    async with asyncio.timeout(30):
        while trackers_here() > 0 or descriptors() > before:
            await asyncio.sleep(0.05)
    trackers.close()


@pytest.mark.usefixtures("no_memfd")
async def test_a_viewer_is_seen_where_a_thread_tracks(serve: Serve) -> None:
    client = await serve()
    viewer = RtcViewer(client)
    camera = PictureTrack(lambda t_s: viewer_frame(iris=(6.0, 0.0)))
    await viewer.open(camera=camera, media="texture", gaze="camera")
    await viewer.hear("gaze", lambda sample: sample["screen"] is not None)
    assert client.app[TRACKERS].pids == []
    assert trackers_here() == 1
    await viewer.close()


async def test_it_says_what_a_tracker_here_says(tracker: RemoteTracker) -> None:
    here = Tracker(SCREEN)
    for number in range(6):
        frame = rgb(number)
        tracker.see_light(0.1 * number, None, number / 30)
        here.see_light(0.1 * number, None, number / 30)
        tracked = await tracker.track(tracker.put(frame), number / 30)
        assert tracked.sample == here.track(frame.to_ndarray(), number / 30)
        assert tracker.eyes_at == here.eyes_at is not None
        assert tracked.track_s > 0
    here.close()


async def test_frames_of_a_video_stream_lose_only_their_colours_detail(
    tracker: RemoteTracker,
) -> None:
    for number in range(3):
        plain = (await tracker.track(tracker.put(rgb(0)), number / 15)).sample
        frame = rgb(0).reformat(format="yuv420p")
        coded = (await tracker.track(tracker.put(frame), number / 15 + 1 / 30)).sample
    assert plain.screen_px is not None and coded.screen_px is not None
    assert np.hypot(*np.subtract(plain.screen_px, coded.screen_px)) < 60


async def test_a_calibration_is_made_there_and_its_model_comes_back(
    tracker: RemoteTracker,
) -> None:
    with pytest.raises(CalibrationError):
        await tracker.calibrate("finish", None, 0.0)
    updates = await tracker.calibrate("start", None, 0.0)
    assert updates[0].state == "collecting"
    assert tracker.model is None


async def test_a_calibration_that_is_damaged_is_refused(trackers: Trackers) -> None:
    with pytest.raises(CalibrationError):
        await trackers.open(SCREEN, {"version": 0}, None)


async def test_an_answer_that_nobody_waits_for_is_passed_over(tracker: RemoteTracker) -> None:
    asking = asyncio.create_task(tracker.calibrate("start", None, 0.0))
    await asyncio.sleep(0)
    asking.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await asking
    shape = tracker.put(rgb(0))
    assert (await tracker.track(shape, 1.0)).sample.t_s == 1.0


async def test_who_loses_the_process_begins_again_in_another(
    trackers: Trackers, tracker: RemoteTracker
) -> None:
    (pid,) = trackers.pids
    shape = tracker.put(rgb(0))
    os.kill(pid, signal.SIGKILL)
    with pytest.raises(TrackerLostError):
        await tracker.track(shape, 0.0)
    with pytest.raises(CalibrationError, match="again"):
        await tracker.calibrate("start", None, 0.0)
    await tracker.begin()
    assert (await tracker.track(shape, 0.0)).sample.t_s == 0.0
    assert trackers.pids != [pid]


async def test_two_share_a_process_before_another_one_is_started(trackers: Trackers) -> None:
    before = descriptors()
    opened, processes = [], []
    for _ in range(6):
        opened.append(await trackers.open(SCREEN, None, None))
        processes.append(len(trackers.pids))
    assert processes == [1, 1, 2, 2, 2, 2]
    for one in opened:
        one.close()
    await asyncio.sleep(0)
    assert descriptors() == before + len(trackers.pids)


async def test_processes_end_with_the_pool(trackers: Trackers) -> None:
    (await trackers.open(SCREEN, None, None)).close()
    (pid,) = trackers.pids
    trackers.close()
    assert not running(pid)


async def test_a_server_that_is_killed_leaves_no_process() -> None:
    with running_server() as server:
        _, pid = server.pids
        server.process.kill()
        await until_gone(pid)


async def test_a_viewer_whose_process_dies_is_seen_again(serve: Serve) -> None:
    client = await serve()
    viewer = RtcViewer(client)
    camera = PictureTrack(lambda t_s: viewer_frame(iris=(6.0, 0.0)))
    await viewer.open(camera=camera, media="texture", gaze="camera")
    await viewer.hear("gaze", lambda sample: sample["screen"] is not None)
    (pid,) = client.app[TRACKERS].pids
    os.kill(pid, signal.SIGKILL)
    await until_gone(pid)
    viewer.messages.clear()
    await viewer.hear("gaze", lambda sample: sample["screen"] is not None)
    await viewer.frame()
    await viewer.close()
