"""The viewer's page: start, problems, history, controls and summary."""

import asyncio
import json
import math
import shutil
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from functools import partial
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.visitor import Visitor
from simulation.server_process import ServerProcess, running_server
from tests.browser.conftest import FLAGS

Open = Callable[..., AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])

WATCH_CAMERA = """() => {
  window.asked = 0;
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = (wanted) => {
    window.asked += 1;
    window.saidBefore = document.getElementById('opening-text').textContent;
    return real(wanted);
  };
}"""
# The viewer thinks about the browser's question until `window.allow()`.
ASK_FOR_LONG = """() => {
  const real = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  navigator.mediaDevices.getUserMedia = async (wanted) => {
    await new Promise((resolve) => { window.allow = resolve; });
    const stream = await real(wanted);
    [window.camera] = stream.getVideoTracks();
    return stream;
  };
}"""
CATCH_DOWNLOADS = """() => {
  window.saved = {};
  const urls = new Map();
  const make = URL.createObjectURL;
  URL.createObjectURL = (blob) => {
    const url = make(blob);
    urls.set(url, blob);
    return url;
  };
  HTMLAnchorElement.prototype.click = function () {
    const blob = urls.get(this.href);
    blob.text().then((text) => (window.saved[this.download] = { type: blob.type, text }));
  };
}"""


async def state(page: Page) -> str:
    found: str = await page.call("() => document.body.dataset.state")
    return found


async def address(page: Page) -> dict[str, str]:
    search = urlsplit(await page.call("() => location.href")).query
    return {name: values[0] for name, values in parse_qs(search).items()}


async def text(page: Page, test_id: str) -> str:
    found: str = await page.call(
        "(id) => document.querySelector(`[data-testid=${id}]`)?.textContent ?? ''", test_id
    )
    return found


async def shown(page: Page, test_id: str) -> bool:
    found: bool = await page.call(
        "(id) => document.querySelector(`[data-testid=${id}]`)?.checkVisibility() ?? false",
        test_id,
    )
    return found


