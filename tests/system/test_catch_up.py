"""A viewer's own film, paused for a while, comes back where it stopped and catches up."""

import numpy as np

from simulation.films import progress_of, texture
from simulation.rtc_viewer import Image, PictureTrack, RtcViewer

WIDTH, HEIGHT = 320, 180
LENGTH_S = 30.0
GROUND = np.repeat(texture(WIDTH, HEIGHT)[..., None], 3, axis=2)


def at(t_s: float) -> Image:
    """A picture under a bar that grows with time."""
    picture = GROUND.copy()
    picture[:10] = 16
    picture[:10, : round(WIDTH * t_s / LENGTH_S)] = 235
    return picture


async def test_a_film_of_the_browsers_goes_on_where_it_stopped(viewer: RtcViewer) -> None:
    film = PictureTrack(at)
    effects = [{"name": "pause", "when": "pupil", "resume": "catch-up"}]
    await viewer.open(film=film, sound=True, effects=effects)

    async def shown_s() -> float:
        return LENGTH_S * progress_of(await viewer.grey())

    while await shown_s() < 0.5:
        pass
    viewer.say(type="playback", paused=True)
    await viewer.hear("playback", lambda m: m["paused"])
    await viewer.watch(0.5)
    stopped_s = await shown_s()
    await viewer.watch(2.0)
    heard = len(viewer.messages)
    viewer.say(type="playback", paused=False)
    await viewer.hear("playback", lambda m: not m["paused"], after=heard)
    later_s = [await shown_s() for _ in range(10)]
    assert stopped_s - 0.2 <= later_s[0] <= stopped_s + 1.0
    assert later_s == sorted(later_s)
    behind = [m["behind_s"] for m in viewer.messages if m["type"] == "stats"]
    assert max(behind) > 1.0
    await viewer.hear("stats", lambda m: m["behind_s"] == 0, after=len(viewer.messages))
    assert not any(m["type"] == "error" for m in viewer.messages)
