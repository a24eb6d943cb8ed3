"""A person at the page: opens it, starts, and can tell what was seen, heard and said."""

import asyncio
import base64
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import cv2
import numpy as np
import numpy.typing as npt

from simulation.browser.page import Page

Message = dict[str, Any]
TIMEOUT_S = 60.0

LISTEN = """() => {
  window.heard = [];
  for (const type of ['gaze', 'playback', 'calibration', 'stats', 'effects', 'error', 'state'])
    window.gazeApp.client.on(type, (message) => window.heard.push({ ...message, type }));
}"""
PICTURE = """(id) => {
  const video = document.getElementById(id);
  if (!video.videoWidth) return null;
  const canvas = document.createElement('canvas');
  canvas.width = video.videoWidth;
  canvas.height = video.videoHeight;
  canvas.getContext('2d').drawImage(video, 0, 0);
  return canvas.toDataURL('image/png').split(',')[1];
}"""
SOUND = """async () => {
  const reports = [...(await window.gazeApp.client.transportStats()).values()];
  const sound = reports.find((r) => r.type === 'inbound-rtp' && r.kind === 'audio');
  return [sound?.totalAudioEnergy ?? 0, sound?.totalSamplesDuration ?? 0];
}"""


class Visitor:
    """Drives the page as a person would, through its buttons."""

    def __init__(self, page: Page, url: str) -> None:
        self.page = page
        self._url = url

    async def visit(self, **parameters: str) -> None:
        """Open the page; the parameters are those that it documents."""
        await self.page.goto(f"{self._url}/?{urlencode(parameters)}")
        await self._arrive()

    async def reload(self) -> None:
        """Reload the page; messages that were heard before are forgotten."""
        await self.page.reload()
        await self._arrive()

    async def _arrive(self) -> None:
        await self.until(lambda: self.page.call("() => Boolean(window.gazeApp)"))
        await self.page.call(LISTEN)
        await self.until(
            lambda: self.page.call("() => document.querySelector('[data-testid=films] *') !== null")
        )

    async def start(self, test_id: str = "start") -> None:
        """Press a start button and wait until the film is seen."""
        await self.page.click(test_id)
        await self.until(self.sees_film)

    async def choose_own(self, file: Path) -> None:
        """Choose a film of one's own and wait until the page has it."""
        await self.page.upload("file", file)
        pressed = """() => document.querySelector('[data-testid=own-file]')
          .getAttribute('aria-pressed') === 'true'"""
        await self.until(lambda: self.page.call(pressed))

    async def sees_film(self) -> bool:
        """Whether a picture of the returned film has arrived."""
        picture = await self.page.call("() => document.getElementById('film').videoWidth")
        return bool(picture)

    async def until(self, condition: Callable[[], Any]) -> Any:
        """Wait until an awaited condition is true, and return it."""
        async with asyncio.timeout(TIMEOUT_S):
            while not (value := await condition()):
                await asyncio.sleep(0.1)
        return value

    async def heard(self, kind: str, after: int = 0) -> list[Message]:
        """All messages of a type so far, from number `after` of that type on."""
        messages: list[Message] = await self.page.call(
            "(kind, after) => window.heard.filter((m) => m.type === kind).slice(after)",
            kind,
            after,
        )
        return messages

    async def hears(
        self, kind: str, wanted: Callable[[Message], bool] = lambda m: True, after: int = 0
    ) -> Message:
        """Wait for a message of a type that is as wanted."""

        async def found() -> Message | None:
            return next((m for m in await self.heard(kind, after) if wanted(m)), None)

        message: Message = await self.until(found)
        return message

    async def picture(self, element_id: str = "film") -> npt.NDArray[np.uint8]:
        """The luma of what a video element shows now, at the stream's own size."""
        encoded = await self.until(lambda: self.page.call(PICTURE, element_id))
        png = np.frombuffer(base64.b64decode(encoded), np.uint8)
        return np.asarray(cv2.imdecode(png, cv2.IMREAD_GRAYSCALE), np.uint8)

    async def look(self, x: float, y: float) -> None:
        """Move the mouse to a place of the film's picture, as fractions of it."""
        left, top, width, height = await self.page.call(
            """() => {
              const video = document.getElementById('film');
              const box = video.getBoundingClientRect();
              const scale = Math.min(box.width / video.videoWidth, box.height / video.videoHeight);
              const [width, height] = [video.videoWidth * scale, video.videoHeight * scale];
              return [box.left + (box.width - width) / 2, box.top + (box.height - height) / 2,
                width, height];
            }"""
        )
        await self.page.point(left + x * width, top + y * height)

    async def loudness(self) -> float:
        """Root mean square of the sound that was played within about a second, 0 to 1."""
        before = await self.page.call(SOUND)

        async def played() -> list[float] | None:
            now: list[float] = await self.page.call(SOUND)
            return now if now[1] - before[1] > 1.0 else None

        after = await self.until(played)
        return float(np.sqrt((after[0] - before[0]) / (after[1] - before[1])))
