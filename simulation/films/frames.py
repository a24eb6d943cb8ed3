"""Single film frames and gaze states, for tests and benchmarks of effects."""

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
    """Return 0: a clock for effect chains by which no effect is ever too slow on a busy machine."""
    return 0.0


def frame_of(luma: NDArray[np.uint8], seed: int = 0) -> av.VideoFrame:
    """Return a yuv420p frame with a given luma and smooth random chroma.

    Parameters
    ----------
    luma : ndarray, shape (height, width), uint8
        The Y plane.
    seed : int, default 0
        Of the chroma.
    """
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
    """Return a yuv420p frame of slightly blurred noise: the same detail everywhere.

    Parameters
    ----------
    width, height : int
        Size in pixels.
    seed : int, default 0
        Of the noise.
    """
    rng = np.random.default_rng(seed)
    noise = rng.integers(0, 256, (height, width)).astype(np.uint8)
    return frame_of(np.asarray(cv2.GaussianBlur(noise, (3, 3), 0), np.uint8), seed)


def looking(
    shown: tuple[float, float] | None,
    t_s: float,
    *,
    uncertainty: float | None = None,
    attentive: bool = True,
    eyes_closed: bool = False,
    **signals: float | None,
) -> GazeState:
    """Return a gaze state.

    Parameters
    ----------
    shown : tuple of float or None
        Point of gaze as fractions of the shown picture.
    t_s : float
        Its time.
    uncertainty : float, optional
        Of the point of gaze, in picture widths.
    attentive : bool, default True
        Whether the viewer looks at the screen.
    eyes_closed : bool, default False
        Whether the lids are closed.
    **signals : float or None
        Signals by name, with an underscore for the first dot: `pupil_relative=0.1` is
        `pupil.relative`.
    """
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
    """Apply an effect chain to the same frame for a while, with a fixed point of gaze.

    Parameters
    ----------
    chain : Chain
        The effects.
    frame : av.VideoFrame
        The film's frame.
    shown : tuple of float or None
        Point of gaze as fractions of the shown picture.
    seconds : float
        Duration, at 30 frames a second.
    start_s : float, default 0
        Time of the first frame.

    Returns
    -------
    av.VideoFrame
        The last frame that the chain returned.
    """
    drawn = frame
    for index in range(round(seconds / FRAME_S)):
        t_s = start_s + index * FRAME_S
        gaze = looking(shown, t_s)
        chain.update(gaze, t_s)
        drawn = chain.apply(frame, gaze, t_s)
    return drawn
