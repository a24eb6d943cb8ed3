"""A sender without a network: what it sends of a film, and when it restarts with a key frame."""

import asyncio
import fractions
import math
import time
from collections.abc import Iterable
from typing import Any

import av
import numpy as np
import pytest
from aiortc import MediaStreamTrack, RTCRtpCodecParameters
from aiortc.codecs import depayload
from aiortc.rtp import (
    AnyRtcpPacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRtpfbPacket,
    RtcpSrPacket,
    RtpPacket,
)

from gaze.rtc.codecs.encoder import VideoEncoder
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints
from gaze.rtc.congestion.transmitter import Transmitter
from gaze.rtc.rtp.jitter_buffer import is_key_frame
from gaze.rtc.streams.sender import Sender, audio_level
from tests.rtc.codecs.moving_texture import frame as textured

PATIENCE_S = 20.0
VP8 = RTCRtpCodecParameters("video/VP8", 90_000, payloadType=96)
RTX = RTCRtpCodecParameters("video/rtx", 90_000, payloadType=97, parameters={"apt": 96})


class Film(MediaStreamTrack):
    """A film that goes on at its own pace, or fails."""

    kind = "video"

    def __init__(self, *, fails: bool = False) -> None:
        super().__init__()
        self._index = 0
        self._fails = fails

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.005)
        if self._fails:
            raise RuntimeError("the film has burnt")
        self._index += 1
        return textured(self._index)


class Sending:
    """A sender, and what left."""

    def __init__(self) -> None:
        self.rtp: list[RtpPacket] = []
        self.rtcp: list[AnyRtcpPacket] = []
        self.transmitter = Transmitter(self._send, BitrateConstraints(200e3, 100e3, 1e6))
        self.sender = Sender("video", 1, 2, "name", self.transmitter, self._send_rtcp)

    def _send(self, data: bytearray) -> None:
        self.rtp.append(RtpPacket.parse(bytes(data)))

    def _send_rtcp(self, packets: Iterable[AnyRtcpPacket]) -> None:
        self.rtcp += packets

    async def close(self) -> None:
        await self.sender.stop()
        await self.transmitter.close()


async def test_what_waits_is_dropped_when_the_film_restarts_with_a_key_frame() -> None:
    """Of a film that is asked for a key frame, nothing else leaves next, nor is sent again."""
    sending = Sending()
    sender: Any = sending.sender
    encoder = sender.encoder = VideoEncoder("VP8", 200e3, 1_000_000)
    sender.track = Film()
    begun = asyncio.Event()
    made = left = 0

    def request_key_frame() -> None:
        nonlocal made, left
        made, left = sender.outgoing.packets, len(sending.rtp)
        assert left < made and encoder.key_frames == 1
        assert sender._key_frame_arrives_s > -math.inf
        sender._key_frame_arrives_s = -math.inf  # the first key frame has arrived
        number = sending.rtp[0].sequence_number
        sender.on_feedback(RtcpPsfbPacket(fmt=1, ssrc=9, media_ssrc=1))
        sender.on_feedback(RtcpRtpfbPacket(1, 9, 1, [number + n for n in range(3)]))
        begun.set()

    enqueue = sending.transmitter.enqueue

    def enqueue_and_request_key_frame(*packets: Any) -> bool:
        taken = enqueue(*packets)
        if not begun.is_set() and sending.transmitter.queue_time_s:
            asyncio.get_running_loop().call_soon(request_key_frame)
        return taken

    sending.transmitter.enqueue = enqueue_and_request_key_frame  # type: ignore[assignment, method-assign]
    sender.start([VP8, RTX], [], "0")
    async with asyncio.timeout(PATIENCE_S):
        await begun.wait()
        while len(sending.rtp) < left + 5:
            await asyncio.sleep(0.001)
    assert encoder.key_frames == 2
    assert {packet.ssrc for packet in sending.rtp} == {1}
    first = sending.rtp[left]
    assert first.sequence_number == (sending.rtp[0].sequence_number + made) & 0xFFFF
    assert is_key_frame("VP8", depayload(VP8, first.payload))
    await sending.close()
    assert sender.track is None


