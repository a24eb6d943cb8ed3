"""The film comes nearer about the very point that is looked at: on a steady look, always, or
in a lens over the untouched picture.
"""

import math
from typing import Annotated, Literal

from pydantic import Field

from gaze.effects.effect import Canvas, Effect
from gaze.effects.fovea import Fovea, known_point
from gaze.effects.lens import Lens
from gaze.effects.magnify import Magnifier
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import Point, View

TRAVEL_S = 0.7
"""How long the way in, or out, takes at speed 1."""

STEADY_RADIUS = 0.05
MAX_RADIUS = 0.12
GLANCE_S = 0.12
SETTLE_S = 0.3
DEAD_ZONE = 0.02
HOLD_S = 1.0

FOLLOW_DEAD_ZONE = 0.04
FOLLOW_S = 0.45
FOLLOW_SPEED = 0.9
"""Picture widths a second at speed 1, the fastest that the camera pans."""

LENS_DEAD_ZONE = 0.035
LENS_S = 0.2
"""A lens enlarges its own movements, too: in a fixation it rests, and it follows a little later."""

VISIBLE = 1 / 255


class ZoomParameters(Parameters):
    mode: Literal["dwell", "follow", "magnifier"] = Field(
        default="dwell",
        title="Mode",
        description="Nearer on a steady look, always near and panning after the eyes, or a lens "
        "over the untouched picture",
    )
    maximum: Annotated[
        float,
        Number(1, 4, unit="times", title="Magnification", description="How near a look brings it"),
    ] = 2.0
    dwell: Annotated[
        float,
        Number(0.1, 10, unit="s", title="Dwell", description="How long a look must rest first"),
    ] = 0.6
    speed: Annotated[
        float,
        Number(0.1, 4, unit="times", title="Speed", description="How fast it moves in and out"),
    ] = 1.0
    radius: Annotated[
        float,
        Number(
            0.05, 0.5, unit="picture heights", title="Radius", description="Size of the magnifier"
        ),
    ] = 0.22


class Steadiness:
    """Judges how long the gaze has rested at one place of the film.

    A look elsewhere shorter than `GLANCE_S` does not count. Lengths are fractions of the film's
    width; `place` is where the gaze rests, its noise averaged out.
    """

    def __init__(self) -> None:
        self.place: Point | None = None
        self._since_s = 0.0
        self._seen_s = 0.0
        self._stepped_s = 0.0

    def step(self, point: Point | None, aspect: float, radius: float, t_s: float) -> float | None:
        """Take the point of gaze at `t_s`; return the seconds it has rested (None: nowhere)."""
        step_s, self._stepped_s = max(0.0, t_s - self._stepped_s), t_s
        if point is None:
            if self.place is not None and t_s - self._seen_s > HOLD_S:
                self.place = None
        elif self.place is None or (
            distance(point, self.place, aspect) > radius and t_s - self._seen_s >= GLANCE_S
        ):
            self.place, self._since_s, self._seen_s = point, t_s, t_s
        elif distance(point, self.place, aspect) <= radius:
            self._seen_s = t_s
            share = -math.expm1(-step_s / SETTLE_S)
            self.place = _toward(self.place, point, share)
        return None if self.place is None else self._seen_s - self._since_s


class Glide:
    """Goes from 0 to 1 and back with minimum jerk (Flash and Hogan 1985), also if turned round."""

    def __init__(self) -> None:
        self.value = 0.0
        self._target = 0.0
        self._speed = 0.0
        self._start = (0.0, 0.0)
        self._progress = 1.0

    def step(self, target: float, share: float) -> float:
        """Move on toward `target` by a share of the time that the way takes; return the value."""
        if target != self._target:
            self._target = target
            self._start = (self.value, self._speed)
            self._progress = 0.0
        self._progress = min(1.0, self._progress + share)
        tau = self._progress
        x, v = self._start
        way = target - x
        cubic, quartic, quintic = 10 * way - 6 * v, 8 * v - 15 * way, 6 * way - 3 * v
        value = x + v * tau + cubic * tau**3 + quartic * tau**4 + quintic * tau**5
        self.value = min(1.0, max(0.0, value)) if tau < 1.0 else target
        self._speed = v + 3 * cubic * tau**2 + 4 * quartic * tau**3 + 5 * quintic * tau**4
        return self.value


class Camera:
    """Pans like a good operator: eases in and out, never faster than `FOLLOW_SPEED`.

    A critically damped spring, solved exactly for each step; lengths are picture widths.
    """

    def __init__(self) -> None:
        self._speed = (0.0, 0.0)

    def step(
        self, place: Point, target: Point, aspect: float, step_s: float, speed: float
    ) -> Point:
        """Return the place after a step toward `target`; `speed` scales the limit."""
        off = distance(place, target, aspect)
        share = min(1.0, FOLLOW_SPEED * speed * FOLLOW_S / off) if off > 0 else 1.0
        near = _toward(place, target, share)
        rate = 2 * speed / FOLLOW_S
        decay = math.exp(-rate * step_s)
        moved, speeds = [], []
        for at, to, v in zip(place, near, self._speed, strict=True):
            pull = (v + rate * (at - to)) * step_s
            moved.append(to + (at - to + pull) * decay)
            speeds.append((v - rate * pull) * decay)
        self._speed = speeds[0], speeds[1]
        return _inside((moved[0], moved[1]))

    def rest(self) -> None:
        """Stand still."""
        self._speed = (0.0, 0.0)


