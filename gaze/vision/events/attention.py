"""Decide whether the viewer attends to the screen: face present, eyes open, turned toward it.

The decision changes only after a change has lasted, so that one bad frame does nothing. The times
are short; whoever acts on attention adds a grace time of its own.
"""

from gaze.vision.sample import Head, Screen

# Chosen by hand; no benchmark covers them.
CLOSED_S = 0.1
GONE_S = 0.3
BACK_S = 0.2

_MAX_YAW_DEG = 35.0
_MAX_PITCH_DEG = 30.0


def toward_screen(
    head: Head | None,
    screen_px: tuple[float, float] | None,
    screen: Screen,
    margin_px: float,
) -> bool:
    """Return whether head and gaze are directed at the screen.

    Parameters
    ----------
    head : Head or None
        Unknown is no objection.
    screen_px : tuple of float or None
        Point of gaze; unknown is no objection.
    screen : Screen
    margin_px : float
        How far beside the screen the point of gaze may be.

    Returns
    -------
    bool
    """
    if head is not None and (
        abs(head.yaw_deg) > _MAX_YAW_DEG or abs(head.pitch_deg) > _MAX_PITCH_DEG
    ):
        return False
    if screen_px is None:
        return True
    x_px, y_px = screen_px
    return (
        -margin_px <= x_px <= screen.width_px + margin_px
        and -margin_px <= y_px <= screen.height_px + margin_px
    )


class Attention:
    """Whether the viewer attends, with hysteresis.

    Not after 0.1 s of closed eyes, or 0.3 s of looking or being away; again after 0.2 s. Not before
    a face was seen for that long.

    Attributes
    ----------
    attentive : bool
    """

    def __init__(self) -> None:
        self.attentive = False
        self._since_s: float | None = None

    def update(self, present: bool, eyes_closed: bool, toward: bool, t_s: float) -> bool:
        """Take one frame.

        Parameters
        ----------
        present : bool
            Whether it shows a face.
        eyes_closed : bool
        toward : bool
            Whether head and gaze are directed at the screen.
        t_s : float
            When the frame was captured.

        Returns
        -------
        bool
            Whether the viewer attends.
        """
        now = present and not eyes_closed and toward
        if now == self.attentive:
            self._since_s = None
            return self.attentive
        if self._since_s is None:
            self._since_s = t_s
        wait_s = BACK_S if now else CLOSED_S if present and eyes_closed else GONE_S
        if t_s - self._since_s >= wait_s - 1e-6:
            self.attentive, self._since_s = now, None
        return self.attentive
