"""How long packets wait in the queue of the bottleneck: their one-way delay beyond the base delay.

The base delay is the least one seen lately, as in LEDBAT (RFC 6817, section 3.4.2).
"""

from collections.abc import Iterable

from gaze.rtc.congestion.windowed_minimum import WindowedMinimum


class QueueDelay:
    """The queueing delay of a network path.

    Attributes
    ----------
    delay_s : float
        In seconds, as of the last feedback; 0 before the first.
    """

    def __init__(self) -> None:
        self.delay_s = 0.0
        self._base = WindowedMinimum()

    def update(self, delays_s: Iterable[float], t_s: float) -> None:
        """Take the delays of the packets of one feedback message.

        The least of them counts, so that jitter of single packets is no queue.

        Parameters
        ----------
        delays_s : iterable of float
            Arrival minus departure time in seconds; the two clocks may have any offset. If there
            are none, nothing changes.
        t_s : float
            When the last of them was sent, in seconds.
        """
        least_s = min(delays_s, default=None)
        if least_s is not None:
            self.delay_s = least_s - self._base.update(least_s, t_s)
