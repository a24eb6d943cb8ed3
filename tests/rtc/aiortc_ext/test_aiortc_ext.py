"""What gaze.rtc.aiortc_ext relies on; an upgrade of aiortc or aioice that breaks it fails here."""

import asyncio
import fractions
import inspect
import math
import threading
import time
import types
from importlib.metadata import version
from typing import Any

import aioice
import av
import numpy as np
import pylibsrtp
import pytest
from aioice.ice import StunProtocol
from aiortc import MediaStreamTrack, RTCIceTransport, RTCRtpReceiver, RTCRtpSender
from aiortc.codecs import depayload
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcdtlstransport import RTCDtlsTransport, RtpRouter
from aiortc.rtcpeerconnection import RTCPeerConnection
from aiortc.rtcrtpparameters import (
    RTCRtpCodecParameters,
    RTCRtpHeaderExtensionParameters,
    RTCRtpParameters,
)
from aiortc.rtp import (
    HeaderExtensionsMap,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpReceiverInfo,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSenderInfo,
    RtcpSrPacket,
    RtpPacket,
    pack_header_extensions,
    pack_remb_fci,
)
from pylibsrtp import Policy, Session

from gaze.frames.latest import LatestValue, LatestValueClosed
from gaze.frames.metadata import metadata_of
from gaze.rtc import aiortc_ext
from gaze.rtc.aiortc_ext.packets import MAX_PACKET_BYTES, protect
from gaze.rtc.aiortc_ext.receiver import ENCODED_WAITING, DecoderQueue, Receiver, SlotEnd
from gaze.rtc.aiortc_ext.router import Router
from gaze.rtc.aiortc_ext.sender import audio_level
from gaze.rtc.codecs.encoder import VideoEncoder
from gaze.rtc.congestion.bandwidth_estimator import Range
from gaze.rtc.congestion.transmitter import Transmitter
from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.jitter_buffer import EncodedFrame, is_key_frame
from gaze.rtc.rtp.packet_history import Identity, Outgoing
from gaze.rtc.rtp.sender_report_clock import SenderClock
from tests.rtc.codecs.test_encoder import frame as textured


def test_the_installed_versions_are_those_it_was_written_for() -> None:
    assert {name: version(name) for name in aiortc_ext.VERSIONS} == aiortc_ext.VERSIONS


def test_another_version_is_refused_with_advice() -> None:
    with pytest.raises(
        RuntimeError, match=r"relies on private parts of aiortc 1\.16\.0, but 1\.99"
    ):
        aiortc_ext.check_versions(aiortc_ext.VERSIONS | {"aiortc": "1.99"})


def test_its_own_encryption_is_pylibsrtps() -> None:
    policy = Policy(key=bytes(range(30)), ssrc_type=Policy.SSRC_ANY_OUTBOUND)
    theirs, ours = Session(policy), Session(policy)
    for number in range(1, 4):
        packet = RtpPacket(96, 1, number, payload=bytes(100 * number)).serialize()
        assert protect(ours, bytearray(packet)) == theirs.protect(packet)
    with pytest.raises(pylibsrtp.Error):
        protect(ours, bytearray(b"none"))
    longest = bytearray(RtpPacket(96, 1, 4, payload=bytes(MAX_PACKET_BYTES - 12)).serialize())
    assert len(protect(ours, longest)) > len(longest)
    with pytest.raises(ValueError, match="too long"):
        protect(ours, longest + b"!")


def test_the_methods_it_replaces_are_there_and_are_called() -> None:
    """A renamed private method would leave a replacement that nobody calls."""
    for owner, name, caller in [
        (RTCPeerConnection, "_RTCPeerConnection__createDtlsTransport", "createDataChannel"),
        (RTCPeerConnection, "_RTCPeerConnection__createSctpTransport", "createDataChannel"),
        (RTCPeerConnection, "_RTCPeerConnection__createTransceiver", "addTransceiver"),
        (RTCPeerConnection, "_RTCPeerConnection__connect", "setLocalDescription"),
        (RTCRtpReceiver, "_RTCRtpReceiver__stop_decoder", "stop"),
        (RTCRtpSender, "_run_rtp", "send"),
        (RTCRtpSender, "_run_rtcp", "send"),
        (RTCDtlsTransport, "_handle_rtcp_data", "_recv_next"),
        (RtpRouter, "route_rtp", None),
        (RtpRouter, "route_rtcp", None),
        (RTCDtlsTransport, "_recv_next", "_do_handshake"),
        (RTCDtlsTransport, "_send_rtp", None),
        (RTCIceTransport, "_monitor", "start"),
        (aioice.Connection, "query_consent", "connect"),
        (aioice.Connection, "get_component_candidates", "gather_candidates"),
        (aioice.Connection, "check_complete", "check_start"),
        (aioice.Connection, "data_received", None),
        (StunProtocol, "send_stun", None),
    ]:
        assert callable(getattr(owner, name)), name
        if name == "_RTCPeerConnection__createDtlsTransport":
            continue  # through __createSctpTransport
        if caller is not None:
            short = name.split("__")[-1]
            assert f"{short}(" in inspect.getsource(getattr(owner, caller)), name
    assert "self._rtp_router.route_rtp(" in inspect.getsource(RTCDtlsTransport)
    assert "self._rtp_router.route_rtcp(" in inspect.getsource(RTCDtlsTransport)


