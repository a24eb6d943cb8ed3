"""ICE candidates between aioice, which connects by them, and aiortc, which writes them into SDP."""

from aioice import Candidate
from aiortc import RTCIceCandidate


def from_aioice(candidate: Candidate) -> RTCIceCandidate:
    """Convert a candidate.

    Parameters
    ----------
    candidate : aioice.Candidate
        As aioice has it.

    Returns
    -------
    aiortc.RTCIceCandidate
        As aiortc writes it into SDP.
    """
    return RTCIceCandidate(
        component=candidate.component,
        foundation=candidate.foundation,
        ip=candidate.host,
        port=candidate.port,
        priority=candidate.priority,
        protocol=candidate.transport,
        type=candidate.type,
        relatedAddress=candidate.related_address,
        relatedPort=candidate.related_port,
        tcpType=candidate.tcptype,
    )


def to_aioice(candidate: RTCIceCandidate) -> Candidate:
    """Convert a candidate.

    Parameters
    ----------
    candidate : aiortc.RTCIceCandidate
        As it was read from SDP.

    Returns
    -------
    aioice.Candidate
        As aioice has it.
    """
    return Candidate(
        foundation=candidate.foundation,
        component=candidate.component,
        transport=candidate.protocol,
        priority=candidate.priority,
        host=candidate.ip,
        port=candidate.port,
        type=candidate.type,
        related_address=candidate.relatedAddress,
        related_port=candidate.relatedPort,
        tcptype=candidate.tcpType,
    )
