"""aiortc's codec negotiation and packetizers."""

from aiortc import RTCRtpCodecParameters
from aiortc.codecs import CODECS
from aiortc.codecs.h264 import H264Encoder
from aiortc.codecs.vpx import Vp8Encoder
from aiortc.rtcpeerconnection import find_common_codecs
from aiortc.sdp import MediaDescription


def common_codecs(media: MediaDescription) -> list[RTCRtpCodecParameters]:
    """Return copies of the codecs that an offered media section and aiortc share.

    Parameters
    ----------
    media : aiortc.sdp.MediaDescription
        As offered.

    Returns
    -------
    list of aiortc.RTCRtpCodecParameters
        In the offer's order, with its payload types and the feedback that both sides have.
    """
    return find_common_codecs(CODECS.get(media.kind, []), media.rtp.codecs)


def packetize_vp8(data: bytes, picture_id: int) -> list[bytes]:
    """Return the RTP payloads of an encoded VP8 frame (RFC 7741).

    Parameters
    ----------
    data : bytes
        The frame.
    picture_id : int
        15 bits.
    """
    return Vp8Encoder._packetize(data, picture_id)


def packetize_h264(data: bytes) -> list[bytes]:
    """Return the RTP payloads of an H.264 access unit (RFC 6184).

    Parameters
    ----------
    data : bytes
        In Annex B format.
    """
    return H264Encoder._packetize(H264Encoder._split_bitstream(data))
