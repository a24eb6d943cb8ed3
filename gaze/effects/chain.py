"""A viewer's effects in order: checked, changed live, and applied to every film frame."""

import dataclasses
import logging
import math
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import EffectError, Follower, Number, Parameters, parse
from gaze.effects.registry import EFFECTS
from gaze.effects.state import GazeState
from gaze.effects.view import WHOLE, View
from gaze.frames.planes import FORMAT, FramePool, copy_timing, planes_of

__all__ = ["Chain", "EffectError", "Failure"]

logger = logging.getLogger(__name__)

MAX_EFFECTS = 16
VIEWS_KEPT_S = 1.5
EDGE = 1e-6

REASONS = ("attention", "pupil")
"""Why an effect may let the film stand still."""

BUDGET_S = 0.1
"""Time that one effect has for one frame, far more than any should take."""

PATIENCE = 3
"""An effect that overruns its budget so many times in a row is skipped for a while."""

SKIPPED_S = 5.0
"""For how long at first; each time twice as long as the time before."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """An effect that is switched off, because it raised or is too slow: its place, and why."""

    index: int
    name: str
    message: str


class Link:
    """One effect at its place in the chain, with what has become of it so far."""

    def __init__(self, effect: type[Effect[Any]], parameters: Parameters) -> None:
        self.effect = effect()
        self.parameters = parameters
        self.error: str | None = None
        self._late: Counter[str] = Counter()
        self._skipped_s = SKIPPED_S
        self._skipped_until_s = math.inf
        self._followers = {
            name: Follower(field.default)
            for name, field in type(parameters).model_fields.items()
            if any(isinstance(marker, Number) for marker in field.metadata)
        }
        self._views: tuple[tuple[float, View], ...] = ((-math.inf, WHOLE),)

    def resolve(self, gaze: GazeState | None, t_s: float) -> Parameters:
        """Follow the bindings to `t_s` and return the parameters as plain numbers."""
        signals = gaze.signals if gaze is not None else {}
        told = {name: getattr(self.parameters, name) for name in self._followers}
        now = {
            name: follower.step(told[name], signals, t_s)
            for name, follower in self._followers.items()
        }
        return self.parameters if now == told else self.parameters.model_copy(update=now)

    def took(self, seconds: float, work: str, t_s: float) -> bool:
        """Note how long one of its two works took; return whether that was over the budget."""
        if seconds <= BUDGET_S:
            self._late[work] = 0
            return False
        self._late[work] += 1
        if self._late[work] >= PATIENCE:
            self.error = f"took {seconds * 1000:.0f} ms, more than {BUDGET_S * 1000:.0f} ms a frame"
            self._skipped_until_s = t_s + self._skipped_s
            self._skipped_s *= 2
            logger.warning("effect %s %s and is skipped", self.effect.name, self.error)
        return True

    def forgive(self, t_s: float) -> None:
        """Try an effect again that was skipped long enough; one more overrun skips it again."""
        if self.error is not None and t_s >= self._skipped_until_s:
            self.error = None
            self._late["draw"] = self._late["pauses"] = PATIENCE - 1
            self._skipped_until_s = math.inf

    def saw(self, view: View, t_s: float) -> None:
        """Remember what the frame drawn at `t_s` shows."""
        if self._views[-1][1] == view:
            return
        old = sum(changed_s < t_s - VIEWS_KEPT_S for changed_s, _ in self._views)
        self._views = (*self._views[max(0, old - 1) :], (t_s, view))

    def view_at(self, t_s: float) -> View:
        """Return what the newest frame drawn up to `t_s` shows."""
        views = self._views
        return next((view for since_s, view in reversed(views) if since_s <= t_s), views[0][1])


class Chain:
    """The effects of one viewer, first to last.

    `replace`, `update` and the properties may be called from another thread than `apply`.
    An effect that raises or answers nonsense is switched off until its parameters are changed, and
    one that is slow again and again is skipped for a while; the film goes on.
    """

    def __init__(
        self,
        specs: Sequence[Mapping[str, Any]],
        *,
        display_delay_s: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Take the effects.

        Args:
            specs: `[{"name": "blur", "strength": 0.8}, …]`.
            display_delay_s: from drawing a frame to its being seen; gaze belongs to what was seen.
            clock: times what effects take.

        Raises:
            EffectError: naming the first field that is wrong.
        """
        self._lock = threading.Lock()
        self._drawing = threading.Lock()
        self._pool = FramePool()
        self._links = _links(_checked(specs), [])
        self._leaving: list[Link] = []
        self._view = WHOLE
        self._softened: NDArray[np.float32] | None = None
        self._clock = clock
        self._display_delay_s = display_delay_s
        self._overruns = 0
        self._rewind_s = 0.0
        self._keeps = False

    @property
    def specs(self) -> list[dict[str, Any]]:
        """The chain as it is, with defaults filled in."""
        return [
            {"name": link.effect.name, **link.parameters.model_dump(mode="json", by_alias=True)}
            for link in self._links
        ]

    @property
    def failures(self) -> list[Failure]:
        """The effects that are switched off because they raised or are too slow."""
        return [
            Failure(index, link.effect.name, link.error)
            for index, link in enumerate(self._links)
            if link.error is not None
        ]

    @property
    def overruns(self) -> int:
        """How often an effect took longer than `BUDGET_S`."""
        return self._overruns

    @property
    def keeps(self) -> bool:
        """Whether an effect wants a live film to be caught up with after a pause."""
        return self._keeps

    @property
    def view(self) -> View:
        """The part of the film that is visible in the last frame."""
        return self._view

    @property
    def softened(self) -> NDArray[np.float32] | None:
        """Where the last frame has lost detail, as in `Canvas`; None if nowhere, or not known."""
        return self._softened

    def view_at(self, t_s: float) -> View:
        """Return the part of the film that was visible in the newest frame drawn up to `t_s`."""
        view = WHOLE
        for link in (*self._leaving, *self._links):
            view = link.view_at(t_s).within(view)
        return view

    def replace(self, specs: Sequence[Mapping[str, Any]]) -> None:
        """Change the chain. The nth effect of a name keeps the state of the nth one before.

        An effect that is taken out while it has changed the picture may draw its way out first.

        Raises:
            EffectError: naming the first field that is wrong; nothing has changed then.
        """
        checked = _checked(specs)
        with self._lock:
            before = [*self._links, *self._leaving]
            self._links = _links(checked, before)
            self._leaving = [link for link in before if link not in self._links and _stays(link)]
            for link in before:
                link.effect.leaving = link in self._leaving

    def update(self, gaze: GazeState | None, t_s: float) -> str | None:
        """Bring bindings and pauses to `t_s`; return why the film should stand still, if so."""
        reasons: list[str] = []
        with self._lock:
            keeps = False
            for link in self._links:
                if link.error is not None:
                    continue
                started_s = self._clock()
                try:
                    parameters = link.resolve(gaze, t_s)
                    reason = link.effect.pauses(parameters, gaze, t_s)
                    keeps = bool(link.effect.keeps(parameters)) or keeps
                    rewind_s = float(link.effect.take_rewind())
                    if reason is not None and reason not in REASONS:
                        raise ValueError(f"a reason should be one of {REASONS}, not {reason!r}")
                except Exception as error:
                    _switch_off(link, error)
                else:
                    reasons += [reason] if reason is not None else []
                    self._rewind_s = max(self._rewind_s, rewind_s)
                    self._overruns += link.took(self._clock() - started_s, "pauses", t_s)
            self._keeps = keeps
        return reasons[0] if reasons else None

    def take_rewind(self) -> float:
        """Return the seconds that a pause, now over, wants the film to go back; then forget."""
        with self._lock:
            rewind_s, self._rewind_s = self._rewind_s, 0.0
        return rewind_s

    def apply(self, frame: av.VideoFrame, gaze: GazeState | None, t_s: float) -> av.VideoFrame:
        """Return the frame as it is to be seen at `t_s`: a new one, or `frame` if nothing changes.

        `frame` is never written to. The result is yuv420p and has the size and timing of `frame`.
        """
        with self._drawing:
            with self._lock:
                self._leaving = [link for link in self._leaving if _stays(link)]
                links = [*self._leaving, *self._links]
                resolved = [link.resolve(gaze, t_s) for link in links]
            source = frame if frame.format.name == FORMAT else frame.reformat(format=FORMAT)
            drawn, view = source, WHOLE
            softened: NDArray[np.float32] | None = None
            seen = _seen_by(links, gaze, self._display_delay_s)
            for link, parameters, own_gaze in zip(links, resolved, seen, strict=True):
                canvas = Canvas(planes_of(drawn, writable=False), self._pool)
                link.forgive(t_s)
                if link.error is None:
                    started_s = self._clock()
                    try:
                        link.effect.draw(canvas, parameters, own_gaze, t_s)
                        _check(canvas)
                    except Exception as error:
                        _switch_off(link, error)
                        canvas = Canvas(canvas.source, self._pool)
                    else:
                        self._overruns += link.took(self._clock() - started_s, "draw", t_s)
                if canvas.frame is not None:
                    drawn = canvas.frame
                if canvas.view != WHOLE:
                    softened = None
                elif canvas.softened is not None:
                    softened = (
                        canvas.softened
                        if softened is None
                        else np.maximum(softened, canvas.softened)
                    )
                link.saw(canvas.view, t_s)
                view = canvas.view.within(view)
            self._view, self._softened = view, softened
            if drawn is not frame:
                copy_timing(frame, drawn)
            return drawn


