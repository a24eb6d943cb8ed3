"""Where the picture lies on the screen, however the page is scrolled, sized and filled.

The truth comes from the mouse: its place on the screen, as the browser tells it, is sent as the
point of gaze, and the server must find it at the place of the picture over which the mouse is.
"""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

import pytest

from simulation.browser.page import Page, chromium, firefox
from tests.browser.host import Host, until

Open = Callable[[], AbstractAsyncContextManager[Page]]
Box = tuple[float, float, float, float]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])

SHAPE = 640 / 360
BOX: Box = (100.0, 150.0, 600.0, 500.0)
PAGE = """<!doctype html><title>layout</title>
<style>
  body { margin: 0; height: 3000px; }
  #box { position: absolute; left: 100px; top: 150px; width: 600px; height: 500px; }
  video { width: 100%; height: 100%; object-fit: contain; }
</style>
<button data-testid="full">Full screen</button>
<div id="box"><video id="film" muted></video></div>
<script type="module">
  import { GazeClient } from 'https://gaze.example/client/gaze-client.js';
  const [film, box] = ['film', 'box'].map((id) => document.getElementById(id));
  window.client = new GazeClient();
  client.on('gaze', (gaze) => (window.gaze = gaze));
  addEventListener('pointermove', (event) => (window.mouse = event));
  document.querySelector('button').onclick = () => box.requestFullscreen();
  client.attach(film);
  await client.open({ media: 'texture', gaze: 'pointer' });
  await film.play();
</script>"""
ARRIVED = """(x, y) => window.mouse && Math.abs(mouse.clientX - x) < 1
  && Math.abs(mouse.clientY - y) < 1"""
# In full screen the viewport is the screen; headless Chromium goes on telling of a window.
SEND = """() => {
  window.place = document.fullscreenElement
    ? [mouse.clientX, mouse.clientY] : [mouse.screenX, mouse.screenY];
  client.pointer({ screen: window.place });
}"""
# Within a pixel: some browsers tell whole ones.
FOUND = """(x, y, xTolerance, yTolerance) => {
  const { screen, shown } = window.gaze ?? {};
  return screen && shown
    && Math.hypot(screen[0] - place[0], screen[1] - place[1]) < 0.1
    && Math.abs(shown[0] - x) < xTolerance && Math.abs(shown[1] - y) < yTolerance;
}"""


async def finds_the_mouse(page: Page, box: Box, fraction: tuple[float, float]) -> None:
    """Put the mouse over a place of the picture, and wait until the server finds it there."""
    left, top, width, height = box
    picture_width = min(width, height * SHAPE)
    picture_height = picture_width / SHAPE
    x = left + (width - picture_width) / 2 + fraction[0] * picture_width
    y = top + (height - picture_height) / 2 + fraction[1] * picture_height
    await page.point(x, y)
    await until(page, ARRIVED, x, y)
    await page.call(SEND)
    await until(page, FOUND, *fraction, 1.5 / picture_width, 1.5 / picture_height)


@both_browsers
async def test_the_layout_is_right(host: Host, browser: Open) -> None:
    host.show(PAGE)
    async with browser() as page:
        await page.goto(host.url)
        await until(page, "() => document.getElementById('film')?.videoWidth > 0")
        await finds_the_mouse(page, BOX, (0.25, 0.75))  # bars above and below the picture

        await page.call("() => scrollTo(0, 90)")
        left, top, width, height = BOX
        await finds_the_mouse(page, (left, top - 90, width, height), (0.8, 0.2))

        await page.call("() => { document.getElementById('box').style.width = '300px'; }")
        await page.call("() => { document.getElementById('box').style.height = '120px'; }")
        await finds_the_mouse(page, (left, top - 90, 300, 120), (0.1, 0.5))  # bars at its sides

        await page.resize(1000, 600)
        await finds_the_mouse(page, (left, top - 90, 300, 120), (0.9, 0.5))

        await page.resize(1000, 600, 2.0)
        await until(page, "() => devicePixelRatio === 2")
        await finds_the_mouse(page, (left, top - 90, 300, 120), (0.3, 0.9))


@both_browsers
async def test_the_layout_is_right_in_full_screen(host: Host, browser: Open) -> None:
    host.show(PAGE)
    async with browser() as page:
        await page.goto(host.url)
        await until(page, "() => document.getElementById('film')?.videoWidth > 0")
        await finds_the_mouse(page, BOX, (0.25, 0.75))
        await page.click("full")
        await until(page, "() => document.fullscreenElement !== null")
        await until(
            page,
            """() => {
              const box = document.getElementById('film').getBoundingClientRect();
              return box.x === 0 && box.width === innerWidth && box.height === innerHeight;
            }""",
        )
        width, height = await page.call("() => [innerWidth, innerHeight]")
        await finds_the_mouse(page, (0, 0, width, height), (0.7, 0.3))
        layout = await page.call("() => client.layout")
        assert layout["exact"]
        assert layout["viewport"][:2] == [0, 0]
        await page.call("() => document.exitFullscreen()")
        await until(page, "() => document.fullscreenElement === null && innerHeight > 500")
        await finds_the_mouse(page, BOX, (0.25, 0.75))


@both_browsers
async def test_the_zoom_is_read_off_the_window(host: Host, browser: Open) -> None:
    """A browser's zoom cannot be set from outside; what is computed from it can be tried."""
    host.show("<!doctype html><title>zoom</title>")
    zoom = """async (url, outer, inner) => {
      const { estimatedZoom } = await import(`${url}/client/layout.js`);
      return estimatedZoom(outer, inner);
    }"""
    async with browser() as page:
        await page.goto(host.url)
        for outer, inner, expected in [
            (1440, 1440, 1.0),
            (1440, 1424, 1.0),
            (1440, 960, 1.5),
            (1440, 1600, 0.9),
            (1920, 960, 2.0),
            (1440, 1000, 1.0),
        ]:
            found = await page.call(zoom, host.server.url, outer, inner)
            assert found == pytest.approx(expected), (outer, inner)
