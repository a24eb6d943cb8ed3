"""A web site of another origin than the server's, which embeds its films."""

import asyncio
import http.server
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from simulation.browser.page import Page
from simulation.browser.visitor import TIMEOUT_S, Visitor
from simulation.server_process import ServerProcess

ELEMENT = "document.querySelector('gaze-film')"
STATE = f"() => {ELEMENT}.state"
UPGRADED = f"() => Boolean({ELEMENT}?.shadowRoot)"
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


class Host:
    """A site that the server's operator allows; it shows one page at a time."""

    def __init__(self, server: ServerProcess, url: str) -> None:
        self.server = server
        self.url = url
        self.page = ""
        self.files: dict[str, Path] = {}

    def show(self, source: str) -> None:
        """Serve a page; in it gaze.example becomes the server under test, and demo its film."""
        source = source.replace("https://gaze.example", self.server.url)
        self.page = re.sub(r"([\"'])demo\1", '"texture"', source)

    def body(self, path: str) -> bytes | None:
        """What lies at a path of the site."""
        if path == "/":
            return self.page.encode()
        return self.files[path].read_bytes() if path in self.files else None

    @property
    def sessions(self) -> float:
        """How many sessions the server has, those included that wait to be taken up again."""
        figures = self.server.figures().items()
        return sum(count for name, count in figures if name.startswith("gaze_sessions{"))

    async def has_sessions(self, count: float) -> None:
        """Wait until the server has so many sessions."""
        async with asyncio.timeout(TIMEOUT_S):
            while self.sessions != count:
                await asyncio.sleep(0.1)


@contextmanager
def served(port: int, body: Callable[[str], bytes | None]) -> Iterator[None]:
    """Serve what a function gives for a path, on a port of loopback."""

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            content = body(self.path)
            self.send_response(404 if content is None else 200)
            self.send_header("Content-Type", "text/html; charset=utf-8")
            self.send_header("Content-Length", str(len(content or b"")))
            self.end_headers()
            self.wfile.write(content or b"")

        def log_message(self, *_: Any) -> None:
            pass

    with http.server.ThreadingHTTPServer(("127.0.0.1", port), Handler) as site:
        threading.Thread(target=site.serve_forever, daemon=True).start()
        yield
        site.shutdown()


async def until(page: Page, condition: str, *arguments: Any) -> Any:
    """Wait until a JavaScript function of the page returns something true, and return it."""
    return await Visitor(page, "").until(lambda: page.call(condition, *arguments))
