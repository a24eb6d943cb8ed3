"""A short film and a still of each effect, to be looked at: `python -m benchmarks.demo_clips`.

The eyes of the clips rest on the left, jump to the right, follow something back, close for a while
and open again.
"""

import argparse
import math
import tempfile
from collections.abc import Iterator
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2

from gaze.effects.chain import Chain
from gaze.effects.registry import EFFECTS
from gaze.effects.state import GazeState
from tools.demo_film import make_demo

SIZE = 960, 540
RATE_FPS = 30
LENGTH_S = 7.0
STILL_AT_S = {"zoom": 1.45, "guide": 4.83}
ELSE_AT_S = 4.4
STILL_SIZE = 480, 270
STILLS = Path(__file__).parent.parent / "docs" / "effects"

SPECS: dict[str, dict[str, Any]] = {
    "cursor": {"size": 0.07},
    "guide": {"x": 0.73, "y": 0.2},
    "pause": {"after": 0.4},
    "trail": {"length": 2.5},
}
"""What is other than the defaults, so that a small still shows it."""


def look_at(t_s: float) -> GazeState:
    """Where the eyes of the clips are."""
    closed = 5.0 < t_s < 6.2
    if t_s < 1.5:
        point = 0.28, 0.42
    elif t_s < 2.6:
        point = 0.62, 0.3
    else:
        turn = min(1.0, (t_s - 2.6) / 1.8) * math.pi
        point = 0.45 + 0.17 * math.cos(turn), 0.3 + 0.3 * math.sin(turn)
    signals = {"pupil.relative": 0.1 * math.sin(t_s), "openness": 0.0 if closed else 0.8}
    return GazeState(t_s, point, 0.015, eyes_closed=closed, signals=signals, picture_deg=30.0)


def film(path: Path) -> Iterator[av.VideoFrame]:
    """Frames of the demo film, in the size of the clips."""
    with av.open(str(path)) as container:
        for frame in container.decode(video=0):
            yield frame.reformat(*SIZE, format="yuv420p")


def make_clip(name: str, source: Path, clip: Path, still: Path) -> None:
    """Write an effect's clip and still."""
    chain = Chain([{"name": name, **SPECS.get(name, {})}])
    frames = film(source)
    held: av.VideoFrame | None = None
    with av.open(str(clip), "w") as container:
        stream = container.add_stream("libx264", rate=RATE_FPS)
        stream.width, stream.height = SIZE
        stream.pix_fmt = "yuv420p"
        stream.options = {"crf": "18", "preset": "veryfast"}
        for index in range(round(LENGTH_S * RATE_FPS)):
            t_s = index / RATE_FPS
            gaze = look_at(t_s)
            paused = chain.update(gaze, t_s) is not None
            if held is None or not paused:
                held = next(frames)
            drawn = chain.apply(held, gaze, t_s)
            if index == round(STILL_AT_S.get(name, ELSE_AT_S) * RATE_FPS):
                picture = drawn.reformat(*STILL_SIZE, format="bgr24", interpolation="AREA")
                quality = [cv2.IMWRITE_JPEG_QUALITY, 80]
                cv2.imwrite(str(still), picture.to_ndarray(), quality)
            drawn.pts, drawn.time_base = index, Fraction(1, RATE_FPS)
            container.mux(stream.encode(drawn))
        container.mux(stream.encode(None))


def main() -> None:
    """Make them all, or those that are named."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", default=list(EFFECTS), metavar="effect")
    parser.add_argument("--film", type=Path, help="film to use; by default the demo is made")
    parser.add_argument("--clips", type=Path, help="folder to keep the clips in")
    parser.add_argument("--stills", type=Path, default=STILLS, help="folder for the stills")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        source = options.film or Path(folder) / "demo.mp4"
        if options.film is None:
            make_demo(source)
        clips = options.clips or Path(folder)
        for place in (clips, options.stills):
            place.mkdir(parents=True, exist_ok=True)
        for name in options.names:
            make_clip(name, source, clips / f"{name}.mp4", options.stills / f"{name}.jpg")
            print(name)


if __name__ == "__main__":
    main()
