"""Owns what a session or the server starts: tasks that may die, and parts that must be closed.

Built on `asyncio.TaskGroup` (the tasks) and `contextlib.AsyncExitStack` (the parts). An error of a
task never reaches its siblings: it is reported once, and the task is started again or its owner is
told. Closing always completes in bounded time, whatever tasks and parts do.
"""

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable, Coroutine
from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

import structlog

from gaze.base.metrics import Metrics

CLOSE_LIMIT_S = 4.5
"""What `close` takes at most: half a second less than `DELETE /api/sessions/{id}` may take."""
TASKS_LIMIT_S = 1.0
"""For the tasks to end once they are cancelled; part of `CLOSE_LIMIT_S`."""

Work = Callable[[], Coroutine[Any, Any, None]]
Close = Callable[[], Awaitable[object] | None]
OnFailure = Callable[[str, Exception], None]

log = structlog.get_logger()
_abandoned: set[asyncio.Task[Any]] = set()


@dataclass(frozen=True, slots=True)
class Restart:
    """When a task that died is started again.

    Attributes
    ----------
    pauses_s : tuple of float
        Pause before each restart in turn; with these used up, the task stays dead.
    forgiven_after_s : float
        A task that ran for so long before it died has all pauses before it again.
    """

    # Chosen by hand; no benchmark covers it. The first is short, because one lost process is
    # common and a viewer waits for it.
    pauses_s: tuple[float, ...] = (0.1, 0.5, 1.0, 2.0, 4.0, 8.0)
    forgiven_after_s: float = 30.0


@dataclass(frozen=True, slots=True)
class _Task:
    kind: str
    work: Work
    restart: Restart
    on_restart: OnFailure | None
    on_failure: OnFailure


