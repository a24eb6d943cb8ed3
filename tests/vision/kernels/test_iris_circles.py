"""Irises fitted to drawn eyes."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.kernels.iris_circles import fit_irises

CENTRES = np.array([[40.0, 40.0], [120.0, 40.0]])
RADIUS_PX = 16.0


def eyes(centres: FloatArray) -> GreyImage:
    y, x = np.mgrid[0:80, 0:160]
    grey = np.full((80, 160), 200.0)
    for u, v in centres:
        radius = np.hypot(x - u, y - v) / RADIUS_PX
        grey = np.where(radius < 1.0, 110.0, grey)
        grey = np.where(radius < 0.4, 20.0, grey)
    return grey.astype(np.uint8)


def landmarks() -> FloatArray:
    """Lids, irises, chin and forehead of open eyes around `CENTRES` that look straight ahead."""
    points = np.zeros((40, 3))
    along = np.linspace(-2.0, 2.0, 9) * RADIUS_PX
    for eye, (u, v) in enumerate(CENTRES):
        for lid, side in enumerate((-1.0, 1.0)):
            rows = slice(18 * eye + 9 * lid, 18 * eye + 9 * lid + 9)
            bow = side * 1.8 * RADIUS_PX * (1.0 - (along / along[-1]) ** 2)
            points[rows, :2] = np.column_stack([along + u, v + bow])
    points[36:38, :2] = CENTRES
    points[38, :2], points[39, :2] = (80.0, 200.0), (80.0, -100.0)
    return points


@pytest.mark.parametrize("shift", [(0.0, 0.0), (1.7, -1.2), (-2.0, 0.6)])
def test_irises_are_found_beside_their_landmarks(shift: tuple[float, float]) -> None:
    points = landmarks()
    lids = points[:36, :2].copy().reshape(2, 2, 9, 2)
    centres, radius_px, confidence, ellipses, pupils = fit_irises(
        eyes(CENTRES + shift), points, lids, 1.1 * RADIUS_PX
    )
    assert centres == pytest.approx(CENTRES + shift, abs=0.4)
    assert radius_px == pytest.approx(RADIUS_PX, rel=0.04)
    assert confidence.min() > 0.5
    assert ellipses == pytest.approx(np.tile(np.eye(2) * RADIUS_PX, (2, 1, 1)), abs=1.0)
    assert pupils == pytest.approx(CENTRES + shift, abs=1.0)


def test_a_uniform_surface_has_no_confidence() -> None:
    points = landmarks()
    lids = points[:36, :2].copy().reshape(2, 2, 9, 2)
    centres, _, confidence, _, _ = fit_irises(
        np.full((80, 160), 90, np.uint8), points, lids, RADIUS_PX
    )
    assert np.isfinite(centres).all()
    assert confidence.max() < 0.05
