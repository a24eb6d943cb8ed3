"""How fine a detail the eye can see beside the point of gaze, and the blur that takes no more.

Geisler and Perry, "Real-time foveated multiresolution system for low-bandwidth video
communication" (1998), with their constants. The contrast threshold at f cycles/degree and e degrees
from the point of gaze is CT0 exp(decay f (e + e2) / e2); the cutoff is where it reaches 1.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MIN_CONTRAST: Final = 1 / 64
DECAY: Final = 0.106
HALF_RESOLUTION_DEG: Final = 2.3


def cutoff_cpd(eccentricity_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the finest visible detail, in cycles/degree, so far from the point of gaze."""
    e2 = HALF_RESOLUTION_DEG
    return e2 * math.log(1 / MIN_CONTRAST) / (DECAY * (eccentricity_deg + e2))


@dataclass(frozen=True, slots=True)
class Acuity:
    """The blur level due at a distance from the point of gaze, for one picture on one screen.

    `nyquist_cpd` is the finest detail that the picture can carry. With `gain` 1 the level is what
    the eye does not miss; above 1 eccentricity counts for more, so that the blur can be seen.
    Level n is a picture of 1 / 2**n of the size.
    """

    nyquist_cpd: float
    gain: float = 1.0

    @classmethod
    def of_picture(cls, width_px: int, width_deg: float, gain: float = 1.0) -> "Acuity":
        """Make it for a picture so wide; `width_deg` as the viewer sees it."""
        return cls(width_px / width_deg / 2, gain)

    def level(self, eccentricity_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return log2(max(1, Nyquist / cutoff)) at these distances (0 or more)."""
        cutoff = cutoff_cpd(self.gain * eccentricity_deg)
        return np.asarray(np.log2(np.maximum(1.0, self.nyquist_cpd / cutoff)), np.float64)

    def eccentricity_deg(self, level: float) -> float:
        """Return the distance at which a level is reached; negative if it is at the gaze itself."""
        e2 = HALF_RESOLUTION_DEG
        cutoff = self.nyquist_cpd / 2**level
        return (e2 * math.log(1 / MIN_CONTRAST) / (DECAY * cutoff) - e2) / self.gain
