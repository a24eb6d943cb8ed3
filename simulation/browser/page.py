"""One page in a real browser, the same for Chromium and Firefox."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from playwright.async_api import Browser, async_playwright
from playwright.async_api import Page as PlaywrightPage

T = TypeVar("T")

CHROMIUM = ("chromium", "chromium-browser", "google-chrome")
FIREFOX = ("firefox-esr", "firefox")
CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
    "--use-fake-ui-for-media-stream",
    "--use-fake-device-for-media-stream",
    "--auto-select-desktop-capture-source=Entire screen",
)


class Page(Protocol):
    """What the tests do with a page; a JavaScript function is given as its source text."""

    async def goto(self, url: str) -> None: ...

    async def reload(self) -> None: ...

    async def call(self, function: str, *arguments: Any) -> Any:
        """Call an async JavaScript function in the page and return what it returns, as JSON."""
        ...

    async def click(self, test_id: str) -> None: ...

    async def point(self, x: float, y: float) -> None:
        """Move the mouse, in CSS pixels of the viewport."""
        ...

    async def press(self, key: str) -> None:
        """Press and release a key, by its DOM name (`Tab`, `Enter`, `ArrowRight`, `s`)."""
        ...

    async def upload(self, test_id: str, file: Path) -> None: ...

    async def resize(self, width: int, height: int, pixel_ratio: float = 1.0) -> None:
        """Change the viewport: CSS pixels, and how many of the device's make one."""
        ...

    async def prefer(self, *, light: bool) -> None:
        """Change what the viewer's system prefers: colours of the day or of the night."""
        ...

    async def screenshot(self, path: Path) -> None: ...

    async def close(self) -> None:
        """Close the page as a viewer closes a tab."""
        ...


def _executable(names: tuple[str, ...]) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(f"none of {', '.join(names)} is installed; make test installs them")


MOST_COLLECTIONS = 10


class ChromiumPage:
    """Also tells what the page costs, which only Chromium can."""

    def __init__(self, page: PlaywrightPage) -> None:
        self._page = page

    async def goto(self, url: str) -> None:
        await self._page.goto(url)

    async def reload(self) -> None:
        await self._page.reload()

    async def call(self, function: str, *arguments: Any) -> Any:
        return await self._page.evaluate(f"(all) => ({function})(...all)", list(arguments))

    async def click(self, test_id: str) -> None:
        await self._page.get_by_test_id(test_id).click()

    async def point(self, x: float, y: float) -> None:
        await self._page.mouse.move(x, y)

    async def press(self, key: str) -> None:
        await self._page.keyboard.press(key)

    async def upload(self, test_id: str, file: Path) -> None:
        await self._page.get_by_test_id(test_id).set_input_files(file)

    async def resize(self, width: int, height: int, pixel_ratio: float = 1.0) -> None:
        await self._page.set_viewport_size({"width": width, "height": height})
        if pixel_ratio == 1.0:
            return
        session = await self._page.context.new_cdp_session(self._page)
        metrics = {"width": width, "height": height, "deviceScaleFactor": pixel_ratio}
        await session.send("Emulation.setDeviceMetricsOverride", {**metrics, "mobile": False})

    async def prefer(self, *, light: bool) -> None:
        await self._page.emulate_media(color_scheme="light" if light else "dark")

    async def screenshot(self, path: Path) -> None:
        await self._page.screenshot(path=path)

    async def close(self) -> None:
        await self._page.close(run_before_unload=False)

    async def trace(self, duration_s: float) -> list[dict[str, Any]]:
        """The events of Chromium's own trace of so many seconds, of all its processes."""
        browser = self._page.context.browser
        assert browser is not None
        await browser.start_tracing(page=self._page, categories=["toplevel", "__metadata"])
        await asyncio.sleep(duration_s)
        events: list[dict[str, Any]] = json.loads(await browser.stop_tracing())["traceEvents"]
        return events

    async def metrics(self) -> dict[str, float]:
        """What Chromium counts of the page after a garbage collection: heap, nodes, listeners."""
        session = await self._page.context.new_cdp_session(self._page)
        await session.send("HeapProfiler.enable")
        await session.send("Performance.enable")

        async def collected() -> dict[str, float]:
            await session.send("HeapProfiler.collectGarbage")
            found = (await session.send("Performance.getMetrics"))["metrics"]
            return {metric["name"]: metric["value"] for metric in found}

        figures = await collected()
        # What finalizers let go, and what a frame that was under way held, later ones find.
        for _ in range(MOST_COLLECTIONS):
            again = await collected()
            if again["JSHeapUsedSize"] >= 0.99 * figures["JSHeapUsedSize"]:
                break
            figures = again
        await session.detach()
        return figures


_kept: tuple[contextlib.AsyncExitStack, dict[str, Any]] | None = None


@contextlib.asynccontextmanager
async def browsers_kept() -> AsyncIterator[None]:
    """Within it, a browser without special wishes goes on running from one page to the next.

    Each page still has cookies, storage and a window of its own.
    """
    global _kept
    async with contextlib.AsyncExitStack() as stack:
        _kept = stack, {}
        try:
            yield
        finally:
            _kept = None


@contextlib.asynccontextmanager
async def _running(
    name: str | None, start: Callable[[], contextlib.AbstractAsyncContextManager[T]]
) -> AsyncIterator[T]:
    """The browser that is kept under this name, or else one of the page's own."""
    if _kept is None or name is None:
        async with start() as browser:
            yield browser
        return
    stack, browsers = _kept
    if name not in browsers:
        browsers[name] = await stack.enter_async_context(start())
    yield browsers[name]


