"""RTP header extensions (RFC 8285): those that the server sends, and what they hold."""

import struct
from collections.abc import Mapping

from gaze.rtc.congestion.twcc import EXTENSION_URI as TRANSPORT_NUMBER

MID = "urn:ietf:params:rtp-hdrext:sdes:mid"
AUDIO_LEVEL = "urn:ietf:params:rtp-hdrext:ssrc-audio-level"
ABSOLUTE_SEND_TIME = "http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time"
PLAYOUT_DELAY = "http://www.webrtc.org/experiments/rtp-hdrext/playout-delay"
VIDEO_ORIENTATION = "urn:3gpp:video-orientation"

AT_ONCE_MS = (0, 100)
"""What the browser may hold a frame of the film back for. A least of 0 lets Chromium show each
frame as soon as it is decoded."""
SMOOTHED_MS = (10, 400)
"""The same for a way that loses packets: frames that waited for a repeat would come in bursts, of
which only the last is seen. Any other least makes Chromium smooth by what it measures."""

_ONE_BYTE, _TWO_BYTE = 0xBEDE, 0x1000


class Block:
    """The header extensions of a stream's packets, serialised once.

    Attributes:
        data: the extension block with its header; empty if there is none.
        number_at: where in it the transport-wide number goes (2 bytes).
        time_at: where the absolute send time goes (3 bytes).
        level_at: where the audio level goes (1 byte).
    """

    def __init__(self, ids: Mapping[str, int], mid: str) -> None:
        """Take the ids of the negotiated extensions by URI, and the m-line's mid."""
        values = {
            TRANSPORT_NUMBER: bytes(2),
            ABSOLUTE_SEND_TIME: bytes(3),
            AUDIO_LEVEL: bytes([127]),
            MID: mid.encode(),
            PLAYOUT_DELAY: playout_delay(*AT_ONCE_MS),
        }
        here = {uri: value for uri, value in values.items() if uri in ids}
        short = all(ids[uri] <= 14 and 1 <= len(value) <= 16 for uri, value in here.items())
        body = bytearray()
        places: dict[str, int] = {}
        for uri, value in here.items():
            if short:
                body.append(ids[uri] << 4 | len(value) - 1)
            else:
                body += bytes([ids[uri], len(value)])
            places[uri] = 4 + len(body)
            body += value
        body += bytes(-len(body) % 4)
        head = struct.pack("!HH", _ONE_BYTE if short else _TWO_BYTE, len(body) // 4)
        self.data = head + bytes(body) if here else b""
        self.number_at = places.get(TRANSPORT_NUMBER)
        self.time_at = places.get(ABSOLUTE_SEND_TIME)
        self.level_at = places.get(AUDIO_LEVEL)
        self._playout_at = places.get(PLAYOUT_DELAY)

    def set_playout_delay(self, least_ms: int, most_ms: int) -> None:
        """Change it in what is sent from now on, if it is negotiated."""
        if (at := self._playout_at) is not None:
            self.data = self.data[:at] + playout_delay(least_ms, most_ms) + self.data[at + 3 :]


def absolute_send_time(t_s: float) -> bytes:
    """Seconds as 6.18 bits of fixed point, modulo 64 s."""
    return (round(t_s * (1 << 18)) & 0xFFFFFF).to_bytes(3, "big")


def playout_delay(least_ms: int, most_ms: int) -> bytes:
    """The least and the most that a frame may be held back for, 12 bits each, in 10 ms."""
    return (least_ms // 10 << 12 | most_ms // 10).to_bytes(3, "big")


def clockwise_degrees(orientation: int) -> int:
    """What a frame with this `video-orientation` must be turned by to be upright: 0, 90, 180, 270.

    The byte is `0000CFRR` (3GPP TS 26.114, 7.4.5): R is the turn in quarters, clockwise as seen by
    who shows it. The camera (C) does not matter, and flips (F) are sent by nobody.
    """
    return 90 * (orientation & 3)
