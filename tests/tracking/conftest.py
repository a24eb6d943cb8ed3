"""Fixtures of the tracking processes' tests."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import av
import pytest

from gaze.base.metrics import Metrics
from gaze.tracking.pool import RemoteTracker, Trackers
from gaze.vision.sample import Screen
from simulation.viewers.painted import viewer_frame

SCREEN = Screen(1920.0, 1080.0)


@pytest.fixture
def metrics() -> Metrics:
    return Metrics()


@pytest.fixture
async def trackers(metrics: Metrics) -> AsyncIterator[Trackers]:
    pool = Trackers(2, (640, 480), metrics)
    yield pool
    await pool.close()


@pytest.fixture
async def tracker(trackers: Trackers) -> AsyncIterator[RemoteTracker]:
    opened = await trackers.open(SCREEN, None, None)
    yield opened
    opened.close()


def rgb(number: int) -> av.VideoFrame:
    """A camera frame of a viewer; each number another one."""
    picture = viewer_frame(iris=(0.5 * number, 0.0), noise=number)
    return av.VideoFrame.from_ndarray(picture, format="rgb24")


def descriptors() -> int:
    """How many file descriptors this process has open."""
    return len(list(Path("/proc/self/fd").iterdir()))


def running(pid: int) -> bool:
    """Whether a process is there and no zombie."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


async def until_gone(pid: int) -> None:
    """Wait until a process has ended."""
    async with asyncio.timeout(30):
        while running(pid):
            await asyncio.sleep(0.05)
