"""Lets packets leave evenly: faster than the target, but never a whole key frame at once.

A frame that leaves in one burst fills the queue of the slowest link, and is taken for congestion
or lost there. Sound goes first and is not held back, retransmissions go before the film. A probe
(`gaze.rtc.probe`) lets some packets leave at its own rate, filled up with packets sent once more.
"""

import math
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

from gaze.rtc.probe import Probe

FACTOR = 2.5
BURST_S = 0.005
LAG_S = 0.02  # what is made up for when we wake too late while packets wait
PROBE_PACKET_BYTES = 500  # a probe begins with no smaller one, since it would need too many
RETRANSMISSIONS_SHARE = 0.2  # of the pacing rate, which is half of the target
RETRANSMISSIONS_BURST_S = 0.2


class Sized(Protocol):
    """A packet."""

    @property
    def size_bytes(self) -> int:
        """On the wire."""
        ...


P = TypeVar("P", bound=Sized)


class Kind(IntEnum):
    """What a packet is, in the order of leaving."""

    SOUND = 0
    RETRANSMISSION = 1
    VIDEO = 2


class Pacer(Generic[P]):
    """Packets that wait for their turn; told of the time, never asking for it.

    Attributes:
        rate_bps: the pacing rate.
        padding: makes a packet that may be sent to fill a probe, or None.
    """

    def __init__(self, rate_bps: float, padding: Callable[[], P | None]) -> None:
        self.rate_bps = rate_bps
        self.padding = padding
        self._queues: dict[Kind, deque[P]] = {kind: deque() for kind in Kind}
        self._bytes = dict.fromkeys(Kind, 0)
        self._free_s = 0.0  # when the next packet may leave
        self._again_s = -math.inf  # when the next retransmission may be taken, at its share
        self._probe: Probe | None = None
        self._probe_packets = 0
        self._probe_bytes = 0

    @property
    def probing(self) -> bool:
        """Whether a probe was given that has not left as a whole."""
        return self._probe is not None

    @property
    def waiting_s(self) -> float:
        """How long what waits will take to leave."""
        return 8 * self.waiting_bytes / self.rate_bps

    @property
    def waiting_bytes(self) -> int:
        """What waits."""
        return sum(self._bytes.values())

    def put(self, packet: P, kind: Kind, t_s: float) -> bool:
        """Append a packet; returns whether it was taken.

        Retransmissions beyond their share are not: what a full queue lost would fill it again.
        """
        if kind is Kind.RETRANSMISSION:
            spent_s = 8 * packet.size_bytes / (RETRANSMISSIONS_SHARE * self.rate_bps)
            again_s = max(self._again_s, t_s - RETRANSMISSIONS_BURST_S) + spent_s
            if again_s > t_s:
                return False
            self._again_s = again_s
        if not any(self._queues.values()):
            self._free_s = max(self._free_s, t_s - BURST_S)
        self._queues[kind].append(packet)
        self._bytes[kind] += packet.size_bytes
        return True

    def drop_film(self) -> None:
        """Let nothing of what waits leave, but sound."""
        for kind in (Kind.RETRANSMISSION, Kind.VIDEO):
            self._queues[kind].clear()
            self._bytes[kind] = 0

    def start(self, probe: Probe) -> None:
        """Let the packets that leave next be a probe; it begins with the film's next packet."""
        self._probe = probe
        self._probe_packets = self._probe_bytes = 0

    def take(self, t_s: float) -> tuple[P, int | None] | None:
        """The packet that leaves now, and the number of the probe that it is part of."""
        if self._queues[Kind.SOUND]:
            packet = self._pop(Kind.SOUND)
            self._spend(packet, self.rate_bps, t_s)
            return packet, None
        probe = self._probe
        begun = probe is not None and self._probe_packets > 0
        if not begun and self._begins_probe():
            self._free_s = t_s
            begun = True
        if t_s < self._free_s:
            return None
        kind = next((kind for kind in Kind if self._queues[kind]), None)
        if probe is None or not begun:
            if kind is None:
                return None
            packet = self._pop(kind)
            self._spend(packet, self.rate_bps, t_s)
            return packet, None
        filling = self.padding() if kind is None else self._pop(kind)
        if filling is None:
            self._probe = None  # nothing to fill it with
            return None
        self._spend(filling, probe.rate_bps, t_s)
        self._probe_packets += 1
        self._probe_bytes += filling.size_bytes
        if self._probe_packets >= probe.packets and self._probe_bytes >= probe.size_bytes:
            self._probe = None
            self._free_s = max(self._free_s, t_s)
        return filling, probe.number

    def wait_s(self, t_s: float) -> float | None:
        """How long until the next packet may leave; None if none waits."""
        if self._queues[Kind.SOUND]:
            return 0.0
        begun = self._probe is not None and self._probe_packets > 0
        if not begun and not any(self._queues.values()):
            return None
        if not begun and self._begins_probe():
            return 0.0
        return max(0.0, self._free_s - t_s)

    def _begins_probe(self) -> bool:
        film = self._queues[Kind.VIDEO]
        return self._probe is not None and bool(film) and film[0].size_bytes >= PROBE_PACKET_BYTES

    def _pop(self, kind: Kind) -> P:
        packet = self._queues[kind].popleft()
        self._bytes[kind] -= packet.size_bytes
        return packet

    def _spend(self, packet: P, rate_bps: float, t_s: float) -> None:
        self._free_s = max(self._free_s, t_s - LAG_S) + 8 * packet.size_bytes / rate_bps
