"""The target bitrate for browsers without transport-wide feedback: a policy over RTCP reports.

Receiver reports (RFC 3550) tell the share of packets lost. REMB (draft-alvestrand-rmcat-remb-03) is
the browser's own estimate, which is bounded by what it was sent: it starts low and rises by 8 % a
second even on an idle link. So the target

- starts at a fixed bitrate, and is never outside its limits;
- is cut by half the loss when a report shows more than 5 % of packets lost;
- is cut to REMB when REMB was below it for 2 s on end while nearly the target was sent (a low
  estimate while little was sent is no congestion);
- otherwise rises by 8 % a second while nearly the target is sent and at most 2 % of packets are
  lost, but not past a REMB that is above it.
"""

# The shape is that of libwebrtc's send_side_bandwidth_estimation.cc (loss of 2 and 10 %, half the
# loss, 8 % a second). The figures below were chosen by hand; no benchmark covers them.
HIGH_LOSS = 0.05
LOW_LOSS = 0.02
NEAR_TARGET = 0.8
REMB_PATIENCE_S = 2.0
INCREASE_PER_S = 1.08
MAX_INCREASE_INTERVAL_S = 1.0
DECREASE_INTERVAL_S = 0.5


class RtcpReportBwe:
    """The target bitrate by receiver reports and REMB.

    Attributes
    ----------
    target_bps : float
        In bit/s.
    remb_bps : float or None
        The newest REMB in bit/s, None before the first.
    """

    def __init__(self, start_bps: int, min_bps: int, max_bps: int) -> None:
        """Begin without a report.

        Parameters
        ----------
        start_bps : int
            The first bitrate, in bit/s.
        min_bps, max_bps : int
            Limits in bit/s.
        """
        self.target_bps = float(min(max(start_bps, min_bps), max_bps))
        self.remb_bps: float | None = None
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._loss = 0.0
        self._low_since_s: float | None = None
        self._decrease_s: float | None = None
        self._increase_s: float | None = None

    def on_loss(self, loss: float, sent_bps: float, t_s: float) -> None:
        """Take a receiver report.

        Parameters
        ----------
        loss : float
            Share of packets lost since the last report, 0 to 1.
        sent_bps : float
            What was sent lately, in bit/s.
        t_s : float
            Now, in seconds.
        """
        self._loss = loss
        if loss > HIGH_LOSS:
            if self._decrease_s is None or t_s - self._decrease_s >= DECREASE_INTERVAL_S:
                self._decrease_s = t_s
                self._set(self.target_bps * (1 - loss / 2))
            self._increase_s = t_s
        else:
            self._increase(sent_bps, t_s)

    def on_remb(self, remb_bps: float, sent_bps: float, t_s: float) -> None:
        """Take a REMB message.

        Parameters
        ----------
        remb_bps : float
            The receiver's estimate, in bit/s.
        sent_bps : float
            What was sent lately, in bit/s.
        t_s : float
            Now, in seconds.
        """
        self.remb_bps = remb_bps
        if remb_bps >= self.target_bps or sent_bps < NEAR_TARGET * self.target_bps:
            self._low_since_s = None
            self._increase(sent_bps, t_s)
            return
        self._increase_s = t_s
        if self._low_since_s is None:
            self._low_since_s = t_s
        if t_s - self._low_since_s >= REMB_PATIENCE_S:
            self._low_since_s = None
            self._set(remb_bps)

    def _increase(self, sent_bps: float, t_s: float) -> None:
        last_s = self._increase_s
        self._increase_s = t_s
        if last_s is None or self._loss > LOW_LOSS or sent_bps < NEAR_TARGET * self.target_bps:
            return
        ceiling = self._max_bps if self.remb_bps is None else max(self.remb_bps, self.target_bps)
        interval_s = min(t_s - last_s, MAX_INCREASE_INTERVAL_S)
        self._set(min(self.target_bps * INCREASE_PER_S**interval_s, ceiling))

    def _set(self, target_bps: float) -> None:
        self.target_bps = min(max(target_bps, self._min_bps), self._max_bps)
