"""The end of a process that does not end by itself."""

import subprocess
import sys

HANGS = """
import threading
from concurrent.futures import ThreadPoolExecutor
from gaze.base.shutdown import exit_after
executor = ThreadPoolExecutor(1, thread_name_prefix="stuck")
executor.submit(threading.Event().wait)
exit_after({limit_s})
"""


def test_a_thread_that_hangs_does_not_keep_the_process() -> None:
    command = [sys.executable, "-c", HANGS.format(limit_s=0.2)]
    ended = subprocess.run(command, timeout=60, capture_output=True, text=True, check=False)
    assert ended.returncode == 1
    assert "stuck_0" in ended.stdout + ended.stderr


def test_a_process_that_ends_by_itself_is_left_alone() -> None:
    script = "from gaze.base.shutdown import exit_after; exit_after(60)"
    subprocess.run([sys.executable, "-c", script], timeout=60, check=True)
