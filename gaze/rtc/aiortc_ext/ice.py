"""ICE on aioice: its connection with what is missing in it.

A datagram counts only if it comes from an address whose owner has proved to know the ICE password
(RFC 8445, section 7.3: a check of the peer's was authentic, or it answered ours). All others are
dropped at once and counted: no check of an unknown address is parsed unless it names our user
fragment, and of these only so many a second.
"""

import asyncio
import contextlib
import ipaddress
import random
import struct
import time
from collections.abc import Callable
from typing import Any

from aioice import Candidate, stun
from aioice import Connection as AioiceConnection
from aioice.candidate import candidate_foundation, candidate_priority
from aioice.ice import (
    CandidatePair,
    StunProtocol,
    relayed_candidate,
    server_reflexive_candidate,
)

from gaze.rtc.ice.consent import Consent
from gaze.rtc.ice.udp_transport import Network, NoPortError, bind, open_endpoint

CONSENT_INTERVAL_S = 0.5  # chosen by hand; no benchmark covers it (RFC 7675 has 5 s)
CONSENT_RETRANSMISSIONS = 1  # so one request is waited for 1.5 s

MAX_TRUSTED_ADDRESSES = 64
CHECKS_PER_S = 50.0  # of addresses that are not trusted yet
GATHER_TIMEOUT_S = 2  # for STUN and TURN servers
CLOSE_TIMEOUT_S = 1.5

Address = tuple[str, int]
Sink = Callable[[bytes, float], None]


class Protocol(StunProtocol):
    """One socket of a connection: hands on what may come, and drops the rest."""

    receiver: "Connection"

    def datagram_received(  # type: ignore[override]
        self, data: bytes, addr: tuple[Any, ...], arrival_s: float | None = None
    ) -> None:
        """Take a datagram.

        Parameters
        ----------
        data : bytes
            The datagram, not empty.
        addr : tuple
            Where it came from, with two or (IPv6) four items.
        arrival_s : float, optional
            Monotonic time of its arrival; now if not given.
        """
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

    def _take_stun(self, data: bytes, address: Any) -> None:  # noqa: ANN401 - as aioice has it
        try:
            super().datagram_received(data, address)
        except (struct.error, KeyError):  # aioice takes an attribute's length for granted
            self.receiver.foreign += 1

    def _may_be_ours(self, data: bytes) -> bool:
        """Return whether a STUN message of an unknown address is worth parsing."""
        if len(data) < 20 or data[4:8] != b"\x21\x12\xa4\x42":
            return False
        if data[0] == 1:  # a response
            return data[8:20] in self.transactions
        return self.receiver.user_prefix in data and self.receiver.may_check()

    def send_stun(self, message: stun.Message, addr: Address) -> None:
        """Send a STUN message; a success response shows that its receiver is authentic.

        Parameters
        ----------
        message : aioice.stun.Message
            The message.
        addr : tuple of str and int
            Where it goes.
        """
        if message.message_class == stun.Class.RESPONSE:
            self.receiver.trust(addr)
        super().send_stun(message, addr)


