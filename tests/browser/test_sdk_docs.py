"""The examples of docs/sdk.md, run as they stand there, on pages of another origin."""

import json
import re
import subprocess
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

import numpy as np
import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.server_process import ROOT, free_port
from tests.browser.host import ELEMENT, PLAYS, STATE, UPGRADED, WATCH_CAMERA, Host, served, until

Open = Callable[[], AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])

DOC = (ROOT / "docs" / "sdk.md").read_text()
MODULES = ROOT / "node_modules"

# React comes as CommonJS for bundlers; these are all that an app of it needs.
REACT = {
    "react": "react/cjs/react.production.js",
    "react/jsx-runtime": "react/cjs/react-jsx-runtime.production.js",
    "react-dom": "react-dom/cjs/react-dom.production.js",
    "react-dom/client": "react-dom/cjs/react-dom-client.production.js",
    "scheduler": "scheduler/cjs/scheduler.production.js",
}
TRANSPILE = """
const { default: ts } = await import('typescript');
const source = await new Response(process.stdin).text();
const compilerOptions = { jsx: 'react-jsx', module: 'commonjs', target: 'es2022' };
const { outputText } = ts.transpileModule(source, { fileName: 'main.jsx', compilerOptions });
process.stdout.write(outputText);
"""


def example(heading: str, language: str = "html") -> str:
    """The first code block of a language under a heading of docs/sdk.md."""
    section = re.split(r"^#+ ", DOC.partition(f"# {heading}\n")[2], maxsplit=1, flags=re.M)[0]
    found = re.search(rf"^```{language}\n(.*?)^```$", section, re.M | re.S)
    assert found, f"no {language} under {heading}"
    return found[1]


@both_browsers
async def test_three_lines(host: Host, browser: Open) -> None:
    host.show(example("Three lines"))
    assert len(host.page.strip().splitlines()) == 3
    async with browser() as page:
        await page.goto(host.url)
        await until(page, UPGRADED)
        await page.call(WATCH_CAMERA)
        assert await page.call("() => window.cameras.length") == 0
        await page.call(f"() => {{ {ELEMENT}.shadowRoot.querySelector('button').click(); }}")
        await until(page, PLAYS)
        assert await page.call(STATE) == "connected"
        assert await page.call(f"() => {ELEMENT}.client.stream.getTracks().length") == 2
        assert await page.call("() => window.cameras.map(({ readyState }) => readyState)") == [
            "live"
        ]


@both_browsers
async def test_consent_is_the_pages(host: Host, browser: Open) -> None:
    host.show(example("Consent handled by your page"))
    before = host.sessions
    async with browser() as page:
        await page.goto(host.url)
        await until(page, UPGRADED)
        await page.call(WATCH_CAMERA)
        press = "() => { document.querySelector('form button').click(); }"
        await page.call(press)
        assert await page.call(STATE) == "idle"
        assert await page.call("() => window.cameras.length") == 0

        await page.call("() => { document.getElementById('agree').click(); }")
        await page.call(press)
        await until(page, PLAYS)
        assert host.sessions == before + 1

        await page.call("() => { document.getElementById('withdraw').click(); }")
        await until(page, "() => window.cameras[0].readyState === 'ended'")
        assert await page.call(STATE) == "closed"
        await host.has_sessions(before)
        box = "() => document.querySelector('form').getBoundingClientRect().width > 0"
        assert await page.call(box)


def _bundle(jsx: str) -> str:
    """One page with React and an app of it, put together by hand."""
    main = subprocess.run(
        ["node", "--input-type=module", "-e", TRANSPILE],
        input=jsx,
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    ).stdout
    sources = {name: (MODULES / file).read_text() for name, file in REACT.items()} | {"main": main}
    functions = ",\n".join(
        f"{json.dumps(name)}: (module, exports, require) => {{ {source}\n }}"
        for name, source in sources.items()
    )
    return f"""<!doctype html>
<div id="root"></div>
<script type="module">
import * as film from 'https://gaze.example/client/gaze-film.js';
const made = {{ 'gaze-client/gaze-film.js': film }};
const sources = {{ {functions} }};
function require(name) {{
  if (name in made) return made[name];
  const module = {{ exports: {{}} }};
  sources[name](module, module.exports, require);
  return (made[name] = module.exports);
}}
require('main');
</script>"""


