"""Closing a peer: what the browser receives, and that it ends whatever its parts do."""

import asyncio
import contextlib
import gc
import logging
import os
import re
import struct
import threading
from collections.abc import AsyncIterator, Callable
from typing import Any

import aioice
import av
import pytest
from aiortc import AudioStreamTrack, MediaStreamTrack, RTCDtlsTransport, RTCSctpTransport
from aiortc.rtp import (
    RtcpByePacket,
    RtcpPacket,
    RtcpRrPacket,
    RtcpSdesPacket,
    RtpPacket,
    pack_header_extensions,
)

from gaze.rtc.aiortc_ext import ice_transport
from gaze.rtc.codecs.decoder import VideoDecoder
from gaze.rtc.congestion.transmitter import Transmitter
from gaze.rtc.peer import Peer
from gaze.rtc.sdp.offer import read_offer
from gaze.rtc.streams.receiver import MAX_REPORT_BLOCKS
from simulation.clients.rtc_client import Client, Grey

PATIENCE_S = 20.0
CLOSE_S = 5.0  # the limit that `Peer.close` guarantees


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    yield made
    await made.close()


async def connect(peer: Peer, client: Client, film: MediaStreamTrack | None = None) -> str:
    arrived = asyncio.Event()
    peer.on_state = lambda state: arrived.set()
    answer = await peer.answer(
        read_offer(await client.offer(), Client.ROLES, hosted=False),
        film or Grey(150),
        AudioStreamTrack(),
    )
    await client.accept(answer)
    await asyncio.wait_for(arrived.wait(), PATIENCE_S)
    assert peer.state == "connected" and peer.film is not None
    await asyncio.wait_for(peer.film.get(), PATIENCE_S)
    return answer


def sockets(peer: Peer) -> list[Any]:
    """The transports of the sockets that the peer has open now."""
    return [one.transport for one in peer._connection.transport.ice.in_use._protocols]


async def close_in_time(peer: Peer) -> None:
    opened = sockets(peer)
    assert opened
    async with asyncio.timeout(CLOSE_S):
        await peer.close()
    assert peer.state == "closed"
    assert all(transport.is_closing() for transport in opened)


async def test_closing_says_goodbye_for_every_stream_and_ends_dtls(peer: Peer) -> None:
    async with Client() as client:
        client.record_rtcp()
        answer = await connect(peer, client)
        declared = {int(ssrc) for ssrc in re.findall(r"^a=ssrc:(\d+) ", answer, re.M)}
        camera = re.search(r"^a=ssrc-group:FID (\d+) (\d+)", answer, re.M)
        assert camera is not None
        await peer.close()
        async with asyncio.timeout(PATIENCE_S):
            while client.transport.state != "closed":  # by close_notify: ICE takes half a minute
                await asyncio.sleep(0.01)
        compounds = [RtcpPacket.parse(data) for data in client.rtcp if data[1] in (200, 201)]
        last = next(one for one in compounds if isinstance(one[-1], RtcpByePacket))
        assert isinstance(last[0], RtcpRrPacket) and isinstance(last[1], RtcpSdesPacket)
        gone = {ssrc for one in last if isinstance(one, RtcpByePacket) for ssrc in one.sources}
        # The camera's section sends nothing but reports, so it has no retransmissions.
        assert gone == declared - {int(camera[2])}
        assert compounds[-1] is last


async def test_a_client_that_hears_nothing_does_not_hold_up_closing(peer: Peer) -> None:
    async with Client() as client:
        await connect(peer, client)
        for protocol in client.ice._protocols:
            protocol.transport.sendto = lambda *_: None
            protocol.datagram_received = lambda *_: None
        await close_in_time(peer)


async def test_a_client_in_the_middle_of_the_handshake_does_not_hold_up_closing() -> None:
    peer = Peer()
    async with Client() as client:
        answer = await peer.answer(read_offer(await client.offer(), Client.ROLES, hosted=False))
        client.transport._do_handshake = asyncio.Event().wait  # ICE connects, DTLS never does
        await client.accept(answer)
        async with asyncio.timeout(PATIENCE_S):
            while peer._connection.transport.dtls.state != "connecting":
                await asyncio.sleep(0.01)
        await close_in_time(peer)


