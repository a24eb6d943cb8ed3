"""Packets of a stream, read back by aiortc's parser."""

import pytest
from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, unpack_header_extensions, unwrap_rtx

from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.packet_history import HISTORY_S, Identity, Outgoing, Packet

IDS = {
    header_extensions.MID: 9,
    header_extensions.TRANSPORT_NUMBER: 3,
    header_extensions.ABSOLUTE_SEND_TIME: 2,
    header_extensions.AUDIO_LEVEL: 1,
    header_extensions.PLAYOUT_DELAY: 5,
}
FILM = Identity(1111, 96, "film")
AGAIN = Identity(2222, 97, "film")


def outgoing(ids: dict[str, int] | None = None, again: Identity | None = AGAIN) -> Outgoing:
    return Outgoing(FILM, again, IDS if ids is None else ids, (32767, 100))


def read(data: bytes, ids: dict[str, int] | None = None) -> RtpPacket:
    known = HeaderExtensionsMap()
    parameters = RTCRtpParameters(
        headerExtensions=[
            RTCRtpHeaderExtensionParameters(id=number, uri=uri)
            for uri, number in (ids or IDS).items()
        ]
    )
    known.configure(parameters)
    return RtpPacket.parse(data, known)


def leave(packet: Packet, number: int, t_s: float) -> RtpPacket:
    packet.sent_s = t_s
    packet.stamp(number, t_s)
    return read(bytes(packet.data))


def test_a_frame_is_packets_in_order_the_last_marked() -> None:
    stream = outgoing()
    first, second = stream.make([b"abc", b"defg"], 4_000_000_000, 10.0)
    packets = [leave(first, 7, 10.0), leave(second, 8, 64.25)]
    assert [p.payload for p in packets] == [b"abc", b"defg"]
    assert [p.sequence_number for p in packets] == [32767, 32768]
    assert [p.marker for p in packets] == [0, 1]
    assert {(p.ssrc, p.payload_type, p.timestamp) for p in packets} == {(1111, 96, 4_000_000_000)}
    assert [p.extensions.transport_sequence_number for p in packets] == [7, 8]
    assert [p.extensions.mid for p in packets] == ["film", "film"]
    assert packets[1].extensions.abs_send_time == 1 << 16  # a quarter of a second after 64
    assert (stream.packets, stream.payload_bytes) == (2, 7)
    assert first.size_bytes == len(first.data) + 38


def test_the_playout_delay_is_0_to_100_ms_or_smoothed() -> None:
    (packet,) = outgoing({header_extensions.PLAYOUT_DELAY: 5}).make([b"x"], 0, 0.0)
    assert bytes(packet.data[12:20]) == b"\xbe\xde\x00\x01\x52\x00\x00\x0a"
    stream = outgoing({header_extensions.PLAYOUT_DELAY: 5})
    stream.smooth(True)
    (packet,) = stream.make([b"x"], 0, 0.0)
    assert bytes(packet.data[16:20]) == b"\x52\x00\x10\x28"
    stream.smooth(False)
    (packet,) = stream.make([b"x"], 0, 0.0)
    assert bytes(packet.data[16:20]) == b"\x52\x00\x00\x0a"
    outgoing({}).smooth(True)
    assert header_extensions.playout_delay(20, 4000) == b"\x00\x21\x90"


def test_the_audio_level_is_told() -> None:
    (packet,) = outgoing().make([b"x"], 0, 0.0, audio_level=33)
    assert leave(packet, 1, 0.0).extensions.audio_level == (False, 33)


def test_ids_above_14_need_the_long_form() -> None:
    ids = {**IDS, header_extensions.MID: 20}
    (packet,) = outgoing(ids).make([b"abc"], 0, 0.0)
    assert packet.data[12:14] == b"\x10\x00"
    packet.stamp(513, 0.0)
    parsed = read(bytes(packet.data), ids)
    assert parsed.extensions.transport_sequence_number == 513
    assert parsed.extensions.mid == "film"
    assert parsed.payload == b"abc"


