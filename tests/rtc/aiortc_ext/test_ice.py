"""The ICE connection: who is listened to, restarts, lost peers, ports and addresses."""

import asyncio
import os
import re
import socket
import struct
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path
from statistics import median
from typing import Any

import aioice
import pytest
from aioice import stun
from aioice.ice import CandidatePair
from aiortc import AudioStreamTrack
from aiortc.contrib.media import MediaBlackhole
from aiortc.rtcicetransport import candidate_to_aioice

from gaze.base.allocator import give_back
from gaze.rtc.aiortc_ext import ice, ice_transport
from gaze.rtc.ice import consent
from gaze.rtc.ice.udp_transport import Network, NoPortError
from gaze.rtc.peer import Limits, Peer
from gaze.rtc.sdp import ice_fragment
from gaze.rtc.sdp.offer import read_offer
from simulation.clients.rtc_client import Client, Grey

PATIENCE_S = 20.0
FLOOD = 100_000
FLOOD_PER_S = 5_000
MAX_GROWTH_BYTES = 5_000_000
MEDIA = "m=video 9 UDP/TLS/RTP/SAVPF 96"


@pytest.fixture
async def peer() -> AsyncIterator[Peer]:
    made = Peer()
    yield made
    await made.close()


async def connect(peer: Peer, client: Client) -> None:
    arrived = asyncio.Event()
    peer.on_state = lambda state: arrived.set()
    answer = await peer.answer(
        read_offer(await client.offer(), Client.ROLES, hosted=False), Grey(150), AudioStreamTrack()
    )
    await client.accept(answer)
    await asyncio.wait_for(arrived.wait(), PATIENCE_S)
    assert peer.state == "connected"


def connection_of(peer: Peer) -> ice.Connection:
    return peer._connection.transport.ice.negotiated


async def frames(peer: Peer, count: int) -> None:
    assert peer.film is not None
    async with asyncio.timeout(PATIENCE_S):
        for _ in range(count):
            await peer.film.get()


def resident_bytes() -> int:
    """How much memory this process has once all that is free was given back."""
    give_back()
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGESIZE")


def foreign_packets(connection: ice.Connection) -> list[bytes]:
    """What a stranger who saw everything but the password could send."""
    binding = stun.Message(stun.Method.BINDING, stun.Class.REQUEST)
    binding.attributes["USERNAME"] = f"{connection.local_username}:abcd"
    binding.attributes["PRIORITY"] = 1
    binding.add_message_integrity(b"a wrong password")
    response = stun.Message(stun.Method.BINDING, stun.Class.RESPONSE)
    response.attributes["XOR-MAPPED-ADDRESS"] = ("127.0.0.1", 1)
    short = struct.pack("!HHI12sHH", 1, 8, 0x2112A442, os.urandom(12), 0x24, 1) + b"\0" * 4
    client_hello = b"\x16\xfe\xff" + bytes(8) + b"\x00\x40\x01" + os.urandom(63)
    rtp = b"\x80\x60" + os.urandom(1100)
    rtcp = b"\x80\xc8\x00\x06" + os.urandom(40)
    noise = [os.urandom(size) for size in (1, 15, 200, 1400)]
    return [
        *(bytes(binding), bytes(response), b"\0\1\0\0\x21\x12\xa4\x42" + bytes(12), short),
        *(client_hello, rtp, rtcp, *noise),
    ]


async def test_the_peers_packets_tell_that_it_is_there(peer: Peer) -> None:
    async with Client() as client:
        await connect(peer, client)
        before_s = asyncio.get_running_loop().time()
        await frames(peer, 5)
        assert connection_of(peer).heard_s > before_s