def _checked(specs: Sequence[Mapping[str, Any]]) -> list[tuple[type[Effect[Any]], Parameters]]:
    if not isinstance(specs, list | tuple):
        raise EffectError("effects", "should be a list of effects")
    if len(specs) > MAX_EFFECTS:
        raise EffectError("effects", f"should be at most {MAX_EFFECTS} effects, not {len(specs)}")
    checked = []
    for index, spec in enumerate(specs):
        where = f"effects[{index}]"
        if not isinstance(spec, Mapping):
            raise EffectError(where, "should be an object with a name")
        name = spec.get("name")
        if not isinstance(name, str) or name not in EFFECTS:
            raise EffectError(f"{where}.name", f"should be one of {', '.join(EFFECTS)}")
        effect = EFFECTS[name]
        values = {key: value for key, value in spec.items() if key != "name"}
        checked.append((effect, parse(effect.Parameters, values, where)))
    return checked


def _links(checked: list[tuple[type[Effect[Any]], Parameters]], before: list[Link]) -> list[Link]:
    """Make the links of a chain, taking up those there were before."""
    kept: dict[tuple[type[Effect[Any]], int], Link] = {}
    counts: Counter[type[Effect[Any]]] = Counter()
    for link in before:
        kept[type(link.effect), counts[type(link.effect)]] = link
        counts[type(link.effect)] += 1
    links = []
    counts.clear()
    for effect, parameters in checked:
        old = kept.get((effect, counts[effect]))
        counts[effect] += 1
        broken = old is not None and old.error is not None and old.parameters != parameters
        link = Link(effect, parameters) if old is None or broken else old
        link.parameters = parameters
        links.append(link)
    return links


