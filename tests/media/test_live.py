"""Live streams by their address: what plays, what is refused, and what happens when one is lost."""

import asyncio
import itertools
import socket
import ssl
import threading
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import av
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from certs import development
from gaze.frames.clocks import VIDEO_CLOCK_HZ
from gaze.media.address import AddressError, Allowed
from gaze.media.live import LiveStream
from simulation.clients.rtc_viewer import RtcViewer
from simulation.films.coded import RATE_FPS, number_of
from simulation.films.progress import make_film, texture
from simulation.films.rtsp_server import rtsp_server
from tests.conftest import Serve


@pytest.fixture(scope="module")
def stream_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("live") / "film.ts", texture(160, 96), 4.0)


@pytest.fixture(scope="module")
def playlist(tmp_path_factory: pytest.TempPathFactory, stream_file: Path) -> Path:
    path = tmp_path_factory.mktemp("hls") / "list.m3u8"
    options = {"hls_time": "1", "hls_list_size": "0"}
    with av.open(str(stream_file)) as source, av.open(str(path), "w", options=options) as target:
        streams = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = streams[packet.stream_index]
                target.mux(packet)
    return path


Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


@asynccontextmanager
async def site(**handlers: Handler) -> AsyncIterator[str]:
    """A web site on this machine; returns its host and port."""
    app = web.Application()
    for name, handler in handlers.items():
        app.router.add_get(f"/{name}", handler)
    async with TestServer(app) as server:
        yield f"127.0.0.1:{server.port}"


def file(path: Path) -> Handler:
    async def send(request: web.Request) -> web.StreamResponse:
        return web.FileResponse(path)

    return send


def moved(url: Callable[[], str]) -> Handler:
    async def send(request: web.Request) -> web.StreamResponse:
        raise web.HTTPFound(url())

    return send


def text(content: str) -> Handler:
    async def send(request: web.Request) -> web.StreamResponse:
        return web.Response(text=content)

    return send


@asynccontextmanager
async def opened(url: str, *hosts: str) -> AsyncIterator[LiveStream]:
    allowed = Allowed.of(hosts, [])
    stream = LiveStream(allowed.check(url), allowed)
    await stream.open()
    try:
        yield stream
    finally:
        await stream.close()


async def refused(url: str, *hosts: str) -> str:
    with pytest.raises(AddressError) as caught:
        async with opened(url, *hosts):
            pass
    return str(caught.value)


async def due_s(stream: LiveStream, count: int) -> list[float]:
    """When the next pictures are due."""
    found = []
    for _ in range(count):
        async with asyncio.timeout(30):
            frame = await stream.pictures.get()
        assert (frame.format.name, frame.width, frame.height) == ("yuv420p", 160, 96)
        assert frame.pts is not None
        found.append(frame.pts / VIDEO_CLOCK_HZ)
    return found


async def test_a_transport_stream_plays_with_its_sound(stream_file: Path) -> None:
    async with site(live=file(stream_file)) as host, opened(f"http://{host}/live", host) as live:
        times_s = await due_s(live, 20)
        assert all(a < b for a, b in itertools.pairwise(times_s))
        # Frames may be skipped where the machine is busy; their times stay on the film's grid.
        steps = [(b - a) * 30 for a, b in itertools.pairwise(times_s)]
        assert all(abs(step - round(step)) < 0.02 for step in steps)
        sound = await live.sound.recv()
        assert (sound.sample_rate, sound.samples, sound.format.name) == (48_000, 960, "s16")


async def test_a_playlist_plays(playlist: Path) -> None:
    app = web.Application()
    app.router.add_static("/", playlist.parent)
    async with TestServer(app) as server:
        host = f"127.0.0.1:{server.port}"
        async with opened(f"http://{host}/list.m3u8", host) as live:
            await due_s(live, 40)


