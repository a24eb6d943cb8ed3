"""The bitrate that the packet losses allow (draft-ietf-rmcat-gcc-02, section 6).

Added to the draft: random loss of the network path itself (radio), which stays when the bitrate
falls, is no reason to send less.
"""

import math
from collections import deque

from gaze.rtc.congestion.packet_results import PacketResult

HIGH_LOSS = 0.10  # draft-ietf-rmcat-gcc-02, section 6: decrease above,
LOW_LOSS = 0.02  # increase below
INCREASE = 1.08  # a window; libwebrtc's send_side_bandwidth_estimation.cc, the draft has 1.05
# Tuned on simulation.network.scripted (tests/rtc/congestion/test_send_side_bwe.py: links with 1, 5
# and 10 % of random loss, and a policer).
WINDOW_S = 1.0
MIN_WINDOW_PACKETS = 20
HISTORY_WINDOWS = 10  # whose least loss is taken for the path's own
MAX_PATH_LOSS = 0.25  # a path that loses more by itself carries no film


class LossBasedBwe:
    """Cuts the bitrate by half of the loss that it causes itself.

    That is the loss beyond the least of the last ten windows. Above 10 % the bitrate is cut by half
    of it; below 2 % (or half the path's own loss) the bitrate may rise again by 8 % a window.

    Attributes
    ----------
    rate_bps : float
        The bitrate in bit/s that the losses allow.
    loss : float
        Share of packets lost in the last complete window, 0 to 1.
    """

    def __init__(self, min_bps: float, max_bps: float) -> None:
        """Begin with the highest bitrate.

        Parameters
        ----------
        min_bps, max_bps : float
            Limits in bit/s.
        """
        self.rate_bps = max_bps
        self.loss = 0.0
        self._min_bps = min_bps
        self._max_bps = max_bps
        self._lost = 0
        self._packets = 0
        self._window_start_s: float | None = None
        self._ignored_until_s = -math.inf
        self._window_losses = deque([0.0], maxlen=HISTORY_WINDOWS)

    def add(self, result: PacketResult) -> None:
        """Count a packet; one that arrives after its loss was reported was not lost.

        Parameters
        ----------
        result : PacketResult
            What feedback says of it.
        """
        if result.sent_s < self._ignored_until_s:
            return
        if result.arrival_s is None:
            self._lost += 1
            self._packets += 1
        elif result.reported_lost:
            self._lost = max(0, self._lost - 1)
        else:
            self._packets += 1

    def ignore_before(self, t_s: float) -> None:
        """Count no losses of packets sent before a time: the bitrate was cut for another reason.

        Parameters
        ----------
        t_s : float
            In seconds; also begins a new window.
        """
        self._ignored_until_s = t_s
        self._window_start_s, self._lost, self._packets = t_s, 0, 0

    def update(self, sending_bps: float, t_s: float) -> None:
        """Evaluate the window if it is complete.

        Parameters
        ----------
        sending_bps : float
            The bitrate in force, in bit/s.
        t_s : float
            Now, in seconds.
        """
        if self._window_start_s is None:
            self._window_start_s = t_s
        if t_s - self._window_start_s < WINDOW_S or self._packets < MIN_WINDOW_PACKETS:
            return
        self.loss = self._lost / self._packets
        self._window_start_s, self._lost, self._packets = t_s, 0, 0
        self._window_losses.append(self.loss)
        path_loss = min(min(self._window_losses), MAX_PATH_LOSS)
        own_loss = self.loss - path_loss
        if own_loss > HIGH_LOSS:
            cut_bps = min(self.rate_bps, sending_bps) * (1 - own_loss / 2)
            self.rate_bps = max(cut_bps, self._min_bps)
        elif own_loss < LOW_LOSS or own_loss < path_loss / 2:
            self.rate_bps = min(self.rate_bps * INCREASE, self._max_bps)

    def on_probe_result(self, rate_bps: float) -> None:
        """Raise the bitrate to the one that a probe cluster arrived with.

        Parameters
        ----------
        rate_bps : float
            In bit/s; a lower one than the present changes nothing.
        """
        self.rate_bps = max(self.rate_bps, rate_bps)
