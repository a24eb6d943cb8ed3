"""RTP and RTCP as they come from the network, well-formed and mutated."""

import random
from typing import Any

import pytest
from aiortc import RTCRtpHeaderExtensionParameters, RTCRtpParameters
from aiortc.rtp import (
    HeaderExtensionsMap,
    RtcpByePacket,
    RtcpRrPacket,
    RtpPacket,
    pack_header_extensions,
)

from gaze.rtc.aiortc_ext.packets import (
    ExtensionReader,
    Extensions,
    MalformedPacketError,
    encoded_of,
    parse_rtcp,
    parse_rtp,
    set_encoded,
)
from gaze.rtc.congestion import twcc
from gaze.rtc.rtp import header_extensions

NEGOTIATED = [
    RTCRtpHeaderExtensionParameters(id=2, uri=header_extensions.ABSOLUTE_SEND_TIME),
    RTCRtpHeaderExtensionParameters(id=3, uri=twcc.EXTENSION_URI),
    RTCRtpHeaderExtensionParameters(id=4, uri=header_extensions.MID),
    RTCRtpHeaderExtensionParameters(id=5, uri="urn:unknown"),
    RTCRtpHeaderExtensionParameters(id=13, uri=header_extensions.VIDEO_ORIENTATION),
]


@pytest.fixture
def reader() -> ExtensionReader:
    made = ExtensionReader()
    made.accept(NEGOTIATED)
    return made


def stock_map() -> HeaderExtensionsMap:
    made = HeaderExtensionsMap()
    made.configure(RTCRtpParameters(headerExtensions=NEGOTIATED))
    return made


def packet(**values: int) -> RtpPacket:
    made = RtpPacket(96, 1, 7, 90_000, 1234, b"payload")
    made.extensions.mid = "0"
    for name, value in values.items():
        setattr(made.extensions, name, value)
    return made


def test_a_packet_is_read_as_aiortc_reads_it(reader: ExtensionReader) -> None:
    for csrc in ([], [5, 6]):
        for padding in (0, 4):
            for values in ({}, {"abs_send_time": 77, "transport_sequence_number": 9}):
                sent = packet(**values)
                sent.csrc, sent.padding_size = csrc, padding
                data = sent.serialize(stock_map())
                theirs, ours = RtpPacket.parse(data, stock_map()), parse_rtp(data, reader)
                assert vars(ours) | {"extensions": None} == vars(theirs) | {"extensions": None}
                for name in ("mid", "abs_send_time", "transport_sequence_number"):
                    assert getattr(ours.extensions, name) == getattr(theirs.extensions, name)


def test_a_packet_without_extensions_has_none(reader: ExtensionReader) -> None:
    extensions: Any = parse_rtp(RtpPacket(96).serialize(), reader).extensions
    assert extensions == Extensions()


def test_the_orientation_is_read_beside_what_aiortc_knows(reader: ExtensionReader) -> None:
    assert reader.read(*pack_header_extensions([(4, b"0"), (13, b"\x03")])) == Extensions(
        mid="0", video_orientation=3
    )
    two_byte = pack_header_extensions([(4, b"0" * 17), (5, b"?" * 20), (13, b"\x01")])
    assert two_byte[0] == 0x1000
    assert reader.read(*two_byte) == Extensions(mid="0" * 17, video_orientation=1)
    assert reader.read(0x9999, b"\x40anything") == Extensions()


@pytest.mark.parametrize(
    ("extensions", "message"),
    [
        ([(2, b"\0\0")], "abs_send_time has 2 bytes"),
        ([(3, b"\0" * 16)], "transport_sequence_number has 16 bytes"),
        ([(4, b"\xff\xfe")], "mid"),
        ([(13, b"\0\0")], "video_orientation has 2 bytes"),
    ],
)
def test_an_extension_of_the_wrong_length_is_malformed(
    reader: ExtensionReader, extensions: list[tuple[int, bytes]], message: str
) -> None:
    with pytest.raises(MalformedPacketError, match=message):
        reader.read(*pack_header_extensions(extensions))


@pytest.mark.parametrize(("profile", "block"), [(0xBEDE, b"\x4f0"), (0x1000, b"\x04\x09mid")])
def test_a_truncated_extension_is_malformed(
    reader: ExtensionReader, profile: int, block: bytes
) -> None:
    with pytest.raises(MalformedPacketError, match="truncated"):
        reader.read(profile, block)


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"\x80" + bytes(10), "12 bytes or more"),
        (b"\x40" + bytes(11), "version 2"),
        (b"\x82" + bytes(15), "truncated"),
        (b"\x90" + bytes(13), "truncated"),
        (b"\x90" + bytes(11) + b"\xbe\xde\x00\x09", "truncated"),
        (b"\xa0" + bytes(12), "counts at least itself"),
        (b"\xa0" + bytes(11) + b"\x63", "truncated"),
    ],
)
def test_a_malformed_packet_is_refused(reader: ExtensionReader, data: bytes, message: str) -> None:
    with pytest.raises(MalformedPacketError, match=message):
        parse_rtp(data, reader)


def test_mutated_packets_are_read_or_malformed(reader: ExtensionReader) -> None:
    """Nothing but MalformedPacketError: any other error would be a traceback per packet."""
    chance = random.Random(13)
    good = packet(abs_send_time=1, transport_sequence_number=2).serialize(stock_map())
    outcomes = set()
    for _ in range(20_000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 6)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            read = parse_rtp(bytes(data[: chance.randint(1, len(data))]), reader)
        except MalformedPacketError:
            outcomes.add("malformed")
        else:
            outcomes.add("read")
            number = read.extensions.transport_sequence_number
            assert number is None or 0 <= number <= 0xFFFF
    assert outcomes == {"read", "malformed"}


def test_mutated_rtcp_is_read_or_malformed() -> None:
    chance = random.Random(13)
    good = bytes(RtcpRrPacket(ssrc=1)) + bytes(RtcpByePacket(sources=[1]))
    assert len(parse_rtcp(good)) == 2
    malformed = 0
    for _ in range(20_000):
        data = bytearray(good)
        for _ in range(chance.randint(1, 4)):
            data[chance.randrange(len(data))] = chance.randrange(256)
        try:
            parse_rtcp(bytes(data))
        except MalformedPacketError:
            malformed += 1
    assert malformed


def test_encoded_media_is_attached_to_its_packet() -> None:
    made = packet()
    set_encoded(made, b"encoded")
    assert encoded_of(made) == b"encoded"
