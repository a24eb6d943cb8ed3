"""Whether the film plays, and why not: the viewer's own pause, the effects' and the film's end."""

from dataclasses import dataclass


@dataclass(slots=True)
class Playback:
    """A pause of the viewer's is never undone by attention, and the end outlasts both.

    Attributes
    ----------
    by_viewer : bool
        Whether the viewer has paused the film.
    by_eyes : str or None
        Why an effect lets it stand still, if one does.
    ended : bool
        Whether a hosted film is at its end.
    """

    by_viewer: bool = False
    by_eyes: str | None = None
    ended: bool = False

    @property
    def reason(self) -> str | None:
        """Return `viewer`, `ended`, `attention` or `pupil`; None while playing."""
        if self.by_viewer:
            return "viewer"
        if self.ended:
            return "ended"
        return self.by_eyes

    @property
    def paused(self) -> bool:
        """Return whether the film stands still."""
        return self.reason is not None