async def test_a_key_frame_that_is_asked_for_while_one_is_on_its_way_is_not_made() -> None:
    sender: Any = Sending().sender
    picture_lost = RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=1)
    sender.on_feedback(picture_lost)
    assert sender._force_key_frame
    sender._force_key_frame = False
    sender._key_frame_arrives_s = time.monotonic() + 60
    sender.on_feedback(picture_lost)
    assert not sender._force_key_frame


async def test_a_missed_packet_is_sent_again_in_its_own_stream() -> None:
    sending = Sending()
    sender = sending.sender
    sender.encoder, sender.track = VideoEncoder("VP8", 200e3, 1_000_000), Film()
    sender.start([VP8, RTX], [], "0")
    async with asyncio.timeout(PATIENCE_S):
        while not sending.rtp:
            await asyncio.sleep(0.001)
        number = sending.rtp[0].sequence_number
        await asyncio.sleep(0.15)  # longer than a round trip: one on its way is not sent again
        sender.on_feedback(RtcpRtpfbPacket(1, 9, 1, [number]))
        while not (repeats := [packet for packet in sending.rtp if packet.ssrc == 2]):
            await asyncio.sleep(0.001)
    assert repeats[0].payload_type == 97
    assert int.from_bytes(repeats[0].payload[:2]) == number
    await sending.close()


async def test_reports_give_the_round_trip_time_and_the_loss() -> None:
    sending = Sending()
    sender = sending.sender
    losses: list[float] = []
    sender.on_loss = losses.append
    sender.encoder, sender.track = VideoEncoder("VP8", 200e3, 1_000_000), Film()
    sender.start([VP8], [], "0")
    async with asyncio.timeout(PATIENCE_S):
        while not sending.rtcp:
            await asyncio.sleep(0.01)
    report = sending.rtcp[0]
    assert isinstance(report, RtcpSrPacket) and report.ssrc == 1
    lsr = report.sender_info.ntp_timestamp >> 16 & 0xFFFFFFFF
    assert sender._reported is not None
    sent_s = sender._reported[1]
    sender.on_report(RtcpReceiverInfo(1, 64, 0, 0, 0, lsr, 65_536), sent_s + 1.2)
    assert losses == [0.25]
    assert sender.round_trip_s == pytest.approx(0.2, abs=1e-3)
    sender.on_report(RtcpReceiverInfo(1, 0, 0, 0, 0, lsr + 1, 65_536), sent_s + 5)  # of another
    assert sender.round_trip_s == pytest.approx(0.2, abs=1e-3)
    sender.on_report(RtcpReceiverInfo(1, 0, 0, 0, 0, lsr, 65_536), sent_s + 2.2)
    assert sender.round_trip_s == pytest.approx(0.2 + 0.15 * 1.0, abs=1e-3)
    await sending.close()


async def test_a_track_that_fails_unexpectedly_fails_its_stream_once(
    caplog: pytest.LogCaptureFixture,
) -> None:
    sending = Sending()
    failed = asyncio.Event()
    sending.sender.on_failed = failed.set
    sending.sender.track = Film(fails=True)
    sending.sender.start([VP8], [], "0")
    await asyncio.wait_for(failed.wait(), PATIENCE_S)
    assert caplog.text.count("could not be sent any further") == 1
    assert "the film has burnt" in caplog.text
    await sending.close()


def test_sounds_have_levels() -> None:
    frame = av.AudioFrame("s16", "stereo", 960)
    frame.sample_rate, frame.pts, frame.time_base = 48_000, 0, fractions.Fraction(1, 48_000)
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    assert audio_level(frame) == 127
    loud = np.full(frame.planes[0].buffer_size // 2, 32767, np.int16)
    frame.planes[0].update(loud.tobytes())
    assert audio_level(frame) == 0
    frame.planes[0].update((loud // 10).tobytes())
    assert audio_level(frame) == 20
