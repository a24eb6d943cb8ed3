"""The end of the process, in bounded time."""

import os
import threading

import structlog

SLACK_S = 1.0
"""Beyond what sessions have to end: for the tracking processes, and the threads to be joined."""
REQUESTS_LIMIT_S = 1.0
"""For requests that are still being answered when all sessions have ended."""

log = structlog.get_logger()


def exit_after(limit_s: float) -> None:
    """Exit with status 1 unless the process has ended by then.

    Python joins its worker threads at the end, and one that hangs in an effect or a codec would
    keep the process for ever.

    Parameters
    ----------
    limit_s : float
        From now.
    """
    timer = threading.Timer(limit_s, _exit)
    timer.name, timer.daemon = "end of the process", True
    timer.start()


def _exit() -> None:
    names = [thread.name for thread in threading.enumerate()]
    log.error("the process did not end in time and is ended", threads=names)
    os._exit(1)
