"""The main job, end to end without a browser: eyes blur, zoom and pause a film.

A real aiortc client sends and receives over real sockets; how fast it goes is left to
`benchmarks.main_job`.
"""

from typing import Any

import numpy as np
import pytest

from simulation.films import dots, grid, progress_of, sharpness, spacing, texture
from simulation.rtc_viewer import PictureTrack, RtcViewer
from simulation.viewers import viewer_frame

WIDTH, HEIGHT = 640, 360
LAYOUT: dict[str, Any] = {
    "type": "layout",
    "screen": [1920, 1080],
    "viewport": [0, 0, 1920, 1080],
    "picture": [0, 0, 1920, 1080],
    "exact": True,
}


async def test_blur_is_sharp_where_the_viewer_looks(viewer: RtcViewer) -> None:
    await viewer.open(media="texture", effects=[{"name": "blur"}])
    for look, far in (((0.2, 0.5), (0.85, 0.5)), ((0.8, 0.5), (0.15, 0.5))):
        ratio = 0.0
        for _ in range(150):
            viewer.look(*look)
            grey = await viewer.grey()
            ratio = sharpness(grey, look) / sharpness(grey, far)
            if ratio >= 3:
                break
        assert ratio >= 3


async def test_zoom_magnifies_what_a_steady_look_rests_on_and_returns(viewer: RtcViewer) -> None:
    await viewer.open(media="grid", effects=[{"name": "zoom", "maximum": 2.0}])
    viewer.say(type="playback", paused=True)
    look = (220 / WIDTH, 140 / HEIGHT)
    viewer.look(*look)

    assert spacing(dots(grid(WIDTH, HEIGHT))) == pytest.approx(40, abs=0.5)
    for _ in range(400):
        centres = dots(await viewer.grey())
        if spacing(centres) > 79:
            break
    assert spacing(centres) == pytest.approx(80, abs=1)
    fixed = np.array([220, 140])
    assert np.hypot(*(centres - fixed).T).min() < 1.5
    viewer.look(1.5, 1.5)
    for _ in range(400):
        centres = dots(await viewer.grey())
        if spacing(centres) < 40.5:
            break
    assert spacing(centres) == pytest.approx(40, abs=0.5)


