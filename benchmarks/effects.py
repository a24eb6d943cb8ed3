"""What each effect costs a frame: `python -m benchmarks.effects`.

Unit: milliseconds of CPU for one frame on one thread, the median. Floors and peers, in the same run
and on the same frames: a plain copy of the three planes; the fewest pyramid and blend calls of a
4-level foveated blur, its masks made beforehand ("floor"); and for each effect a straightforward
OpenCV version in BGR. The point of gaze moves with every frame, so that nothing can be reused.
"""

import itertools
import math
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import av
import cv2
import numpy as np
import numpy.typing as npt

from benchmarks.report import arguments, write_figures
from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.frames.planes import Plane, Planes, copy_properties, planes_of
from simulation.films.frames import film_frame

SIZES = {"720p": (1280, 720), "1080p": (1920, 1080), "2160p": (3840, 2160)}
LEVELS = 4
FRAME_S = 1 / 30
WARM_UP_FRAMES = 40
Image = npt.NDArray[np.uint8]
Step = Callable[[int], object]

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
    """Return the moving point of gaze at a frame, as fractions of the picture.

    Parameters
    ----------
    index : int
        The frame.
    """
    turn = index * 0.06
    return 0.5 + 0.25 * math.cos(turn), 0.5 + 0.25 * math.sin(turn)


def effect_step(spec: dict[str, Any], frame: av.VideoFrame) -> Step:
    """Return one effect as the server runs it.

    Parameters
    ----------
    spec : dict
        The effect, as in a request.
    frame : av.VideoFrame
        The film's frame.

    Returns
    -------
    callable
        Applies it; its argument is the frame's index.
    """
    chain = Chain([spec], clock=time.thread_time)

    def step(index: int) -> None:
        t_s = index * FRAME_S
        gaze = GazeState(t_s, point_at(index), 0.01, picture_deg=30.0)
        chain.apply(frame, gaze, t_s)
        if chain.failures:
            raise RuntimeError(f"{spec['name']} failed: {chain.failures}")

    return step


def copy_step(planes: Planes) -> Step:
    """Return a plain copy of the planes.

    Parameters
    ----------
    planes : Planes
        Of the film's frame.

    Returns
    -------
    callable
        Copies them; its argument is ignored.
    """
    targets = [np.empty(plane.shape, np.uint8) for plane in planes]

    def step(index: int) -> None:
        for plane, target in zip(planes, targets, strict=True):
            np.copyto(target, plane)

    return step


def floor_step(planes: Planes) -> Step:
    """Return a foveated blur from coarse to fine with `blendLinear`.

    Its masks are twice the plane's size and sliced at the point of gaze.

    Parameters
    ----------
    planes : Planes
        Of the film's frame.

    Returns
    -------
    callable
        Blends them; its argument is the frame's index.
    """
    parts = [(planes.y, LEVELS), (planes.u, LEVELS - 1), (planes.v, LEVELS - 1)]
    pyramids = [_FloorPyramid(plane, levels) for plane, levels in parts]

    def step(index: int) -> None:
        for pyramid in pyramids:
            pyramid.blend(point_at(index))

    return step


class _FloorPyramid:
    """A pyramid of one plane whose masks are made beforehand."""

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
        pictures: list[Plane] = [self._plane]
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
    """Return a straightforward effect: to BGR, draw, and back to yuv420p.

    OpenCV converts; PyAV's own `to_ndarray("bgr24")` and back takes ten times as long.

    Parameters
    ----------
    draw : callable
        Draws on a BGR image at a frame's index.
    frame : av.VideoFrame
        The film's frame.

    Returns
    -------
    callable
        Applies it; its argument is the frame's index.
    """

    def step(index: int) -> None:
        bgr = np.asarray(cv2.cvtColor(frame.to_ndarray(), cv2.COLOR_YUV2BGR_I420), np.uint8)
        drawn = np.asarray(draw(bgr, index), np.uint8)
        planes = np.asarray(cv2.cvtColor(drawn, cv2.COLOR_BGR2YUV_I420), np.uint8)
        copy_properties(frame, av.VideoFrame.from_ndarray(planes, "yuv420p"))

    return step


