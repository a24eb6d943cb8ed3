"""What each effect costs a frame on one thread: `python -m benchmarks.effects`.

In the same run and on the same frames: a plain copy of the three planes; the fewest pyramid and
blend calls that a 4-level foveated blur can do with (its masks made beforehand); and for each
effect the obvious way with OpenCV in BGR. The gaze moves with every frame, so nothing can be kept.
"""

import argparse
import itertools
import json
import math
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.frames.planes import Plane, Planes, copy_timing, planes_of
from simulation.film_frames import film_frame

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "2160p": (3840, 2160)}
LEVELS = 4
FRAME_S = 1 / 30
Image = npt.NDArray[np.uint8]
Step = Callable[[int], Any]

EFFECTS: dict[str, dict[str, Any]] = {
    "blur": {"name": "blur"},
    "blur-visible": {"name": "blur", "model": "visible"},
    "zoom": {"name": "zoom", "mode": "follow"},
    "magnifier": {"name": "zoom", "mode": "magnifier"},
    "spotlight": {"name": "spotlight"},
    "pixelate": {"name": "pixelate"},
    "grade": {"name": "grade"},
    "cursor": {"name": "cursor"},
    "trail": {"name": "trail"},
    "heatmap": {"name": "heatmap"},
    "guide": {"name": "guide", "near": 0.02},
}


def point_at(index: int) -> tuple[float, float]:
    """Where the moving gaze is at a frame."""
    turn = index * 0.06
    return 0.5 + 0.25 * math.cos(turn), 0.5 + 0.25 * math.sin(turn)


def effect_step(spec: dict[str, Any], frame: av.VideoFrame) -> Step:
    """One effect as the server runs it."""
    chain = Chain([spec], clock=time.thread_time)

    def step(index: int) -> None:
        t_s = index * FRAME_S
        gaze = GazeState(t_s, point_at(index), 0.01, picture_deg=30.0)
        assert chain.apply(frame, gaze, t_s) is not None and not chain.failures

    return step


def copy_step(planes: Planes) -> Step:
    """A plain copy of the planes."""
    targets = [np.empty(plane.shape, np.uint8) for plane in planes]

    def step(index: int) -> None:
        for plane, target in zip(planes, targets, strict=True):
            np.copyto(target, plane)

    return step


def floor_step(planes: Planes) -> Step:
    """Coarse to fine with `blendLinear`; masks at twice the size, sliced at the gaze."""
    parts = [(planes.y, LEVELS), (planes.u, LEVELS - 1), (planes.v, LEVELS - 1)]
    works = [_Floor(plane, levels) for plane, levels in parts]

    def step(index: int) -> None:
        for work in works:
            work.blend(point_at(index))

    return step


class _Floor:
    def __init__(self, plane: Plane, levels: int) -> None:
        self._plane = plane
        shapes = [plane.shape]
        for _ in range(levels):
            shapes.append(((shapes[-1][0] + 1) // 2, (shapes[-1][1] + 1) // 2))
        self._small = [np.empty(shape, np.uint8) for shape in shapes]
        self._grown = [np.empty(shape, np.uint8) for shape in shapes]
        self._masks = [self._mask(shape, k, levels) for k, shape in enumerate(shapes[:-1])]

    @staticmethod
    def _mask(shape: tuple[int, ...], k: int, levels: int) -> tuple[Any, Any]:
        height, width = shape
        y, x = np.ogrid[-height:height, -width:width]
        share = np.clip((np.hypot(y, x) / height - 0.15) / 0.35, 0, 1)
        ramp = share * share * (3 - 2 * share)
        fine = np.clip(k + 1 - levels * ramp, 0, 1).astype(np.float32)
        return fine, 1 - fine

    def blend(self, point: tuple[float, float]) -> None:
        pictures = [self._plane]
        for small in self._small[1:]:
            size = small.shape[::-1]
            cv2.resize(pictures[-1], size, dst=small, interpolation=cv2.INTER_AREA)
            pictures.append(small)
        coarse = pictures.pop()
        for k in reversed(range(len(pictures))):
            height, width = pictures[k].shape
            grown = self._grown[k]
            cv2.resize(coarse, (width, height), dst=grown, interpolation=cv2.INTER_LINEAR)
            top, left = height - round(point[1] * height), width - round(point[0] * width)
            box = np.s_[top : top + height, left : left + width]
            fine, rest = self._masks[k]
            cv2.blendLinear(pictures[k], grown, fine[box], rest[box], dst=grown)
            coarse = grown


def bgr_step(draw: Callable[[Image, int], Image], frame: av.VideoFrame) -> Step:
    """The obvious way: to BGR, draw, and back, from frame to frame as effects do.

    OpenCV converts; PyAV's own `to_ndarray("bgr24")` and back takes ten times as long.
    """

    def step(index: int) -> None:
        bgr = cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420)
        drawn = np.asarray(draw(bgr, index), np.uint8)
        made = av.VideoFrame.from_ndarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2YUV_I420), "yuv420p")
        copy_timing(frame, made)

    return step