async def test_the_attributes_it_sets_are_those_that_aiortc_uses() -> None:
    connection = aiortc_ext.PeerConnection([])
    video = connection.addTransceiver("video")
    receiver = vars(video.receiver)
    for name in (
        "decoder_error",
        "decoder_queue",
        "decoder_thread",
        "jitter_buffer",
        "nack_generator",
        "remote_bitrate_estimator",
        "remote_streams",
        "rtx_ssrc",
    ):
        assert f"_RTCRtpReceiver__{name}" in receiver
    sender = vars(video.sender)
    for name in (
        "cname",
        "encoder",
        "force_keyframe",
        "lsr",
        "lsr_time",
        "rtcp_exited",
        "rtcp_started",
        "rtp_exited",
        "rtp_started",
        "rtt",
        "track",
    ):
        assert f"_RTCRtpSender__{name}" in sender
    assert "recipient._handle_rtcp_packet(packet)" in inspect.getsource(RTCDtlsTransport)
    assert "self.__nack_generator.add(packet)" in inspect.getsource(RTCRtpReceiver)
    assert "sorted(self.__nack_generator.missing)" in inspect.getsource(RTCRtpReceiver)
    assert "if self.__remote_bitrate_estimator is not None" in inspect.getsource(RTCRtpReceiver)
    assert "self._track._queue" in inspect.getsource(RTCRtpReceiver.receive)
    await connection.close()


async def test_no_server_is_asked_unless_given() -> None:
    connection = aiortc_ext.PeerConnection([])
    transceiver = connection.addTransceiver("video")
    ice = transceiver.receiver.transport.transport._connection
    assert ice.stun_server is None and ice.turn_server is None
    await connection.close()


def test_packetizers() -> None:
    (payload,) = aiortc_ext.packetize_vp8(b"\x00" * 10, picture_id=5)
    assert payload.endswith(b"\x00" * 10)
    assert len(aiortc_ext.packetize_vp8(b"\x00" * 3000, picture_id=5)) == 3
    assert aiortc_ext.packetize_h264(b"\0\0\0\1\x65\x88\x80") == [b"\x65\x88\x80"]
    assert Vp8Encoder._packetize and H264Encoder._split_bitstream


class Reports:
    """A connection's router with one sender, and what was reported of it."""

    def __init__(self) -> None:
        self.heard: list[aiortc_ext.Report] = []
        self.router = Router()
        self.router.on_report[77] = self.heard.append


def test_loss_and_estimates_reach_the_sender_they_are_about() -> None:
    reports = Reports()
    reception = RtcpReceiverInfo(77, 64, 0, 0, 0, 0, 0)
    other = RtcpReceiverInfo(78, 255, 0, 0, 0, 0, 0)
    reports.router.route_rtcp(RtcpRrPacket(ssrc=1, reports=[reception, other]))
    remb = RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=pack_remb_fci(1_000_000, [77]))
    reports.router.route_rtcp(remb)
    reports.router.route_rtcp(RtcpPsfbPacket(fmt=15, ssrc=1, media_ssrc=0, fci=b"nonsense"))
    loss, estimate = reports.heard
    assert loss == aiortc_ext.Report(loss=0.25, remb_bps=None)
    assert estimate.loss is None
    assert estimate.remb_bps == pytest.approx(1_000_000, rel=1e-4)


async def test_packets_find_their_receiver_by_mid_and_retransmissions_by_their_ssrc() -> None:
    connection = aiortc_ext.PeerConnection([])
    first = connection.addTransceiver("video").receiver
    second = connection.addTransceiver("video").receiver
    vars(second)["_RTCRtpReceiver__rtx_ssrc"][4321] = 1234
    router = Router()
    router.register_receiver(first, ssrcs=[1], payload_types=[96, 97], mid="0")
    router.register_receiver(second, ssrcs=[1234], payload_types=[96, 97], mid="1")
    assert router.route_rtp(RtpPacket(payload_type=97, ssrc=4321)) is second
    assert router.route_rtp(RtpPacket(payload_type=96, ssrc=5)) is None
    named = RtpPacket(payload_type=96, ssrc=5)
    named.extensions.mid = "0"
    assert router.route_rtp(named) is first
    assert router.route_rtp(RtpPacket(payload_type=96, ssrc=5, payload=b"abc")) is first
    assert router.received[first] == aiortc_ext.Counter(packets=2, bytes=3)
    await connection.close()


