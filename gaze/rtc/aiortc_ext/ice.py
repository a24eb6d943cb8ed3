"""aioice's connection with what is missing in it: who may send what, lost peers, ports, restart.

A datagram counts only if it comes from an address whose owner has proved to know the ICE password
(RFC 8445, section 7.3: a check of the peer's was authentic, or it answered ours). All others are
dropped at once, and counted: no check of an unknown address is even parsed unless it names our user
fragment, and of these only so many a second.
"""

import asyncio
import functools
import ipaddress
import random
import struct
import time
from collections.abc import Callable
from typing import Any

from aioice import Candidate, stun
from aioice import Connection as IceConnection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import (
    CandidatePair,
    StunProtocol,
    relayed_candidate,
    server_reflexive_candidate,
)
from aiortc import RTCIceTransport

from gaze.rtc.ice.udp_transport import Network, NoPortError, bind, open_endpoint

CONSENT_INTERVAL_S = 0.5
CONSENT_EXPIRY_S = 3.0
CONSENT_RETRANSMISSIONS = 1  # so one request is waited for 1.5 s
CONSENT_FAILURES = 2
CONSENT_LONGEST_S = 30.0  # RFC 7675: media may not stand in for consent for longer

WAITING = 256  # datagrams, while nobody takes them yet
TRUSTED = 64  # addresses
CHECKS_PER_S = 50.0  # of addresses that are not trusted yet
GATHER_TIMEOUT_S = 2

Address = tuple[str, int]
Sink = Callable[[bytes, float], None]


class Consent:
    """Whether the peer still wants what it is sent (RFC 7675); told of the time.

    Its silence for 3 s ends that. Checks alone would not do: of a way that just became narrow, a
    full queue drops them for seconds, while the peer's own packets tell that it is there.
    """

    def __init__(self, now_s: float) -> None:
        self._given_s = now_s
        self._failures = 0

    def given(self, now_s: float) -> None:
        """A check was answered."""
        self._given_s = now_s
        self._failures = 0

    def failed(self) -> None:
        """A check was not answered."""
        self._failures += 1

    def expired(self, heard_s: float, now_s: float) -> bool:
        """Whether to send no more; `heard_s` is when the peer's last packet came."""
        if now_s - self._given_s >= CONSENT_LONGEST_S and self._failures >= CONSENT_FAILURES:
            return True
        silent_s = now_s - max(self._given_s, heard_s)
        # Failures count too: a stall of our own event loop is not the peer's silence.
        return silent_s >= CONSENT_EXPIRY_S and self._failures >= CONSENT_FAILURES


class Protocol(StunProtocol):
    """One socket: hands on what may come, and drops the rest."""

    receiver: "Connection"

    def datagram_received(  # type: ignore[override]
        self, data: bytes, addr: tuple[Any, ...], arrival_s: float | None = None
    ) -> None:
        """Take a datagram that came at a time (monotonic; None is now)."""
        address = addr if len(addr) == 2 else addr[:2]
        connection = self.receiver
        kind = data[0] >> 2
        if address in connection.trusted:
            if kind:  # STUN's first two bits and next four are 0 (RFC 7983)
                connection.take(data, time.monotonic() if arrival_s is None else arrival_s)
            else:
                self._take_stun(data, address)
        elif kind == 0 and self._may_be_ours(data):
            self._take_stun(data, address)
        else:
            connection.foreign += 1

    def _take_stun(self, data: bytes, address: Any) -> None:
        try:
            super().datagram_received(data, address)
        except (struct.error, KeyError):  # aioice takes an attribute's length for granted
            self.receiver.foreign += 1

    def _may_be_ours(self, data: bytes) -> bool:
        """Whether a STUN message of an unknown address is worth the work of looking into it."""
        if len(data) < 20 or data[4:8] != b"\x21\x12\xa4\x42":
            return False
        if data[0] == 1:  # a response
            return data[8:20] in self.transactions
        return self.receiver.names_us in data and self.receiver.may_check()

    def send_stun(self, message: stun.Message, addr: Address) -> None:
        """Send a STUN message; a success response tells that its receiver is authentic."""
        if message.message_class == stun.Class.RESPONSE:
            self.receiver.trust(addr)
        super().send_stun(message, addr)


