"""What a packet costs the event loop: `python -m benchmarks.packet_cost`.

Unit: microseconds of CPU of the event loop's thread for one packet, the median over the runs. Peer:
stock aiortc. Floor: recvfrom and sendto with libsrtp alone.

In: a client in a process of its own sends a 720p film in bursts, a frame each, as browsers do, and
the server, ours or stock, decodes it in its decoder thread. Out: the client sends nothing, and the
server sends it such a film. One direction at a time, since a loop that is busy with both reads more
packets at each turn. What counts: reading, decrypting, parsing, RTCP and feedback, reassembling
frames, numbering, pacing, sending; not decoding and encoding. With `--uvloop` every server is also
measured on uvloop, if that is installed.
"""

import asyncio
import contextlib
import fractions
import importlib.util
import multiprocessing
import socket
import statistics
import time
from collections.abc import Callable, Coroutine, Sequence
from multiprocessing.connection import Connection
from typing import Any, TypeAlias

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

from benchmarks.report import Figures, arguments, write_figures
from gaze.frames.latest import LatestValueClosed
from gaze.rtc.congestion import twcc
from gaze.rtc.peer import Limits, Peer
from gaze.rtc.sdp.offer import read_offer

VideoPacket: TypeAlias = "av.Packet[Any]"  # a generic in the stubs only

FRAME_RATE = 30
PACKET_BYTES = 1100
START_PACKETS = 500  # before the measurement
FLOOR_BATCH_PACKETS = 25  # about one frame's
NUMBER_ID = 9  # of the header extension
MAX_BPS = 9_000_000  # above the film's bitrate: it is paced, not reduced


def encoded_frames(count: int = 60, bitrate_bps: int = 6_000_000) -> list[VideoPacket]:
    """Encode a 720p film of drifting clouds with VP8.

    Parameters
    ----------
    count : int, default 60
        Frames.
    bitrate_bps : int, default 6_000_000
        Target; about 8 Mbit/s come out.
    """
    context = av.CodecContext.create("libvpx", "w")
    context.width, context.height, context.pix_fmt = 1280, 720, "yuv420p"
    context.bit_rate, context.framerate = bitrate_bps, fractions.Fraction(FRAME_RATE)
    context.time_base = fractions.Fraction(1, FRAME_RATE)
    context.options = {"deadline": "realtime", "cpu-used": "-16", "lag-in-frames": "0"}
    context.options |= {"minrate": str(bitrate_bps), "maxrate": str(bitrate_bps)}
    small = np.random.default_rng(1).integers(0, 255, (68, 80), np.uint8)
    clouds = cv2.resize(small, (1280, 1080), interpolation=cv2.INTER_CUBIC)
    packets: list[VideoPacket] = []
    for index in range(count):
        planes = np.asarray(np.roll(clouds, index * 9, axis=1), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, "yuv420p")
        frame.pts = index
        packets += context.encode(frame)
    return packets


class EncodedTrack(MediaStreamTrack):
    """Plays encoded frames in a loop, so that a sender has nothing to encode."""

    kind = "video"

    def __init__(self, packets: list[VideoPacket]) -> None:
        super().__init__()
        self._packets = packets
        self._index = 0
        self._start_s = time.monotonic()

    async def recv(self) -> VideoPacket:
        """Return the next packet, when it is due."""
        due_s = self._start_s + self._index / FRAME_RATE
        await asyncio.sleep(max(0.0, due_s - time.monotonic()))
        source = self._packets[self._index % len(self._packets)]
        packet: VideoPacket = av.Packet(bytes(source))
        packet.pts, packet.time_base = self._index, fractions.Fraction(1, FRAME_RATE)
        self._index += 1
        return packet


def number_packets(sdp: str) -> str:
    """Add transport-wide sequence numbers and feedback to an offer, as browsers offer them.

    Parameters
    ----------
    sdp : str
        aiortc's offer.

    Returns
    -------
    str
        The offer with both.
    """
    lines = []
    for line in sdp.split("\r\n"):
        lines.append(line)
        if line.startswith("a=mid:"):
            lines.append(f"a=extmap:{NUMBER_ID} {twcc.EXTENSION_URI}")
        if line.startswith("a=rtpmap:") and "rtx" not in line:
            lines.append(f"a=rtcp-fb:{line[9:].split()[0]} transport-cc")
    return "\r\n".join(lines)


def client(pipe: Connection, direction: str) -> None:
    """Offer one film and send or receive its packets, in a process of its own, until the end.

    Parameters
    ----------
    pipe : Connection
        To the measuring process: offer out, answer in, then the end.
    direction : {"sendrecv", "recvonly"}
        Whether it sends.
    """
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
    while transport.state != "connected":  # noqa: ASYNC110 - aiortc sets no asyncio.Event
        await asyncio.sleep(0.01)
    # Only what is sent counts: nothing that is returned is decoded here.
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
            last = index == len(payloads) - 1
            packet = RtpPacket(codec.payloadType or 0, int(last), number)
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
        self.peer = Peer(Limits(start_bitrate_bps=MAX_BPS, max_bitrate_bps=MAX_BPS))

    async def answer(self, offer: str, back: MediaStreamTrack | None) -> str:
        """Answer an offer.

        Parameters
        ----------
        offer : str
            SDP.
        back : MediaStreamTrack or None
            The film to send, if the client only receives.

        Returns
        -------
        str
            SDP.
        """
        answer = await self.peer.answer(
            read_offer(offer, {"film": "0"}, hosted=back is not None), back
        )
        if self.peer.film is not None:
            self.task = asyncio.create_task(_consume(self.peer.film.get))
        return answer

    def count(self) -> int:
        """Return how many packets of the film have come or gone."""
        figures = self.peer.stats()
        return sum(
            figures[direction]["film"]["packets"]
            for direction in ("in", "out")
            if "film" in figures[direction]
        )

    async def close(self) -> None:
        """Close the connection."""
        await self.peer.close()


