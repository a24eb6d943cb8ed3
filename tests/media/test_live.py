"""Live streams by their address: what plays, what is refused, and what happens when one is lost."""

import asyncio
import itertools
import socket
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from ipaddress import ip_network
from pathlib import Path

import av
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from certs import development
from gaze.media import address as addresses
from gaze.media.address import AddressError, Allowed
from gaze.media.live import PICTURE_HZ, LiveStream
from simulation.coded_film import RATE_FPS, number_of
from simulation.films import make_film, texture
from simulation.rtc_viewer import RtcViewer
from simulation.rtsp_server import rtsp_server
from tests.conftest import Serve

WATCH = Allowed.of(["cam.example", "cam.example:8554", "93.184.216.34", "10.1.2.3:80"], [])


@pytest.mark.parametrize(
    ("text", "place"),
    [
        ("http://cam.example/a.ts?b=1", "http://cam.example:80"),
        ("https://CAM.example/", "https://cam.example:443"),
        ("rtsp://me:secret@cam.example:8554/one", "rtsp://cam.example:8554"),
        ("rtsp://cam.example", "rtsp://cam.example:554"),
        ("http://93.184.216.34/x", "http://93.184.216.34:80"),
    ],
)
def test_listed_hosts_are_allowed_at_their_ports(text: str, place: str) -> None:
    assert WATCH.check(text).place == place


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("file:///etc/passwd", "begins with rtsp"),
        ("ftp://cam.example/a", "begins with rtsp"),
        ("concat:http://cam.example/", "begins with rtsp"),
        ("http:///a", "begins with rtsp"),
        ("http://[::1", "not an address"),
        ("http://cam.example:99999/", "not an address"),
        ("http://cam.example:8080/", "does not allow cam.example:8080"),
        ("http://other.example/", "does not allow other.example:80"),
        ("http://cam.example@other.example/", "does not allow other.example:80"),
        ("http://cam.example.other.example/", "does not allow"),
        ("http://127.0.0.1/", "does not allow"),
        ("http://2130706433/", "does not allow"),
        ("https://10.1.2.3/", "does not allow"),
        ("http://cam.example/a\r\nHost: other", "without spaces"),
        ("http://cam.example/ HTTP/1.1", "without spaces"),
        ("http://cam.example/ä", "ASCII"),
        ("http://cam.example/" + "a" * 3000, "2048"),
    ],
)
def test_all_else_is_refused(text: str, why: str) -> None:
    with pytest.raises(AddressError, match=why):
        WATCH.check(text)


@pytest.mark.parametrize(
    ("found", "networks", "allowed"),
    [
        ("93.184.216.34", [], True),
        ("2606:2800:220:1::1", [], True),
        ("10.0.0.8", ["10.0.0.0/8"], True),
        ("10.0.0.8", ["192.168.0.0/16"], False),
        ("10.0.0.8", [], False),
        ("127.0.0.1", [], False),
        ("169.254.169.254", [], False),
        ("100.64.0.1", [], False),
        ("0.0.0.0", [], False),
        ("224.0.0.1", [], False),
        ("::1", [], False),
        ("fe80::1", [], False),
        ("fd00::1", [], False),
        ("::ffff:127.0.0.1", [], False),
        ("2002:7f00:1::", [], False),
    ],
)
def test_a_listed_name_may_not_lead_into_inner_networks(
    found: str, networks: list[str], allowed: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def resolved(host: str, port: int, **options: object) -> list[tuple[object, ...]]:
        return [(0, 0, 0, "", (found, port))]

    monkeypatch.setattr(addresses.socket, "getaddrinfo", resolved)
    watch = Allowed.of(["cam.example"], map(ip_network, networks))
    address = watch.check("http://cam.example/")
    if allowed:
        assert watch.resolve(address) == found
    else:
        with pytest.raises(AddressError, match="network that the operator does not allow"):
            watch.resolve(address)


def test_an_ip_address_that_is_listed_needs_no_network() -> None:
    assert WATCH.resolve(WATCH.check("http://10.1.2.3/")) == "10.1.2.3"


@pytest.fixture(scope="module")
def stream_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_film(tmp_path_factory.mktemp("live") / "film.ts", texture(160, 96), 4.0)


@pytest.fixture(scope="module")
def playlist(tmp_path_factory: pytest.TempPathFactory, stream_file: Path) -> Path:
    path = tmp_path_factory.mktemp("hls") / "list.m3u8"
    options = {"hls_time": "1", "hls_list_size": "0"}
    with av.open(str(stream_file)) as source, av.open(str(path), "w", options=options) as target:
        ways = {s.index: target.add_stream_from_template(s) for s in source.streams}
        for packet in source.demux():
            if packet.dts is not None:
                packet.stream = ways[packet.stream_index]
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
        found.append(frame.pts / PICTURE_HZ)
    return found


async def test_a_transport_stream_plays_with_its_sound(stream_file: Path) -> None:
    async with site(live=file(stream_file)) as place, opened(f"http://{place}/live", place) as live:
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
        place = f"127.0.0.1:{server.port}"
        async with opened(f"http://{place}/list.m3u8", place) as live:
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
        ) as place,
    ):
        async with opened(f"http://{place}/one", place) as live:
            await due_s(live, 2)
        for target in (f"http://{inside}/secret", "file:///etc/passwd", f"rtsp://{place}/live"):
            targets.append(target)
            await refused(f"http://{place}/out", place)
        await refused(f"http://{place}/loop", place)
    assert asked == []


