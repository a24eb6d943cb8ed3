"""The bitrate that the delays allow: overuse detection and AIMD rate control put together.

After libwebrtc's `goog_cc/delay_based_bwe.cc` (draft-ietf-rmcat-gcc-02, section 5). Added to it: a
queue that is long and grows is overuse whatever its trend, one that is short is none, and while a
queue stands the bitrate is cut to its service rate instead of to the acknowledged average.
"""

import math
from collections.abc import Sequence

from gaze.rtc.congestion.acknowledged_bitrate import AcknowledgedBitrate
from gaze.rtc.congestion.aimd_rate_control import AimdRateControl
from gaze.rtc.congestion.inter_arrival import InterArrival
from gaze.rtc.congestion.packet_results import PacketResult
from gaze.rtc.congestion.queue_delay import QueueDelay
from gaze.rtc.congestion.service_rate import ServiceRate
from gaze.rtc.congestion.trendline_estimator import BandwidthUsage, TrendlineEstimator

# Tuned on a step from 5 to 0.7 Mbit/s on simulation.network.scripted (the estimate is there after
# 0.4 s, the queue of 0.3 s gone after 0.7 s) and by
# `python -m benchmarks.network --who chromium --scenarios step`.
LONG_QUEUE_S = 0.1  # overuse beyond doubt, if it also
GROWING_QUEUE_S = 0.02  # grows this much from one feedback message to the next
# Tuned on a busy machine, where a late wake-up of the browser looks like a short queue; no
# benchmark covers it.
STANDING_QUEUE_S = 0.025  # a shorter one is no overuse
UNCERTAIN_SHARE = 0.8  # of the rate: no deeper cut for a queue that is not long
# Chosen by hand on simulation.network.scripted; no benchmark covers it alone.
PROBE_RESULT_HOLDS_S = 1.0  # until the acknowledged bitrate has followed a probe's result


class DelayBasedBwe:
    """What the delays of a transport's packets say of its bitrate.

    Attributes
    ----------
    usage : BandwidthUsage
        As of the last feedback.
    acknowledged : AcknowledgedBitrate
        The bitrate that arrives.
    queue : QueueDelay
        How long packets wait.
    """

    def __init__(self, start_bps: float, min_bps: float, max_bps: float) -> None:
        """Begin without feedback.

        Parameters
        ----------
        start_bps : float
            The first bitrate, in bit/s.
        min_bps, max_bps : float
            Limits in bit/s.
        """
        self.usage = BandwidthUsage.NORMAL
        self.acknowledged = AcknowledgedBitrate()
        self.queue = QueueDelay()
        self._service = ServiceRate()
        self._inter_arrival = InterArrival()
        self._trendline = TrendlineEstimator()
        self._rate_control = AimdRateControl(start_bps, min_bps, max_bps)
        self._probed_bps = 0.0
        self._probed_s = -math.inf

    @property
    def rate_bps(self) -> float:
        """The bitrate in bit/s."""
        return self._rate_control.rate_bps

    def update(
        self,
        arrived: Sequence[PacketResult],
        estimate_bps: float,
        round_trip_s: float,
        t_s: float,
    ) -> bool:
        """Take the packets that a feedback message reports as arrived.

        Parameters
        ----------
        arrived : sequence of PacketResult
            In the order of sending; may be empty.
        estimate_bps : float
            The send-side estimate up to now, in bit/s.
        round_trip_s : float
            Smoothed, in seconds.
        t_s : float
            Now, in seconds.

        Returns
        -------
        bool
            Whether the bitrate was decreased.
        """
        self.usage = self._detect(arrived)
        throughput_bps = self._throughput_bps(estimate_bps, t_s)
        return self._rate_control.update(self.usage, throughput_bps, round_trip_s, t_s)

    def on_probe_result(self, rate_bps: float, t_s: float) -> None:
        """Raise the bitrate to the one that a probe cluster arrived with.

        Parameters
        ----------
        rate_bps : float
            In bit/s.
        t_s : float
            Now, in seconds.
        """
        self._rate_control.on_probe_result(rate_bps, t_s)
        self._probed_bps, self._probed_s = rate_bps, t_s

    def _detect(self, arrived: Sequence[PacketResult]) -> BandwidthUsage:
        usage = self._trendline.usage
        overused = False
        for result in arrived:
            if result.arrival_s is None:
                continue
            self.acknowledged.add(result.arrival_s, result.size_bytes)
            deltas = self._inter_arrival.add(result.sent_s, result.arrival_s)
            if deltas is not None:
                usage = self._trendline.update(*deltas, result.arrival_s)
                overused = overused or usage is BandwidthUsage.OVERUSE
        before_s = self.queue.delay_s
        self.queue.update(
            (r.arrival_s - r.sent_s for r in arrived if r.arrival_s is not None),
            arrived[-1].sent_s if arrived else 0.0,
        )
        self._service.add(arrived, self.queue.delay_s)
        if self.queue.delay_s >= max(LONG_QUEUE_S, before_s + GROWING_QUEUE_S):
            return BandwidthUsage.OVERUSE
        if not overused:
            return usage
        # A queue that drains between two frames is only the film's own frame rate, and one that is
        # seen once only a late wake-up.
        standing_s = min(before_s, self.queue.delay_s)
        stands = standing_s >= STANDING_QUEUE_S or self.queue.delay_s >= LONG_QUEUE_S
        return BandwidthUsage.OVERUSE if stands else BandwidthUsage.NORMAL

    def _throughput_bps(self, estimate_bps: float, t_s: float) -> float | None:
        """Return what arrives or could arrive: a film that rests sends little."""
        throughput_bps = self.acknowledged.rate_bps
        if self.usage is not BandwidthUsage.OVERUSE or throughput_bps is None:
            return throughput_bps
        if (service_bps := self._service.rate_bps) is not None:
            return service_bps
        if t_s - self._probed_s < PROBE_RESULT_HOLDS_S:
            throughput_bps = max(throughput_bps, self._probed_bps)
        if self.queue.delay_s < LONG_QUEUE_S:
            throughput_bps = max(throughput_bps, UNCERTAIN_SHARE * estimate_bps)
        return throughput_bps
