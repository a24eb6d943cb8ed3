"""The examples of docs/sdk.md, run as they stand there, on pages of another origin."""

import asyncio
import http.server
import json
import re
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.browser.page import Page, chromium, firefox
from tests.browser.visitor import TIMEOUT_S, Visitor
from tests.films import make_film, texture
from tests.server_process import ROOT, ServerProcess, free_port, running_server

Open = Callable[[], AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])

DOC = (ROOT / "docs" / "sdk.md").read_text()
MODULES = ROOT / "node_modules"

# React comes as CommonJS for bundlers; these are all that an app of it needs.
REACT = {
    "react": "react/cjs/react.production.js",
    "react/jsx-runtime": "react/cjs/react-jsx-runtime.production.js",
    "react-dom": "react-dom/cjs/react-dom.production.js",
    "react-dom/client": "react-dom/cjs/react-dom-client.production.js",
    "scheduler": "scheduler/cjs/scheduler.production.js",
}
TRANSPILE = """
const { default: ts } = await import('typescript');
const source = await new Response(process.stdin).text();
const compilerOptions = { jsx: 'react-jsx', module: 'commonjs', target: 'es2022' };
const { outputText } = ts.transpileModule(source, { fileName: 'main.jsx', compilerOptions });
process.stdout.write(outputText);
"""

ELEMENT = "document.querySelector('gaze-film')"
STATE = f"() => {ELEMENT}.state"
PLAYS = f"""() => {{
  const {{ video }} = {ELEMENT};
  return video.videoWidth > 0 && !video.paused && video.currentTime > 0.5;
}}"""
# Notes every camera that the page opens.
WATCH_CAMERA = """() => {
  window.cameras = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await open(constraints);
    window.cameras.push(stream.getVideoTracks()[0]);
    return stream;
  };
}"""


def example(heading: str, language: str = "html") -> str:
    """The first code block of a language under a heading of docs/sdk.md."""
    section = re.split(r"^#+ ", DOC.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.M)[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)
    assert found, f"no {language} under {heading}"
    return found[1]


class Host:
    """A web site of its own that shows one page at a time."""

    def __init__(self, server: ServerProcess, url: str) -> None:
        self.server = server
        self.url = url
        self.page = ""

    def show(self, source: str) -> None:
        """Serve a page; gaze.example becomes the server under test."""
        self.page = source.replace("https://gaze.example", self.server.url)


@contextmanager
def _served(port: int, page: Callable[[], str]) -> Iterator[None]:
    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = page().encode() if self.path == "/" else b""
            self.send_response(200 if body else 404)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield
        site.shutdown()


@pytest.fixture(scope="module")
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Host]:
    """A site that the server's operator allows."""
    folder = tmp_path_factory.mktemp("hosted")
    make_film(folder / "demo.mp4", texture(640, 360), 20.0)
    port = free_port()
    url = f"http://localhost:{port}"
    flags = ("--media", str(folder), "--allowed-origins", url, "--sessions-per-minute", "1000")
    with running_server(*flags) as server:
        host = Host(server, url)
        with _served(port, lambda: host.page):
            yield host


async def until(page: Page, condition: str, *arguments: Any) -> Any:
    """Wait until a JavaScript function of the page returns something true."""
    return await Visitor(page, "").until(lambda: page.call(condition, *arguments))


async def _all_have_left(host: Host) -> None:
    """Wait until the server has no session, not even one that waits to be taken up again."""
    async with asyncio.timeout(TIMEOUT_S):
        while any(
            count
            for name, count in host.server.figures().items()
            if name.startswith("gaze_sessions{") and "ended" not in name
        ):
            await asyncio.sleep(0.1)


@both_browsers
async def test_three_lines(host: Host, browser: Open) -> None:
    host.show(example("Three lines"))
    assert len(host.page.strip().splitlines()) == 3
    async with browser() as page:
        await page.goto(host.url)
        await until(page, f"() => Boolean({ELEMENT}?.shadowRoot?.querySelector('button'))")
        await page.call(WATCH_CAMERA)
        assert await page.call("() => window.cameras.length") == 0
        await page.call(f"() => {{ {ELEMENT}.shadowRoot.querySelector('button').click(); }}")
        await until(page, PLAYS)
        assert await page.call(STATE) == "connected"
        assert await page.call(f"() => {ELEMENT}.client.stream.getTracks().length") == 2
        assert await page.call("() => window.cameras.map(({ readyState }) => readyState)") == [
            "live"
        ]


@both_browsers
async def test_consent_is_the_pages(host: Host, browser: Open) -> None:
    host.show(example("Consent handled by your page"))
    async with browser() as page:
        await page.goto(host.url)
        await until(page, f"() => Boolean({ELEMENT}?.shadowRoot)")
        await page.call(WATCH_CAMERA)
        press = "() => { document.querySelector('form button').click(); }"
        await page.call(press)
        assert await page.call(STATE) == "idle"
        assert await page.call("() => window.cameras.length") == 0

        await page.call("() => { document.getElementById('agree').click(); }")
        await page.call(press)
        await until(page, PLAYS)

        await page.call("() => { document.getElementById('withdraw').click(); }")
        await until(page, "() => window.cameras[0].readyState === 'ended'")
        assert await page.call(STATE) == "closed"
        await _all_have_left(host)
        box = "() => document.querySelector('form').getBoundingClientRect().width > 0"
        assert await page.call(box)


