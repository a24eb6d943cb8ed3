"""Connects to the IP address that was checked: HTTP with every redirect checked, RTSP by a relay.

FFmpeg would follow redirects and playlists to any host by itself, so it opens no HTTP connection
here: it asks `HttpOpener`, which verifies TLS against the host's name while the connection goes to
the IP address that was checked. FFmpeg speaks RTSP itself, but only to `rtsp_relay`, which connects
to one IP address and closes the connection at a redirect.
"""

import asyncio
import base64
import contextlib
import http.client
import re
import socket
import ssl
import threading
from collections.abc import AsyncIterator
from typing import Final
from urllib.parse import unquote, urljoin

from gaze.media.address import Address, AddressError, Allowed

TIMEOUT_S: Final = 5.0
"""Limit of one step: looking a host up and connecting to it, or one read. Twice as long makes the
10 s after which a stream counts as dead (docs/live.md). Chosen by hand; no benchmark covers it."""

MAX_REDIRECTS: Final = 5
"""As RFC 2068 section 10.3 recommended; browsers follow 20."""

CHUNK_BYTES: Final = 65_536
"""Most that is read from a connection at once; chosen by hand, no benchmark covers it."""

MAX_RTSP_BODY_BYTES: Final = 1_000_000
"""Largest body of an RTSP message that is held in memory. Session descriptions have a few kB;
chosen by hand, no benchmark covers it."""

_REDIRECT_STATUSES: Final = (301, 302, 303, 307, 308)
_STATUS_LINE: Final = re.compile(rb"RTSP/\d\.\d (\d{3})")
_CONTENT_LENGTH: Final = re.compile(rb"^content-length:\s*(\d+)\s*$", re.IGNORECASE | re.MULTILINE)


class HttpOpener:
    """Opens addresses for FFmpeg as readable files. For one thread; `close` is for any."""

    def __init__(self, allowed: Allowed) -> None:
        """Open nothing yet.

        Parameters
        ----------
        allowed : Allowed
            What each address is checked against.
        """
        self._allowed = allowed
        self._lock = threading.Lock()
        self._sockets: dict[http.client.HTTPConnection, socket.socket] = {}
        self._closed = False

    def open(self, url: str) -> "HttpBody":
        """Request an address and follow its redirects.

        Parameters
        ----------
        url : str
            An address over HTTP or HTTPS.

        Returns
        -------
        HttpBody
            The body of the response.

        Raises
        ------
        AddressError
            If it, or one that it redirects to, is not allowed.
        OSError
            If the host does not answer, or answers with an error.
        """
        for _ in range(MAX_REDIRECTS + 1):
            address = self._allowed.check(url)
            if address.scheme not in ("http", "https"):
                raise AddressError(f"{address.scheme} cannot be part of a stream over HTTP")
            connection = self._connect(address)
            try:
                connection.request("GET", address.target, headers=_headers(address))
                response = connection.getresponse()
            except http.client.HTTPException as error:
                self._drop(connection)
                raise OSError(f"{address.origin} does not speak HTTP") from error
            except BaseException:
                self._drop(connection)
                raise
            if response.status == http.client.OK:
                return HttpBody(self, connection, response)
            self._drop(connection)
            if response.status not in _REDIRECT_STATUSES:
                raise OSError(f"{address.origin} answers {response.status} {response.reason}")
            url = urljoin(url, response.headers.get("Location", ""))
        raise OSError(f"more than {MAX_REDIRECTS} redirects")

    def close(self) -> None:
        """Shut down every open connection and open no more."""
        with self._lock:
            self._closed = True
            for sock in self._sockets.values():
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _connect(self, address: Address) -> http.client.HTTPConnection:
        ip = self._allowed.resolve(address)
        sock = socket.create_connection((ip, address.port), TIMEOUT_S)
        try:
            if address.scheme == "https":
                context = ssl.create_default_context()
                sock = context.wrap_socket(sock, server_hostname=address.host)
            connection = http.client.HTTPConnection(address.host, address.port)
            connection.sock = sock
            with self._lock:
                if self._closed:
                    raise OSError("closed")
                self._sockets[connection] = sock
        except BaseException:
            sock.close()
            raise
        return connection

    def _drop(self, connection: http.client.HTTPConnection) -> None:
        with self._lock:
            self._sockets.pop(connection, None)
        connection.close()