def test_a_stream_that_rests_is_not_ended() -> None:
    router = Router()
    router.ssrc_table[9] = object()  # type: ignore[assignment]
    assert router.route_rtcp(RtcpByePacket(sources=[9])) == set()


VP8 = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90000)


class Decoded:
    """A decoder that only remembers what it was given."""

    def __init__(self) -> None:
        self.given: list[bytes] = []

    def decode(self, codec: str, data: bytes, timestamp: int) -> list[av.VideoFrame]:
        self.given.append(data)
        if data == b"broken":
            raise av.InvalidDataError(1, "broken")
        return [av.VideoFrame(16, 32, "yuv420p")]


async def test_a_decoder_that_lags_begins_again_at_a_key_frame() -> None:
    asked: list[bool] = []
    decoder: Any = Decoded()
    queue = DecoderQueue(decoder, LatestValue(), lambda: asked.append(True))
    key, delta = EncodedFrame(b"\x00", 0), EncodedFrame(b"\x01", 0)
    for frame in [key, *[delta] * (ENCODED_WAITING - 1)]:
        queue.put((VP8, frame))
    assert (queue.qsize(), queue.dropped, asked) == (15, 0, [])
    for _ in range(16):
        queue.put((VP8, delta))
    assert (queue.qsize(), queue.dropped, asked) == (0, 31, [True, True])
    queue.put((VP8, key))
    queue.put((VP8, delta))
    queue.put(None)
    assert queue.get() is None
    assert decoder.given == [b"\x00", b"\x01"]


async def test_a_frame_that_cannot_be_decoded_lets_a_key_frame_be_asked_for() -> None:
    asked: list[bool] = []
    slot: LatestValue[av.VideoFrame] = LatestValue()
    decoder: Any = Decoded()
    queue = DecoderQueue(decoder, slot, lambda: asked.append(True))
    for data in (b"\x00", b"broken", b"\x00"):
        queue.put((VP8, EncodedFrame(data, 0)))
    queue.put(None)
    assert queue.get() is None
    assert asked == [True]
    assert metadata_of(await slot.get()).encoded_bytes == 1
    assert slot.received == 2


def sound(index: int) -> av.AudioFrame:
    frame = av.AudioFrame("s16", "stereo", 960)
    frame.sample_rate, frame.pts, frame.time_base = 48000, index, fractions.Fraction(1, 48000)
    return frame


async def test_sound_waits_for_200_ms_at_most() -> None:
    queue = aiortc_ext.AudioQueue()
    for index in range(25):
        await queue.put(sound(index))
    assert (queue.received, queue.dropped) == (25, 15)
    taken = [await queue.get() for _ in range(10)]
    assert [frame.pts for frame in taken if frame] == list(range(15, 25))
    waiting = asyncio.create_task(queue.get())
    await asyncio.sleep(0)
    await queue.put(sound(25))
    frame = await waiting
    assert frame is not None and frame.pts == 25
    await queue.put(None)
    assert await queue.get() is None
    assert await queue.get() is None


async def test_a_decoder_thread_is_joined_off_the_loop() -> None:
    """The thread ends only once the loop lets it, so waiting on the loop would be in vain."""
    connection = aiortc_ext.PeerConnection([])
    receiver = connection.addTransceiver("video").receiver
    assert isinstance(receiver, Receiver)
    may_end = threading.Event()
    outcome: list[bool] = []
    thread = threading.Thread(target=lambda: outcome.append(may_end.wait(10)))
    thread.start()
    vars(receiver)["_RTCRtpReceiver__decoder_thread"] = thread
    receiver._handle_disconnect()
    asyncio.get_running_loop().call_later(0.01, may_end.set)
    await receiver.stop()
    assert outcome == [True]
    assert not thread.is_alive()
    await connection.close()


async def test_frames_go_into_the_slot_upright_and_the_end_closes_it() -> None:
    slot: LatestValue[av.VideoFrame] = LatestValue()
    decoder: Any = Decoded()
    queue = DecoderQueue(decoder, slot, lambda: None)
    for clockwise, size in [(90, (32, 16)), (0, (16, 32))]:
        queue.put((VP8, EncodedFrame(b"\x00", 0, clockwise)))
        queue.put(None)
        assert queue.get() is None
        frame = await slot.get()
        assert (frame.width, frame.height) == size
    await SlotEnd(slot).put(None)
    with pytest.raises(LatestValueClosed):
        await slot.get()