def _stays(link: Link) -> bool:
    """Return whether an effect that was taken out still has something to draw."""
    try:
        return link.error is None and not link.effect.gone()
    except Exception as error:
        _switch_off(link, error)
        return False


def _seen_by(
    links: list[Link], gaze: GazeState | None, display_delay_s: float
) -> list[GazeState | None]:
    """Return the gaze for each effect in fractions of its own source.

    The view that was on the screen when the eyes were seen is undone, last effect first.
    """
    seen: list[GazeState | None] = []
    for link in reversed(links):
        if gaze is not None:
            view = link.view_at(gaze.t_s - display_delay_s)
            if view != WHOLE:
                gaze = dataclasses.replace(
                    gaze,
                    shown=None if gaze.shown is None else view.to_film(gaze.shown),
                    uncertainty=None if gaze.uncertainty is None else gaze.uncertainty * view.width,
                    picture_deg=None if gaze.picture_deg is None else gaze.picture_deg / view.width,
                )
        seen.append(gaze)
    return seen[::-1]


def _check(canvas: Canvas) -> None:
    """Raise a ValueError or TypeError unless what an effect left behind is a picture."""
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
    within = all(-EDGE <= corner <= 1 + EDGE for corner in corners)
    if not (within and view.width > 0 and view.height > 0):
        raise ValueError(f"the canvas's view should lie within the picture, not {view}")


def _switch_off(link: Link, error: Exception) -> None:
    link.error = f"{type(error).__name__}: {error}"
    logger.error("effect %s raised and is switched off", link.effect.name, exc_info=error)
