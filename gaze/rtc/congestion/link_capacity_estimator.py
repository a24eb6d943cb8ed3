"""Mean and spread of the bitrate acknowledged during overuse.

libwebrtc: `goog_cc/link_capacity_estimator.cc`.
"""

import math

SMOOTHING = 0.05  # alpha in OnOveruseDetected
INITIAL_DEVIATION = 0.4  # deviation_kbps_, normalised by the estimate in kbit/s
MIN_DEVIATION, MAX_DEVIATION = 0.4, 2.5
BOUND_DEVIATIONS = 3.0  # UpperBound and LowerBound


class LinkCapacityEstimator:
    """The capacity of the bottleneck, known once the network path was overused.

    Attributes
    ----------
    capacity_bps : float or None
        Exponential mean of the bitrate acknowledged at overuse, in bit/s.
    """

    def __init__(self) -> None:
        self.capacity_bps: float | None = None
        self._deviation = INITIAL_DEVIATION

    @property
    def upper_bound_bps(self) -> float:
        """Three standard deviations above the mean; infinite without an estimate."""
        if self.capacity_bps is None:
            return math.inf
        return self.capacity_bps + self._spread_bps(self.capacity_bps)

    @property
    def lower_bound_bps(self) -> float:
        """Three standard deviations below the mean; 0 without an estimate."""
        if self.capacity_bps is None:
            return 0.0
        return self.capacity_bps - self._spread_bps(self.capacity_bps)

    def reset(self) -> None:
        """Discard the mean; its relative spread is kept."""
        self.capacity_bps = None

    def on_overuse(self, acknowledged_bps: float) -> None:
        """Take the bitrate that arrived while the network path was overused.

        Parameters
        ----------
        acknowledged_bps : float
            In bit/s.
        """
        if self.capacity_bps is None:
            self.capacity_bps = acknowledged_bps
            return
        self.capacity_bps += SMOOTHING * (acknowledged_bps - self.capacity_bps)
        error_kbps = (self.capacity_bps - acknowledged_bps) / 1000
        norm = max(self.capacity_bps / 1000, 1.0)
        deviation = (1 - SMOOTHING) * self._deviation + SMOOTHING * error_kbps**2 / norm
        self._deviation = min(max(deviation, MIN_DEVIATION), MAX_DEVIATION)

    def _spread_bps(self, capacity_bps: float) -> float:
        return BOUND_DEVIATIONS * 1000 * math.sqrt(self._deviation * capacity_bps / 1000)
