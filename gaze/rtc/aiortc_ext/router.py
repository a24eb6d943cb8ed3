"""Sees every RTP and RTCP packet of a transport on its way to receivers and senders."""

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from aiortc.rtcdtlstransport import RtpRouter
from aiortc.rtp import (
    RTCP_PSFB_APP,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpSrPacket,
    RtpPacket,
    unpack_remb_fci,
)

from gaze.rtc.rtp.rtp_time import RtpTimes

MAX_ROUTES = 1024


@dataclass(slots=True)
class Counter:
    """Packets and payload bytes."""

    packets: int = 0
    bytes: int = 0


@dataclass(frozen=True, slots=True)
class Report:
    """What the browser says of a stream that we send."""

    loss: float | None
    remb_bps: int | None


class Router(RtpRouter):
    """Counts what is received, and hears the browser's reports."""

    def __init__(self) -> None:
        super().__init__()
        self.received: dict[Any, Counter] = {}
        self.on_report: dict[int, Callable[[Report], None]] = {}
        self.captures = RtpTimes()
        self._routes: dict[tuple[int, int], tuple[Any, Counter]] = {}  # by SSRC and payload type

    def register_receiver(
        self, receiver: Any, ssrcs: list[int], payload_types: list[int], mid: str | None = None
    ) -> None:
        # aiortc forgets the retransmissions' SSRCs, so that with two video receivers on one
        # transport it could not tell whose they are and dropped them.
        rtx_ssrcs = list(receiver._RTCRtpReceiver__rtx_ssrc)
        super().register_receiver(receiver, ssrcs + rtx_ssrcs, payload_types, mid)
        self._routes.clear()

    def unregister_receiver(self, receiver: Any) -> None:
        super().unregister_receiver(receiver)
        self._routes.clear()

    def route_rtp(self, packet: RtpPacket) -> Any:
        route = self._routes.get((packet.ssrc, packet.payload_type))
        if route is None:
            if packet.ssrc not in self.ssrc_table and packet.extensions.mid in self.mid_table:
                self.ssrc_table[packet.ssrc] = self.mid_table[packet.extensions.mid]
            receiver = super().route_rtp(packet)
            if receiver is None:
                return None
            route = receiver, self.received.setdefault(receiver, Counter())
            if len(self._routes) < MAX_ROUTES:
                self._routes[packet.ssrc, packet.payload_type] = route
        receiver, counter = route
        counter.packets += 1
        counter.bytes += len(packet.payload)
        return receiver

    def route_rtcp(self, packet: AnyRtcpPacket) -> set[Any]:
        if isinstance(packet, RtcpByePacket):
            # Browsers say goodbye when a stream rests; aiortc would stop decoding for good.
            return set()
        if isinstance(packet, RtcpSrPacket):
            info = packet.sender_info
            self.captures.on_report(
                packet.ssrc, info.ntp_timestamp, info.rtp_timestamp, time.monotonic()
            )
        if isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for reception in packet.reports:
                if callback := self.on_report.get(reception.ssrc):
                    callback(Report(loss=reception.fraction_lost / 256, remb_bps=None))
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt == RTCP_PSFB_APP:
            try:
                bitrate_bps, ssrcs = unpack_remb_fci(packet.fci)
            except ValueError:
                return set()
            for ssrc in ssrcs:
                if callback := self.on_report.get(ssrc):
                    callback(Report(loss=None, remb_bps=bitrate_bps))
        return super().route_rtcp(packet)
