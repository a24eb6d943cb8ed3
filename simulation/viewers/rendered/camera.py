"""The camera of the rendered viewers: pinhole projection, sensor noise, VP8."""

from collections.abc import Iterable, Iterator
from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]
Picture = NDArray[np.float32]
Frame = NDArray[np.uint8]

WIDTH, HEIGHT = 640, 480
FOCAL_PX = 554.26  # horizontal field of view: 60 degrees
NOISE_GREY = 4.0  # standard deviation of the sensor's noise
BITRATE_BPS, FPS = 1_000_000, 30

_NOISE_MARGIN_PX = 200


def project(points_mm: Array) -> Array:
    """Project points of camera space into the picture.

    Parameters
    ----------
    points_mm : ndarray, shape (..., 3)
        Points in camera space.

    Returns
    -------
    ndarray, shape (..., 2)
        Pixels.
    """
    centre_px = np.array([WIDTH - 1, HEIGHT - 1]) / 2.0
    return np.asarray(points_mm[..., :2] / points_mm[..., 2:] * FOCAL_PX + centre_px)


def through_camera(pictures: Iterable[Picture], seed: int = 0) -> Iterator[Frame]:
    """Yield the frames that a server decodes: with sensor noise, through VP8 at 1 Mbit/s.

    Parameters
    ----------
    pictures : iterable of ndarray, shape (480, 640, 3)
        RGB in grey levels, from `render`.
    seed : int, default 0
        Seed of the noise.

    Yields
    ------
    ndarray, shape (480, 640, 3), uint8
        RGB.
    """
    random = np.random.default_rng([seed, 5])
    # One large noise image, from which every frame takes another part, saves most of the time.
    noise = random.normal(
        0.0, NOISE_GREY, (HEIGHT + _NOISE_MARGIN_PX, WIDTH + _NOISE_MARGIN_PX)
    ).astype(np.float32)
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.bit_rate = BITRATE_BPS
    encoder.time_base, encoder.framerate = Fraction(1, FPS), Fraction(FPS, 1)
    encoder.thread_count = 1
    encoder.options = {"deadline": "realtime", "cpu-used": "-6", "lag-in-frames": "0", "g": "3000"}
    decoder = av.CodecContext.create("vp8", "r")
    decoder.thread_count = 1
    for number, picture in enumerate(pictures):
        top, left = random.integers(0, _NOISE_MARGIN_PX, 2)
        grain = noise[top : top + HEIGHT, left : left + WIDTH]
        if random.random() < 0.5:
            grain = -grain
        noisy = np.clip(picture + grain[:, :, None] + 0.5, 0, 255).astype(np.uint8)
        planes = np.asarray(cv2.cvtColor(noisy, cv2.COLOR_RGB2YUV_I420), np.uint8)
        frame = av.VideoFrame.from_ndarray(planes, format="yuv420p")
        frame.pts = number
        for packet in encoder.encode(frame):
            for shown in decoder.decode(packet):
                yield np.asarray(cv2.cvtColor(shown.to_ndarray(), cv2.COLOR_YUV2RGB_I420), np.uint8)
