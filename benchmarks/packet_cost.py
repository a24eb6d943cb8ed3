"""What a packet costs the event loop, ours beside stock aiortc: `python -m benchmarks.packet_cost`.

In: a client in a process of its own sends a 720p film in bursts, a frame each, as browsers do, and
the server, ours or stock, decodes it in its decoder thread. Out: the client sends nothing and the
server sends it such a film. One at a time, since a loop that is busy with both reads more packets
each time it comes round. Counted is the CPU time of the event loop's thread per packet: reading,
decrypting, parsing, RTCP and feedback, putting frames together, numbering, pacing, sending; not
decoding and encoding. The floor is recvfrom and sendto with libsrtp alone. With `--uvloop` every
server runs on uvloop as well, where that is installed.
"""

import argparse
import asyncio
import contextlib
import fractions
import importlib.util
import json
import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable, Coroutine
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
from aiortc import (
    MediaStreamTrack,
    RTCBundlePolicy,
    RTCConfiguration,
    RTCPeerConnection,
    RTCSessionDescription,
)
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.mediastreams import MediaStreamError
from aiortc.rtp import RtpPacket
from pylibsrtp import Policy, Session

from gaze.frames.latest import LatestValueClosed
from gaze.rtc.congestion import twcc
from gaze.rtc.peer import Limits, Peer

Figures = dict[str, float]
FRAME_RATE = 30
PACKET_BYTES = 1100
START_PACKETS = 500
NUMBER_ID = 9  # of the header extension
MOST_BPS = 9_000_000  # the film passes, paced as it would be


def encoded_frames(count: int = 60, bitrate_bps: int = 6_000_000) -> list[av.Packet]:
    """A 720p film of drifting clouds, VP8, about 8 Mbit/s."""
    context = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = 1280, 720, "yuv420p"
    context.bit_rate, context.framerate = bitrate_bps, fractions.Fraction(FRAME_RATE)
    context.time_base = fractions.Fraction(1, FRAME_RATE)
    context.options = {"deadline": "realtime", "cpu-used": "-16", "lag-in-frames": "0"}
    context.options |= {"minrate": str(bitrate_bps), "maxrate": str(bitrate_bps)}
    small = np.random.default_rng(1).integers(0, 255, (68, 80), np.uint8)
    clouds = cv2.resize(small, (1280, 1080), interpolation=cv2.INTER_CUBIC)
    packets = []
    for index in range(count):
        frame = av.VideoFrame.from_ndarray(np.roll(clouds, index * 9, axis=1), "yuv420p")
        frame.pts = index
        packets += context.encode(frame)
    return packets


class EncodedTrack(MediaStreamTrack):
    """Plays encoded frames over and over, so that a sender has nothing to encode."""

    kind = "video"

    def __init__(self, packets: list[av.Packet]) -> None:
        super().__init__()
        self._packets = packets
        self._index = 0
        self._start_s = time.monotonic()

    async def recv(self) -> Any:
        due_s = self._start_s + self._index / FRAME_RATE
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        source = self._packets[self._index % len(self._packets)]
        packet = av.Packet(bytes(source))
        packet.pts, packet.time_base = self._index, fractions.Fraction(1, FRAME_RATE)
        self._index += 1
        return packet


def number_packets(sdp: str) -> str:
    """An offer that also offers transport-wide numbers and feedback, as browsers' do."""
    lines = []
    for line in sdp.split("\r\n"):
        lines.append(line)
        if line.startswith("a=mid:"):
            lines.append(f"a=extmap:{NUMBER_ID} {twcc.EXTENSION_URI}")
        if line.startswith("a=rtpmap:") and "rtx" not in line:
            lines.append(f"a=rtcp-fb:{line[9:].split()[0]} transport-cc")
    return "\r\n".join(lines)


def client(pipe: Connection, direction: str) -> None:
    """Offers one film, and sends its packets or takes them, in a process of its own."""
    asyncio.run(_client(pipe, direction))


