"""The page for people who have no mouse, or to whom it is read: the keyboard and axe-core."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.synthetic_viewer import look_where_the_page_says
from simulation.browser.visitor import Visitor
from simulation.server_process import ROOT, ServerProcess
from tests.browser.test_page import is_state, shown

Open = Callable[..., AbstractAsyncContextManager[Page]]

AXE = ROOT / "node_modules" / "axe-core" / "axe.min.js"
VIOLATIONS = """async () => {
  const fading = document.getAnimations().filter((one) => one instanceof CSSTransition);
  await Promise.allSettled(fading.map(({ finished }) => finished));
  const { violations } = await axe.run(document, {
    runOnly: ['wcag2a', 'wcag2aa', 'wcag21a', 'wcag21aa', 'wcag22aa', 'best-practice'],
  });
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html, failureSummary }) =>
    `${html.slice(0, 120)} ${failureSummary}`).join(' | ')}`);
}"""
REFUSE_CAMERA = """() => {
  navigator.mediaDevices.getUserMedia = async () => {
    throw new DOMException('no', 'NotAllowedError');
  };
}"""
VALUE = "(id) => document.querySelector(`[data-testid=${id}]`).valueAsNumber"


async def violations(page: Page) -> list[str]:
    """What axe finds in the page as it stands, in the colours of the night and of the day."""
    if not await page.call("() => 'axe' in window"):
        await page.call(f"() => {{ {AXE.read_text()} }}")
    found: list[str] = []
    for light in (True, False):
        await page.prefer(light=light)
        found += await page.call(VIOLATIONS)
    return found


async def tab_to(page: Page, test_id: str, key: str = "Tab") -> None:
    """Press Tab until the element with this test id has the focus, as it must be shown."""
    for _ in range(120):
        if await page.call("(id) => document.activeElement?.dataset.testid === id", test_id):
            return
        await page.press(key)
    raise AssertionError(f"{test_id} cannot be reached by {key}")


@pytest.mark.parametrize("browser", [chromium, firefox])
async def test_everything_can_be_done_by_keyboard_and_axe_finds_nothing(
    server: ServerProcess, browser: Open
) -> None:
    found: dict[str, list[str]] = {}
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", preset="pupil-pulse")
        found["home"] = await violations(page)
        await look_where_the_page_says(page)
        await tab_to(page, "film-texture")
        await page.press("ArrowRight")  # round to the other film of two
        await tab_to(page, "start", "Shift+Tab")
        await page.press("Enter")
        await visitor.until(lambda: is_state(page, "watching"))
        await visitor.hears("gaze")

        await page.press(" ")
        await visitor.hears("playback", lambda m: m["reason"] == "viewer")
        await page.press(" ")
        await page.press("e")
        await visitor.until(lambda: shown(page, "eyes-panel"))
        await visitor.hears("stats", after=len(await visitor.heard("stats")))
        await visitor.until(lambda: shown(page, "offer"))
        found["watch and eyes"] = await violations(page)

        await tab_to(page, "preset-look-closer")
        await page.press(" ")
        await visitor.hears("effects", lambda m: m["effects"][0]["name"] == "zoom")
        await tab_to(page, "zoom-maximum")
        before = await page.call(VALUE, "zoom-maximum")
        await page.press("ArrowRight")
        assert await page.call(VALUE, "zoom-maximum") > before
        await page.press("Escape")

        await tab_to(page, "calibrate", "Shift+Tab")
        await page.press("Enter")
        await visitor.until(lambda: shown(page, "check"))
        found["check"] = await violations(page)
        await tab_to(page, "plan-9", "Shift+Tab")
        await page.press("ArrowLeft")  # to five dots
        await tab_to(page, "check-begin")
        await page.press("Enter")
        await visitor.until(lambda: shown(page, "calibration-skip"))
        found["calibration"] = await violations(page)
        await page.press("Escape")  # what comes of it: test_calibration
        await visitor.until(lambda: page.call("() => !document.querySelector('main').inert"))

        await tab_to(page, "leave", "Shift+Tab")
        await page.press("Enter")
        await visitor.until(lambda: is_state(page, "summary"))
        found["summary"] = await violations(page)
        await tab_to(page, "summary-heat")
        await page.press("ArrowRight")
        await tab_to(page, "summary-done")
        await page.press("Enter")
        await visitor.until(lambda: shown(page, "welcome"))

        await page.call(REFUSE_CAMERA)
        await page.click("start")
        await visitor.until(lambda: is_state(page, "problem"))
        found["problem"] = await violations(page)
    assert {view: problems for view, problems in found.items() if problems} == {}
