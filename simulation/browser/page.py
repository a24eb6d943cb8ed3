"""One page in a real browser, the same for Chromium and Firefox."""

import asyncio
import base64
import contextlib
import itertools
import json
import os
import shutil
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from pathlib import Path
from typing import Any, Protocol, TypeVar

from playwright.async_api import Browser, async_playwright
from playwright.async_api import Page as PlaywrightPage
from typing_extensions import override

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
    """What can be done with a page in any browser; JavaScript functions are given as source."""

    async def goto(self, url: str) -> None:
        """Load an address and wait until it is loaded.

        Parameters
        ----------
        url : str
            The address.
        """

    async def reload(self) -> None:
        """Load the page again."""

    async def call(self, function: str, *arguments: object) -> Any:  # noqa: ANN401 - JSON
        """Call an async JavaScript function in the page.

        Parameters
        ----------
        function : str
            Its source text.
        *arguments : object
            Anything that can be written as JSON.

        Returns
        -------
        Any
            What it returns, as JSON.
        """
        ...

    async def click(self, test_id: str) -> None:
        """Click an element.

        Parameters
        ----------
        test_id : str
            Its `data-testid`.
        """

    async def point(self, x: float, y: float) -> None:
        """Move the mouse.

        Parameters
        ----------
        x, y : float
            CSS pixels of the viewport.
        """
        ...

    async def press(self, key: str) -> None:
        """Press and release a key.

        Parameters
        ----------
        key : str
            Its DOM name, such as `Tab`, `Enter`, `ArrowRight`, `s`.
        """
        ...

    async def upload(self, test_id: str, file: Path) -> None:
        """Choose a file.

        Parameters
        ----------
        test_id : str
            The input element's `data-testid`.
        file : Path
            The file.
        """

    async def resize(self, width: int, height: int, pixel_ratio: float = 1.0) -> None:
        """Change the viewport.

        Parameters
        ----------
        width, height : int
            CSS pixels.
        pixel_ratio : float, default 1.0
            Device pixels for one CSS pixel.
        """
        ...

    async def prefer(self, *, light: bool) -> None:
        """Change the colour scheme that the viewer's system prefers.

        Parameters
        ----------
        light : bool
            Light, or dark.
        """
        ...

    async def screenshot(self, path: Path) -> None:
        """Write a picture of the viewport.

        Parameters
        ----------
        path : Path
            A PNG file.
        """

    async def close(self) -> None:
        """Close the page as a viewer closes a tab."""
        ...


def _executable(names: tuple[str, ...]) -> str:
    for name in names:
        if found := shutil.which(name):
            return found
    raise FileNotFoundError(f"none of {', '.join(names)} is installed; make test installs them")


MAX_COLLECTIONS = 10


class ChromiumPage(Page):
    """A page in Chromium, which can also measure what the page costs."""

    def __init__(self, page: PlaywrightPage) -> None:
        self._page = page

    @override
    async def goto(self, url: str) -> None:
        await self._page.goto(url)

    @override
    async def reload(self) -> None:
        await self._page.reload()

    @override
    async def call(self, function: str, *arguments: object) -> Any:
        return await self._page.evaluate(f"(all) => ({function})(...all)", list(arguments))

    @override
    async def click(self, test_id: str) -> None:
        await self._page.get_by_test_id(test_id).click()

    @override
    async def point(self, x: float, y: float) -> None:
        await self._page.mouse.move(x, y)

    @override
    async def press(self, key: str) -> None:
        await self._page.keyboard.press(key)

    @override
    async def upload(self, test_id: str, file: Path) -> None:
        await self._page.get_by_test_id(test_id).set_input_files(file)

    @override
    async def resize(self, width: int, height: int, pixel_ratio: float = 1.0) -> None:
        await self._page.set_viewport_size({"width": width, "height": height})
        if pixel_ratio == 1.0:
            return
        session = await self._page.context.new_cdp_session(self._page)
        metrics = {"width": width, "height": height, "deviceScaleFactor": pixel_ratio}
        await session.send("Emulation.setDeviceMetricsOverride", {**metrics, "mobile": False})

    @override
    async def prefer(self, *, light: bool) -> None:
        await self._page.emulate_media(color_scheme="light" if light else "dark")

    @override
    async def screenshot(self, path: Path) -> None:
        await self._page.screenshot(path=path)

    @override
    async def close(self) -> None:
        await self._page.close(run_before_unload=False)

    async def trace(self, duration_s: float) -> list[dict[str, Any]]:
        """Record Chromium's own trace, of all its processes.

        Parameters
        ----------
        duration_s : float
            How long.

        Returns
        -------
        list of dict
            The trace's events.
        """
        browser = self._page.context.browser
        if browser is None:
            raise RuntimeError("the page's context belongs to no browser that can be traced")
        await browser.start_tracing(page=self._page, categories=["toplevel", "__metadata"])
        await asyncio.sleep(duration_s)
        events: list[dict[str, Any]] = json.loads(await browser.stop_tracing())["traceEvents"]
        return events

    async def metrics(self) -> dict[str, float]:
        """Return Chromium's counts of heap bytes, nodes and listeners after garbage collection."""
        session = await self._page.context.new_cdp_session(self._page)
        await session.send("HeapProfiler.enable")
        await session.send("Performance.enable")

        async def collected() -> dict[str, float]:
            await session.send("HeapProfiler.collectGarbage")
            found = (await session.send("Performance.getMetrics"))["metrics"]
            return {metric["name"]: metric["value"] for metric in found}

        figures = await collected()
        # Later collections free what finalizers released, and what a frame in progress still held.
        for _ in range(MAX_COLLECTIONS):
            again = await collected()
            if again["JSHeapUsedSize"] >= 0.99 * figures["JSHeapUsedSize"]:
                break
            figures = again
        await session.detach()
        return figures


