"""Decides when to probe for free capacity, and at what bitrate.

A bitrate that is only ever raised by a few percent takes half a minute from 0.7 to 5 Mbit/s. A
probe cluster of some 15 ms finds out at once, and costs no more than a moment's queue. After
libwebrtc's `goog_cc/probe_controller.cc`.
"""

import math
from collections import deque
from dataclasses import dataclass

CLUSTER_S = 0.015  # libwebrtc's min_probe_duration
CLUSTER_PACKETS = 5  # min_probe_packets_sent
FURTHER_PROBE_SCALE = 2.0  # further_exponential_probe_scale
FURTHER_PROBE_THRESHOLD = 0.7  # further_probe_threshold
RESULT_TIMEOUT_S = 1.0  # kMaxWaitingTimeForProbingResult

FIRST_PROBE_SCALES = (2.0, 4.0)
"""Times the start bitrate. libwebrtc has 3 and 6, from a start of 0.3 Mbit/s; this server starts at
2.5 Mbit/s and its estimate is limited to 12."""

# Tuned on simulation.network.scripted (a step from 0.7 to 5 Mbit/s is followed within 15 s) and by
# `python -m benchmarks.network --who chromium --scenarios step`. libwebrtc probes every 5 s, and
# only while the application sends less than the estimate.
INTERVAL_S = 3.0
INTERVAL_GROWTH, MAX_INTERVAL_S = 1.5, 8.0  # while probes find nothing
AFTER_OVERUSE_S = 2.0
NEAR_MAX = 0.95


@dataclass(frozen=True, slots=True)
class ProbeCluster:
    """A burst at a bitrate, until both this many packets and bytes have left.

    Attributes
    ----------
    number : int
        Counts the clusters of a transport.
    rate_bps : float
        Bitrate in bit/s.
    packets : int
        The least number of packets.
    size_bytes : int
        The least number of bytes.
    """

    number: int
    rate_bps: float
    packets: int
    size_bytes: int

    @classmethod
    def at(cls, number: int, rate_bps: float) -> "ProbeCluster":
        """Make a cluster of the usual length, 15 ms and five packets.

        Parameters
        ----------
        number : int
            Its number.
        rate_bps : float
            Its bitrate in bit/s.

        Returns
        -------
        ProbeCluster
            The cluster.
        """
        return cls(number, rate_bps, CLUSTER_PACKETS, round(rate_bps * CLUSTER_S / 8))


class ProbeController:
    """Two probes at the start, one every few seconds, and more while they find more.

    Attributes
    ----------
    probes : int
        How many were sent.
    """

    def __init__(self, start_bps: float, max_bps: float) -> None:
        """Plan the first probes.

        Parameters
        ----------
        start_bps : float
            The first estimate, in bit/s.
        max_bps : float
            The highest bitrate of a probe, in bit/s.
        """
        self.probes = 0
        self._max_bps = max_bps
        self._planned_bps = deque(scale * start_bps for scale in FIRST_PROBE_SCALES)
        self._awaited_since_s: float | None = None
        self._last_probe_s: float | None = None
        self._interval_s = INTERVAL_S
        self._overused_s = -math.inf

    def next_probe(self, estimate_bps: float, t_s: float, *, idle: bool) -> ProbeCluster | None:
        """Give the probe cluster that is to be sent now, if any.

        Parameters
        ----------
        estimate_bps : float
            The present estimate; a probe is above it.
        t_s : float
            Now, in seconds.
        idle : bool
            Whether feedback comes and no queue stands, so that a periodic probe makes sense.

        Returns
        -------
        ProbeCluster or None
            It begins with the next packets that leave.
        """
        awaited_since_s = self._awaited_since_s
        if awaited_since_s is not None and t_s - awaited_since_s >= RESULT_TIMEOUT_S:
            self._awaited_since_s = None
        if self._awaited_since_s is not None and self.probes >= len(FIRST_PROBE_SCALES):
            return None
        if not self._planned_bps and idle and self._is_due(estimate_bps, t_s):
            self._planned_bps.append(FURTHER_PROBE_SCALE * estimate_bps)
            self._interval_s = min(INTERVAL_GROWTH * self._interval_s, MAX_INTERVAL_S)
        if not self._planned_bps:
            return None
        rate_bps = min(self._planned_bps.popleft(), self._max_bps)
        if rate_bps <= estimate_bps:
            self._planned_bps.clear()
            return None
        cluster = ProbeCluster.at(self.probes, rate_bps)
        self.probes += 1
        self._last_probe_s = self._awaited_since_s = t_s
        return cluster

    def on_result(self, cluster: ProbeCluster, rate_bps: float, *, higher: bool) -> None:
        """Take a cluster's result, and plan the next while there is more to find.

        Parameters
        ----------
        cluster : ProbeCluster
            What was sent.
        rate_bps : float
            The bitrate that it arrived with, in bit/s.
        higher : bool
            Whether that is higher than the estimate was.
        """
        self._awaited_since_s = None
        if not higher:
            return
        self._interval_s = INTERVAL_S
        if rate_bps >= FURTHER_PROBE_THRESHOLD * cluster.rate_bps and not self._planned_bps:
            self._planned_bps.append(FURTHER_PROBE_SCALE * rate_bps)

    def on_overuse(self, t_s: float) -> None:
        """Pause the periodic probes: the network path is overused.

        Parameters
        ----------
        t_s : float
            Now, in seconds.
        """
        self._overused_s = t_s

    def on_decrease(self) -> None:
        """Drop the planned probes: the estimate was decreased."""
        self._planned_bps.clear()

    def _is_due(self, estimate_bps: float, t_s: float) -> bool:
        return (
            self._last_probe_s is not None
            and t_s - self._last_probe_s >= self._interval_s
            and t_s - self._overused_s >= AFTER_OVERUSE_S
            and estimate_bps < NEAR_MAX * self._max_bps
        )
