"""Which size and frame rate the film is sent at, so that its bits suffice for its pixels.

Below some 0.03 bits per pixel VP8 and H.264 smear; fewer pixels, enlarged again, look better. Frame
rate is kept as long as there is a smaller size. A step down is taken when the bitrate has been too
low for a second, a step up when it has been high enough, by a margin wider than the variation of
the bandwidth estimate, for some seconds: so that nothing oscillates. Where a key frame has to be
made anyway, a bitrate that is too low counts at once, and the step down is to one with that margin:
a key frame too large for a network path that just became narrow would stop the film. libwebrtc's
`quality_scaler.cc` decides by the quantizer instead.
"""

from dataclasses import dataclass

# Tuned with tests/rtc/codecs/test_quality_scaler.py (an estimate that varies by 10 % makes no
# oscillation) and by `python -m benchmarks.network --who chromium --scenarios step,1_mbps` (width
# while narrow, time until full size).
MIN_BPP = 0.030  # bits per pixel: below, a step down
GOOD_BPP = 0.042  # above, a step up
HOPELESS_BPP = 0.015  # below, a step down at once
FILM_RATE_FPS = 30
DOWN_AFTER_S = 1.0
UP_AFTER_S = 2.0
UP_PAUSE_S = 5.0  # after a step down


@dataclass(frozen=True, slots=True)
class Step:
    """A size and a frame rate.

    Attributes
    ----------
    scale : float
        Share of the film's width and height, above 0 to 1.
    rate_fps : float or None
        The highest frame rate; None is no limit.
    """

    scale: float
    rate_fps: float | None


STEPS = (
    Step(1.0, None),
    Step(0.75, None),
    Step(0.5, None),
    Step(0.375, None),
    Step(0.25, None),
    Step(0.25, 20.0),
    Step(0.25, 15.0),
)


class QualityScaler:
    """The step in force; every update takes the time."""

    def __init__(self) -> None:
        self._index: int | None = None
        self._low_since_s: float | None = None
        self._high_since_s: float | None = None
        self._down_s: float | None = None

    @property
    def step(self) -> Step:
        """What the film is to be sent at."""
        return STEPS[self._index or 0]

    def update(
        self, target_bps: float, width: int, height: int, t_s: float, *, key_frame: bool = False
    ) -> Step:
        """Decide on a step.

        Parameters
        ----------
        target_bps : float
            The film's bitrate now, in bit/s.
        width, height : int
            Size of the film in pixels.
        t_s : float
            Now, in seconds.
        key_frame : bool, default False
            Whether a key frame is to be made anyway.

        Returns
        -------
        Step
            The step in force.
        """
        if self._index is None:
            self._index = _best_step(target_bps, width, height, MIN_BPP)
            return self.step
        index = self._index
        now_bpp = _bits_per_pixel(target_bps, width, height, STEPS[index])
        if now_bpp >= MIN_BPP or index == len(STEPS) - 1:
            self._low_since_s = None
        elif self._low_since_s is None:
            self._low_since_s = t_s
        if self._low_since_s is not None and (
            key_frame or now_bpp < HOPELESS_BPP or t_s - self._low_since_s >= DOWN_AFTER_S
        ):
            min_bpp = GOOD_BPP if key_frame else MIN_BPP
            self._index = max(index + 1, _best_step(target_bps, width, height, min_bpp))
            self._low_since_s = self._high_since_s = None
            self._down_s = t_s
            return self.step
        better = _best_step(target_bps, width, height, GOOD_BPP)
        if better >= index:
            self._high_since_s = None
        elif self._high_since_s is None:
            self._high_since_s = t_s
        elif t_s - self._high_since_s >= UP_AFTER_S and (
            self._down_s is None or t_s - self._down_s >= UP_PAUSE_S
        ):
            self._index = better
            self._high_since_s = None
        return self.step


def _best_step(target_bps: float, width: int, height: int, min_bpp: float) -> int:
    """Index of the best step with so many bits per pixel; the last if there is none."""
    for index, step in enumerate(STEPS):
        if _bits_per_pixel(target_bps, width, height, step) >= min_bpp:
            return index
    return len(STEPS) - 1


def _bits_per_pixel(target_bps: float, width: int, height: int, step: Step) -> float:
    rate_fps = step.rate_fps or FILM_RATE_FPS
    return target_bps / (width * height * step.scale**2 * rate_fps)
