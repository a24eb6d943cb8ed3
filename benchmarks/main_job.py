"""How well and how soon eyes blur, zoom and pause a hosted film: `python -m benchmarks.main_job`.

A viewer without a browser sends a made camera picture and reads the returned film: time runs from
the moment a changed eye is handed to the viewer's encoder to the arrival of the returned frame
that shows the change, so both encoders, both decoders and the network of this machine are in it.
The goals are those of the issue that built the main job.
"""

import argparse
import asyncio
import json
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from aiohttp import ClientSession

from simulation.films import dots, grid, make_film, progress_of, sharpness, spacing, texture
from simulation.rtc_viewer import PictureTrack, RtcViewer
from simulation.server_process import running_server
from simulation.viewers import viewer_frame
from tests.system.test_main_job import LAYOUT

Figures = dict[str, float]
AFTER_S = 0.5
DWELL_S = 0.6
FILM_S = 20.0


class Eyes:
    """A made camera whose eyes can be changed while it runs."""

    def __init__(self) -> None:
        self.look: dict[str, Any] = {}
        self.changed_s = time.monotonic()
        self._number = 0

    def change(self, **look: Any) -> None:
        self.look = look
        self.changed_s = time.monotonic()

    def picture(self, elapsed_s: float) -> npt.NDArray[np.uint8]:
        self._number = (self._number + 1) % 64
        return viewer_frame(**self.look, noise=self._number)


async def blur(viewer: RtcViewer) -> Figures:
    """Sharpness at the point of gaze over that far from it, of the returned, decoded film."""
    await viewer.open(media="texture", effects=[{"name": "blur"}])
    ratios = []
    for look, far in (((0.2, 0.5), (0.85, 0.5)), ((0.8, 0.5), (0.15, 0.5))):
        viewer.look(*look)
        await viewer.watch(1.0)
        grey = await viewer.grey()
        ratios.append(sharpness(grey, look) / sharpness(grey, far))
    return {"blur_sharpness_ratio": min(ratios)}


async def zoom(viewer: RtcViewer) -> Figures:
    """Time from a steady look to the full magnification, and how still the looked-at dot stays."""
    await viewer.open(media="grid", effects=[{"name": "zoom", "maximum": 2.0, "dwell": DWELL_S}])
    await viewer.frame()
    viewer.say(type="playback", paused=True)
    await viewer.watch(0.5)
    start_s = time.monotonic()
    viewer.look(220 / 640, 140 / 360)
    drift_px = 0.0
    while True:
        grey = await viewer.grey()
        centres = dots(grey)
        drift_px = max(drift_px, float(np.hypot(*(centres - (220, 140)).T).min()))
        if spacing(centres) > 79.2:
            return {
                "zoom_reached_s": time.monotonic() - start_s,
                "zoom_factor": spacing(centres) / 40,
                "zoom_drift_px": drift_px,
            }


async def pause(viewer: RtcViewer) -> Figures:
    """From closed eyes to a standing film, and from open ones to a moving film."""
    eyes = Eyes()
    await viewer.open(
        camera=PictureTrack(eyes.picture),
        media="texture",
        effects=[{"name": "pause", "after": AFTER_S, "resume_after": 0.3}],
    )
    viewer.say(**LAYOUT)
    await viewer.hear("gaze", lambda m: m["attentive"])
    await viewer.watch(3.0)
    eyes.change(openness=0.0)
    closed_s = eyes.changed_s
    progress: list[tuple[float, float]] = []
    while time.monotonic() < closed_s + AFTER_S + 2.5:
        progress.append((progress_of(await viewer.grey()), time.monotonic()))
    last = progress[-1][0]
    frozen_s = next(at for share, at in progress if share >= last - 0.5 / 640)
    heard = len(viewer.messages)
    eyes.change()
    resumed = await viewer.hear("playback", lambda m: not m["paused"], after=heard)
    resumed_s = time.monotonic()
    paused = [m for m in viewer.messages if m["type"] == "playback" and m["paused"]][-1]
    return {
        "pause_frozen_s": frozen_s - closed_s,
        "pause_resumed_s": resumed_s - eyes.changed_s,
        "pause_position_moved_s": abs(resumed["position"] - paused["position"]),
    }


async def pupil(viewer: RtcViewer) -> Figures:
    """From a widened pupil to the pause that it causes."""
    eyes = Eyes()
    eyes.change(pupil_mm=3.0)
    await viewer.open(
        camera=PictureTrack(eyes.picture),
        media="texture",
        effects=[{"name": "pause", "when": "pupil", "after": AFTER_S}],
    )
    await viewer.hear("gaze", lambda m: bool(m["pupil"]) and m["pupil"]["relative"] is not None)
    await viewer.watch(3.0)
    eyes.change(pupil_mm=6.0)
    await viewer.hear("playback", lambda m: m["reason"] == "pupil")
    return {"pupil_paused_s": time.monotonic() - eyes.changed_s}


PARTS: tuple[Callable[[RtcViewer], Awaitable[Figures]], ...] = (blur, zoom, pause, pupil)
GOALS = {
    "blur_sharpness_ratio": ">= 3",
    "zoom_reached_s": f"<= {DWELL_S + 1:.1f} (dwell + 1)",
    "zoom_factor": "2.00",
    "pause_frozen_s": f"<= {AFTER_S + 0.3:.1f} (after + 0.3)",
    "pause_position_moved_s": "0",
}


async def measure() -> Figures:
    """All figures once, each part with a session of its own."""
    figures: Figures = {}
    with tempfile.TemporaryDirectory() as folder:
        make_film(Path(folder) / "texture.mp4", texture(640, 360), FILM_S)
        make_film(Path(folder) / "grid.mp4", grid(640, 360), FILM_S, tone_hz=None)
        with running_server("--media", folder, "--log-level", "error") as server:
            for part in PARTS:
                async with ClientSession(base_url=server.url) as client:
                    viewer = RtcViewer(client)
                    figures |= await part(viewer)
                    await viewer.close()
    return figures


def main() -> None:
    """Print the medians of several runs beside their goals."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--runs", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    options = parser.parse_args()
    runs = [asyncio.run(measure()) for _ in range(options.runs)]
    medians = {name: statistics.median(run[name] for run in runs) for name in runs[0]}
    for name, value in medians.items():
        spread = ", ".join(f"{run[name]:.3f}" for run in runs)
        print(f"{name:26} {value:8.3f}   goal {GOALS.get(name, '-'):22} runs: {spread}")
    if options.json:
        options.json.write_text(json.dumps(medians, indent=2))


if __name__ == "__main__":
    main()