class Supervisor:
    """Runs tasks and closes parts on behalf of one owner.

    Parameters
    ----------
    metrics : Metrics
        Counts the tasks that died, by kind.
    on_failure : callable, optional
        Called with kind and error when a task died for good and has no `on_failure` of its own.
    **owner : Any
        Who owns the tasks, for the log, as in `session="abc"`.
    """

    def __init__(self, metrics: Metrics, on_failure: OnFailure | None = None, **owner: Any) -> None:  # noqa: ANN401 - names for the log
        self._metrics = metrics
        self._on_failure = on_failure or (lambda kind, error: None)
        self._log = log.bind(**owner)
        self._waiting: asyncio.Queue[_Task | None] = asyncio.Queue()
        self._host: asyncio.Task[None] | None = None
        self._running: set[asyncio.Task[None]] = set()
        self._parts = AsyncExitStack()
        self._closing: asyncio.Task[None] | None = None
        self._deadline_s = 0.0

    @property
    def closing(self) -> bool:
        """Whether `close` was called."""
        return self._closing is not None

    def start(
        self,
        kind: str,
        work: Work,
        *,
        restart: Restart | None = None,
        on_restart: OnFailure | None = None,
        on_failure: OnFailure | None = None,
    ) -> None:
        """Run a task until it ends, dies for good or the supervisor is closed.

        Once `close` was called, nothing is started any more.

        Parameters
        ----------
        kind : str
            What the task does; a label of the metric, so one of few.
        work : callable
            Makes the coroutine to run, once for each start.
        restart : Restart, optional
            When it is started again after an error; without, never.
        on_restart : callable, optional
            Called with kind and error before the pause that precedes a restart.
        on_failure : callable, optional
            Called with kind and error once it died for good; default is the supervisor's.
        """
        if self.closing:
            return
        if self._host is None:
            self._host = asyncio.get_running_loop().create_task(self._run_tasks())
        restart = restart or Restart(pauses_s=())
        self._waiting.put_nowait(
            _Task(kind, work, restart, on_restart, on_failure or self._on_failure)
        )

    def own(self, name: str, close: Close, limit_s: float = 1.0) -> None:
        """Close a part when the supervisor is closed; the part owned last is closed first.

        Parameters
        ----------
        name : str
            The part's name in the log.
        close : callable
            Closes it; may be a coroutine function, may raise.
        limit_s : float
            What it may take; it is then cancelled and left behind.
        """
        self._parts.push_async_callback(self._close_part, name, close, limit_s)

    def fail(self, kind: str, error: Exception) -> None:
        """Report the death of something that runs elsewhere, as if it were a task of this owner."""
        if not self.closing:
            self._report(kind, error, 0, None)
            self._tell(self._on_failure, kind, error)

    async def close(self) -> None:
        """End all tasks, then close all parts; never raises and takes `CLOSE_LIMIT_S` at most.

        To be called from outside the supervisor's own tasks. Further calls wait for the first.
        """
        if self._closing is None:
            self._deadline_s = time.monotonic() + CLOSE_LIMIT_S
            self._closing = asyncio.get_running_loop().create_task(self._close())
        await asyncio.shield(self._closing)

    async def _run_tasks(self) -> None:
        async with asyncio.TaskGroup() as group:
            while (task := await self._waiting.get()) is not None:
                running = group.create_task(self._run(task), name=task.kind)
                self._running.add(running)
                running.add_done_callback(self._running.discard)
            for running in self._running:
                running.cancel()

    async def _run(self, task: _Task) -> None:
        failures = 0
        while True:
            began_s = time.monotonic()
            try:
                await task.work()
                return
            except asyncio.CancelledError:
                this = asyncio.current_task()
                if this is None or this.cancelling():
                    raise
                error: Exception = RuntimeError("something that it waited for was cancelled")
            except Exception as raised:
                error = raised
            if self.closing:
                return
            if time.monotonic() - began_s > task.restart.forgiven_after_s:
                failures = 0
            pauses_s = task.restart.pauses_s
            pause_s = pauses_s[failures] if failures < len(pauses_s) else None
            self._report(task.kind, error, failures, pause_s)
            failures += 1
            if pause_s is None:
                self._tell(task.on_failure, task.kind, error)
                return
            if task.on_restart is not None:
                self._tell(task.on_restart, task.kind, error)
            await asyncio.sleep(pause_s)

    def _report(self, kind: str, error: Exception, failures: int, pause_s: float | None) -> None:
        self._metrics.task_failures.labels(kind).inc()
        self._log.error(
            "task died",
            kind=kind,
            error=f"{type(error).__name__}: {error}",
            restart_in_s=pause_s,
            # The same error again needs no second traceback; a lost connection needs none.
            exc_info=None if failures or isinstance(error, ConnectionError) else error,
        )

    def _tell(self, callback: OnFailure, kind: str, error: Exception) -> None:
        try:
            callback(kind, error)
        except Exception:
            self._log.exception("a failed task could not be reported", kind=kind)

    async def _close(self) -> None:
        if self._host is not None:
            self._waiting.put_nowait(None)
            await asyncio.wait({self._host}, timeout=TASKS_LIMIT_S)
            for running in list(self._running):
                self._abandon(running, running.get_name())
            if not self._host.done():
                self._abandon(self._host)
        await self._parts.aclose()

    async def _close_part(self, name: str, close: Close, limit_s: float) -> None:
        task = asyncio.get_running_loop().create_task(_call(close), name=f"close {name}")
        limit_s = min(limit_s, max(0.0, self._deadline_s - time.monotonic()))
        await asyncio.wait({task}, timeout=limit_s)
        if not task.done():
            task.cancel()
            self._abandon(task, name)
        elif task.cancelled() or task.exception() is not None:
            error = None if task.cancelled() else task.exception()
            self._metrics.task_failures.labels("close").inc()
            self._log.error("part could not be closed", part=name, exc_info=error)

    def _abandon(self, task: asyncio.Task[Any], name: str | None = None) -> None:
        """Keep a task that does not end from being collected; say so if it has a name."""
        _abandoned.add(task)
        task.add_done_callback(_abandoned.discard)
        task.add_done_callback(_retrieve)
        if name is not None:
            self._metrics.task_failures.labels("close").inc()
            self._log.error("part did not end in time and is left behind", part=name)


async def _call(close: Close) -> None:
    outcome = close()
    if inspect.isawaitable(outcome):
        await outcome


def _retrieve(task: asyncio.Task[Any]) -> None:
    """Take an abandoned task's error, so that asyncio does not log it once more."""
    if not task.cancelled():
        task.exception()