async def test_nothing_from_elsewhere_reaches_dtls_or_srtp(peer: Peer) -> None:
    async with Client() as client:
        await connect(peer, client)
        await frames(peer, 5)
        connection = connection_of(peer)
        packets = foreign_packets(connection)
        taken: list[bytes] = []
        take = connection.sink
        assert take is not None and peer.film is not None

        def spy(data: bytes, arrival_s: float) -> None:
            if data in packets:
                taken.append(data)
            take(data, arrival_s)

        connection.sink = spy
        targets = [(c.host, c.port) for c in connection.local_candidates if ":" not in c.host]
        seen = []
        sink = MediaBlackhole()  # else the client keeps all that comes
        for track in client.tracks:
            sink.addTrack(track)
        await sink.start()
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as stranger:
            for number in range(FLOOD):
                stranger.sendto(packets[number % len(packets)], targets[number % len(targets)])
                if number % 50 == 49:
                    await asyncio.sleep(50 / FLOOD_PER_S)
                if number % 10_000 == 9_999:
                    await frames(peer, 1)
                    seen.append((peer.film.received, resident_bytes()))
        await frames(peer, 10)
        await sink.stop()
        assert connection.foreign > 0.8 * FLOOD
        assert not taken
        assert peer._connection.transport.ice.overflow == 0
        assert all(later > earlier for (earlier, _), (later, _) in pairwise(seen))
        # Medians of both halves: the allocator of a long test run may jump, a leak only climbs.
        first, second = (median(held for _, held in half) for half in (seen[:5], seen[5:]))
        assert second - first < MAX_GROWTH_BYTES
        assert peer.state == "connected"
        assert peer.stats()["in"]["film"]["frames_lost"] == 0
        assert len(connection.trusted) <= len(client.ice.local_candidates)


async def test_checks_of_strangers_are_looked_into_only_so_often() -> None:
    connection = ice.Connection(Network(), ice_controlling=False)
    looked = sum(connection.may_check() for _ in range(10_000))
    assert ice.CHECKS_PER_S <= looked < 10 * ice.CHECKS_PER_S


async def test_what_waits_before_the_handshake_is_bounded() -> None:
    transport = ice_transport.IceTransport(
        [], Network(), lambda data, arrival_s: None, lambda: None
    )
    for _ in range(ice_transport.MAX_WAITING_DATAGRAMS + 10):
        transport.in_use.take(b"\x16", 0.0)
    assert transport.overflow == 10
    assert await transport._recv() == b"\x16"
    await transport.close()


async def test_dtls_and_srtp_are_told_apart_by_their_first_byte() -> None:
    srtp: list[bytes] = []
    transport = ice_transport.IceTransport(
        [], Network(), lambda data, arrival_s: srtp.append(data), lambda: None
    )
    for first in range(256):
        transport.in_use.take(bytes([first]), 0.0)
    dtls = [await transport._recv() for _ in range(20, 64)]
    assert [data[0] for data in dtls] == list(range(20, 64))  # RFC 7983
    assert [data[0] for data in srtp] == list(range(128, 192))
    await transport.close()
    with pytest.raises(ConnectionError, match="has closed"):
        await transport._recv()


async def test_a_lost_turn_server_ends_the_transport_only_if_it_was_in_use() -> None:
    failed: list[bool] = []
    transport = ice_transport.IceTransport(
        [], Network(), lambda data, arrival_s: None, lambda: failed.append(True)
    )
    connection = transport.in_use
    used, other = ice.Protocol(connection), ice.Protocol(connection)
    candidate = aioice.Candidate("1", 1, "udp", 1, "127.0.0.1", 9, "relay")
    connection.selected = CandidatePair(used, candidate)
    connection.protocol_lost(other)
    assert not failed
    connection.protocol_lost(used)
    assert failed == [True]
    with pytest.raises(ConnectionError):
        transport.send_now(b"data")
    await transport.close()


async def test_a_socket_that_does_not_close_is_aborted_in_time(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "CLOSE_TIMEOUT_S", 0.1)
    connection = ice.Connection(Network(), ice_controlling=False)
    await connection.get_component_candidates(1, ["127.0.0.1"])
    (protocol,) = connection._protocols
    monkeypatch.setattr(protocol, "close", asyncio.Event().wait)
    async with asyncio.timeout(PATIENCE_S):
        await connection.close()
    assert protocol.transport.is_closing() and not connection._protocols


async def test_only_so_many_addresses_are_trusted() -> None:
    connection = ice.Connection(Network(), ice_controlling=False)
    for port in range(1000):
        connection.trust(("127.0.0.1", port))
    assert len(connection.trusted) == ice.MAX_TRUSTED_ADDRESSES
    assert ("127.0.0.1", 999) in connection.trusted


async def pair(**network: Any) -> tuple[ice.Connection, aioice.Connection]:
    """Two connected ends on this machine: ours, and stock as the controlling one."""
    ours = ice.Connection(Network(**network), ice_controlling=False)
    stock = aioice.Connection(ice_controlling=True)
    await asyncio.gather(ours.gather_candidates(), stock.gather_candidates())
    for one, other in ((ours, stock), (stock, ours)):
        one.remote_username, one.remote_password = other.local_username, other.local_password
        for candidate in other.local_candidates:
            await one.add_remote_candidate(candidate)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(ours.connect(), stock.connect())
    return ours, stock


