"""Tasks that say when they die, and waits that end in time."""

import asyncio
import logging
from collections.abc import Awaitable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")

log = logging.getLogger(__name__)


def start(work: Coroutine[Any, Any, T], name: str) -> asyncio.Task[T]:
    """Run a coroutine in a task; an error that ends it is logged once.

    Parameters
    ----------
    work : coroutine
        What to run.
    name : str
        What it does, for the log.

    Returns
    -------
    asyncio.Task
        Owned, cancelled and awaited by the caller.
    """
    task = asyncio.create_task(work, name=name)
    task.add_done_callback(_log_error)
    return task


def _log_error(task: asyncio.Task[Any]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s ended with an error", task.get_name(), exc_info=error)


async def settle(work: Awaitable[Any], limit_s: float, what: str) -> None:
    """Wait for something to end, but not longer than a time; what it raises is logged.

    Unlike `asyncio.wait_for`, this returns in time even if the work suppresses its cancellation.

    Parameters
    ----------
    work : awaitable
        A coroutine, future or task.
    limit_s : float
        Seconds.
    what : str
        What it does, for the log.
    """
    task = asyncio.ensure_future(work)
    await asyncio.wait([task], timeout=limit_s)
    if not task.done():
        log.error("%s did not end within %s s; it is left behind", what, limit_s)
        task.add_done_callback(_retrieve)
        task.cancel()
    elif not task.cancelled() and (error := task.exception()) is not None:
        log.error("%s failed", what, exc_info=error)


def _retrieve(task: asyncio.Future[Any]) -> None:
    if not task.cancelled():
        task.exception()
