"""The usual time from frame to frame, out of the frames' own times."""

NOMINAL_S = 1 / 30
# Chosen by hand with tests/rtc/codecs/test_encoder.py (frames that come unevenly are as large as
# others, a slower film gets the same bitrate); no benchmark covers them.
MIN_S, MAX_S = 1 / 120, 1 / 5
MAX_GROWTH = 2.0  # one pause says little
SMOOTHING = 0.1


class FrameInterval:
    """Exponential mean of the time from frame to frame.

    Attributes
    ----------
    interval_s : float
        In seconds.
    """

    def __init__(self) -> None:
        self.interval_s = NOMINAL_S

    def add(self, interval_s: float) -> None:
        """Take the time between two frames.

        Parameters
        ----------
        interval_s : float
            In seconds; outliers are limited.
        """
        most_s = min(MAX_S, MAX_GROWTH * self.interval_s)
        interval_s = min(max(interval_s, MIN_S), most_s)
        self.interval_s += SMOOTHING * (interval_s - self.interval_s)
