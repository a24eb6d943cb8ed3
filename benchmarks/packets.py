"""A server that only moves packets, for `benchmarks.capacity`.

`python -m benchmarks.packets --stack ours|stock --port N`. What a stack spends on receiving,
reassembling, answering and sending packets, apart from all pixels: nothing is decoded (whole frames
are discarded where a decoder would take them), and the film that goes back was encoded beforehand.
Viewer and packets are those of a real session.
"""

import argparse
import asyncio
import logging
import queue
from collections.abc import Sequence
from typing import Any

from aiohttp import web
from aiortc import RTCConfiguration, RTCPeerConnection, RTCSessionDescription

from benchmarks import material
from gaze.rtc.peer import Peer
from gaze.rtc.sdp.offer import read_offer

FILM = (1280, 720, 2_500_000)


class _DiscardingQueue(queue.SimpleQueue[Any]):
    """Passes nothing to the decoder thread but the end."""

    def put(self, item: object, block: bool = True, timeout: float | None = None) -> None:
        if item is None:
            super().put(None)


def _decode_nothing(connection: RTCPeerConnection) -> None:
    for transceiver in connection.getTransceivers():
        receiver: Any = transceiver.receiver
        receiver._RTCRtpReceiver__decoder_queue = _DiscardingQueue()


async def _stock(body: dict[str, Any], sessions: list[object]) -> str:
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    sessions.append(connection)
    await connection.setRemoteDescription(RTCSessionDescription(body["sdp"], "offer"))
    for transceiver in connection.getTransceivers():
        if transceiver.mid == body["tracks"]["film"]:
            transceiver.sender.replaceTrack(material.LoopTrack(material.film(*FILM)))
            transceiver.direction = "sendrecv"
    _decode_nothing(connection)
    await connection.setLocalDescription(await connection.createAnswer())
    sdp: str = connection.localDescription.sdp
    return sdp


async def _ours(body: dict[str, Any], sessions: list[object]) -> str:
    peer = Peer()
    sessions.append(peer)
    film = material.LoopTrack(material.film(*FILM))
    answer = await peer.answer(
        read_offer(body["sdp"], body["tracks"], hosted=False), send_film=film
    )
    for receiver in peer.receivers:
        receiver.on_frame = lambda codec, frame: None
    return answer


def main(argv: Sequence[str] | None = None) -> None:
    """Serve until SIGTERM.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = argparse.ArgumentParser(prog="python -m benchmarks.packets", description=__doc__)
    parser.add_argument("--stack", choices=("ours", "stock"), required=True, help="whose packets")
    parser.add_argument("--port", type=int, required=True, help="of HTTP")
    flags = parser.parse_args(argv)
    logging.basicConfig(level=logging.ERROR)
    answer = {"ours": _ours, "stock": _stock}[flags.stack]
    sessions: list[object] = []

    async def post(request: web.Request) -> web.Response:
        sdp = await answer(await request.json(), sessions)
        return web.json_response({"id": "0", "token": "", "sdp": sdp}, status=201)

    async def nothing(_: web.Request) -> web.Response:
        await asyncio.sleep(0)
        return web.json_response({})

    app = web.Application()
    app.add_routes(
        [
            web.get("/healthz", nothing),
            web.post("/api/sessions", post),
            web.get("/api/sessions/{id}", nothing),
            web.delete("/api/sessions/{id}", nothing),
        ]
    )
    material.film(*FILM)
    web.run_app(app, host="localhost", port=flags.port, print=None, access_log=None)


if __name__ == "__main__":
    main()
