"""A thread that decodes one stream of a film ahead of its use."""

import asyncio
import logging
import threading
from collections import deque
from collections.abc import Callable, Generator
from contextlib import closing
from pathlib import Path
from typing import Final, Generic, Protocol, TypeVar

import av
from av.container import InputContainer

from gaze.media.film_file import FilmError, open_film

logger = logging.getLogger(__name__)

CLOSE_TIMEOUT_S: Final = 5.0
"""How long `close` waits for a decoder that hangs, as on a network file system that is gone; the
limit within which a session has to end."""


class Positioned(Protocol):
    """Something that belongs to a position of the film."""

    @property
    def position_s(self) -> float:
        """Position in the film."""


T = TypeVar("T", bound=Positioned)


class DecodeAhead(Generic[T]):
    """Decodes a stream of a film in a thread of its own and keeps a bounded number of items.

    Created and used on the event loop. What the thread changes is guarded by a lock.
    """

    def __init__(
        self,
        path: Path,
        items: Callable[[InputContainer, float], Generator[T, None, None]],
        position_s: float,
        limit: int,
        on_change: Callable[[], None],
    ) -> None:
        """Start decoding.

        Parameters
        ----------
        path : Path
            The film.
        items : callable
            Decodes an open film from a position on; runs in the thread.
        position_s : float
            Where to begin.
        limit : int
            Most items kept.
        on_change : callable
            Called on the event loop when items were added to few, and when the end is reached.
        """
        self._path = path
        self._items = items
        self._limit = limit
        self._on_change = on_change
        self._loop = asyncio.get_running_loop()
        self._condition = threading.Condition()
        self._decoded: deque[T] = deque()
        self._position_s = position_s
        self._newest_s = float("-inf")
        self._run = 0
        """Counts seeks; what was decoded for an earlier run is dropped."""
        self._finished_run = -1
        self._closed = False
        self._stopped: asyncio.Future[None] = self._loop.create_future()
        self._thread = threading.Thread(
            target=self._decode, name=f"decode {path.name}", daemon=True
        )
        self._thread.start()

    def __len__(self) -> int:
        """Return the number of items that are decoded."""
        with self._condition:
            return len(self._decoded)

    @property
    def finished(self) -> bool:
        """Whether nothing will follow the items that are kept."""
        with self._condition:
            return self._finished_run == self._run

    @property
    def newest_s(self) -> float:
        """Position of the newest item decoded since the last seek; -inf before there is one."""
        with self._condition:
            return self._newest_s

    def covers(self, position_s: float) -> bool:
        """Return whether decoding has reached a position.

        Parameters
        ----------
        position_s : float
            Position in the film.

        Returns
        -------
        bool
            True if everything up to there is decoded, or as much as may be kept.
        """
        with self._condition:
            return (
                self._finished_run == self._run
                or self._newest_s >= position_s
                or len(self._decoded) >= self._limit
            )

    def peek(self) -> T | None:
        """Return the next item without taking it.

        Returns
        -------
        T or None
            None if nothing is decoded.
        """
        with self._condition:
            return self._decoded[0] if self._decoded else None

    def pop(self) -> T:
        """Take the next item.

        Returns
        -------
        T
            The oldest item kept.

        Raises
        ------
        IndexError
            If nothing is decoded.
        """
        with self._condition:
            item = self._decoded.popleft()
            self._condition.notify()
            return item

    def seek(self, position_s: float) -> None:
        """Drop what is decoded and go on from another position.

        Parameters
        ----------
        position_s : float
            Position in the film.
        """
        with self._condition:
            self._run += 1
            self._position_s = position_s
            self._newest_s = float("-inf")
            self._decoded.clear()
            self._condition.notify()

    async def close(self) -> None:
        """End the thread and wait for it, `CLOSE_TIMEOUT_S` at most, without blocking the loop."""
        with self._condition:
            self._closed = True
            self._decoded.clear()
            self._condition.notify()
        try:
            async with asyncio.timeout(CLOSE_TIMEOUT_S):
                await asyncio.shield(self._stopped)
        except TimeoutError:
            logger.error(
                "film %s: the decoder did not stop within %.0f s and is left behind",
                self._path.name,
                CLOSE_TIMEOUT_S,
            )
        else:
            self._thread.join()

    def _decode(self) -> None:
        try:
            with open_film(self._path) as container:
                while (run := self._next_run()) is not None:
                    self._decode_run(container, *run)
        except (FilmError, av.FFmpegError, OSError) as error:
            logger.warning("film %s: decoding stopped: %s", self._path.name, error)
            self._finish_every_run()
        except Exception:
            logger.exception("film %s: decoding stopped", self._path.name)
            self._finish_every_run()
        finally:
            self._call_on_loop(self._set_stopped)

    def _decode_run(self, container: InputContainer, run: int, position_s: float) -> None:
        with closing(self._items(container, position_s)) as items:
            for item in items:
                if not self._put(item, run):
                    return
        self._finish(run)

    def _finish_every_run(self) -> None:
        """End each run at once from now on, until `close`: the film has nothing more to give."""
        while (run := self._next_run()) is not None:
            self._finish(run[0])

    def _next_run(self) -> tuple[int, float] | None:
        """Wait for a run that is not finished; return its number and position, None once closed."""
        with self._condition:
            while not self._closed and self._finished_run == self._run:
                self._condition.wait()
            return None if self._closed else (self._run, self._position_s)

    def _put(self, item: T, run: int) -> bool:
        """Keep an item once there is room; return whether its run still goes on."""
        with self._condition:
            while len(self._decoded) >= self._limit and run == self._run and not self._closed:
                self._condition.wait()
            if run != self._run or self._closed:
                return False
            self._decoded.append(item)
            self._newest_s = item.position_s
            if len(self._decoded) <= 2:
                self._call_on_loop(self._on_change)
            return True

    def _finish(self, run: int) -> None:
        with self._condition:
            self._finished_run = run
            self._call_on_loop(self._on_change)

    def _set_stopped(self) -> None:
        if not self._stopped.done():
            self._stopped.set_result(None)

    def _call_on_loop(self, callback: Callable[[], None]) -> None:
        try:
            self._loop.call_soon_threadsafe(callback)
        except RuntimeError:  # the loop was closed before the player
            with self._condition:
                self._closed = True