async def _client(pipe: Connection, direction: str) -> None:
    packets = encoded_frames() if direction == "sendrecv" else []
    connection = RTCPeerConnection(RTCConfiguration(iceServers=[]))
    transceiver = connection.addTransceiver("video", direction=direction)
    await connection.setLocalDescription()
    pipe.send(number_packets(connection.localDescription.sdp))
    answer = await asyncio.to_thread(pipe.recv)
    await connection.setRemoteDescription(RTCSessionDescription(answer, "answer"))
    transport: Any = transceiver.sender.transport
    connected = asyncio.Event()
    transport.on("statechange", lambda: transport.state == "connected" and connected.set())
    await connected.wait()
    # Only what is sent counts: nothing that comes back is decoded here.
    transceiver.receiver._enabled = False
    if not packets:
        await asyncio.to_thread(pipe.poll, None)
        await connection.close()
        return
    codec = transceiver._codecs[0]
    ssrc, number, wide = transceiver.sender._ssrc, 0, 0
    extensions = transport._rtp_header_extensions_map
    if twcc.EXTENSION_URI in answer:
        extensions._HeaderExtensionsMap__ids.transport_sequence_number = NUMBER_ID
    start_s = time.monotonic()
    frame_index = 0
    while not pipe.poll():
        data = bytes(packets[frame_index % len(packets)])
        payloads = Vp8Encoder._packetize(data, frame_index & 0x7FFF)
        for index, payload in enumerate(payloads):
            packet = RtpPacket(codec.payloadType, index == len(payloads) - 1, number)
            packet.timestamp, packet.ssrc, packet.payload = frame_index * 3000, ssrc, payload
            packet.extensions.mid = transceiver.mid
            packet.extensions.abs_send_time = int(time.time() * (1 << 18)) & 0xFFFFFF
            packet.extensions.transport_sequence_number = wide
            await transport._send_rtp(packet.serialize(extensions))
            number, wide = (number + 1) & 0xFFFF, (wide + 1) & 0xFFFF
        frame_index += 1
        due_s = start_s + frame_index / FRAME_RATE
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
    await connection.close()


class Ours:
    """Our server's side."""

    def __init__(self) -> None:
        self.peer = Peer(Limits(start_bitrate_bps=MOST_BPS, max_bitrate_bps=MOST_BPS))

    async def answer(self, offer: str, back: MediaStreamTrack | None) -> str:
        answer = await self.peer.answer(offer, {"film": "0"}, back, hosted=back is not None)
        if self.peer.film is not None:
            self.task = asyncio.create_task(_consume(self.peer.film.get))
        return answer

    def count(self) -> int:
        """Packets of the film."""
        figures = self.peer.stats()
        return sum(
            figures[way]["film"]["packets"] for way in ("in", "out") if "film" in figures[way]
        )

    async def close(self) -> None:
        await self.peer.close()


class Stock:
    """Stock aiortc's."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )

    async def answer(self, offer: str, back: MediaStreamTrack | None) -> str:
        connection = self.connection
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        (transceiver,) = connection.getTransceivers()
        transceiver.direction = "recvonly" if back is None else "sendonly"
        transceiver.sender.replaceTrack(back)
        await connection.setLocalDescription()
        if back is None:
            self.task = asyncio.create_task(_consume(transceiver.receiver.track.recv))
        return connection.localDescription.sdp

    def count(self) -> int:
        """Packets of the film."""
        sender: Any = self.connection.getSenders()[0]
        receiver: Any = self.connection.getReceivers()[0]
        streams = receiver._RTCRtpReceiver__remote_streams.values()
        came: int = sum(stream.packets_received for stream in streams)
        went: int = sender._RTCRtpSender__packet_count
        return came + went

    async def close(self) -> None:
        await self.connection.close()


async def _consume(take: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    with contextlib.suppress(LatestValueClosed, MediaStreamError):
        while True:
            await take()


async def measure(make: type[Ours | Stock], film: list[av.Packet] | None, seconds: float) -> float:
    """CPU time of this loop's thread, in µs per packet; of a film that goes out, or comes in."""
    server = make()
    context = multiprocessing.get_context("spawn")
    ours, theirs = context.Pipe()
    direction = "sendrecv" if film is None else "recvonly"
    process = context.Process(target=client, args=(theirs, direction), daemon=True)
    process.start()
    offer = await asyncio.to_thread(ours.recv)
    ours.send(await server.answer(offer, None if film is None else EncodedTrack(film)))
    while server.count() < START_PACKETS:  # noqa: ASYNC110
        await asyncio.sleep(0.1)
    before = time.thread_time(), server.count()
    await asyncio.sleep(seconds)
    after = time.thread_time(), server.count()
    ours.send("end")
    await asyncio.to_thread(process.join)
    await server.close()
    return 1e6 * (after[0] - before[0]) / (after[1] - before[1])


