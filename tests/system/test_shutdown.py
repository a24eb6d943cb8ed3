"""SIGTERM ends the server in time and every session with an RTCP BYE, a stuck one too."""

import asyncio
import contextlib
import os
import signal
import time
from pathlib import Path
from typing import Any

from aiohttp import ClientSession
from aiortc.rtp import RtcpByePacket, RtcpPacket

from gaze.base.shutdown import SLACK_S
from simulation.clients.rtc_viewer import PictureTrack, RtcViewer
from simulation.server_process import running_server
from simulation.viewers.painted import viewer_frame
from tests.tracking.conftest import running, until_gone

SHUTDOWN_TIMEOUT_S = 8


def heard_bye(viewer: RtcViewer) -> asyncio.Event:
    """Return what is set when an RTCP BYE (RFC 3550, 6.6) arrives at a viewer."""
    bye = asyncio.Event()
    transport: Any = viewer._pc.getTransceivers()[0].receiver.transport
    handle = transport._handle_rtcp_data

    async def note(data: bytes) -> None:
        if any(isinstance(packet, RtcpByePacket) for packet in RtcpPacket.parse(data)):
            bye.set()
        await handle(data)

    transport._handle_rtcp_data = note
    return bye


async def test_sigterm_says_bye_to_everyone_with_one_film_and_one_tracker_stuck(
    films: Path, tmp_path: Path
) -> None:
    flags = (
        *("--media", str(films), "--effects", "tests.system.stuck_effects"),
        *("--shutdown-timeout-s", str(SHUTDOWN_TIMEOUT_S), "--workers", "4"),
    )
    log = tmp_path / "log"
    picture = viewer_frame()  # takes long when it is first made, and viewers would be lost by then
    with running_server(*flags, log=log) as server:
        async with ClientSession(base_url=server.url) as client:
            watching, stuck, tracked = (RtcViewer(client) for _ in range(3))
            await watching.open(media="texture")
            await stuck.open(media="texture", effects=[{"name": "stuck"}])
            await tracked.open(camera=PictureTrack(lambda t_s: picture), media="texture")
            await tracked.hear("gaze", lambda sample: sample["screen"] is not None)
            for viewer in (watching, stuck, tracked):
                await viewer.frame()
            byes = [heard_bye(viewer) for viewer in (watching, stuck, tracked)]
            _, *tracking_pids = server.pids
            for pid in tracking_pids:
                os.kill(pid, signal.SIGSTOP)
            began_s = time.monotonic()
            server.process.terminate()
            for name, bye in zip(("watching", "stuck", "tracked"), byes, strict=True):
                left_s = began_s + SHUTDOWN_TIMEOUT_S - time.monotonic()
                with contextlib.suppress(TimeoutError):
                    await asyncio.wait_for(bye.wait(), left_s)
                assert bye.is_set(), f"{name}\n{log.read_text()}"
            await asyncio.to_thread(server.process.wait, 30)
            assert time.monotonic() - began_s < SHUTDOWN_TIMEOUT_S + SLACK_S + 1
            for pid in tracking_pids:
                await until_gone(pid)
                assert not running(pid)
            for viewer in (watching, stuck, tracked):
                await viewer.disappear()
    assert "Traceback" not in log.read_text()