class Connection(AioiceConnection):
    """An ICE connection that listens to its peer only, and notices soon when that is gone.

    Parameters
    ----------
    network : Network
        UDP ports and public addresses of this machine.
    **options
        Of `aioice.Connection`.

    Attributes
    ----------
    trusted : dict
        Addresses whose datagrams count, as keys, the oldest first.
    foreign : int
        Datagrams dropped because they came from elsewhere.
    sink : callable
        Takes the peer's datagrams, each with its arrival time.
    on_closed : callable
        Called once, when the connection has closed or lost its selected pair.
    kept : bool
        Stay open though the peer is silent (another connection is about to take over).
    heard_s : float
        Monotonic time of the peer's last datagram.
    selected : aioice.ice.CandidatePair or None
        The nominated candidate pair.
    user_prefix : bytes
        What the USERNAME of a check for this connection begins with.
    """

    def __init__(self, network: Network, **options: Any) -> None:  # noqa: ANN401 - as aioice has it
        super().__init__(**options)
        self.trusted: dict[Address, None] = {}
        self.foreign = 0
        self.sink: Sink = lambda data, arrival_s: None
        self.on_closed: Callable[[], None] = lambda: None
        self.kept = False
        self.heard_s = 0.0
        self.selected: CandidatePair | None = None
        self.user_prefix = f"{self.local_username}:".encode()
        self._network = network
        self._options = options
        self._checks_left = CHECKS_PER_S
        self._checks_s = time.monotonic()
        self._release: asyncio.Task[None] | None = None

    # --- who may send

    def trust(self, address: Address) -> None:
        """Listen to an address from now on; beyond 64 the oldest is forgotten.

        Parameters
        ----------
        address : tuple of str and int
            The peer's.
        """
        self.trusted.setdefault(address)
        while len(self.trusted) > MAX_TRUSTED_ADDRESSES:
            del self.trusted[next(iter(self.trusted))]

    def may_check(self) -> bool:
        """Return whether one more check of an unknown address is parsed now (token bucket)."""
        now_s = time.monotonic()
        refill = (now_s - self._checks_s) * CHECKS_PER_S
        self._checks_left = min(CHECKS_PER_S, self._checks_left + refill)
        self._checks_s = now_s
        if self._checks_left < 1:
            return False
        self._checks_left -= 1
        return True

    def check_complete(self, pair: CandidatePair) -> None:
        """Trust who has answered a check of ours, and note the nominated pair.

        Parameters
        ----------
        pair : aioice.ice.CandidatePair
            The pair that was checked.
        """
        if pair.state == CandidatePair.State.SUCCEEDED:
            self.trust(pair.remote_addr)
            if pair.nominated:
                self.selected = pair
        super().check_complete(pair)

    def take(self, data: bytes, arrival_s: float) -> None:
        """Hand on a datagram of the peer's.

        Parameters
        ----------
        data : bytes
            The datagram.
        arrival_s : float
            Monotonic time of its arrival.
        """
        self.heard_s = arrival_s
        self.sink(data, arrival_s)

    def data_received(self, data: bytes, component: int) -> None:
        """Drop what looked like STUN and is not; media never comes this way.

        Parameters
        ----------
        data : bytes
            The datagram.
        component : int
            Of ICE.
        """
        self.foreign += 1

    def send_now(self, data: bytes) -> None:
        """Send a datagram on the nominated pair.

        Parameters
        ----------
        data : bytes
            The datagram.

        Raises
        ------
        ConnectionError
            There is no nominated pair, or no longer.
        """
        pair = self.selected
        if pair is None:
            raise ConnectionError("the ICE connection has no nominated pair")
        pair.protocol.transport.sendto(data, pair.remote_addr)

    # --- life

    async def query_consent(self) -> None:
        """Ask the peer for its consent (RFC 7675), and close when it was silent for 3 s.

        Faster than aioice, which takes half a minute; a peer that stalls for 2 s is kept.
        """
        consent = Consent(time.monotonic())
        asking: set[asyncio.Task[None]] = set()

        async def ask(pair: CandidatePair) -> None:
            assert self.remote_password is not None  # noqa: S101 - an invariant, which also narrows the type
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
                await asyncio.sleep(CONSENT_INTERVAL_S * random.uniform(0.8, 1.2))  # noqa: S311 - RTP and ICE ask for no secret here
                if consent.expired(self.heard_s, time.monotonic()) and not self.kept:
                    break
                if self.selected is not None:
                    task = asyncio.create_task(ask(self.selected))
                    asking.add(task)
                    task.add_done_callback(asking.discard)
        finally:
            for task in asking:
                task.cancel()
        self._begin_release()  # not awaited: closing waits for this task

    def protocol_lost(self, protocol: StunProtocol) -> None:
        """Note that a socket has closed by itself (a TURN server that hung up).

        Parameters
        ----------
        protocol : aioice.ice.StunProtocol
            The socket's.
        """
        if self.selected is not None and self.selected.protocol is protocol:
            self.selected = None
            self.on_closed()

    async def close(self) -> None:
        """Close all sockets; takes 1.5 s at most, even if a TURN server does not answer."""
        await asyncio.shield(self._begin_release())

    def _begin_release(self) -> asyncio.Task[None]:
        if self._release is None:
            self._release = asyncio.create_task(self._close_sockets())
        return self._release

    async def _close_sockets(self) -> None:
        self.selected = None
        closing = asyncio.create_task(super().close())
        await asyncio.wait([closing], timeout=CLOSE_TIMEOUT_S)
        if not closing.done():
            closing.cancel()
        elif (error := closing.exception()) is not None:
            asyncio.get_running_loop().call_exception_handler(
                {"message": "an ICE connection did not close cleanly", "exception": error}
            )
        self.abort()
        self.on_closed()

    def abort(self) -> None:
        """Close the sockets that are still open, at once."""
        for protocol in self._protocols:
            with contextlib.suppress(Exception):
                protocol.transport.abort()
        self._protocols.clear()

    async def replacement(self) -> "Connection":
        """Make a connection to the same peer for an ICE restart, and gather its candidates.

        Returns
        -------
        Connection
            It has user fragment and password of its own.

        Raises
        ------
        NoPortError
            Every UDP port that may be used is in use.
        """
        options = self._options | {"ice_controlling": self.ice_controlling}
        fresh = Connection(self._network, **options)
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
        """Gather candidates on this machine's addresses and, where given, by STUN and TURN.

        The loopback address is used where there is no other; aioice always leaves it out.

        Parameters
        ----------
        component : int
            Of ICE; always 1, as RTCP is multiplexed.
        addresses : list of str
            This machine's own.
        timeout : int
            Seconds to wait for STUN and TURN servers.

        Returns
        -------
        list of aioice.Candidate
            Host candidates first.

        Raises
        ------
        NoPortError
            Every UDP port that may be used is in use.
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
        """Return what one of this machine's own addresses is outside (1:1 NAT)."""
        version = ipaddress.ip_address(address).version
        for public in self._network.public_addresses:
            if ipaddress.ip_address(public).version == version:
                return public
        return address
