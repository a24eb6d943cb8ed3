"""The capacity of a network path, from the arrival times of a probe cluster.

After libwebrtc's `goog_cc/probe_bitrate_estimator.cc`, whose constants these are.
"""

from dataclasses import dataclass

from gaze.rtc.congestion.probe_controller import ProbeCluster

MIN_ARRIVED = 0.8  # kMinReceivedProbesRatio, kMinReceivedBytesRatio
MAX_VALID_RATIO = 2.0  # kMaxValidRatio: arrived this much faster than sent, the times are useless
UNSATURATED_RATIO = 0.9  # kMinRatioForUnsaturatedLink
TARGET_UTILIZATION = 0.95  # kTargetUtilizationFraction
MAX_INTERVAL_S = 1.0  # kMaxProbeInterval, kMaxClusterHistory


@dataclass(slots=True)
class _Arrived:
    cluster: ProbeCluster
    packets: int
    size_bytes: int
    first_sent_s: float
    last_sent_s: float
    last_sent_bytes: int
    first_arrival_s: float
    first_arrival_bytes: int
    last_arrival_s: float


class ProbeBitrateEstimator:
    """Collects what arrives of each probe cluster."""

    def __init__(self) -> None:
        self._expected: dict[int, ProbeCluster] = {}
        self._arrived: dict[int, _Arrived] = {}

    def expect(self, cluster: ProbeCluster) -> None:
        """Announce a cluster that is about to leave.

        Parameters
        ----------
        cluster : ProbeCluster
            Its number is what `add` takes.
        """
        self._expected[cluster.number] = cluster

    def add(
        self, number: int, sent_s: float, arrival_s: float, size_bytes: int
    ) -> tuple[ProbeCluster, float] | None:
        """Take a packet of a cluster; each further one gives a better result.

        Parameters
        ----------
        number : int
            The cluster's number.
        sent_s : float
            When the packet left, by our clock, in seconds.
        arrival_s : float
            When it arrived, by the receiver's clock, in seconds.
        size_bytes : int
            Its size on the wire.

        Returns
        -------
        tuple of (ProbeCluster, float), or None
            The cluster and the bitrate that it arrived with, in bit/s, once enough has arrived.
        """
        cluster = self._expected.get(number)
        if cluster is None:
            return None
        arrived = self._arrived.get(number)
        if arrived is None:
            self._forget(arrival_s)
            self._arrived[number] = _Arrived(
                cluster, 1, size_bytes, sent_s, sent_s, size_bytes, arrival_s, size_bytes, arrival_s
            )
            return None
        arrived.packets += 1
        arrived.size_bytes += size_bytes
        arrived.first_sent_s = min(arrived.first_sent_s, sent_s)
        if sent_s >= arrived.last_sent_s:
            arrived.last_sent_s, arrived.last_sent_bytes = sent_s, size_bytes
        if arrival_s < arrived.first_arrival_s:
            arrived.first_arrival_s, arrived.first_arrival_bytes = arrival_s, size_bytes
        arrived.last_arrival_s = max(arrived.last_arrival_s, arrival_s)
        rate_bps = _rate_bps(arrived)
        return None if rate_bps is None else (cluster, rate_bps)

    def _forget(self, arrival_s: float) -> None:
        for number, arrived in list(self._arrived.items()):
            if arrival_s - arrived.last_arrival_s > MAX_INTERVAL_S:
                del self._arrived[number], self._expected[number]


def _rate_bps(arrived: _Arrived) -> float | None:
    cluster = arrived.cluster
    if (
        arrived.packets < cluster.packets * MIN_ARRIVED
        or arrived.size_bytes < cluster.size_bytes * MIN_ARRIVED
    ):
        return None
    sent_s = arrived.last_sent_s - arrived.first_sent_s
    arrived_s = arrived.last_arrival_s - arrived.first_arrival_s
    if not 0 < sent_s <= MAX_INTERVAL_S or not 0 < arrived_s <= MAX_INTERVAL_S:
        return None
    sent_bps = 8 * (arrived.size_bytes - arrived.last_sent_bytes) / sent_s
    arrived_bps = 8 * (arrived.size_bytes - arrived.first_arrival_bytes) / arrived_s
    if arrived_bps > MAX_VALID_RATIO * sent_bps:
        return None
    if arrived_bps < UNSATURATED_RATIO * sent_bps:
        return TARGET_UTILIZATION * arrived_bps
    return min(sent_bps, arrived_bps)
