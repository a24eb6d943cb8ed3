"""What a receiver report says of one stream (RFC 3550, 6.4.1 and appendices A.3, A.8)."""

from aiortc.rtp import RtcpReceiverInfo, RtpPacket

_MAX_LOST, _MIN_LOST = (1 << 23) - 1, -(1 << 23)  # 24 bits with sign
_MAX_DELAY_S = 65_536.0  # 16.16 bits


class ReceptionStatistics:
    """Counts one SSRC's packets: losses, interarrival jitter, and the sender's last report.

    Parameters
    ----------
    rate_hz : int
        RTP clock rate.
    """

    def __init__(self, rate_hz: int) -> None:
        self.received = 0
        self._rate_hz = rate_hz
        self._first: int | None = None
        self._highest = 0  # extended by the cycles
        self._transit = 0
        self._timestamp = 0
        self._jitter_q4 = 0
        self._expected_prior = self._received_prior = 0
        self._last_report: tuple[int, float] | None = None

    def add(self, packet: RtpPacket, arrival_s: float) -> None:
        """Count a packet.

        Parameters
        ----------
        packet : aiortc.rtp.RtpPacket
            The packet; retransmissions and duplicates count too.
        arrival_s : float
            Monotonic time of its arrival.
        """
        self.received += 1
        number = packet.sequence_number
        if self._first is None:
            self._first = self._highest = number
            ahead = 1
        else:
            ahead = (number - self._highest) & 0xFFFF
        if not 0 < ahead < 0x8000:
            return
        if self.received > 1:
            self._highest += ahead
        transit = int(arrival_s * self._rate_hz) - packet.timestamp
        if self.received > 1 and packet.timestamp != self._timestamp:
            moved = (transit - self._transit) & 0xFFFFFFFF
            moved = min(moved, 0x100000000 - moved)
            self._jitter_q4 += moved - ((self._jitter_q4 + 8) >> 4)
        self._transit, self._timestamp = transit, packet.timestamp

    def on_sender_report(self, ntp_timestamp: int, now_s: float) -> None:
        """Note the sender's report.

        Parameters
        ----------
        ntp_timestamp : int
            64 bits, from the report.
        now_s : float
            Monotonic time.
        """
        self._last_report = ntp_timestamp >> 16 & 0xFFFFFFFF, now_s

    @property
    def lost(self) -> int:
        """Packets expected but not received; negative where duplicates outnumber losses."""
        if self._first is None:
            return 0
        return self._highest - self._first + 1 - self.received

    def report(self, ssrc: int, now_s: float) -> RtcpReceiverInfo:
        """Make the report block; the lost fraction is that since the last one.

        Parameters
        ----------
        ssrc : int
            Of the stream.
        now_s : float
            Monotonic time.

        Returns
        -------
        aiortc.rtp.RtcpReceiverInfo
            The block.
        """
        expected = self.received + self.lost
        interval = expected - self._expected_prior
        lost = interval - (self.received - self._received_prior)
        self._expected_prior, self._received_prior = expected, self.received
        last, delay = 0, 0
        if self._last_report is not None:
            last, since_s = self._last_report
            if 0 <= now_s - since_s < _MAX_DELAY_S:
                delay = int((now_s - since_s) * 65_536)
        return RtcpReceiverInfo(
            ssrc=ssrc,
            fraction_lost=min(255, (lost << 8) // interval) if interval > 0 and lost > 0 else 0,
            packets_lost=max(_MIN_LOST, min(self.lost, _MAX_LOST)),
            highest_sequence=self._highest & 0xFFFFFFFF,
            jitter=self._jitter_q4 >> 4 & 0xFFFFFFFF,
            lsr=last,
            dlsr=delay,
        )
