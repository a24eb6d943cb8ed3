"""The fit of the pupils' confidence, on synthetic evidence whose weights are known."""

import numpy as np
import pytest
from numpy.typing import NDArray

from benchmarks.pupil_confidence import fit, left_out_auc

WEIGHTS = np.array([-1.0, 2.0, -0.5])


def viewer(
    seed: int, weights: NDArray[np.float64] = WEIGHTS, count: int = 4000
) -> NDArray[np.float64]:
    """Return rows of terms and outcomes that follow a logistic regression with these weights."""
    random = np.random.default_rng(seed)
    terms = np.column_stack([np.ones(count), random.normal(size=(count, 2))])
    good = random.random(count) < 1.0 / (1.0 + np.exp(-terms @ weights))
    return np.column_stack([terms, good])


def test_the_weights_are_found_again() -> None:
    rows = viewer(0)
    assert fit(rows[:, :-1], rows[:, -1]) == pytest.approx(WEIGHTS, abs=0.15)


def test_uninformative_terms_do_not_separate_viewers_left_out_auc() -> None:
    informative = [viewer(seed) for seed in range(5)]
    uninformative = [viewer(seed, WEIGHTS * (1.0, 0.0, 0.0)) for seed in range(5)]
    assert left_out_auc(informative) > 0.8
    assert left_out_auc(uninformative) == pytest.approx(0.5, abs=0.05)
