"""The fast median, against numpy's."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from gaze.vision.median import median


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=12))
def test_it_is_that_of_numpy(values: list[float]) -> None:
    assert median(values) == pytest.approx(np.median(values))


def test_it_is_along_the_first_axis() -> None:
    values = np.random.default_rng(0).normal(0, 1, (6, 3))
    assert median(values) == pytest.approx(np.median(values, axis=0))
