"""Calibration through the page, by a viewer whose eyes follow the dots."""

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
    """A viewer whose eyes follow the dots, before the camera's check."""
    visitor = Visitor(page, server.url)
    await visitor.visit(media="texture", preset="focus")
    await look_where_the_page_says(page)
    await visitor.start()
    await visitor.until(lambda: is_state(page, "watching"))
    return visitor


def states(messages: list[dict[str, Any]]) -> list[str]:
    """What the server said, without how far it was."""
    return [m["state"] for m in messages if m["state"] != "collecting"]


@both_browsers
async def test_dots_are_looked_at_skipped_and_repeated_and_the_result_is_kept(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = await start(page, server)
        await page.click("offer-take")
        await visitor.until(lambda: found_face(page))
        await page.click("plan-9")
        await page.click("check-begin")
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
        marks = "() => document.querySelectorAll('.map .aim').length"
        assert await page.call(marks) == len(validated["points"])
        assert await violations(page) == []
        await tab_to(page, "calibration-keep")
        await page.press("Enter")
        await visitor.until(lambda: focused(page, "calibrate"))
        assert "kept on this device" in await text(page, "calibration-text")

        await page.click("one-dot")
        await visitor.until(lambda: was_checked(page))

        await page.click("leave")
        await visitor.until(lambda: is_state(page, "summary"))
        await page.click("summary-done")
        assert "Use my calibration of" in await text(page, "kept-calibration")
        await visitor.start()
        gaze = len(await visitor.heard("gaze"))
        await visitor.hears("gaze", lambda m: m["calibrated"], gaze)


# Presses keys in the very moment in which the server has accepted a dot and the page does not know
# it yet: the page listens later.
CROSS = """(keys) => {
  window.gazeApp.client.on('calibration', ({ state }) => {
    const key = state === 'accepted' ? keys.shift() : undefined;
    if (key) document.dispatchEvent(new KeyboardEvent('keydown', { key, cancelable: true }));
  });
}"""


@both_browsers
async def test_a_key_that_crosses_the_acceptance_of_its_dot_ends_nothing(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = await start(page, server)
        await page.call(CROSS, ["s", "r", "s"])
        await page.click("calibrate")
        await visitor.until(lambda: found_face(page))
        await page.click("plan-5")
        await page.click("check-begin")
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
    return "Face found" in await text(page, "check")


async def focused(page: Page, test_id: str) -> bool:
    found: bool = await page.call("(id) => document.activeElement?.dataset.testid === id", test_id)
    return found


async def was_checked(page: Page) -> bool:
    return "off there" in await text(page, "calibration-text")


@both_browsers
async def test_a_moving_dot_calibrates_as_well(server: ServerProcess, browser: Open) -> None:
    async with browser() as page:
        visitor = await start(page, server)
        await page.click("calibrate")
        await visitor.until(lambda: found_face(page))
        await page.click("plan-follow")
        await page.click("check-begin")
        fitted = await visitor.hears("calibration", lambda m: m["state"] == "fitted")
        assert len(fitted["points"]) > 20

        async def skips_the_check() -> bool:
            await page.press("s")
            return await shown(page, "calibration-result")

        await visitor.until(skips_the_check)
        await page.press("Escape")
        await visitor.until(lambda: focused(page, "calibrate"))


# A moving dot on a scripted clock: the eyes are told so often a second, and the server, scripted
# too, says what it says of a dot that was not followed. Returns what the page says, and the
# commands that come once the viewer has taken what it offers first.
FOLLOW_IN_VAIN = """async (gaze_hz, event, reason) => {
  const { calibrate } = await import('/client/calibration.js');
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
  const commands = [];
  const client = {
    state: 'connected',
    on(type, listen) {
      listeners[type].push(listen);
      return () => listeners[type].splice(listeners[type].indexOf(listen), 1);
    },
    toScreen: (place) => place,
    follow() {},
    async calibrate(action) {
      commands.push(action);
      if (action === 'start') tell('calibration', { state: 'collecting', progress: 0 });
      if (action === 'finish') tell('calibration', { state: 'rejected', progress: 0, reason });
    },
  };
  const place = document.getElementById('calibration');
  calibrate(client, place, 'follow', new AbortController().signal);
  await until(() => place.querySelector('[data-testid=calibration-failure]'));
  const said = place.innerText;
  commands.length = 0;
  place.querySelector('button.primary').click();
  await until(() => commands.includes('point'));
  return [said, commands];
}"""


@both_browsers
@pytest.mark.parametrize(
    ("gaze_hz", "event", "said"),
    [
        (5, "pursuit", "looked at only 5 times a second, and it needs 8"),
        (30, "lost", "Keep your face in the picture"),
        (30, "pursuit", "The server says: 2 points"),
    ],
)
async def test_a_moving_dot_in_vain_is_explained_and_nine_dots_are_offered(
    server: ServerProcess, browser: Open, gaze_hz: int, event: str, said: str
) -> None:
    async with browser() as page:
        await page.goto(server.url)
        text, commands = await page.call(FOLLOW_IN_VAIN, gaze_hz, event, "2 points")
    assert said in text
    assert "nine dots" in text.lower()
    assert commands == ["start", "point"]


HINTS = """async () => {
  const { hintsFor } = await import('/client/check.js');
  const light = { face: 0.5, around: 0.5, glare: 0 };
  const good = {
    samples_hz: 30, face: true, distance_mm: 550, yaw_deg: 2, light, size: [640, 480],
  };
  const hint = (change) => hintsFor({ ...good, ...change })[0]?.text ?? null;
  return [
    hint({}),
    hint({ samples_hz: 0, face: false }),
    hint({ face: false }),
    hint({ face: false, light: { ...light, face: 0.1 } }),
    hint({ distance_mm: 900, light: { ...light, glare: 0.1 } }),
    hint({ distance_mm: 250 }),
    hint({ light: { ...light, around: 0.9 } }),
    hint({ yaw_deg: -30 }),
    hint({ light: { ...light, glare: 0.1 } }),
    hint({ samples_hz: 8 }),
    hint({ size: [320, 240] }),
    hint({ samples_hz: 8, follows: true }),
  ];
}"""


ALL_WANTING = """async () => {
  const { hintsFor } = await import('/client/check.js');
  const light = { face: 0.1, around: 0.1, glare: 0 };
  const seen = { samples_hz: 8, face: true, distance_mm: 250, yaw_deg: 2, light, size: [640, 480] };
  return hintsFor(seen).map(({ subject }) => subject);
}"""


async def test_the_check_gives_one_hint_the_one_that_helps_most(server: ServerProcess) -> None:
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
        "mirrored near your eyes",
        "Only 8 pictures",
        "small",
        "Choose dots that rest",
    ]
    for text_, part in zip(said[1:], wanted, strict=True):
        assert part in text_


LIGHT = """async () => {
  const { lightOf } = await import('/client/light.js');
  const image = new ImageData(64, 48);
  for (let y = 0; y < 48; y += 1)
    for (let x = 0; x < 64; x += 1) {
      const middle = Math.abs(x / 64 - 0.5) < 0.18 && y / 48 > 0.2 && y / 48 < 0.8;
      image.data.set(middle ? [51, 51, 51, 255] : [204, 204, 204, 255], 4 * (64 * y + x));
    }
  return lightOf(image);
}"""


async def test_the_light_of_the_face_is_told_from_that_around_it(server: ServerProcess) -> None:
    async with chromium() as page:
        await page.goto(server.url)
        light = await page.call(LIGHT)
    assert light == pytest.approx({"face": 0.2, "around": 0.8, "glare": 0}, abs=0.01)
