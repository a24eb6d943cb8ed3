"""Transport-wide congestion control feedback (draft-holmer-rmcat-transport-wide-cc-extensions-01).

A sender numbers every packet of a transport; the receiver answers, many times a second, with the
arrival time of each number. From this a browser estimates how much the way to us can carry.
"""

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice

EXTENSION_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
RTCP_RTPFB = 205
FMT = 15

TICK_S = 250e-6
TICKS_PER_REFERENCE = 256  # the reference time counts 64 ms
MAX_PACKET_BYTES = 1200
MAX_WAITING = 10_000  # packets; more than a second of 100 Mbit/s
HISTORY_S = 0.5

_NOT_RECEIVED, _SMALL_DELTA, _LARGE_DELTA = 0, 1, 2
_MAX_RUN = 0x1FFF
_HEADER = struct.Struct("!BBHLLHHL")


@dataclass(frozen=True, slots=True)
class Feedback:
    """One feedback message: what became of `len(arrivals_s)` packets from `base` on.

    Attributes:
        sender_ssrc: SSRC of the feedback's sender.
        media_ssrc: SSRC of a media stream of the transport.
        count: number of this feedback message, modulo 256.
        base: transport-wide sequence number of the first packet, 16 bits.
        arrivals_s: arrival times by the receiver's clock, modulo 2^24 times 64 ms; None if lost.
    """

    sender_ssrc: int
    media_ssrc: int
    count: int
    base: int
    arrivals_s: tuple[float | None, ...]


