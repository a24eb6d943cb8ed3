"""Connections of live streams: every redirect checked, and one IP address for RTSP."""

import asyncio
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network

import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from gaze.media import pinned_client
from gaze.media.address import Address, AddressError, Allowed
from gaze.media.pinned_client import MAX_REDIRECTS, HttpOpener, rtsp_relay

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def site(handler: Handler) -> AsyncIterator[str]:
    """A web site on this machine that answers every path; yields its host and port."""
    app = web.Application()
    app.router.add_get("/{path:.*}", handler)
    async with TestServer(app) as server:
        yield f"127.0.0.1:{server.port}"


async def read_all(opener: HttpOpener, url: str) -> bytes:
    def read() -> bytes:
        body = opener.open(url)
        try:
            return b"".join(iter(lambda: body.read(7), b""))
        finally:
            body.close()

    return await asyncio.to_thread(read)


async def test_a_body_is_read_to_its_end() -> None:
    async def send(request: web.Request) -> web.StreamResponse:
        return web.Response(text=f"asked for {request.path_qs}")

    async with site(send) as host:
        opener = HttpOpener(Allowed.of([host], []))
        assert await read_all(opener, f"http://{host}/a?b=1") == b"asked for /a?b=1"


@pytest.mark.parametrize(("redirects", "followed"), [(MAX_REDIRECTS, True), (6, False)])
async def test_so_many_redirects_are_followed(redirects: int, followed: bool) -> None:
    asked = []

    async def send(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        if len(asked) <= redirects:
            raise web.HTTPFound(f"/{len(asked)}")
        return web.Response(text="here")

    async with site(send) as host:
        opener = HttpOpener(Allowed.of([host], []))
        if followed:
            assert await read_all(opener, f"http://{host}/") == b"here"
        else:
            with pytest.raises(OSError, match="more than 5 redirects"):
                await read_all(opener, f"http://{host}/")
            assert len(asked) == MAX_REDIRECTS + 1


@pytest.mark.parametrize(
    ("target", "why"),
    [
        ("http://127.0.0.1:1/", "does not allow 127.0.0.1:1"),
        ("http://localhost/", "does not allow localhost:80"),
        ("file:///etc/passwd", "begins with rtsp"),
        ("rtsp://cam.example/", "rtsp cannot be part of a stream over HTTP"),
        ("//other.example/", "does not allow other.example:80"),
    ],
)
async def test_a_redirect_is_checked_like_the_address(target: str, why: str) -> None:
    async def send(request: web.Request) -> web.StreamResponse:
        raise web.HTTPTemporaryRedirect(target)

    async with site(send) as host:
        opener = HttpOpener(Allowed.of([host, "cam.example"], []))
        with pytest.raises(AddressError, match=why):
            await read_all(opener, f"http://{host}/")


async def test_an_error_status_names_the_origin_only() -> None:
    async def send(request: web.Request) -> web.StreamResponse:
        raise web.HTTPForbidden

    async with site(send) as host:
        opener = HttpOpener(Allowed.of([host], []))
        with pytest.raises(OSError, match=f"^http://{host} answers 403 Forbidden$"):
            await read_all(opener, f"http://me:hidden@{host}/?key=hidden")


@asynccontextmanager
async def answering(data: bytes) -> AsyncIterator[str]:
    """A server that answers each connection with these bytes and ends it; yields host and port."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(data)
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    try:
        yield f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


async def test_a_host_that_speaks_no_http_is_reported() -> None:
    async with answering(b"SSH-2.0-OpenSSH\r\n") as host:
        with pytest.raises(OSError, match=f"http://{host} does not speak HTTP"):
            await read_all(HttpOpener(Allowed.of([host], [])), f"http://{host}/")


async def test_a_body_that_is_cut_is_an_error() -> None:
    async with answering(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\nabc") as host:
        with pytest.raises(OSError, match="the connection was cut"):
            await read_all(HttpOpener(Allowed.of([host], [])), f"http://{host}/")


async def test_close_ends_a_read_that_waits_and_opens_no_more() -> None:
    waiting = threading.Event()

    async def send(request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse()
        await response.prepare(request)
        await response.write(b"begin")
        waiting.set()
        await asyncio.sleep(60)
        return response

    async with site(send) as host:
        opener = HttpOpener(Allowed.of([host], []))
        reading = asyncio.create_task(read_all(opener, f"http://{host}/"))
        assert await asyncio.to_thread(waiting.wait, 10)
        opener.close()
        await asyncio.wait([reading], timeout=4)
        assert reading.done()
        reading.exception()
        with pytest.raises(OSError, match="closed"):
            await read_all(opener, f"http://{host}/")


class Camera:
    """An RTSP server that answers each request with what the test says."""

    def __init__(self) -> None:
        self.asked: list[bytes] = []
        self.answers = [b"RTSP/1.0 200 OK\r\nCSeq: 1\r\n\r\n"]

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            for answer in self.answers:
                self.asked.append(await reader.readuntil(b"\r\n\r\n"))
                writer.write(answer)
                await writer.drain()
            await reader.read()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            writer.close()


@asynccontextmanager
async def relayed(camera: Camera) -> AsyncIterator[tuple[str, int]]:
    """A relay to the camera: its URL and port."""
    server = await asyncio.start_server(camera.serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    allowed = Allowed.of([f"127.0.0.1:{port}"], [])
    try:
        async with rtsp_relay(allowed, allowed.check(f"rtsp://me@127.0.0.1:{port}/one")) as url:
            yield url, int(url.rsplit(":", 1)[1].split("/")[0])
    finally:
        server.close()


REQUEST = b"OPTIONS * RTSP/1.0\r\nCSeq: 1\r\n\r\n"


async def ask(port: int) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(REQUEST)
    return reader, writer


async def test_the_relay_forwards_requests_replies_and_interleaved_data() -> None:
    camera = Camera()
    reply = b"RTSP/1.0 200 OK\r\nContent-Length: 4\r\n\r\nv=0\n"
    interleaved = b"$\x00\x00\x03abc"
    camera.answers = [reply + interleaved]
    async with relayed(camera) as (url, port):
        assert url.startswith("rtsp://me@127.0.0.1:")
        assert url.endswith("/one")
        reader, writer = await ask(port)
        async with asyncio.timeout(10):
            assert await reader.readexactly(len(reply + interleaved)) == reply + interleaved
        assert camera.asked == [REQUEST]
        writer.close()


@pytest.mark.parametrize(
    "answer",
    [
        b"RTSP/1.0 302 Moved\r\nLocation: rtsp://127.0.0.1:1/\r\n\r\n",
        b"RTSP/1.0 200 OK\r\nContent-Length: 99999999999\r\n\r\n",
        b"HTTP/1.0 200 OK\r\n\r\n",
    ],
    ids=["redirect", "enormous", "not RTSP"],
)
async def test_the_relay_ends_at_a_reply_that_it_does_not_forward(answer: bytes) -> None:
    camera = Camera()
    camera.answers = [answer]
    async with relayed(camera) as (_, port):
        reader, writer = await ask(port)
        async with asyncio.timeout(10):
            assert await reader.read() == b""
        writer.close()


async def test_the_relay_takes_one_connection() -> None:
    camera = Camera()
    async with relayed(camera) as (_, port):
        first, first_writer = await ask(port)
        async with asyncio.timeout(10):
            await first.readuntil(b"\r\n\r\n")
            second, second_writer = await asyncio.open_connection("127.0.0.1", port)
            assert await second.read() == b""
        assert camera.asked == [REQUEST]
        first_writer.close()
        second_writer.close()


async def test_the_relay_is_refused_where_the_address_may_not_lead() -> None:
    allowed = Allowed.of(["localhost:554"], [ip_network("10.0.0.0/8")])
    with pytest.raises(AddressError, match="network that the operator does not allow"):
        async with rtsp_relay(allowed, allowed.check("rtsp://localhost/")):
            pass


async def test_a_name_server_that_does_not_answer_times_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    answered = threading.Event()

    class Silent(Allowed):
        def resolve(self, address: Address) -> str:
            answered.wait()
            return "127.0.0.1"

    monkeypatch.setattr(pinned_client, "TIMEOUT_S", 0.05)
    allowed = Silent(frozenset({("cam.example", None)}))
    try:
        with pytest.raises(TimeoutError):
            async with rtsp_relay(allowed, allowed.check("rtsp://cam.example/")):
                pass
    finally:
        answered.set()