async def test_closing_twice_at_once_or_being_cancelled_does_no_harm() -> None:
    peer = Peer()
    states: list[str] = []
    async with Client() as client:
        await connect(peer, client)
        peer.on_state = states.append
        opened = sockets(peer)
        first = asyncio.create_task(peer.close())
        await asyncio.sleep(0)
        first.cancel()
        async with asyncio.timeout(CLOSE_S):
            await asyncio.gather(peer.close(), peer.close())
        assert states == ["closed"]
        assert all(transport.is_closing() for transport in opened)
        with contextlib.suppress(asyncio.CancelledError):
            await first


class Film(Grey):
    """A film of its own class, so that its methods can be replaced without the client's."""


def raises(*_: Any, **__: Any) -> Any:
    raise RuntimeError("a part has failed")


async def raises_later(*_: Any, **__: Any) -> Any:
    await asyncio.sleep(0)
    raise RuntimeError("a part has failed")


@pytest.mark.parametrize(
    ("owner", "name", "instead"),
    [
        (Transmitter, "close", raises_later),
        (RTCSctpTransport, "stop", raises_later),
        (RTCDtlsTransport, "stop", raises_later),
        (aioice.Connection, "close", raises_later),
        (ice_transport.IceTransport, "close", raises_later),
        (Film, "stop", raises),
        (VideoDecoder, "decode", raises),
    ],
)
async def test_closing_ends_whatever_its_parts_raise(
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    owner: type,
    name: str,
    instead: Callable[..., Any],
) -> None:
    threads = {thread for thread in threading.enumerate() if "decoder" in thread.name}
    peer = Peer()
    client = Client()
    await connect(peer, client, Film(150))
    with monkeypatch.context() as patch:
        patch.setattr(owner, name, instead)
        await asyncio.sleep(0.1)
        await close_in_time(peer)
    assert "a part has failed" in caplog.text
    await client.connection.close()
    left = {one for one in threading.enumerate() if "video-decoder" in one.name} - threads
    assert {one for one in left if one.is_alive() and one.daemon} == set()


