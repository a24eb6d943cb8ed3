"""The finest detail that the eye resolves at an eccentricity, and the blur that takes no more.

The contrast threshold at f cycles/degree and eccentricity e is CT0 exp(decay f (e + e2) / e2); the
cutoff frequency is where it reaches 1.

References
----------
Geisler and Perry, "Real-time foveated multiresolution system for low-bandwidth video
communication", SPIE 3299 (1998), with their constants.
"""

import math
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

MIN_CONTRAST: Final = 1 / 64
"""CT0 of Geisler and Perry (1998)."""

DECAY: Final = 0.106
"""Spatial frequency decay of Geisler and Perry (1998)."""

HALF_RESOLUTION_DEG: Final = 2.3
"""e2 of Geisler and Perry (1998): the eccentricity at which the cutoff frequency is halved."""


def cutoff_cpd(eccentricity_deg: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the highest spatial frequency that the eye resolves.

    Parameters
    ----------
    eccentricity_deg : ndarray of float64
        Distances from the point of gaze in degrees, 0 or more.

    Returns
    -------
    ndarray of float64
        Cycles per degree.
    """
    e2 = HALF_RESOLUTION_DEG
    return e2 * math.log(1 / MIN_CONTRAST) / (DECAY * (eccentricity_deg + e2))


@dataclass(frozen=True, slots=True)
class Acuity:
    """The level of detail due at an eccentricity, for one picture on one screen.

    Level n is a picture of 1 / 2**n of the size.

    Attributes
    ----------
    nyquist_cpd : float
        Highest spatial frequency that the picture can carry, in cycles per degree.
    gain : float, default 1
        Multiplies eccentricity. At 1 the blur takes what the eye does not resolve; above 1 it can
        be seen.
    """

    nyquist_cpd: float
    gain: float = 1.0

    @classmethod
    def of_picture(cls, width_px: int, width_deg: float, gain: float = 1.0) -> "Acuity":
        """Make it for a picture.

        Parameters
        ----------
        width_px : int
            Width of the picture in samples.
        width_deg : float
            Its width for the viewer in degrees of visual angle.
        gain : float, default 1
            Multiplies eccentricity.

        Returns
        -------
        Acuity
            For that picture.
        """
        return cls(width_px / width_deg / 2, gain)

    def level(self, eccentricity_deg: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the level of detail at eccentricities.

        Parameters
        ----------
        eccentricity_deg : ndarray of float64
            Distances from the point of gaze in degrees, 0 or more.

        Returns
        -------
        ndarray of float64
            log2(max(1, Nyquist frequency / cutoff frequency)).
        """
        cutoff = cutoff_cpd(self.gain * eccentricity_deg)
        return np.asarray(np.log2(np.maximum(1.0, self.nyquist_cpd / cutoff)), np.float64)

    def eccentricity_deg(self, level: float) -> float:
        """Return the eccentricity at which a level of detail is reached.

        Parameters
        ----------
        level : float
            Level of detail, 0 or more.

        Returns
        -------
        float
            Degrees; negative if the level is exceeded at the point of gaze itself.
        """
        e2 = HALF_RESOLUTION_DEG
        cutoff = self.nyquist_cpd / 2**level
        return (e2 * math.log(1 / MIN_CONTRAST) / (DECAY * cutoff) - e2) / self.gain