async def test_the_eyes_are_followed_and_closing_them_pauses_the_film(viewer: RtcViewer) -> None:
    left, right, centre = (viewer_frame(iris=(x, 0.0)) for x in (10.0, -10.0, 0.0))
    closed = viewer_frame(openness=0.0)
    now = [left]
    camera = PictureTrack(lambda t_s: now[0])
    await viewer.open(camera=camera, media="texture", effects=[{"name": "pause", "after": 0.5}])
    viewer.say(**LAYOUT)

    async def looked_at(count: int = 40) -> float:
        heard = len(viewer.messages)
        xs: list[float] = []
        while len(xs) < count:
            gaze = await viewer.hear("gaze", lambda m: m["screen"] is not None, after=heard)
            heard = viewer.messages.index(gaze, heard) + 1
            xs.append(gaze["screen"][0])
        return float(np.median(xs[count // 2 :]))

    looked_left = await looked_at()
    now[0] = right
    looked_right = await looked_at()
    now[0] = centre
    looked_ahead = await looked_at()
    assert looked_left < looked_ahead < looked_right

    heard = len(viewer.messages)
    now[0] = closed
    paused = await viewer.hear("playback", lambda m: m["paused"], after=heard)
    assert paused["reason"] == "attention"
    await viewer.watch(0.5)
    still = [progress_of(frame.to_ndarray(format="gray")) for frame in await viewer.watch(1.0)]
    assert len(still) > 3
    assert max(still) - min(still) < 0.005
    now[0] = centre
    resumed = await viewer.hear(
        "playback", lambda m: not m["paused"], after=viewer.messages.index(paused)
    )
    assert resumed["position"] == pytest.approx(paused["position"], abs=0.05)
    for _ in range(200):
        if progress_of(await viewer.grey()) > still[-1] + 0.01:
            break
    assert progress_of(await viewer.grey()) > still[-1] + 0.01


async def test_widening_pupils_pause_and_blur(viewer: RtcViewer) -> None:
    narrow, wide = viewer_frame(pupil_mm=3.0), viewer_frame(pupil_mm=6.0)
    now = [narrow]
    await viewer.open(
        camera=PictureTrack(lambda t_s: now[0]),
        media="texture",
        effects=[
            {
                "name": "blur",
                "area": "all",
                "strength": {"follow": "pupil.relative", "from": [0.0, 0.2], "to": [0, 1]},
            },
            {"name": "pause", "when": "pupil", "after": 1.0, "rewind": 1.5},
        ],
    )
    await viewer.hear(
        "gaze", lambda m: m["pupil"] is not None and m["pupil"]["relative"] is not None
    )
    await viewer.watch(2.0)
    sharp = sharpness(await viewer.grey(), (0.5, 0.5))
    heard = len(viewer.messages)
    now[0] = wide
    paused = await viewer.hear("playback", lambda m: m["paused"], after=heard)
    assert paused["reason"] == "pupil"
    for _ in range(150):
        blurred = sharpness(await viewer.grey(), (0.5, 0.5))
        if blurred < sharp / 3:
            break
    assert blurred < sharp / 3
    now[0] = narrow
    resumed = await viewer.hear(
        "playback", lambda m: not m["paused"], after=viewer.messages.index(paused)
    )
    assert resumed["position"] == pytest.approx(max(0.0, paused["position"] - 1.5), abs=0.1)


async def test_a_film_of_the_browsers_comes_back_modified_with_its_sound(
    viewer: RtcViewer,
) -> None:
    picture = np.repeat(texture(WIDTH, HEIGHT)[..., None], 3, axis=2)
    film = PictureTrack(lambda t_s: picture)
    await viewer.open(film=film, sound=True, effects=[{"name": "blur"}])
    look, far = (0.2, 0.5), (0.85, 0.5)
    ratio = 0.0
    for _ in range(300):
        viewer.look(*look)
        grey = await viewer.grey()
        assert grey.shape == (HEIGHT, WIDTH)
        ratio = sharpness(grey, look) / sharpness(grey, far)
        if ratio >= 3:
            break
    assert ratio >= 3
    assert (await viewer.sound()).samples == 960
    viewer.say(type="playback", paused=True)
    paused = await viewer.hear("playback", lambda m: m["paused"])
    assert paused["reason"] == "viewer"
    assert paused["position"] is None


async def test_a_hosted_film_sounds_pauses_seeks_and_changes(viewer: RtcViewer) -> None:
    await viewer.open(media="texture", sound=True)

    async def loudness(frames: int = 10) -> float:
        heard = [(await viewer.sound()).to_ndarray().astype(float) for _ in range(frames)]
        return float(np.sqrt(np.mean(np.square(np.concatenate(heard, axis=1)))))

    for _ in range(50):
        if await loudness() > 1000:
            break
    assert await loudness() > 1000
    viewer.say(type="playback", paused=True)
    paused = await viewer.hear("playback", lambda m: m["paused"])
    for _ in range(50):
        if await loudness() < 50:
            break
    assert await loudness() < 50
    viewer.say(type="playback", seek=15.0)
    sought = await viewer.hear(
        "playback", lambda m: m["position"] == 15.0, after=viewer.messages.index(paused)
    )
    assert sought["paused"]
    for _ in range(200):
        if abs(progress_of(await viewer.grey()) - 0.75) < 0.01:
            break
    assert progress_of(await viewer.grey()) == pytest.approx(0.75, abs=0.01)
    viewer.say(type="playback", paused=False)
    viewer.say(type="media", name="grid")
    ended = await viewer.hear("playback", lambda m: m["reason"] == "ended")
    assert ended["position"] == pytest.approx(4.0, abs=0.05)
    heard = len(viewer.messages)
    viewer.say(type="playback", paused=False)
    again = await viewer.hear("playback", lambda m: not m["paused"], after=heard)
    assert again["position"] < 1.0
    heard = len(viewer.messages)
    viewer.say(type="playback", loop=True, seek=3.5)
    await viewer.hear("playback", lambda m: m["position"] == 3.5, after=heard)
    furthest, begun_again = 0.0, False
    for _ in range(300):
        share = progress_of(await viewer.grey())
        furthest = max(furthest, share)
        begun_again = furthest > 0.85 and share < 0.5
        if begun_again:
            break
    assert begun_again
    assert not any(m["type"] == "playback" and m["paused"] for m in viewer.messages[heard:])
