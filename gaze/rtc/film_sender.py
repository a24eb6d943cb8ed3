"""Encodes the film that goes back as the network path allows: bitrate, size, frame rate."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiortc import RTCRtpCodecParameters
from aiortc.sdp import MediaDescription
from av import VideoFrame

from gaze.rtc.codecs import h264
from gaze.rtc.codecs.encoder import Pace, VideoEncoder
from gaze.rtc.codecs.engine_selection import EncoderChoice
from gaze.rtc.codecs.quality_scaler import QualityScaler
from gaze.rtc.congestion.rate_counter import RateCounter
from gaze.rtc.congestion.rtcp_report_bwe import RtcpReportBwe
from gaze.rtc.congestion.transmitter import Transmitter
from gaze.rtc.streams.sender import Sender


@dataclass(frozen=True, slots=True)
class FilmLimits:
    """What the film that goes back may use.

    Attributes
    ----------
    start_bps, min_bps, max_bps : int
        Bitrates in bit/s.
    encoder : str
        What encodes it; where it cannot, something else does.
    pace : str
        How fast it works.
    """

    start_bps: int
    min_bps: int
    max_bps: int
    encoder: EncoderChoice
    pace: Pace


class FilmSender:
    """Sets a video sender's encoder before each frame.

    Parameters
    ----------
    sender : Sender
        Of the film; gets its encoder.
    codec : aiortc.RTCRtpCodecParameters
        The codec that is sent.
    offered : aiortc.sdp.MediaDescription
        The film's section as offered.
    transmitter : Transmitter
        What paces the packets and estimates the bandwidth.
    limits : FilmLimits
        What may be used.
    on_encoded : callable, optional
        Told, in a worker thread, how many seconds encoding a frame took.
    """

    def __init__(
        self,
        sender: Sender,
        codec: RTCRtpCodecParameters,
        offered: MediaDescription,
        transmitter: Transmitter,
        limits: FilmLimits,
        on_encoded: Callable[[float], None] | None,
    ) -> None:
        self._sender = sender
        self._transmitter = transmitter
        self._limits = limits
        self._quality = QualityScaler()
        # For browsers that send no transport-wide feedback.
        self._bitrate = RtcpReportBwe(limits.start_bps, limits.min_bps, limits.max_bps)
        self._rate = RateCounter()
        self._encoder = VideoEncoder(
            codec.name,
            bitrate_bps=self._bitrate.target_bps,
            max_bitrate_bps=limits.max_bps,
            choice=limits.encoder,
            profile_level=_profile_level(codec, offered),
            pace=limits.pace,
            on_encoded=on_encoded,
        )
        sender.encoder = self._encoder
        sender.on_frame = self._before_encoding
        sender.on_loss = self._on_loss
        sender.on_remb = self._on_remb

    def _on_loss(self, loss: float) -> None:
        now_s = time.monotonic()
        self._bitrate.on_loss(loss, self._sent_bps(now_s), now_s)
        self._transmitter.reported_bps = self._bitrate.target_bps

    def _on_remb(self, remb_bps: int) -> None:
        now_s = time.monotonic()
        self._bitrate.on_remb(remb_bps, self._sent_bps(now_s), now_s)
        self._transmitter.reported_bps = self._bitrate.target_bps

    def _sent_bps(self, now_s: float) -> float:
        outgoing = self._sender.outgoing
        return self._rate.update(0 if outgoing is None else outgoing.payload_bytes, now_s)

    def _before_encoding(self, frame: VideoFrame, key_frame: bool) -> None:
        step = self._quality.update(
            self._within_limits(self._transmitter.sustained_video_bps),
            frame.width,
            frame.height,
            time.monotonic(),
            key_frame=key_frame,
        )
        self._encoder.bitrate_bps = self._target_bps()
        self._encoder.scale = step.scale
        self._encoder.max_rate_fps = step.rate_fps

    def _target_bps(self) -> float:
        return self._within_limits(self._transmitter.video_bps)

    def _within_limits(self, bitrate_bps: float) -> float:
        return min(max(bitrate_bps, self._limits.min_bps), self._limits.max_bps)

    def figures(self) -> dict[str, Any]:
        """Return what `Peer.stats` says of the film that goes back, but packets and bytes."""
        encoder, transmitter, outgoing = self._encoder, self._transmitter, self._sender.outgoing
        bwe = transmitter.bwe
        return {
            "codec": encoder.codec,
            "frames": encoder.frames,
            "key_frames": encoder.key_frames,
            "frames_left_out": encoder.left_out,
            "encoding_s": encoder.encoding_s,
            "encoder": encoder.engine,
            "encoder_speed": encoder.speed,
            "width": encoder.size[0],
            "height": encoder.size[1],
            "target_bitrate_bps": round(self._target_bps()),
            "estimate_bps": round(bwe.estimate_bps) if transmitter.has_feedback else None,
            "queue_s": round(bwe.queue_delay_s, 3) if transmitter.has_feedback else None,
            "loss": round(bwe.loss, 3) if transmitter.has_feedback else None,
            "probes": bwe.probes,
            "paced_s": round(transmitter.queue_time_s, 3),
            "frames_held": transmitter.frames_held,
            "packets_resent": 0 if outgoing is None else outgoing.retransmitted,
            "scale": encoder.scale,
            "remb_bps": self._bitrate.remb_bps,
            "round_trip_s": self._sender.round_trip_s,
        }


def _profile_level(codec: RTCRtpCodecParameters, offered: MediaDescription) -> h264.ProfileLevel:
    """Return what of H.264 the browser takes, by the offer and our answer."""
    if codec.name != "H264":
        return h264.DEFAULT_PROFILE_LEVEL
    theirs = next(one for one in offered.rtp.codecs if one.payloadType == codec.payloadType)
    try:
        return h264.negotiate(theirs.parameters, codec.parameters)
    except ValueError:  # a level that nobody knows
        return h264.DEFAULT_PROFILE_LEVEL
