"""Probes: short bursts at a higher rate, from whose arrival the capacity of a way shows.

A rate that is only ever raised by a few percent takes half a minute from 0.7 to 5 Mbit/s. A probe
of some 15 ms finds out at once, and costs no more than a moment's queue.
"""

from dataclasses import dataclass

DURATION_S = 0.015
MIN_PACKETS = 5
MIN_ARRIVED = 0.8
MAX_DISTORTION = 2.0  # arrived this much faster than sent: the times are worth nothing
SATURATED = 0.9
USABLE = 0.95
KEPT_S = 1.0


@dataclass(frozen=True, slots=True)
class Probe:
    """A burst to be sent: at this rate, until both this many packets and bytes have left."""

    number: int
    rate_bps: float
    packets: int
    size_bytes: int

    @classmethod
    def at(cls, number: int, rate_bps: float) -> "Probe":
        """A probe of the usual length."""
        return cls(number, rate_bps, MIN_PACKETS, round(rate_bps * DURATION_S / 8))


@dataclass(slots=True)
class _Cluster:
    probe: Probe
    packets: int
    size_bytes: int
    first_sent_s: float
    last_sent_s: float
    last_sent_bytes: int
    first_arrival_s: float
    first_arrival_bytes: int
    last_arrival_s: float


class ProbeResults:
    """Collects what arrives of each probe and says what it found."""

    def __init__(self) -> None:
        self._probes: dict[int, Probe] = {}
        self._clusters: dict[int, _Cluster] = {}

    def expect(self, probe: Probe) -> None:
        """A probe is about to leave."""
        self._probes[probe.number] = probe

    def add(
        self, number: int, sent_s: float, arrival_s: float, size_bytes: int
    ) -> tuple[Probe, float] | None:
        """Take a probe's packet; returns the probe and the rate it got through with, if known.

        Each further packet of the same probe gives a better result.
        """
        probe = self._probes.get(number)
        if probe is None:
            return None
        cluster = self._clusters.get(number)
        if cluster is None:
            self._forget(arrival_s)
            self._clusters[number] = _Cluster(
                probe, 1, size_bytes, sent_s, sent_s, size_bytes, arrival_s, size_bytes, arrival_s
            )
            return None
        cluster.packets += 1
        cluster.size_bytes += size_bytes
        cluster.first_sent_s = min(cluster.first_sent_s, sent_s)
        if sent_s >= cluster.last_sent_s:
            cluster.last_sent_s, cluster.last_sent_bytes = sent_s, size_bytes
        if arrival_s < cluster.first_arrival_s:
            cluster.first_arrival_s, cluster.first_arrival_bytes = arrival_s, size_bytes
        cluster.last_arrival_s = max(cluster.last_arrival_s, arrival_s)
        rate_bps = _rate(cluster)
        return None if rate_bps is None else (probe, rate_bps)

    def _forget(self, arrival_s: float) -> None:
        for number, cluster in list(self._clusters.items()):
            if arrival_s - cluster.last_arrival_s > KEPT_S:
                del self._clusters[number], self._probes[number]


def _rate(cluster: _Cluster) -> float | None:
    probe = cluster.probe
    if (
        cluster.packets < probe.packets * MIN_ARRIVED
        or cluster.size_bytes < probe.size_bytes * MIN_ARRIVED
    ):
        return None
    sent_s = cluster.last_sent_s - cluster.first_sent_s
    arrived_s = cluster.last_arrival_s - cluster.first_arrival_s
    if not 0 < sent_s <= KEPT_S or not 0 < arrived_s <= KEPT_S:
        return None
    sent_bps = 8 * (cluster.size_bytes - cluster.last_sent_bytes) / sent_s
    arrived_bps = 8 * (cluster.size_bytes - cluster.first_arrival_bytes) / arrived_s
    if arrived_bps > MAX_DISTORTION * sent_bps:
        return None
    if arrived_bps < SATURATED * sent_bps:
        return USABLE * arrived_bps
    return min(sent_bps, arrived_bps)
