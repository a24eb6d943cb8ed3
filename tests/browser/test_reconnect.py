"""A viewer who comes back: the page reloaded, or the server killed and started again."""

import json
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.visitor import Visitor
from simulation.server_process import ServerProcess, free_port, running_server
from tests.browser.test_page import is_state, shown
from tests.vision.regression.test_calibration import Eyes, calibrated

Open = Callable[[], AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])

BEGIN_S = 8.0
EFFECTS = [{"name": "pixelate", "size": 0.1}]

KEEP = """(model, quality) => localStorage.setItem('gaze.calibration', JSON.stringify(
  { model, quality, screen: [screen.width, screen.height], at: Date.now() }))"""
FORGET = "() => localStorage.removeItem('gaze.calibration')"
STATE = "() => window.gazeApp.client.state"
SESSION_ID = "() => window.gazeApp.client.storedSession?.id ?? null"
POSITION_S = "() => window.gazeApp.client.position_s"
# The number of the picture that is on the screen; a film that stands still counts none.
PICTURES = """() => {
  const film = document.getElementById('film');
  if (window.pictures === undefined) {
    window.pictures = 0;
    const count = () => {
      window.pictures += 1;
      film.requestVideoFrameCallback(count);
    };
    film.requestVideoFrameCallback(count);
  }
  return film.paused ? 0 : window.pictures;
}"""
DESCRIPTION = """async () => {
  const { id, token } = window.gazeApp.client.storedSession;
  const headers = { Authorization: `Bearer ${token}` };
  const answer = await fetch(`/api/sessions/${id}`, { headers });
  return answer.json();
}"""
# What a viewer would see of it: every text of the status line, and whether a problem was shown.
WATCH_STATUS = """() => {
  window.said = [];
  window.lost = null;
  const look = () => window.said.push([
    document.querySelector('[data-testid=status]').textContent,
    !document.querySelector('[data-testid=problem]').hidden,
  ]);
  new MutationObserver(look).observe(document.body,
    { subtree: true, childList: true, characterData: true, attributeFilter: ['hidden'] });
  window.gazeApp.client.on('state', ({ state }) => {
    if (state === 'reconnecting') window.lost = window.gazeApp.client.position_s;
  });
}"""

KEPT_PICTURE = "() => Boolean(document.querySelector('.kept-picture'))"


@pytest.fixture(scope="module")
def calibration() -> tuple[dict[str, Any], dict[str, Any]]:
    """The model of a calibration and its quality, as the page keeps them."""
    (fitted,) = calibrated(Eyes()).act("finish", None, 60.0)
    assert fitted.model is not None
    return fitted.model, {"accuracy_px": 40.0, "verdict": "good", "reason": None}


async def _watch_calibrated(visitor: Visitor, calibration: tuple[Any, Any]) -> None:
    """Watch from 8 s on with a calibration that only the session and the client remember."""
    await visitor.visit(media="texture", effects=json.dumps(EFFECTS))
    await visitor.page.call(KEEP, *calibration)
    await visitor.reload()
    await visitor.start()
    await visitor.page.call(FORGET)
    await visitor.hears("gaze", lambda m: bool(m["calibrated"]))
    await visitor.page.call(f"() => window.gazeApp.client.seek({BEGIN_S})")
    await visitor.hears("playback", lambda m: m["position"] >= BEGIN_S)


async def _watches_calibrated(visitor: Visitor, after: int = 0) -> None:
    """Wait until film, calibration and effects are there again."""

    async def connected() -> bool:
        return bool(await visitor.page.call(STATE) == "connected")

    await visitor.until(connected)
    seen = await visitor.page.call(PICTURES)

    async def plays() -> bool:
        return bool(await visitor.page.call(PICTURES) > seen + 10)

    await visitor.until(plays)
    await visitor.hears("gaze", lambda m: bool(m["calibrated"]), after)


def _resumed(server: ServerProcess) -> float:
    return server.figures().get('gaze_sessions_opened_total{how="resumed"}', 0.0)


@both_browsers
async def test_a_reload_goes_on_with_the_session(
    server: ServerProcess, browser: Open, calibration: tuple[Any, Any]
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await _watch_calibrated(visitor, calibration)
        session_id = await page.call(SESSION_ID)
        resumed = _resumed(server)

        await visitor.reload()

        await _watches_calibrated(visitor)
        assert await page.call(SESSION_ID) == session_id
        assert _resumed(server) == resumed + 1
        assert await page.call(POSITION_S) >= BEGIN_S
        described = await page.call(DESCRIPTION)
        assert described["state"] == "connected"
        assert described["effects"][0]["size"] == EFFECTS[0]["size"]


@both_browsers
async def test_a_reload_leaves_a_paused_film_paused(server: ServerProcess, browser: Open) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", gaze="pointer")
        await visitor.start("start-pointer")
        await page.call(f"() => window.gazeApp.client.seek({BEGIN_S})")
        await page.click("play")
        paused = await visitor.hears(
            "playback", lambda m: m["reason"] == "viewer" and m["position"] >= BEGIN_S
        )

        await visitor.reload()

        async def paused_again() -> bool:
            return bool(await page.call("() => window.gazeApp.client.paused"))

        await visitor.until(paused_again)
        await visitor.until(lambda: is_state(page, "watching"))
        assert await page.call(POSITION_S) == pytest.approx(paused["position"], abs=0.1)
        before = len(await visitor.heard("playback"))
        await page.click("play")
        await visitor.hears("playback", lambda m: not m["paused"], before)


@both_browsers
async def test_a_killed_server_is_found_again(
    films: Path, browser: Open, calibration: tuple[Any, Any]
) -> None:
    flags, port = ("--media", str(films)), free_port()
    async with browser() as page:
        with running_server(*flags, port=port) as first:
            visitor = Visitor(page, first.url)
            await _watch_calibrated(visitor, calibration)
            session_id = await page.call(SESSION_ID)
            await page.call(WATCH_STATUS)
            first.process.kill()
            await visitor.hears("state", lambda m: m["state"] == "reconnecting")
        assert await shown(page, "kept-picture")
        heard = {kind: len(await visitor.heard(kind)) for kind in ("gaze", "playback", "effects")}

        with running_server(*flags, port=port) as second:
            told = await visitor.hears("state", lambda m: m["state"] == "connected", 2)
            assert not told["resumed"]
            await _watches_calibrated(visitor, heard["gaze"])
            assert not await page.call(KEPT_PICTURE)
            assert await page.call(SESSION_ID) != session_id
            begun = await visitor.hears("playback", after=heard["playback"])
            lost_s = await page.call("() => window.lost")
            assert lost_s >= BEGIN_S
            assert begun["position"] >= lost_s - 0.1
            effects = await visitor.hears("effects", after=heard["effects"])
            assert effects["effects"][0]["size"] == EFFECTS[0]["size"]
            assert second.figures()['gaze_sessions_opened_total{how="new"}'] == 1
            said = await page.call("() => window.said")
            assert any("lost" in status for status, _ in said)
            assert "lost" not in said[-1][0]
            assert not any(problem for _, problem in said)
