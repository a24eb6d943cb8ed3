"""Frames that an encoder has to spend bits on: a texture that moves."""

import fractions

import av
import cv2
import numpy as np

WIDTH, HEIGHT, FPS = 640, 360, 30

_rng = np.random.default_rng(1)
_texture = cv2.GaussianBlur(_rng.integers(0, 256, (HEIGHT, WIDTH), np.uint8), (0, 0), 2)
_texture = cv2.normalize(_texture, np.empty_like(_texture), 0, 255, cv2.NORM_MINMAX)


def frame(index: int, width: int = WIDTH, height: int = HEIGHT, fps: int = FPS) -> av.VideoFrame:
    """Draw the texture, moved by some pixels from frame to frame, as yuv420p."""
    y = np.roll(_texture, (index * 3, index * 5), (0, 1))[:height, :width]
    made = av.VideoFrame(width, height, "yuv420p")
    luma, *chroma = made.planes
    rows = np.zeros((height, luma.line_size), np.uint8)
    rows[: y.shape[0], : y.shape[1]] = y
    luma.update(rows.tobytes())
    for plane in chroma:
        plane.update(bytes([128]) * plane.buffer_size)
    made.pts = index
    made.time_base = fractions.Fraction(1, fps)
    return made
