"""The ICE transport that DTLS and SRTP run over, with ICE restarts."""

import asyncio
from collections.abc import Callable

from aiortc import RTCIceServer
from aiortc.rtcicetransport import connection_kwargs

from gaze.rtc.aiortc_ext.ice import Connection
from gaze.rtc.ice.udp_transport import Network

MAX_WAITING_DATAGRAMS = 256  # of DTLS, while nobody takes them
RESTART_TIMEOUT_S = 10.0

Sink = Callable[[bytes, float], None]


class IceTransport:
    """Carries DTLS and SRTP over one ICE connection, and over its successor after an ICE restart.

    `RTCDtlsTransport` is given this instead of aiortc's `RTCIceTransport`: it reads and writes
    DTLS by `_recv` and `_send`. SRTP and SRTCP (RFC 7983) go to `on_srtp` instead, at once, without
    a queue or a task.

    Parameters
    ----------
    ice_servers : list of aiortc.RTCIceServer
        STUN and TURN servers that are asked for candidates.
    network : Network
        UDP ports and public addresses of this machine.
    on_srtp : callable
        Takes each datagram of SRTP or SRTCP with its arrival time (monotonic, seconds).
    on_failed : callable
        Called once, when no datagram can be exchanged any more and `close` was not called.

    Attributes
    ----------
    role : str
        "controlled" or "controlling".
    restarts : int
        ICE restarts that found a new network path.
    overflow : int
        DTLS datagrams dropped because too many waited.
    """

    def __init__(
        self,
        ice_servers: list[RTCIceServer],
        network: Network,
        on_srtp: Sink,
        on_failed: Callable[[], None],
    ) -> None:
        self.role = "controlled"
        self.restarts = 0
        self.overflow = 0
        self._on_srtp = on_srtp
        self._on_failed = on_failed
        self._dtls: asyncio.Queue[bytes | None] = asyncio.Queue()
        self._ended = False
        self._current = Connection(network, ice_controlling=False, **connection_kwargs(ice_servers))
        self._fresh: Connection | None = None
        self._restarting: asyncio.Task[None] | None = None
        self._use(self._current)

    @property
    def negotiated(self) -> Connection:
        """The connection that candidates belong to now: during a restart, the new one."""
        return self._fresh or self._current

    @property
    def in_use(self) -> Connection:
        """The connection that media is sent on now."""
        return self._current

    async def connect(self, ufrag: str, pwd: str, *, lite: bool) -> None:
        """Run the connectivity checks until a candidate pair is nominated.

        Parameters
        ----------
        ufrag, pwd : str
            The peer's ICE user name fragment and password.
        lite : bool
            Whether the peer is an ICE Lite implementation.

        Raises
        ------
        ConnectionError
            No candidate pair works, or the transport was closed.
        """
        connection = self._current
        connection.ice_controlling = connection.remote_is_lite = lite
        self.role = "controlling" if lite else "controlled"
        connection.remote_username, connection.remote_password = ufrag, pwd
        await connection.connect()

    def send_now(self, data: bytes) -> None:
        """Send a datagram.

        Parameters
        ----------
        data : bytes
            The datagram.

        Raises
        ------
        ConnectionError
            There is no nominated pair, or no longer.
        """
        self._current.send_now(data)

    async def _send(self, data: bytes) -> None:
        """Send a DTLS record; called by `RTCDtlsTransport`."""
        self._current.send_now(data)

    async def _recv(self) -> bytes:
        """Return the next DTLS record; called by `RTCDtlsTransport`."""
        data = None if self._ended and self._dtls.empty() else await self._dtls.get()
        if data is None:
            raise ConnectionError("the ICE connection has closed")
        return data

    def _take(self, data: bytes, arrival_s: float) -> None:
        first = data[0]
        if 127 < first < 192:
            self._on_srtp(data, arrival_s)
        elif 19 < first < 64:
            if self._dtls.qsize() < MAX_WAITING_DATAGRAMS:
                self._dtls.put_nowait(data)
            else:
                self.overflow += 1

    def _use(self, connection: Connection) -> None:
        self._current = connection
        connection.sink = self._take
        connection.on_closed = lambda: self._on_closed(connection)

    def _on_closed(self, connection: Connection) -> None:
        if connection is self._current and not self._ended:
            self._ended = True
            self._dtls.put_nowait(None)
            self._on_failed()

    # --- ICE restart

    async def restart(self, ufrag: str, pwd: str) -> None:
        """Look for a new network path to the peer; `negotiated` is then what it must receive.

        Media goes on over the old path until there is a new one; if there is none after 10 s, the
        old one stays.

        Parameters
        ----------
        ufrag, pwd : str
            The peer's new ICE user name fragment and password.

        Raises
        ------
        NoPortError
            Every UDP port that may be used is in use.
        """
        await self._end_restart()
        old = self._current
        old.kept = True
        try:
            fresh = await old.replacement()
        except BaseException:
            old.kept = False
            raise
        fresh.remote_username, fresh.remote_password = ufrag, pwd
        fresh.sink = self._take
        self._fresh = fresh
        self._restarting = asyncio.create_task(self._finish_restart(old, fresh))

    async def _finish_restart(self, old: Connection, fresh: Connection) -> None:
        try:
            async with asyncio.timeout(RESTART_TIMEOUT_S):
                await fresh.connect()
        except (ConnectionError, TimeoutError):
            await fresh.close()
        else:
            self._use(fresh)
            self.restarts += 1
            await old.close()
        finally:
            old.kept = False
            if self._fresh is fresh:
                self._fresh = None

    async def _end_restart(self) -> None:
        task, self._restarting = self._restarting, None
        fresh, self._fresh = self._fresh, None
        if task is None or fresh is None:
            return
        if self._current is not fresh:
            task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        if self._current is not fresh:
            await fresh.close()

    async def close(self) -> None:
        """Close all sockets; takes 3 s at most."""
        self._ended = True
        self._dtls.put_nowait(None)
        await asyncio.gather(self._end_restart(), self._current.close())

    def abort(self) -> None:
        """Close the sockets that are still open, at once."""
        for connection in {self._current, self.negotiated}:
            connection.abort()
