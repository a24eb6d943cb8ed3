"""The film stands still while the eyes are elsewhere, closed, or wide with effort."""

from typing import Annotated, Literal

from pydantic import Field

from gaze.effects.effect import Effect
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState

UNKNOWN_HOLD_S = 1.0


class PauseParameters(Parameters):
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
    """Answers in `pauses`; draws nothing.

    A reason must hold for `after` before the film stops, and be gone for `resume_after` before it
    goes on. What is unknown never stops the film; it keeps the state for a moment (a blink hides
    the pupil) and then counts as a reason gone.
    """

    name = "pause"
    title = "Pause"
    description = "Stops the film while the viewer looks away, closes the eyes, or strains"
    Parameters = PauseParameters

    def __init__(self) -> None:
        self._reason: str | None = None
        self._bad_since_s: float | None = None
        self._good_since_s: float | None = None
        self._known_s: float | None = None
        self._rewind_s = 0.0

    def pauses(self, parameters: PauseParameters, gaze: GazeState | None, t_s: float) -> str | None:
        bad = _is_bad(parameters, gaze)
        if bad is not None:
            self._known_s = t_s
        elif self._known_s is not None and t_s - self._known_s <= UNKNOWN_HOLD_S:
            return self._reason
        if bad:
            self._good_since_s = None
            if self._bad_since_s is None:
                self._bad_since_s = t_s
            if self._reason is not None or t_s - self._bad_since_s >= parameters.after:
                self._reason = "pupil" if parameters.when == "pupil" else "attention"
        else:
            self._bad_since_s = None
            if self._good_since_s is None:
                self._good_since_s = t_s
            if t_s - self._good_since_s >= parameters.resume_after:
                if self._reason is not None:
                    self._rewind_s = parameters.rewind
                self._reason = None
        return self._reason

    def keeps(self, parameters: PauseParameters) -> bool:
        return parameters.resume == "catch-up"

    def take_rewind(self) -> float:
        rewind_s, self._rewind_s = self._rewind_s, 0.0
        return rewind_s


def _is_bad(parameters: PauseParameters, gaze: GazeState | None) -> bool | None:
    if gaze is None:
        return None
    if parameters.when == "pupil":
        relative = gaze.signals.get("pupil.relative")
        return None if relative is None else relative > parameters.threshold
    if parameters.when == "closed":
        return gaze.eyes_closed
    return gaze.eyes_closed or not gaze.attentive
