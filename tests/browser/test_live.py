"""Live streams by their address: offered where the operator allows some, and refused in words."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.visitor import Visitor
from simulation.rtsp_server import rtsp_server
from simulation.server_process import ServerProcess, free_port, running_server
from tests.browser.conftest import FLAGS
from tests.browser.test_access import violations
from tests.browser.test_page import chosen, is_hidden, is_state, shown, text

Open = Callable[..., AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])

CAMERA_WIDTH_PX, FILM_WIDTH_PX = 128, 640


@both_browsers
async def test_a_live_stream_is_watched_by_its_address(films: Path, browser: Open) -> None:
    dead = f"127.0.0.1:{free_port()}"
    async with rtsp_server() as camera, browser() as page:
        live = f"127.0.0.1:{camera.port}"
        hosts = f"{live},{dead}"
        with running_server("--media", str(films), "--live-hosts", hosts, *FLAGS) as server:
            visitor = Visitor(page, server.url)

            async def choose(address: str) -> None:
                await page.call(
                    "(url) => { document.getElementById('live-address').value = url; }", address
                )
                await page.click("live-choose")

            async def is_wide(width_px: int) -> None:
                width = "() => document.getElementById('film').videoWidth"

                async def found() -> bool:
                    return bool(await page.call(width) == width_px)

                await visitor.until(found)

            async def says(test_id: str, part: str) -> None:
                async def said() -> bool:
                    return part in await text(page, test_id)

                await visitor.until(said)

            await visitor.visit(media="texture", effects="[]", gaze="pointer")
            await choose(f"rtsp://{dead}/one")
            await page.click("start-pointer")
            await visitor.until(lambda: is_state(page, "problem"))
            assert f"rtsp://{dead}: Connection refused." in await text(page, "problem")
            await page.click("problem-back")

            await choose(f"rtsp://{live}/one?key=hidden")
            await visitor.start("start-pointer")
            await is_wide(CAMERA_WIDTH_PX)
            assert "hidden" not in await page.call("() => location.href")
            await choose("rtsp://127.0.0.1:1/one")
            await says("film-problem", "The operator does not allow 127.0.0.1:1.")
            assert await violations(page) == []
            assert await text(page, "source-hint") == f"Live from {live}"

            await page.click("film-texture")
            await is_wide(FILM_WIDTH_PX)
            await choose(f"rtsp://{dead}/one")
            await says("film-problem", f"rtsp://{dead}: Connection refused.")
            assert await chosen(page, "texture")
            await choose(f"rtsp://{live}/one")
            await is_wide(CAMERA_WIDTH_PX)
            assert not await chosen(page, "texture")

            await visitor.reload()
            await is_wide(CAMERA_WIDTH_PX)
            assert await text(page, "source-hint") == f"Live from {live}"
            camera.hang_up()
            await says("notice", "The live stream is lost and tried again")
            assert await shown(page, "notice")
            assert await text(page, "film-problem") == ""
            await says("notice", "The live stream is back")


@both_browsers
async def test_no_address_is_asked_for_where_none_is_allowed(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        await Visitor(page, server.url).visit()
        assert await is_hidden(page, "live")
