"""The main job through the page, in real browsers: eyes blur, zoom and pause a film."""

import json
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from itertools import groupby
from pathlib import Path
from typing import Any

import av
import numpy as np
import numpy.typing as npt
import pytest

from simulation.browser.page import Page, chromium, firefox
from simulation.browser.visitor import Visitor
from simulation.films.progress import dots, grid, progress_of, sharpness, spacing
from simulation.server_process import ServerProcess
from simulation.viewers.painted import frames

Grey = npt.NDArray[np.uint8]
Open = Callable[[], AbstractAsyncContextManager[Page]]

both_browsers = pytest.mark.parametrize("browser", [chromium, firefox])


def effects(*specs: dict[str, object]) -> str:
    return json.dumps(specs)


def farthest(place: tuple[float, float]) -> tuple[float, float]:
    """The corner region of the picture that lies farthest from a place."""
    corners = [(x, y) for x in (0.1, 0.9) for y in (0.2, 0.85)]
    return max(corners, key=lambda corner: np.hypot(corner[0] - place[0], corner[1] - place[1]))


async def test_left_right_centre_in_the_camera_is_reported_and_blurs(
    server: ServerProcess, cameras: Path
) -> None:
    async with chromium(cameras / "looks.mjpeg") as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", effects=effects({"name": "blur"}))
        await visitor.start()

        async def order() -> bool:
            looks = [m["screen"][0] for m in await visitor.heard("gaze") if m["screen"]]
            if len(looks) < 200:
                return False
            left, right = np.percentile(looks, [5, 95])
            thirds = (np.array(looks) - left) / (right - left)
            names = ["L" if x < 0.25 else "R" if x > 0.75 else "C" for x in thirds]
            steady = "".join(name for name, run in groupby(names) if len(list(run)) > 30)
            return "LRC" in steady

        await visitor.until(order)

        async def sharp_where_looked() -> bool:
            gaze = (await visitor.heard("gaze"))[-1]
            if gaze["shown"] is None or gaze["event"] != "fixation" or gaze["dwell"] < 1:
                return False
            place = tuple(np.clip(gaze["shown"], (0.08, 0.15), 0.92))
            picture = await visitor.picture()
            return sharpness(picture, place) / sharpness(picture, farthest(place)) >= 3

        await visitor.until(sharp_where_looked)


def _magnification(picture: Grey) -> float:
    """How many times farther apart the dots are than in the film."""
    height, width = picture.shape
    return spacing(dots(picture)) / spacing(dots(grid(width, height)))


async def test_a_long_fixation_zooms_in_and_out_again(server: ServerProcess, cameras: Path) -> None:
    async with chromium(cameras / "looks.mjpeg") as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="grid", effects=effects({"name": "zoom", "maximum": 2.0}))
        await visitor.start()
        seen: list[float] = []

        async def in_and_out_again() -> bool:
            seen.append(_magnification(await visitor.picture()))
            rounded = [2 if m > 1.95 else 1 if m < 1.05 else 0 for m in seen]
            states = [name for name, _ in groupby(state for state in rounded if state)]
            return states[:4] == [1, 2, 1, 2] or states[:3] == [2, 1, 2]

        await visitor.until(in_and_out_again)
        assert max(seen) < 2.05


@both_browsers
async def test_zoom_keeps_the_point_of_gaze_in_place(server: ServerProcess, browser: Open) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(
            media="grid", effects=effects({"name": "zoom", "maximum": 2.0}), gaze="pointer"
        )
        await visitor.start("start-pointer")
        await visitor.picture()
        dot = (220.0, 140.0)

        async def zoomed() -> bool:
            await visitor.look(dot[0] / 640, dot[1] / 360)
            return _magnification(await visitor.picture()) > 1.97

        await visitor.until(zoomed)
        picture = await visitor.picture()
        scale = picture.shape[1] / 640
        offsets = dots(picture) / scale - np.array(dot)
        assert np.hypot(*offsets.T).min() < 2.5

        async def back() -> bool:
            await visitor.look(0.98, 0.98)
            return _magnification(await visitor.picture()) < 1.03

        await visitor.until(back)


