"""Every effect in real browsers: switched on, changed, stacked and removed while the film runs."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import numpy.typing as npt
import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.visitor import Visitor
from simulation.server_process import ServerProcess
from tests.browser.test_main_job import STAND_IN_CAMERA, write_viewer

Grey = npt.NDArray[np.uint8]

LOOK = 0.4, 0.6
SEEN = 14.0
"""Grey levels by which a block of the picture must change; the encoder alone changes it by 5."""

CHANGES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "blur": ({}, {"area": "gaze"}),
    "zoom": ({"mode": "follow"}, {"mode": "follow", "maximum": 3.0}),
    "spotlight": ({}, {"strength": 0.2}),
    "pixelate": ({}, {"area": "gaze"}),
    "grade": ({"brightness": 0.3}, {"brightness": -0.3}),
    "cursor": ({}, {"size": 0.3, "shape": "dot"}),
    "trail": ({"width": 0.05}, {"width": 0.1}),
    "heatmap": ({}, {"opacity": 1.0, "colours": "viridis"}),
    "guide": ({"x": 0.8, "y": 0.3, "strength": 1.0}, {"x": 0.15, "y": 0.5, "strength": 1.0}),
}
"""How each effect begins, and how it is changed."""


def change(before: Grey, after: Grey) -> float:
    """Mean difference in grey levels where it is largest, in blocks of 24 pixels."""
    if before.shape != after.shape:
        before = np.asarray(cv2.resize(before, after.shape[::-1]), np.uint8)
    # The bar at the top moves with the film.
    off = cv2.absdiff(before, after)[after.shape[0] // 10 :]
    return float(cv2.blur(off.astype(np.float32), (24, 24))[12:-12, 12:-12].max())


KEPT = "() => document.querySelector('[data-testid^=preset-own]')?.textContent ?? null"
CHAIN = "() => new URLSearchParams(location.search).get('effects')"


async def choose(visitor: Visitor, *specs: dict[str, Any]) -> None:
    """Send a chain and wait until the server has it."""
    heard = len(await visitor.heard("effects"))
    await visitor.page.call("(specs) => window.gazeApp.client.setEffects(specs)", list(specs))
    told = await visitor.hears("effects", lambda m: True, heard)
    assert [one["name"] for one in told["effects"]] == [one["name"] for one in specs]


@pytest.mark.timeout(300)
@pytest.mark.parametrize("browser", [chromium, firefox])
async def test_effects_are_changed_stacked_and_removed_live(
    server: ServerProcess, browser: Callable[[], AbstractAsyncContextManager[Page]]
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", effects="[]", gaze="pointer")
        await visitor.start("start-pointer")

        async def becomes(picture: Grey, *, other: bool) -> Grey:
            """Keep looking at a place until this picture is seen there, or another one."""
            seen = picture

            async def found() -> bool:
                nonlocal seen
                await visitor.look(*LOOK)
                seen = await visitor.picture()
                off = change(picture, seen)
                return off > SEEN if other else off < SEEN / 2

            await visitor.until(found)
            return seen

        plain = await visitor.picture()
        for _ in range(3):
            # The first pictures are still becoming sharp.
            plain = await becomes(plain, other=False)
        for name, (first, second) in CHANGES.items():
            await choose(visitor, {"name": name, **first})
            before = await becomes(plain, other=True)
            await choose(visitor, {"name": name, **second})
            await becomes(before, other=True)
            await choose(
                visitor, {"name": name, **second}, {"name": "spotlight"}, {"name": "grade"}
            )
            await choose(visitor, {"name": "grade"}, {"name": name, **first})
            await choose(visitor)
            await becomes(plain, other=False)
        assert await visitor.heard("error") == []

        await page.click("effect-pixelate")
        await visitor.hears("effects", lambda m: [e["name"] for e in m["effects"]] == ["pixelate"])
        await becomes(plain, other=True)
        await page.click("preset-save")
        heard = len(await visitor.heard("effects"))
        await page.click("effect-pixelate")
        await visitor.hears("effects", lambda m: m["effects"] == [], heard)
        await becomes(plain, other=False)

        await visitor.visit(effects="[]", gaze="pointer")
        assert await page.call(KEPT) == "Pixelate"
        await page.call("() => document.querySelector('[data-testid^=preset-own]').click()")
        assert await page.call(CHAIN) == "pixelate"
        await page.click("preset-save")
        assert await page.call(KEPT) is None


async def test_the_pause_is_changed_stacked_and_removed_live_in_firefox(
    server: ServerProcess, tmp_path: Path
) -> None:
    """In Chromium `test_main_job` shows that eyes pause the film."""
    camera = tmp_path / "camera.webm"
    write_viewer(camera, [(2, {}), (2, {"openness": 0.0})])
    async with firefox() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", effects="[]")
        await page.call(STAND_IN_CAMERA, camera.read_bytes().hex())
        await visitor.start()
        await visitor.hears("gaze", lambda m: m["attentive"])
        heard = len(await visitor.heard("playback"))

        async def next_playback(*, paused: bool) -> None:
            nonlocal heard
            found = await visitor.hears("playback", after=heard)
            heard += 1
            assert (found["paused"], found["reason"]) == (paused, "attention" if paused else None)

        await choose(visitor, {"name": "pause", "after": 60})
        gazes = len(await visitor.heard("gaze"))
        await visitor.hears("gaze", lambda m: not m["attentive"], gazes)
        gazes = len(await visitor.heard("gaze"))
        await visitor.hears("gaze", lambda m: m["attentive"], gazes)
        assert len(await visitor.heard("playback")) == heard
        await choose(visitor, {"name": "spotlight"}, {"name": "pause", "after": 0.2})
        await next_playback(paused=True)
        await next_playback(paused=False)
        await next_playback(paused=True)
        await page.call("() => window.gazeApp.client.seek(0)")
        await next_playback(paused=True)
        await choose(visitor)
        await next_playback(paused=False)
        gazes = len(await visitor.heard("gaze"))
        await visitor.hears("gaze", lambda m: not m["attentive"], gazes)
        assert len(await visitor.heard("playback")) == heard
        assert await visitor.heard("error") == []
