"""The server's end of a peer connection: one bundled transport, its streams and data channels.

It answers one offer (RFC 8829) and is composed of aiortc's DTLS and SCTP transports, our ICE, and
our senders and receivers; aiortc's `RTCPeerConnection` is not used. What it has beyond that:

- congestion control feedback on all that browsers number, instead of REMB;
- frames released on the marker bit, into slots that keep the newest;
- loss of the peer noticed after 3 s; nothing waits on the event loop at the end;
- no server is asked for anything unless it is given.
"""

import asyncio
import contextlib
import logging
import struct
import time
import uuid
from collections.abc import Callable, Iterable

from aiortc import (
    RTCDataChannel,
    RTCDtlsParameters,
    RTCIceCandidate,
    RTCIceParameters,
    RTCIceServer,
    RTCSctpTransport,
)
from aiortc.rtp import (
    RTCP_PSFB_APP,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSourceInfo,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
)
from aiortc.sdp import MediaDescription
from av import VideoFrame

from gaze.frames.latest import LatestValue
from gaze.rtc.aiortc_ext.ice import Connection as IceConnection
from gaze.rtc.aiortc_ext.packets import MalformedPacketError, parse_rtcp
from gaze.rtc.aiortc_ext.transport import SecureTransport
from gaze.rtc.congestion import twcc
from gaze.rtc.congestion.feedback_recorder import FeedbackRecorder
from gaze.rtc.congestion.send_side_bwe import BitrateConstraints
from gaze.rtc.congestion.transmitter import Transmitter
from gaze.rtc.ice.candidates import from_aioice, to_aioice
from gaze.rtc.ice.udp_transport import Network
from gaze.rtc.media_section import (
    LocalTransport,
    MediaSection,
    describe_data_channels,
    write_answer,
)
from gaze.rtc.rtp.rtp_time import RtpTimes
from gaze.rtc.streams.decoding import AudioQueue
from gaze.rtc.streams.receiver import AudioReceiver, Receiver, VideoReceiver
from gaze.rtc.streams.router import Router
from gaze.rtc.streams.sender import Sender
from gaze.rtc.tasks import settle, start

FEEDBACK_INTERVAL_S = 0.05  # chosen by hand; libwebrtc adapts it between 50 and 250 ms
SENDING = BitrateConstraints(start_bps=2.5e6, min_bps=150e3, max_bps=12e6)
SCTP_PORT = 5000  # of an offer that names none (RFC 8841, section 5.1)
STOP_SENDING_S, SAY_GOODBYE_S, STOP_RECEIVING_S = 0.6, 0.1, 1.2
CLOSE_CHANNELS_S, CLOSE_DTLS_S, CLOSE_ICE_S = 0.2, 0.2, 1.7
"""Time limits of the steps of `close`, 4 s in all; chosen by hand, each many times what the step
takes when nothing is wrong."""

log = logging.getLogger(__name__)