@both_browsers
async def test_one_click_starts_the_film_and_the_page_said_before_what_is_sent(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit()
        assert await shown(page, "privacy-note")
        assert "keeps none" in await text(page, "privacy-note")
        await page.call(WATCH_CAMERA)
        assert await page.call("() => window.asked") == 0
        await visitor.start()
        assert await page.call("() => window.asked") == 1
        assert "keeps none of them" in await page.call("() => window.saidBefore")
        await visitor.until(lambda: is_state(page, "watching"))
        live = "() => [...document.getElementById('film').srcObject.getTracks()].length"
        assert await page.call(live) > 0


async def is_state(page: Page, wanted: str) -> bool:
    return await state(page) == wanted


@both_browsers
@pytest.mark.parametrize(
    ("circumstances", "title"),
    [
        ({"allowed": False}, "The camera was not allowed"),
        ({"cameras": 0}, "No camera was found"),
    ],
    ids=["refused", "none"],
)
async def test_without_a_camera_the_page_explains_why_and_offers_the_mouse(
    server: ServerProcess, browser: Open, circumstances: dict[str, Any], title: str
) -> None:
    async with browser(**circumstances) as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture")
        await page.click("start")
        await visitor.until(lambda: is_state(page, "problem"))
        assert title in await text(page, "problem")
        await visitor.start("problem-pointer")
        await visitor.until(lambda: is_state(page, "watching"))


@both_browsers
async def test_film_effects_and_view_are_in_the_url_and_back_undoes_them(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", preset="spotlight", gaze="pointer")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        begun = {"media": "texture", "preset": "spotlight", "gaze": "pointer", "view": "watch"}
        assert await address(page) == begun
        heard = len(await visitor.heard("effects"))
        await page.click("preset-privacy")
        await visitor.hears("effects", lambda m: m["effects"][0]["name"] == "blur", heard)
        assert await address(page) == {**begun, "preset": "privacy"}
        await page.click("film-grid")
        assert await address(page) == {**begun, "preset": "privacy", "media": "grid"}
        await page.click("eyes-toggle")
        await visitor.until(lambda: shown(page, "eyes-panel"))
        assert (await address(page))["view"] == "eyes"

        await page.call("() => history.back()")
        await visitor.until(lambda: is_hidden(page, "eyes-panel"))
        await page.call("() => history.back()")
        await visitor.until(lambda: chosen(page, "texture"))
        heard = len(await visitor.heard("effects"))
        await page.call("() => history.back()")
        await visitor.hears("effects", lambda m: m["effects"][0]["name"] == "spotlight", heard)
        await page.call("() => history.forward()")
        await visitor.hears("effects", lambda m: m["effects"][0]["name"] == "blur", heard + 1)

        await page.click("eyes-toggle")
        await visitor.reload()
        await visitor.until(lambda: is_state(page, "watching"))
        assert await address(page) == {**begun, "preset": "privacy", "view": "eyes"}
        await visitor.until(lambda: shown(page, "eyes-panel"))


@both_browsers
async def test_a_camera_that_is_allowed_after_the_viewer_went_back_is_switched_off(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture")
        await page.click("film-grid")
        await page.call(ASK_FOR_LONG)
        await page.click("start")
        await visitor.until(lambda: page.call("() => Boolean(window.allow)"))
        await page.call("() => history.back()")
        await visitor.until(lambda: shown(page, "welcome"))
        await page.call("() => window.allow()")
        await visitor.until(lambda: page.call("() => window.camera?.readyState === 'ended'"))
        assert await is_state(page, "idle")
        assert await page.call("() => window.gazeApp.client.state") in ("idle", "closed")


async def is_hidden(page: Page, test_id: str) -> bool:
    return not await shown(page, test_id)


async def chosen(page: Page, film: str) -> bool:
    found: bool = await page.call(
        """(film) => document.querySelector(`[data-testid=film-${film}]`)
          .getAttribute('aria-checked') === 'true'""",
        film,
    )
    return found


@both_browsers
async def test_a_slider_changes_the_effect_and_a_parameter_follows_the_eyes(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        spec = [{"name": "blur", "strength": 0.5}]
        await visitor.visit(media="texture", effects=json.dumps(spec), gaze="pointer")
        await visitor.start("start-pointer")
        await page.call("() => document.querySelector('[data-testid=blur-strength]').focus()")
        for _ in range(5):
            await page.press("ArrowRight")
        await visitor.hears("effects", lambda m: m["effects"][0]["strength"] == 0.55)
        shared = json.loads((await address(page))["effects"])
        assert shared == [{"name": "blur", "strength": pytest.approx(0.55)}]
        await page.click("blur-strength-follow")
        bound = await visitor.hears(
            "effects", lambda m: isinstance(m["effects"][0]["strength"], dict)
        )
        assert bound["effects"][0]["strength"]["follow"] == "pupil.relative"
        graph = ".signal-graph figcaption"
        said = "(selector) => document.querySelector(selector).textContent"
        assert await visitor.until(lambda: page.call(said, graph)) in (
            "No signal yet.",
            "Unknown at the moment.",
        )
        await page.call(
            """() => {
              const menu = document.querySelector('[data-testid=blur-strength-signal]');
              menu.value = 'attention';
              menu.dispatchEvent(new Event('change'));
            }"""
        )
        await visitor.hears("effects", lambda m: "attention" in json.dumps(m["effects"]))

        async def follows() -> bool:
            await visitor.look(0.5, 0.5)
            return bool((await page.call(said, graph)) == "Now 100 % → 100 %")

        await visitor.until(follows)


def rests_at(place: tuple[float, float], gaze: dict[str, Any]) -> bool:
    away = gaze["shown"] and math.dist(gaze["shown"], place)
    return away is not None and away < 0.05 and (gaze["dwell"] or 0) > 0.6


PLOTS_DRAWN = "() => document.querySelectorAll('.plot canvas').length > 3"
OVERHANG = """() => {
  const { scrollWidth, clientWidth } = document.documentElement;
  return scrollWidth - clientWidth;
}"""


@both_browsers
async def test_nothing_overflows_on_a_phone(server: ServerProcess, browser: Open) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await page.resize(390, 844)
        await visitor.visit(media="texture", preset="pupil-pulse", gaze="pointer")
        assert await page.call("() => innerWidth") == 390
        assert await page.call(OVERHANG) == 0
        await visitor.start("start-pointer")
        await page.click("eyes-toggle")
        await visitor.until(lambda: page.call(PLOTS_DRAWN))
        await visitor.hears("stats", after=len(await visitor.heard("stats")))
        assert await page.call(OVERHANG) == 0
        await page.click("leave")
        await visitor.until(lambda: shown(page, "summary"))
        assert await page.call(OVERHANG) == 0


@both_browsers
async def test_the_summary_shows_and_saves_the_fixations(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", gaze="pointer")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        for place in ((0.25, 0.3), (0.75, 0.7)):
            heard = len(await visitor.heard("gaze"))
            await visitor.look(*place)
            await visitor.hears("gaze", partial(rests_at, place), heard)
        await page.call(CATCH_DOWNLOADS)
        await page.click("leave")
        await visitor.until(lambda: shown(page, "summary"))
        assert (await address(page))["view"] == "summary"
        for button in ("summary-csv", "summary-fixations", "summary-png"):
            await page.click(button)

        async def saved() -> dict[str, Any] | None:
            files: dict[str, Any] = await page.call("() => window.saved")
            return files if len(files) == 3 else None

        files = await visitor.until(saved)
        assert files["gaze.png"]["type"] == "image/png"
        assert len(files["gaze.png"]["text"]) > 2000
        samples = files["gaze-samples.csv"]["text"].splitlines()
        assert samples[0].startswith("t,position,film_x,film_y")
        assert len(samples) > 20
        rows = [line.split(",") for line in files["gaze-fixations.csv"]["text"].splitlines()[1:]]
        places = [(float(x), float(y)) for _, _, x, y in rows]
        assert min(abs(x - 0.25) + abs(y - 0.3) for x, y in places) < 0.05
        assert min(abs(x - 0.75) + abs(y - 0.7) for x, y in places) < 0.05
        await page.click("summary-done")
        await visitor.until(lambda: shown(page, "welcome"))
        await page.call("() => history.back()")
        await visitor.until(lambda: shown(page, "summary"))


@both_browsers
async def test_the_layout_is_exact_in_full_screen(server: ServerProcess, browser: Open) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", gaze="pointer")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        await page.press("f")
        await visitor.until(lambda: page.call("() => document.fullscreenElement !== null"))

        async def settled() -> dict[str, Any] | None:
            layout = await page.call("() => window.gazeApp.client.layout")
            width = await page.call("() => innerWidth")
            picture = layout["picture"]
            return layout if picture[2] > 0.95 * min(width, layout["viewport"][2]) else None

        layout = await visitor.until(settled)
        assert layout["exact"]
        assert layout["viewport"][:2] == [0, 0]
        x, y, width, height = layout["picture"]
        assert width / height == pytest.approx(640 / 360, rel=0.01)
        assert x + width / 2 == pytest.approx(layout["viewport"][2] / 2, abs=1)
        assert y + height / 2 == pytest.approx(layout["viewport"][3] / 2, abs=1)


@both_browsers
async def test_the_original_is_shown_beside_under_a_divider_and_while_bypassed(
    server: ServerProcess, browser: Open, own_film: Path
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(preset="focus", gaze="pointer")
        assert await is_hidden(page, "compare")  # a hosted film has no original here
        await visitor.choose_own(own_film)
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        boxes = """() => ['original-pane', 'film-pane'].map((id) => {
          const { x, width } = document.getElementById(id).getBoundingClientRect();
          return [x, width];
        })"""
        await page.click("compare")
        (left, width), (right, _) = await page.call(boxes)
        assert right >= left + width > left
        await page.click("compare")
        (left, _), (right, _) = await page.call(boxes)
        assert left == right
        clip = "() => getComputedStyle(document.getElementById('original-pane')).clipPath"
        half = await page.call(clip)
        await page.call("() => document.getElementById('divider').focus()")
        await page.press("ArrowRight")
        assert await page.call(clip) != half
        await page.click("compare")
        assert await is_hidden(page, "divider")

        heard = len(await visitor.heard("effects"))
        await page.call("() => document.getElementById('bypass').focus()")
        await page.press(" ")
        await visitor.hears("effects", lambda m: m["effects"] == [], heard)
        await visitor.hears("effects", lambda m: m["effects"] != [], heard + 1)


@both_browsers
async def test_a_file_that_is_no_film_is_refused_and_the_film_continues(
    server: ServerProcess, browser: Open, tmp_path: Path
) -> None:
    (tmp_path / "words.mp4").write_text("no film")
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", gaze="pointer")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        await page.upload("file", tmp_path / "words.mp4")
        await visitor.until(lambda: shown(page, "film-problem"))
        assert "Your browser does not play words.mp4" in await text(page, "film-problem")
        assert await chosen(page, "texture")
        assert await is_state(page, "watching")


@both_browsers
async def test_a_film_without_pictures_is_reported_and_can_be_left(
    films: Path, browser: Open, tmp_path: Path
) -> None:
    spoilt = Path(shutil.copy(films / "texture.mp4", tmp_path))
    with running_server("--media", str(tmp_path), *FLAGS) as server:
        async with browser() as page:
            visitor = Visitor(page, server.url)
            await visitor.visit(media="texture")
            await asyncio.to_thread(spoilt.write_bytes, b"no film any more")
            await page.click("start-pointer")

            async def told() -> bool:
                return "No picture of the film has arrived yet" in await text(page, "opening")

            await visitor.until(told)
            await page.click("opening-back")
            await visitor.until(lambda: is_state(page, "idle"))
            assert await page.call("() => window.gazeApp.client.state") == "closed"


@both_browsers
async def test_a_failure_on_the_server_is_shown_over_the_film(
    server: ServerProcess, browser: Open
) -> None:
    fail = """async (problem) => {
      const { GazeError } = await import('/client/gaze-client.js');
      const detail = new GazeError(problem);
      window.gazeApp.client.dispatchEvent(new CustomEvent('error', { detail }));
    }"""
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", gaze="pointer")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        reason = "gaze: the tracker was lost; it is started again"
        await page.call(fail, {"status": 503, "title": "Service Unavailable", "detail": reason})
        assert await text(page, "notice") == "The tracker was lost; it is started again."
        assert await shown(page, "notice")
        assert await is_hidden(page, "effects-problem")
        await visitor.until(lambda: is_hidden(page, "notice"))

        refused = {"status": 422, "field": "effects[0]", "detail": "effects[0]: no such effect"}
        await page.call(fail, refused)
        assert await text(page, "effects-problem") == refused["detail"]
        assert await is_hidden(page, "notice")


@both_browsers
async def test_dot_trail_and_heat_map_are_drawn_at_the_point_of_gaze(
    server: ServerProcess, browser: Open
) -> None:
    painted = """([x, y]) => {
      const canvas = document.getElementById('gaze-overlay');
      const [across, down] = [Math.round(x * canvas.width), Math.round(y * canvas.height)];
      const { data } = canvas.getContext('2d').getImageData(across - 20, down - 20, 40, 40);
      return data.reduce((sum, value) => sum + value, 0);
    }"""
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", gaze="pointer", overlay="dot,heatmap")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        place = (0.3, 0.4)
        await visitor.look(*place)
        await visitor.hears("gaze", partial(rests_at, place))
        await visitor.until(lambda: page.call(painted, place))
        assert await page.call(painted, (0.8, 0.8)) == 0
        assert await shown(page, "gaze-dot")
        await page.press("h")
        assert (await address(page))["overlay"] == "dot"
        assert await is_hidden(page, "gaze-overlay")
        await page.press("t")
        assert (await address(page))["overlay"] == "dot,trail"
        await visitor.look(0.6, 0.6)
        await visitor.until(lambda: page.call(painted, (0.6, 0.6)))


async def test_without_the_chart_library_the_page_says_what_is_off(server: ServerProcess) -> None:
    async with chromium(blocked="**/vendor/*") as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", gaze="pointer")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        await page.click("eyes-toggle")
        await visitor.until(lambda: shown(page, "plots-off"))
        await visitor.until(lambda: shown(page, "stats-panel"))


async def test_the_start_is_painted_before_any_script_has_loaded(server: ServerProcess) -> None:
    async with chromium(blocked="**/*.js") as page:
        await page.goto(server.url)
        assert await shown(page, "welcome")
        painted = "() => performance.getEntriesByName('first-contentful-paint').length"
        await Visitor(page, server.url).until(lambda: page.call(painted))


WEIGHT = """() => {
  const loaded = [...performance.getEntriesByType('navigation'),
    ...performance.getEntriesByType('resource')];
  return Object.fromEntries(loaded.map(({ name, transferSize }) => [name, transferSize]));
}"""


async def test_the_page_weighs_little_until_the_film_plays(server: ServerProcess) -> None:
    async with chromium() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", preset="focus")
        await visitor.start()
        await visitor.until(lambda: is_state(page, "watching"))
        weights: dict[str, int] = await page.call(WEIGHT)
    assert all(size for name, size in weights.items() if name.endswith(".js"))  # none of a cache
    assert any(name.endswith("app.js") for name in weights)
    assert not any("vendor" in name for name in weights)
    assert sum(weights.values()) < 320_000, weights  # as sent: the server compresses nothing


WATCH = """async (begin_s, count) => {
  const { client } = window.gazeApp;
  for (let number = 0; number < count; number += 1) {
    const t = begin_s + number / 30;
    const place = [0.5 + 0.4 * Math.sin(t), 0.5 + 0.3 * Math.cos(1.3 * t)];
    client.dispatchEvent(new CustomEvent('gaze', { detail: {
      type: 'gaze', t, screen: [1000 * place[0], 700 * place[1]], shown: place, film: place,
      confidence: 0.8, uncertainty: 50, calibrated: true, dwell: t % 1, attentive: true,
      event: ['fixation', 'saccade', 'pursuit', 'blink', 'lost'][Math.floor(2 * t) % 5],
      openness: [0.9, 0.8], blink_rate: 12, head: { yaw: 1, pitch: 2, roll: 3, distance: 550 },
      pupil: { mm: 3 + Math.sin(t / 9), relative: 0.1, confidence: 0.7 },
    } }));
    if (number % 500 === 0) await new Promise((resolve) => setTimeout(resolve));
  }
}"""
TEN_MINUTES = 30 * 600


async def test_ten_minutes_of_gaze_leak_neither_memory_nor_nodes(server: ServerProcess) -> None:
    async with chromium() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", preset="pupil-pulse", gaze="pointer", marks="dot")
        await visitor.start("start-pointer")
        await visitor.until(lambda: is_state(page, "watching"))
        await page.click("eyes-toggle")
        await visitor.until(lambda: page.call(PLOTS_DRAWN))
        await visitor.hears("stats", after=len(await visitor.heard("stats")) + 1)
        await page.call("() => { window.heard = { push() {} }; }")  # the test itself keeps nothing
        await page.call(WATCH, 1e6, TEN_MINUTES // 3)
        before = await page.metrics()
        await page.call(WATCH, 2e6, TEN_MINUTES)
        after = await page.metrics()
    assert after["JSHeapUsedSize"] < before["JSHeapUsedSize"] + 400_000
    assert after["Nodes"] < before["Nodes"] + 200  # tables that are just being replaced
    assert after["JSEventListeners"] <= before["JSEventListeners"] + 5