async def test_closing_ends_though_parts_never_do(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """All at once: each has its time limit, and together they keep to the whole one."""
    let_go = asyncio.Event()

    async def hangs(*_: Any, **__: Any) -> Any:
        while not let_go.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await let_go.wait()

    peer = Peer()
    client = Client()
    await connect(peer, client)
    with monkeypatch.context() as patch:
        for owner, name in (
            (Transmitter, "close"),
            (RTCSctpTransport, "stop"),
            (RTCDtlsTransport, "stop"),
            (aioice.Connection, "close"),
        ):
            patch.setattr(owner, name, hangs)
        await close_in_time(peer)
    assert caplog.text.count("it is left behind") >= 3
    let_go.set()
    await client.connection.close()
    await asyncio.sleep(0)


async def test_a_decoder_that_hangs_is_left_behind(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    may_end = threading.Event()

    def hang(*_: Any) -> list[av.VideoFrame]:
        may_end.wait(PATIENCE_S)
        return []

    peer = Peer()
    async with Client() as client:
        await connect(peer, client)
        monkeypatch.setattr(VideoDecoder, "decode", hang)
        await asyncio.sleep(0.2)
        await close_in_time(peer)
    assert "a decoder did not end" in caplog.text
    may_end.set()


async def test_a_listener_that_raises_is_logged_and_closing_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    peer = Peer()
    async with Client() as client:
        await connect(peer, client)
        peer.on_state = raises
        await close_in_time(peer)
    assert "a part has failed" in caplog.text


async def test_a_film_that_fails_ends_the_connection(
    peer: Peer, caplog: pytest.LogCaptureFixture
) -> None:
    class Burning(Grey):
        async def recv(self) -> av.VideoFrame:
            if self.readyState == "live" and burning.is_set():
                raise RuntimeError("the film has burnt")
            return await super().recv()

    burning, lost = asyncio.Event(), asyncio.Event()
    async with Client() as client:
        await connect(peer, client, Burning(150))
        peer.on_state = lambda state: lost.set() if state == "lost" else None
        burning.set()
        await asyncio.wait_for(lost.wait(), PATIENCE_S)
    assert caplog.text.count("RuntimeError: the film has burnt\n") == 1


# Hostile packets


def rtp(client: Client, ssrc: int, number: int) -> RtpPacket:
    """A packet of the camera."""
    transceiver = client.connection.getTransceivers()[0]
    payload_type = transceiver._codecs[0].payloadType
    assert payload_type is not None
    packet = RtpPacket(payload_type, 1, number, 0, ssrc, b"\x10\0\0\0")
    packet.extensions.mid = "0"
    return packet


async def test_malformed_header_extensions_are_dropped_and_counted_without_a_traceback(
    peer: Peer,
) -> None:
    errors: list[Any] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: errors.append(told))
    async with Client() as client:
        await connect(peer, client)
        transport = peer._connection.transport
        assert transport.malformed == 0
        good = rtp(client, 99, 1).serialize(client.transport._rtp_header_extensions_map)
        payload = good[16 + 4 * struct.unpack_from("!H", good, 14)[0] :]
        wrong = [
            [(1, b"\xff\xfe")],  # a mid that is no UTF-8
            [(1, b"0"), (3, b"1234")],  # a send time of four bytes
            [(3, b"1" * 16)],
            [(3, b"1" * 17)],  # in the two-byte form
        ]
        send = []
        for values in wrong:
            profile, block = pack_header_extensions(values)
            head = struct.pack("!HH", profile, len(block) // 4)
            send.append(good[:12] + head + block + payload)
        send.append(good[:12] + struct.pack("!HH", 0xBEDE, 1) + b"\x00\x00\x00\x1f" + payload)
        for data in send:
            await client.transport._send_rtp(data)
        async with asyncio.timeout(PATIENCE_S):
            while transport.malformed < len(send):
                await asyncio.sleep(0.01)
        assert peer.film is not None
        await asyncio.wait_for(peer.film.get(), PATIENCE_S)
        assert peer.state == "connected"
    gc.collect()
    assert errors == []


async def test_malformed_rtcp_is_dropped_and_counted(peer: Peer) -> None:
    async with Client() as client:
        await connect(peer, client)
        transport = peer._connection.transport
        remb = b"\x8f\xce\x00\x05" + struct.pack("!LL", 1, 0) + b"REMB\xff\0\0\1"
        for data in (remb + bytes(4), b"\x81\xc9\x00\x01\0\0\0\1", b"\x8f\xce\x00\x01\0\0\0\1"):
            await client.transport._send_rtp(data)
        async with asyncio.timeout(PATIENCE_S):
            while transport.malformed < 3:
                await asyncio.sleep(0.01)
        assert peer.state == "connected"


async def test_a_sender_of_very_many_ssrcs_neither_fills_memory_nor_holds_up_closing() -> None:
    peer = Peer()
    async with Client() as client:
        client.record_rtcp()
        await connect(peer, client)
        extensions = client.transport._rtp_header_extensions_map
        for ssrc in range(1000, 1400):
            await client.transport._send_rtp(rtp(client, ssrc, 1).serialize(extensions))
            if ssrc % 20 == 0:
                await asyncio.sleep(0)
        client.rtcp.clear()
        async with asyncio.timeout(PATIENCE_S):
            blocks: list[int] = []
            while sum(blocks) < 40:
                await asyncio.sleep(0.1)
                blocks = [
                    len(packet.reports)
                    for data in client.rtcp
                    if data[1] == 201
                    for packet in RtcpPacket.parse(data)
                    if isinstance(packet, RtcpRrPacket)
                ]
        assert max(blocks) <= MAX_REPORT_BLOCKS
        camera = peer._connection.sections[0].receiver
        assert camera is not None and len(camera._statistics) < 100
        await close_in_time(peer)


@pytest.mark.skipif(not os.path.exists("/proc/self/fd"), reason="counts open files by /proc")  # noqa: PTH110
async def test_a_peer_that_nobody_answers_leaves_no_socket() -> None:
    logging.getLogger("aioice").setLevel(logging.WARNING)
    before = len(os.listdir("/proc/self/fd"))  # noqa: PTH208
    peer = Peer()
    async with Client() as client:
        await peer.answer(
            read_offer(await client.offer(), Client.ROLES, hosted=False),
            Grey(150),
            AudioStreamTrack(),
        )
        await close_in_time(peer)
    gc.collect()
    assert len(os.listdir("/proc/self/fd")) <= before  # noqa: PTH208
