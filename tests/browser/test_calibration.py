"""Calibration through the page, by a viewer whose eyes follow the targets."""

import math
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Any

import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.synthetic_viewer import look_where_the_page_says
from simulation.browser.visitor import Visitor
from simulation.server_process import ServerProcess
from tests.browser.test_access import tab_to, violations
from tests.browser.test_page import is_state, shown, text

Open = Callable[..., AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])


async def start(page: Page, server: ServerProcess) -> Visitor:
    """A viewer whose eyes follow the targets, before the camera check."""
    visitor = Visitor(page, server.url)
    await visitor.visit(media="texture", preset="focus")
    await look_where_the_page_says(page)
    await visitor.start()
    await visitor.until(lambda: is_state(page, "watching"))
    return visitor


def states(messages: list[dict[str, Any]]) -> list[str]:
    """The states that the server reported, without progress."""
    return [m["state"] for m in messages if m["state"] != "collecting"]


@both_browsers
async def test_targets_are_collected_skipped_and_repeated_and_the_result_is_saved(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = await start(page, server)
        await page.click("calibration-prompt-accept")
        await visitor.until(lambda: found_face(page))
        await page.click("plan-9")
        await page.click("camera-check-begin")
        await visitor.hears("calibration", lambda m: m["progress"] > 0.1)
        await page.press("r")  # the first dot once more
        await visitor.hears("calibration", lambda m: m["state"] == "accepted")
        so_far = len(await visitor.heard("calibration"))
        await visitor.hears("calibration", lambda m: 0.1 < m["progress"] < 1, so_far)
        await page.press("s")  # and the second one not at all
        await visitor.until(lambda: shown(page, "calibration-result"))
        said = states(await visitor.heard("calibration"))
        assert said.count("accepted") + said.count("rejected") == 13
        assert said.count("rejected") >= 1
        assert {"fitted", "validated"} <= set(said)
        validated = (await visitor.heard("calibration"))[-1]
        figures = await text(page, "calibration-result")
        # JavaScript rounds halves up.
        assert f"± {math.floor(validated['quality']['accuracy_px'] + 0.5)} px" in figures
        assert "°" in figures
        marks = "() => document.querySelectorAll('.result-map .target-mark').length"
        assert await page.call(marks) == len(validated["points"])
        assert await violations(page) == []
        await tab_to(page, "calibration-save")
        await page.press("Enter")
        await visitor.until(lambda: focused(page, "calibrate"))
        assert "saved on this device" in await text(page, "calibration-text")

        await page.click("drift-check")
        await visitor.until(lambda: was_checked(page))

        await page.click("leave")
        await visitor.until(lambda: is_state(page, "summary"))
        await page.click("summary-done")
        assert "Use my calibration of" in await text(page, "saved-calibration")
        await visitor.start()
        gaze = len(await visitor.heard("gaze"))
        await visitor.hears("gaze", lambda m: m["calibrated"], gaze)


# Presses keys when the server has accepted a target and the page does not know it yet: the page's
# listener is called later.
CROSS = """(keys) => {
  window.gazeApp.client.on('calibration', ({ state }) => {
    const key = state === 'accepted' ? keys.shift() : undefined;
    if (key) document.dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true }));
  });
}"""


@both_browsers
async def test_a_key_pressed_while_a_target_is_accepted_ends_nothing(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = await start(page, server)
        await page.call(CROSS, ["s", "r", "s"])
        await page.click("calibrate")
        await visitor.until(lambda: found_face(page))
        await page.click("plan-5")
        await page.click("camera-check-begin")
        await visitor.until(lambda: shown(page, "calibration-result"))
        # Each skip was too late and was refused; the repeated dot was accepted twice.
        refused = await visitor.heard("error")
        assert [(m["status"], m["field"]) for m in refused] == [(409, "action")] * 2
        said = await visitor.heard("calibration")
        assert states(said).count("accepted") == 5 + 1 + 4
        fitted = next(m for m in said if m["state"] == "fitted")
        assert len(fitted["points"]) == 5
        await page.click("calibration-use")


async def found_face(page: Page) -> bool:
    return "Face found" in await text(page, "camera-check")


async def focused(page: Page, test_id: str) -> bool:
    found: bool = await page.call("(id) => document.activeElement?.dataset.testid === id", test_id)
    return found


async def was_checked(page: Page) -> bool:
    return "The offset was" in await text(page, "calibration-text")


@both_browsers
async def test_a_moving_target_calibrates_as_well(server: ServerProcess, browser: Open) -> None:
    async with browser() as page:
        visitor = await start(page, server)
        await page.click("calibrate")
        await visitor.until(lambda: found_face(page))
        await page.click("plan-pursuit")
        await page.click("camera-check-begin")
        fitted = await visitor.hears("calibration", lambda m: m["state"] == "fitted")
        assert len(fitted["points"]) > 20

        async def skips_the_check() -> bool:
            await page.press("s")
            return await shown(page, "calibration-result")

        await visitor.until(skips_the_check)
        await page.press("Escape")
        await visitor.until(lambda: focused(page, "calibrate"))


# A moving target on a scripted clock, with so many gaze samples a second. The server, scripted too,
# rejects the calibration, or cancels it after a second. Returns what the page shows, the commands
# until then, and those after the viewer has taken the first offer.
FOLLOW_IN_VAIN = """async (gaze_hz, event, reason, cancels = false) => {
  const { calibrate } = await import('/client/page/calibration/calibration-run.js');
  let now_ms = 0;
  const due = [];
  performance.now = () => now_ms;
  window.setTimeout = (act, delay_ms = 0) => due.push([now_ms + delay_ms, act]);
  window.requestAnimationFrame = (act) => window.setTimeout(act, 16);
  const channel = new MessageChannel();
  const moment = () => new Promise((resolve) => {
    channel.port1.onmessage = resolve;
    channel.port2.postMessage(null);
  });
  const until = async (condition) => {
    while (!condition()) {
      due.sort(([a], [b]) => a - b);
      const [at_ms, act] = due.shift() ?? [now_ms, () => {}];
      now_ms = at_ms;
      act();
      await moment();
    }
  };
  const listeners = { calibration: [], gaze: [], state: [] };
  const tell = (type, detail) => listeners[type].forEach((listen) => listen(detail));
  const look = () => {
    tell('gaze', { event });
    window.setTimeout(look, 1000 / gaze_hz);
  };
  look();
  let followed = 0;
  const commands = [];
  const client = {
    state: 'connected',
    on(type, listen) {
      listeners[type].push(listen);
      return () => listeners[type].splice(listeners[type].indexOf(listen), 1);
    },
    toScreen: (place) => place,
    follow() {
      if (!cancels || ++followed !== 60) return;
      tell('calibration', { state: 'cancelled', progress: 0, reason });
    },
    async calibrate(action) {
      commands.push(action);
      if (action === 'start') tell('calibration', { state: 'collecting', progress: 0 });
      if (action === 'finish') tell('calibration', { state: 'rejected', progress: 0, reason });
    },
  };
  const place = document.getElementById('calibration');
  calibrate(client, place, 'pursuit', new AbortController().signal);
  await until(() => place.querySelector('[data-testid=calibration-failure]'));
  const said = place.innerText;
  const before = commands.splice(0);
  place.querySelector('button.primary').click();
  await until(() => commands.includes('point'));
  return [said, before, commands];
}"""


@both_browsers
@pytest.mark.parametrize(
    ("gaze_hz", "event", "said"),
    [
        (5, "pursuit", "measured only 5 times a second, and the moving dot needs 8"),
        (30, "lost", "Keep your face in the picture"),
        (30, "pursuit", "The server says: 2 points"),
    ],
)
async def test_a_failed_moving_target_is_explained_and_nine_targets_are_offered(
    server: ServerProcess, browser: Open, gaze_hz: int, event: str, said: str
) -> None:
    async with browser() as page:
        await page.goto(server.url)
        text, before, after = await page.call(FOLLOW_IN_VAIN, gaze_hz, event, "2 points")
    assert said in text
    assert "nine dots" in text.lower()
    assert before == ["start", "finish", "cancel"]
    assert after == ["start", "point"]


@both_browsers
async def test_a_moving_target_stops_when_the_server_cancels(
    server: ServerProcess, browser: Open
) -> None:
    reason = "the gaze tracker was restarted"
    async with browser() as page:
        await page.goto(server.url)
        text, before, after = await page.call(FOLLOW_IN_VAIN, 30, "pursuit", reason, True)
    assert "The calibration was interrupted" in text
    assert "The gaze tracker was restarted." in text
    assert before == ["start"]  # there is nothing left to finish or to cancel
    assert after == ["start", "point"]


# What the server sends when its gaze tracker is lost while a target is shown.
INTERRUPT = """(reason) => {
  const { client } = window.gazeApp;
  const detail = { state: 'cancelled', progress: 0, reason };
  client.dispatchEvent(new CustomEvent('calibration', { detail }));
}"""


@both_browsers
async def test_a_calibration_that_the_server_cancels_says_why_and_is_started_again(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = await start(page, server)
        await page.click("calibrate")
        await visitor.until(lambda: found_face(page))
        await page.click("plan-5")
        await page.click("camera-check-begin")
        await visitor.hears("calibration", lambda m: m["state"] == "collecting")
        await visitor.until(lambda: page.call("() => document.querySelector('.hint') !== null"))
        heard = len(await visitor.heard("calibration"))
        await visitor.hears("calibration", after=heard)
        await page.call(INTERRUPT, "the gaze tracker was restarted")
        await visitor.until(lambda: shown(page, "calibration-failure"))
        said = await text(page, "calibration-failure")
        assert "The calibration was interrupted" in said
        assert "The gaze tracker was restarted." in said
        heard = len(await visitor.heard("calibration"))
        await page.click("calibration-retry")
        again = await visitor.hears("calibration", lambda m: m["state"] == "collecting", heard)
        assert again["progress"] == 0
        await visitor.until(lambda: shown(page, "target"))
        await page.press("Escape")
        await visitor.until(lambda: focused(page, "calibrate"))


@both_browsers
async def test_a_calibration_that_the_session_has_lost_is_offered_again(
    server: ServerProcess, browser: Open
) -> None:
    sample = """(calibrated) => window.gazeApp.client.dispatchEvent(
      new CustomEvent('gaze', { detail: { calibrated, confidence: 0, t: 0 } }))"""
    async with browser() as page:
        visitor = await start(page, server)
        await page.call(sample, True)
        await page.call(sample, False)
        await visitor.until(lambda: shown(page, "calibration-prompt"))
        assert "has lost your calibration" in await text(page, "calibration-prompt")
        await page.click("calibration-prompt-accept")
        await visitor.until(lambda: shown(page, "camera-check"))


HINTS = """async () => {
  const { hintsFor } = await import('/client/page/calibration/camera-check.js');
  const illumination = { face: 0.5, around: 0.5, glare: 0 };
  const good = {
    samples_hz: 30, face: true, distance_mm: 550, yaw_deg: 2, illumination, size: [640, 480],
  };
  const hint = (change) => hintsFor({ ...good, ...change })[0]?.text ?? null;
  return [
    hint({}),
    hint({ samples_hz: 0, face: false }),
    hint({ face: false }),
    hint({ face: false, illumination: { ...illumination, face: 0.1 } }),
    hint({ distance_mm: 900, illumination: { ...illumination, glare: 0.1 } }),
    hint({ distance_mm: 250 }),
    hint({ illumination: { ...illumination, around: 0.9 } }),
    hint({ yaw_deg: -30 }),
    hint({ illumination: { ...illumination, glare: 0.1 } }),
    hint({ samples_hz: 8 }),
    hint({ size: [320, 240] }),
    hint({ samples_hz: 8, pursuit: true }),
  ];
}"""


ALL_WANTING = """async () => {
  const { hintsFor } = await import('/client/page/calibration/camera-check.js');
  const illumination = { face: 0.1, around: 0.1, glare: 0 };
  const state = {
    samples_hz: 8, face: true, distance_mm: 250, yaw_deg: 2, illumination, size: [640, 480],
  };
  return hintsFor(state).map(({ subject }) => subject);
}"""


async def test_the_camera_check_shows_the_most_helpful_hint(server: ServerProcess) -> None:
    async with chromium() as page:
        await page.goto(server.url)
        said = await page.call(HINTS)
        assert await page.call(ALL_WANTING) == ["light", "distance", "camera"]
    assert said[0] is None
    wanted = [
        "No picture",
        "No face",
        "More light",
        "closer",
        "back",
        "bright behind",
        "Turn your face",
        "reflection near your eyes",
        "Only 8 pictures",
        "small",
        "Choose fixed dots",
    ]
    for text_, part in zip(said[1:], wanted, strict=True):
        assert part in text_


LIGHT = """async () => {
  const { illuminationOf } = await import('/client/page/calibration/illumination.js');
  const image = new ImageData(64, 48);
  for (let y = 0; y < 48; y += 1)
    for (let x = 0; x < 64; x += 1) {
      const middle = Math.abs(x / 64 - 0.5) < 0.18 && y / 48 > 0.2 && y / 48 < 0.8;
      image.data.set(middle ? [51, 51, 51, 255] : [204, 204, 204, 255], 4 * (64 * y + x));
    }
  return illuminationOf(image);
}"""


async def test_illumination_of_the_face_is_separated_from_that_around_it(
    server: ServerProcess,
) -> None:
    async with chromium() as page:
        await page.goto(server.url)
        light = await page.call(LIGHT)
    assert light == pytest.approx({"face": 0.2, "around": 0.8, "glare": 0}, abs=0.01)
