"""How many bits a second the server sends: a policy over the browser's RTCP reports.

Until the server estimates the way itself, it has two witnesses. Receiver reports (RFC 3550) tell
the share of packets lost. REMB (draft-alvestrand-rmcat-remb-03) is the browser's estimate, which
is bounded by what it was sent: it starts low and rises by 8 % a second even on an idle link.
So the target
- starts at a fixed rate, and is never outside [min, max];
- is cut by half the loss share when a report shows more than 5 % of packets lost;
- is cut to REMB when REMB was below it for 2 s on end while we really sent near the target
  (a low estimate while little was sent is no congestion);
- otherwise rises by 8 % a second while we send near it and at most 2 % of packets are lost, but
  not past a REMB that is above it.
"""

from collections import deque

LOSS_BAD = 0.05
LOSS_GOOD = 0.02
NEAR = 0.8
REMB_PATIENCE_S = 2.0
RISE_PER_S = 1.08
CUT_EVERY_S = 0.5
RATE_WINDOW_S = 1.0


class Rate:
    """Bits a second over about the last second, from a growing count of bytes."""

    def __init__(self) -> None:
        self._samples: deque[tuple[float, int]] = deque()

    def update(self, total_bytes: int, t_s: float) -> float:
        """Note the count now and return the rate in bit/s (0 until there are two samples)."""
        self._samples.append((t_s, total_bytes))
        while len(self._samples) > 2 and t_s - self._samples[1][0] >= RATE_WINDOW_S:
            self._samples.popleft()
        then_s, then_bytes = self._samples[0]
        return 8 * (total_bytes - then_bytes) / (t_s - then_s) if t_s > then_s else 0.0


class SendBitrate:
    """The target bitrate in bit/s; told of reports with their time, it never asks for the time."""

    def __init__(self, start_bps: int, min_bps: int, max_bps: int) -> None:
        self.target_bps = float(min(max(start_bps, min_bps), max_bps))
        self.remb_bps: float | None = None
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._loss = 0.0
        self._low_since_s: float | None = None
        self._cut_s: float | None = None
        self._risen_s: float | None = None

    def on_loss(self, fraction: float, sent_bps: float, t_s: float) -> None:
        """A receiver report: the share of packets (0..1) lost since the last one."""
        self._loss = fraction
        if fraction > LOSS_BAD:
            if self._cut_s is None or t_s - self._cut_s >= CUT_EVERY_S:
                self._cut_s = t_s
                self._set(self.target_bps * (1 - fraction / 2))
            self._risen_s = t_s
        else:
            self._rise(sent_bps, t_s)

    def on_remb(self, remb_bps: float, sent_bps: float, t_s: float) -> None:
        """The browser's estimate of what the way to it can carry."""
        self.remb_bps = remb_bps
        if remb_bps >= self.target_bps or sent_bps < NEAR * self.target_bps:
            self._low_since_s = None
            self._rise(sent_bps, t_s)
            return
        self._risen_s = t_s
        if self._low_since_s is None:
            self._low_since_s = t_s
        if t_s - self._low_since_s >= REMB_PATIENCE_S:
            self._low_since_s = None
            self._set(remb_bps)

    def _rise(self, sent_bps: float, t_s: float) -> None:
        since_s = self._risen_s
        self._risen_s = t_s
        if since_s is None or self._loss > LOSS_GOOD or sent_bps < NEAR * self.target_bps:
            return
        ceiling = self._max_bps if self.remb_bps is None else max(self.remb_bps, self.target_bps)
        self._set(min(self.target_bps * RISE_PER_S ** min(t_s - since_s, 1.0), ceiling))

    def _set(self, target_bps: float) -> None:
        self.target_bps = min(max(target_bps, self._min_bps), self._max_bps)