def _bundle(jsx: str) -> str:
    """One page with React and an app of it, put together by hand."""
    main = subprocess.run(
        ["node", "--input-type=module", "-e", TRANSPILE],
        input=jsx,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    sources = {name: (MODULES / file).read_text() for name, file in REACT.items()} | {"main": main}
    functions = ",\n".join(
        f"{json.dumps(name)}: (module, exports, require) => {{ {source}\n }}"
        for name, source in sources.items()
    )
    return f"""<!doctype html>
<div id="root"></div>
<script type="module">
import * as film from 'https://gaze.example/client/gaze-film.js';
const made = {{ 'gaze-client/gaze-film.js': film }};
const sources = {{ {functions} }};
function require(name) {{
  if (name in made) return made[name];
  const module = {{ exports: {{}} }};
  sources[name](module, module.exports, require);
  return (made[name] = module.exports);
}}
require('main');
</script>"""


@both_browsers
async def test_react(host: Host, browser: Open) -> None:
    host.show(_bundle(example("React", "jsx")))
    async with browser() as page:
        await page.goto(host.url)
        await until(page, f"() => Boolean({ELEMENT}?.shadowRoot?.querySelector('button'))")
        await page.call(f"() => {{ {ELEMENT}.shadowRoot.querySelector('button').click(); }}")
        await until(page, PLAYS)
        await until(page, "() => document.querySelector('p').textContent.startsWith('connected')")
        await page.call(
            """() => {
              const slider = document.querySelector('input[type=range]');
              Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')
                .set.call(slider, '0.3');
              slider.dispatchEvent(new Event('input', { bubbles: true }));
            }"""
        )
        chain = (
            f"""async () => (await {ELEMENT}.client.setEffects({ELEMENT}.effects))[0].strength"""
        )
        assert await page.call(chain) == pytest.approx(0.3)
        for x in np.linspace(300, 600, 20):
            await page.point(float(x), 300.0)
        await until(
            page, "() => /fixation|saccade|pursuit/.test(document.querySelector('p').textContent)"
        )


@both_browsers
async def test_own_player(host: Host, browser: Open) -> None:
    host.show(example("Your own player"))
    words = "() => document.getElementById('words').textContent"
    press = "(id) => { document.getElementById(id).click(); }"
    async with browser() as page:
        await page.goto(host.url)
        await until(page, "() => document.readyState === 'complete'")
        await page.call(press, "start")
        await until(page, "() => document.getElementById('film').currentTime > 0.5")
        assert await page.call(words) == "connected"
        await page.call(press, "toggle")
        await until(page, "() => document.getElementById('film').classList.contains('waits')")
        assert await page.call("() => document.getElementById('toggle').textContent") == "Play"
        await page.call(press, "toggle")
        await until(page, "() => !document.getElementById('film').classList.contains('waits')")
        await page.call(press, "closer")
        await until(page, f"() => ({words})() === 'now: zoom'")
        await page.call(press, "leave")
        await until(page, f"() => ({words})() === 'closed'")
        assert await page.call("() => document.getElementById('closer').disabled")


async def test_calibration_with_own_dots(host: Host, cameras: Path) -> None:
    """A viewer who stares past the dots: every step is answered, and the verdict says so."""
    host.show(
        example("Three lines")
        + f"<script type=module>{example('Calibration with your own dots', 'js')}"
        + "window.calibrate = calibrate;</script>"
    )
    async with chromium(cameras / "steady.mjpeg") as page:
        await page.goto(host.url)
        await until(page, f"() => Boolean({ELEMENT}?.shadowRoot && window.calibrate)")
        await page.call(f"() => {{ {ELEMENT}.start(); }}")
        await until(page, PLAYS)
        result = await page.call(
            f"""async () => {{
              window.dots = [];
              return window.calibrate({ELEMENT}.client, async (place) => window.dots.push(place));
            }}"""
        )
        assert len(await page.call("() => window.dots")) == 9
        assert result["quality"]["verdict"] == "retry"
        assert result["model"]["version"]


@both_browsers
async def test_a_page_of_an_origin_that_is_not_allowed_gets_nothing(
    host: Host, browser: Open
) -> None:
    host.show(example("Three lines"))
    port = free_port()
    async with browser() as page:
        with _served(port, lambda: host.page):
            await page.goto(f"http://localhost:{port}")
            loaded = "(url) => import(`${url}/client/gaze-film.js`).then(() => true, () => false)"
            assert not await page.call(loaded, host.server.url)
            assert await page.call(f"() => {ELEMENT}.shadowRoot === null")
