"""Dark centroids and edges along rays, on drawn eyes."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.kernels.iris_edges import LIMBUS_WEIGHTS, RAYS, dark_centroid, find_edges

CENTRES = np.array([[40.0, 40.0], [120.0, 40.0]])
RADIUS_PX = 18.0


def eyes(pupil: float) -> GreyImage:
    """Two irises in 80 by 160 pixels, with pupils of a ratio."""
    y, x = np.mgrid[0:80, 0:160]
    grey = np.full((80, 160), 200.0)
    for u, v in CENTRES:
        radius = np.hypot(x - u, y - v) / RADIUS_PX
        grey = np.where(radius < 1.0, 110.0, grey)
        grey = np.where(radius < pupil, 20.0, grey)
    return grey.astype(np.uint8)


def lids(gap: float) -> FloatArray:
    """Level lids that many radii above and below the centres."""
    x = np.linspace(-2.0, 2.0, 9) * RADIUS_PX
    return np.array(
        [
            [np.column_stack([x + u, np.full(9, v + side * gap * RADIUS_PX)]) for side in (-1, 1)]
            for u, v in CENTRES
        ]
    )


def edges_and_weights(gap: float, pupil: float = 0.4) -> tuple[float, FloatArray, FloatArray]:
    edges, weights = np.empty((2, 2, len(RAYS))), np.empty((2, 2, len(RAYS)))
    ellipses = np.tile(np.eye(2) * RADIUS_PX, (2, 1, 1))
    ring = find_edges(eyes(pupil), CENTRES, ellipses, lids(gap), RADIUS_PX, edges, weights)
    return ring, edges, weights


@pytest.mark.parametrize("pupil", [0.3, 0.4, 0.5])
def test_limbus_and_pupil_are_where_they_are_drawn(pupil: float) -> None:
    ring, edges, weights = edges_and_weights(3.0, pupil)
    assert ring == pytest.approx(pupil, abs=0.04)
    assert edges[0] == pytest.approx(1.0, abs=0.05)
    assert np.median(edges[1]) == pytest.approx(pupil, abs=0.04)
    assert weights[1].min() > 0.0
    assert (weights[0, 0] > 0.0).tolist() == (LIMBUS_WEIGHTS > 0.0).tolist()


def test_edges_behind_lids_have_no_weight() -> None:
    _, _, weights = edges_and_weights(0.6)
    behind = np.abs(RAYS[:, 1]) > 0.7
    assert not weights[0][:, behind].any()
    assert weights[0][:, np.abs(RAYS[:, 1]) < 0.3].min() > 0.0
    assert not edges_and_weights(0.0)[2].any()


def test_the_dark_centroid_is_found_from_beside_it() -> None:
    y, x = np.mgrid[0:80, 0:80]
    eye = np.where(np.hypot(x - 40.3, y - 38.6) < 8, 20, 120).astype(np.uint8)
    assert dark_centroid(eye, 44.0, 36.0, 20.0, 5) == pytest.approx((40.3, 38.6), abs=0.15)


@pytest.mark.parametrize("start", [(40.0, 40.0), (-500.0, 40.0)])
def test_nothing_dark_leaves_the_start(start: tuple[float, float]) -> None:
    uniform = np.full((80, 80), 120, np.uint8)
    assert dark_centroid(uniform, *start, 20.0, 5) == start
