"""Records the arrival times of numbered packets, and reports them as transport-wide feedback.

From this a browser estimates the bandwidth of the network path to us. libwebrtc:
`remote_bitrate_estimator/remote_estimator_proxy.cc`.
"""

from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.twcc import (
    HEADER_BYTES,
    MAX_LARGE_DELTA,
    MAX_RUN,
    MAX_SMALL_DELTA,
    MIN_LARGE_DELTA,
    TICK_S,
    TICKS_PER_REFERENCE,
)

MAX_PACKET_BYTES = 1200  # fits every path that carries media: chosen by hand
MAX_WAITING = 10_000  # packets: more than a second of 100 Mbit/s
HISTORY_S = 0.5  # kBackWindow


class FeedbackRecorder:
    """Remembers when which transport-wide number arrived.

    A number counts at its first arrival; one that arrives after its loss was reported is reported
    again together with those that followed it.

    Attributes
    ----------
    packets : int
        How many packets were recorded.
    messages : int
        How many feedback messages were made.
    """

    def __init__(self) -> None:
        self.packets = 0
        self.messages = 0
        self._arrivals: dict[int, int] = {}  # unwrapped sequence number -> ticks
        self._newest: int | None = None
        self._next: int | None = None  # first unwrapped number of the next feedback
        self._has_news = False

    def add(self, sequence_number: int, arrival_s: float) -> None:
        """Record the arrival of a packet.

        Parameters
        ----------
        sequence_number : int
            Transport-wide, 16 bits.
        arrival_s : float
            By a monotonic clock, in seconds.
        """
        number = self._unwrap(sequence_number)
        if number in self._arrivals:
            return
        if self._next is None or number < self._next:
            self._next = number
        self._arrivals[number] = round(arrival_s / TICK_S)
        self._has_news = True
        self.packets += 1
        while len(self._arrivals) > MAX_WAITING:
            del self._arrivals[next(iter(self._arrivals))]

    def build_feedback(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """Report all that arrived since the last call.

        Parameters
        ----------
        sender_ssrc : int
            SSRC of the feedback's sender.
        media_ssrc : int
            SSRC of a media stream of the transport.

        Returns
        -------
        list of bytes
            RTCP packets; none if nothing arrived.
        """
        if not self._has_news or self._next is None or self._newest is None:
            return []
        self._has_news = False
        self._forget(self._next)
        numbers = sorted(number for number in self._arrivals if number >= self._next)
        packets = []
        while numbers:
            base, reference, deltas = self._select(self._next, numbers)
            packets.append(
                twcc.serialize((sender_ssrc, media_ssrc), self.messages, base, reference, deltas)
            )
            self.messages += 1
            reported = sum(delta is not None for delta in deltas)
            self._next = numbers[reported - 1] + 1
            numbers = numbers[reported:]
        return packets

    def _unwrap(self, sequence_number: int) -> int:
        if self._newest is None:
            self._newest = sequence_number
            return sequence_number
        step = (sequence_number - self._newest) & 0xFFFF
        number = self._newest + (step if step < 0x8000 else step - 0x10000)
        self._newest = max(self._newest, number)
        return number

    def _forget(self, before: int) -> None:
        """Drop arrivals that were reported and are too old to be reported again."""
        newest = max(self._arrivals.values())
        for number in [n for n in self._arrivals if n < before]:
            if newest - self._arrivals[number] > HISTORY_S / TICK_S:
                del self._arrivals[number]

    def _select(self, base: int, numbers: list[int]) -> tuple[int, int, list[int | None]]:
        """Return base, reference time and deltas of a packet that reports the first numbers."""
        if numbers[0] - base >= 0xFFFF:
            base = numbers[0]  # so long a silence is no loss worth reporting
        reference = self._arrivals[numbers[0]] // TICKS_PER_REFERENCE
        last_ticks = reference * TICKS_PER_REFERENCE
        deltas: list[int | None] = []
        delta_bytes = 0
        for number in numbers:
            ticks = self._arrivals[number]
            delta = ticks - last_ticks
            gap = number - base - len(deltas)
            # Two bytes a chunk, at worst seven symbols a chunk; gaps are packed as runs.
            size = HEADER_BYTES + delta_bytes + 2 * (len(deltas) // 7 + gap // MAX_RUN) + 8
            if deltas and (
                not MIN_LARGE_DELTA <= delta <= MAX_LARGE_DELTA
                or size > MAX_PACKET_BYTES
                or number - base >= 0xFFFF
            ):
                break
            deltas.extend([None] * gap)
            deltas.append(delta)
            delta_bytes += 1 if 0 <= delta <= MAX_SMALL_DELTA else 2
            last_ticks = ticks
        return base, reference, deltas