async def test_closed_eyes_pause_the_film_and_open_ones_resume_it(
    server: ServerProcess, cameras: Path
) -> None:
    async with chromium(cameras / "closing.mjpeg") as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", effects=effects({"name": "pause", "after": 0.5}))
        await visitor.start()
        await visitor.hears("gaze", lambda m: m["attentive"])
        before = len(await visitor.heard("playback"))
        paused = await visitor.hears("playback", lambda m: m["paused"], before)
        assert paused["reason"] == "attention"
        resumed = await visitor.hears("playback", lambda m: not m["paused"], before + 1)
        assert resumed["position"] == pytest.approx(paused["position"], abs=0.05)

        async def stands_still() -> bool:
            """Take pictures in one pause; the first and the last may be from before and after."""
            messages = await visitor.heard("playback")
            if not messages[-1]["paused"]:
                return False
            seen: list[float] = []
            while len(await visitor.heard("playback")) == len(messages) and len(seen) < 6:
                seen.append(progress_of(await visitor.picture()))
            if len(seen) < 3:
                return False  # a slow machine takes few pictures; there are more pauses
            assert max(seen[1:-1]) - min(seen[1:-1]) < 0.01
            assert seen[1] == pytest.approx(messages[-1]["position"] / 20, abs=0.02)
            return True

        await visitor.until(stands_still)


async def test_wide_pupils_pause_and_blur(server: ServerProcess, cameras: Path) -> None:
    strength = {"follow": "pupil.relative", "from": [0.0, 0.2], "to": [0, 1]}
    async with chromium(cameras / "widening.mjpeg") as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(
            media="texture",
            effects=effects(
                {"name": "blur", "area": "all", "strength": strength},
                {"name": "pause", "when": "pupil", "after": 2.0},
            ),
        )
        await visitor.start()
        paused = await visitor.hears("playback", lambda m: m["reason"] == "pupil")
        assert paused["paused"]
        wide = sharpness(await visitor.picture(), (0.5, 0.5))
        before = len(await visitor.heard("playback"))
        await visitor.hears("playback", lambda m: not m["paused"], before - 1)

        async def sharp_again() -> bool:
            return sharpness(await visitor.picture(), (0.5, 0.5)) > 3 * wide

        await visitor.until(sharp_again)


@both_browsers
async def test_a_hosted_film_returns_blurred_with_sound(
    server: ServerProcess, browser: Open
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", effects=effects({"name": "blur"}), gaze="pointer")
        await visitor.start("start-pointer")
        await _sees_blur(visitor)
        assert await visitor.loudness() > 0.02


@both_browsers
async def test_a_film_of_the_page_returns_blurred_with_sound(
    server: ServerProcess, browser: Open, own_film: Path
) -> None:
    async with browser() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(effects=effects({"name": "blur"}), gaze="pointer")
        await visitor.choose_own(own_film)
        await visitor.start("start-pointer")
        await _sees_blur(visitor)
        assert await visitor.loudness() > 0.02


async def _sees_blur(visitor: Visitor) -> None:
    async def blurred() -> bool:
        await visitor.look(0.2, 0.5)
        picture = await visitor.picture()
        return sharpness(picture, (0.2, 0.5)) / sharpness(picture, (0.85, 0.5)) >= 3

    await visitor.until(blurred)


async def test_firefox_sends_a_face(server: ServerProcess, tmp_path: Path) -> None:
    """Firefox has no camera from a file; a video element's stream stands in for it."""
    film = tmp_path / "face.webm"
    write_viewer(film, [(3, {})])
    async with firefox() as page:
        visitor = Visitor(page, server.url)
        await visitor.visit(media="texture", effects=effects({"name": "blur"}))
        await page.call(STAND_IN_CAMERA, film.read_bytes().hex())
        await visitor.start()
        gaze = await visitor.hears("gaze", lambda m: m["screen"] is not None)
        assert gaze["attentive"] or gaze["confidence"] > 0
        assert gaze["head"]["distance"] > 0


STAND_IN_CAMERA = """async (hex) => {
  const bytes = Uint8Array.from(hex.match(/../g), (pair) => parseInt(pair, 16));
  const video = document.createElement('video');
  video.src = URL.createObjectURL(new Blob([bytes], { type: 'video/webm' }));
  video.loop = video.muted = true;
  await video.play();
  const stream = video.mozCaptureStream();
  navigator.mediaDevices.getUserMedia = async () => stream;
}"""


def write_viewer(path: Path, scenes: Sequence[tuple[float, dict[str, Any]]]) -> None:
    """A viewer's face as a film that Firefox plays; see `simulation.viewers.painted.frames`."""
    with av.open(str(path), "w") as container:
        stream = container.add_stream("libvpx", rate=30)
        stream.width, stream.height, stream.pix_fmt = 640, 480, "yuv420p"
        stream.options = {"deadline": "realtime", "cpu-used": "8", "b": "4M", "threads": "1"}
        for image in frames(scenes):
            container.mux(stream.encode(av.VideoFrame.from_ndarray(image, format="rgb24")))
        container.mux(stream.encode(None))
