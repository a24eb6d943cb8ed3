"""One viewer's peer connection: camera and film in, film out, and the data channel `gaze`."""

import asyncio
import logging
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from aiortc import MediaStreamTrack, RTCDataChannel, RTCIceServer
from av import VideoFrame

from gaze.frames.latest import LatestValue
from gaze.rtc.codecs import nvidia_probe
from gaze.rtc.codecs.decoder import DecoderChoice
from gaze.rtc.codecs.encoder import Pace
from gaze.rtc.codecs.engine_selection import EncoderChoice
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints
from gaze.rtc.connection import PeerConnection
from gaze.rtc.film_sender import FilmLimits, FilmSender
from gaze.rtc.ice.udp_transport import Network
from gaze.rtc.media_section import MediaSection
from gaze.rtc.rtp.header_extensions import PLAYOUT_DELAY, VIDEO_ORIENTATION
from gaze.rtc.sdp.answer import SendRate, finish_answer
from gaze.rtc.sdp.offer import Offer
from gaze.rtc.streams.decoding import AudioQueue, AudioTrack
from gaze.rtc.streams.receiver import AudioReceiver, VideoReceiver
from gaze.rtc.tasks import settle
from gaze.rtc.trickle_ice import TrickleIce

__all__ = ["Limits", "Peer"]

CHANNEL = "gaze"
ESTIMATE_BEYOND = 2.0  # times what the film may take: a key frame leaves sooner; chosen by hand
CLOSE_CANDIDATES_S = 0.5  # chosen by hand

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Limits:
    """What a connection may use; bitrates in bit/s.

    Attributes
    ----------
    start_bitrate_bps : int
        What the server sends the film at, at first.
    min_bitrate_bps, max_bitrate_bps : int
        What it never goes below and above.
    camera_start_bitrate_bps, camera_max_bitrate_bps : int
        What the browser is asked to send the camera at, at first and at most.
    film_start_bitrate_bps, film_max_bitrate_bps : int
        What the browser is asked to send its film at, at first and at most.
    connect_timeout_s : float
        After an answer, the time in which the connection must come about.
    encoder : str
        What encodes the film; where it cannot, something else does.
    encoder_pace : str
        How fast it works.
    decoder : str
        What decodes camera and film; where it cannot, something else does.
    ice_servers : tuple of aiortc.RTCIceServer
        STUN and TURN servers that the server itself asks for candidates.
    network : Network
        UDP ports and addresses by which the server is reached.
    """

    start_bitrate_bps: int = 2_500_000
    min_bitrate_bps: int = 150_000
    max_bitrate_bps: int = 6_000_000
    camera_start_bitrate_bps: int = 1_000_000
    camera_max_bitrate_bps: int = 2_500_000
    film_start_bitrate_bps: int = 3_000_000
    film_max_bitrate_bps: int = 6_000_000
    connect_timeout_s: float = 30.0
    encoder: EncoderChoice = "auto"
    encoder_pace: Pace = "auto"
    decoder: DecoderChoice = "auto"
    ice_servers: tuple[RTCIceServer, ...] = ()
    network: Network = field(default_factory=Network)


