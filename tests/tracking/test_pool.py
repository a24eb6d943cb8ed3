"""The pool of tracking processes: how sessions are spread over them."""

import asyncio
import os
import signal

import pytest

from gaze.tracking.pool import TrackerLostError, Trackers
from gaze.web.app import TRACKERS
from simulation.clients.rtc_viewer import PictureTrack, RtcViewer
from simulation.viewers.painted import viewer_frame
from tests.conftest import Serve
from tests.tracking.conftest import SCREEN, descriptors, rgb, until_gone


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


async def test_a_viewer_whose_process_dies_is_seen_again(serve: Serve) -> None:
    client = await serve()
    viewer = RtcViewer(client)
    picture = viewer_frame(iris=(6.0, 0.0))
    camera = PictureTrack(lambda t_s: picture)
    await viewer.open(camera=camera, media="texture", gaze="camera")
    await viewer.hear("gaze", lambda sample: sample["screen"] is not None)
    (pid,) = client.app[TRACKERS].pids
    os.kill(pid, signal.SIGKILL)
    await until_gone(pid)
    viewer.messages.clear()
    await viewer.hear("gaze", lambda sample: sample["screen"] is not None)
    await viewer.frame()
    await viewer.close()


async def test_without_memfd_a_process_tracks_all_the_same(
    trackers: Trackers, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(os, "memfd_create")
    tracker = await trackers.open(SCREEN, None, None)
    tracked = await tracker.track(tracker.put(rgb(0)), 0.0)
    assert tracked.sample.screen_px is not None
    tracker.close()


async def test_a_closed_pool_opens_no_tracker(trackers: Trackers) -> None:
    await trackers.close()
    before = descriptors()
    with pytest.raises(TrackerLostError, match="shutting down"):
        await trackers.open(SCREEN, None, None)
    assert descriptors() == before
