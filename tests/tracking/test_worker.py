"""The tracking process's own side, by its two sockets alone."""

import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from gaze.tracking.memory import shared_memory
from gaze.tracking.protocol import (
    HELLO,
    LENGTH_BYTES,
    PING,
    STATUS_BYTES,
    Begin,
    Failed,
    Step,
    Stepped,
    Track,
    packed,
)
from gaze.vision.sample import CalibrationError

COMMAND = "from gaze.tracking.worker import main; main()"


@pytest.fixture(scope="module")
def worker() -> Iterator[tuple[socket.socket, subprocess.Popen[bytes]]]:
    ours, theirs = socket.socketpair()
    with theirs:
        process = subprocess.Popen(
            [sys.executable, "-c", COMMAND, str(theirs.fileno())],
            pass_fds=[theirs.fileno()],
            stderr=subprocess.PIPE,
        )
    ours.settimeout(120)
    yield ours, process
    ours.close()
    process.kill()
    process.wait()


def ask(requests: socket.socket, request: Begin | Step | Track) -> object:
    requests.sendall(packed(request))
    length = int.from_bytes(requests.recv(LENGTH_BYTES, socket.MSG_WAITALL), "big")
    return pickle.loads(requests.recv(length, socket.MSG_WAITALL))


def test_it_serves_sessions_answers_pings_and_ends_quietly_with_the_server(
    worker: tuple[socket.socket, subprocess.Popen[bytes]],
) -> None:
    control, process = worker
    resident_bytes = int.from_bytes(control.recv(STATUS_BYTES, socket.MSG_WAITALL), "big")
    assert 50 << 20 < resident_bytes < 2 << 30

    requests, theirs = socket.socketpair()
    requests.settimeout(60)
    memory = shared_memory(640 * 480 * 3)
    with theirs:
        socket.send_fds(control, [HELLO], [theirs.fileno(), memory])
    assert ask(requests, Begin(None, None, None)) == Stepped([], None)
    assert isinstance(ask(requests, Step("finish", None, 0.0)), CalibrationError)
    control.sendall(PING)
    assert len(control.recv(STATUS_BYTES, socket.MSG_WAITALL)) == STATUS_BYTES

    failed = ask(requests, Track((99_999_999, 7, 3), 0.0, None))
    assert isinstance(failed, Failed)
    assert "ValueError" in failed.reason
    assert requests.recv(1) == b""
    requests.close()
    os.close(memory)

    # The server goes with an answer unread, as it does when it is killed.
    control.sendall(PING)
    control.close()
    _, errors = process.communicate(timeout=30)
    assert process.returncode == 0
    assert b"ConnectionResetError" not in errors
