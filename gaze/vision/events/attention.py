"""Decides whether the viewer attends to the screen: face there, eyes open, turned toward it.

What is decided changes only after it has lasted, so that one bad frame does nothing. The times
are short; whoever acts on attention adds a grace time of its own.
"""

from gaze.vision.sample import Head, Screen

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
    """Return whether head and gaze are turned to the screen, grown by `margin_px` on each side.

    Whatever is unknown does not speak against it.
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
    """Attentive or not, with hysteresis: away after 0.1 s of closed eyes or 0.3 s of looking or
    being away, back after 0.2 s. Not attentive before a face was seen for that long."""

    def __init__(self) -> None:
        self.attentive = False
        self._since_s: float | None = None

    def update(self, present: bool, eyes_closed: bool, toward: bool, t_s: float) -> bool:
        """Take what one frame showed at `t_s` and return whether the viewer attends."""
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
