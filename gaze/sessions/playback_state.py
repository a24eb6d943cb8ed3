"""Whether the film plays, and why not: the viewer's will, the eyes and the film's end."""

from dataclasses import dataclass


@dataclass(slots=True)
class Playback:
    """A pause of the viewer's is never undone by attention, and the end outlasts both."""

    by_viewer: bool = False
    by_eyes: str | None = None
    ended: bool = False

    @property
    def reason(self) -> str | None:
        """`viewer`, `ended`, `attention` or `pupil`; None while playing."""
        if self.by_viewer:
            return "viewer"
        if self.ended:
            return "ended"
        return self.by_eyes

    @property
    def paused(self) -> bool:
        return self.reason is not None
