"""One media section (m-line) of an offer: what of it is accepted, and its line of the answer."""

import random
import time
import uuid
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Literal

from aiortc import (
    MediaStreamTrack,
    RTCDtlsParameters,
    RTCIceCandidate,
    RTCIceParameters,
    RTCSctpCapabilities,
)
from aiortc.codecs import is_rtx
from aiortc.rtcrtpparameters import RTCRtcpFeedback, RTCRtpParameters
from aiortc.sdp import GroupDescription, MediaDescription, SessionDescription, SsrcDescription

from gaze.rtc.aiortc_ext import common_codecs
from gaze.rtc.congestion import twcc
from gaze.rtc.rtp import header_extensions
from gaze.rtc.rtp.sender_report_clock import NTP_EPOCH_S
from gaze.rtc.streams.receiver import AudioReceiver, VideoReceiver
from gaze.rtc.streams.sender import Sender

Direction = Literal["inactive", "sendonly", "recvonly", "sendrecv"]

DISCARD_HOST, DISCARD_PORT = "0.0.0.0", 9  # RFC 8840, section 4.1.1  # noqa: S104 - an address of an SDP line, not bound
MAX_DECLARED_SSRCS = 8  # per section; chosen by hand: a browser declares two
_ALWAYS_ACCEPTED = {
    "audio": (header_extensions.MID, header_extensions.AUDIO_LEVEL),
    "video": (header_extensions.MID, header_extensions.ABSOLUTE_SEND_TIME),
}


class MediaSection:
    """An audio or video section, answered in a direction of its own.

    Parameters
    ----------
    offered : aiortc.sdp.MediaDescription
        As offered, with a codec that is known here.

    Attributes
    ----------
    mid, kind : str
        Its identification tag, and "audio" or "video".
    direction : str
        Ours: "inactive", "sendonly", "recvonly" or "sendrecv".
    codecs : list of aiortc.RTCRtpCodecParameters
        That both sides have; the first is sent.
    extensions : list of aiortc.RTCRtpHeaderExtensionParameters
        RTP header extensions that are accepted.
    transport_feedback : bool
        Whether transport-wide congestion control feedback is accepted.
    ssrc, rtx_ssrc : int
        Of the stream that is sent, and of its retransmissions.
    sender : Sender or None
        If something is sent.
    receiver : VideoReceiver or AudioReceiver or None
        If something is received.
    """

    def __init__(self, offered: MediaDescription) -> None:
        self.offered = offered
        self.mid: str = offered.rtp.muxId
        self.kind: str = offered.kind
        self.direction: Direction = "inactive"
        self.codecs = common_codecs(offered)
        always = _ALWAYS_ACCEPTED[self.kind]
        self.extensions = [e for e in offered.rtp.headerExtensions if e.uri in always]
        self.transport_feedback = False
        self.ssrc = random.getrandbits(32)
        self.rtx_ssrc = random.getrandbits(32)
        self.sender: Sender | None = None
        self.receiver: VideoReceiver | AudioReceiver | None = None

    # --- negotiation

    def prefer_codec(self, name: str) -> None:
        """Put a codec first if both sides have it; the browser then sends it, too.

        Parameters
        ----------
        name : str
            "VP8" or "H264".
        """
        names: dict[Any, str] = {codec.payloadType: codec.name for codec in self.codecs}
        # A retransmission format goes with the codec that it is for.
        self.codecs.sort(
            key=lambda codec: names.get(codec.parameters.get("apt", codec.payloadType)) != name
        )

    def accept_extension(self, uri: str) -> int | None:
        """Accept an RTP header extension if it is offered.

        Parameters
        ----------
        uri : str
            Of the extension.

        Returns
        -------
        int or None
            Its id.
        """
        offered = self.offered.rtp.headerExtensions
        extension = next((one for one in offered if one.uri == uri), None)
        if extension is None:
            return None
        self.extensions = [one for one in self.extensions if one.uri != uri] + [extension]
        return extension.id

    def accept_transport_feedback(self) -> bool:
        """Accept transport-wide feedback if it is offered, in place of REMB.

        Returns
        -------
        bool
            Whether it was offered.
        """
        if self.accept_extension(twcc.EXTENSION_URI) is None:
            return False
        feedback = RTCRtcpFeedback(type="transport-cc")
        offering = {
            codec.payloadType for codec in self.offered.rtp.codecs if feedback in codec.rtcpFeedback
        }
        for codec in self.codecs:
            if codec.payloadType in offering:
                codec.rtcpFeedback.append(feedback)
        self.transport_feedback = True
        return True

    # --- streams

    @property
    def receives(self) -> bool:
        """Whether the browser sends to us."""
        return self.direction in ("recvonly", "sendrecv")

    @property
    def sends(self) -> bool:
        """Whether we send to the browser."""
        return self.direction in ("sendonly", "sendrecv")

    @property
    def remote_ssrcs(self) -> list[int]:
        """The SSRCs that the offer declares, those of retransmissions included, 8 at most."""
        return [one.ssrc for one in self.offered.ssrc[:MAX_DECLARED_SSRCS]]

    @property
    def repairs(self) -> dict[int, int]:
        """The SSRC of each offered stream, by that of its retransmissions (RFC 4588, 8.8)."""
        groups = [group.items for group in self.offered.ssrc_group if group.semantic == "FID"]
        pairs = [(int(pair[0]), int(pair[1])) for pair in groups if len(pair) == 2]
        ssrcs = self.remote_ssrcs
        if not pairs and len(ssrcs) == 2:
            pairs = [(ssrcs[0], ssrcs[1])]
        return {repair: original for original, repair in pairs}

    @property
    def local_ssrcs(self) -> list[int]:
        """Our own SSRCs that the browser may have heard of."""
        if self.sender is not None and any(map(is_rtx, self.codecs)):
            return [self.ssrc, self.rtx_ssrc]
        return [self.ssrc]

    # --- answer

    def describe(self, stream_id: str, cname: str) -> MediaDescription:
        """Return the section of the answer, without its transport.

        Parameters
        ----------
        stream_id : str
            Of the media stream that all sections belong to (RFC 8830).
        cname : str
            Canonical name of this end.
        """
        media = MediaDescription(
            kind=self.kind,
            port=DISCARD_PORT,
            profile="UDP/TLS/RTP/SAVPF",
            fmt=[codec.payloadType for codec in self.codecs],
        )
        track: MediaStreamTrack | None = None if self.sender is None else self.sender.track
        media.direction = self.direction
        media.msid = f"{stream_id} {uuid.uuid4() if track is None else track.id}"
        media.rtp = RTCRtpParameters(
            codecs=self.codecs, headerExtensions=self.extensions, muxId=self.mid
        )
        media.rtcp_host, media.rtcp_port, media.rtcp_mux = DISCARD_HOST, DISCARD_PORT, True
        media.ssrc = [SsrcDescription(ssrc=self.ssrc, cname=cname)]
        if any(map(is_rtx, self.codecs)):
            media.ssrc.append(SsrcDescription(ssrc=self.rtx_ssrc, cname=cname))
            media.ssrc_group = [GroupDescription("FID", [self.ssrc, self.rtx_ssrc])]
        return media


