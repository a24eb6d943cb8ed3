"""Paces packets: faster than the target, but never a whole key frame at once.

A frame that leaves in one burst fills the queue of the slowest link, and is taken for congestion
or lost there. Audio goes first and is not held back, retransmissions go before video. A probe
cluster (`gaze.rtc.congestion.probe_controller`) lets some packets leave at its own bitrate, filled
up with padding. After libwebrtc's `pacing/pacing_controller.cc`.
"""

import math
from collections import deque
from collections.abc import Callable
from enum import IntEnum
from typing import Generic, Protocol, TypeVar

from gaze.rtc.congestion.probe_controller import ProbeCluster

PACING_FACTOR = 2.5  # times the target; libwebrtc's kDefaultPaceMultiplier
BURST_S = 0.04  # libwebrtc's kDefaultBurstInterval: what may leave at once after a rest
# How much leaves together when it had to wait: waking costs more than sending
# (`python -m benchmarks.packet_cost`).
GROUP_S = 0.01
# A cluster begins with no smaller packet, since it would need too many: chosen by hand.
MIN_PROBE_PACKET_BYTES = 500
# Of the pacing rate, so half of the target. Tuned by
# `python -m benchmarks.network --who chromium --scenarios step`: retransmitting all that a full
# queue had dropped filled it again for seconds.
RETRANSMISSION_SHARE = 0.2
RETRANSMISSION_BURST_S = 0.2


class Sized(Protocol):
    """A packet."""

    @property
    def size_bytes(self) -> int:
        """Size on the wire."""
        ...


P = TypeVar("P", bound=Sized)


class PacketType(IntEnum):
    """What a packet carries, in the order of priority."""

    AUDIO = 0
    RETRANSMISSION = 1
    VIDEO = 2


