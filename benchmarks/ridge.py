"""Ridge regression from features to places on the screen, with its penalty found by the data.

Hoerl and Kennard 1970. Features are standardised; the penalty is the one that does best when each
point of the calibration in turn is left out and predicted from the others.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

PENALTIES = tuple(float(10.0**power) for power in np.arange(-3.0, 2.01, 0.5))


@dataclass(frozen=True, slots=True)
class Ridge:
    """A linear map: places = offset + ((features - mean) / scale) @ weights.

    `mean` and `scale` have shape (n,), `weights` (n, m) and `offset` (m,).
    """

    mean: Array
    scale: Array
    weights: Array
    offset: Array

    def predict(self, features: Array) -> Array:
        """Return the places (..., m) for features (..., n).

        Standardised features are held to +-6, so that a wild frame cannot send the gaze far away.
        """
        standard = np.clip((features - self.mean) / self.scale, -6.0, 6.0)
        return np.asarray(self.offset + standard @ self.weights)


def fit(features: Array, places: Array, groups: NDArray[np.intp], penalty: float) -> Ridge:
    """Fit features (k, n) to places (k, m), every group (k,) weighing the same."""
    _, where, counts = np.unique(groups, return_inverse=True, return_counts=True)
    share = 1.0 / (counts[where] * len(counts))
    mean = share @ features
    scale = np.sqrt(share @ (features - mean) ** 2)
    scale = np.where(scale > 1e-9, scale, 1.0)
    standard = (features - mean) / scale
    offset = share @ places
    weighted = standard * share[:, None]
    normal = weighted.T @ standard + penalty * np.eye(features.shape[1])
    weights = np.linalg.solve(normal, weighted.T @ (places - offset))
    return Ridge(mean, scale, weights, offset)


def fit_best(features: Array, places: Array, groups: NDArray[np.intp]) -> tuple[Ridge, Array]:
    """Fit with the penalty that predicts left-out groups best.

    Returns the map, fitted to everything, and the prediction (k, m) of each row from the other
    groups. Raises ValueError with fewer than two groups.
    """
    names = np.unique(groups)
    if len(names) < 2:
        raise ValueError(f"leaving one group out needs at least 2 groups, not {len(names)}")
    best: tuple[float, float, Array] | None = None
    for penalty in PENALTIES:
        predicted = np.empty_like(places)
        for name in names:
            out = groups == name
            predicted[out] = fit(features[~out], places[~out], groups[~out], penalty).predict(
                features[out]
            )
        error = float(
            np.mean([_mean_miss(predicted[groups == g], places[groups == g]) for g in names])
        )
        if best is None or error < best[0]:
            best = (error, penalty, predicted)
    assert best is not None
    return fit(features, places, groups, best[1]), best[2]


def _mean_miss(predicted: Array, places: Array) -> float:
    return float(np.linalg.norm(predicted.mean(axis=0) - places.mean(axis=0)))
