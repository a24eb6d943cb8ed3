"""Opens what a live address leads to: HTTP with every redirect checked, RTSP through a relay.

FFmpeg would follow redirects and playlists to any host by itself, so it opens no HTTP connection
here: it asks `HttpOpener`, which also lets TLS be verified against the host's name while the
connection goes to the address that was checked. RTSP it must speak itself; it does so with
`RtspRelay`, which knows one way only and closes it at a redirect.
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
from urllib.parse import unquote, urljoin

from gaze.media.address import Address, AddressError, Allowed

TIMEOUT_S = 5.0
MOST_REDIRECTS = 5
MOST_HEADER_BYTES = 65_536
_REDIRECTS = (301, 302, 303, 307, 308)
_STATUS = re.compile(rb"RTSP/\d\.\d (\d{3})")
_LENGTH = re.compile(rb"^content-length:\s*(\d+)\s*$", re.IGNORECASE | re.MULTILINE)


class HttpOpener:
    """Opens addresses for FFmpeg, as readable files. For one thread; `close` is for any."""

    def __init__(self, allowed: Allowed) -> None:
        self._allowed = allowed
        self._lock = threading.Lock()
        self._sockets: dict[http.client.HTTPConnection, socket.socket] = {}
        self._closed = False

    def open(self, url: str) -> "HttpBody":
        """Ask for an address.

        Raises:
            AddressError: it, or one that it redirects to, is not allowed.
            OSError: the host does not answer, or answers with an error.
        """
        for _ in range(MOST_REDIRECTS + 1):
            address = self._allowed.check(url)
            if address.scheme not in ("http", "https"):
                raise AddressError(f"{address.scheme} cannot be part of a stream over HTTP")
            connection = self._connect(address)
            try:
                connection.request("GET", address.target, headers=_headers(address))
                response = connection.getresponse()
            except http.client.HTTPException as error:
                self._drop(connection)
                raise OSError(f"{address.place} does not speak HTTP") from error
            except BaseException:
                self._drop(connection)
                raise
            if response.status == http.client.OK:
                return HttpBody(self, connection, response)
            self._drop(connection)
            if response.status not in _REDIRECTS:
                raise OSError(f"{address.place} answers {response.status} {response.reason}")
            url = urljoin(url, response.headers.get("Location", ""))
        raise OSError("more than 5 redirects")

    def close(self) -> None:
        """End what is being read, and open nothing more."""
        with self._lock:
            self._closed = True
            for sock in self._sockets.values():
                with contextlib.suppress(OSError):
                    sock.shutdown(socket.SHUT_RDWR)

    def _connect(self, address: Address) -> http.client.HTTPConnection:
        place = self._allowed.resolve(address)
        sock = socket.create_connection((place, address.port), TIMEOUT_S)
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
    """The body of an answer, as PyAV reads files."""

    def __init__(
        self,
        opener: HttpOpener,
        connection: http.client.HTTPConnection,
        response: http.client.HTTPResponse,
    ) -> None:
        self._opener = opener
        self._connection = connection
        self._response = response

    def read(self, size: int) -> bytes:
        """Return what there is, at most `size` bytes; none at the end."""
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
    """A URL on this machine that leads to the address, and nowhere else, while this is open.

    Raises:
        AddressError: the host may not be reached.
        OSError: it cannot be.
    """
    place = await asyncio.to_thread(allowed.resolve, address)
    async with asyncio.timeout(TIMEOUT_S):
        far = await asyncio.open_connection(place, address.port)
    taken: list[asyncio.StreamWriter] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        taken.append(writer)
        if len(taken) > 1:
            writer.close()
            return
        pumps = [
            asyncio.create_task(_pump(reader, far[1])),
            asyncio.create_task(_pump_replies(far[0], writer)),
        ]
        await asyncio.wait(pumps, return_when=asyncio.FIRST_COMPLETED)
        for pump in pumps:
            pump.cancel()
        await asyncio.gather(*pumps, return_exceptions=True)
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield address.at("127.0.0.1", server.sockets[0].getsockname()[1])
    finally:
        server.close()
        for writer in (*taken, far[1]):
            writer.close()


async def _pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    while data := await reader.read(MOST_HEADER_BYTES):
        writer.write(data)
        await writer.drain()


async def _pump_replies(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Hand on what the server says, RFC 2326, message by message, until it redirects."""
    while True:
        head = await reader.readexactly(4)
        if head[:1] == b"$":
            body = await reader.readexactly(int.from_bytes(head[2:], "big"))
        else:
            rest = await reader.readuntil(b"\r\n\r\n")
            status, length = _STATUS.match(head + rest), _LENGTH.search(rest.replace(b"\r", b""))
            if status is None or status[1].startswith(b"3"):
                return
            body = rest + await reader.readexactly(int(length[1]) if length else 0)
        writer.write(head + body)
        await writer.drain()