async def test_a_peer_that_falls_silent_is_given_up_and_one_that_stalls_is_not(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(ice, "CONSENT_INTERVAL_S", 0.05)
    ours, stock = await pair()
    answer = stock.request_received
    monkeypatch.setattr(stock, "request_received", lambda *_: None)
    monkeypatch.setattr(consent, "CONSENT_EXPIRY_S", 30.0)
    await asyncio.sleep(1.0)
    monkeypatch.setattr(stock, "request_received", answer)
    monkeypatch.setattr(consent, "CONSENT_EXPIRY_S", 1.0)
    await asyncio.sleep(1.5)
    assert ours.selected is not None
    monkeypatch.setattr(stock, "request_received", lambda *_: None)
    async with asyncio.timeout(PATIENCE_S):
        await ours.get_event()
    assert ours.selected is None
    await stock.close()


async def test_ipv6_candidates_connect() -> None:
    ours = ice.Connection(Network(), ice_controlling=False)
    stock = aioice.Connection(ice_controlling=True)
    mine = await ours.get_component_candidates(1, ["::1"])
    theirs = await stock.get_component_candidates(1, ["::1"])
    ours._local_candidates, stock._local_candidates = mine, theirs
    for one, other in ((ours, stock), (stock, ours)):
        one._local_candidates_end = True
        one.remote_username, one.remote_password = other.local_username, other.local_password
        for candidate in other.local_candidates:
            await one.add_remote_candidate(candidate)
    received: asyncio.Queue[bytes] = asyncio.Queue()
    ours.sink = lambda data, arrival_s: received.put_nowait(data)
    async with asyncio.timeout(PATIENCE_S):
        await asyncio.gather(ours.connect(), stock.connect())
        await stock.send(b"\x80hello")
        assert await asyncio.wait_for(received.get(), PATIENCE_S) == b"\x80hello"
        ours.send_now(b"\x80welcome")
        assert await stock.recv() == b"\x80welcome"
    await asyncio.gather(ours.close(), stock.close())


async def test_ports_and_the_public_address_are_those_of_the_settings() -> None:
    first = 42_000
    network = Network((first, first + 40), ("203.0.113.7", "2001:db8::7"))
    async with Client() as client:
        peer = Peer(Limits(network=network))
        answer = await peer.answer(
            read_offer(await client.offer(), Client.ROLES, hosted=False),
            Grey(1),
            AudioStreamTrack(),
        )
        found = re.findall(r"^a=candidate:\S+ 1 udp \d+ (\S+) (\d+) typ (\w+)", answer, re.M)
        await peer.close()
    assert found
    assert {host for host, _, _ in found} <= {"203.0.113.7", "2001:db8::7"}
    assert all(first <= int(port) <= first + 40 for _, port, _ in found)
    assert {kind for _, _, kind in found} == {"host"}


async def test_without_a_free_port_there_is_no_answer() -> None:
    blocked = [socket.socket(family, socket.SOCK_DGRAM) for family in (2, 10)]
    blocked[0].bind(("0.0.0.0", 0))
    port = blocked[0].getsockname()[1]
    async with Client() as client:
        peer = Peer(Limits(network=Network((port, port))))
        with pytest.raises(NoPortError, match=f"no UDP port from {port} to {port} is free"):
            await peer.answer(
                read_offer(await client.offer(), Client.ROLES, hosted=False),
                Grey(1),
                AudioStreamTrack(),
            )
        await peer.close()
    for opened in blocked:
        opened.close()


# Restart


class Restart:
    """A stock aiortc client's side of an ICE restart, which aiortc itself has not."""

    def __init__(self, client: Client) -> None:
        self._transport = client.transport.transport
        self._old = client.ice
        self.fresh = aioice.Connection(ice_controlling=True)
        self.fresh._queue = self._old._queue  # who waits there goes on

    async def fragment(self, *, candidates: bool = True) -> str:
        await self.fresh.gather_candidates()
        told = [c.to_sdp() for c in self.fresh.local_candidates] if candidates else []
        return ice_fragment.write(
            self.fresh.local_username, self.fresh.local_password, MEDIA, "0", told
        )

    async def finish(self, answer: str) -> None:
        read = ice_fragment.parse(answer)
        self.fresh.remote_username, self.fresh.remote_password = read.ufrag, read.pwd
        for candidate in read.candidates:
            await self.fresh.add_remote_candidate(candidate_to_aioice(candidate))
        await asyncio.wait_for(self.fresh.connect(), PATIENCE_S)
        self._transport._connection = self.fresh
        self._transport._send, self._transport._recv = self.fresh.send, self.fresh.recv
        # Who listens to the old connection listens to the fresh one from now on.
        self.fresh._event_waiter, self._old._event_waiter = self._old._event_waiter, None
        self._old._queue = asyncio.Queue()
        await self._old.close()


async def restarted(peer: Peer, count: int) -> None:
    async with asyncio.timeout(PATIENCE_S):
        while peer.stats()["ice"]["restarts"] < count:
            await asyncio.sleep(0.02)


async def test_after_a_restart_media_goes_on_over_new_sockets(peer: Peer) -> None:
    async with Client() as client:
        await connect(peer, client)
        await frames(peer, 5)
        for count in (1, 2):
            etag, old = peer.etag, connection_of(peer)
            restart = Restart(client)
            answer = await peer.restart_ice(await restart.fragment())
            assert peer.etag != etag
            await restart.finish(answer)
            await restarted(peer, count)
            assert connection_of(peer) is not old
            async with asyncio.timeout(PATIENCE_S):
                while old._protocols:
                    await asyncio.sleep(0.02)
            await frames(peer, 10)
            film = next(track for track in client.tracks if track.kind == "video")
            for _ in range(3):
                await asyncio.wait_for(film.recv(), PATIENCE_S)
            assert peer.state == "connected"


async def test_candidates_trickled_after_a_restart_belong_to_it(peer: Peer) -> None:
    async with Client() as client:
        await connect(peer, client)
        restart = Restart(client)
        answer = await peer.restart_ice(await restart.fragment(candidates=False))
        await peer.add_candidates(await restart.fragment())
        fresh = connection_of(peer)
        await asyncio.sleep(0)
        assert len(fresh.remote_candidates) == len(restart.fresh.local_candidates)
        await restart.finish(answer)
        await restarted(peer, 1)
        await frames(peer, 3)


async def test_a_restart_that_fails_leaves_the_old_path(
    peer: Peer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(ice_transport, "RESTART_TIMEOUT_S", 0.3)
    async with Client() as client:
        await connect(peer, client)
        etag, old = peer.etag, connection_of(peer)
        restart = Restart(client)
        await peer.restart_ice(await restart.fragment(candidates=False))
        fresh = connection_of(peer)
        async with asyncio.timeout(PATIENCE_S):
            while connection_of(peer) is not old:
                await asyncio.sleep(0.02)
        assert not fresh._protocols
        assert (peer.etag, peer.state, old.kept) == (etag, "connected", False)
        await frames(peer, 5)
        await restart.fresh.close()


async def test_a_restart_may_be_begun_anew_and_ends_with_the_peer(peer: Peer) -> None:
    async with Client() as client:
        await connect(peer, client)
        attempts = [Restart(client), Restart(client)]
        for attempt in attempts:
            await peer.restart_ice(await attempt.fragment())
        fresh = connection_of(peer)
        await peer.close()
        assert fresh._closed
        for attempt in attempts:
            await attempt.fresh.close()


@pytest.mark.parametrize(
    ("fragment", "message"),
    [
        ("a=ice-ufrag:abcd", "needs a=ice-ufrag and a=ice-pwd"),
        ("a=ice-ufrag:ab\na=ice-pwd:1234567890123456789012", "4 to 256"),
        ("a=ice-ufrag:{ufrag}\na=ice-pwd:{pwd}", "new a=ice-ufrag"),
        ("a=ice-ufrag:abcde\na=ice-pwd:1234567890123456789012\na=mid:9\na=end-of-candidates", "9"),
    ],
)
async def test_a_wrong_fragment_restarts_nothing(peer: Peer, fragment: str, message: str) -> None:
    async with Client() as client:
        await connect(peer, client)
        etag = peer.etag
        wrong = fragment.format(ufrag=client.ice.local_username, pwd=client.ice.local_password)
        with pytest.raises(ValueError, match=message):
            await peer.restart_ice(wrong)
        assert peer.etag == etag


async def test_what_is_not_connected_cannot_be_restarted(peer: Peer) -> None:
    async with Client() as client:
        await peer.answer(
            read_offer(await client.offer(), Client.ROLES, hosted=False),
            Grey(1),
            AudioStreamTrack(),
        )
        with pytest.raises(ConnectionError, match="no connection"):
            await peer.restart_ice("a=ice-ufrag:abcde\na=ice-pwd:1234567890123456789012")