async def test_what_a_stream_names_is_opened_on_allowed_hosts_only(tmp_path: Path) -> None:
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
        async with site(**{name: text(page) for name, page in pages.items()}) as place:
            for name in pages:
                await refused(f"http://{place}/{name}", place)
    assert asked == []


async def test_what_is_no_stream_is_told() -> None:
    async def gone(request: web.Request) -> web.StreamResponse:
        raise web.HTTPGone

    async with site(page=text("hello\n" * 99), gone=gone) as place:
        assert "Invalid data" in await refused(f"http://{place}/page", place)
        assert "410" in await refused(f"http://{place}/gone", place)
        secret = await refused(f"http://me:hidden@{place}/page?key=hidden", place)
        assert "hidden" not in secret
    assert f"http://{place}" in await refused(f"http://{place}/page", place)


async def test_a_user_and_password_are_sent_to_the_address_only(stream_file: Path) -> None:
    sent = []

    def noting(name: str, then: Handler) -> Handler:
        async def note(request: web.Request) -> web.StreamResponse:
            sent.append((name, request.headers.get("Authorization"), request.headers["Host"]))
            return await then(request)

        return note

    async with (
        site(live=noting("other", file(stream_file))) as other,
        site(one=noting("first", moved(lambda: f"http://{other}/live"))) as place,
        opened(f"http://me:p%40ss@{place}/one", place, other),
    ):
        assert sent == [("first", "Basic bWU6cEBzcw==", place), ("other", None, other)]


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


async def test_a_lost_stream_is_opened_again_and_told_once(stream_file: Path) -> None:
    content = await asyncio.to_thread(stream_file.read_bytes)
    losses: list[str] = []
    returns: list[bool] = []

    async def half(request: web.Request) -> web.StreamResponse:
        return web.Response(body=content[: len(content) // 4])

    async with site(live=half) as place:
        allowed = Allowed.of([place], [])
        live = LiveStream(
            allowed.check(f"http://{place}/live"),
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


async def test_an_rtsp_camera_plays_and_its_redirect_leads_nowhere() -> None:
    async with rtsp_server() as camera, rtsp_server() as inside:
        place = f"127.0.0.1:{camera.port}"
        async with opened(f"rtsp://{place}/one?a=1", place) as live:
            numbers = [number_of(await live.pictures.get()) for _ in range(10)]
            assert numbers == sorted(numbers)
            assert numbers[-1] < 4 * RATE_FPS
            camera.hang_up()
            again = number_of(await asyncio.wait_for(live.pictures.get(), 30))
            assert again <= numbers[-1] + RATE_FPS
        assert any(line.startswith("PLAY") for line in camera.asked)
        camera.redirect = f"rtsp://127.0.0.1:{inside.port}/one"
        await refused(f"rtsp://{place}/one", place)
        assert inside.asked == []


async def test_a_host_that_refuses_is_told_without_its_inner_address() -> None:
    with socket.create_server(("127.0.0.1", 0)) as closed:
        place = f"localhost:{closed.getsockname()[1]}"
    allowed = Allowed.of([place], [ip_network("127.0.0.0/8")])
    for scheme in ("rtsp", "http"):
        with pytest.raises(AddressError) as caught:
            await LiveStream(allowed.check(f"{scheme}://{place}/one"), allowed).open()
        assert str(caught.value) == f"{scheme}://{place}: Connection refused"


async def test_a_host_that_is_silent_is_given_up() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        place = f"127.0.0.1:{silent.getsockname()[1]}"
        assert await refused(f"http://{place}/live", place) == f"http://{place}: no answer"


async def test_a_session_watches_a_stream_and_changes_to_a_film_and_back(
    serve: Serve, stream_file: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    async with site(live=file(stream_file)) as place:
        viewer = RtcViewer(await serve(live_hosts=place))
        await viewer.open(media=f"http://me:hidden@{place}/live?key=hidden", sound=True)
        assert (await viewer.frame()).width == 160
        await viewer.sound()
        playback = await viewer.hear("playback")
        assert playback["position"] is None
        for command in ({"seek": 1.0}, {"loop": True}):
            heard = len(viewer.messages)
            viewer.say(type="playback", **command)
            assert (await viewer.hear("error", after=heard))["status"] == 409
        for name, width in (("grid", 640), (f"http://{place}/live", 160)):
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


async def test_a_session_is_told_that_its_stream_is_lost_and_that_it_is_back(serve: Serve) -> None:
    async with rtsp_server() as camera:
        place = f"127.0.0.1:{camera.port}"
        client = await serve(live_hosts=place)
        viewer = RtcViewer(client)
        await viewer.open(media=f"rtsp://{place}/one")
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