@contextlib.asynccontextmanager
async def _chromium(flags: Sequence[str]) -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(
            executable_path=_executable(CHROMIUM), args=flags
        )
        try:
            yield browser
        finally:
            await browser.close()


@contextlib.asynccontextmanager
async def chromium(
    camera: Path | None = None,
    *,
    cameras: int = 1,
    allowed: bool = True,
    blocked: str | None = None,
    light: bool = False,
) -> AsyncIterator[ChromiumPage]:
    """Headless Chromium; `camera` (.mjpeg or .y4m) is played in a loop as its webcam.

    `cameras` is how many there are, `allowed` what the viewer answers when asked for one. Requests
    whose address fits the glob `blocked` fail. `light` is what the viewer's system prefers.
    """
    flags = [*CHROMIUM_FLAGS]
    if camera is not None:
        flags.append(f"--use-file-for-fake-video-capture={camera}")
    if cameras != 1:
        flags.append(f"--use-fake-device-for-media-stream=device-count={cameras}")
    if not allowed:
        flags.remove("--use-fake-ui-for-media-stream")
        flags.append("--deny-permission-prompts")
    name = "chromium" if flags == [*CHROMIUM_FLAGS] else None
    async with _running(name, lambda: _chromium(flags)) as browser:
        context = await browser.new_context(
            viewport={"width": 1440, "height": 900}, color_scheme="light" if light else "dark"
        )
        try:
            if allowed:
                await context.grant_permissions(["camera"])
            if blocked is not None:
                await context.route(blocked, lambda route: route.abort())
            yield ChromiumPage(await context.new_page())
        finally:
            await context.close()


class _FirefoxPage:
    """Talks to `firefox.mjs`, one JSON object a line each way."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        self._process = process
        self._numbers = itertools.count()

    async def _do(self, action: str, **arguments: Any) -> Any:
        process = self._process
        assert process.stdin is not None
        assert process.stdout is not None
        number = next(self._numbers)
        line = json.dumps({"number": number, "action": action, **arguments})
        process.stdin.write(line.encode() + b"\n")
        await process.stdin.drain()
        answer = json.loads(await process.stdout.readline() or b'{"error":"firefox.mjs ended"}')
        if "error" in answer:
            raise RuntimeError(f"{action}: {answer['error']}")
        assert answer["number"] == number
        return answer.get("value")

    async def launch(self) -> None:
        await self._do("launch", executable=_executable(FIREFOX))

    async def open(self, preferences: dict[str, Any]) -> None:
        """Open a window with storage of its own, which the other actions are then about."""
        await self._do("open", preferences=preferences)

    async def leave(self) -> None:
        """Close that window, and forget its storage."""
        await self._do("leave")

    async def goto(self, url: str) -> None:
        await self._do("goto", url=url)

    async def reload(self) -> None:
        await self._do("reload")

    async def call(self, function: str, *arguments: Any) -> Any:
        return await self._do("call", function=function, arguments=list(arguments))

    async def click(self, test_id: str) -> None:
        await self._do("click", selector=f'[data-testid="{test_id}"]')

    async def point(self, x: float, y: float) -> None:
        await self._do("point", x=x, y=y)

    async def press(self, key: str) -> None:
        await self._do("press", key=key)

    async def upload(self, test_id: str, file: Path) -> None:
        await self._do("upload", selector=f'[data-testid="{test_id}"]', file=str(file))

    async def resize(self, width: int, height: int, pixel_ratio: float = 1.0) -> None:
        await self._do("resize", width=width, height=height, pixelRatio=pixel_ratio)

    async def prefer(self, *, light: bool) -> None:
        await self._do("prefer", preferences=_colours(light))

    async def screenshot(self, path: Path) -> None:
        image = base64.b64decode(await self._do("screenshot"))
        await asyncio.to_thread(path.write_bytes, image)

    async def close(self) -> None:
        await self._do("close")

    async def quit(self) -> None:
        await self._do("quit")


def _colours(light: bool) -> dict[str, int]:
    return {"layout.css.prefers-color-scheme.content-override": int(light)}


@contextlib.asynccontextmanager
async def _firefox() -> AsyncIterator[_FirefoxPage]:
    process = await asyncio.create_subprocess_exec(
        "node",
        str(Path(__file__).with_name("firefox.mjs")),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        limit=64 * 1024 * 1024,
        env={**os.environ, "HOME": os.environ.get("HOME", "/tmp")},
    )
    page = _FirefoxPage(process)
    try:
        await page.launch()
        yield page
    finally:
        with contextlib.suppress(RuntimeError, ConnectionError):
            await page.quit()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
        await process.wait()


@contextlib.asynccontextmanager
async def firefox(
    *, cameras: int = 1, allowed: bool = True, light: bool = False
) -> AsyncIterator[Page]:
    """Headless Firefox; its own fake camera shows no face. The rest is as for Chromium."""
    preferences = {
        "media.navigator.streams.fake": cameras > 0,
        "media.navigator.permission.disabled": allowed,
        "permissions.default.camera": 0 if allowed else 2,
        **_colours(light),
    }
    async with _running("firefox", _firefox) as page:
        await page.open(preferences)
        try:
            yield page
        finally:
            await page.leave()
