"""Lets packets leave evenly: faster than the target, but never a whole key frame at once.

A frame that leaves in one burst fills the queue of the slowest link, and is taken for congestion
or lost there. Sound goes first and is not held back, retransmissions go before the film. A probe
(`gaze.rtc.congestion.probing`) lets some packets leave at its own rate, filled up with packets
sent once more.
"""

import math
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

from gaze.rtc.congestion.probing import Probe

FACTOR = 2.5
BURST_S = 0.04  # as libwebrtc: what may leave at once, after a rest or by waking too late
GROUP_S = 0.01  # as much as leaves together when it had to wait: waking costs more than sending
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
        waiting_bytes: of all that waits.
        padding: makes a packet that may be sent to fill a probe, or None.
    """

    def __init__(self, rate_bps: float, padding: Callable[[], P | None]) -> None:
        self.rate_bps = rate_bps
        self.padding = padding
        self._queues: tuple[deque[P], ...] = tuple(deque() for _ in Kind)  # by kind
        self.waiting_bytes = 0
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
        if not self.waiting_bytes:
            self._free_s = max(self._free_s, t_s - BURST_S)
        self._queues[kind].append(packet)
        self.waiting_bytes += packet.size_bytes
        return True

    def drop_film(self) -> None:
        """Let nothing of what waits leave, but sound."""
        for kind in (Kind.RETRANSMISSION, Kind.VIDEO):
            self.waiting_bytes -= sum(packet.size_bytes for packet in self._queues[kind])
            self._queues[kind].clear()

    def start(self, probe: Probe) -> None:
        """Let the packets that leave next be a probe; it begins with the film's next packet."""
        self._probe = probe
        self._probe_packets = self._probe_bytes = 0

    def take(self, t_s: float) -> tuple[P, int | None] | None:
        """The packet that leaves now, and the number of the probe that it is part of."""
        sound, again, film = self._queues
        if sound:
            return self._pop(sound, t_s, self.rate_bps), None
        if self._probe is not None and (self._probe_packets or self._may_begin(film)):
            return self._take_for(self._probe, t_s)
        queue = again or film
        if not queue or t_s < self._free_s:
            return None
        return self._pop(queue, t_s, self.rate_bps), None

    def wait_s(self, t_s: float) -> float | None:
        """How long until the next packets should be taken; None if none waits.

        Later than the first of them may leave, but no later than the last, or a group.
        """
        sound, again, film = self._queues
        if sound:
            return 0.0
        if self._probe is not None:
            if self._probe_packets:
                return max(0.0, self._free_s - t_s)
            if self._may_begin(film):
                return 0.0
        if not self.waiting_bytes:
            return None
        last = (film or again)[-1]
        group_s = min(GROUP_S, 8 * (self.waiting_bytes - last.size_bytes) / self.rate_bps)
        return max(0.0, self._free_s + group_s - t_s)

    def _take_for(self, probe: Probe, t_s: float) -> tuple[P, int | None] | None:
        if not self._probe_packets:
            self._free_s = t_s
        if t_s < self._free_s:
            return None
        _, again, film = self._queues
        if queue := again or film:
            packet = self._pop(queue, t_s, probe.rate_bps)
        else:
            padding = self.padding()
            if padding is None:  # nothing to fill it with
                self._probe = None
                return None
            packet = padding
            self._spend(packet.size_bytes, t_s, probe.rate_bps)
        self._probe_packets += 1
        self._probe_bytes += packet.size_bytes
        if self._probe_packets >= probe.packets and self._probe_bytes >= probe.size_bytes:
            self._probe = None
            self._free_s = max(self._free_s, t_s)
        return packet, probe.number

    @staticmethod
    def _may_begin(film: deque[P]) -> bool:
        return bool(film) and film[0].size_bytes >= PROBE_PACKET_BYTES

    def _pop(self, queue: deque[P], t_s: float, rate_bps: float) -> P:
        packet = queue.popleft()
        size_bytes = packet.size_bytes
        self.waiting_bytes -= size_bytes
        self._spend(size_bytes, t_s, rate_bps)
        return packet

    def _spend(self, size_bytes: int, t_s: float, rate_bps: float) -> None:
        self._free_s = max(self._free_s, t_s - BURST_S) + 8 * size_bytes / rate_bps
