"""The statistics of the benchmark of rendered viewers."""

import numpy as np

from benchmarks.rendered import area_under_curve


def test_area_under_the_curve() -> None:
    assert area_under_curve(np.array([0.9, 0.8]), np.array([0.1, 0.2])) == 1.0
    assert area_under_curve(np.array([0.5]), np.array([0.5])) == 0.5
    assert np.isnan(area_under_curve(np.array([0.5]), np.array([])))
