"""One viewer's peer connection: camera and film in, film out, and the data channel `gaze`."""

import asyncio
import hashlib
import time
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiortc import (
    MediaStreamTrack,
    RTCDataChannel,
    RTCIceCandidate,
    RTCIceServer,
    RTCRtpTransceiver,
    RTCSessionDescription,
)
from aiortc.rtcrtpparameters import RTCRtpCodecParameters
from aiortc.sdp import MediaDescription
from av import VideoFrame

from gaze.frames.latest import LatestValue
from gaze.rtc.aiortc_ext import AudioQueue, PeerConnection, Report
from gaze.rtc.codecs import h264, nvidia
from gaze.rtc.codecs.encoder import ANY_H264, Pace, VideoEncoder
from gaze.rtc.codecs.engines import Choice
from gaze.rtc.codecs.nvidia import DecoderChoice
from gaze.rtc.codecs.quality_scaler import QualityScaler
from gaze.rtc.congestion.bandwidth_estimator import Range
from gaze.rtc.congestion.report_based import Rate, SendBitrate
from gaze.rtc.ice.udp_transport import Network
from gaze.rtc.rtp.header_extensions import PLAYOUT_DELAY
from gaze.rtc.rtp.jitter_buffer import VideoBuffer
from gaze.rtc.sdp import ice_fragment
from gaze.rtc.sdp.answer import SendRate, finish_answer
from gaze.rtc.sdp.offer import Offer, OfferError, read_offer

__all__ = ["Limits", "OfferError", "Peer"]