class Connection(IceConnection):
    """An ICE connection that listens to its peer only, and notices soon when that is gone.

    Attributes:
        trusted: addresses whose datagrams count.
        foreign: datagrams dropped because they came from elsewhere.
        overflow: datagrams dropped because too many waited.
        sink: takes the datagrams, each with its arrival time; while there is none they wait.
        kept: go on though the peer is silent (another connection is about to take over).
        heard_s: when the peer's last datagram came.
    """

    def __init__(self, network: Network, **options: Any) -> None:
        super().__init__(**options)
        self.trusted: dict[Address, None] = {}
        self.foreign = 0
        self.overflow = 0
        self.sink: Sink | None = None
        self.kept = False
        self.heard_s = 0.0
        self.names_us = f"{self.local_username}:".encode()
        self._network = network
        self._checks_left = CHECKS_PER_S
        self._checks_s = time.monotonic()

    # --- who may send

    def trust(self, address: Address) -> None:
        """Listen to an address from now on; beyond 64 the oldest is forgotten."""
        self.trusted.setdefault(address)
        while len(self.trusted) > TRUSTED:
            del self.trusted[next(iter(self.trusted))]

    def may_check(self) -> bool:
        """Whether one more check of an unknown address is looked into now."""
        now_s = time.monotonic()
        refill = (now_s - self._checks_s) * CHECKS_PER_S
        self._checks_left = min(CHECKS_PER_S, self._checks_left + refill)
        self._checks_s = now_s
        if self._checks_left < 1:
            return False
        self._checks_left -= 1
        return True

    def check_complete(self, pair: CandidatePair) -> None:
        """Listen to who has answered a check of ours."""
        if pair.state == CandidatePair.State.SUCCEEDED:
            self.trust(pair.remote_addr)
        super().check_complete(pair)

    def take(self, data: bytes, arrival_s: float) -> None:
        """Hand on a datagram of the peer's."""
        self.heard_s = arrival_s
        if self.sink is not None:
            self.sink(data, arrival_s)
        elif self._queue.qsize() < WAITING:
            self._queue.put_nowait((data, 1))
        else:
            self.overflow += 1

    def data_received(self, data: bytes, component: int) -> None:
        """Drop what began like STUN and is not."""
        self.foreign += 1

    def end(self) -> None:
        """Tell who reads from this connection that nothing will come any more."""
        self._queue.put_nowait(None)

    def send_now(self, data: bytes) -> None:
        """Send a datagram on the nominated pair.

        Raises:
            ConnectionError: there is none.
        """
        pair = self._nominated.get(1)
        if pair is None:
            raise ConnectionError("Cannot send data, not connected")
        pair.protocol.transport.sendto(data, pair.remote_addr)

    # --- life

    async def query_consent(self) -> None:
        """Ask the peer for its consent (RFC 7675), and close when it was silent for 3 s.

        Faster than aioice, which takes half a minute; a peer that stalls for 2 s is kept.
        """
        consent = Consent(time.monotonic())
        asking: set[asyncio.Task[None]] = set()

        async def ask(pair: CandidatePair) -> None:
            assert self.remote_password is not None
            try:
                await pair.protocol.request(
                    self.build_request(pair, nominate=False),
                    pair.remote_addr,
                    integrity_key=self.remote_password.encode(),
                    retransmissions=CONSENT_RETRANSMISSIONS,
                )
            except stun.TransactionError:
                consent.failed()
            else:
                consent.given(time.monotonic())

        try:
            while True:
                await asyncio.sleep(CONSENT_INTERVAL_S * random.uniform(0.8, 1.2))
                if consent.expired(self.heard_s, time.monotonic()) and not self.kept:
                    break
                for pair in list(self._nominated.values()):
                    task = asyncio.create_task(ask(pair))
                    asking.add(task)
                    task.add_done_callback(asking.discard)
        finally:
            for task in asking:
                task.cancel()
        self._query_consent_task = None
        await self.close()

    async def replacement(self) -> "Connection":
        """A fresh connection to the same peer for an ICE restart, with its candidates gathered.

        Raises:
            NoPortError: there is no port for it.
        """
        fresh = Connection(
            self._network,
            ice_controlling=self.ice_controlling,
            stun_server=self.stun_server,
            turn_server=self.turn_server,
            turn_username=self.turn_username,
            turn_password=self.turn_password,
            turn_ssl=self.turn_ssl,
            turn_transport=self.turn_transport,
            use_ipv4=self._use_ipv4,
            use_ipv6=self._use_ipv6,
            transport_policy=self._transport_policy,
        )
        fresh.remote_is_lite = self.remote_is_lite
        await fresh.gather_candidates()
        return fresh

    # --- gathering

    async def get_component_candidates(
        self,
        component: int,
        addresses: list[str],
        timeout: int = GATHER_TIMEOUT_S,  # noqa: ASYNC109
    ) -> list[Candidate]:
        """Candidates on this machine's addresses and, where they are given, by STUN and TURN.

        On the loopback address where there is no other, which aioice always leaves out.

        Raises:
            NoPortError: every port that may be used is in use.
        """
        hosts: list[Protocol] = []
        for address in addresses or ["127.0.0.1"]:
            try:
                opened = bind(address, self._network.udp_ports)
            except NoPortError:
                for protocol in hosts:
                    await protocol.close()
                raise
            except OSError:
                continue  # the address has gone, or cannot be bound (tentative IPv6)
            protocol = Protocol(self)
            await open_endpoint(opened, protocol)
            public = self._public(address)
            protocol.local_candidate = Candidate(
                foundation=candidate_foundation("host", "udp", address),
                component=component,
                transport="udp",
                priority=candidate_priority(component, "host"),
                host=public,
                port=opened.getsockname()[1],
                type="host",
            )
            hosts.append(protocol)
        self._protocols += hosts
        candidates = [protocol.local_candidate for protocol in hosts]
        asking = self._ask_servers(component, hosts)
        if asking:
            done, pending = await asyncio.wait(asking, timeout=timeout)
            for task in pending:
                task.cancel()
            for task in done:
                if task.exception() is None:
                    candidate, relay = task.result()
                    candidates.append(candidate)
                    if relay is not None:
                        self._protocols.append(relay)
        return candidates

    def _ask_servers(self, component: int, hosts: list[Protocol]) -> list[asyncio.Task[Any]]:
        asking: list[asyncio.Task[Any]] = []
        if self.stun_server:
            for protocol in hosts:
                if ipaddress.ip_address(protocol.local_candidate.host).version == 4:
                    ask = server_reflexive_candidate(protocol, self.stun_server)
                    asking.append(asyncio.create_task(ask))
        if self.turn_server:
            relay = relayed_candidate(
                component=component,
                hide_related_address=False,
                protocol_factory=lambda: Protocol(self),
                turn_server=self.turn_server,
                turn_username=self.turn_username,
                turn_password=self.turn_password,
                turn_ssl=self.turn_ssl,
                turn_transport=self.turn_transport,
            )
            asking.append(asyncio.create_task(relay))
        return asking

    def _public(self, address: str) -> str:
        """What a machine's own address is outside."""
        version = ipaddress.ip_address(address).version
        for public in self._network.public_addresses:
            if ipaddress.ip_address(public).version == version:
                return public
        return address


