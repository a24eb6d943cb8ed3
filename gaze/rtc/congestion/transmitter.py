"""All packets of one transport on their way out: paced, numbered, reported on by the browser."""

import asyncio
import contextlib
import time
from collections.abc import Callable, Sequence

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.bandwidth_estimator import BandwidthEstimator, Range
from gaze.rtc.congestion.pacer import FACTOR, Kind, Pacer
from gaze.rtc.congestion.packet_results import SentPackets
from gaze.rtc.congestion.report_based import Rate
from gaze.rtc.rtp.packet_history import Outgoing, Packet

ROOM_S = 0.1
"""The film's next frame is taken only when what waits will have left this soon,"""
QUEUE_S = 0.15
"""and when what is on its way already will wait no longer in a queue, by the estimate."""
PATIENCE_S = 0.1
LOSSY = 0.02
HEADROOM = 0.95
"""Share of the target that is for the film and the sound; the rest is retransmissions."""


class Transmitter:
    """Sends by `send`, which keeps nothing; estimates from feedback, else goes by `reported_bps`.

    Attributes:
        estimate: how much the way carries.
        reported_bps: the rate that other reports (REMB, losses) allow; used while no transport-wide
            feedback comes.
        padded: the stream whose packets may fill a probe.
    """

    def __init__(self, send: Callable[[bytearray], None], limits: Range) -> None:
        self.estimate = BandwidthEstimator(limits)
        self.reported_bps = limits.start_bps
        self.padded: Outgoing | None = None
        self.held = 0  # frames that had to wait for room
        self._send = send
        self._pacer: Pacer[Packet] = Pacer(FACTOR * limits.start_bps, self._padding)
        self._sent = SentPackets()
        self._heard = False
        self._lossy = False
        self._sound_bytes = 0
        self._sound_rate = Rate()
        self._sound_bps = 0.0
        self._room = asyncio.Event()
        self._timer: asyncio.TimerHandle | None = None
        self._closed = False

    @property
    def estimating(self) -> bool:
        """Whether the browser sends transport-wide feedback."""
        return self._heard

    @property
    def lossy(self) -> bool:
        """Whether so many packets are lost that frames come unevenly."""
        self._lossy = self._heard and self.estimate.loss > (LOSSY / 2 if self._lossy else LOSSY)
        return self._lossy

    @property
    def target_bps(self) -> float:
        """What may be sent in all."""
        return self.estimate.target_bps if self._heard else self.reported_bps

    @property
    def film_bps(self) -> float:
        """What the film may take of it."""
        if not self._heard:
            return self.reported_bps
        return HEADROOM * self.target_bps - self._sound_bps

    @property
    def lasting_bps(self) -> float:
        """The same without what is held back only until a queue is empty."""
        if not self._heard:
            return self.reported_bps
        return HEADROOM * self.estimate.lasting_bps - self._sound_bps

    @property
    def waiting_s(self) -> float:
        """How long what waits will take to leave."""
        return self._pacer.waiting_s

    def put(self, packets: Sequence[Packet], kind: Kind) -> bool:
        """Let packets leave when it is their turn; returns whether all of them may."""
        if self._closed:
            return False
        now_s = time.monotonic()
        all_taken = True
        for packet in packets:
            all_taken = self._pacer.put(packet, kind, now_s) and all_taken
            if kind is Kind.SOUND:
                self._sound_bytes += packet.size_bytes
        if kind is Kind.SOUND:
            self._sound_bps = self._sound_rate.update(self._sound_bytes, now_s)
        self._let_leave()
        return all_taken

    def drop_film(self) -> None:
        """Let nothing leave of what waits, but sound."""
        self._pacer.drop_film()
        self._room.set()

    def _has_room(self, queue_s: float) -> bool:
        if self._pacer.waiting_s > ROOM_S:
            return False
        window_bytes = self.estimate.window_bytes(queue_s, time.monotonic())
        return self._sent.on_their_way_bytes + self._pacer.waiting_bytes <= window_bytes

    async def room(self, queue_s: float = QUEUE_S) -> bool:
        """Wait for a moment until the film's next frame may be encoded; returns whether it may.

        If not, it is to be left out: frame rate gives way, not delay.
        """
        if self._has_room(queue_s):
            return True
        self.held += 1
        try:
            async with asyncio.timeout(PATIENCE_S):
                while not self._has_room(queue_s) and not self._closed:
                    self._room.clear()
                    await self._room.wait()
        except TimeoutError:
            return False
        return True

    def on_feedback(self, data: bytes) -> None:
        """A transport-wide feedback message; a malformed one is passed over."""
        try:
            feedback = twcc.parse(data)
        except ValueError:
            return
        self._heard = True
        self.estimate.on_feedback(self._sent.outcomes(feedback), time.monotonic())
        self._room.set()

    async def close(self) -> None:
        """Send nothing any more."""
        self._closed = True
        self._room.set()
        if self._timer is not None:
            self._timer.cancel()

    def _padding(self) -> Packet | None:
        return None if self.padded is None else self.padded.padding()

    def _let_leave(self) -> None:
        """Send all that may leave by now, and come back when more may."""
        if self._timer is not None:
            self._timer.cancel()
        pacer, estimate = self._pacer, self.estimate
        now_s = time.monotonic()
        estimate.on_silence(self._sent.oldest_s, now_s)
        pacer.rate_bps = FACTOR * self.target_bps
        if (
            self.padded is not None
            and not pacer.probing
            and (probe := estimate.take_probe(now_s)) is not None
        ):
            pacer.start(probe)
        while (taken := pacer.take(now_s)) is not None:
            self._let_go(*taken, now_s)
            now_s = time.monotonic()
        if pacer.waiting_s <= ROOM_S:
            self._room.set()
        wait_s = pacer.wait_s(now_s)
        self._timer = (
            None
            if wait_s is None
            else asyncio.get_running_loop().call_later(wait_s, self._let_leave)
        )

    def _let_go(self, packet: Packet, probe: int | None, now_s: float) -> None:
        number = None
        if packet.number_at is not None:
            number = self._sent.add(packet.size_bytes, now_s, probe)
        packet.sent_s = now_s
        packet.stamp(number, now_s)
        with contextlib.suppress(ConnectionError):  # between two ways, or at the end: it is lost
            self._send(packet.data)