async def test_redirects_are_followed_to_allowed_hosts_only(stream_file: Path) -> None:
    asked = []

    async def inner(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(text="secret")

    targets: list[str] = []
    async with (
        site(secret=inner) as inside,
        site(
            live=file(stream_file),
            one=moved(lambda: "/live"),
            out=moved(lambda: targets[-1]),
            loop=moved(lambda: "/loop"),
        ) as host,
    ):
        async with opened(f"http://{host}/one", host) as live:
            await due_s(live, 2)
        for target in (f"http://{inside}/secret", "file:///etc/passwd", f"rtsp://{host}/live"):
            targets.append(target)
            await refused(f"http://{host}/out", host)
        await refused(f"http://{host}/loop", host)
    assert asked == []


async def test_entries_of_a_playlist_are_opened_on_allowed_hosts_only(tmp_path: Path) -> None:
    asked = []

    async def inner(request: web.Request) -> web.StreamResponse:
        asked.append(request.path)
        return web.Response(text="secret")

    def list_of(entry: str) -> str:
        return f"#EXTM3U\n#EXT-X-TARGETDURATION:9\n#EXTINF:9,\n{entry}\n#EXT-X-ENDLIST\n"

    async with site(secret=inner) as inside:
        port = inside.partition(":")[2]
        pages = {
            "list": list_of(f"http://{inside}/secret"),
            "file": list_of("file:///etc/passwd"),
            "crypto": list_of(f"crypto+http://{inside}/secret"),
            "sdp": f"v=0\nc=IN IP4 127.0.0.1\nt=0 0\nm=video {port} TCP/RTP/AVP 96\n"
            "a=rtpmap:96 H264/90000\n",
            "concat": f"ffconcat version 1.0\nfile http://{inside}/secret\n",
        }
        async with site(**{name: text(page) for name, page in pages.items()}) as host:
            for name in pages:
                await refused(f"http://{host}/{name}", host)
    assert asked == []


async def test_something_that_is_no_stream_is_reported() -> None:
    async def gone(request: web.Request) -> web.StreamResponse:
        raise web.HTTPGone

    async with site(page=text("hello\n" * 99), gone=gone) as host:
        assert "Invalid data" in await refused(f"http://{host}/page", host)
        assert "410" in await refused(f"http://{host}/gone", host)
        secret = await refused(f"http://me:hidden@{host}/page?key=hidden", host)
        assert "hidden" not in secret
    assert f"http://{host}" in await refused(f"http://{host}/page", host)


async def test_a_user_and_password_are_sent_to_the_address_only(stream_file: Path) -> None:
    sent = []

    def noting(name: str, then: Handler) -> Handler:
        async def note(request: web.Request) -> web.StreamResponse:
            sent.append((name, request.headers.get("Authorization"), request.headers["Host"]))
            return await then(request)

        return note

    async with (
        site(live=noting("other", file(stream_file))) as other,
        site(one=noting("first", moved(lambda: f"http://{other}/live"))) as host,
        opened(f"http://me:p%40ss@{host}/one", host, other),
    ):
        assert sent == [("first", "Basic bWU6cEBzcw==", host), ("other", None, other)]


async def test_certificates_are_verified_for_the_name_and_not_the_pinned_address(
    stream_file: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = development.ensure(tmp_path, ["localhost"])
    tls = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    tls.load_cert_chain(made.cert, made.key)
    app = web.Application()
    app.router.add_get("/live", file(stream_file))
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    port = runner.addresses[0][1]
    networks = [ip_network("127.0.0.0/8")]
    allowed = Allowed.of([f"localhost:{port}", f"127.0.0.1:{port}"], networks)

    async def why(host: str) -> str | None:
        stream = LiveStream(allowed.check(f"https://{host}:{port}/live"), allowed)
        try:
            await stream.open()
        except AddressError as error:
            return str(error)
        await stream.close()
        return None

    assert "certificate verify failed" in str(await why("localhost"))
    monkeypatch.setenv("SSL_CERT_FILE", str(made.cert))
    assert await why("localhost") is None
    assert "certificate" in str(await why("127.0.0.1"))
    await runner.cleanup()


async def test_a_lost_stream_is_reopened_and_reported_once(stream_file: Path) -> None:
    content = await asyncio.to_thread(stream_file.read_bytes)
    losses: list[str] = []
    returns: list[bool] = []

    async def half(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content[: len(content) // 4])

    async with site(live=half) as host:
        allowed = Allowed.of([host], [])
        live = LiveStream(
            allowed.check(f"http://{host}/live"),
            allowed,
            losses.append,
            lambda: returns.append(live.lost),
        )
        await live.open()
        first_s = (await due_s(live, 1))[0]
        while not losses:
            await due_s(live, 1)
        again_s = (await due_s(live, 1))[0]
        assert again_s > first_s
        assert len(losses) == 1
        assert returns == [False]
        await live.close()


async def test_an_rtsp_camera_plays_and_its_redirect_is_not_followed() -> None:
    async with rtsp_server() as camera, rtsp_server() as inside:
        host = f"127.0.0.1:{camera.port}"
        async with opened(f"rtsp://{host}/one?a=1", host) as live:
            numbers = [number_of(await live.pictures.get()) for _ in range(10)]
            assert numbers == sorted(numbers)
            assert numbers[-1] < 4 * RATE_FPS
            camera.hang_up()
            again = number_of(await asyncio.wait_for(live.pictures.get(), 30))
            assert again <= numbers[-1] + RATE_FPS
        assert any(line.startswith("PLAY") for line in camera.asked)
        camera.redirect = f"rtsp://127.0.0.1:{inside.port}/one"
        await refused(f"rtsp://{host}/one", host)
        assert inside.asked == []


async def test_a_refused_connection_is_reported_without_its_ip_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        host = f"localhost:{closed.getsockname()[1]}"
    allowed = Allowed.of([host], [ip_network("127.0.0.0/8")])
    for scheme in ("rtsp", "http"):
        with pytest.raises(AddressError) as caught:
            await LiveStream(allowed.check(f"{scheme}://{host}/one"), allowed).open()
        assert str(caught.value) == f"{scheme}://{host}: Connection refused"


async def test_a_host_that_does_not_answer_times_out() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        host = f"127.0.0.1:{silent.getsockname()[1]}"
        assert await refused(f"http://{host}/live", host) == f"http://{host}: no answer"


async def test_an_open_that_is_cancelled_leaves_no_thread_and_no_connection() -> None:
    connected = asyncio.Event()

    async def silent(request: web.Request) -> web.StreamResponse:
        connected.set()
        await asyncio.sleep(60)
        raise web.HTTPGone

    async with site(live=silent) as host:
        allowed = Allowed.of([host], [])
        opening = asyncio.create_task(
            LiveStream(allowed.check(f"http://{host}/live"), allowed).open()
        )
        async with asyncio.timeout(10):
            await connected.wait()
        opening.cancel()
        await asyncio.wait([opening], timeout=10)
        assert opening.cancelled()
        assert not [t for t in threading.enumerate() if t.name.startswith("live ")]


async def test_a_session_watches_a_stream_and_changes_to_a_film_and_back(
    serve: Serve, stream_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with site(live=file(stream_file)) as host:
        viewer = RtcViewer(await serve(live_hosts=host))
        await viewer.open(media=f"http://me:hidden@{host}/live?key=hidden", sound=True)
        assert (await viewer.frame()).width == 160
        await viewer.sound()
        playback = await viewer.hear("playback")
        assert playback["position"] is None
        for command in ({"seek": 1.0}, {"loop": True}):
            heard = len(viewer.messages)
            viewer.say(type="playback", **command)
            assert (await viewer.hear("error", after=heard))["status"] == 409
        for name, width in (("grid", 640), (f"http://{host}/live", 160)):
            viewer.say(type="media", name=name)
            async with asyncio.timeout(60):
                while (await viewer.frame()).width != width:
                    pass
        heard = len(viewer.messages)
        viewer.say(type="media", name="http://127.0.0.1:1/live")
        error = await viewer.hear("error", after=heard)
        assert (error["status"], error["field"]) == (422, "media")
        await viewer.close()
    logged = "".join(capfd.readouterr())
    assert "session opened" in logged
    assert "hidden" not in logged


async def test_a_session_reports_that_its_stream_is_lost_and_back(serve: Serve) -> None:
    async with rtsp_server() as camera:
        host = f"127.0.0.1:{camera.port}"
        client = await serve(live_hosts=host)
        viewer = RtcViewer(client)
        await viewer.open(media=f"rtsp://{host}/one")
        assert not (await viewer.hear("playback"))["lost"]
        camera.redirect = "rtsp://127.0.0.1:1/one"  # which leads nowhere
        tries = len(camera.asked)
        camera.hang_up()
        lost = await viewer.hear("playback", lambda m: m["lost"])
        assert not lost["paused"]
        before = viewer.messages.index(lost)
        async with asyncio.timeout(30):
            while len(camera.asked) < tries + 2:
                await viewer.frame()  # its last picture, again and again
        told = await (await client.get(viewer.path, headers=viewer.bearer)).json()
        assert told["playback"]["lost"]
        assert [m["status"] for m in viewer.messages if m["type"] == "error"] == [502]
        camera.redirect = None
        await viewer.hear("playback", lambda m: not m["lost"], after=before)
        await viewer.close()


async def test_without_a_setting_no_address_is_opened(serve: Serve) -> None:
    client = await serve()
    viewer = RtcViewer(client)
    offer = await viewer.offer()
    body = {**offer, "gaze": "pointer", "media": "http://127.0.0.1:80/live"}
    response = await client.post("/api/sessions", json=body)
    assert response.status == 422
    assert "does not allow" in (await response.json())["detail"]
    await viewer.close()