def install(ice: RTCIceTransport, network: Network) -> None:
    """Let an ICE transport of aiortc's that has not begun use our connection."""
    stock = ice._connection
    connection = Connection(
        network,
        ice_controlling=stock.ice_controlling,
        stun_server=stock.stun_server,
        turn_server=stock.turn_server,
        turn_username=stock.turn_username,
        turn_password=stock.turn_password,
        turn_ssl=stock.turn_ssl,
        turn_transport=stock.turn_transport,
        local_username=stock.local_username,
        local_password=stock.local_password,
        transport_policy=stock._transport_policy,
    )
    use(ice, connection)
    ice._monitor = functools.partial(_monitor, ice)  # type: ignore[method-assign]


def use(ice: RTCIceTransport, connection: Connection) -> None:
    """Let an ICE transport send and receive over a connection from now on."""
    ice._connection = ice.iceGatherer._connection = connection
    ice._recv, ice._send = connection.recv, connection.send


def connection_of(ice: RTCIceTransport) -> Connection:
    """The connection that an ICE transport uses now."""
    connection = ice._connection
    assert isinstance(connection, Connection)
    return connection


async def _monitor(ice: RTCIceTransport) -> None:
    """Notice the end of the connection, unless another one has taken its place."""
    while True:
        connection = ice._connection
        await connection.get_event()
        if connection is ice._connection:
            if ice.state == "completed":
                private: Any = ice
                private._RTCIceTransport__setState("failed")
            return
