"""Which size and rate the film is sent at, so that its bits suffice for its pixels.

Below some 0.03 bits a pixel VP8 and H.264 smear; fewer pixels, enlarged again, look better.
Frame rate is kept as long as there is a smaller size. A step down is taken when the bitrate has
been too low for a second, a step up when it has been high enough, by a margin wider than the
estimate's own swing, for some seconds: so that nothing oscillates. Where a key frame has to be made
anyway, a bitrate that is too low counts at once, and the step down is to one with that margin: a
key frame too large for a way that just became narrow would stop the film.
"""

from dataclasses import dataclass

LEAST_BPP = 0.030
GOOD_BPP = 0.042
HOPELESS_BPP = 0.015
FILM_RATE_FPS = 30
DOWN_AFTER_S = 1.0
UP_AFTER_S = 2.0
UP_PAUSE_S = 5.0  # after a step down


@dataclass(frozen=True, slots=True)
class Step:
    """A size, as a share of the film's width and height, and the highest frame rate."""

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
    """The step in force; told of the bitrate with its time."""

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
        self, target_bps: float, width: int, height: int, t_s: float, *, anew: bool = False
    ) -> Step:
        """Decide for a film of this size, sent at this bitrate, now; `anew` with a key frame."""
        if self._index is None:
            self._index = _first(target_bps, width, height, LEAST_BPP)
            return self.step
        index = self._index
        now_bpp = _bits_per_pixel(target_bps, width, height, STEPS[index])
        if now_bpp >= LEAST_BPP or index == len(STEPS) - 1:
            self._low_since_s = None
        elif self._low_since_s is None:
            self._low_since_s = t_s
        if self._low_since_s is not None and (
            anew or now_bpp < HOPELESS_BPP or t_s - self._low_since_s >= DOWN_AFTER_S
        ):
            least_bpp = GOOD_BPP if anew else LEAST_BPP
            self._index = max(index + 1, _first(target_bps, width, height, least_bpp))
            self._low_since_s = self._high_since_s = None
            self._down_s = t_s
            return self.step
        better = _first(target_bps, width, height, GOOD_BPP)
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


def _first(target_bps: float, width: int, height: int, least_bpp: float) -> int:
    """The best step with so many bits a pixel; the last if there is none."""
    for index, step in enumerate(STEPS):
        if _bits_per_pixel(target_bps, width, height, step) >= least_bpp:
            return index
    return len(STEPS) - 1


def _bits_per_pixel(target_bps: float, width: int, height: int, step: Step) -> float:
    rate_fps = step.rate_fps or FILM_RATE_FPS
    return target_bps / (width * height * step.scale**2 * rate_fps)
