"""Groups of packets, and how much later each group arrives than the one before it.

libwebrtc: `goog_cc/inter_arrival_delta.cc`; draft-ietf-rmcat-gcc-02, section 5.2.
"""

from dataclasses import dataclass

GROUP_S = 0.005  # kSendTimeGroupLength; also kBurstDeltaThreshold
MAX_BURST_S = 0.1  # kMaxBurstDuration


@dataclass(slots=True)
class _Group:
    first_sent_s: float
    last_sent_s: float
    first_arrival_s: float
    last_arrival_s: float


class InterArrival:
    """Collects packets into groups and gives the deltas between one group and the next."""

    def __init__(self) -> None:
        self._group: _Group | None = None
        self._previous: _Group | None = None

    def add(self, sent_s: float, arrival_s: float) -> tuple[float, float] | None:
        """Take a packet.

        Parameters
        ----------
        sent_s : float
            Departure time by our clock, in seconds.
        arrival_s : float
            Arrival time by the receiver's clock, in seconds.

        Returns
        -------
        tuple of float, or None
            If the packet begins a new group: the time between the departures of the two groups
            before it, and between their arrivals, in seconds.
        """
        group = self._group
        if group is None:
            self._group = _Group(sent_s, sent_s, arrival_s, arrival_s)
            return None
        if sent_s < group.first_sent_s:
            return None  # reordered
        if self._belongs(group, sent_s, arrival_s):
            group.last_sent_s = max(group.last_sent_s, sent_s)
            group.last_arrival_s = max(group.last_arrival_s, arrival_s)
            return None
        deltas = self._deltas(group)
        self._previous = group
        self._group = _Group(sent_s, sent_s, arrival_s, arrival_s)
        return deltas

    @staticmethod
    def _belongs(group: _Group, sent_s: float, arrival_s: float) -> bool:
        if sent_s - group.first_sent_s <= GROUP_S:
            return True
        arrival_delta_s = arrival_s - group.last_arrival_s
        return (  # packets that were held up somewhere and arrive in one burst
            arrival_delta_s < sent_s - group.last_sent_s
            and arrival_delta_s <= GROUP_S
            and arrival_s - group.first_arrival_s < MAX_BURST_S
        )

    def _deltas(self, group: _Group) -> tuple[float, float] | None:
        previous = self._previous
        if previous is None:
            return None
        arrival_delta_s = group.last_arrival_s - previous.last_arrival_s
        if arrival_delta_s < 0:
            return None  # reordered
        return group.last_sent_s - previous.last_sent_s, arrival_delta_s