def test_without_extensions_there_is_no_block() -> None:
    (packet,) = outgoing({}).make([b"abc"], 0, 0.0)
    assert packet.data[0] == 0x80 and packet.data[12:] == b"abc"
    unstamped = bytes(packet.data)
    packet.stamp(None, 0.0)
    assert unstamped == bytes(packet.data)


def test_a_lost_packet_goes_again_by_its_own_stream() -> None:
    stream = outgoing()
    first, second = stream.make([b"abc", b"defg"], 90, 0.0)
    leave(first, 1, 0.0), leave(second, 2, 0.0)
    resent = stream.again(32768, 0.05, 0.2)
    assert resent is not None
    parsed = leave(resent, 3, 0.2)
    assert (parsed.ssrc, parsed.payload_type, parsed.sequence_number) == (2222, 97, 100)
    assert parsed.extensions.transport_sequence_number == 3
    original = unwrap_rtx(parsed, 96, 1111)
    assert (original.sequence_number, original.payload, original.marker) == (32768, b"defg", 1)


def test_none_goes_twice_within_a_round_trip() -> None:
    stream = outgoing()
    (packet,) = stream.make([b"abc"], 0, 0.0)
    leave(packet, 1, 0.0)
    assert stream.again(32767, 0.1, 0.05) is None  # the first may still be on its way
    assert stream.again(32767, 0.1, 0.12) is not None
    assert stream.again(32767, 0.1, 0.15) is None
    assert stream.again(32767, 0.1, 0.25) is not None


def test_packets_are_remembered_for_two_seconds() -> None:
    stream = outgoing()
    stream.make([b"a"], 0, 0.0)
    for i in range(600):
        stream.make([b"b"], 0, i * HISTORY_S / 600)
    assert stream.again(32767, 0.1, HISTORY_S) is not None
    stream.make([b"c"], 0, HISTORY_S + 0.1)
    assert stream.again(32767, 0.1, 3.0) is None
    assert stream.again(5, 0.1, 3.0) is None


def test_without_a_stream_for_it_the_packet_itself_goes_again() -> None:
    stream = outgoing(again=None)
    (packet,) = stream.make([b"abc"], 0, 0.0)
    leave(packet, 1, 0.0)
    assert stream.again(32767, 0.05, 1.0) is packet
    assert stream.padding() is None


def test_padding_is_the_largest_of_the_newest_that_left() -> None:
    stream = outgoing()
    assert stream.padding() is None
    small, large, waiting = stream.make([b"a", b"b" * 900, b"c" * 1000], 0, 0.0)
    leave(small, 1, 0.0), leave(large, 2, 0.0)
    padding = stream.padding()
    assert padding is not None and padding.data.endswith(b"b" * 900)
    assert waiting.sent_s is None


def test_numbers_wrap() -> None:
    stream = Outgoing(FILM, AGAIN, IDS, (65535, 65535))
    first, second = stream.make([b"a", b"b"], 0, 0.0)
    assert (first.sequence_number, second.sequence_number) == (65535, 0)
    leave(first, 1, 0.0), leave(second, 2, 0.0)
    numbers = [p.sequence_number for p in (stream.padding(), stream.padding()) if p]
    assert numbers == [65535, 0]


@pytest.mark.parametrize(("orientation", "degrees"), [(0, 0), (1, 90), (2, 180), (3, 270), (9, 90)])
def test_orientation(orientation: int, degrees: int) -> None:
    assert header_extensions.clockwise_degrees(orientation) == degrees


def test_the_block_is_whole_words() -> None:
    block = header_extensions.Block({header_extensions.MID: 4}, "10")
    assert len(block.data) % 4 == 0
    assert unpack_header_extensions(0xBEDE, block.data[4:]) == [(4, b"10")]


def test_what_is_forgotten_is_not_sent_again() -> None:
    stream = outgoing()
    stream.make([b"old"], 0, 0.0)
    stream.forget()
    stream.make([b"new"], 3000, 0.1)
    assert stream.again(32767, 0.05, 1.0) is None
    assert stream.again(32768, 0.05, 1.0) is not None
