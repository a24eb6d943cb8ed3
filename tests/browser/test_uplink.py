"""What the SDK lets a browser give up first when the link is narrow, and when it gets it back."""

import asyncio
from collections.abc import Awaitable, Callable

from simulation.browser.page import Page, chromium, firefox
from simulation.server_process import ServerProcess

OPEN = """async () => {
  const Connection = window.RTCPeerConnection;
  window.RTCPeerConnection = class extends Connection {
    constructor(...all) { super(...all); window.connection = this; }
  };
  const canvas = document.createElement('canvas');
  canvas.getContext('2d').fillRect(0, 0, 10, 10);
  const film = canvas.captureStream(30).getVideoTracks()[0];
  const { GazeClient } = await import('/client/gaze-client.js');
  const client = new GazeClient({ storage: null });
  await client.open({ film, gaze: 'pointer' });
  window.client = client;
}"""
LINK = """(estimate_bps) => {
  const pair = { type: 'candidate-pair', availableOutgoingBitrate: estimate_bps };
  window.connection.getStats = async () => new Map([['pair', pair]]);
}"""
FILM = """() => {
  const [{ sender }] = window.connection.getTransceivers();
  return sender.getParameters();
}"""


async def until(condition: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(30):
        while not await condition():
            await asyncio.sleep(0.1)


async def preference(page: Page) -> str | None:
    parameters = await page.call(FILM)
    found: str | None = parameters.get("degradationPreference")
    return found


async def test_size_and_rate_are_kept_until_the_link_is_narrow(server: ServerProcess) -> None:
    async with chromium() as page:
        await page.goto(server.url)
        await page.call(OPEN)
        await until(lambda: _is(page, "maintain-framerate-and-resolution", "maintain-resolution"))
        parameters = await page.call(FILM)
        assert parameters["encodings"][0]["priority"] == "medium"
        await page.call(LINK, 500_000)
        await until(lambda: _is(page, "maintain-framerate"))
        await page.call(LINK, 5_000_000)
        await until(lambda: _is(page, "maintain-framerate-and-resolution", "maintain-resolution"))


async def test_a_browser_without_estimates_sends_as_well(server: ServerProcess) -> None:
    async with firefox() as page:
        await page.goto(server.url)
        await page.call(OPEN)
        assert await page.call("() => window.connection.connectionState") == "connected"


async def _is(page: Page, *wanted: str) -> bool:
    return await preference(page) in wanted
