"""What a web developer relies on: commands that answer, the element, a camera that is lost."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any

import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.visitor import Visitor
from simulation.films import make_film, texture
from simulation.server_process import ServerProcess
from tests.browser.host import ELEMENT, PLAYS, STATE, UPGRADED, Host, until

Open = Callable[[], AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])

MODULE = '<script type="module" src="https://gaze.example/client/gaze-film.js"></script>'
CLIENT = """<!doctype html><title>client</title><video id="film" muted></video>
<script type="module">
import { GazeClient } from 'https://gaze.example/client/gaze-client.js';
window.client = new GazeClient();
window.unhandled = [];
addEventListener('unhandledrejection', ({ reason }) => window.unhandled.push(String(reason)));
client.attach(document.getElementById('film'));
// What became of a promise, as something that can be told.
window.told = (promise) => promise.then(
  (value) => ({ value }),
  ({ name, status, title, field }) => ({ name, status, title, field }));
</script>"""
SEATS = 'gaze_sessions_opened_total{how="new"}'


@both_browsers
async def test_commands_answer(host: Host, browser: Open) -> None:
    host.show(CLIENT)
    before = host.sessions

    async with browser() as page:

        async def told(promise: str) -> Any:
            return await page.call(f"() => window.told({promise})")

        await page.goto(host.url)
        await until(page, "() => Boolean(window.told)")
        early = await told("client.setEffects([{ name: 'blur' }])")
        assert early["title"] == "Open a session first"
        unknown = await told("client.open({ media: 'nowhere', gaze: 'pointer' })")
        assert (unknown["name"], unknown["status"], unknown["field"]) == ("GazeError", 422, "media")
        assert await page.call("() => client.state") == "failed"

        await page.call("() => client.open({ media: 'texture', gaze: 'pointer' })")
        accepted = await told("client.setEffects([{ name: 'blur', strength: 0.3 }])")
        assert accepted["value"][0]["strength"] == pytest.approx(0.3)
        assert "radius" in accepted["value"][0]  # all parameters, not only those that were given
        refused = await told("client.setEffects([{ name: 'blur', strength: 7 }])")
        assert (refused["status"], refused["field"]) == (422, "effects[0].strength")
        both = await told(
            "Promise.all([client.setEffects([]), client.setEffects([{ name: 'zoom' }])])"
        )
        assert [len(chain) for chain in both["value"]] == [0, 1]
        assert "name" not in await told("client.setMedia('grid')")
        nowhere = await told("client.setMedia('nowhere')")
        assert (nowhere["status"], nowhere["field"]) == (422, "media")
        assert (await told("client.calibrate('start')"))["status"] == 409
        assert 0 < (await told("client.ping()"))["value"] < 60
        await page.call("() => { client.setEffects([{ name: 'nothing' }]); }")
        waiting = page.call("() => window.told(client.calibrate('point', [1, 1]))")
        assert (await waiting)["status"] == 409

        await page.call("() => client.close()")
        assert await page.call("() => client.state") == "closed"
        assert (await told("client.ping()"))["title"] == "Open a session first"
        await host.has_sessions(before)
        assert await page.call("() => window.unhandled") == []


@both_browsers
async def test_the_element_follows_its_attributes(host: Host, browser: Open) -> None:
    host.show(f'{MODULE}<gaze-film src="texture" effects="blur, zoom" gaze="mouse" autostart>')
    before = host.sessions
    async with browser() as page:
        await page.goto(host.url)
        await until(page, UPGRADED)
        await until(page, PLAYS)
        names = f"() => {ELEMENT}.effects.map(({{ name }}) => name).join()"
        assert await page.call(names) == "blur,zoom"

        opened = host.server.figures()[SEATS]
        heard = f"""(type) => {{
          window.heard = null;
          {ELEMENT}.addEventListener(type, ({{ detail }}) => (window.heard = detail));
        }}"""
        await page.call(heard, "effects")
        await page.call(f"""() => {ELEMENT}.setAttribute('effects', '[{{"name": "pause"}}]')""")
        told = await until(page, "() => window.heard")
        assert [effect["name"] for effect in told["effects"]] == ["pause"]
        await page.call(f"() => {{ {ELEMENT}.currentTime = 10; }}")
        await until(page, f"() => {ELEMENT}.currentTime >= 10")
        await page.call(f"() => {{ {ELEMENT}.src = 'grid'; }}")
        await until(page, f"() => {ELEMENT}.currentTime < 5")
        assert host.server.figures()[SEATS] == opened

        await page.call(
            f"() => {{ const film = {ELEMENT}; film.remove(); document.body.append(film); }}"
        )
        assert await page.call(STATE) == "connected"  # it was only moved
        await page.call(f"() => {{ window.gone = {ELEMENT}; window.gone.remove(); }}")
        await host.has_sessions(before)
        assert await page.call("() => window.gone.state") == "closed"


@both_browsers
async def test_the_element_sends_films_of_the_page(
    host: Host, browser: Open, own_film: Path
) -> None:
    host.files["/films/own.webm"] = own_film
    host.show(f'{MODULE}<gaze-film src="films/own.webm" gaze="mouse" autostart></gaze-film>')
    async with browser() as page:
        await page.goto(host.url)
        await until(page, UPGRADED)
        await until(page, PLAYS)
        await page.call(
            f"""() => {{
              const canvas = document.createElement('canvas');
              [canvas.width, canvas.height] = [320, 320];
              const drawing = canvas.getContext('2d');
              setInterval(() => drawing.fillRect(320 * Math.random(), 0, 9, 320), 40);
              {ELEMENT}.srcObject = canvas.captureStream(25);
            }}"""
        )
        shape = f"() => {ELEMENT}.video.videoWidth / {ELEMENT}.video.videoHeight"
        await until(page, f"() => ({shape})() === 1")


@both_browsers
async def test_the_element_says_what_is_wrong(host: Host, browser: Open) -> None:
    host.show(f'{MODULE}<gaze-film src="nowhere" gaze="mouse" autostart></gaze-film>')
    alert = f"() => {ELEMENT}?.shadowRoot?.querySelector('[role=alert]')?.textContent"
    async with browser() as page:
        await page.goto(host.url)
        assert "nowhere" in await until(page, alert)
        await page.call(f"() => {{ {ELEMENT}.src = 'films/missing.webm'; }}")
        await page.call(f"() => {{ {ELEMENT}.shadowRoot.querySelector('button').click(); }}")
        await until(page, f"() => ({alert})()?.includes('missing.webm')")
        refuse = """() => {
          navigator.mediaDevices.getUserMedia =
            () => Promise.reject(new DOMException('', 'NotAllowedError'));
        }"""
        await page.call(refuse)
        await page.call(f"() => {{ {ELEMENT}.src = 'texture'; {ELEMENT}.gaze = 'camera'; }}")
        started = f"() => {ELEMENT}.start().then(() => '', (error) => error.title)"
        assert "not allowed" in await page.call(started)
        # The way out that is offered: the second button.
        await page.call(f"() => {{ {ELEMENT}.shadowRoot.querySelectorAll('button')[1].click(); }}")
        await until(page, PLAYS)


# Notes every camera that the page opens. Firefox lets nobody say that a track has ended, so there
# the stream of a playing film stands in for the camera.
FAKE_CAMERA = """(hex) => {
  window.cameras = [];
  window.films = [];
  const open = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
  const bytes = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const address = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
  const play = async () => {
    const film = document.createElement('video');
    Object.assign(film, { src: address, loop: true, muted: true });
    await film.play();
    window.films.push(film);
    return film.mozCaptureStream();
  };
  const standsIn = 'mozCaptureStream' in HTMLVideoElement.prototype;
  navigator.mediaDevices.getUserMedia = async (constraints) => {
    const stream = await (standsIn ? play() : open(constraints));
    window.cameras.push(stream.getVideoTracks()[0]);
    return stream;
  };
}"""
# As a camera ends that is unplugged, or taken away by the browser's own button.
UNPLUG = """() => {
  const film = window.films.at(-1);
  if (film) {
    film.loop = false;
    film.currentTime = film.duration;
    return;
  }
  const camera = window.cameras.at(-1);
  camera.stop();
  camera.dispatchEvent(new Event('ended'));
}"""
PLUG_IN = "() => { navigator.mediaDevices.dispatchEvent(new Event('devicechange')); }"


@pytest.fixture(scope="module")
def camera_film(tmp_path_factory: pytest.TempPathFactory) -> str:
    """A short silent film, in hexadecimal."""
    file = tmp_path_factory.mktemp("camera") / "camera.webm"
    return make_film(file, texture(320, 240), 5.0, tone_hz=None).read_bytes().hex()


@both_browsers
async def test_a_camera_that_is_unplugged_and_comes_back(
    host: Host, browser: Open, camera_film: str
) -> None:
    host.show(f'{MODULE}<gaze-film src="texture"></gaze-film>')
    async with browser() as page:
        await page.goto(host.url)
        await until(page, UPGRADED)
        await page.call(FAKE_CAMERA, camera_film)
        await page.call(f"() => {ELEMENT}.start()")
        await until(page, PLAYS)
        await page.call(
            f"""() => {{
              window.live = [];
              window.received = 0;
              {ELEMENT}.addEventListener('camera', ({{ detail }}) => live.push(detail.live));
              {ELEMENT}.addEventListener('stats', ({{ detail }}) =>
                (window.received = detail.frames.camera.in));
            }}"""
        )
        await until(page, "() => window.received > 0")

        await page.call(UNPLUG)
        status = f"() => {ELEMENT}.shadowRoot.querySelector('[part=status]').textContent"
        await until(page, f"() => ({status})().includes('camera has stopped')")
        time = await page.call(f"() => {ELEMENT}.video.currentTime")
        await until(page, f"(time) => {ELEMENT}.video.currentTime > time + 1", time)
        assert await page.call(STATE) == "connected"
        received = await page.call("() => window.received")

        await page.call(PLUG_IN)
        await until(page, "(received) => window.received > received + 10", received)
        assert await page.call("() => window.live") == [False, True]
        assert await page.call(status) == ""
        cameras = await page.call("() => window.cameras.map(({ readyState }) => readyState)")
        assert cameras == ["ended", "live"]

        await page.call(UNPLUG)
        await until(page, "() => window.live.length === 3")
        refuse = """() => {
          navigator.mediaDevices.getUserMedia =
            () => Promise.reject(window.refused = new DOMException('', 'NotAllowedError'));
        }"""
        await page.call(refuse)
        await page.call(PLUG_IN)
        await until(page, "() => Boolean(window.refused)")
        assert await page.call("() => window.live") == [False, True, False]
        assert await page.call(STATE) == "connected"


@both_browsers
async def test_the_viewers_page_ends_without_its_camera(
    server: ServerProcess, browser: Open, camera_film: str
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture")
        await page.call(FAKE_CAMERA, camera_film)
        await visitor.start()
        await until(page, "() => window.gazeApp.client.state === 'connected'")
        await page.call(UNPLUG)
        await until(page, "() => !document.querySelector('[data-testid=problem]').hidden")
        assert await page.call("() => window.gazeApp.client.state") == "closed"
        await page.click("problem-retry")
        await visitor.until(visitor.sees_film)
        assert await page.call("() => window.cameras.length") == 2


# Sessions are answered once `window.answer()` is called.
HOLD_SESSIONS = """() => {
  const real = window.fetch;
  const answered = new Promise((resolve) => { window.answer = resolve; });
  window.fetch = async (address, options) => {
    const answer = await real(address, options);
    if (String(address).endsWith('api/sessions')) {
      window.asked = true;
      await answered;
    }
    return answer;
  };
}"""


@both_browsers
async def test_the_viewers_page_does_not_start_without_its_camera(
    server: ServerProcess, browser: Open, camera_film: str
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture")
        await page.call(FAKE_CAMERA, camera_film)
        await page.call(HOLD_SESSIONS)
        await page.click("start")
        await until(page, "() => window.asked")
        await page.call(UNPLUG)
        problem = "() => document.querySelector('[data-testid=problem]').checkVisibility()"
        await until(page, problem)
        await page.call("() => window.answer()")
        await until(page, "() => window.gazeApp.client.state === 'closed'")
        assert "camera stopped" in await page.call("() => document.body.innerText")
        assert await page.call(problem)
        assert not await visitor.sees_film()