class Zoom(Effect[ZoomParameters]):
    """Zooms about one point, its `centre`, which is at the same place in film and picture.

    Whether the look is steady is judged on the film, with the view undone, so the zoom's own
    movement closes no loop. Within the steady radius a slow drift beyond a dead zone moves the
    centre gently along; a look that leaves zooms out first. In mode `follow` it stays near, and the
    centre is panned after the gaze. The lens of mode `magnifier` leaves the view alone.
    """

    name = "zoom"
    title = "Zoom"
    description = "What you look at comes nearer: on a steady look, always, or in a lens"
    Parameters = ZoomParameters

    def __init__(self) -> None:
        self._steady = Steadiness()
        self._glide = Glide()
        self._camera = Camera()
        self._magnifier = Magnifier()
        self._fovea = Fovea(LENS_DEAD_ZONE, LENS_S)
        self._lens = Lens()
        self._centre: Point = (0.5, 0.5)
        self._inward = False
        self._stepped_s: float | None = None

    def draw(
        self, canvas: Canvas, parameters: ZoomParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        step_s = 0.0 if self._stepped_s is None else max(0.0, t_s - self._stepped_s)
        self._stepped_s = t_s
        aspect = canvas.source.width / canvas.source.height
        self._judge(parameters, gaze, aspect, step_s, t_s)
        share = self._glide.step(float(self._inward), step_s * parameters.speed / TRAVEL_S)
        magnification = parameters.maximum**share
        if magnification <= 1.0:
            if parameters.mode == "magnifier" and not self.leaving:
                self._draw_lens(canvas, parameters, gaze, t_s)
            return
        side = 1.0 / magnification
        x, y = self._centre
        canvas.view = View(x * (1 - side), y * (1 - side), side, side)
        self._magnifier.draw(canvas.source, canvas.blank(), magnification, self._centre)

    def gone(self) -> bool:
        return self._glide.value == 0.0

    def _draw_lens(
        self, canvas: Canvas, parameters: ZoomParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        source = canvas.source
        sight = self._fovea.look(gaze, source.width / source.height, t_s)
        if sight is None or sight.presence < VISIBLE or parameters.maximum <= 1.0:
            return
        self._lens.draw(
            source,
            canvas.copy(),
            parameters.maximum,
            _inside((sight.x, sight.y)),
            parameters.radius,
            sight.presence,
        )

    def _judge(
        self,
        parameters: ZoomParameters,
        gaze: GazeState | None,
        aspect: float,
        step_s: float,
        t_s: float,
    ) -> None:
        uncertainty = (gaze.uncertainty if gaze is not None else None) or 0.0
        radius = min(MAX_RADIUS, max(STEADY_RADIUS, 2 * uncertainty))
        rested_s = self._steady.step(known_point(gaze), aspect, radius, t_s)
        place = self._steady.place
        if parameters.mode == "magnifier" or self.leaving:
            self._inward = False
            return
        if parameters.mode == "follow":
            self._follow(place, aspect, step_s, parameters.speed)
            return
        if place is None or rested_s is None or _is_beside(place, aspect):
            self._inward = False
        else:
            off = distance(place, self._centre, aspect)
            if self._inward and rested_s < parameters.dwell and off > radius:
                self._inward = False
            if not self._inward and rested_s >= parameters.dwell:
                if self._glide.value == 0.0:
                    self._begin_at(place)
                elif off <= radius:
                    self._inward = True
        self._pan(place, DEAD_ZONE, aspect, step_s, parameters.speed)

    def _follow(self, place: Point | None, aspect: float, step_s: float, speed: float) -> None:
        """Stay near, over where the gaze rests."""
        if place is None:
            self._inward = False
        elif self._glide.value == 0.0:
            self._begin_at(place)
        else:
            self._inward = True
        self._pan(place, FOLLOW_DEAD_ZONE, aspect, step_s, speed)

    def _begin_at(self, place: Point) -> None:
        self._centre, self._inward = _inside(place), True
        self._camera.rest()

    def _pan(
        self, place: Point | None, dead_zone: float, aspect: float, step_s: float, speed: float
    ) -> None:
        """Follow the place once it is out of the dead zone; on the way out, just come to rest."""
        target = self._centre
        if self._inward and place is not None:
            place = _inside(place)
            off = distance(place, self._centre, aspect)
            target = _toward(target, place, max(0.0, 1 - dead_zone / off) if off > 0 else 0.0)
        self._centre = self._camera.step(self._centre, target, aspect, step_s, speed)


def distance(a: Point, b: Point, aspect: float) -> float:
    """Return the distance of two points (fractions) as a fraction of the picture's width."""
    return math.hypot(a[0] - b[0], (a[1] - b[1]) / aspect)


def _toward(a: Point, b: Point, share: float) -> Point:
    return a[0] + (b[0] - a[0]) * share, a[1] + (b[1] - a[1]) * share


def _is_beside(point: Point, aspect: float) -> bool:
    return distance(point, _inside(point), aspect) > STEADY_RADIUS


def _inside(point: Point) -> Point:
    return min(1.0, max(0.0, point[0])), min(1.0, max(0.0, point[1]))
