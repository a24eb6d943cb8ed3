"""Film frames and looks made for the tests of effects."""

from fractions import Fraction

import av
import cv2
import numpy as np
from numpy.typing import NDArray

from gaze.effects.chain import Chain
from gaze.effects.state import GazeState
from gaze.frames.planes import planes_of

FRAME_S = 1 / 30


def at_no_time() -> float:
    """A clock for chains by which no effect is ever slow, however busy the machine is."""
    return 0.0


def frame_of(luma: NDArray[np.uint8], seed: int = 0) -> av.VideoFrame:
    """A yuv420p frame of this luma, (height, width), and smooth random chroma."""
    height, width = luma.shape
    frame = av.VideoFrame(width, height, "yuv420p")
    frame.pts = 4500
    frame.time_base = Fraction(1, 90000)
    planes = planes_of(frame, writable=True)
    planes.y[:] = luma
    rng = np.random.default_rng(seed)
    for plane in (planes.u, planes.v):
        coarse = rng.integers(64, 192, (4, 4)).astype(np.uint8)
        plane[:] = cv2.resize(coarse, (plane.shape[1], plane.shape[0]))
    return frame


def film_frame(width: int, height: int, seed: int = 0) -> av.VideoFrame:
    """A frame that is equally detailed all over: noise, a little softened."""
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height, width)).astype(np.uint8)
    return frame_of(cv2.GaussianBlur(noise, (3, 3), 0), seed)


def looking(
    shown: tuple[float, float] | None,
    t_s: float,
    *,
    uncertainty: float | None = None,
    attentive: bool = True,
    eyes_closed: bool = False,
    **signals: float | None,
) -> GazeState:
    """A gaze; signals are given with underscores: `pupil_relative=0.1`."""
    return GazeState(
        t_s,
        shown,
        uncertainty,
        attentive=attentive,
        eyes_closed=eyes_closed,
        signals={name.replace("_", ".", 1): value for name, value in signals.items()},
    )


def play(
    chain: Chain,
    frame: av.VideoFrame,
    shown: tuple[float, float] | None,
    *,
    seconds: float,
    start_s: float = 0.0,
) -> av.VideoFrame:
    """Apply the chain to `frame` for a while with the gaze at one place; return the last frame."""
    drawn = frame
    for index in range(round(seconds / FRAME_S)):
        t_s = start_s + index * FRAME_S
        gaze = looking(shown, t_s)
        chain.update(gaze, t_s)
        drawn = chain.apply(frame, gaze, t_s)
    return drawn
