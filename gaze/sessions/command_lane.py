"""Commands that take a while: carried out in their order, beside those of other lanes."""

import asyncio
from collections.abc import Awaitable, Callable
from http import HTTPStatus

import structlog

from gaze.base.problems import Problem, ProblemError
from gaze.sessions.message_encoding import error_message
from gaze.sessions.message_sink import MessageSink

WAITING_LIMIT = 256
"""Commands that may wait in a lane; a dot that is followed brings sixty a second."""
COMMAND_LIMIT_S = 45.0
"""For one command: opening a live stream may take 20 s, and closing the one before as well."""

Work = Callable[[], Awaitable[None]]

log = structlog.get_logger()


def answer_error(error: Exception, sink: MessageSink) -> None:
    """Tell a client that its command failed; what is our own mistake is logged.

    Parameters
    ----------
    error : Exception
        What carrying it out raised.
    sink : MessageSink
        Where the `error` message goes.
    """
    if isinstance(error, ProblemError):
        problem = error.problem
    elif isinstance(error, TimeoutError):
        problem = Problem(HTTPStatus.GATEWAY_TIMEOUT, "the command took too long and was given up")
    else:
        log.error("command failed", exc_info=error)
        problem = Problem(
            HTTPStatus.INTERNAL_SERVER_ERROR, "the server made a mistake; it has been logged"
        )
    sink.send(error_message(problem))


class CommandLane:
    """A queue of commands that depend on one another, such as a change of film and a seek in it."""

    def __init__(self) -> None:
        self._waiting: asyncio.Queue[tuple[Work, MessageSink]] = asyncio.Queue(WAITING_LIMIT)

    def put(self, work: Work, sink: MessageSink) -> None:
        """Carry out a command after those before it.

        Parameters
        ----------
        work : callable
            Carries it out.
        sink : MessageSink
            Where an `error` goes.

        Raises
        ------
        ProblemError
            429, too many are waiting.
        """
        try:
            self._waiting.put_nowait((work, sink))
        except asyncio.QueueFull:
            raise ProblemError(
                HTTPStatus.TOO_MANY_REQUESTS, f"more than {WAITING_LIMIT} commands are waiting"
            ) from None

    def clear(self) -> None:
        """Forget the commands that wait."""
        while not self._waiting.empty():
            self._waiting.get_nowait()

    async def run(self) -> None:
        """Carry out commands as they come, until cancelled."""
        while True:
            work, sink = await self._waiting.get()
            try:
                async with asyncio.timeout(COMMAND_LIMIT_S):
                    await work()
            except Exception as error:
                answer_error(error, sink)
