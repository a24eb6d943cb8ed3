"""RTP header extensions (RFC 8285): those that the server sends, and what they hold."""

import struct
from collections.abc import Mapping

from gaze.rtc.congestion import twcc

TRANSPORT_SEQUENCE_NUMBER = twcc.EXTENSION_URI
MID = "urn:ietf:params:rtp-hdrext:sdes:mid"  # RFC 9143, section 15
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"  # RFC 6464
ABSOLUTE_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"  # 3GPP TS 26.114, section 7.4.5

IMMEDIATE_PLAYOUT_MS = (0, 100)
"""Least and most playout delay of a film. With a least of 0 Chromium shows each frame as soon as it
is decoded."""
SMOOTH_PLAYOUT_MS = (10, 400)
"""The same on a network path that loses packets: frames that waited for a retransmission would be
shown in bursts, of which only the last is seen. Any other least makes Chromium smooth by what it
measures. Tuned by `python -m benchmarks.network --who chromium --scenarios loss_1,loss_5`."""

SILENCE_LEVEL = 127  # RFC 6464, in -dBov
MAX_ONE_BYTE_ID = 14  # RFC 8285, section 4.2
_ONE_BYTE_PROFILE, _TWO_BYTE_PROFILE = 0xBEDE, 0x1000


class ExtensionBlock:
    """The header extensions of a stream's packets, serialised once.

    Attributes
    ----------
    data : bytes
        The extension block with its header; empty if there is none.
    transport_number_offset : int or None
        Where in it the transport-wide sequence number is (2 bytes), if it is negotiated.
    send_time_offset : int or None
        Where the absolute send time is (3 bytes).
    audio_level_offset : int or None
        Where the audio level is (1 byte).
    """

    def __init__(self, ids: Mapping[str, int], mid: str) -> None:
        """Serialise the negotiated extensions.

        Parameters
        ----------
        ids : mapping of str to int
            The id of each negotiated extension by its URI.
        mid : str
            The m-line's identification tag.
        """
        values = {
            TRANSPORT_SEQUENCE_NUMBER: bytes(2),
            ABSOLUTE_SEND_TIME: bytes(3),
            AUDIO_LEVEL: bytes([SILENCE_LEVEL]),
            MID: mid.encode(),
            PLAYOUT_DELAY: playout_delay(*IMMEDIATE_PLAYOUT_MS),
        }
        negotiated = {uri: value for uri, value in values.items() if uri in ids}
        one_byte = all(
            ids[uri] <= MAX_ONE_BYTE_ID and 1 <= len(value) <= 16
            for uri, value in negotiated.items()
        )
        body = bytearray()
        offsets: dict[str, int] = {}
        for uri, value in negotiated.items():
            if one_byte:
                body.append(ids[uri] << 4 | len(value) - 1)
            else:
                body += bytes([ids[uri], len(value)])
            offsets[uri] = 4 + len(body)
            body += value
        body += bytes(-len(body) % 4)
        profile = _ONE_BYTE_PROFILE if one_byte else _TWO_BYTE_PROFILE
        header = struct.pack("!HH", profile, len(body) // 4)
        self.data = header + bytes(body) if negotiated else b""
        self.transport_number_offset = offsets.get(TRANSPORT_SEQUENCE_NUMBER)
        self.send_time_offset = offsets.get(ABSOLUTE_SEND_TIME)
        self.audio_level_offset = offsets.get(AUDIO_LEVEL)
        self._playout_delay_offset = offsets.get(PLAYOUT_DELAY)

    def set_playout_delay(self, min_ms: int, max_ms: int) -> None:
        """Change the playout delay of later packets, if it is negotiated.

        Parameters
        ----------
        min_ms : int
            Least delay, a multiple of 10 ms.
        max_ms : int
            Most delay, a multiple of 10 ms.
        """
        if (at := self._playout_delay_offset) is not None:
            self.data = self.data[:at] + playout_delay(min_ms, max_ms) + self.data[at + 3 :]


def absolute_send_time(t_s: float) -> bytes:
    """Serialise an absolute send time.

    Parameters
    ----------
    t_s : float
        In seconds.

    Returns
    -------
    bytes
        6.18 bits of fixed point, modulo 64 s.
    """
    return (round(t_s * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")


def playout_delay(min_ms: int, max_ms: int) -> bytes:
    """Serialise a playout delay.

    Parameters
    ----------
    min_ms : int
        Least delay of a frame between its capture and its rendering, below 41 s.
    max_ms : int
        Most delay.

    Returns
    -------
    bytes
        12 bits each, in units of 10 ms.
    """
    return (min_ms // 10 << 12 | max_ms // 10).to_bytes(3, "big")


def clockwise_degrees(orientation: int) -> int:
    """Read a `video-orientation` extension.

    Parameters
    ----------
    orientation : int
        The byte `0000CFRR` (3GPP TS 26.114, section 7.4.5). R is the rotation in quarters,
        clockwise as seen by who shows the frame. The camera (C) does not matter, and no browser
        sends flips (F).

    Returns
    -------
    int
        The rotation that makes the frame upright: 0, 90, 180 or 270 degrees clockwise.
    """
    return 90 * (orientation & 3)
