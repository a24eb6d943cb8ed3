"""Packets of a stream and their retransmissions, read back by aiortc's parser."""

from aiortc.rtcrtpparameters import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import HeaderExtensionsMap, RtpPacket, unwrap_rtx

from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.packet_history import HISTORY_S, Packet, PacketHistory, StreamIdentity

IDS = {
    header_extensions.MID: 9,
    header_extensions.TRANSPORT_SEQUENCE_NUMBER: 3,
    header_extensions.ABSOLUTE_SEND_TIME: 2,
    header_extensions.AUDIO_LEVEL: 1,
    header_extensions.PLAYOUT_DELAY: 5,
}
FILM = StreamIdentity(1111, 96, "film")
RETRANSMISSION = StreamIdentity(2222, 97, "film")


def history(
    ids: dict[str, int] | None = None, retransmission: StreamIdentity | None = RETRANSMISSION
) -> PacketHistory:
    return PacketHistory(FILM, retransmission, IDS if ids is None else ids, (32767, 100))


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


def test_the_last_packet_of_a_frame_has_the_marker_bit() -> None:
    stream = history()
    first, second = stream.make_packets([b"abc", b"defg"], 4_000_000_000, 10.0)
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


def test_the_playout_delay_is_0_to_100_ms_or_smooth() -> None:
    (packet,) = history({header_extensions.PLAYOUT_DELAY: 5}).make_packets([b"x"], 0, 0.0)
    assert bytes(packet.data[12:20]) == b"\xbe\xde\x00\x01\x52\x00\x00\x0a"
    stream = history({header_extensions.PLAYOUT_DELAY: 5})
    stream.set_smooth_playout(True)
    (packet,) = stream.make_packets([b"x"], 0, 0.0)
    assert bytes(packet.data[16:20]) == b"\x52\x00\x10\x28"
    stream.set_smooth_playout(False)
    (packet,) = stream.make_packets([b"x"], 0, 0.0)
    assert bytes(packet.data[16:20]) == b"\x52\x00\x00\x0a"
    history({}).set_smooth_playout(True)


def test_the_audio_level_is_sent() -> None:
    (packet,) = history().make_packets([b"x"], 0, 0.0, audio_level=33)
    assert leave(packet, 1, 0.0).extensions.audio_level == (False, 33)


def test_ids_above_14_need_two_byte_headers() -> None:
    ids = {**IDS, header_extensions.MID: 20}
    (packet,) = history(ids).make_packets([b"abc"], 0, 0.0)
    assert packet.data[12:14] == b"\x10\x00"
    packet.stamp(513, 0.0)
    parsed = read(bytes(packet.data), ids)
    assert parsed.extensions.transport_sequence_number == 513
    assert parsed.extensions.mid == "film"
    assert parsed.payload == b"abc"


def test_without_extensions_there_is_no_extension_block() -> None:
    (packet,) = history({}).make_packets([b"abc"], 0, 0.0)
    assert packet.data[0] == 0x80 and packet.data[12:] == b"abc"
    unstamped = bytes(packet.data)
    packet.stamp(None, 0.0)
    assert unstamped == bytes(packet.data)


def test_a_lost_packet_is_retransmitted_by_the_stream_for_it() -> None:
    stream = history()
    first, second = stream.make_packets([b"abc", b"defg"], 90, 0.0)
    leave(first, 1, 0.0), leave(second, 2, 0.0)
    resent = stream.retransmission(32768, 0.05, 0.2)
    assert resent is not None
    parsed = leave(resent, 3, 0.2)
    assert (parsed.ssrc, parsed.payload_type, parsed.sequence_number) == (2222, 97, 100)
    assert parsed.extensions.transport_sequence_number == 3
    original = unwrap_rtx(parsed, 96, 1111)
    assert (original.sequence_number, original.payload, original.marker) == (32768, b"defg", 1)


def test_a_packet_is_retransmitted_once_per_round_trip() -> None:
    stream = history()
    (packet,) = stream.make_packets([b"abc"], 0, 0.0)
    leave(packet, 1, 0.0)
    assert stream.retransmission(32767, 0.1, 0.05) is None  # the first may still be on its way
    assert stream.retransmission(32767, 0.1, 0.12) is not None
    assert stream.retransmission(32767, 0.1, 0.15) is None
    assert stream.retransmission(32767, 0.1, 0.25) is not None


def test_packets_are_kept_for_two_seconds() -> None:
    stream = history()
    stream.make_packets([b"a"], 0, 0.0)
    for i in range(600):
        stream.make_packets([b"b"], 0, i * HISTORY_S / 600)
    assert stream.retransmission(32767, 0.1, HISTORY_S) is not None
    stream.make_packets([b"c"], 0, HISTORY_S + 0.1)
    assert stream.retransmission(32767, 0.1, 3.0) is None
    assert stream.retransmission(5, 0.1, 3.0) is None


def test_without_a_retransmission_stream_the_packet_itself_is_sent_again() -> None:
    stream = history(retransmission=None)
    (packet,) = stream.make_packets([b"abc"], 0, 0.0)
    leave(packet, 1, 0.0)
    assert stream.retransmission(32767, 0.05, 1.0) is packet
    assert stream.padding() is None


def test_padding_is_the_largest_of_the_newest_that_left() -> None:
    stream = history()
    assert stream.padding() is None
    small, large, waiting = stream.make_packets([b"a", b"b" * 900, b"c" * 1000], 0, 0.0)
    leave(small, 1, 0.0), leave(large, 2, 0.0)
    padding = stream.padding()
    assert padding is not None and padding.data.endswith(b"b" * 900)
    assert waiting.sent_s is None


def test_sequence_numbers_wrap() -> None:
    stream = PacketHistory(FILM, RETRANSMISSION, IDS, (65535, 65535))
    first, second = stream.make_packets([b"a", b"b"], 0, 0.0)
    assert (first.sequence_number, second.sequence_number) == (65535, 0)
    leave(first, 1, 0.0), leave(second, 2, 0.0)
    numbers = [p.sequence_number for p in (stream.padding(), stream.padding()) if p]
    assert numbers == [65535, 0]


def test_cleared_packets_are_not_retransmitted() -> None:
    stream = history()
    stream.make_packets([b"old"], 0, 0.0)
    stream.clear()
    stream.make_packets([b"new"], 3000, 0.1)
    assert stream.retransmission(32767, 0.05, 1.0) is None
    assert stream.retransmission(32768, 0.05, 1.0) is not None
