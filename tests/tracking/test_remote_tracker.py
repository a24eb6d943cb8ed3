"""A tracker in another process: what it says, and what becomes of it when that process is lost."""

import asyncio
import contextlib
import os
import signal
import time

import numpy as np
import pytest

from gaze.tracking.pool import RemoteTracker, TrackerLostError, Trackers
from gaze.vision.sample import CalibrationError
from gaze.vision.tracker import Tracker
from tests.tracking.conftest import SCREEN, rgb, until_gone


async def test_it_says_what_a_tracker_here_says(tracker: RemoteTracker) -> None:
    here = Tracker(SCREEN)
    for number in range(6):
        frame = rgb(number)
        tracker.see_light(0.1 * number, None, number / 30)
        here.add_film_luminance(0.1 * number, None, number / 30)
        tracked = await tracker.track(tracker.put(frame), number / 30)
        assert tracked.sample == here.track(
            frame.to_ndarray().astype(np.uint8, copy=False), number / 30
        )
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


async def test_a_stopped_process_is_replaced_within_three_seconds(
    trackers: Trackers, tracker: RemoteTracker
) -> None:
    await tracker.calibrate("start", None, 0.0)
    assert tracker.calibrating
    shape = tracker.put(rgb(0))
    (pid,) = trackers.pids
    os.kill(pid, signal.SIGSTOP)
    began_s = time.monotonic()
    with pytest.raises(CalibrationError, match="again"):
        await tracker.calibrate("point", (10.0, 10.0), 0.0)
    assert tracker.lost
    beginning = asyncio.create_task(tracker.begin())
    await asyncio.sleep(0)
    assert trackers.pids and trackers.pids != [pid]
    assert time.monotonic() - began_s < 3.0  # and 1 to 2 s more until its models are loaded
    await beginning
    assert (await tracker.track(shape, 0.0)).sample.t_s == 0.0


async def test_a_tracker_that_raises_is_lost_with_the_reason(tracker: RemoteTracker) -> None:
    with pytest.raises(TrackerLostError, match="the tracker failed: ValueError"):
        await tracker.track((99_999_999, 7, 3), 0.0)
    assert tracker.lost
    await tracker.begin()
    assert (await tracker.track(tracker.put(rgb(0)), 0.0)).sample.t_s == 0.0


async def test_a_process_that_answers_pings_but_no_request_is_ended(
    trackers: Trackers, tracker: RemoteTracker, monkeypatch: pytest.MonkeyPatch
) -> None:
    (pid,) = trackers.pids
    monkeypatch.setattr("gaze.tracking.remote_tracker.REQUEST_LIMIT_S", 0.0)
    with pytest.raises(TrackerLostError, match="did not answer"):
        await tracker.track(tracker.put(rgb(0)), 0.0)
    monkeypatch.undo()
    await tracker.begin()
    assert trackers.pids != [pid]


async def test_a_tracker_leaves_a_grown_process_between_calibrations(
    trackers: Trackers, tracker: RemoteTracker
) -> None:
    (pid,) = trackers.pids
    (process,) = trackers._processes
    await tracker.calibrate("start", None, 0.0)
    process.retiring = True
    assert not tracker.outgrown
    await tracker.calibrate("cancel", None, 0.0)
    assert tracker.outgrown
    await tracker.begin()
    assert not tracker.outgrown
    assert process.sessions == 0
    await until_gone(pid)
    assert trackers.sessions == 1


async def test_who_waits_for_the_loss_is_told_why(
    trackers: Trackers, tracker: RemoteTracker
) -> None:
    waiting = asyncio.create_task(tracker.until_lost())
    await asyncio.sleep(0)
    os.kill(trackers.pids[0], signal.SIGKILL)
    with pytest.raises(TrackerLostError, match="has ended"):
        await waiting
