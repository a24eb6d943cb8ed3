"""Measure the pupils relative to their irises, from the radial profile of the brightness.

The camera shows a dark disc on a brighter one on the white of the eye, all blurred alike. Where
irises are few pixels wide, the slopes of pupil and limbus overlap, and the steepest point is no
longer the pupil's edge. So the median profile over rays of both eyes is taken, which lashes and
streaks hardly change, and profiles of blurred discs of every width are fitted to it, with as much
of the limbus as fits, by least squares.
"""

from dataclasses import dataclass
from functools import cached_property, lru_cache

import numpy as np

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.kernels.pupil_profile import (
    HALF_WIDTH,
    PROFILE_RADII,
    PROFILE_WEIGHTS,
    RATIOS,
    SAMPLE_RADII,
    match_disc,
    measure_profile,
)

# The constants were chosen on seeds 0 to 11 of `benchmarks.rendered`, at both sizes. Lengths are in
# radii of the iris where no unit is given.
BLUR_PX = 0.8
"""Standard deviation of the camera's blur: its lens's 0.7, and the width of a pixel."""
_MIN_BLUR = 0.02
_LIMBUS_WIDTH = 0.12
# Keeps discs from being preferred whose edge hardly differs from the limbus.
_REGULARISATION = 0.01
_STEP, _MAX_RADIUS = 0.005, 1.12
_MIN_RAYS = 6


@dataclass(frozen=True)
class PupilFit:
    """The pupils of both eyes, of one size.

    Attributes
    ----------
    profile : FloatArray, shape (n,)
        Increase of the brightness at `PROFILE_RADII` around them, in grey levels.
    radius_px : float
        Of the irises.
    """

    profile: FloatArray
    radius_px: float

    @property
    def ratio(self) -> float:
        """Ratio of the pupil's diameter to the iris's."""
        return self._fit[0]

    @property
    def explained(self) -> float:
        """Weighted sum of squares of the profile that the pupil's edge explains."""
        return self._fit[1]

    @property
    def residual(self) -> float:
        """Weighted sum of squares that neither the pupil's edge nor the limbus explains."""
        return self._fit[2]

    @cached_property
    def _fit(self) -> tuple[float, float, float]:
        limbus, discs = _model_profiles(max(round(BLUR_PX / self.radius_px, 2), _MIN_BLUR))
        return match_disc(self.profile, limbus, discs)


def fit_pupils(
    grey: GreyImage,
    centres: FloatArray,
    ellipses: FloatArray,
    lids: FloatArray,
    radius_px: float,
) -> PupilFit | None:
    """Measure the pupils in a picture.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
    centres : FloatArray, shape (2, 2)
        Of the pupils, in pixels.
    ellipses : FloatArray, shape (2, 2, 2)
        Matrices that turn the unit circle into the irises' outlines, in pixels.
    lids : FloatArray, shape (2, 2, n, 2)
        Polylines of the upper and the lower lid of each eye, in pixels.
    radius_px : float
        Of the irises.

    Returns
    -------
    PupilFit or None
        None where too little of the pupils is visible.
    """
    profile, rays = measure_profile(grey, centres, ellipses, lids, radius_px)
    known = np.flatnonzero(rays >= _MIN_RAYS)
    if 2 * len(known) < len(PROFILE_RADII) or not profile.any():
        return None
    return PupilFit(np.interp(PROFILE_RADII, PROFILE_RADII[known], profile[known]), radius_px)


@lru_cache(64)
def _model_profiles(blur: float) -> tuple[FloatArray, FloatArray]:
    """Return the weighted profiles of a blurred limbus (n,) and of pupils of all ratios (k, n).

    Those of the pupils are orthogonal to the limbus's. Each has length 1 or, where hardly anything
    remains, less.
    """
    inner = (np.arange(_MAX_RADIUS / _STEP) + 0.5) * _STEP
    argument = SAMPLE_RADII[:, None] * inner / blur**2
    # A ring blurred by a round Gaussian is given by the Bessel function I0; for large arguments by
    # its asymptote.
    small = np.minimum(argument, 500.0)
    bessel = np.where(
        argument < 500.0,
        np.i0(small) * np.exp(-small),
        1.0 / np.sqrt(2.0 * np.pi * argument),
    )
    rings = inner / blur**2 * np.exp(-((SAMPLE_RADII[:, None] - inner) ** 2) / 2.0 / blur**2)
    # Brightness of discs that reach half a step farther than `inner`.
    discs_brightness = np.cumsum(rings * bessel, axis=1) * _STEP

    def profiles(radii: FloatArray) -> FloatArray:
        at = np.array([np.interp(radii, inner + _STEP / 2.0, row) for row in discs_brightness])
        integral = np.concatenate([np.zeros((1, len(radii))), np.cumsum(at, axis=0)])
        gradient = (
            integral[2 * HALF_WIDTH :]
            - 2.0 * integral[HALF_WIDTH:-HALF_WIDTH]
            + integral[: -2 * HALF_WIDTH]
        )
        return np.asarray(-gradient.T * PROFILE_WEIGHTS / HALF_WIDTH)

    limbus = profiles(1.0 + np.linspace(-0.5, 0.5, 9) * _LIMBUS_WIDTH).mean(axis=0)
    limbus /= np.linalg.norm(limbus)
    discs = profiles(RATIOS)
    discs -= np.outer(discs @ limbus, limbus)
    discs /= np.sqrt((discs**2).sum(axis=1, keepdims=True) + _REGULARISATION)
    return limbus, np.ascontiguousarray(discs)
