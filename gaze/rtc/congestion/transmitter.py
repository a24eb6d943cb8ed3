"""All outgoing packets of one transport: paced, numbered, and reported on by the receiver."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.pacer import PACING_FACTOR, Pacer, PacketType
from gaze.rtc.congestion.packet_results import SentPackets
from gaze.rtc.congestion.rate_counter import RateCounter
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints, SendSideBwe
from gaze.rtc.rtp.packet_history import Packet, PacketHistory

# Tuned by `python -m benchmarks.network --who chromium --scenarios step,1_mbps` (delay and gaps at
# a step from 5 to 0.7 Mbit/s).
MAX_PACER_S = 0.1
"""The next video frame is taken only when what waits in the pacer will have left this soon,"""
MAX_QUEUE_S = 0.15
"""and when what is in flight will wait no longer than this in the network's queue."""
ROOM_TIMEOUT_S = 0.1  # then the frame is left out

LOSSY = 0.02
"""Share of packets lost from which frames arrive unevenly. Tuned by `python -m benchmarks.network
--who chromium --scenarios loss_1,loss_5`; half of it to leave that state."""
HEADROOM = 0.95
"""Share of the target that is for video and audio; the rest is for retransmissions. Chosen by hand;
no benchmark covers it alone."""


class Transmitter:
    """Sends the packets of all streams; their bitrate follows the bandwidth estimate.

    Attributes
    ----------
    bwe : SendSideBwe
        The bandwidth estimate.
    reported_bps : float
        The bitrate in bit/s that other reports (REMB, losses) allow; in force while no
        transport-wide feedback comes.
    padding_source : PacketHistory or None
        The stream whose packets may fill a probe cluster.
    frames_held : int
        Video frames that had to wait for room.
    """

    def __init__(self, send: Callable[[bytearray], None], constraints: BitrateConstraints) -> None:
        """Take what sends.

        Parameters
        ----------
        send : callable
            Sends one packet and keeps no reference to it; may raise ConnectionError, which loses
            the packet.
        constraints : BitrateConstraints
            Limits of the estimate.
        """
        self.bwe = SendSideBwe(constraints)
        self.reported_bps = constraints.start_bps
        self.padding_source: PacketHistory | None = None
        self.frames_held = 0
        self._send = send
        self._pacer: Pacer[Packet] = Pacer(PACING_FACTOR * constraints.start_bps, self._padding)
        self._sent = SentPackets()
        self._has_feedback = False
        self._is_lossy = False
        self._audio_bytes = 0
        self._audio_rate = RateCounter()
        self._audio_bps = 0.0
        self._room = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def has_feedback(self) -> bool:
        """Whether the receiver sends transport-wide feedback."""
        return self._has_feedback

    @property
    def is_lossy(self) -> bool:
        """Whether so many packets are lost that frames arrive unevenly."""
        threshold = LOSSY / 2 if self._is_lossy else LOSSY
        self._is_lossy = self._has_feedback and self.bwe.loss > threshold
        return self._is_lossy

    @property
    def target_bps(self) -> float:
        """What may be sent in all, in bit/s."""
        return self.bwe.target_bps if self._has_feedback else self.reported_bps

    @property
    def video_bps(self) -> float:
        """The video's share of the target, in bit/s."""
        if not self._has_feedback:
            return self.reported_bps
        return HEADROOM * self.target_bps - self._audio_bps

    @property
    def sustained_video_bps(self) -> float:
        """The same without the reduction that drains a queue, in bit/s."""
        if not self._has_feedback:
            return self.reported_bps
        return HEADROOM * self.bwe.sustained_bps - self._audio_bps

    @property
    def queue_time_s(self) -> float:
        """How long what waits in the pacer will take to leave, in seconds."""
        return self._pacer.queue_time_s

    def enqueue(self, packets: Sequence[Packet], packet_type: PacketType) -> bool:
        """Let packets leave when it is their turn.

        Parameters
        ----------
        packets : sequence of Packet
            All of one type.
        packet_type : PacketType
            Their priority.

        Returns
        -------
        bool
            Whether all of them were taken.
        """
        if self._closed:
            return False
        now_s = time.monotonic()
        all_taken = True
        for packet in packets:
            all_taken = self._pacer.enqueue(packet, packet_type, now_s) and all_taken
            if packet_type is PacketType.AUDIO:
                self._audio_bytes += packet.size_bytes
        if packet_type is PacketType.AUDIO:
            self._audio_bps = self._audio_rate.update(self._audio_bytes, now_s)
        self._send_due()
        return all_taken

    def drop_video(self) -> None:
        """Drop all that waits except audio."""
        self._pacer.drop_video()
        self._room.set()

    async def wait_for_room(self, queue_s: float = MAX_QUEUE_S) -> bool:
        """Wait for a moment until the next video frame may be encoded.

        Parameters
        ----------
        queue_s : float, default MAX_QUEUE_S
            How long what is in flight may wait in the network's queue, in seconds.

        Returns
        -------
        bool
            Whether it may. If not, it is to be left out: frame rate gives way, not delay.
        """
        if self._has_room(queue_s):
            return True
        self.frames_held += 1
        try:
            async with asyncio.timeout(ROOM_TIMEOUT_S):
                while not self._has_room(queue_s) and not self._closed:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            return False
        return True

    def on_feedback(self, data: bytes) -> None:
        """Take a transport-wide feedback message; a malformed one is ignored.

        Parameters
        ----------
        data : bytes
            One RTCP packet.
        """
        try:
            feedback = twcc.parse(data)
        except ValueError:
            return
        self._has_feedback = True
        self.bwe.on_feedback(self._sent.results(feedback), time.monotonic())
        self._room.set()

    async def close(self) -> None:
        """Send nothing any more."""
        self._closed = True
        self._room.set()
        if self._timer is not None:
            self._timer.cancel()

    def _has_room(self, queue_s: float) -> bool:
        if self._pacer.queue_time_s > MAX_PACER_S:
            return False
        window_bytes = self.bwe.congestion_window_bytes(queue_s, time.monotonic())
        return self._sent.in_flight_bytes + self._pacer.queue_bytes <= window_bytes

    def _padding(self) -> Packet | None:
        return None if self.padding_source is None else self.padding_source.padding()

    def _send_due(self) -> None:
        """Send all that may leave by now, and set the timer for the rest."""
        if self._timer is not None:
            self._timer.cancel()
        pacer, bwe = self._pacer, self.bwe
        now_s = time.monotonic()
        bwe.check_feedback_timeout(self._sent.oldest_unreported_s, now_s)
        pacer.rate_bps = PACING_FACTOR * self.target_bps
        if (
            self.padding_source is not None
            and not pacer.is_probing
            and (cluster := bwe.next_probe(now_s)) is not None
        ):
            pacer.start_probe(cluster)
        while (due := pacer.next_packet(now_s)) is not None:
            self._send_now(*due, now_s)
            now_s = time.monotonic()
        if pacer.queue_time_s <= MAX_PACER_S:
            self._room.set()
        wait_s = pacer.time_until_next_s(now_s)
        self._timer = (
            None
            if wait_s is None
            else asyncio.get_running_loop().call_later(wait_s, self._send_due)
        )

    def _send_now(self, packet: Packet, probe: int | None, now_s: float) -> None:
        number = None
        if packet.transport_number_offset is not None:
            number = self._sent.add(packet.size_bytes, now_s, probe)
        packet.sent_s = now_s
        packet.stamp(number, now_s)
        # No network path for the moment, or the transport ends: the packet is lost.
        with contextlib.suppress(ConnectionError):
            self._send(packet.data)
