"""Send-side bandwidth estimation: the bandwidth of the network path to the browser.

After draft-ietf-rmcat-gcc-02: the smaller of the bitrate that the delays allow (`delay_based_bwe`)
and the one that the losses allow (`loss_based_bwe`), both raised by probes (`probe_controller`,
`probe_bitrate_estimator`). Added to the draft, which alone would be too slow:

- while packets stand in a queue the target is below the estimate, so that the queue drains in a
  second or two instead of ten;
- a congestion window bounds what is in flight;
- without feedback the target falls.

Every method takes the time; nothing here reads a clock.
"""

import math
from collections.abc import Iterable
from dataclasses import dataclass

from gaze.rtc.congestion.delay_based_bwe import DelayBasedBwe
from gaze.rtc.congestion.loss_based_bwe import LossBasedBwe
from gaze.rtc.congestion.packet_results import PacketResult
from gaze.rtc.congestion.probe_bitrate_estimator import ProbeBitrateEstimator
from gaze.rtc.congestion.probe_controller import ProbeCluster, ProbeController
from gaze.rtc.congestion.trendline_estimator import BandwidthUsage
from gaze.rtc.congestion.windowed_minimum import WindowedMinimum

INITIAL_ROUND_TRIP_S = 0.2  # libwebrtc's kDefaultRtt
ROUND_TRIP_SMOOTHING = 0.2  # chosen by hand; no benchmark covers it
FEEDBACK_S = 0.1  # browsers send feedback every 50 to 100 ms (libwebrtc: RemoteEstimatorProxy)

# How far the target is reduced to drain a queue: tuned on simulation.network.scripted (delay under
# 0.3 s within half a second and the length of the queue after a step from 5 to 0.7 Mbit/s) and by
# `python -m benchmarks.network --who chromium --scenarios step`.
SHORT_QUEUE_S = 0.06  # none up to here
FULL_QUEUE_S = 0.36
MIN_DRAIN_SHARE = 0.3  # of the estimate is sent even into a full queue

# Tuned on simulation.network.scripted: three seconds without feedback at 5 Mbit/s.
FEEDBACK_TIMEOUT_S = 1.0
TIMEOUT_DECREASE = 0.7
TIMEOUT_DECREASE_INTERVAL_S = 0.5


@dataclass(frozen=True, slots=True)
class BitrateConstraints:
    """The first, the lowest and the highest estimate, in bit/s."""

    start_bps: float
    min_bps: float
    max_bps: float


