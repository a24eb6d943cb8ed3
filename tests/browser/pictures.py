"""Makes the pictures of the README from the running project: `python -m tests.browser.pictures`.

Writes `docs/page.png`, the page in Chromium, and `docs/before-after.jpg`, one frame of the demo
film untouched and as it is returned to a viewer who looks at the circle.
"""

import asyncio
import time
from pathlib import Path

import av
import cv2
import numpy as np
import numpy.typing as npt

from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from tests.browser.page import chromium
from tests.browser.visitor import Visitor
from tests.server_process import ROOT, running_server

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


if __name__ == "__main__":
    DOCS.mkdir(exist_ok=True)
    picture_one_frame(DOCS / "before-after.jpg")
    asyncio.run(picture_the_page(DOCS / "page.png"))
