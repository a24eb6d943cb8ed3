"""The fit of the pupils' confidence, on made evidence whose weights are known."""

import numpy as np
import pytest

from benchmarks.pupil_confidence import fit, left_out

WEIGHTS = np.array([-1.0, 2.0, -0.5])


def viewer(seed, weights=WEIGHTS, count=4000):
    random = np.random.default_rng(seed)
    terms = np.column_stack([np.ones(count), random.normal(size=(count, 2))])
    good = random.random(count) < 1.0 / (1.0 + np.exp(-terms @ weights))
    return np.column_stack([terms, good])


def test_the_weights_are_found_again():
    rows = viewer(0)
    assert fit(rows[:, :-1], rows[:, -1]) == pytest.approx(WEIGHTS, abs=0.15)


def test_terms_that_say_nothing_do_not_separate_viewers_left_out():
    telling = [viewer(seed) for seed in range(5)]
    silent = [viewer(seed, WEIGHTS * (1.0, 0.0, 0.0)) for seed in range(5)]
    assert left_out(telling) > 0.8
    assert left_out(silent) == pytest.approx(0.5, abs=0.05)
