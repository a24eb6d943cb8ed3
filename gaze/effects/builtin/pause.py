"""Pauses the film while the viewer looks away, has the eyes closed, or has a wide pupil."""

from typing import Annotated, Literal

from pydantic import Field

from gaze.effects.effect import Effect
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import HOLD_S, GazeState


class PauseParameters(Parameters):
    """What the pause can be set to."""

    when: Literal["attention", "closed", "pupil"] = Field(
        default="attention",
        title="When",
        description="Looking away (closed eyes count), closed eyes only, or a wide pupil",
    )
    after: Annotated[
        float, Number(0, 60, unit="s", title="After", description="How long before the film stops")
    ] = 1.0
    resume_after: Annotated[
        float,
        Number(
            0, 60, unit="s", title="Resume after", description="How long before it goes on again"
        ),
    ] = 0.3
    threshold: Annotated[
        float,
        Number(
            -1,
            1,
            unit="relative diameter",
            title="Threshold",
            description="Pupil widening over its baseline that counts as wide",
        ),
    ] = 0.2
    rewind: Annotated[
        float,
        Number(
            0,
            60,
            unit="s",
            title="Rewind",
            description="How far a hosted film goes back when the viewer returns",
        ),
    ] = 0.0
    resume: Literal["live", "catch-up"] = Field(
        default="live",
        title="Resume",
        description="Where a film that your browser sends goes on: with what is live, or where it "
        "stopped and a little faster until it is live",
    )


class Pause(Effect[PauseParameters]):
    """Decides in `pauses`; draws nothing.

    A reason must hold for `after` before the film pauses, and be absent for `resume_after` before
    it goes on. An unknown gaze never pauses the film; it keeps the state for `HOLD_S` (a blink
    hides the pupil) and then counts as absent.
    """

    name = "pause"
    title = "Pause"
    description = "Stops the film while the viewer looks away, closes the eyes, or strains"
    Parameters = PauseParameters

    def __init__(self) -> None:
        self._reason: str | None = None
        self._present_since_s: float | None = None
        self._absent_since_s: float | None = None
        self._known_s: float | None = None
        self._rewind_s = 0.0

    def pauses(self, parameters: PauseParameters, gaze: GazeState | None, t_s: float) -> str | None:
        """Decide whether the film should pause; see `Effect.pauses`."""
        present = _has_reason(parameters, gaze)
        if present is not None:
            self._known_s = t_s
        elif self._known_s is not None and t_s - self._known_s <= HOLD_S:
            return self._reason
        if present:
            self._absent_since_s = None
            if self._present_since_s is None:
                self._present_since_s = t_s
            if self._reason is not None or t_s - self._present_since_s >= parameters.after:
                self._reason = "pupil" if parameters.when == "pupil" else "attention"
        else:
            self._present_since_s = None
            if self._absent_since_s is None:
                self._absent_since_s = t_s
            if t_s - self._absent_since_s >= parameters.resume_after:
                if self._reason is not None:
                    self._rewind_s = parameters.rewind
                self._reason = None
        return self._reason

    def keeps(self, parameters: PauseParameters) -> bool:
        """Decide by `resume`; see `Effect.keeps`."""
        return parameters.resume == "catch-up"

    def take_rewind(self) -> float:
        """Return `rewind` once after each pause; see `Effect.take_rewind`."""
        rewind_s, self._rewind_s = self._rewind_s, 0.0
        return rewind_s


def _has_reason(parameters: PauseParameters, gaze: GazeState | None) -> bool | None:
    """Return whether the gaze is a reason to pause now; None if unknown."""
    if gaze is None:
        return None
    if parameters.when == "pupil":
        relative = gaze.signals.get("pupil.relative")
        return None if relative is None else relative > parameters.threshold
    if parameters.when == "closed":
        return gaze.eyes_closed
    return gaze.eyes_closed or not gaze.attentive