class PeerConnection:
    """One connection, made for one offer.

    Parameters
    ----------
    ice_servers : list of aiortc.RTCIceServer
        STUN and TURN servers that are asked for candidates.
    sending : BitrateConstraints
        Bitrates of all that is sent.
    network : Network, optional
        UDP ports and public addresses of this machine.

    Attributes
    ----------
    state : str
        "new", "connected", "failed" (the peer is lost or never came) or "closed".
    on_state : callable
        Called when that changes.
    on_data_channel : callable
        Takes each data channel that the browser opens.
    sections : list of MediaSection
        Audio and video sections, in the offer's order.
    transport : SecureTransport
        What all is bundled on.
    transmitter : Transmitter
        What paces all that is sent.
    recorder : twcc.Recorder
        Arrivals of what the browser numbers.
    """

    def __init__(
        self,
        ice_servers: list[RTCIceServer],
        sending: BitrateConstraints = SENDING,
        network: Network | None = None,
    ) -> None:
        self.state = "new"
        self.on_state: Callable[[], None] = lambda: None
        self.on_data_channel: Callable[[RTCDataChannel], None] = lambda channel: None
        self.sections: list[MediaSection] = []
        self.recorder = FeedbackRecorder()
        self.transmitter = Transmitter(self._send_rtp, sending)
        self.transport = SecureTransport(
            ice_servers, network or Network(), self._take_rtp, self._take_rtcp, self._fail
        )
        self._offered: list[MediaDescription] = []
        self._sctp: RTCSctpTransport | None = None
        self._cname, self._stream_id = str(uuid.uuid4()), str(uuid.uuid4())
        self._router: Router[Receiver] = Router()
        self._senders: dict[int, Sender] = {}  # by SSRC
        self._rtp_times = RtpTimes()
        self._feedback_ssrc = 0
        self._unreported = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self._feedback: asyncio.Task[None] | None = None
        self._closing: asyncio.Task[None] | None = None

    # --- offer and answer

    def accept(self, offered: Iterable[MediaDescription]) -> None:
        """Take the sections of an offer; they are inactive until the caller gives them directions.

        Parameters
        ----------
        offered : iterable of aiortc.sdp.MediaDescription
            Bundled, each with a codec that is known here or the data channels.
        """
        self._offered = list(offered)
        for media in self._offered:
            if media.kind == "application":
                self._sctp = self.transport.sctp()
                self._sctp.on("datachannel", self._on_data_channel)
            else:
                self.sections.append(MediaSection(media))

    async def answer(self) -> str:
        """Gather candidates, write the answer and begin to connect.

        Returns
        -------
        str
            SDP.

        Raises
        ------
        NoPortError
            Every UDP port that may be used is in use.
        """
        first = self._offered[0]
        assert first.dtls is not None, "the offer was checked"  # noqa: S101 - an invariant, which also narrows the type
        await self.transport.ice.negotiated.gather_candidates()
        ice = self.transport.ice.negotiated
        local = LocalTransport(
            candidates=[from_aioice(candidate) for candidate in ice.local_candidates],
            ice=RTCIceParameters(ice.local_username, ice.local_password),
            dtls=RTCDtlsParameters(
                self.transport.dtls.getLocalParameters().fingerprints,
                self.transport.local_role(first.dtls),
            ),
        )
        answer = write_answer([self._describe(media) for media in self._offered], local)
        self._tasks.append(start(self._connect(first), "connecting"))
        return answer

    def _describe(self, media: MediaDescription) -> MediaDescription:
        if media.kind == "application":
            assert self._sctp is not None  # noqa: S101 - an invariant, which also narrows the type
            return describe_data_channels(
                media.rtp.muxId, self._sctp.port, self._sctp.getCapabilities()
            )
        section = next(one for one in self.sections if one.mid == media.rtp.muxId)
        return section.describe(self._stream_id, self._cname)

    async def _connect(self, first: MediaDescription) -> None:
        try:
            await self._connect_all(first)
        except ConnectionError:
            self._fail()
        except Exception:
            log.exception("a connection could not be set up")
            self._fail()

    async def _connect_all(self, first: MediaDescription) -> None:
        ice, dtls = first.ice, first.dtls
        assert ice is not None and dtls is not None, "the offer was checked"  # noqa: S101 - an invariant, which also narrows the type
        ufrag, pwd = ice.usernameFragment or "", ice.password or ""
        if not await self.transport.connect(ufrag, pwd, dtls, lite=ice.iceLite):
            raise ConnectionError("the DTLS handshake failed")
        for section in self.sections:
            self._start_streams(section)
        if self._sctp is not None:
            media = next(media for media in self._offered if media.kind == "application")
            await self._sctp.start(media.sctpCapabilities, media.sctp_port or SCTP_PORT)
        self._set_state("connected")

    def _start_streams(self, section: MediaSection) -> None:
        if section.direction != "inactive":
            self.transport.accept(section.extensions)
        if section.sender is not None:
            section.sender.start(section.codecs, section.extensions, section.mid)
        if section.receiver is not None:
            types = [codec.payloadType or 0 for codec in section.codecs]
            self._router.add(section.receiver, section.mid, section.remote_ssrcs, types)
            section.receiver.start()

    def _set_state(self, state: str) -> None:
        order = ("new", "connected", "failed", "closed")
        if order.index(state) > order.index(self.state):
            self.state = state
            try:
                self.on_state()
            except Exception:
                log.exception("the callback for a connection's state failed")

    def _fail(self) -> None:
        """Note that the peer has gone: streams and data channels end."""
        if self._closing is None:
            self._set_state("failed")
            self._closing = start(self._release(), "closing a connection")

    # --- streams

    def receive_video(
        self, section: MediaSection, slot: LatestValue[VideoFrame], *, on_card: bool = False
    ) -> VideoReceiver:
        """Let the decoded frames of a section go into a slot; none of them waits elsewhere.

        Parameters
        ----------
        section : MediaSection
            Of video.
        slot : LatestValue
            Takes the frames; closed at the end.
        on_card : bool
            Whether the graphics card decodes them, as far as it can.

        Returns
        -------
        VideoReceiver
            It starts when the connection is there.
        """
        receiver = VideoReceiver(
            section.codecs,
            section.repairs,
            section.ssrc,
            self._send_rtcp,
            slot,
            on_card=on_card,
            remb=not section.transport_feedback,
        )
        section.receiver = receiver
        return receiver

    def receive_audio(self, section: MediaSection, frames: AudioQueue) -> AudioReceiver:
        """Let the decoded frames of a section go into a short queue.

        Parameters
        ----------
        section : MediaSection
            Of audio.
        frames : AudioQueue
            Takes the frames; ended at the end.

        Returns
        -------
        AudioReceiver
            It starts when the connection is there.
        """
        receiver = AudioReceiver(
            section.codecs, section.repairs, section.ssrc, self._send_rtcp, frames
        )
        section.receiver = receiver
        return receiver

    def send(self, section: MediaSection) -> Sender:
        """Send something on a section.

        Parameters
        ----------
        section : MediaSection
            Of audio or video.

        Returns
        -------
        Sender
            It has neither track nor encoder yet, and starts when the connection is there.
        """
        sender = Sender(
            section.kind,
            section.ssrc,
            section.rtx_ssrc,
            self._cname,
            self.transmitter,
            self._send_rtcp,
        )
        sender.on_failed = self._fail
        section.sender = self._senders[section.ssrc] = sender
        return sender

    def capture_s(self, section: MediaSection, pts: int) -> float | None:
        """Return the capture time of a decoded frame.

        Parameters
        ----------
        section : MediaSection
            That the frame came on.
        pts : int
            Of the frame.

        Returns
        -------
        float or None
            Monotonic seconds; None until the browser's sender reports tell.
        """
        where = None if section.receiver is None else section.receiver.rtp_time(pts)
        return None if where is None else self._rtp_times.capture_s(*where)

    # --- packets

    def _take_rtp(self, packet: RtpPacket, arrival_s: float) -> None:
        number = packet.extensions.transport_sequence_number
        if number is not None:
            self.recorder.add(number, arrival_s)
            self._feedback_ssrc = packet.ssrc
            self._unreported.set()
            if self._feedback is None and self._closing is None:
                self._feedback = start(self._send_feedback(), "sending congestion feedback")
        receiver = self._router.route(packet)
        if receiver is not None:
            receiver.take(packet, arrival_s)

    async def _send_feedback(self) -> None:
        """Report the arrivals of what the browser numbers, 50 ms after the first of them."""
        ssrc = self.sections[0].ssrc
        while True:
            await self._unreported.wait()
            await asyncio.sleep(FEEDBACK_INTERVAL_S)
            self._unreported.clear()
            for packet in self.recorder.build_feedback(ssrc, self._feedback_ssrc):
                with contextlib.suppress(ConnectionError):  # there may be a path again later
                    self.transport.send_rtcp(packet)

    def _take_rtcp(self, data: bytes) -> None:
        reports, rest = twcc.extract_feedback(data)
        for report in reports:
            self.transmitter.on_feedback(report)
        if rest:
            now_s = time.monotonic()
            for packet in parse_rtcp(rest):
                self._take_rtcp_packet(packet, now_s)

    def _take_rtcp_packet(self, packet: AnyRtcpPacket, now_s: float) -> None:
        """Hand an RTCP packet to the streams that it is about.

        A BYE is passed over: browsers send it when a stream rests, too.
        """
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self._rtp_times.on_report(packet.ssrc, info.ntp_timestamp, info.rtp_timestamp, now_s)
            receiver = self._router.receiver_of(packet.ssrc)
            if receiver is not None:
                receiver.on_sender_report(packet.ssrc, info.ntp_timestamp)
        if isinstance(packet, RtcpSrPacket | RtcpRrPacket):
            for report in packet.reports:
                if (sender := self._senders.get(report.ssrc)) is not None:
                    sender.on_report(report, now_s)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            self._take_remb(packet.fci)
        elif (
            isinstance(packet, RtcpPsfbPacket | RtcpRtpfbPacket)
            and (sender := self._senders.get(packet.media_ssrc)) is not None
        ):
            sender.on_feedback(packet)

    def _take_remb(self, fci: bytes) -> None:
        try:
            bitrate_bps, ssrcs = unpack_remb_fci(fci)
        except (ValueError, struct.error) as error:
            raise MalformedPacketError(f"malformed REMB: {error}") from error
        for ssrc in ssrcs:
            sender = self._senders.get(ssrc)
            if sender is not None and sender.on_remb is not None:
                sender.on_remb(bitrate_bps)

    def _send_rtp(self, data: bytearray) -> None:
        self.transport.send_rtp(data)

    def _send_rtcp(self, packets: Iterable[AnyRtcpPacket]) -> None:
        with contextlib.suppress(ConnectionError):  # it is lost, as it could be in UDP
            self.transport.send_rtcp(b"".join(map(bytes, packets)))

    # --- ICE

    @property
    def ice_connection(self) -> IceConnection:
        """The ICE connection that candidates belong to now: during a restart, the new one."""
        return self.transport.ice.negotiated

    async def add_remote_candidate(self, candidate: RTCIceCandidate) -> None:
        """Try a candidate of the browser's; an mDNS name is resolved first, which takes a while.

        Parameters
        ----------
        candidate : aiortc.RTCIceCandidate
            Of the ICE session that is negotiated now.
        """
        await self.ice_connection.add_remote_candidate(to_aioice(candidate))

    async def restart_ice(self, ufrag: str, pwd: str) -> None:
        """Begin an ICE restart; `ice_connection` is then what the browser must receive.

        Parameters
        ----------
        ufrag, pwd : str
            The browser's new ICE user name fragment and password.

        Raises
        ------
        ConnectionError
            There is no encrypted connection now.
        NoPortError
            Every UDP port that may be used is in use.
        """
        if not self.transport.connected:
            raise ConnectionError("there is no connection whose ICE could be restarted")
        await self.transport.ice.restart(ufrag, pwd)

    # --- end

    async def close(self) -> None:
        """End the connection; always returns within 4 s, and never raises.

        The browser is sent an RTCP BYE for each stream (RFC 3550, section 6.6), an SCTP ABORT and
        DTLS close_notify. Then all tasks, sockets and threads are released; what does not end in
        its time is logged and left behind.
        """
        if self._closing is None:
            self._closing = start(self._release(), "closing a connection")
        await asyncio.wait([self._closing])
        self._set_state("closed")

    async def _release(self) -> None:
        receivers = [s.receiver for s in self.sections if s.receiver is not None]
        for receiver in receivers:
            receiver.end()
        for step, limit_s, what in (
            (self._stop_sending(), STOP_SENDING_S, "stopping what a connection sends"),
            (self._say_goodbye(), SAY_GOODBYE_S, "sending RTCP BYE"),
            (_stop_all(receivers), STOP_RECEIVING_S, "stopping what a connection receives"),
            (self._close_channels(), CLOSE_CHANNELS_S, "closing data channels"),
            (self.transport.close_dtls(), CLOSE_DTLS_S, "closing DTLS"),
            (self.transport.ice.close(), CLOSE_ICE_S, "closing ICE"),
        ):
            await settle(step, limit_s, what)
        self.transport.ice.abort()

    async def _stop_sending(self) -> None:
        tasks = [task for task in (*self._tasks, self._feedback) if task is not None]
        for task in tasks:
            task.cancel()
        closing = start(self.transmitter.close(), "closing the pacer")
        await asyncio.gather(
            closing, _stop_all(self._senders.values()), *tasks, return_exceptions=True
        )

    async def _close_channels(self) -> None:
        if self._sctp is not None:
            await self._sctp.stop()

    async def _say_goodbye(self) -> None:
        """Send a BYE for each of our SSRCs, in one compound packet (RFC 3550, section 6.1)."""
        used = [section for section in self.sections if section.sender or section.receiver]
        ssrcs = [ssrc for section in used for ssrc in section.local_ssrcs]
        if not ssrcs:
            return
        name = RtcpSourceInfo(ssrc=ssrcs[0], items=[(1, self._cname.encode())])
        self._send_rtcp(
            [
                RtcpRrPacket(ssrc=ssrcs[0]),
                RtcpSdesPacket(chunks=[name]),
                # libwebrtc looks at the first source of a BYE only, so each has its own.
                *(RtcpByePacket(sources=[ssrc]) for ssrc in ssrcs),
            ]
        )

    def _on_data_channel(self, channel: RTCDataChannel) -> None:
        self.on_data_channel(channel)


async def _stop_all(streams: Iterable[Sender | Receiver]) -> None:
    await asyncio.gather(
        *(start(stream.stop(), "stopping a stream") for stream in streams), return_exceptions=True
    )
