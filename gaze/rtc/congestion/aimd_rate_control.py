"""Additive increase, multiplicative decrease (draft-ietf-rmcat-gcc-02, section 5.5).

Constants as in libwebrtc's `remote_bitrate_estimator/aimd_rate_control.cc`.
"""

import math

from gaze.rtc.congestion.link_capacity_estimator import LinkCapacityEstimator
from gaze.rtc.congestion.trendline_estimator import BandwidthUsage

DECREASE = 0.85  # kDefaultBackoffFactor
INCREASE_PER_S = 1.08  # MultiplicativeRateIncrease
MAX_INCREASE_INTERVAL_S = 1.0  # the same
# GetNearMaxIncreaseRateBpsPerSecond
MIN_ADDITIVE_BPS_PER_S = 4_000
RESPONSE_S = 0.1  # beyond the round trip
FRAME_RATE_FPS = 30
PACKET_BYTES = 1200
# AimdRateControl::ChangeBitrate and TimeToReduceFurther
MAX_THROUGHPUT_FACTOR, MAX_THROUGHPUT_OFFSET_BPS = 1.5, 10_000  # never far above what arrives
MIN_REDUCTION_INTERVAL_S, MAX_REDUCTION_INTERVAL_S = 0.01, 0.2
COLLAPSE = 0.5  # below this share of the rate, reduce at once


class AimdRateControl:
    """The bitrate that the delays allow.

    Attributes
    ----------
    rate_bps : float
        In bit/s, within the limits.
    """

    def __init__(self, start_bps: float, min_bps: float, max_bps: float) -> None:
        """Begin without a known capacity.

        Parameters
        ----------
        start_bps : float
            The first bitrate, in bit/s.
        min_bps, max_bps : float
            Limits in bit/s.
        """
        self.rate_bps = start_bps
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._increasing = False
        self._last_change_s: float | None = None
        self._last_decrease_s: float | None = None
        self._link_capacity = LinkCapacityEstimator()

    def update(
        self, usage: BandwidthUsage, throughput_bps: float | None, round_trip_s: float, t_s: float
    ) -> bool:
        """Increase, hold or decrease the rate.

        Parameters
        ----------
        usage : BandwidthUsage
            State of the overuse detector.
        throughput_bps : float or None
            What arrives, or is assumed to be able to, in bit/s.
        round_trip_s : float
            After this long a change of the rate shows.
        t_s : float
            Now, in seconds.

        Returns
        -------
        bool
            Whether the rate was decreased.
        """
        if usage is BandwidthUsage.OVERUSE:
            return self._decrease(throughput_bps, round_trip_s, t_s)
        if usage is BandwidthUsage.UNDERUSE:
            self._increasing = False  # hold while the queue drains
        elif not self._increasing:
            self._increasing = True
            self._last_change_s = t_s
        elif self._last_change_s is not None:
            self._increase(throughput_bps, round_trip_s, t_s - self._last_change_s)
            self._last_change_s = t_s
        return False

    def on_probe_result(self, rate_bps: float, t_s: float) -> None:
        """Raise the rate to the one that a probe cluster arrived with.

        Parameters
        ----------
        rate_bps : float
            In bit/s; a lower one than the present changes nothing.
        t_s : float
            Now, in seconds.
        """
        if rate_bps > self.rate_bps:
            self._set(rate_bps)
            self._last_change_s = t_s

    def _decrease(self, throughput_bps: float | None, round_trip_s: float, t_s: float) -> bool:
        interval_s = min(max(round_trip_s, MIN_REDUCTION_INTERVAL_S), MAX_REDUCTION_INTERVAL_S)
        collapsed = throughput_bps is not None and throughput_bps < COLLAPSE * self.rate_bps
        reduced_lately = (
            self._last_decrease_s is not None and t_s - self._last_decrease_s < interval_s
        )
        if reduced_lately and not collapsed:
            return False
        self._last_decrease_s = t_s
        self._increasing = False
        if throughput_bps is None:
            self._set(self.rate_bps / 2)
            return True
        link = self._link_capacity
        decreased_bps = DECREASE * throughput_bps
        if decreased_bps > self.rate_bps and link.capacity_bps is not None:
            decreased_bps = DECREASE * link.capacity_bps
        if throughput_bps < link.lower_bound_bps:
            link.reset()
        link.on_overuse(throughput_bps)
        if decreased_bps >= self.rate_bps:
            return False
        self._set(decreased_bps)
        return True

    def _increase(
        self, throughput_bps: float | None, round_trip_s: float, interval_s: float
    ) -> None:
        link = self._link_capacity
        if throughput_bps is not None and throughput_bps > link.upper_bound_bps:
            link.reset()
        interval_s = min(interval_s, MAX_INCREASE_INTERVAL_S)
        if link.capacity_bps is None:
            increased_bps = self.rate_bps * INCREASE_PER_S**interval_s
        else:
            increased_bps = self.rate_bps + self._additive_bps_per_s(round_trip_s) * interval_s
        if throughput_bps is not None:
            increased_bps = min(
                increased_bps, MAX_THROUGHPUT_FACTOR * throughput_bps + MAX_THROUGHPUT_OFFSET_BPS
            )
        self._set(max(increased_bps, self.rate_bps))

    def _additive_bps_per_s(self, round_trip_s: float) -> float:
        """One average packet per response time, near the capacity of the link."""
        frame_bits = self.rate_bps / FRAME_RATE_FPS
        packet_bits = frame_bits / math.ceil(frame_bits / (8 * PACKET_BYTES))
        return max(MIN_ADDITIVE_BPS_PER_S, packet_bits / (round_trip_s + RESPONSE_S))

    def _set(self, rate_bps: float) -> None:
        self.rate_bps = min(max(rate_bps, self._min_bps), self._max_bps)
