"""The format of transport-wide feedback: malformed packets, compounds."""

import pytest
from aiortc.rtp import RtcpByePacket, RtcpRrPacket, RtcpRtpfbPacket

from gaze.rtc.congestion.twcc import MAX_RUN, TICK_S, extract_feedback, parse, serialize


def test_what_is_serialized_is_parsed() -> None:
    deltas = [3, None, 255, 256, -32768, None, None, 32767, *[None] * (MAX_RUN + 5), 0]
    feedback = parse(serialize((7, 8), 300, 65_540, 1 << 24 | 5, deltas))
    assert (feedback.sender_ssrc, feedback.media_ssrc, feedback.count) == (7, 8, 44)
    assert feedback.base == 4
    ticks, expected = 5 * 256, []
    for delta in deltas:
        ticks += delta or 0
        expected.append(None if delta is None else ticks * TICK_S)
    assert list(feedback.arrivals_s) == expected


@pytest.mark.parametrize(
    ("packet", "message"),
    [
        (b"\x8f\xcd", "shorter than its header"),
        (bytes.fromhex("81cd0005" + "00" * 20), "not a transport-wide"),
        (bytes.fromhex("8fcd0009" + "00" * 20), "wrong length"),
        (
            bytes.fromhex("8fcd0005" + "00" * 8 + "0001" + "00ff" + "00" * 4 + "20ff" + "0000"),
            "cut",
        ),
        (bytes.fromhex("8fcd0005" + "00" * 8 + "0001" + "0001" + "00" * 8), "empty run"),
        (
            bytes.fromhex("8fcd0005" + "00" * 8 + "0001" + "0001" + "00" * 4 + "60010000"),
            "reserved",
        ),
    ],
)
def test_malformed_feedback_is_refused(packet: bytes, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        parse(packet)


def test_feedback_is_extracted_from_a_compound_packet() -> None:
    feedback = serialize((1, 2), 0, 0, 0, [0, 40, 40, 40, 40])
    other = bytes(RtcpRrPacket(ssrc=1)) + bytes(RtcpByePacket(sources=[1]))
    nack = bytes(RtcpRtpfbPacket(fmt=1, ssrc=1, media_ssrc=2, lost=[5]))
    assert extract_feedback(feedback) == ([feedback], b"")
    assert extract_feedback(other) == ([], other)
    assert extract_feedback(nack) == ([], nack)
    assert extract_feedback(other + feedback + nack) == ([feedback], other + nack)
    assert extract_feedback(feedback + feedback) == ([feedback, feedback], b"")


@pytest.mark.parametrize("length", range(8))
def test_a_packet_that_is_cut_short_stays_as_it_is(length: int) -> None:
    data = bytes(RtcpRrPacket(ssrc=1))[:length]
    assert extract_feedback(data) == ([], data)
