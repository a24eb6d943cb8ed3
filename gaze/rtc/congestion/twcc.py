"""The format of transport-wide congestion control feedback.

A sender numbers every packet of a transport; the receiver answers, many times a second, with the
arrival time of each number (draft-holmer-rmcat-transport-wide-cc-extensions-01).
"""

import struct
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice

EXTENSION_URI = "http://www.ietf.org/id/draft-holmer-rmcat-transport-wide-cc-extensions-01"
RTCP_RTPFB = 205  # RFC 4585, section 6.1
FMT = 15

TICK_S = 250e-6  # section 3.1.5
TICKS_PER_REFERENCE = 256  # the reference time counts 64 ms
MAX_SMALL_DELTA = 0xFF
MIN_LARGE_DELTA, MAX_LARGE_DELTA = -0x8000, 0x7FFF
MAX_RUN = 0x1FFF  # symbols of a run length chunk

NOT_RECEIVED, SMALL_DELTA, LARGE_DELTA = 0, 1, 2  # section 3.1.1
HEADER_BYTES = 20

_HEADER = struct.Struct("!BBHLLHHL")


@dataclass(frozen=True, slots=True)
class Feedback:
    """One feedback message: the arrival of `len(arrivals_s)` packets from `base` on.

    Attributes
    ----------
    sender_ssrc : int
        SSRC of the feedback's sender.
    media_ssrc : int
        SSRC of a media stream of the transport.
    count : int
        Number of this feedback message, modulo 256.
    base : int
        Transport-wide sequence number of the first packet, 16 bits.
    arrivals_s : tuple of float or None
        Arrival times in seconds by the receiver's clock, modulo 2^24 times 64 ms; None if lost.
    """

    sender_ssrc: int
    media_ssrc: int
    count: int
    base: int
    arrivals_s: tuple[float | None, ...]


def serialize(
    ssrcs: tuple[int, int],
    count: int,
    base: int,
    reference: int,
    deltas: Sequence[int | None],
) -> bytes:
    """Make an RTCP feedback packet.

    Parameters
    ----------
    ssrcs : tuple of int
        Of the feedback's sender and of a media stream.
    count : int
        Number of this feedback message; its low 8 bits are sent.
    base : int
        Number of the first packet; its low 16 bits are sent.
    reference : int
        Reference time in 64 ms; its low 24 bits are sent.
    deltas : sequence of int or None
        For each packet from `base` on, its arrival after the one that arrived before it (the first:
        after the reference time), in ticks of 250 us; None if it did not arrive.

    Returns
    -------
    bytes
        The packet.
    """
    symbols: list[int] = []
    encoded = bytearray()
    for delta in deltas:
        if delta is None:
            symbols.append(NOT_RECEIVED)
        elif 0 <= delta <= MAX_SMALL_DELTA:
            symbols.append(SMALL_DELTA)
            encoded.append(delta)
        else:
            symbols.append(LARGE_DELTA)
            encoded += struct.pack("!h", delta)
    body = b"".join(_chunks(symbols)) + bytes(encoded)
    padding = -len(body) % 4
    if padding:
        body += bytes(padding - 1) + bytes([padding])
    header = _HEADER.pack(
        0x80 | (0x20 if padding else 0) | FMT,
        RTCP_RTPFB,
        (HEADER_BYTES + len(body)) // 4 - 1,
        *ssrcs,
        base & 0xFFFF,
        len(symbols),
        (reference & 0xFFFFFF) << 8 | count & 0xFF,
    )
    return header + body


def _chunks(symbols: list[int]) -> Iterator[bytes]:
    """Yield packet status chunks (sections 3.1.3 and 3.1.4): long runs, else vectors."""
    position = 0
    while position < len(symbols):
        symbol = symbols[position]
        run = 1
        for other in islice(symbols, position + 1, position + MAX_RUN):
            if other != symbol:
                break
            run += 1
        if run >= 14 or (symbol == LARGE_DELTA and run >= 7) or position + run == len(symbols):
            yield struct.pack("!H", symbol << 13 | run)
            position += run
            continue
        window = symbols[position : position + 14]
        if LARGE_DELTA not in window:
            bits = sum(value << (13 - i) for i, value in enumerate(window))
            yield struct.pack("!H", 0x8000 | bits)
        else:
            window = window[:7]
            bits = sum(value << (12 - 2 * i) for i, value in enumerate(window))
            yield struct.pack("!H", 0xC000 | bits)
        position += len(window)


