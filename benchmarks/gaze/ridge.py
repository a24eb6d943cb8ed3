"""Ridge regression (Hoerl and Kennard 1970), its penalty chosen by leave-one-group-out validation.

The peer of this product's regression. Features are standardised; a group is a calibration point.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

# As wide as leave-one-out needs on the photos of `benchmarks.gaze`; chosen by hand.
PENALTIES = tuple(float(10.0**power) for power in np.arange(-3.0, 2.01, 0.5))


@dataclass(frozen=True, slots=True)
class Ridge:
    """A linear map: targets = offset + ((features - mean) / scale) @ weights.

    Attributes
    ----------
    mean, scale : ndarray, shape (n,)
        Of the features.
    weights : ndarray, shape (n, m)
        For standardised features.
    offset : ndarray, shape (m,)
        Mean of the targets.
    """

    mean: Array
    scale: Array
    weights: Array
    offset: Array

    def predict(self, features: Array) -> Array:
        """Predict targets.

        Standardised features are clipped to ±6, so that an outlier cannot send the gaze far away.

        Parameters
        ----------
        features : ndarray, shape (..., n)
            The features.

        Returns
        -------
        ndarray, shape (..., m)
            The targets.
        """
        standard = np.clip((features - self.mean) / self.scale, -6.0, 6.0)
        return np.asarray(self.offset + standard @ self.weights)


def fit(features: Array, targets: Array, groups: NDArray[np.intp], penalty: float) -> Ridge:
    """Fit a ridge regression in which every group weighs the same.

    Parameters
    ----------
    features : ndarray, shape (k, n)
        The features.
    targets : ndarray, shape (k, m)
        The targets.
    groups : ndarray of int, shape (k,)
        Group of each row.
    penalty : float
        Weight of the squared weights.

    Returns
    -------
    Ridge
        The regression.
    """
    _, where, counts = np.unique(groups, return_inverse=True, return_counts=True)
    share = 1.0 / (counts[where] * len(counts))
    mean = share @ features
    scale = np.sqrt(share @ (features - mean) ** 2)
    scale = np.where(scale > 1e-9, scale, 1.0)
    standard = (features - mean) / scale
    offset = share @ targets
    weighted = standard * share[:, None]
    normal = weighted.T @ standard + penalty * np.eye(features.shape[1])
    weights = np.asarray(np.linalg.solve(normal, weighted.T @ (targets - offset)), np.float64)
    return Ridge(mean, scale, weights, offset)


def fit_best(features: Array, targets: Array, groups: NDArray[np.intp]) -> tuple[Ridge, Array]:
    """Fit with the penalty of `PENALTIES` that predicts left-out groups best.

    Parameters
    ----------
    features : ndarray, shape (k, n)
        The features.
    targets : ndarray, shape (k, m)
        The targets.
    groups : ndarray of int, shape (k,)
        Group of each row.

    Returns
    -------
    learned : Ridge
        Fitted to all groups.
    left_out : ndarray, shape (k, m)
        Each row predicted from the other groups.

    Raises
    ------
    ValueError
        If there are fewer than two groups.
    """
    names = np.unique(groups)
    if len(names) < 2:
        raise ValueError(f"leaving one group out needs at least 2 groups, not {len(names)}")
    errors, predictions = [], []
    for penalty in PENALTIES:
        predicted = np.empty_like(targets)
        for name in names:
            out = groups == name
            predicted[out] = fit(features[~out], targets[~out], groups[~out], penalty).predict(
                features[out]
            )
        error = float(
            np.mean([_mean_error(predicted[groups == g], targets[groups == g]) for g in names])
        )
        errors.append(error)
        predictions.append(predicted)
    best = int(np.argmin(errors))
    return fit(features, targets, groups, PENALTIES[best]), predictions[best]


def _mean_error(predicted: Array, targets: Array) -> float:
    return float(np.linalg.norm(predicted.mean(axis=0) - targets.mean(axis=0)))
