"""Test cameras: a viewer whose irises, lids, pupils and place in the picture are known.

Made from scikit-image's public-domain portrait (`data.astronaut()`): the face is enlarged until
an eye is 64 px wide, then the eyes are painted anew. All offsets are in pixels of the finished
640x480 frame, in image coordinates: the frame is not mirrored, so irises at a negative `dx` look
to the viewer's right, where the screen's x grows.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from itertools import cycle, islice
from pathlib import Path

import cv2
import numpy as np
from numpy.typing import NDArray
from skimage import data

WIDTH, HEIGHT = 640, 480
NOISES = 16
REACH_PX = 60  # how far the head may be shifted
SCALE = 3.4
PX_PER_MM = 2.45  # of the painted irises: 28.7 px across, 11.7 mm
IRIS_RADIUS_PX = 14.3
_LID_FOLLOWS = 0.9
_AROUND_PX = 60  # what is painted of an eye lies within so many pixels of its middle

Frame = NDArray[np.uint8]

# The eyes are painted on a canvas that is larger than the frame on each side.
_CANVAS = (WIDTH + 2 * REACH_PX, HEIGHT + 2 * REACH_PX)

# The middle of the frame in the portrait, and the lids (corner to corner) in its pixels.
_CENTRE = np.array([224.8, 122.0])
_RIGHT_UPPER = [(195.0, 101.4), (198.2, 98.2), (202.8, 96.6), (207.6, 97.6), (213.6, 103.6)]
_RIGHT_LOWER = [(213.6, 103.6), (208.2, 104.8), (203.2, 105.2), (198.6, 103.9), (195.0, 101.4)]
_LEFT_UPPER = [(236.6, 104.8), (242.4, 99.9), (247.6, 98.7), (252.4, 100.4), (256.0, 104.6)]
_LEFT_LOWER = [(256.0, 104.6), (251.6, 106.6), (246.6, 107.6), (241.4, 106.9), (236.6, 104.8)]
_RIGHT_IRIS = (203.6, 101.0)
_LEFT_IRIS = (247.0, 103.2)


@dataclass(frozen=True)
class _Eye:
    upper: NDArray[np.float64]
    lower: NDArray[np.float64]
    iris: NDArray[np.float64]


def _on_canvas(points: object) -> NDArray[np.float64]:
    return (np.asarray(points, dtype=np.float64) - _CENTRE) * SCALE + np.array(_CANVAS) / 2


def _curve(points: Sequence[tuple[float, float]]) -> NDArray[np.float64]:
    """A smooth line through five points of a lid, from the image's left to its right."""
    knots = _on_canvas(sorted(points))
    x = np.linspace(knots[0, 0], knots[-1, 0], 40)
    return np.stack([x, np.polyval(np.polyfit(knots[:, 0], knots[:, 1], 4), x)], axis=1)


@cache
def _eyes() -> tuple[_Eye, _Eye]:
    return (
        _Eye(_curve(_RIGHT_UPPER), _curve(_RIGHT_LOWER), _on_canvas(_RIGHT_IRIS)),
        _Eye(_curve(_LEFT_UPPER), _curve(_LEFT_LOWER), _on_canvas(_LEFT_IRIS)),
    )


def _mask(
    shape: tuple[int, ...], polygon: NDArray[np.float64], soft_px: float
) -> NDArray[np.float32]:
    mask = np.zeros(shape[:2], np.uint8)
    cv2.fillPoly(mask, [np.round(polygon * 16).astype(np.int32)], 255, cv2.LINE_AA, shift=4)
    soft = cv2.GaussianBlur(mask.astype(np.float32) / 255.0, (0, 0), soft_px)
    return soft[:, :, None]