class Pacer(Generic[P]):
    """The packets that wait for their turn; every method takes the time.

    Attributes
    ----------
    rate_bps : float
        Pacing rate in bit/s; set at any time.
    padding : callable
        Makes a packet that may be sent to fill a probe cluster, or None.
    queue_bytes : int
        Size of all packets that wait.
    """

    def __init__(self, rate_bps: float, padding: Callable[[], P | None]) -> None:
        """Begin empty.

        Parameters
        ----------
        rate_bps : float
            Pacing rate in bit/s.
        padding : callable
            Makes a packet that may be sent to fill a probe cluster, or None.
        """
        self.rate_bps = rate_bps
        self.padding = padding
        self.queue_bytes = 0
        self._queues: tuple[deque[P], ...] = tuple(deque() for _ in PacketType)
        self._next_send_s = 0.0
        self._next_retransmission_s = -math.inf  # when the next may be taken, at their share
        self._cluster: ProbeCluster | None = None
        self._cluster_packets = 0
        self._cluster_bytes = 0

    @property
    def is_probing(self) -> bool:
        """Whether a probe cluster was given that has not left as a whole."""
        return self._cluster is not None

    @property
    def queue_time_s(self) -> float:
        """How long what waits will take to leave, in seconds."""
        return 8 * self.queue_bytes / self.rate_bps

    def enqueue(self, packet: P, packet_type: PacketType, t_s: float) -> bool:
        """Append a packet.

        Parameters
        ----------
        packet : Sized
            What is to be sent.
        packet_type : PacketType
            Its priority.
        t_s : float
            Now, in seconds.

        Returns
        -------
        bool
            Whether it was taken. Retransmissions beyond their share are not: what a full queue lost
            would fill it again.
        """
        if packet_type is PacketType.RETRANSMISSION:
            spent_s = 8 * packet.size_bytes / (RETRANSMISSION_SHARE * self.rate_bps)
            next_s = max(self._next_retransmission_s, t_s - RETRANSMISSION_BURST_S) + spent_s
            if next_s > t_s:
                return False
            self._next_retransmission_s = next_s
        if not self.queue_bytes:
            self._next_send_s = max(self._next_send_s, t_s - BURST_S)
        self._queues[packet_type].append(packet)
        self.queue_bytes += packet.size_bytes
        return True

    def drop_video(self) -> None:
        """Drop all that waits except audio."""
        for packet_type in (PacketType.RETRANSMISSION, PacketType.VIDEO):
            self.queue_bytes -= sum(packet.size_bytes for packet in self._queues[packet_type])
            self._queues[packet_type].clear()

    def start_probe(self, cluster: ProbeCluster) -> None:
        """Let the packets that leave next be a probe cluster; it begins with the next of video.

        Parameters
        ----------
        cluster : ProbeCluster
            Its bitrate and size.
        """
        self._cluster = cluster
        self._cluster_packets = self._cluster_bytes = 0

    def next_packet(self, t_s: float) -> tuple[P, int | None] | None:
        """Take the packet that leaves now.

        Parameters
        ----------
        t_s : float
            Now, in seconds.

        Returns
        -------
        tuple of (Sized, int or None), or None
            The packet and the number of its probe cluster; None if nothing may leave now.
        """
        audio, retransmissions, video = self._queues
        if audio:
            return self._pop(audio, t_s, self.rate_bps), None
        if self._cluster is not None and (self._cluster_packets or self._may_start_probe(video)):
            return self._next_of_cluster(self._cluster, t_s)
        queue = retransmissions or video
        if not queue or t_s < self._next_send_s:
            return None
        return self._pop(queue, t_s, self.rate_bps), None

    def time_until_next_s(self, t_s: float) -> float | None:
        """Give how long until the next packets should be taken.

        That is later than the first of them may leave, but no later than the last, or a group.

        Parameters
        ----------
        t_s : float
            Now, in seconds.

        Returns
        -------
        float or None
            In seconds; None if nothing waits.
        """
        audio, retransmissions, video = self._queues
        if audio:
            return 0.0
        if self._cluster is not None:
            if self._cluster_packets:
                return max(0.0, self._next_send_s - t_s)
            if self._may_start_probe(video):
                return 0.0
        if not self.queue_bytes:
            return None
        last = (video or retransmissions)[-1]
        group_s = min(GROUP_S, 8 * (self.queue_bytes - last.size_bytes) / self.rate_bps)
        return max(0.0, self._next_send_s + group_s - t_s)

    def _next_of_cluster(self, cluster: ProbeCluster, t_s: float) -> tuple[P, int | None] | None:
        if not self._cluster_packets:
            self._next_send_s = t_s
        if t_s < self._next_send_s:
            return None
        _, retransmissions, video = self._queues
        if queue := retransmissions or video:
            packet = self._pop(queue, t_s, cluster.rate_bps)
        else:
            padding = self.padding()
            if padding is None:  # nothing to fill it with
                self._cluster = None
                return None
            packet = padding
            self._spend(packet.size_bytes, t_s, cluster.rate_bps)
        self._cluster_packets += 1
        self._cluster_bytes += packet.size_bytes
        if self._cluster_packets >= cluster.packets and self._cluster_bytes >= cluster.size_bytes:
            self._cluster = None
            self._next_send_s = max(self._next_send_s, t_s)
        return packet, cluster.number

    @staticmethod
    def _may_start_probe(video: deque[P]) -> bool:
        return bool(video) and video[0].size_bytes >= MIN_PROBE_PACKET_BYTES

    def _pop(self, queue: deque[P], t_s: float, rate_bps: float) -> P:
        packet = queue.popleft()
        size_bytes = packet.size_bytes
        self.queue_bytes -= size_bytes
        self._spend(size_bytes, t_s, rate_bps)
        return packet

    def _spend(self, size_bytes: int, t_s: float, rate_bps: float) -> None:
        self._next_send_s = max(self._next_send_s, t_s - BURST_S) + 8 * size_bytes / rate_bps