def test_the_orientation_is_read_beside_what_aiortc_knows() -> None:
    transport = types.SimpleNamespace(_rtp_header_extensions_map=HeaderExtensionsMap())
    known = transport._rtp_header_extensions_map
    known.configure(
        RTCRtpParameters(
            headerExtensions=[RTCRtpHeaderExtensionParameters(id=4, uri=header_extensions.MID)]
        )
    )
    aiortc_ext.read_orientation(transport, 13)  # type: ignore[arg-type]
    both = known.get(*pack_header_extensions([(4, b"0"), (13, b"\x03")]))
    assert (both.mid, both.video_orientation) == ("0", 3)
    assert not hasattr(known.get(*pack_header_extensions([(4, b"0")])), "video_orientation")
    long = known.get(*pack_header_extensions([(4, b"0" * 17), (13, b"\x01")]))
    assert long.video_orientation == 1


def test_sender_reports_of_the_browser_tell_when_things_were_captured() -> None:
    router = Router()
    info = RtcpSenderInfo(5 << 32, 1000, 0, 0)
    router.route_rtcp(RtcpSrPacket(ssrc=9, sender_info=info))
    first_s = router.captures.capture_s(9, 1000, 90_000)
    later_s = router.captures.capture_s(9, 10_000, 90_000)
    assert first_s is not None and later_s is not None
    assert later_s - first_s == pytest.approx(0.1)


def test_sounds_have_levels() -> None:
    frame = sound(0)
    frame.planes[0].update(bytes(frame.planes[0].buffer_size))
    assert audio_level(frame) == 127
    loud = np.full(frame.planes[0].buffer_size // 2, 32767, np.int16)
    frame.planes[0].update(loud.tobytes())
    assert audio_level(frame) == 0
    frame.planes[0].update((loud // 10).tobytes())
    assert audio_level(frame) == 20


class Film(MediaStreamTrack):
    """A film that goes on at its own pace."""

    kind = "video"

    def __init__(self) -> None:
        super().__init__()
        self._index = 0

    async def recv(self) -> av.VideoFrame:
        await asyncio.sleep(0.005)
        self._index += 1
        return textured(self._index)


async def test_what_waits_is_dropped_when_the_film_begins_anew() -> None:
    """Of a film that is asked for a key frame, nothing but that leaves next, nor anything again."""
    sent: list[RtpPacket] = []

    def send(data: bytearray) -> None:
        sent.append(RtpPacket.parse(bytes(data)))

    transmitter = Transmitter(send, Range(200e3, 100e3, 1e6))
    transport: Any = types.SimpleNamespace(state="connected")
    sender: Any = aiortc_ext.Sender("video", transport, transmitter)
    outgoing = Outgoing(Identity(1, 96, "0"), Identity(2, 97, "0"), {}, (100, 0))
    sender.outgoing, sender._clock = outgoing, SenderClock(90_000)
    encoder = sender._RTCRtpSender__encoder = VideoEncoder("VP8", 200e3, 1_000_000)
    sender.replaceTrack(Film())
    codec = RTCRtpCodecParameters(mimeType="video/VP8", clockRate=90_000, payloadType=96)
    sending = asyncio.create_task(sender._send_frames(codec))
    async with asyncio.timeout(20):
        while outgoing.packets < 30 or not transmitter.waiting_s:
            await asyncio.sleep(0.001)
        made, left = outgoing.packets, len(sent)
        assert left < made and encoder.key_frames == 1
        assert sender._key_there_s > time.monotonic() - 20
        sender._key_there_s = -math.inf  # the first one has arrived
        await sender._handle_rtcp_packet(RtcpPsfbPacket(fmt=1, ssrc=9, media_ssrc=1))
        await sender._handle_rtcp_packet(RtcpRtpfbPacket(1, 9, 1, [100, 101, 102]))
        while len(sent) < left + 5:
            await asyncio.sleep(0.001)
    assert encoder.key_frames == 2
    assert {packet.ssrc for packet in sent} == {1}
    first = sent[left]
    assert first.sequence_number == 100 + made
    assert is_key_frame("VP8", depayload(codec, first.payload))
    sending.cancel()
    await asyncio.gather(sending, return_exceptions=True)
    await transmitter.close()


async def test_a_key_frame_that_is_asked_for_while_one_is_on_its_way_is_not_made() -> None:
    connection = aiortc_ext.PeerConnection([])
    sender: Any = connection.addTransceiver("video").sender
    picture_lost = RtcpPsfbPacket(fmt=1, ssrc=1, media_ssrc=sender._ssrc)
    await sender._handle_rtcp_packet(picture_lost)
    assert sender._RTCRtpSender__force_keyframe
    sender._RTCRtpSender__force_keyframe = False
    sender._key_there_s = time.monotonic() + 60
    await sender._handle_rtcp_packet(picture_lost)
    assert not sender._RTCRtpSender__force_keyframe
    await connection.close()