@both_browsers
async def test_react(host: Host, browser: Open) -> None:
    host.show(_bundle(example("React", "jsx")))
    async with browser() as page:
        await page.goto(host.url)
        await until(page, UPGRADED)
        await page.call(f"() => {{ {ELEMENT}.shadowRoot.querySelector('button').click(); }}")
        await until(page, PLAYS)
        await until(page, "() => document.querySelector('p').textContent.startsWith('connected')")
        await page.call(
            """() => {
              const slider = document.querySelector('input[type=range]');
              Object.getOwnPropertyDescriptor(HTMLInputElement.prototype, 'value')
                .set.call(slider, '0.3');
              slider.dispatchEvent(new Event('input', { bubbles: true }));
            }"""
        )
        chain = (
            f"""async () => (await {ELEMENT}.client.setEffects({ELEMENT}.effects))[0].strength"""
        )
        assert await page.call(chain) == pytest.approx(0.3)
        for x in np.linspace(300, 600, 20):
            await page.point(float(x), 300.0)
        await until(
            page, "() => /fixation|saccade|pursuit/.test(document.querySelector('p').textContent)"
        )


@both_browsers
async def test_own_player(host: Host, browser: Open) -> None:
    host.show(example("Your own player"))
    words = "() => document.getElementById('words').textContent"
    press = "(id) => { document.getElementById(id).click(); }"
    async with browser() as page:
        await page.goto(host.url)
        await until(page, "() => document.readyState === 'complete'")
        await page.call(press, "start")
        await until(page, "() => document.getElementById('film').currentTime > 0.5")
        assert await page.call(words) == "connected"
        await page.call(press, "toggle")
        await until(page, "() => document.getElementById('film').classList.contains('waits')")
        assert await page.call("() => document.getElementById('toggle').textContent") == "Play"
        await page.call(press, "toggle")
        await until(page, "() => !document.getElementById('film').classList.contains('waits')")
        await page.call(press, "closer")
        await until(page, f"() => ({words})() === 'now: zoom'")
        await page.call(press, "leave")
        await until(page, f"() => ({words})() === 'closed'")
        assert await page.call("() => document.getElementById('closer').disabled")


async def test_calibration_with_own_dots(host: Host, cameras: Path) -> None:
    """A viewer who stares past the dots: every step is answered, and the verdict says so."""
    host.show(
        example("Three lines")
        + f"<script type=module>{example('Calibration with your own dots', 'js')}"
        + "window.calibrate = calibrate;</script>"
    )
    async with chromium(cameras / "steady.mjpeg") as page:
        await page.goto(host.url)
        await until(page, f"() => Boolean({ELEMENT}?.shadowRoot && window.calibrate)")
        await page.call(f"() => {{ {ELEMENT}.start(); }}")
        await until(page, PLAYS)
        result = await page.call(
            f"""async () => {{
              window.dots = [];
              return window.calibrate({ELEMENT}.client, async (place) => window.dots.push(place));
            }}"""
        )
        assert len(await page.call("() => window.dots")) == 9
        assert result["quality"]["verdict"] == "retry"
        assert result["model"]["version"]


@both_browsers
async def test_a_page_of_an_origin_that_is_not_allowed_gets_nothing(
    host: Host, browser: Open
) -> None:
    host.show(example("Three lines"))
    port = free_port()
    async with browser() as page:
        with served(port, host.body):
            await page.goto(f"http://localhost:{port}")
            loaded = "(url) => import(`${url}/client/gaze-film.js`).then(() => true, () => false)"
            assert not await page.call(loaded, host.server.url)
            assert await page.call(f"() => {ELEMENT}.shadowRoot === null")
