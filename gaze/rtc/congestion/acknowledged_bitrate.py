"""The bitrate that the receiver acknowledges (libwebrtc: `goog_cc/bitrate_estimator.cc`)."""

import math

INITIAL_WINDOW_S = 0.5  # kInitialRateWindowMs
WINDOW_S = 0.15  # kRateWindowMs
UNCERTAINTY_SCALE = 10.0  # libwebrtc's uncertainty_scale_
INITIAL_VARIANCE = 50.0  # (kbit/s)^2, libwebrtc's bitrate_estimate_var_
VARIANCE_GROWTH = 5.0  # (kbit/s)^2 per window, as in BitrateEstimator::Update
IDLE_S = 1.0
"""After a pause this long a new window begins: chosen by hand; no benchmark covers it."""


class AcknowledgedBitrate:
    """Bayesian average of the arriving bitrate, over windows of 150 ms.

    Attributes
    ----------
    rate_bps : float or None
        The estimate in bit/s, None until the first window of 0.5 s is complete.
    """

    def __init__(self) -> None:
        self.rate_bps: float | None = None
        self._variance = INITIAL_VARIANCE
        self._window_start_s: float | None = None
        self._newest_s = -math.inf
        self._bytes = 0

    def add(self, arrival_s: float, size_bytes: int) -> None:
        """Count a packet that arrived.

        Parameters
        ----------
        arrival_s : float
            Arrival time by the receiver's clock, in seconds.
        size_bytes : int
            Size on the wire.
        """
        if self._window_start_s is None:
            self._window_start_s = arrival_s
        if arrival_s < self._newest_s:
            self._bytes += size_bytes
            return
        window_s = INITIAL_WINDOW_S if self.rate_bps is None else WINDOW_S
        if arrival_s - self._newest_s > IDLE_S:
            self._window_start_s, self._bytes = arrival_s, 0
        self._newest_s = arrival_s
        if arrival_s - self._window_start_s >= window_s:
            self._update(8 * self._bytes / (arrival_s - self._window_start_s))
            self._window_start_s, self._bytes = arrival_s, 0
        self._bytes += size_bytes

    def _update(self, sample_bps: float) -> None:
        if self.rate_bps is None:
            self.rate_bps = sample_bps
            return
        # The further a sample is from the estimate, the larger its variance is taken to be.
        rate_kbps, sample_kbps = self.rate_bps / 1000, sample_bps / 1000
        uncertainty = UNCERTAINTY_SCALE * abs(rate_kbps - sample_kbps) / max(1.0, rate_kbps)
        sample_variance = uncertainty**2
        variance = self._variance + VARIANCE_GROWTH
        total = sample_variance + variance
        self.rate_bps = 1000 * (sample_variance * rate_kbps + variance * sample_kbps) / total
        self._variance = sample_variance * variance / total