class SendSideBwe:
    """The bandwidth estimate of one transport.

    Attributes
    ----------
    estimate_bps : float
        Estimated bandwidth of the network path, in bit/s.
    round_trip_s : float
        From a packet's departure to the feedback on it, smoothed, in seconds.
    """

    def __init__(self, constraints: BitrateConstraints) -> None:
        """Begin without feedback.

        Parameters
        ----------
        constraints : BitrateConstraints
            First, lowest and highest estimate.
        """
        min_bps, max_bps = constraints.min_bps, constraints.max_bps
        start_bps = min(max(constraints.start_bps, min_bps), max_bps)
        self.estimate_bps = start_bps
        self.round_trip_s = INITIAL_ROUND_TRIP_S
        self._min_round_trip_s = math.inf
        self._round_trips = WindowedMinimum()
        self._min_bps = min_bps
        self._delay_based = DelayBasedBwe(start_bps, min_bps, max_bps)
        self._loss_based = LossBasedBwe(min_bps, max_bps)
        self._probe_controller = ProbeController(start_bps, max_bps)
        self._probe_estimator = ProbeBitrateEstimator()
        self._feedback_s: float | None = None
        self._timeout_share = 1.0
        self._timeout_decrease_s: float | None = None

    @property
    def loss(self) -> float:
        """Share of packets lost in the last complete window, 0 to 1."""
        return self._loss_based.loss

    @property
    def queue_delay_s(self) -> float:
        """How long packets stand in the queue of the network path, in seconds."""
        return self._delay_based.queue.delay_s

    @property
    def probes(self) -> int:
        """How many probe clusters were sent."""
        return self._probe_controller.probes

    @property
    def target_bps(self) -> float:
        """What is to be sent, in bit/s: below the estimate while a queue drains."""
        span_s = FULL_QUEUE_S - SHORT_QUEUE_S
        fullness = min(max((self.queue_delay_s - SHORT_QUEUE_S) / span_s, 0.0), 1.0)
        share = 1 - fullness * (1 - MIN_DRAIN_SHARE)
        return max(self.sustained_bps * share, self._min_bps)

    @property
    def sustained_bps(self) -> float:
        """The target without the reduction that drains a queue, in bit/s."""
        return self.estimate_bps * self._timeout_share

    def on_feedback(self, results: Iterable[PacketResult], t_s: float) -> None:
        """Take what a feedback message says of packets.

        Parameters
        ----------
        results : iterable of PacketResult
            In the order of sending.
        t_s : float
            Now, in seconds.
        """
        self._feedback_s = t_s
        self._timeout_share = 1.0
        self._timeout_decrease_s = None
        arrived: list[PacketResult] = []
        for result in results:
            self._loss_based.add(result)
            if result.arrival_s is not None:
                arrived.append(result)
        if arrived:
            self._update_round_trip(t_s - max(result.sent_s for result in arrived), t_s)
        if self._delay_based.update(arrived, self.estimate_bps, self.round_trip_s, t_s):
            self._probe_controller.on_decrease()
            self._loss_based.ignore_before(t_s)
        if self._delay_based.usage is BandwidthUsage.OVERUSE:
            self._probe_controller.on_overuse(t_s)
        else:
            self._take_probe_results(arrived, t_s)
        self._loss_based.update(self.estimate_bps, t_s)
        self.estimate_bps = min(self._delay_based.rate_bps, self._loss_based.rate_bps)

    def congestion_window_bytes(self, queue_s: float, t_s: float) -> float:
        """Give how much may be in flight.

        Parameters
        ----------
        queue_s : float
            How long that may wait in the queue of the network path, in seconds.
        t_s : float
            Now, in seconds.

        Returns
        -------
        float
            In bytes; infinite before the first feedback, and while none comes (the target falls
            then).
        """
        if self._feedback_s is None or t_s - self._feedback_s > FEEDBACK_TIMEOUT_S:
            return math.inf
        return self.estimate_bps * (self._min_round_trip_s + FEEDBACK_S + queue_s) / 8

    def check_feedback_timeout(self, oldest_unreported_s: float | None, t_s: float) -> None:
        """Lower the target once no feedback has come for too long; to be called now and then.

        Parameters
        ----------
        oldest_unreported_s : float or None
            When the oldest packet left that no feedback has reported, in seconds.
        t_s : float
            Now, in seconds.
        """
        if self._feedback_s is None or oldest_unreported_s is None:
            return
        silent_since_s = max(oldest_unreported_s, self._feedback_s)
        if t_s - silent_since_s < FEEDBACK_TIMEOUT_S + self.round_trip_s:
            return
        if (
            self._timeout_decrease_s is None
            or t_s - self._timeout_decrease_s >= TIMEOUT_DECREASE_INTERVAL_S
        ):
            self._timeout_decrease_s = t_s
            self._timeout_share *= TIMEOUT_DECREASE

    def next_probe(self, t_s: float) -> ProbeCluster | None:
        """Give the probe cluster that is to be sent now, if any.

        Parameters
        ----------
        t_s : float
            Now, in seconds.

        Returns
        -------
        ProbeCluster or None
            It begins with the next packets that leave.
        """
        idle = self._feedback_s is not None and self.queue_delay_s < SHORT_QUEUE_S
        cluster = self._probe_controller.next_probe(self.estimate_bps, t_s, idle=idle)
        if cluster is not None:
            self._probe_estimator.expect(cluster)
        return cluster

    def _update_round_trip(self, round_trip_s: float, t_s: float) -> None:
        self.round_trip_s += ROUND_TRIP_SMOOTHING * (round_trip_s - self.round_trip_s)
        self._min_round_trip_s = self._round_trips.update(round_trip_s, t_s)

    def _take_probe_results(self, arrived: list[PacketResult], t_s: float) -> None:
        best: tuple[ProbeCluster, float] | None = None
        for result in arrived:
            if result.probe is None or result.arrival_s is None:
                continue
            found = self._probe_estimator.add(
                result.probe, result.sent_s, result.arrival_s, result.size_bytes
            )
            best = found or best
        if best is None:
            return
        cluster, rate_bps = best
        higher = rate_bps > self.estimate_bps
        self._probe_controller.on_result(cluster, rate_bps, higher=higher)
        if higher:
            self._delay_based.on_probe_result(rate_bps, t_s)
            self._loss_based.on_probe_result(rate_bps)