def bgr_effects(width: int, height: int) -> dict[str, Callable[[Image, int], Image]]:
    """Return for each effect what one would write first with OpenCV.

    Parameters
    ----------
    width, height : int
        Of the picture, px.

    Returns
    -------
    dict of str to callable
        By effect.
    """
    heat = np.zeros((height, width), np.float32)

    def mask(index: int, radius: float, softness: float) -> npt.NDArray[np.float32]:
        x, y = point_at(index)
        rows, columns = np.ogrid[0:height, 0:width]
        away = np.hypot(columns - x * width, rows - y * height) / height
        return np.asarray(np.clip((away - radius) / softness, 0, 1)[..., None], np.float32)

    def blur(image: Image, index: int) -> Image:
        soft, away = cv2.GaussianBlur(image, (0, 0), 15), mask(index, 0.15, 0.35)
        return np.asarray((image * (1 - away) + soft * away).astype(np.uint8))

    def zoom(image: Image, index: int) -> Image:
        x, y = point_at(index)
        matrix = np.array([[2, 0, -x * width], [0, 2, -y * height]], np.float32)
        return np.asarray(cv2.warpAffine(image, matrix, (width, height)), np.uint8)

    def magnifier(image: Image, index: int) -> Image:
        near, away = zoom(image, index), mask(index, 0.22, 0.01)
        return np.where(away < 0.5, near, image)

    def spotlight(image: Image, index: int) -> Image:
        return np.asarray((image * (1 - 0.75 * mask(index, 0.2, 0.3))).astype(np.uint8))

    def pixelate(image: Image, index: int) -> Image:
        small = cv2.resize(image, (width // 29, height // 29), interpolation=cv2.INTER_AREA)
        blocks = cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)
        away = mask(index, 0.2, 0.15)
        return np.asarray((image * (1 - away) + blocks * away).astype(np.uint8))

    def grade(image: Image, index: int) -> Image:
        hsv = cv2.cvtColor(cv2.convertScaleAbs(image, alpha=1.15), cv2.COLOR_BGR2HSV)
        hsv[..., 1] = np.clip(hsv[..., 1] * 1.3, 0, 255)
        return np.asarray(cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR), np.uint8)

    def cursor(image: Image, index: int) -> Image:
        x, y = point_at(index)
        over = image.copy()
        centre = round(x * width), round(y * height)
        cv2.circle(over, centre, round(0.045 * height), (26, 178, 255), 5, cv2.LINE_AA)
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
        lit = np.clip(image + 55 * bell * math.sin(index * 0.3), 0, 255)
        return np.asarray(lit.astype(np.uint8))

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
    """Return the median CPU time of each step, in milliseconds.

    The steps take turns, and only their own thread's time counts, so that a busy machine is fair to
    all.

    Parameters
    ----------
    steps : dict of str to callable
        What to time.
    frames : int
        Measured calls of each, after the warm-up.
    """
    taken: dict[str, list[float]] = {name: [] for name in steps}
    for index in range(WARM_UP_FRAMES + frames):
        for name, step in steps.items():
            # The BGR versions are slow, and have nothing to warm up but caches.
            if index < WARM_UP_FRAMES - 3 and name.startswith("bgr"):
                continue
            start_s = time.thread_time()
            step(index)
            taken[name].append((time.thread_time() - start_s) * 1000)
    return {name: statistics.median(times[-frames:]) for name, times in taken.items()}


def measure(size: tuple[int, int], names: list[str], frames: int) -> dict[str, float]:
    """Return the milliseconds a frame of `copy`, `floor`, each effect, and `bgr NAME`.

    Parameters
    ----------
    size : (int, int)
        Width and height, px.
    names : list of str
        Effects, keys of `EFFECTS`.
    frames : int
        Measured frames.
    """
    width, height = size
    frame = film_frame(width, height)
    planes = planes_of(frame, writable=False)
    bgr = bgr_effects(width, height)
    steps: dict[str, Step] = {"copy": copy_step(planes), "floor": floor_step(planes)}
    for name in names:
        spec = dict(EFFECTS[name])
        if name == "blur":
            spec["strength"] = LEVELS / (LEVELS + math.log2(height / 720))
        steps[name] = effect_step(spec, frame)
        steps[f"bgr {name}"] = bgr_step(bgr[name], frame)
    return time_all(steps, frames)


def main(argv: Sequence[str] | None = None) -> None:
    """Measure every size, print the tables and write the figures.

    Parameters
    ----------
    argv : sequence of str, optional
        Command line; by default the process's.
    """
    parser = arguments(__doc__, "effects")
    effects = ", ".join(EFFECTS)
    parser.add_argument("names", nargs="*", default=list(EFFECTS), metavar="effect", help=effects)
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    parser.add_argument("--frames", type=int, default=20, help="of each measurement, default 20")
    options = parser.parse_args(argv)
    cv2.setNumThreads(1)
    figures: dict[str, float] = {}
    for size in options.sizes:
        found = measure(SIZES[size], options.names, options.frames)
        print(f"\n{size}, ms of CPU a frame: copy {found['copy']:.2f}, floor {found['floor']:.2f}")
        print(f"{'effect':14}{'ours':>8}{'/ floor':>9}{'BGR':>9}{'/ BGR':>8}")
        for name in options.names:
            own, bgr = found[name], found[f"bgr {name}"]
            print(f"{name:14}{own:8.2f}{own / found['floor']:9.2f}{bgr:9.1f}{own / bgr:8.2f}")
        for name, value in found.items():
            key = name.replace("-", "_").replace(" ", "_")
            figures[f"{key}_{size}_ms"] = round(value, 4)
    write_figures(figures, options.json)


if __name__ == "__main__":
    main()
