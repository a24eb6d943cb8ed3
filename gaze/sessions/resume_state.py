"""What a session keeps between two connections."""

import dataclasses
from dataclasses import dataclass
from typing import Any

from gaze.sessions.layout import Layout
from gaze.sessions.messages import SessionRequest


@dataclass(slots=True)
class ResumeState:
    """Plain data only.

    Attributes
    ----------
    effects : list of dict
        The chain.
    media : str or None
        The hosted film's name or the live stream's address; None where the browser sends the film.
    position_s : float
        Where the hosted film stands.
    calibration : dict or None
        The newest model.
    layout : Layout or None
        Where the picture lies on the screen.
    paused_by_viewer, loop : bool
        As the viewer has set them.
    """

    effects: list[dict[str, Any]]
    media: str | None = None
    position_s: float = 0.0
    calibration: dict[str, Any] | None = None
    layout: Layout | None = None
    paused_by_viewer: bool = False
    loop: bool = False

    def updated(self, request: SessionRequest) -> "ResumeState":
        """Return the state with what a request says itself, which comes first.

        Parameters
        ----------
        request : SessionRequest
            Opens the session, or takes it up again.

        Returns
        -------
        ResumeState
            A copy. Another film than the one remembered starts at its beginning.
        """
        said = request.model_fields_set if request.resume else set(SessionRequest.model_fields)
        media = request.media if "media" in said else self.media
        if "position" in said:
            position_s = request.position
        else:
            position_s = self.position_s if media == self.media else 0.0
        return dataclasses.replace(
            self,
            effects=request.effects if "effects" in said else self.effects,
            media=media,
            position_s=position_s,
            calibration=request.calibration if "calibration" in said else self.calibration,
        )
