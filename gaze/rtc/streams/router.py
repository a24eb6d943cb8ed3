"""Finds the receiver that an RTP packet of a bundled transport is for (RFC 9143, section 9.2)."""

from typing import Generic, Protocol, TypeVar

from aiortc.rtp import RtpPacket

MAX_LEARNED_SSRCS = 64  # chosen by hand: three media sections with retransmissions have six


class RtpReceiver(Protocol):
    """What the router needs of a receiver."""

    def forget(self, ssrc: int) -> None:
        """Drop what is known of an SSRC."""


R = TypeVar("R", bound=RtpReceiver)


class Router(Generic[R]):
    """Knows receivers by mid, SSRC and payload type.

    SSRCs that the offer declares are kept; of those that packets introduce, only the newest 64.
    """

    def __init__(self) -> None:
        self._by_mid: dict[str, R] = {}
        self._by_ssrc: dict[int, R] = {}
        self._by_payload_type: dict[int, list[R]] = {}
        self._learned: dict[int, None] = {}  # SSRCs, the oldest first
        self._routes: dict[tuple[int, int], R] = {}  # by SSRC and payload type

    def add(self, receiver: R, mid: str, ssrcs: list[int], payload_types: list[int]) -> None:
        """Send packets to a receiver from now on.

        Parameters
        ----------
        receiver : RtpReceiver
            Of one media section.
        mid : str
            Of that media section.
        ssrcs : list of int
            Declared in the offer, those of retransmissions included.
        payload_types : list of int
            In the answer.
        """
        self._by_mid[mid] = receiver
        for ssrc in ssrcs:
            self._by_ssrc[ssrc] = receiver
        for payload_type in payload_types:
            self._by_payload_type.setdefault(payload_type, []).append(receiver)
        self._routes.clear()

    def receiver_of(self, ssrc: int) -> R | None:
        """Return the receiver of an SSRC, if it is known.

        Parameters
        ----------
        ssrc : int
            From a sender report, for example.
        """
        return self._by_ssrc.get(ssrc)

    def route(self, packet: RtpPacket) -> R | None:
        """Return the receiver of a packet, if there is one.

        Parameters
        ----------
        packet : aiortc.rtp.RtpPacket
            Its `mid` extension introduces an unknown SSRC, or its payload type, if that is only
            one receiver's.
        """
        key = packet.ssrc, packet.payload_type
        receiver = self._routes.get(key)
        if receiver is not None:
            return receiver
        candidates = self._by_payload_type.get(packet.payload_type, [])
        receiver = self._by_ssrc.get(packet.ssrc)
        if receiver is None:
            receiver = self._by_mid.get(packet.extensions.mid or "")
            if receiver is None and len(candidates) == 1:
                receiver = candidates[0]
            if receiver is None or receiver not in candidates:
                return None
            self._learn(packet.ssrc, receiver)
        elif receiver not in candidates:
            return None
        self._routes[key] = receiver
        return receiver

    def _learn(self, ssrc: int, receiver: R) -> None:
        self._by_ssrc[ssrc] = receiver
        self._learned[ssrc] = None
        if len(self._learned) > MAX_LEARNED_SSRCS:
            oldest = next(iter(self._learned))
            del self._learned[oldest]
            self._by_ssrc.pop(oldest).forget(oldest)
            self._routes.clear()