def parse(packet: bytes) -> Feedback:
    """Read one RTCP feedback packet.

    Parameters
    ----------
    packet : bytes
        The packet, with its RTCP header.

    Returns
    -------
    Feedback
        What it says.

    Raises
    ------
    ValueError
        If it is no such packet, or is malformed.
    """
    if len(packet) < HEADER_BYTES:
        raise ValueError("transport-wide feedback is shorter than its header")
    first, kind, words, sender_ssrc, media_ssrc, base, status_count, tail = _HEADER.unpack_from(
        packet
    )
    if first >> 6 != 2 or first & 0x1F != FMT or kind != RTCP_RTPFB:
        raise ValueError("not a transport-wide feedback packet")
    if len(packet) != 4 * (words + 1):
        raise ValueError("transport-wide feedback has the wrong length")
    try:
        symbols, position = _read_symbols(packet, status_count)
        arrivals_s = _read_arrivals(packet, position, symbols, tail >> 8)
    except (struct.error, IndexError):
        raise ValueError("transport-wide feedback is cut short") from None
    return Feedback(sender_ssrc, media_ssrc, tail & 0xFF, base, tuple(arrivals_s))


def _read_symbols(packet: bytes, count: int) -> tuple[list[int], int]:
    """Return the status of each packet, and where the deltas begin."""
    position = HEADER_BYTES
    symbols: list[int] = []
    while len(symbols) < count:
        (chunk,) = struct.unpack_from("!H", packet, position)
        position += 2
        if not chunk & 0x8000:
            run = min(chunk & MAX_RUN, count - len(symbols))
            symbols.extend([chunk >> 13 & 3] * run)
            if not run:
                raise ValueError("transport-wide feedback has an empty run")
        elif chunk & 0x4000:
            symbols.extend(chunk >> shift & 3 for shift in range(12, -1, -2))
        else:
            symbols.extend(chunk >> shift & 1 for shift in range(13, -1, -1))
    return symbols[:count], position


def _read_arrivals(
    packet: bytes, position: int, symbols: list[int], reference: int
) -> list[float | None]:
    ticks = reference * TICKS_PER_REFERENCE
    arrivals_s: list[float | None] = []
    for symbol in symbols:
        if symbol == SMALL_DELTA:
            ticks += packet[position]
            position += 1
        elif symbol == LARGE_DELTA:
            (delta,) = struct.unpack_from("!h", packet, position)
            ticks += delta
            position += 2
        elif symbol != NOT_RECEIVED:
            raise ValueError("transport-wide feedback has a reserved status")
        arrivals_s.append(None if symbol == NOT_RECEIVED else ticks * TICK_S)
    return arrivals_s


def extract_feedback(compound: bytes) -> tuple[list[bytes], bytes]:
    """Split a compound RTCP packet into its feedback packets and the rest.

    aiortc would take feedback for lists of lost packets, or refuse the compound.

    Parameters
    ----------
    compound : bytes
        A compound RTCP packet (RFC 3550, section 6.1); may be malformed.

    Returns
    -------
    tuple of (list of bytes, bytes)
        The feedback packets, and all else.
    """
    if len(compound) >= 4 and len(compound) == 4 * (int.from_bytes(compound[2:4]) + 1):
        if _is_feedback(compound, 0):  # nothing else, the usual case
            return [compound], b""
        return [], compound
    feedback: list[bytes] = []
    rest = bytearray()
    at = 0
    while at + 4 <= len(compound):
        end = at + 4 * (int.from_bytes(compound[at + 2 : at + 4]) + 1)
        if _is_feedback(compound, at):
            feedback.append(compound[at:end])
        else:
            rest += compound[at:end]
        at = end
    return feedback, bytes(rest + compound[at:])


def _is_feedback(compound: bytes, at: int) -> bool:
    return compound[at + 1] == RTCP_RTPFB and compound[at] & 0x1F == FMT
