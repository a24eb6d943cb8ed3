"""Looking for new ways while the film goes on: ICE restart from the page."""

from typing import Any

import pytest

from simulation.browser.page import chromium, firefox
from simulation.browser.visitor import Visitor
from simulation.server_process import ServerProcess

FIGURES = """async () => {
  const reports = [...(await window.gazeApp.client.transportStats()).values()];
  const transport = reports.find((r) => r.type === 'transport');
  const pair = reports.find((r) => r.type === 'candidate-pair' &&
    (transport ? r.id === transport.selectedCandidatePairId : r.nominated && r.selected));
  const film = reports.find((r) => r.type === 'inbound-rtp' && r.kind === 'video');
  const local = reports.find((r) => r.id === pair?.localCandidateId);
  return { port: local?.port ?? null, frames: film?.framesDecoded ?? 0 };
}"""


@pytest.mark.parametrize("browser", [chromium, firefox])
@pytest.mark.parametrize(
    "begin",
    [
        "() => window.gazeApp.client.restart()",
        "() => { window.dispatchEvent(new Event('online')); }",
    ],
    ids=["asked", "network"],
)
async def test_the_film_goes_on_over_a_new_way(
    server: ServerProcess, browser: Any, begin: str
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="grid", gaze="pointer")
        await visitor.start("start-pointer")
        states = len(await visitor.heard("state"))
        for _ in range(2):
            before = await visitor.page.call(FIGURES)
            await page.call(begin)

            async def elsewhere(before: Any = before) -> bool:
                now = await page.call(FIGURES)
                return bool(now["port"] and now["port"] != before["port"])

            await visitor.until(elsewhere)
            reached = (await page.call(FIGURES))["frames"]

            async def goes_on(reached: int = reached) -> bool:
                return bool((await page.call(FIGURES))["frames"] > reached + 10)

            await visitor.until(goes_on)
        assert await visitor.heard("state", states) == []  # it never counted as lost
