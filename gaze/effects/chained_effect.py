"""One effect in a viewer's chain: its bindings, its time budget, and what it may leave behind."""

import logging
import math
from collections import Counter
from typing import Any, Final

import av
import numpy as np

from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import Follower, Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import WHOLE, View
from gaze.frames.planes import FORMAT

logger = logging.getLogger(__name__)

FRAME_BUDGET_S: Final = 0.1
"""Time that one effect has for one frame: 30 times what the slowest one takes at 720p
(`benchmarks.effects`), so that only a broken plug-in overruns it."""

MAX_CONSECUTIVE_OVERRUNS: Final = 3
"""An effect that overruns its budget so many times in a row is suspended. Chosen by hand; no
benchmark covers it."""

FIRST_SUSPENSION_S: Final = 5.0
"""For how long at first; each time twice as long as the time before. Chosen by hand; no benchmark
covers it."""

VIEW_HISTORY_S: Final = 1.5
"""How long views are remembered: longer than a gaze sample is old when it is used."""

VIEW_TOLERANCE: Final = 1e-6
"""Rounding by which a view may lie beyond the picture."""


class ChainedEffect:
    """An effect at its place in the chain.

    Drawing runs in a worker thread and pausing on the event loop: the chain calls everything but
    `view_at` and `record_view` with its lock held.

    Attributes
    ----------
    effect : Effect
        The instance that serves this viewer.
    parameters : Parameters
        What it is set to, with bindings.
    error : str or None
        Why it is not run: because it raised, left something invalid, or is suspended.
    """

    def __init__(self, effect: type[Effect[Any]], parameters: Parameters) -> None:
        """Make an instance.

        Parameters
        ----------
        effect : type of Effect
            Its class.
        parameters : Parameters
            What it is set to.
        """
        self.effect = effect()
        self.parameters = parameters
        self.error: str | None = None
        self._overruns: Counter[str] = Counter()
        self._suspension_s = FIRST_SUSPENSION_S
        self._suspended_until_s = math.inf
        self._followers = {
            name: Follower(field.default)
            for name, field in type(parameters).model_fields.items()
            if any(isinstance(marker, Number) for marker in field.metadata)
        }
        self._views: tuple[tuple[float, View], ...] = ((-math.inf, WHOLE),)

    def resolve(self, gaze: GazeState | None, t_s: float) -> Parameters:
        """Follow the bindings.

        Parameters
        ----------
        gaze : GazeState or None
            The newest gaze.
        t_s : float
            Now, on the monotonic clock.

        Returns
        -------
        gaze.effects.parameters.Parameters
            The parameters as plain numbers.
        """
        signals = gaze.signals if gaze is not None else {}
        settings = {name: getattr(self.parameters, name) for name in self._followers}
        values = {
            name: follower.step(settings[name], signals, t_s)
            for name, follower in self._followers.items()
        }
        if values == settings:
            return self.parameters
        return self.parameters.model_copy(update=values)

    def disable(self, error: Exception) -> None:
        """Stop running the effect until its parameters are changed, and log why.

        Parameters
        ----------
        error : Exception
            What it raised, or what is wrong with what it left behind.
        """
        self.error = f"{type(error).__name__}: {error}"
        logger.error("effect %s raised and is switched off", self.effect.name, exc_info=error)

    def record_duration(self, duration_s: float, work: str, t_s: float) -> bool:
        """Count an overrun, if it was one; suspend the effect after several in a row.

        Parameters
        ----------
        duration_s : float
            How long it took.
        work : str
            "draw" or "pauses", which are counted apart.
        t_s : float
            Time of the frame.

        Returns
        -------
        bool
            Whether it was over the budget.
        """
        if duration_s <= FRAME_BUDGET_S:
            self._overruns[work] = 0
            return False
        self._overruns[work] += 1
        if self._overruns[work] >= MAX_CONSECUTIVE_OVERRUNS:
            budget_ms = FRAME_BUDGET_S * 1000
            self.error = f"took {duration_s * 1000:.0f} ms, more than {budget_ms:.0f} ms a frame"
            self._suspended_until_s = t_s + self._suspension_s
            self._suspension_s *= 2
            logger.warning("effect %s %s and is skipped", self.effect.name, self.error)
        return True

    def end_suspension(self, t_s: float) -> None:
        """Run an effect again that was suspended long enough; one more overrun suspends it again.

        Parameters
        ----------
        t_s : float
            Time of the frame.
        """
        if self.error is not None and t_s >= self._suspended_until_s:
            self.error = None
            for work in ("draw", "pauses"):
                self._overruns[work] = MAX_CONSECUTIVE_OVERRUNS - 1
            self._suspended_until_s = math.inf

    def is_leaving_visibly(self) -> bool:
        """Return whether it still has something to draw after it was taken out of the chain.

        Returns
        -------
        bool
            False also if it raises, or is disabled.
        """
        try:
            return self.error is None and not self.effect.gone()
        except Exception as error:
            self.disable(error)
            return False

    def record_view(self, view: View, t_s: float) -> None:
        """Remember what a frame shows.

        Parameters
        ----------
        view : View
            The view of its canvas.
        t_s : float
            Time of the frame.
        """
        if self._views[-1][1] == view:
            return
        old = sum(changed_s < t_s - VIEW_HISTORY_S for changed_s, _ in self._views)
        self._views = (*self._views[max(0, old - 1) :], (t_s, view))

    def view_at(self, t_s: float) -> View:
        """Return what was shown at a time.

        Parameters
        ----------
        t_s : float
            On the monotonic clock.

        Returns
        -------
        View
            The view of the newest frame drawn up to then.
        """
        views = self._views
        return next((view for since_s, view in reversed(views) if since_s <= t_s), views[0][1])


def check_canvas(canvas: Canvas) -> None:
    """Check what an effect left behind.

    Parameters
    ----------
    canvas : Canvas
        The canvas after `Effect.draw`.

    Raises
    ------
    TypeError, ValueError
        Unless frame, view and softened are valid.
    """
    source, frame, view = canvas.source, canvas.frame, canvas.view
    if frame is not None:
        if not isinstance(frame, av.VideoFrame):
            raise TypeError(f"the canvas's frame should be a VideoFrame, not {frame!r}")
        found = frame.format.name, frame.width, frame.height
        expected = FORMAT, source.width, source.height
        if found != expected:
            raise ValueError(f"the canvas's frame should be {expected}, not {found}")
    softened = canvas.softened
    if softened is not None and (
        np.shape(softened) != canvas.blocks or not np.isfinite(softened).all()
    ):
        raise ValueError(f"the canvas's softened should be {canvas.blocks} finite numbers")
    if not isinstance(view, View):
        raise TypeError(f"the canvas's view should be a View, not {view!r}")
    corners = view.x, view.y, view.x + view.width, view.y + view.height
    within = all(-VIEW_TOLERANCE <= corner <= 1 + VIEW_TOLERANCE for corner in corners)
    if not (within and view.width > 0 and view.height > 0):
        raise ValueError(f"the canvas's view should lie within the picture, not {view}")