CHANNEL = "gaze"
ESTIMATE_BEYOND = 2.0  # what the film may take: a key frame then leaves sooner
MAX_CANDIDATES = 100  # tried in all, over a connection's life


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may use; bitrates in bit/s.

    Attributes:
        start_bitrate_bps: what the server sends the film at, at first.
        min_bitrate_bps: what it never goes below.
        max_bitrate_bps: what it never goes above.
        camera_start_bitrate_bps: what the browser is asked to send the camera at, at first.
        camera_max_bitrate_bps: and at most.
        film_start_bitrate_bps: what the browser is asked to send its film at, at first.
        film_max_bitrate_bps: and at most.
        connect_timeout_s: after an answer, the time in which the connection must come about.
        encoder: what encodes the film; where it cannot, something else does.
        encoder_pace: how fast it works.
        decoder: what decodes camera and film; the same.
        ice_servers: STUN and TURN servers that the server itself asks for candidates.
        network: the UDP ports and addresses by which the server is reached.
    """

    start_bitrate_bps: int = 2_500_000
    min_bitrate_bps: int = 150_000
    max_bitrate_bps: int = 6_000_000
    camera_start_bitrate_bps: int = 1_000_000
    camera_max_bitrate_bps: int = 2_500_000
    film_start_bitrate_bps: int = 3_000_000
    film_max_bitrate_bps: int = 6_000_000
    connect_timeout_s: float = 30.0
    encoder: Choice = "auto"
    encoder_pace: Pace = "auto"
    decoder: DecoderChoice = "auto"
    ice_servers: tuple[RTCIceServer, ...] = ()
    network: Network = field(default_factory=Network)


@dataclass(slots=True)
class _Sending:
    """The film on its way out."""

    encoder: VideoEncoder
    quality: QualityScaler
    bitrate: SendBitrate  # for browsers that send no transport-wide feedback
    rate: Rate


class Peer:
    """A peer connection that answers one offer.

    `answer` fills `camera`, `film` (what the browser sends: slots with its newest decoded frame)
    and `audio` (a track with at most 200 ms waiting), as far as the roles name them.

    Attributes:
        on_state: called with "connected", "lost" (the peer went silent, closed, or never came) and,
            once, "closed".
        on_channel: called with the browser's data channel `gaze`; others are closed.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        on_encoded: Callable[[float], None] | None = None,
    ) -> None:
        """Take the limits, and whom to tell, in a worker thread, how long encoding a frame took."""
        self.camera: LatestValue[VideoFrame] | None = None
        self.film: LatestValue[VideoFrame] | None = None
        self.audio: MediaStreamTrack | None = None
        self.on_state: Callable[[str], None] | None = None
        self.on_channel: Callable[[RTCDataChannel], None] | None = None
        self._limits = limits or Limits()
        self._on_encoded = on_encoded
        self._connection = PeerConnection(
            list(self._limits.ice_servers),
            Range(
                self._limits.start_bitrate_bps,
                self._limits.min_bitrate_bps,
                ESTIMATE_BEYOND * self._limits.max_bitrate_bps,
            ),
            self._limits.network,
        )
        self._connection.on("connectionstatechange", self._on_connection_state)
        self._connection.on("datachannel", self._on_data_channel)
        self._state = "new"
        self._closing = False
        self._offer: Offer | None = None
        self._transceivers: dict[str, RTCRtpTransceiver] = {}
        self._buffers: dict[str, VideoBuffer] = {}
        self._audio_queue: AudioQueue | None = None
        self._sending: _Sending | None = None
        self._feedback: set[str] = set()
        self._remote: dict[str, tuple[str, str]] = {}  # browser's ICE credentials, by our ufrag
        self._candidates = 0
        self._tasks: set[asyncio.Task[None]] = set()
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def state(self) -> str:
        """new, connected, lost or closed."""
        return self._state

    @property
    def etag(self) -> str:
        """The ICE session as an entity tag with its quotes, once answered (RFC 9725)."""
        ufrag = self._connection.ice_connection.local_username
        session = f"{ufrag} {self._remote[ufrag][0]}"
        return f'"{hashlib.sha256(session.encode()).hexdigest()[:16]}"'

    async def answer(
        self,
        offer_sdp: str,
        roles: Mapping[str, str],
        send_film: MediaStreamTrack | None = None,
        send_audio: MediaStreamTrack | None = None,
        *,
        hosted: bool = False,
    ) -> str:
        """Answer an offer; the connection then comes about by itself.

        Args:
            offer_sdp: the browser's offer.
            roles: mids of the m-lines for `camera`, `film` and `audio`, as far as they are there.
            send_film: the film that goes out on the film's m-line.
            send_audio: the sound that goes out on the audio's m-line.
            hosted: the server has film and sound, the browser sends neither.

        Raises:
            OfferError: the offer is none, or cannot do what the roles promise.
        """
        assert self._offer is None, "a peer answers one offer"
        checked = read_offer(offer_sdp, roles, hosted=hosted)
        self._offer = checked
        connection = self._connection
        await connection.setRemoteDescription(RTCSessionDescription(checked.sdp, "offer"))
        role_of = {mid: role for role, mid in roles.items()}
        offered = {media.rtp.muxId: media for media in checked.media}
        for transceiver in connection.getTransceivers():
            mid = transceiver.mid or ""
            role = role_of.get(mid)
            if role is None:
                transceiver.direction = "inactive"
                continue
            self._transceivers[role] = transceiver
            if role == "film" and (codec := self._preferred_codec()):
                connection.prefer_codec(transceiver, codec)
            if connection.negotiate_feedback(transceiver, offered[mid]):
                self._feedback.add(role)
            if role == "camera" or (role == "film" and not hosted):
                connection.negotiate_orientation(transceiver, offered[mid])
            if role == "film":
                connection.negotiate_extension(transceiver, offered[mid], PLAYOUT_DELAY)
            if role == "camera":
                transceiver.direction = "recvonly"
            else:
                transceiver.direction = "sendonly" if hosted else "sendrecv"
        self._receive(hosted=hosted)
        self._send(send_film, send_audio, offered)
        await connection.setLocalDescription()
        loop = asyncio.get_running_loop()
        self._deadline = loop.call_later(self._limits.connect_timeout_s, self._set_state, "lost")
        self._remote[connection.ice_connection.local_username] = checked.ufrag, checked.pwd
        self._try_candidates(checked.candidates)
        return finish_answer(
            connection.localDescription.sdp,
            self._browser_rates(roles, hosted=hosted),
            checked.sections,
            checked.rejected,
        )

    async def add_candidates(self, fragment: str) -> None:
        """Try the candidates of a trickle-ice-sdpfrag (RFC 8840); does not wait for the outcome.

        Raises:
            ValueError: it is malformed, of another ICE session, or of an m-line not offered.
        """
        assert self._offer is not None, "candidates follow an answer"
        read = ice_fragment.parse(fragment)
        ufrag, pwd = self._remote[self._connection.ice_connection.local_username]
        if read.ufrag not in (None, ufrag) or read.pwd not in (None, pwd):
            raise ValueError("a=ice-ufrag and a=ice-pwd are not those of this ICE session")
        self._check_mids(self._offer, read)
        self._try_candidates(read.candidates)

    async def restart_ice(self, fragment: str) -> str:
        """Begin an ICE restart (RFC 9725, section 4.3.2): the browser's fragment in, ours out.

        `etag` and `add_candidates` belong to the new ICE session from then on. Media goes on over
        the old way until the new one works; if it never does, all is as before.

        Raises:
            ValueError: the fragment is malformed or no restart, or of an m-line not offered.
            ConnectionError: there is no connection that could be restarted.
            NoPortError: no UDP port is free.
        """
        assert self._offer is not None, "a restart follows an answer"
        read = ice_fragment.parse(fragment)
        if read.ufrag is None or read.pwd is None:
            raise ValueError("an ICE restart needs a=ice-ufrag and a=ice-pwd")
        if not ice_fragment.are_credentials(read.ufrag, read.pwd):
            raise ValueError("a=ice-ufrag has 4 to 256, a=ice-pwd 22 to 256 of A-Z a-z 0-9 + /")
        if any(read.ufrag == ufrag or read.pwd == pwd for ufrag, pwd in self._remote.values()):
            raise ValueError("an ICE restart needs a new a=ice-ufrag and a new a=ice-pwd")
        self._check_mids(self._offer, read)
        await self._connection.restart_ice(read.ufrag, read.pwd)
        fresh = self._connection.ice_connection
        self._remote[fresh.local_username] = read.ufrag, read.pwd
        self._candidates = 0
        self._try_candidates(read.candidates)
        bundle = self._offer.media[0].rtp.muxId
        section = next(section for section in self._offer.sections if section.mid == bundle)
        return ice_fragment.write(
            fresh.local_username,
            fresh.local_password,
            section.lines[0],
            bundle,
            [candidate.to_sdp() for candidate in fresh.local_candidates],
        )

    @staticmethod
    def _check_mids(offer: Offer, read: ice_fragment.Fragment) -> None:
        mids = {section.mid for section in offer.sections}
        for mid in {candidate.sdpMid for candidate in read.candidates} | read.ended:
            if mid not in mids:
                raise ValueError(f"the offer has no mid {mid!r}")

    def capture_s(self, role: str, pts: int | None) -> float | None:
        """When the browser captured what came in a frame with this `pts`, in monotonic seconds.

        None as long as it is not known. Later than it really was by the way's delay, but by the
        same for all roles.
        """
        transceiver = self._transceivers.get(role)
        if transceiver is None or pts is None:
            return None
        return self._connection.capture_s(transceiver, pts)

    def stats(self) -> dict[str, Any]:
        """Figures of the connection so far, JSON-able; counts since its beginning.

        `in` and `out` by role: packets and bytes of payload. `in` also: packets that never came,
        frames decoded, dropped (not taken in time) and, of video, lost on the way. `out` of the
        film also: codec, frames, key frames, frames left out, seconds spent encoding, what encodes
        and how fast (0 is the best picture), the size, target bitrate, scale, the estimate of what
        the way carries, the time that packets stand in its queue and the share lost (None without
        transport-wide feedback), probes, seconds until what the pacer holds will have left, frames
        that waited for that, packets sent once more, the browser's REMB and the round trip time,
        None until known. `twcc`: packets recorded and feedback messages made. `ice`: datagrams
        dropped because they came from elsewhere than the browser (of the present ICE session), and
        restarts that found a new way.
        """
        received: dict[str, Any] = {}
        sent: dict[str, Any] = {}
        connection = self._connection
        for role, transceiver in self._transceivers.items():
            queue = self._audio_queue if role == "audio" else getattr(self, role)
            if queue is not None:
                counter = connection.received(transceiver)
                received[role] = {
                    "packets": counter.packets,
                    "bytes": counter.bytes,
                    "packets_lost": connection.packets_lost(transceiver),
                    "transport_cc": role in self._feedback,
                    "frames": queue.received,
                    "frames_dropped": queue.dropped,
                }
            if role in self._buffers:
                received[role]["frames_lost"] = self._buffers[role].frames_lost
            if role != "camera":
                counter = connection.sent(transceiver)
                sent[role] = {"packets": counter.packets, "bytes": counter.bytes}
        if self._sending is not None:
            encoder, bitrate = self._sending.encoder, self._sending.bitrate
            transmitter = connection.transmitter
            estimate = transmitter.estimate
            sent["film"] |= {
                "codec": encoder.codec,
                "frames": encoder.frames,
                "key_frames": encoder.key_frames,
                "frames_left_out": encoder.left_out,
                "encoding_s": encoder.encoding_s,
                "encoder": encoder.engine,
                "encoder_speed": encoder.speed,
                "width": encoder.size[0],
                "height": encoder.size[1],
                "target_bitrate_bps": round(self._film_bps()),
                "estimate_bps": round(estimate.rate_bps) if transmitter.estimating else None,
                "queue_s": round(estimate.queue.delay_s, 3) if transmitter.estimating else None,
                "loss": round(estimate.loss, 3) if transmitter.estimating else None,
                "probes": estimate.probes,
                "paced_s": round(transmitter.waiting_s, 3),
                "frames_held": transmitter.held,
                "packets_resent": connection.resent(self._transceivers["film"]),
                "scale": encoder.scale,
                "remb_bps": bitrate.remb_bps,
                "round_trip_s": connection.round_trip_s(self._transceivers["film"]),
            }
        recorder = connection.recorder
        return {
            "state": self._state,
            "in": received,
            "out": sent,
            "twcc": {"packets": recorder.packets, "messages": recorder.messages},
            "ice": {
                "foreign": connection.ice_connection.foreign,
                "restarts": connection.restarts,
            },
        }

    async def close(self) -> None:
        """End the connection and all that belongs to it, and wait for that."""
        self._closing = True
        if self._deadline is not None:
            self._deadline.cancel()
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await self._connection.close()
        for slot in (self.camera, self.film):
            if slot is not None:
                slot.close()
        self._set_state("closed")
        self.on_state = self.on_channel = None

    def _preferred_codec(self) -> str | None:
        """The film's codec that the wanted encoder makes; None leaves it to the browser."""
        choice = self._limits.encoder
        if choice == "auto":
            return "H264" if nvidia.nvenc.known_to_work else None
        return "VP8" if choice == "libvpx" else "H264"

    def _receive(self, *, hosted: bool) -> None:
        on_card = self._limits.decoder != "software"
        if camera := self._transceivers.get("camera"):
            self.camera = LatestValue()
            self._buffers["camera"] = self._connection.receive_video(
                camera, self.camera, on_card=on_card
            )
        if hosted:
            return
        if film := self._transceivers.get("film"):
            self.film = LatestValue()
            self._buffers["film"] = self._connection.receive_video(film, self.film, on_card=on_card)
        if audio := self._transceivers.get("audio"):
            self._audio_queue = self._connection.receive_audio(audio)
            self.audio = audio.receiver.track

    def _send(
        self,
        send_film: MediaStreamTrack | None,
        send_audio: MediaStreamTrack | None,
        offered: Mapping[str, MediaDescription],
    ) -> None:
        limits = self._limits
        if film := self._transceivers.get("film"):
            film.sender.replaceTrack(send_film)
            bitrate = SendBitrate(
                limits.start_bitrate_bps, limits.min_bitrate_bps, limits.max_bitrate_bps
            )
            codec = self._connection.codec(film)
            encoder = VideoEncoder(
                codec.name,
                bitrate_bps=bitrate.target_bps,
                max_bitrate_bps=limits.max_bitrate_bps,
                choice=limits.encoder,
                sendable=_sendable(codec, offered[film.mid or ""]),
                pace=limits.encoder_pace,
                on_encoded=self._on_encoded,
            )
            self._sending = _Sending(encoder, QualityScaler(), bitrate, Rate())
            self._connection.send_video(film, encoder, self._on_report, self._before_encoding)
        if audio := self._transceivers.get("audio"):
            audio.sender.replaceTrack(send_audio)

    def _on_report(self, report: Report) -> None:
        sending = self._sending
        assert sending is not None
        now_s = time.monotonic()
        sent_bytes = self._connection.sent(self._transceivers["film"]).bytes
        sent_bps = sending.rate.update(sent_bytes, now_s)
        if report.loss is not None:
            sending.bitrate.on_loss(report.loss, sent_bps, now_s)
        if report.remb_bps is not None:
            sending.bitrate.on_remb(report.remb_bps, sent_bps, now_s)
        self._connection.transmitter.reported_bps = sending.bitrate.target_bps

    def _before_encoding(self, frame: VideoFrame, key_frame: bool) -> None:
        sending = self._sending
        assert sending is not None
        step = sending.quality.update(
            self._within_limits(self._connection.transmitter.lasting_bps),
            frame.width,
            frame.height,
            time.monotonic(),
            anew=key_frame,
        )
        sending.encoder.bitrate_bps = self._film_bps()
        sending.encoder.scale = step.scale
        sending.encoder.max_rate_fps = step.rate_fps

    def _film_bps(self) -> float:
        """What the film is encoded at."""
        return self._within_limits(self._connection.transmitter.film_bps)

    def _within_limits(self, bitrate_bps: float) -> float:
        return min(max(bitrate_bps, self._limits.min_bitrate_bps), self._limits.max_bitrate_bps)

    def _browser_rates(self, roles: Mapping[str, str], *, hosted: bool) -> dict[str, SendRate]:
        limits = self._limits
        rates = {}
        if "camera" in roles:
            rates[roles["camera"]] = SendRate(
                limits.camera_start_bitrate_bps, limits.camera_max_bitrate_bps
            )
        if "film" in roles and not hosted:
            rates[roles["film"]] = SendRate(
                limits.film_start_bitrate_bps, limits.film_max_bitrate_bps
            )
        return rates

    def _try_candidates(self, candidates: tuple[RTCIceCandidate, ...]) -> None:
        # The end of the candidates is never told: ICE would give up at once if those known so far
        # fail, while a check from the browser may still come. The deadline ends it.
        for candidate in candidates:
            if candidate.component != 1 or candidate.protocol != "udp":
                continue
            if self._candidates >= MAX_CANDIDATES:
                return
            self._candidates += 1
            self._start(self._connection.add_remote_candidate(candidate))

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    def _on_connection_state(self) -> None:
        state = self._connection.connectionState
        if state == "connected" and self._state == "new":
            self._set_state("connected")
        elif state in ("failed", "closed") and not self._closing:
            self._set_state("lost")

    def _set_state(self, state: str) -> None:
        order = ("new", "connected", "lost", "closed")
        if order.index(state) <= order.index(self._state):
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self._state = state
        if self.on_state is not None:
            self.on_state(state)

    def _on_data_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL and self.on_channel is not None:
            self.on_channel(channel)
        else:
            channel.close()


def _sendable(codec: RTCRtpCodecParameters, offered: MediaDescription) -> h264.Sendable:
    """What of H.264 the browser takes, by the offer and our answer."""
    if codec.name != "H264":
        return ANY_H264
    theirs = next(one for one in offered.rtp.codecs if one.payloadType == codec.payloadType)
    try:
        return h264.sendable(theirs.parameters, codec.parameters)
    except ValueError:  # a level that nobody knows
        return ANY_H264
