"""A viewer's effects in order: checked, changed while they run, and applied to every film frame."""

import dataclasses
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import av
import numpy as np

from gaze.effects.chained_effect import ChainedEffect, check_canvas
from gaze.effects.effect import Canvas, Effect
from gaze.effects.parameters import EffectError, Parameters, parse
from gaze.effects.registry import EFFECTS
from gaze.effects.state import GazeState
from gaze.effects.view import WHOLE, View
from gaze.frames.planes import FORMAT, FloatPlane, FramePool, copy_properties, planes_of

__all__ = ["Chain", "EffectError", "Failure"]

MAX_EFFECTS: Final = 16
"""Longest chain (docs/effects.md). Chosen by hand; no benchmark covers it."""

PAUSE_REASONS: Final = ("attention", "pupil")
"""Why an effect may pause the film (docs/api.md)."""

Specs = Sequence[Mapping[str, Any]]
"""Effects as they stand in messages: `[{"name": "blur", "strength": 0.8}, …]`."""


@dataclasses.dataclass(frozen=True, slots=True)
class Failure:
    """An effect that is not run, because it raised or is too slow.

    Attributes
    ----------
    index : int
        Its place in the chain.
    name : str
        Its name.
    message : str
        Why.
    """

    index: int
    name: str
    message: str


class Chain:
    """The effects of one viewer, first to last.

    `apply` is called in a worker thread; everything else may be called on the event loop meanwhile.
    An effect that raises or leaves something invalid is disabled until its parameters are changed,
    and one that is too slow again and again is suspended; the film goes on.
    """

    def __init__(
        self,
        specs: Specs,
        *,
        display_delay_s: float = 0.0,
        clock: Callable[[], float] = time.perf_counter,
    ) -> None:
        """Make the effects.

        Parameters
        ----------
        specs : sequence of mapping
            `[{"name": "blur", "strength": 0.8}, …]`.
        display_delay_s : float, default 0
            From drawing a frame to its being seen; gaze belongs to what was seen.
        clock : callable, optional
            Measures how long effects take, in seconds.

        Raises
        ------
        EffectError
            For the first field that is wrong.
        """
        self._lock = threading.Lock()
        """Guards what `apply` shares with the other methods."""
        self._drawing = threading.Lock()
        """Held by the one `apply` that draws."""
        self._pool = FramePool()
        self._effects = _make_effects(_parse_specs(specs), [])
        self._leaving: list[ChainedEffect] = []
        self._view = WHOLE
        self._softened: FloatPlane | None = None
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
            for link in self._effects
        ]

    @property
    def failures(self) -> list[Failure]:
        """The effects that are disabled or suspended."""
        found = []
        for index, link in enumerate(self._effects):
            error = link.error
            if error is not None:
                found.append(Failure(index, link.effect.name, error))
        return found

    @property
    def overruns(self) -> int:
        """How often an effect took longer than `chained_effect.FRAME_BUDGET_S`."""
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
    def softened(self) -> FloatPlane | None:
        """Where the last frame has lost detail, as in `Canvas`; None if nowhere, or unknown."""
        return self._softened

    def view_at(self, t_s: float) -> View:
        """Return the part of the film that was visible at a time.

        Parameters
        ----------
        t_s : float
            On the monotonic clock.

        Returns
        -------
        View
            The view of the newest frame drawn up to then.
        """
        with self._lock:
            links = [*self._leaving, *self._effects]
        view = WHOLE
        for link in links:
            view = link.view_at(t_s).within(view)
        return view

    def replace(self, specs: Specs) -> None:
        """Change the chain. The nth effect of a name keeps the state of the nth one before.

        An effect that is taken out while it has changed the picture may draw its way out first.

        Parameters
        ----------
        specs : sequence of mapping
            The new chain.

        Raises
        ------
        EffectError
            For the first field that is wrong; nothing has changed then.
        """
        parsed = _parse_specs(specs)
        with self._lock:
            before = [*self._effects, *self._leaving]
            self._effects = _make_effects(parsed, before)
            self._leaving = [
                link for link in before if link not in self._effects and link.is_leaving_visibly()
            ]
            for link in before:
                link.effect.leaving = link in self._leaving

    def update(self, gaze: GazeState | None, t_s: float) -> str | None:
        """Ask the effects whether the film should pause.

        Parameters
        ----------
        gaze : GazeState or None
            The newest gaze.
        t_s : float
            Now, on the monotonic clock.

        Returns
        -------
        str or None
            The reason of the first effect that has one, of `PAUSE_REASONS`; None to play.
        """
        reasons: list[str] = []
        with self._lock:
            keeps = False
            for link in self._effects:
                if link.error is not None:
                    continue
                started_s = self._clock()
                try:
                    parameters = link.resolve(gaze, t_s)
                    reason = link.effect.pauses(parameters, gaze, t_s)
                    keeps = bool(link.effect.keeps(parameters)) or keeps
                    rewind_s = float(link.effect.take_rewind())
                    if reason is not None and reason not in PAUSE_REASONS:
                        raise ValueError(
                            f"a reason should be one of {PAUSE_REASONS}, not {reason!r}"
                        )
                except Exception as error:
                    link.disable(error)
                else:
                    reasons += [reason] if reason is not None else []
                    self._rewind_s = max(self._rewind_s, rewind_s)
                    duration_s = self._clock() - started_s
                    self._overruns += link.record_duration(duration_s, "pauses", t_s)
            self._keeps = keeps
        return reasons[0] if reasons else None

    def take_rewind(self) -> float:
        """Return how far a hosted film should go back now that a pause is over, and forget it.

        Returns
        -------
        float
            Seconds.
        """
        with self._lock:
            rewind_s, self._rewind_s = self._rewind_s, 0.0
        return rewind_s

    def apply(self, frame: av.VideoFrame, gaze: GazeState | None, t_s: float) -> av.VideoFrame:
        """Draw one frame.

        Parameters
        ----------
        frame : av.VideoFrame
            The film's frame; never written to.
        gaze : GazeState or None
            The newest gaze.
        t_s : float
            When the frame is due, on the monotonic clock.

        Returns
        -------
        av.VideoFrame
            yuv420p, with the size and time of `frame`; `frame` itself if nothing changes.
        """
        with self._drawing:
            with self._lock:
                self._leaving = [link for link in self._leaving if link.is_leaving_visibly()]
                links = [*self._leaving, *self._effects]
                for link in links:
                    link.end_suspension(t_s)
                resolved = [link.resolve(gaze, t_s) for link in links]
            drawn = frame if frame.format.name == FORMAT else frame.reformat(format=FORMAT)
            view, softened = WHOLE, None
            gazes = _gaze_for_each(links, gaze, self._display_delay_s)
            for link, parameters, own_gaze in zip(links, resolved, gazes, strict=True):
                canvas = self._draw(link, drawn, parameters, own_gaze, t_s)
                if canvas.frame is not None:
                    drawn = canvas.frame
                softened = _combined_softened(softened, canvas)
                link.record_view(canvas.view, t_s)
                view = canvas.view.within(view)
                del canvas  # it holds the frame before, which the next effect may draw on
            self._view, self._softened = view, softened
            if drawn is not frame:
                copy_properties(frame, drawn)
            return drawn

    def _draw(
        self,
        link: ChainedEffect,
        source: av.VideoFrame,
        parameters: Parameters,
        gaze: GazeState | None,
        t_s: float,
    ) -> Canvas:
        """Let one effect draw; return an untouched canvas if it is not run or fails."""
        planes = planes_of(source, writable=False)
        canvas = Canvas(planes, self._pool)
        if link.error is not None:
            return canvas
        started_s = self._clock()
        try:
            link.effect.draw(canvas, parameters, gaze, t_s)
            check_canvas(canvas)
        except Exception as error:
            with self._lock:
                link.disable(error)
            return Canvas(planes, self._pool)
        duration_s = self._clock() - started_s
        with self._lock:
            self._overruns += link.record_duration(duration_s, "draw", t_s)
        return canvas