class Recorder:
    """Remembers when which transport-wide number arrived, and packs it into feedback messages.

    Like libwebrtc's: a number counts at its first arrival; one that arrives after its loss was
    reported is reported again together with those that followed it.
    """

    def __init__(self) -> None:
        self.packets = 0
        self.messages = 0
        self._arrivals: dict[int, int] = {}  # unwrapped sequence number -> ticks
        self._newest: int | None = None
        self._next: int | None = None  # first unwrapped number of the next feedback
        self._has_news = False

    def add(self, sequence_number: int, arrival_s: float) -> None:
        """Note the arrival of a packet (16-bit number, seconds of a monotonic clock)."""
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

    def take(self, sender_ssrc: int, media_ssrc: int) -> list[bytes]:
        """RTCP packets that report all that came since the last call; none if nothing came."""
        if not self._has_news or self._next is None or self._newest is None:
            return []
        self._has_news = False
        self._forget(self._next)
        numbers = sorted(number for number in self._arrivals if number >= self._next)
        packets = []
        while numbers:
            packet, taken = self._pack(numbers, sender_ssrc, media_ssrc)
            packets.append(packet)
            self._next = numbers[taken - 1] + 1
            numbers = numbers[taken:]
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

    def _pack(self, numbers: list[int], sender_ssrc: int, media_ssrc: int) -> tuple[bytes, int]:
        """The packet that reports the first of `numbers` (sorted), and how many it reports."""
        assert self._next is not None
        base = self._next
        reference = self._arrivals[numbers[0]] // TICKS_PER_REFERENCE
        last_ticks = reference * TICKS_PER_REFERENCE
        symbols: list[int] = []
        deltas = bytearray()
        taken = 0
        for number in numbers:
            delta = self._arrivals[number] - last_ticks
            gap = number - base - len(symbols)
            # Two bytes a chunk, at worst seven symbols a chunk; gaps are packed as runs.
            size = _HEADER.size + len(deltas) + 2 * (len(symbols) // 7 + gap // _MAX_RUN) + 8
            if taken and (
                not -0x8000 <= delta <= 0x7FFF or size > MAX_PACKET_BYTES or number - base >= 0xFFFF
            ):
                break
            if not taken and gap >= 0xFFFF:
                base, gap = number, 0  # so long a silence is no loss worth reporting
            symbols.extend([_NOT_RECEIVED] * gap)
            if 0 <= delta <= 0xFF:
                symbols.append(_SMALL_DELTA)
                deltas.append(delta)
            else:
                symbols.append(_LARGE_DELTA)
                deltas += struct.pack("!h", delta)
            last_ticks = self._arrivals[number]
            taken += 1
        body = b"".join(_chunks(symbols)) + bytes(deltas)
        padding = -len(body) % 4
        if padding:
            body += bytes(padding - 1) + bytes([padding])
        header = _HEADER.pack(
            0x80 | (0x20 if padding else 0) | FMT,
            RTCP_RTPFB,
            (_HEADER.size + len(body)) // 4 - 1,
            sender_ssrc,
            media_ssrc,
            base & 0xFFFF,
            len(symbols),
            (reference & 0xFFFFFF) << 8 | self.messages & 0xFF,
        )
        self.messages += 1
        return header + body, taken


def _chunks(symbols: list[int]) -> Iterator[bytes]:
    """Packet status chunks (sections 3.1.3 and 3.1.4): runs where they are long, else vectors."""
    position = 0
    while position < len(symbols):
        symbol = symbols[position]
        run = 1
        for other in islice(symbols, position + 1, position + _MAX_RUN):
            if other != symbol:
                break
            run += 1
        if run >= 14 or (symbol == _LARGE_DELTA and run >= 7) or position + run == len(symbols):
            yield struct.pack("!H", symbol << 13 | run)
            position += run
            continue
        window = symbols[position : position + 14]
        if _LARGE_DELTA not in window:
            bits = sum(value << (13 - i) for i, value in enumerate(window))
            yield struct.pack("!H", 0x8000 | bits)
        else:
            window = window[:7]
            bits = sum(value << (12 - 2 * i) for i, value in enumerate(window))
            yield struct.pack("!H", 0xC000 | bits)
        position += len(window)


def take_out(compound: bytes) -> tuple[list[bytes], bytes]:
    """The feedback packets of a compound RTCP packet, and what is left without them.

    aiortc would take them for lists of lost packets, or refuse the compound.
    """
    if len(compound) >= 4 and len(compound) == 4 * (int.from_bytes(compound[2:4]) + 1):
        if _is_feedback(compound, 0):  # nothing else, the usual case
            return [compound], b""
        return [], compound
    taken: list[bytes] = []
    rest = bytearray()
    at = 0
    while at + 4 <= len(compound):
        end = at + 4 * (int.from_bytes(compound[at + 2 : at + 4]) + 1)
        if _is_feedback(compound, at):
            taken.append(compound[at:end])
        else:
            rest += compound[at:end]
        at = end
    return taken, bytes(rest + compound[at:])


def _is_feedback(compound: bytes, at: int) -> bool:
    return compound[at + 1] == RTCP_RTPFB and compound[at] & 0x1F == FMT


def parse(packet: bytes) -> Feedback:
    """Read one RTCP feedback packet.

    Raises:
        ValueError: it is not such a packet, or it is cut short.
    """
    if len(packet) < _HEADER.size:
        raise ValueError("transport-wide feedback is shorter than its header")
    first, kind, words, sender_ssrc, media_ssrc, base, status_count, tail = _HEADER.unpack_from(
        packet
    )
    if first >> 6 != 2 or first & 0x1F != FMT or kind != RTCP_RTPFB:
        raise ValueError("not a transport-wide feedback packet")
    if len(packet) != 4 * (words + 1):
        raise ValueError("transport-wide feedback has the wrong length")
    position = _HEADER.size
    symbols: list[int] = []
    try:
        while len(symbols) < status_count:
            (chunk,) = struct.unpack_from("!H", packet, position)
            position += 2
            if not chunk & 0x8000:
                run = min(chunk & _MAX_RUN, status_count - len(symbols))
                symbols.extend([chunk >> 13 & 3] * run)
                if not run:
                    raise ValueError("transport-wide feedback has an empty run")
            elif chunk & 0x4000:
                symbols.extend(chunk >> shift & 3 for shift in range(12, -1, -2))
            else:
                symbols.extend(chunk >> shift & 1 for shift in range(13, -1, -1))
        ticks = (tail >> 8) * TICKS_PER_REFERENCE
        arrivals_s: list[float | None] = []
        for symbol in symbols[:status_count]:
            if symbol == _SMALL_DELTA:
                ticks += packet[position]
                position += 1
            elif symbol == _LARGE_DELTA:
                (delta,) = struct.unpack_from("!h", packet, position)
                ticks += delta
                position += 2
            elif symbol != _NOT_RECEIVED:
                raise ValueError("transport-wide feedback has a reserved status")
            arrivals_s.append(None if symbol == _NOT_RECEIVED else ticks * TICK_S)
    except (struct.error, IndexError):
        raise ValueError("transport-wide feedback is cut short") from None
    return Feedback(sender_ssrc, media_ssrc, tail & 0xFF, base, tuple(arrivals_s))