def _headers(address: Address) -> dict[str, str]:
    headers = {"User-Agent": "gaze", "Connection": "close"}
    if address.user:
        user = base64.b64encode(unquote(address.user).encode()).decode()
        headers["Authorization"] = f"Basic {user}"
    return headers


class HttpBody:
    """The body of a response, as a file that PyAV reads."""

    def __init__(
        self,
        opener: HttpOpener,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
    ) -> None:
        """Take over a response.

        Parameters
        ----------
        opener : HttpOpener
            Whose connection it is.
        connection : http.client.HTTPConnection
            The connection; ended by `close`.
        response : http.client.HTTPResponse
            A response of which the header is read.
        """
        self._opener = opener
        self._connection = connection
        self._response = response

    def read(self, size: int) -> bytes:
        """Return what there is; wait for some if there is nothing.

        Parameters
        ----------
        size : int
            Most bytes to return.

        Returns
        -------
        bytes
            Empty at the end.

        Raises
        ------
        OSError
            If the connection is cut, or silent for `TIMEOUT_S`.
        """
        try:
            return self._response.read1(size)
        except http.client.HTTPException as error:
            raise OSError("the connection was cut") from error

    def close(self) -> None:
        """End the connection."""
        self._response.close()
        self._opener._drop(self._connection)


@contextlib.asynccontextmanager
async def rtsp_relay(allowed: Allowed, address: Address) -> AsyncIterator[str]:
    """Relay one RTSP connection from this machine to an address, and nowhere else.

    Parameters
    ----------
    allowed : Allowed
        What the address is resolved by.
    address : Address
        A checked RTSP address.

    Yields
    ------
    str
        A URL on this machine that leads to the address while the context is open.

    Raises
    ------
    AddressError
        If the host may not be reached.
    OSError
        If it cannot be connected to.
    TimeoutError
        If that takes longer than `TIMEOUT_S`.
    """
    async with asyncio.timeout(TIMEOUT_S):
        ip = await asyncio.to_thread(allowed.resolve, address)
        upstream_reader, upstream_writer = await asyncio.open_connection(ip, address.port)
    accepted: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        accepted.append(writer)
        if len(accepted) > 1:
            writer.close()
            return
        directions = [
            asyncio.create_task(_forward_requests(reader, upstream_writer)),
            asyncio.create_task(_forward_replies(upstream_reader, writer)),
        ]
        await asyncio.wait(directions, return_when=asyncio.FIRST_COMPLETED)
        for direction in directions:
            direction.cancel()
        await asyncio.gather(*directions, return_exceptions=True)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield address.at("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in (*accepted, upstream_writer):
            writer.close()


async def _forward_requests(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(CHUNK_BYTES):
        writer.write(data)
        await writer.drain()


async def _forward_replies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Forward what the server sends (RFC 2326), message by message, until it redirects."""
    while True:
        head = await reader.readexactly(4)
        if head[:1] == b"$":  # interleaved binary data, section 10.12
            body = await reader.readexactly(int.from_bytes(head[2:], "big"))
        else:
            rest = await reader.readuntil(b"\r\n\r\n")
            status = _STATUS_LINE.match(head + rest)
            match = _CONTENT_LENGTH.search(rest.replace(b"\r", b""))
            length = int(match[1]) if match else 0
            if status is None or status[1].startswith(b"3") or length > MAX_RTSP_BODY_BYTES:
                return
            body = rest + await reader.readexactly(length)
        writer.write(head + body)
        await writer.drain()