def _opening(upper: NDArray[np.float64], lower: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.concatenate([upper, lower[::-1]])


@cache
def _portrait() -> Frame:
    place = np.array([[SCALE, 0.0], [0.0, SCALE]])
    shift = np.array(_CANVAS) / 2 - SCALE * _CENTRE
    return cv2.warpAffine(
        data.astronaut(),
        np.column_stack([place, shift]),
        _CANVAS,
        flags=cv2.INTER_CUBIC,
        borderMode=cv2.BORDER_REPLICATE,
    )


@cache
def _lids() -> NDArray[np.float32]:
    """The portrait with skin where the eyes were."""
    hole = np.zeros(_CANVAS[::-1], np.uint8)
    for eye in _eyes():
        outline = np.round(_opening(eye.upper - 3.0, eye.lower + 3.0)).astype(np.int32)
        cv2.fillPoly(hole, [outline], 255)
    hole = cv2.dilate(hole, cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11)))
    skin = cv2.inpaint(_portrait(), hole, 6, cv2.INPAINT_TELEA).astype(np.float32)
    soft = cv2.GaussianBlur(hole.astype(np.float32) / 255.0, (0, 0), 2.0)[:, :, None]
    return np.asarray(_portrait() * (1.0 - soft) + skin * soft, dtype=np.float32)


def _paint_iris(
    picture: NDArray[np.float32], centre: NDArray[np.float64], pupil_px: float
) -> NDArray[np.float32]:
    """A light grey-blue iris with a dark rim, a pupil and the reflection of a window."""
    y, x = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]].astype(np.float32)
    away = np.hypot(x - centre[0], y - centre[1])

    def disc(radius: float, soft_px: float = 0.8) -> NDArray[np.float32]:
        return np.clip((radius - away) / (2 * soft_px) + 0.5, 0.0, 1.0)[:, :, None]

    angle = np.arctan2(y - centre[1], x - centre[0])
    streaks = (1.0 + 0.06 * np.sin(23 * angle) * np.sin(9 * angle + away))[:, :, None]
    colour = np.array([118.0, 138.0, 150.0], np.float32) * streaks
    rim = np.clip((away - 0.78 * IRIS_RADIUS_PX) / (0.22 * IRIS_RADIUS_PX), 0, 1)[:, :, None]
    colour = colour * (1.0 - 0.55 * rim)
    iris, pupil = disc(IRIS_RADIUS_PX), disc(pupil_px)
    picture = picture * (1 - iris) + colour * iris
    picture = picture * (1 - pupil) + np.array([16.0, 14.0, 14.0], np.float32) * pupil
    spark = np.exp(-((x - centre[0] - 3) ** 2 + (y - centre[1] + 4) ** 2) / 3.0)[:, :, None]
    return np.asarray(picture * (1 - spark) + 235.0 * spark, dtype=np.float32)


def _paint_eye(
    picture: NDArray[np.float32],
    eye: _Eye,
    iris: tuple[float, float],
    openness: float,
    pupil_mm: float,
) -> NDArray[np.float32]:
    # The upper lid goes along with the gaze up and down, as it does in life.
    middle = 1.0 - np.abs(np.linspace(-1.0, 1.0, len(eye.upper))) ** 2
    upper = eye.upper + np.stack([0.0 * middle, _LID_FOLLOWS * iris[1] * middle], axis=1)
    upper = upper + (1.0 - openness) * (eye.lower - upper)
    rows = np.mgrid[0 : picture.shape[0], 0 : picture.shape[1]][0]
    lid = np.clip((rows - upper[:, 1].min()) / 14.0, 0.0, 1.0)
    shade = (0.62 + 0.38 * lid)[:, :, None].astype(np.float32)
    ball = np.full(picture.shape, (205.0, 196.0, 190.0), np.float32)
    ball = _paint_iris(ball, eye.iris + iris, pupil_mm / 2 * PX_PER_MM) * shade
    if openness > 0.02:
        mask = _mask(picture.shape, _opening(upper, eye.lower), 0.8)
        picture = picture * (1 - mask) + ball * mask
    lashes = np.zeros(picture.shape[:2], np.uint8)
    line = np.round(upper * 16).astype(np.int32)
    cv2.polylines(lashes, [line], False, 255, 3, cv2.LINE_AA, shift=4)
    dark = cv2.GaussianBlur(lashes.astype(np.float32) / 255.0, (0, 0), 0.9)[:, :, None] * 0.75
    return np.asarray(picture * (1 - dark) + np.float32([52, 36, 30]) * dark, dtype=np.float32)