def floor_us(count: int = 20_000) -> tuple[float, float]:
    """libsrtp and one call of the socket alone, in and out, µs per packet."""
    key = bytes(30)
    tx = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    rx = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    here, there = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    here.bind(("127.0.0.1", 0))
    address = here.getsockname()
    in_s = out_s = 0.0
    for start in range(0, count, 25):
        packets = [
            RtpPacket(96, 0, number & 0xFFFF, payload=bytes(PACKET_BYTES)).serialize()
            for number in range(start, start + 25)
        ]
        began_s = time.thread_time()
        for packet in packets:
            there.sendto(tx.protect(packet), address)
        sent_s = time.thread_time()
        for _ in packets:
            rx.unprotect(here.recvfrom(2048)[0])
        in_s += time.thread_time() - sent_s
        out_s += sent_s - began_s
    here.close()
    there.close()
    return in_s / count * 1e6, out_s / count * 1e6


def run(loop_factory: Callable[[], Any] | None, seconds: float, runs: int) -> dict[str, Figures]:
    """Cost in µs per packet in and per packet out, medians, of ours and of stock's."""
    packets = encoded_frames()
    results: dict[str, list[Figures]] = {"ours": [], "stock": []}
    for _ in range(runs):
        for name, make in (("ours", Ours), ("stock", Stock)):
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                in_us = runner.run(measure(make, None, seconds))
            with asyncio.Runner(loop_factory=loop_factory) as runner:
                out_us = runner.run(measure(make, packets, seconds))
            results[name].append({"in_us": in_us, "out_us": out_us})
    return {
        name: {key: statistics.median(run[key] for run in figures) for key in figures[0]}
        for name, figures in results.items()
    }


def main() -> None:
    """Run it and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", type=Path, help="file for the figures")
    parser.add_argument("--seconds", type=float, default=5.0, help="of each measurement")
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--uvloop", action="store_true")
    arguments = parser.parse_args()
    loops: dict[str, Callable[[], Any] | None] = {"asyncio": None}
    if arguments.uvloop and importlib.util.find_spec("uvloop"):
        loops["uvloop"] = importlib.import_module("uvloop").new_event_loop
    floor = floor_us()
    figures: Figures = {"floor_in_us": floor[0], "floor_out_us": floor[1]}
    print(f"{'µs of the event loop per packet':34}{'in':>8}{'out':>8}")
    print(f"{'floor (libsrtp and the socket)':34}{floor[0]:8.1f}{floor[1]:8.1f}")
    for loop, factory in loops.items():
        for name, result in run(factory, arguments.seconds, arguments.runs).items():
            print(f"{f'{name}, {loop}':34}{result['in_us']:8.1f}{result['out_us']:8.1f}")
            figures |= {f"{name}_{loop}_{key}": value for key, value in result.items()}
    if arguments.json:
        arguments.json.write_text(json.dumps(figures, indent=1))


if __name__ == "__main__":
    main()