@dataclass(frozen=True, slots=True)
class LocalTransport:
    """What the answer says of the bundled transport.

    Attributes
    ----------
    candidates : list of aiortc.RTCIceCandidate
        All that were gathered.
    ice : aiortc.RTCIceParameters
        User name fragment and password.
    dtls : aiortc.RTCDtlsParameters
        Certificate fingerprints and our role.
    """

    candidates: list[RTCIceCandidate]
    ice: RTCIceParameters
    dtls: RTCDtlsParameters = field(default_factory=RTCDtlsParameters)

    def describe(self, media: MediaDescription) -> None:
        """Write it into a section of the answer.

        Parameters
        ----------
        media : aiortc.sdp.MediaDescription
            The section.
        """
        media.ice_candidates = self.candidates
        media.ice_candidates_complete = True
        media.ice = self.ice
        media.dtls = self.dtls
        if self.candidates:
            media.host, media.port = self.candidates[0].ip, self.candidates[0].port
        else:
            media.host, media.port = DISCARD_HOST, DISCARD_PORT


def describe_data_channels(
    mid: str, port: int, capabilities: RTCSctpCapabilities
) -> MediaDescription:
    """Return the section of the answer for data channels (RFC 8841), without its transport.

    Parameters
    ----------
    mid : str
        Its identification tag.
    port : int
        Of SCTP.
    capabilities : aiortc.RTCSctpCapabilities
        The longest message that is taken.
    """
    media = MediaDescription(
        kind="application",
        port=DISCARD_PORT,
        profile="UDP/DTLS/SCTP",
        fmt=["webrtc-datachannel"],
    )
    media.sctp_port, media.sctpCapabilities = port, capabilities
    media.rtp.muxId = mid
    return media


def write_answer(sections: Iterable[MediaDescription], transport: LocalTransport) -> str:
    """Write the answer (RFC 8829, section 5.3.1).

    Parameters
    ----------
    sections : iterable of aiortc.sdp.MediaDescription
        In the offer's order.
    transport : LocalTransport
        What all sections are bundled on.

    Returns
    -------
    str
        SDP.
    """
    description = SessionDescription()
    seconds = int(time.time()) + NTP_EPOCH_S
    description.origin = f"- {seconds} {seconds} IN IP4 0.0.0.0"
    description.msid_semantic.append(GroupDescription("WMS", ["*"]))
    description.type = "answer"
    for media in sections:
        transport.describe(media)
        description.media.append(media)
    mids: list[int | str] = [media.rtp.muxId for media in description.media]
    description.group.append(GroupDescription("BUNDLE", mids))
    return str(description)
