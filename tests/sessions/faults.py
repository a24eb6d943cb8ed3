"""What the fault injection tests share: a viewer with a camera, and a look at what is left."""

import asyncio
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import av

from gaze.web.app import TRACKERS
from gaze.web.sessions import SESSIONS
from simulation.clients.rtc_viewer import PictureTrack, RtcViewer
from simulation.viewers.painted import viewer_frame

POOLED = ("pixels", "asyncio_", "ThreadPoolExecutor")
"""Threads of pools that grow as they are used and stay."""


class Camera(PictureTrack):
    """A viewer's camera that can stand still: then no frame comes."""

    def __init__(self) -> None:
        picture = viewer_frame(iris=(6.0, 0.0))
        super().__init__(lambda t_s: picture)
        self.going = asyncio.Event()
        self.going.set()

    async def recv(self) -> av.VideoFrame:
        await self.going.wait()
        return await super().recv()


async def eventually(holds: Callable[[], bool], limit_s: float = 20.0) -> None:
    """Wait until something holds."""
    async with asyncio.timeout(limit_s):
        while not holds():
            await asyncio.sleep(0.02)


def _threads() -> Counter[str]:
    names = (thread.name for thread in threading.enumerate())
    return Counter(name for name in names if not name.startswith(POOLED))


def _tasks() -> Counter[str]:
    coroutines = (task.get_coro() for task in asyncio.all_tasks())
    return Counter(str(getattr(coroutine, "__qualname__", "")) for coroutine in coroutines)


def _descriptors() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


@asynccontextmanager
async def nothing_left(client: Any) -> AsyncIterator[None]:
    """Check that what happens inside leaves no task, thread, descriptor, session or tracker."""
    sessions, trackers = client.app[SESSIONS], client.app[TRACKERS]
    warming = RtcViewer(client)
    await warming.open(camera=Camera(), media="texture", sound=True)
    await warming.hear("gaze", lambda sample: sample["screen"] is not None)
    await warming.close()
    sessions._supervisor.start("warming up", lambda: asyncio.sleep(0))  # its host stays
    await eventually(lambda: trackers.sessions == 0)
    await asyncio.sleep(0.3)
    tasks, threads, descriptors = _tasks(), _threads(), _descriptors()
    yield
    left: list[object] = []

    def clean() -> bool:
        left[:] = [
            _tasks() - tasks,
            _threads() - threads,
            max(0, _descriptors() - descriptors),
            trackers.sessions,
            len(sessions._sessions),
            len(sessions._subscribers),
        ]
        return not any(left)

    try:
        await eventually(clean)
    except TimeoutError:
        raise AssertionError(f"left behind: {left}") from None


def once(then: Callable[..., Any]) -> Callable[..., Any]:
    """Make a function that raises when it is called first, and afterwards does as another one."""
    called: list[None] = []

    def function(*arguments: Any, **named: Any) -> Any:
        if not called:
            called.append(None)
            raise ValueError("injected")
        return then(*arguments, **named)

    return function


def then_raise(first: Callable[..., Any], ending: asyncio.Event) -> Callable[..., Any]:
    """Make a function that does as another one, and from a moment on raises after that."""

    def function(*arguments: Any) -> Any:
        outcome = first(*arguments)
        if not ending.is_set():
            return outcome
        if outcome is None:
            raise ValueError("injected")
        return _raise_after(outcome)

    return function


def then_hang(first: Callable[..., Any], ending: asyncio.Event) -> Callable[..., Any]:
    """Make a function that does as another one, and from a moment on does not end after that."""

    def function(*arguments: Any) -> Any:
        outcome = first(*arguments)
        return _hang_after(outcome) if ending.is_set() else outcome

    return function


async def _raise_after(outcome: Awaitable[Any]) -> None:
    await outcome
    raise ValueError("injected")


async def _hang_after(outcome: Awaitable[Any] | None) -> None:
    if outcome is not None:
        await outcome
    await asyncio.Event().wait()