@lru_cache(maxsize=64)
def _viewer(iris: tuple[float, float], openness: float, pupil_mm: float) -> NDArray[np.float32]:
    picture = _lids().copy()
    for eye in _eyes():
        left, top = (round(at) - _AROUND_PX for at in eye.iris)
        around = picture[top : top + 2 * _AROUND_PX, left : left + 2 * _AROUND_PX]
        corner = np.array([left, top])
        here = _Eye(eye.upper - corner, eye.lower - corner, eye.iris - corner)
        around[:] = _paint_eye(around, here, iris, openness, pupil_mm)
    return picture


@cache
def _empty() -> NDArray[np.float32]:
    """The portrait's studio backdrop, and nobody in front of it."""
    backdrop = data.astronaut()[0:90, 108:150]
    wide = cv2.resize(backdrop, (WIDTH, HEIGHT), interpolation=cv2.INTER_CUBIC)
    return cv2.GaussianBlur(wide.astype(np.float32), (0, 0), 9.0)


def viewer_frame(
    iris: tuple[float, float] = (0.0, 0.0),
    openness: float = 1.0,
    pupil_mm: float = 4.0,
    shift_px: tuple[float, float] = (0.0, 0.0),
    present: bool = True,
    noise: int = 0,
) -> Frame:
    """Return one RGB frame, shape (480, 640, 3), uint8.

    `iris` moves both irises from straight ahead, in pixels (about +-12 across, +-6 up and down
    stay in the eye); the upper lids go along. `openness` is 1 open to 0 closed. `shift_px` moves
    the head, by up to 60 px. `noise` seeds the frame's noise: give each frame its own and the
    picture is never frozen.
    """
    if max(abs(shift_px[0]), abs(shift_px[1])) > REACH_PX:
        raise ValueError(f"shift_px is {shift_px}; the head can be moved by {REACH_PX} px at most")
    if present:
        canvas = _viewer(
            (round(iris[0], 1), round(iris[1], 1)), round(openness, 2), round(pupil_mm, 1)
        )
        place = np.array([[1.0, 0.0, shift_px[0] - REACH_PX], [0.0, 1.0, shift_px[1] - REACH_PX]])
        painted = cv2.warpAffine(canvas, place, (WIDTH, HEIGHT))
    else:
        painted = _empty()
    grain = np.random.default_rng(noise).normal(0.0, 2.0, (HEIGHT, WIDTH, 1))
    return np.clip(painted + grain + 0.5, 0, 255).astype(np.uint8)


def frames(scenes: Iterable[tuple[float, dict[str, object]]], fps: int = 30) -> Iterator[Frame]:
    """Yield the frames of scenes, each (seconds, arguments of `viewer_frame`), in turn."""
    number = 0
    for seconds, looks in scenes:
        for _ in range(round(seconds * fps)):
            yield viewer_frame(**looks, noise=number)  # type: ignore[arg-type]
            number += 1


def write_camera(
    path: Path, scenes: Iterable[tuple[float, dict[str, object]]], fps: int = 30
) -> None:
    """Write scenes as a file for Chromium's `--use-file-for-fake-video-capture`.

    The suffix decides: `.mjpeg` (JPEGs one after another; Chromium plays them at 30 frames/s) or
    `.y4m` (uncompressed 4:2:0, with its rate). Chromium repeats the file for ever, and within a
    scene the noise repeats after `NOISES` frames; no frame is like the one before it.
    """
    if path.suffix not in (".mjpeg", ".y4m"):
        raise ValueError(f"{path.name}: a camera file ends in .mjpeg or .y4m")
    number = 0
    with path.open("wb") as file:
        if path.suffix == ".y4m":
            file.write(f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F{fps}:1 Ip A1:1 C420jpeg\n".encode())
        for seconds, looks in scenes:
            count = round(seconds * fps)
            pictures = [
                _encoded(viewer_frame(**looks, noise=number + ahead), path.suffix)  # type: ignore[arg-type]
                for ahead in range(min(count, NOISES))
            ]
            file.writelines(islice(cycle(pictures), count))
            number += count


def _encoded(frame: Frame, suffix: str) -> bytes:
    if suffix == ".y4m":
        return b"FRAME\n" + cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes()
    bgr = cv2.cvtColor(frame, cv2.COLOR_RGB2BGR)
    return cv2.imencode(".jpg", bgr, [cv2.IMWRITE_JPEG_QUALITY, 95])[1].tobytes()