def _parse_specs(specs: Specs) -> list[tuple[type[Effect[Any]], Parameters]]:
    """Check a chain that a person sent."""
    if not isinstance(specs, list | tuple):
        raise EffectError("effects", "should be a list of effects")
    if len(specs) > MAX_EFFECTS:
        raise EffectError("effects", f"should be at most {MAX_EFFECTS} effects, not {len(specs)}")
    parsed = []
    for index, spec in enumerate(specs):
        where = f"effects[{index}]"
        if not isinstance(spec, Mapping):
            raise EffectError(where, "should be an object with a name")
        name = spec.get("name")
        if not isinstance(name, str) or name not in EFFECTS:
            raise EffectError(f"{where}.name", f"should be one of {', '.join(EFFECTS)}")
        effect = EFFECTS[name]
        values = {key: value for key, value in spec.items() if key != "name"}
        parsed.append((effect, parse(effect.Parameters, values, where)))
    return parsed


def _make_effects(
    parsed: list[tuple[type[Effect[Any]], Parameters]], before: list[ChainedEffect]
) -> list[ChainedEffect]:
    """Make the effects of a chain; those that were there before are kept with their state."""
    known: dict[tuple[type[Effect[Any]], int], ChainedEffect] = {}
    counts: Counter[type[Effect[Any]]] = Counter()
    for link in before:
        known[type(link.effect), counts[type(link.effect)]] = link
        counts[type(link.effect)] += 1
    links = []
    counts.clear()
    for effect, parameters in parsed:
        old = known.get((effect, counts[effect]))
        counts[effect] += 1
        retried = old is not None and old.error is not None and old.parameters != parameters
        link = ChainedEffect(effect, parameters) if old is None or retried else old
        link.parameters = parameters
        links.append(link)
    return links


def _gaze_for_each(
    links: list[ChainedEffect], gaze: GazeState | None, display_delay_s: float
) -> list[GazeState | None]:
    """Return the gaze for each effect in fractions of its own source.

    The view that was on the screen when the eyes were seen is undone, last effect first.
    """
    gazes: list[GazeState | None] = []
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
        gazes.append(gaze)
    return gazes[::-1]


def _combined_softened(before: FloatPlane | None, canvas: Canvas) -> FloatPlane | None:
    """Return where detail is lost after one more effect; unknown once the picture is moved."""
    if canvas.view != WHOLE:
        return None
    if before is None or canvas.softened is None:
        return before if canvas.softened is None else canvas.softened
    return np.maximum(before, canvas.softened)