class Peer:
    """A peer connection that answers one offer.

    `answer` fills `camera`, `film` and `audio`, as far as the roles name them.

    Parameters
    ----------
    limits : Limits, optional
        What it may use.
    on_encoded : callable, optional
        Told, in a worker thread, how many seconds encoding a frame took.

    Attributes
    ----------
    camera, film : LatestValue or None
        What the browser sends: slots with the newest decoded frame.
    audio : aiortc.MediaStreamTrack or None
        What the browser sends, with at most 200 ms waiting.
    state : str
        "new", "connected", "lost" (the browser went silent, closed, or never came) or "closed".
    on_state : callable or None
        Called with each new state but "new".
    on_channel : callable or None
        Called with the browser's data channel `gaze`; others are closed.
    """

    def __init__(
        self,
        limits: Limits | None = None,
        on_encoded: Callable[[float], None] | None = None,
    ) -> None:
        self.camera: LatestValue[VideoFrame] | None = None
        self.film: LatestValue[VideoFrame] | None = None
        self.audio: MediaStreamTrack | None = None
        self.state = "new"
        self.on_state: Callable[[str], None] | None = None
        self.on_channel: Callable[[RTCDataChannel], None] | None = None
        self._limits = limits or Limits()
        self._on_encoded = on_encoded
        self._connection = PeerConnection(
            list(self._limits.ice_servers),
            BitrateConstraints(
                self._limits.start_bitrate_bps,
                self._limits.min_bitrate_bps,
                ESTIMATE_BEYOND * self._limits.max_bitrate_bps,
            ),
            self._limits.network,
        )
        self._connection.on_state = self._on_connection_state
        self._connection.on_data_channel = self._on_data_channel
        self._closing = False
        self._sections: dict[str, MediaSection] = {}  # by role
        self._audio_frames: AudioQueue | None = None
        self._film_sender: FilmSender | None = None
        self._trickle: TrickleIce | None = None
        self._deadline: asyncio.TimerHandle | None = None

    # --- offer and answer

    async def answer(
        self,
        offer: Offer,
        send_film: MediaStreamTrack | None = None,
        send_audio: MediaStreamTrack | None = None,
    ) -> str:
        """Answer an offer; the connection then comes about by itself.

        Parameters
        ----------
        offer : Offer
            The browser's, with the roles of its media sections.
        send_film, send_audio : aiortc.MediaStreamTrack, optional
            What goes out on the sections of film and audio.

        Returns
        -------
        str
            The answer, SDP.

        Raises
        ------
        NoPortError
            Every UDP port that may be used is in use.
        """
        assert self._trickle is None, "a peer answers one offer"  # noqa: S101 - an invariant, which also narrows the type
        roles, hosted = offer.roles, offer.hosted
        connection = self._connection
        connection.accept(offer.media)
        role_of = {mid: role for role, mid in roles.items()}
        for section in connection.sections:
            if (role := role_of.get(section.mid)) is not None:
                self._sections[role] = section
                self._negotiate(section, role, hosted=hosted)
        self._receive()
        self._send(send_film, send_audio)
        sdp = await connection.answer()
        self._trickle = TrickleIce(connection, offer)
        self._deadline = asyncio.get_running_loop().call_later(
            self._limits.connect_timeout_s, self._set_state, "lost"
        )
        return finish_answer(
            sdp, self._browser_rates(roles, hosted=hosted), offer.sections, offer.rejected
        )

    def _negotiate(self, section: MediaSection, role: str, *, hosted: bool) -> None:
        """Choose a section's direction, codec, feedback and header extensions."""
        if role == "camera":
            section.direction = "recvonly"
        else:
            section.direction = "sendonly" if hosted else "sendrecv"
        if role == "film" and (codec := self._preferred_codec()):
            section.prefer_codec(codec)
        section.accept_transport_feedback()
        if section.receives and section.kind == "video":
            section.accept_extension(VIDEO_ORIENTATION)
        if role == "film":
            section.accept_extension(PLAYOUT_DELAY)

    def _preferred_codec(self) -> str | None:
        """Return the film's codec that the encoder makes; None leaves it to the browser."""
        choice = self._limits.encoder
        if choice == "auto":
            return "H264" if nvidia_probe.nvenc.known_to_work else None
        return "VP8" if choice == "libvpx" else "H264"

    def _receive(self) -> None:
        on_card = self._limits.decoder != "software"
        for role, section in self._sections.items():
            if not section.receives:
                continue
            if role == "audio":
                self._audio_frames = AudioQueue()
                self._connection.receive_audio(section, self._audio_frames)
                self.audio = AudioTrack(self._audio_frames)
                continue
            slot: LatestValue[VideoFrame] = LatestValue()
            self._connection.receive_video(section, slot, on_card=on_card)
            if role == "camera":
                self.camera = slot
            else:
                self.film = slot

    def _send(
        self, send_film: MediaStreamTrack | None, send_audio: MediaStreamTrack | None
    ) -> None:
        limits = self._limits
        for role, section in self._sections.items():
            if not section.sends:
                continue
            sender = self._connection.send(section)
            sender.track = send_audio if role == "audio" else send_film
            if role == "film":
                self._film_sender = FilmSender(
                    sender,
                    section.codecs[0],
                    section.offered,
                    self._connection.transmitter,
                    FilmLimits(
                        limits.start_bitrate_bps,
                        limits.min_bitrate_bps,
                        limits.max_bitrate_bps,
                        limits.encoder,
                        limits.encoder_pace,
                    ),
                    self._on_encoded,
                )

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

    # --- ICE

    @property
    def etag(self) -> str:
        """The ICE session as an entity tag with its quotes, once answered (RFC 9725)."""
        return self._answered().etag

    async def add_candidates(self, fragment: str) -> None:
        """Try the candidates of a trickle-ice-sdpfrag (RFC 8840); does not wait for the outcome.

        Parameters
        ----------
        fragment : str
            The browser's.

        Raises
        ------
        ValueError
            It is malformed, of another ICE session, or of a media section that was not offered.
        """
        self._answered().add_candidates(fragment)

    async def restart_ice(self, fragment: str) -> str:
        """Begin an ICE restart (RFC 9725, section 4.3.2): the browser's fragment in, ours out.

        `etag` and `add_candidates` belong to the new ICE session from then on.

        Parameters
        ----------
        fragment : str
            The browser's, with new credentials.

        Returns
        -------
        str
            A fragment with our new credentials and all our candidates.

        Raises
        ------
        ValueError
            The fragment is malformed or no restart, or of a media section that was not offered.
        ConnectionError
            There is no connection that could be restarted.
        NoPortError
            Every UDP port that may be used is in use.
        """
        return await self._answered().restart(fragment)

    def _answered(self) -> TrickleIce:
        assert self._trickle is not None, "candidates and restarts follow an answer"  # noqa: S101 - an invariant, which also narrows the type
        return self._trickle

    # --- figures

    def capture_s(self, role: str, pts: int | None) -> float | None:
        """Return when the browser captured a frame.

        Parameters
        ----------
        role : str
            That the frame came in.
        pts : int or None
            Of the frame.

        Returns
        -------
        float or None
            Monotonic seconds; None as long as it is not known. Later than it really was by the
            network path's delay, but by the same for all roles.
        """
        section = self._sections.get(role)
        if section is None or pts is None:
            return None
        return self._connection.capture_s(section, pts)

    def stats(self) -> dict[str, Any]:
        """Return figures of the connection so far, JSON-able; counts since its beginning.

        Returns
        -------
        dict
            `in` and `out` by role: packets and bytes of payload. `in` also: packets that never
            came, frames decoded, dropped (not taken in time) and, of video, lost in the network.
            `out` of the film also: codec, frames, key frames, frames left out, seconds spent
            encoding, what encodes and how fast (0 is the best picture), the size, target bitrate,
            scale, the estimated bandwidth of the network path, the time that packets stand in its
            queue and the share lost (None without transport-wide feedback), probes, seconds until
            what the pacer holds will have left, frames that waited for that, packets
            retransmitted, the browser's REMB and the round trip time, None until known. `twcc`:
            packets recorded and feedback messages made. `ice`: datagrams dropped because they came
            from elsewhere than the browser (of the present ICE session), and restarts that found a
            new network path.
        """
        connection = self._connection
        received = {
            role: self._received(role, section)
            for role, section in self._sections.items()
            if section.receiver is not None
        }
        sent: dict[str, Any] = {}
        for role, section in self._sections.items():
            if section.sender is not None:
                outgoing = section.sender.outgoing
                sent[role] = {
                    "packets": 0 if outgoing is None else outgoing.packets,
                    "bytes": 0 if outgoing is None else outgoing.payload_bytes,
                }
        if self._film_sender is not None:
            sent["film"] |= self._film_sender.figures()
        recorder = connection.recorder
        return {
            "state": self.state,
            "in": received,
            "out": sent,
            "twcc": {"packets": recorder.packets, "messages": recorder.messages},
            "ice": {
                "foreign": connection.ice_connection.foreign,
                "restarts": connection.transport.ice.restarts,
            },
        }

    def _received(self, role: str, section: MediaSection) -> dict[str, Any]:
        receiver = section.receiver
        queue: Any = self._audio_frames if role == "audio" else getattr(self, role)
        assert receiver is not None and queue is not None  # noqa: S101 - an invariant, which also narrows the type
        figures = {
            "packets": receiver.packets,
            "bytes": receiver.payload_bytes,
            "packets_lost": receiver.lost,
            "transport_cc": section.transport_feedback,
            "frames": queue.received,
            "frames_dropped": queue.dropped,
        }
        if isinstance(receiver, VideoReceiver):
            figures["frames_lost"] = receiver.buffer.frames_lost
        return figures

    @property
    def receivers(self) -> list[VideoReceiver | AudioReceiver]:
        """What receives camera, film and audio, for measurements."""
        streams = (section.receiver for section in self._sections.values())
        return [receiver for receiver in streams if receiver is not None]

    # --- states and end

    async def close(self) -> None:
        """End the connection and all that belongs to it; always within 5 s, and never raises.

        See `PeerConnection.close` for what the browser receives. What does not end in its time is
        logged and left behind. Calling it again, or at the same time, is allowed.
        """
        self._closing = True
        if self._deadline is not None:
            self._deadline.cancel()
        if self._trickle is not None:
            await settle(self._trickle.close(), CLOSE_CANDIDATES_S, "resolving candidates")
        await self._connection.close()
        for slot in (self.camera, self.film):
            if slot is not None:
                slot.close()
        if self._audio_frames is not None:
            self._audio_frames.put(None)
        self._set_state("closed")
        self.on_state = self.on_channel = None

    def _on_connection_state(self) -> None:
        state = self._connection.state
        if state == "connected":
            self._set_state("connected")
        elif state == "failed" and not self._closing:
            self._set_state("lost")

    def _set_state(self, state: str) -> None:
        order = ("new", "connected", "lost", "closed")
        if order.index(state) <= order.index(self.state):
            return
        if self._deadline is not None:
            self._deadline.cancel()
        self.state = state
        if self.on_state is not None:
            try:
                self.on_state(state)
            except Exception:
                log.exception("the callback for a peer that is %s failed", state)

    def _on_data_channel(self, channel: RTCDataChannel) -> None:
        if channel.label == CHANNEL and self.on_channel is not None:
            self.on_channel(channel)
        else:
            channel.close()
