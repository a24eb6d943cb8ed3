"""Receivers without a network: what they send back for the packets they are given."""

import asyncio
from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import av
import pytest
from aiortc import RTCRtpCodecParameters
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtp import (
    RTCP_PSFB_APP,
    RTCP_PSFB_PLI,
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtpPacket,
    wrap_rtx,
)

from gaze.frames.latest import LatestValue
from gaze.rtc.aiortc_ext.packets import Extensions, MalformedPacketError
from gaze.rtc.streams.receiver import MAX_REPORT_BLOCKS, VideoReceiver

PATIENCE_S = 20.0
VP8 = RTCRtpCodecParameters("video/VP8", 90_000, payloadType=96)
RTX = RTCRtpCodecParameters("video/rtx", 90_000, payloadType=97, parameters={"apt": 96})
KEY = b"\x00" + bytes(50)


class Receiving:
    """A video receiver, what it sends back, and its frames."""

    def __init__(self, *, remb: bool = False) -> None:
        self.sent: list[AnyRtcpPacket] = []
        self.frames: list[Any] = []
        self.receiver = VideoReceiver(
            [VP8, RTX], {2: 1}, 9, self._send, LatestValue(), on_card=False, remb=remb
        )
        self.receiver.on_frame = lambda codec, frame: self.frames.append(frame)

    def _send(self, packets: Iterable[AnyRtcpPacket]) -> None:
        made = list(packets)
        assert len(b"".join(map(bytes, made))) < 1200
        self.sent += made

    def packet(self, number: int, data: bytes = KEY, **values: Any) -> RtpPacket:
        (payload,) = Vp8Encoder._packetize(data, 1)
        made = RtpPacket(96, 1, number, 3000 * number, 1, payload)
        made.extensions = Extensions(**values)  # type: ignore[assignment]
        return made

    def take(self, packet: RtpPacket, at_s: float = 0.0) -> None:
        self.receiver.take(packet, at_s)


async def test_a_missing_packet_is_asked_for_and_its_retransmission_completes_the_frames() -> None:
    receiving = Receiving()
    receiving.take(receiving.packet(1))
    receiving.take(receiving.packet(3))
    (nack,) = receiving.sent
    assert isinstance(nack, RtcpRtpfbPacket)
    assert (nack.ssrc, nack.media_ssrc, nack.lost) == (9, 1, [2])
    assert len(receiving.frames) == 1
    receiving.take(wrap_rtx(receiving.packet(2), 97, 500, 2))
    receiving.take(receiving.packet(4))
    assert [frame.timestamp for frame in receiving.frames] == [0, 3000, 6000]
    assert (receiving.receiver.packets, receiving.receiver.lost) == (4, 1)


async def test_a_retransmission_of_an_unknown_stream_is_passed_over() -> None:
    receiving = Receiving()
    receiving.take(wrap_rtx(receiving.packet(2), 97, 500, 3))
    assert receiving.frames == [] and receiving.receiver.rtp_time(0) is None


async def test_a_key_frame_is_asked_for_at_the_next_packet_when_the_decoder_wants_one() -> None:
    receiving = Receiving()
    receiving.take(receiving.packet(1))
    receiving.receiver.key_frame_wanted = True
    receiving.take(receiving.packet(2))
    receiving.take(receiving.packet(3))
    (pli,) = receiving.sent
    assert isinstance(pli, RtcpPsfbPacket) and (pli.fmt, pli.media_ssrc) == (RTCP_PSFB_PLI, 1)


@pytest.mark.parametrize("payload", [b"\x90", b"\x80\x80"])
async def test_a_malformed_payload_descriptor_is_refused(payload: bytes) -> None:
    receiving = Receiving()
    malformed = receiving.packet(1)
    malformed.payload = payload
    with pytest.raises(MalformedPacketError, match="VP8"):
        receiving.take(malformed)


async def test_a_report_on_more_than_40_ssrcs_is_split_and_stopping_ends() -> None:
    """RFC 3550 has room for 31 blocks a packet; one with more could not be sent, nor awaited."""
    receiving = Receiving()
    for ssrc in range(100, 145):
        packet = receiving.packet(1)
        packet.ssrc = ssrc
        receiving.take(packet)
    receiving.sent.clear()
    receiving.receiver.start()
    receiving.receiver.report()
    assert all(isinstance(packet, RtcpRrPacket) for packet in receiving.sent)
    reports: list[Any] = receiving.sent
    assert [len(report.reports) for report in reports] == [MAX_REPORT_BLOCKS, 14]
    assert {block.ssrc for report in reports for block in report.reports} == set(range(100, 145))
    async with asyncio.timeout(PATIENCE_S):
        await receiving.receiver.stop()
    receiving.receiver.forget(100)
    receiving.sent.clear()
    receiving.receiver.report()
    assert [len(report.reports) for report in reports] == [MAX_REPORT_BLOCKS, 13]


async def test_remb_is_sent_only_where_it_is_wanted() -> None:
    for remb in (True, False):
        receiving = Receiving(remb=remb)
        for number in range(800):
            sent = (number << 18) // 100 & 0xFFFFFF
            receiving.take(receiving.packet(number, abs_send_time=sent), number / 100)
        rembs = [
            packet
            for packet in receiving.sent
            if isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP
        ]
        assert bool(rembs) is remb


async def test_frames_are_decoded_into_the_slot() -> None:
    slot: LatestValue[av.VideoFrame] = LatestValue()
    receiver = VideoReceiver([VP8], {}, 9, lambda packets: None, slot, on_card=False, remb=False)
    encoder = av.CodecContext.create("libvpx", "w")
    encoder.width, encoder.height, encoder.pix_fmt = 64, 48, "yuv420p"
    encoder.options = {"lag-in-frames": "0", "deadline": "realtime"}
    encoder.time_base = Fraction(1, 30)
    picture = av.VideoFrame(64, 48, "yuv420p")
    picture.pts = 0
    (encoded,) = encoder.encode(picture)
    receiver.start()
    for index, payload in enumerate(payloads := Vp8Encoder._packetize(bytes(encoded), 1)):
        packet = RtpPacket(96, index == len(payloads) - 1, 7 + index, 500, 1, payload)
        packet.extensions = Extensions()  # type: ignore[assignment]
        receiver.take(packet, 0.0)
    frame = await asyncio.wait_for(slot.get(), PATIENCE_S)
    assert (frame.width, frame.height, frame.pts) == (64, 48, 0)
    assert receiver.rtp_time(0) == (1, 500, 90_000)
    await receiver.stop()