class Stock:
    """Stock aiortc's side."""

    def __init__(self) -> None:
        self.connection = RTCPeerConnection(
            RTCConfiguration(iceServers=[], bundlePolicy=RTCBundlePolicy.MAX_BUNDLE)
        )

    async def answer(self, offer: str, back: MediaStreamTrack | None) -> str:
        """Answer an offer.

        Parameters
        ----------
        offer : str
            SDP.
        back : MediaStreamTrack or None
            The film to send, if the client only receives.

        Returns
        -------
        str
            SDP.
        """
        connection = self.connection
        await connection.setRemoteDescription(RTCSessionDescription(offer, "offer"))
        (transceiver,) = connection.getTransceivers()
        transceiver.direction = "recvonly" if back is None else "sendonly"
        transceiver.sender.replaceTrack(back)
        await connection.setLocalDescription()
        if back is None:
            self.task = asyncio.create_task(_consume(transceiver.receiver.track.recv))
        sdp: str = connection.localDescription.sdp
        return sdp

    def count(self) -> int:
        """Return how many packets of the film have come or gone."""
        sender: Any = self.connection.getSenders()[0]
        receiver: Any = self.connection.getReceivers()[0]
        streams = receiver._RTCRtpReceiver__remote_streams.values()
        came: int = sum(stream.packets_received for stream in streams)
        went: int = sender._RTCRtpSender__packet_count
        return came + went

    async def close(self) -> None:
        """Close the connection."""
        await self.connection.close()


async def _consume(take: Callable[[], Coroutine[Any, Any, Any]]) -> None:
    with contextlib.suppress(LatestValueClosed, MediaStreamError):
        while True:
            await take()


async def measure(
    make: type[Ours | Stock], film: list[VideoPacket] | None, seconds: float
) -> float:
    """Measure the CPU time of this loop's thread, in µs for each packet.

    Parameters
    ----------
    make : type
        `Ours` or `Stock`.
    film : list of av.Packet or None
        The film to send; None to receive one.
    seconds : float
        How long.
    """
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
    """Measure libsrtp and one system call alone.

    Parameters
    ----------
    count : int, default 20_000
        Packets.

    Returns
    -------
    in_us, out_us : float
        µs of CPU for each packet.
    """
    key = bytes(30)
    tx = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_OUTBOUND))
    rx = Session(Policy(key=key, ssrc_type=Policy.SSRC_ANY_INBOUND))
    here, there = (socket.socket(socket.AF_INET, socket.SOCK_DGRAM) for _ in range(2))
    here.bind(("127.0.0.1", 0))
    address = here.getsockname()
    in_s = out_s = 0.0
    for start in range(0, count, FLOOR_BATCH_PACKETS):
        packets = [
            RtpPacket(96, 0, number & 0xFFFF, payload=bytes(PACKET_BYTES)).serialize()
            for number in range(start, start + FLOOR_BATCH_PACKETS)
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


def run(
    loop_factory: Callable[[], asyncio.AbstractEventLoop] | None, seconds: float, runs: int
) -> dict[str, Figures]:
    """Measure ours and stock in turn.

    Parameters
    ----------
    loop_factory : callable or None
        Makes the event loop; None for asyncio's own.
    seconds : float
        Of each measurement.
    runs : int
        How many.

    Returns
    -------
    dict of str to dict
        By server: medians of `in_us` and `out_us`.
    """
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


def main(argv: Sequence[str] | None = None) -> None:
    """Measure, print the table and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "packet_cost", seconds=5.0, runs=3)
    uvloop_help = "also on uvloop, if it is installed"
    parser.add_argument("--uvloop", action="store_true", help=uvloop_help)
    flags = parser.parse_args(argv)
    loops: dict[str, Callable[[], asyncio.AbstractEventLoop] | None] = {"asyncio": None}
    if flags.uvloop and importlib.util.find_spec("uvloop"):
        loops["uvloop"] = importlib.import_module("uvloop").new_event_loop
    floor = floor_us()
    figures: Figures = {"floor_in_us": floor[0], "floor_out_us": floor[1]}
    print(f"{'CPU of the event loop, µs/packet':34}{'in':>8}{'out':>8}")
    print(f"{'floor (libsrtp and the socket)':34}{floor[0]:8.1f}{floor[1]:8.1f}")
    for loop, factory in loops.items():
        for name, result in run(factory, flags.seconds, flags.runs).items():
            print(f"{f'{name}, {loop}':34}{result['in_us']:8.1f}{result['out_us']:8.1f}")
            figures |= {f"{name}_{loop}_{key}": value for key, value in result.items()}
    write_figures(figures, flags.json)


if __name__ == "__main__":
    main()