_kept: tuple[contextlib.AsyncExitStack, dict[str, Any]] | None = None


@contextlib.asynccontextmanager
async def browsers_kept() -> AsyncIterator[None]:
    """Keep browsers that need no special flags running from one page to the next.

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
    """Return the browser that is kept under a name, or else start one for this page."""
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
    """Run a page in headless Chromium.

    Parameters
    ----------
    camera : Path, optional
        A `.mjpeg` or `.y4m` file that is played in a loop as the camera; by default Chromium's own
        test pattern.
    cameras : int, default 1
        How many cameras there are.
    allowed : bool, default True
        What the viewer answers when asked for a camera.
    blocked : str, optional
        Requests whose address fits this glob fail.
    light : bool, default False
        The colour scheme that the viewer's system prefers.

    Yields
    ------
    ChromiumPage
        An empty page, closed at the end.

    Raises
    ------
    FileNotFoundError
        If Chromium is not installed.
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


class _FirefoxPage(Page):
    """A page in Firefox; talks to `firefox.mjs`, one JSON object a line in each direction."""

    def __init__(self, process: asyncio.subprocess.Process) -> None:
        if process.stdin is None or process.stdout is None:
            raise ValueError("firefox.mjs must run with pipes as stdin and stdout")
        self._stdin, self._stdout = process.stdin, process.stdout
        self._numbers = itertools.count()

    async def _do(self, action: str, **arguments: object) -> Any:  # noqa: ANN401 - JSON
        number = next(self._numbers)
        line = json.dumps({"number": number, "action": action, **arguments})
        self._stdin.write(line.encode() + b"\n")
        await self._stdin.drain()
        answer = json.loads(await self._stdout.readline() or b'{"error":"firefox.mjs ended"}')
        if "error" in answer:
            raise RuntimeError(f"{action}: {answer['error']}")
        if answer["number"] != number:
            raise RuntimeError(f"{action}: firefox.mjs answered another request")
        return answer.get("value")

    async def launch(self) -> None:
        """Start Firefox."""
        await self._do("launch", executable=_executable(FIREFOX))

    async def open(self, preferences: dict[str, Any]) -> None:
        """Open a window with storage of its own, which the other actions are then about."""
        await self._do("open", preferences=preferences)

    async def leave(self) -> None:
        """Close that window, and forget its storage."""
        await self._do("leave")

    @override
    async def goto(self, url: str) -> None:
        await self._do("goto", url=url)

    @override
    async def reload(self) -> None:
        await self._do("reload")

    @override
    async def call(self, function: str, *arguments: object) -> Any:
        return await self._do("call", function=function, arguments=list(arguments))

    @override
    async def click(self, test_id: str) -> None:
        await self._do("click", selector=f'[data-testid="{test_id}"]')

    @override
    async def point(self, x: float, y: float) -> None:
        await self._do("point", x=x, y=y)

    @override
    async def press(self, key: str) -> None:
        await self._do("press", key=key)

    @override
    async def upload(self, test_id: str, file: Path) -> None:
        await self._do("upload", selector=f'[data-testid="{test_id}"]', file=str(file))

    @override
    async def resize(self, width: int, height: int, pixel_ratio: float = 1.0) -> None:
        await self._do("resize", width=width, height=height, pixelRatio=pixel_ratio)

    @override
    async def prefer(self, *, light: bool) -> None:
        await self._do("prefer", preferences=_colours(light))

    @override
    async def screenshot(self, path: Path) -> None:
        image = base64.b64decode(await self._do("screenshot"))
        await asyncio.to_thread(path.write_bytes, image)

    @override
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
        env={**os.environ, "HOME": os.environ.get("HOME", tempfile.gettempdir())},
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
    """Run a page in headless Firefox, whose own fake camera shows no face.

    Parameters
    ----------
    cameras : int, default 1
        How many cameras there are, 0 or 1.
    allowed : bool, default True
        What the viewer answers when asked for a camera.
    light : bool, default False
        The colour scheme that the viewer's system prefers.

    Yields
    ------
    Page
        An empty page, closed at the end.

    Raises
    ------
    FileNotFoundError
        If Firefox is not installed.
    """
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
