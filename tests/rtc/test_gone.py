"""Viewers whose process is stopped or killed."""

import asyncio
import json
import signal
import sys
from collections.abc import AsyncIterator

import pytest
from aiortc import AudioStreamTrack

from gaze.rtc.ice import consent as consents
from gaze.rtc.peer import Peer
from gaze.rtc.sdp.offer import read_offer
from simulation.clients.rtc_client import Client, Grey
from simulation.server_process import ROOT

PATIENCE_S = 20.0  # less than the half minute that aioice takes


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    yield made
    await made.close()


@pytest.fixture
async def viewer() -> AsyncIterator[asyncio.subprocess.Process]:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "simulation.clients.viewer_process"),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=1 << 20,
        cwd=ROOT,
    )
    yield process
    if process.returncode is None:
        process.kill()
    await process.wait()


async def test_a_viewer_that_stalls_stays_and_one_that_is_killed_is_gone_soon(
    peer: Peer, viewer: asyncio.subprocess.Process
) -> None:
    states: asyncio.Queue[str] = asyncio.Queue()
    peer.on_state = states.put_nowait
    assert viewer.stdin is not None and viewer.stdout is not None
    offer = json.loads(await viewer.stdout.readline())
    answer = await peer.answer(
        read_offer(offer, Client.ROLES, hosted=False), Grey(150), AudioStreamTrack()
    )
    viewer.stdin.write(json.dumps(answer).encode() + b"\n")
    film = peer.film
    assert film is not None
    async with asyncio.timeout(PATIENCE_S):
        assert await states.get() == "connected"
        await film.get()

        viewer.send_signal(signal.SIGSTOP)
        await asyncio.sleep(2.0)
        assert peer.state == "connected"
        viewer.send_signal(signal.SIGCONT)
        for _ in range(30):
            await film.get()
        await asyncio.sleep(consents.CONSENT_EXPIRY_S)
        assert peer.state == "connected" and states.empty()

    viewer.kill()
    async with asyncio.timeout(PATIENCE_S):
        assert await states.get() == "lost"
