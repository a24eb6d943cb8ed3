"""Radial profiles of drawn pupils, and discs matched to profiles."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray
from gaze.vision.kernels.pupil_profile import (
    PROFILE_RADII,
    PROFILE_WEIGHTS,
    RATIOS,
    match_disc,
    measure_profile,
)

CENTRES = np.array([[30.0, 30.0], [90.0, 30.0]])
RADIUS_PX = 12.0


def profile_of(
    ratio: float, gap: float, glint: tuple[float, float] | None = None
) -> tuple[FloatArray, list[int]]:
    """Profile and clear rays of two drawn eyes with lids `gap` radii from their centres."""
    y, x = np.mgrid[0:60, 0:120]
    grey = np.full((60, 120), 180.0)
    lids = np.empty((2, 2, 9, 2))
    along = np.linspace(-2.0, 2.0, 9) * RADIUS_PX
    for eye, (u, v) in enumerate(CENTRES):
        radius = np.hypot(x - u, y - v) / RADIUS_PX
        grey = np.where(radius < 1.0, 100.0, grey)
        grey = np.where(radius < ratio, 20.0, grey)
        if glint is not None:
            grey = np.where(np.hypot(x - u - glint[0], y - v - glint[1]) < 1.5, 250.0, grey)
        for lid, side in enumerate((-1, 1)):
            lids[eye, lid] = np.column_stack([along + u, np.full(9, v + side * gap * RADIUS_PX)])
    ellipses = np.tile(np.eye(2) * RADIUS_PX, (2, 1, 1))
    profile, rays = measure_profile(grey.astype(np.uint8), CENTRES, ellipses, lids, RADIUS_PX)
    return profile, rays.tolist()


@pytest.mark.parametrize("ratio", [0.3, 0.45, 0.6])
def test_the_profile_rises_most_at_the_pupils_edge(ratio: float) -> None:
    profile, rays = profile_of(ratio, 2.0)
    inside = PROFILE_RADII < 0.75
    assert PROFILE_RADII[inside][np.argmax(profile[inside])] == pytest.approx(ratio, abs=0.06)
    assert set(rays) == {64}


def test_rays_behind_lids_and_highlights_are_not_clear() -> None:
    assert max(profile_of(0.4, 0.4)[1]) < 64
    assert set(profile_of(0.4, 0.0)[1]) == {0}
    assert not profile_of(0.4, 0.0)[0].any()
    assert min(profile_of(0.4, 2.0, glint=(5.0, 0.0))[1]) < 64


def test_the_disc_that_explains_a_profile_is_found_besides_the_limbus() -> None:
    edges = np.exp(-(((PROFILE_RADII - RATIOS[:, None]) / 0.05) ** 2)) * PROFILE_WEIGHTS
    limbus = np.exp(-(((PROFILE_RADII - 1.0) / 0.1) ** 2)) * PROFILE_WEIGHTS
    limbus /= np.linalg.norm(limbus)
    discs = edges - np.outer(edges @ limbus, limbus)
    discs /= np.linalg.norm(discs, axis=1, keepdims=True)
    profile = (20.0 * edges[26] / np.linalg.norm(edges[26]) + 40.0 * limbus) / PROFILE_WEIGHTS
    ratio, explained, residual = match_disc(profile, limbus, np.ascontiguousarray(discs))
    assert ratio == pytest.approx(RATIOS[26], abs=0.002)
    assert explained == pytest.approx(400.0, rel=0.05)
    assert residual == pytest.approx(0.0, abs=1e-6)
