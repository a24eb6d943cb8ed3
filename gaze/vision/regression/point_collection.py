"""Collect the samples of one calibration point, or of one moving target."""

from dataclasses import dataclass, field

import numpy as np

from gaze.vision.arrays import BoolArray, FloatArray

# Chosen by hand; no benchmark covers them.
SETTLE_S = 0.5
"""Samples in the first half second are ignored: the eyes are on their way to the target."""
COLLECT_S = 1.0
GIVE_UP_S = 3.0
MIN_SAMPLES = 8
PURSUIT_LAG_S = 0.1
"""How far the eyes are behind a moving target."""
_PURSUIT_PIECE_S = 0.5
_MAX_DEVIATIONS = 2.5


@dataclass(frozen=True, slots=True)
class CalibrationPoint:
    """The samples kept at one target.

    Attributes
    ----------
    target_px : tuple of float
    features : FloatArray, shape (k, SIZE)
    targets : FloatArray, shape (k, 2)
        Where the target was at each sample, in screen widths.
    discarded : int
        How many samples were outliers.
    """

    target_px: tuple[float, float]
    features: FloatArray
    targets: FloatArray
    discarded: int


def inliers(features: FloatArray) -> BoolArray:
    """Return which samples are close to the others.

    Parameters
    ----------
    features : FloatArray, shape (k, n)

    Returns
    -------
    BoolArray, shape (k,)
        Whether the distance from the median, in robust standard deviations of each feature (1.4826
        median absolute deviations) and averaged over the features, is at most 2.5.
    """
    distances = np.abs(features - np.median(features, axis=0))
    deviation = 1.4826 * np.median(distances, axis=0)
    deviation = np.where(deviation > 1e-9, deviation, np.inf)
    return np.asarray((distances / deviation).mean(axis=1) <= _MAX_DEVIATIONS)


@dataclass(slots=True)
class PointCollection:
    """The samples of a target so far.

    Attributes
    ----------
    target_px : tuple of float
    validation : bool
        Whether they are for validation and not for fitting.
    pursuit : bool
        Whether the target moves.
    started_s : float
        When the target appeared.
    last_used_s : float
        When the last usable frame was captured.
    path : list of tuple of float
        Time, x and y in pixels of a moving target.
    eyes_closed, face_lost : int
        How many frames were not usable, and why.
    """

    target_px: tuple[float, float]
    validation: bool
    pursuit: bool
    started_s: float
    last_used_s: float
    path: list[tuple[float, float, float]] = field(default_factory=list)
    eyes_closed: int = 0
    face_lost: int = 0
    _features: list[FloatArray] = field(default_factory=list)
    _targets_px: list[tuple[float, float]] = field(default_factory=list)
    _times_s: list[float] = field(default_factory=list)

    @classmethod
    def start(
        cls, target_px: tuple[float, float], validation: bool, pursuit: bool, t_s: float
    ) -> "PointCollection":
        """Return an empty collection.

        Parameters
        ----------
        target_px : tuple of float
        validation, pursuit : bool
        t_s : float
            When the target appeared.

        Returns
        -------
        PointCollection
        """
        return cls(target_px, validation, pursuit, t_s, t_s + SETTLE_S)

    @property
    def count(self) -> int:
        """The number of samples."""
        return len(self._features)

    @property
    def all_features(self) -> FloatArray:
        """Of all samples, shape (k, SIZE)."""
        return np.array(self._features)

    def add(self, features: FloatArray, t_s: float) -> None:
        """Add a sample.

        Parameters
        ----------
        features : FloatArray, shape (SIZE,)
        t_s : float
            When its frame was captured.
        """
        target_px = self._target_at(t_s - PURSUIT_LAG_S) if self.pursuit else self.target_px
        self._features.append(features)
        self._targets_px.append(target_px)
        self._times_s.append(t_s)
        self.last_used_s = t_s

    def duration_s(self, t_s: float) -> float:
        """Return for how long samples have been collected.

        Parameters
        ----------
        t_s : float
            The current time.

        Returns
        -------
        float
        """
        return t_s - max(self._times_s[0], self.started_s + SETTLE_S)

    def point(self, kept: BoolArray, width_px: float) -> CalibrationPoint:
        """Return the calibration point of the samples that are kept.

        Parameters
        ----------
        kept : BoolArray, shape (k,)
        width_px : float
            The screen's width.

        Returns
        -------
        CalibrationPoint
        """
        return CalibrationPoint(
            self.target_px,
            self.all_features[kept],
            np.array(self._targets_px)[kept] / width_px,
            int((~kept).sum()),
        )

    def pursuit_points(self, width_px: float) -> list[CalibrationPoint]:
        """Return the path of a moving target as points: half a second of it each.

        Parameters
        ----------
        width_px : float
            The screen's width.

        Returns
        -------
        list of CalibrationPoint
        """
        pieces = ((np.array(self._times_s) - self.started_s) // _PURSUIT_PIECE_S).astype(int)
        points = []
        for piece in np.unique(pieces):
            rows = np.flatnonzero(pieces == piece)
            if len(rows) >= MIN_SAMPLES // 2:
                targets = np.array(self._targets_px)[rows]
                middle = targets.mean(axis=0)
                points.append(
                    CalibrationPoint(
                        (float(middle[0]), float(middle[1])),
                        self.all_features[rows],
                        targets / width_px,
                        0,
                    )
                )
        return points

    def _target_at(self, t_s: float) -> tuple[float, float]:
        """Return where the moving target was; never later than the newest report of it."""
        times, x, y = np.array(self.path).T
        return float(np.interp(t_s, times, x)), float(np.interp(t_s, times, y))
