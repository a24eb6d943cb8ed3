"""Makes the pictures of the README from the running project: `python -m tools.readme_pictures`.

Writes `docs/page.png`, the page in Chromium, `docs/before-after.jpg`, one frame of the demo film
untouched and as it is returned to a viewer who looks at the circle, and `docs/steps-BROWSER.jpg`,
every step through the page on a desk and on a telephone. Names of pictures as arguments make only
those.
"""

import asyncio
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from simulation.browser.page import Page, chromium, firefox
from simulation.browser.synthetic_viewer import look_where_the_page_says
from simulation.browser.visitor import Visitor
from simulation.server_process import ROOT, running_server

DOCS = ROOT / "docs"
DEMO = ROOT / "media" / "demo.mp4"
LOOK = (0.34, 0.6)
FRAME_AT_S = 8.0


async def picture_the_page(path: Path) -> None:
    """The page while a viewer watches with the mouse as the eyes."""
    with running_server("--media", str(DEMO.parent)) as server:
        async with chromium() as page:
            visitor = Visitor(page, server.url)
            await visitor.visit(media="demo", preset="focus", gaze="pointer", dot="1")
            await visitor.start("start-pointer")
            end_s = time.monotonic() + FRAME_AT_S
            while time.monotonic() < end_s:
                await visitor.look(*LOOK)
                await asyncio.sleep(0.2)
            await page.screenshot(path)
    image = cv2.imread(str(path))
    small = cv2.resize(image, None, fx=0.66, fy=0.66, interpolation=cv2.INTER_AREA)
    cv2.imwrite(str(path), small, [cv2.IMWRITE_PNG_COMPRESSION, 9])


STEPS = ("home", "watching", "check", "calibration", "result", "eyes", "summary")
DESK, TELEPHONE = (1440, 900), (390, 844)
SHOWN_HEIGHT_PX = 360


async def picture_the_steps(browser: Any, path: Path) -> None:
    """Every step through the page, one row on a desk and one on a telephone."""
    rows = []
    with (
        running_server("--media", str(DEMO.parent)) as server,
        tempfile.TemporaryDirectory() as folder,
    ):
        for number, size in enumerate((DESK, TELEPHONE)):
            async with browser(light=number == 1) as page:
                await page.resize(*size)
                pictures = Path(folder) / str(number)
                pictures.mkdir()
                await _take_the_steps(page, Visitor(page, server.url), pictures)
            rows.append(_row([pictures / f"{step}.png" for step in STEPS]))
    width = max(row.shape[1] for row in rows)
    padded = [np.pad(row, ((0, 0), (0, width - row.shape[1]), (0, 0))) for row in rows]
    cv2.imwrite(str(path), np.vstack(padded), [cv2.IMWRITE_JPEG_QUALITY, 78])


async def _take_the_steps(page: Page, visitor: Visitor, folder: Path) -> None:
    async def seen(test_id: str) -> None:
        await visitor.until(
            lambda: page.call(
                "(id) => document.querySelector(`[data-testid=${id}]`)?.checkVisibility() ?? false",
                test_id,
            )
        )
        await asyncio.sleep(0.8)

    await visitor.visit(media="demo", preset="focus")
    await look_where_the_page_says(page)
    await asyncio.sleep(1)
    await page.screenshot(folder / "home.png")
    await visitor.start()
    await seen("leave")
    await page.screenshot(folder / "watching.png")
    await page.click("calibrate")
    await seen("check")
    await asyncio.sleep(2)
    await page.screenshot(folder / "check.png")
    await page.click("plan-5")
    await page.click("check-begin")
    await visitor.hears("calibration", lambda m: 0.4 < m["progress"] < 1)
    await page.screenshot(folder / "calibration.png")
    await seen("calibration-result")
    await page.screenshot(folder / "result.png")
    await page.click("calibration-use")
    await page.click("trail")
    await page.click("eyes-toggle")
    await asyncio.sleep(8)
    await page.call("() => document.getElementById('eyes-panel').scrollIntoView({block: 'end'})")
    await asyncio.sleep(1)
    await page.screenshot(folder / "eyes.png")
    await page.call("() => scrollTo(0, 0)")
    await page.click("leave")
    await seen("summary")
    await page.screenshot(folder / "summary.png")


def _row(paths: list[Path]) -> npt.NDArray[np.uint8]:
    images = []
    for path in paths:
        image = cv2.imread(str(path))
        scale = SHOWN_HEIGHT_PX / image.shape[0]
        small = cv2.resize(image, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
        images.append(cv2.copyMakeBorder(small, 4, 4, 4, 4, cv2.BORDER_CONSTANT))
    return np.asarray(np.hstack(images), np.uint8)


def picture_one_frame(path: Path) -> None:
    """One frame before and after, side by side."""
    with av.open(str(DEMO)) as container:
        frame = next(f for f in container.decode(video=0) if f.time and f.time >= FRAME_AT_S)
    chain = Chain([{"name": "blur"}])
    for step in range(60):
        gaze = GazeState(t_s=step / 30, shown=LOOK, dwell_s=step / 30)
        chain.update(gaze, step / 30)
        after = chain.apply(frame, gaze, step / 30)
    pair = [shown.to_ndarray(format="bgr24") for shown in (frame, after)]
    for image in pair:
        _circle(image)
    half = [cv2.resize(image, (640, 360), interpolation=cv2.INTER_AREA) for image in pair]
    gap = np.full((360, 8, 3), 255, np.uint8)
    cv2.imwrite(str(path), np.hstack([half[0], gap, half[1]]), [cv2.IMWRITE_JPEG_QUALITY, 82])


def _circle(image: npt.NDArray[np.uint8]) -> None:
    height, width = image.shape[:2]
    centre = round(LOOK[0] * width), round(LOOK[1] * height)
    cv2.circle(image, centre, 26, (255, 255, 255), 3, cv2.LINE_AA)


async def main(names: list[str]) -> None:
    DOCS.mkdir(exist_ok=True)
    for browser in (chromium, firefox):
        name = f"steps-{browser.__name__}"
        if not names or name in names:
            await picture_the_steps(browser, DOCS / f"{name}.jpg")
    if not names or "before-after" in names:
        picture_one_frame(DOCS / "before-after.jpg")
    if not names or "page" in names:
        await picture_the_page(DOCS / "page.png")


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1:]))