def bgr_ways(width: int, height: int) -> dict[str, Callable[[Image, int], Image]]:
    """What one would write first, for each effect."""
    heat = np.zeros((height, width), np.float32)

    def mask(index: int, radius: float, softness: float) -> npt.NDArray[np.float32]:
        x, y = point_at(index)
        rows, columns = np.ogrid[0:height, 0:width]
        away = np.hypot(columns - x * width, rows - y * height) / height
        return np.clip((away - radius) / softness, 0, 1).astype(np.float32)[..., None]

    def blur(image: Image, index: int) -> Image:
        soft, away = cv2.GaussianBlur(image, (0, 0), 15), mask(index, 0.15, 0.35)
        return (image * (1 - away) + soft * away).astype(np.uint8)

    def zoom(image: Image, index: int) -> Image:
        x, y = point_at(index)
        matrix = np.array([[2, 0, -x * width], [0, 2, -y * height]], np.float32)
        return np.asarray(cv2.warpAffine(image, matrix, (width, height)), np.uint8)

    def magnifier(image: Image, index: int) -> Image:
        near, away = zoom(image, index), mask(index, 0.22, 0.01)
        return np.where(away < 0.5, near, image)

    def spotlight(image: Image, index: int) -> Image:
        return (image * (1 - 0.75 * mask(index, 0.2, 0.3))).astype(np.uint8)

    def pixelate(image: Image, index: int) -> Image:
        small = cv2.resize(image, (width // 29, height // 29), interpolation=cv2.INTER_AREA)
        blocks = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
        away = mask(index, 0.2, 0.15)
        return (image * (1 - away) + blocks * away).astype(np.uint8)

    def grade(image: Image, index: int) -> Image:
        hsv = cv2.cvtColor(cv2.convertScaleAbs(image, alpha=1.15), cv2.COLOR_BGR2HSV)
        hsv[..., 1] = np.clip(hsv[..., 1] * 1.3, 0, 255)
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)

    def cursor(image: Image, index: int) -> Image:
        x, y = point_at(index)
        over = image.copy()
        place = round(x * width), round(y * height)
        cv2.circle(over, place, round(0.045 * height), (26, 178, 255), 5, cv2.LINE_AA)
        return np.asarray(cv2.addWeighted(over, 0.85, image, 0.15, 0), np.uint8)

    def trail(image: Image, index: int) -> Image:
        # Thinner with age, as ours is, but not fainter.
        over = image.copy()
        points = [point_at(k) for k in range(max(0, index - 45), index + 1)]
        line = [(round(x * width), round(y * height)) for x, y in points]
        for k, ends in enumerate(itertools.pairwise(line)):
            thickness = max(1, round(0.016 * height * (0.3 + 0.7 * (k + 1) / len(line))))
            cv2.line(over, *ends, (255, 217, 51), thickness, cv2.LINE_AA)
        return np.asarray(cv2.addWeighted(over, 0.85, image, 0.15, 0), np.uint8)

    def heatmap(image: Image, index: int) -> Image:
        nonlocal heat
        near = np.exp(-0.5 * (mask(index, 0.0, 1.0)[..., 0] / 0.06) ** 2)
        heat = heat * 0.996 + near * FRAME_S
        level = (255 * (1 - np.exp(-heat))).astype(np.uint8)
        colours = cv2.applyColorMap(level, cv2.COLORMAP_TURBO)
        return np.asarray(cv2.addWeighted(colours, 0.6, image, 0.4, 0), np.uint8)

    def guide(image: Image, index: int) -> Image:
        bell = np.exp(-0.5 * (mask(7, 0.0, 1.0) / 0.05) ** 2)
        return np.clip(image + 55 * bell * math.sin(index * 0.3), 0, 255).astype(np.uint8)

    return {
        "blur": blur,
        "blur-visible": blur,
        "zoom": zoom,
        "magnifier": magnifier,
        "spotlight": spotlight,
        "pixelate": pixelate,
        "grade": grade,
        "cursor": cursor,
        "trail": trail,
        "heatmap": heatmap,
        "guide": guide,
    }


def time_all(steps: dict[str, Step], frames: int) -> dict[str, float]:
    """Median milliseconds of the thread in each step.

    They take turns and only their own thread's time counts, so that a busy machine is fair to all.
    """
    taken: dict[str, list[float]] = {name: [] for name in steps}
    warm_up = 40
    for index in range(warm_up + frames):
        for name, step in steps.items():
            if index < warm_up - 3 and name.startswith("bgr"):
                continue
            start_s = time.thread_time()
            step(index)
            taken[name].append((time.thread_time() - start_s) * 1000)
    return {name: statistics.median(times[-frames:]) for name, times in taken.items()}


def measure(size: tuple[int, int], names: list[str], frames: int) -> dict[str, float]:
    """Milliseconds a frame: `copy`, `floor`, each effect, and `bgr NAME`."""
    width, height = size
    frame = film_frame(width, height)
    planes = planes_of(frame, writable=False)
    ways = bgr_ways(width, height)
    steps: dict[str, Step] = {"copy": copy_step(planes), "floor": floor_step(planes)}
    for name in names:
        spec = dict(EFFECTS[name])
        if name == "blur":
            spec["strength"] = LEVELS / (LEVELS + math.log2(height / 720))
        steps[name] = effect_step(spec, frame)
        steps[f"bgr {name}"] = bgr_step(ways[name], frame)
    return time_all(steps, frames)


def main() -> None:
    """Print a table for each size."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("names", nargs="*", default=list(EFFECTS), metavar="effect")
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--frames", type=int, default=20)
    parser.add_argument("--json", type=Path, help="write the figures there as well")
    options = parser.parse_args()
    cv2.setNumThreads(1)
    figures: dict[str, float] = {}
    for size in options.sizes:
        found = measure(SIZES[size], options.names, options.frames)
        print(f"\n{size}: copy {found['copy']:.2f} ms, floor {found['floor']:.2f} ms")
        print(f"{'effect':14}{'ms':>8}{'/ floor':>9}{'BGR ms':>9}{'/ BGR':>8}")
        for name in options.names:
            own, bgr = found[name], found[f"bgr {name}"]
            print(f"{name:14}{own:8.2f}{own / found['floor']:9.2f}{bgr:9.1f}{own / bgr:8.2f}")
        for name, value in found.items():
            key = name.replace("-", "_").replace(" ", "_")
            figures[f"{key}_{size}_ms"] = round(value, 4)
    if options.json:
        options.json.write_text(json.dumps(figures, indent=2) + "\n")


if __name__ == "__main__":
    main()
