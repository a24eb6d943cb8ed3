"""Zooms in about the very point that is looked at: on a dwell, always, or in a lens."""

from typing import Annotated, Final, Literal

from pydantic import Field

from gaze.effects.drawing.blending import MIN_ALPHA
from gaze.effects.drawing.lens import Lens
from gaze.effects.drawing.magnifier import Magnifier
from gaze.effects.effect import Canvas, Effect
from gaze.effects.motion.dwell import DwellDetector
from gaze.effects.motion.easing import MinimumJerkEasing
from gaze.effects.motion.gaze_filter import GazeFilter
from gaze.effects.motion.pan import Pan
from gaze.effects.motion.points import clamp, distance, gaze_point, interpolate
from gaze.effects.motion.time_step import TimeStep
from gaze.effects.parameters import Number, Parameters
from gaze.effects.state import GazeState
from gaze.effects.view import Point, View

ZOOM_S: Final = 0.7
"""How long zooming in or out takes at speed 1. Chosen by hand; no benchmark covers it."""

DWELL_RADIUS_WIDTHS: Final = 0.05
MAX_DWELL_RADIUS_WIDTHS: Final = 0.12
"""Radius within which the gaze dwells: twice its uncertainty, within these limits. Chosen by hand;
no benchmark covers them."""

DEAD_ZONE_WIDTHS: Final = 0.02
FOLLOW_DEAD_ZONE_WIDTHS: Final = 0.04
"""How far the gaze moves from the centre before the picture pans, in mode `dwell` and `follow`.
Chosen by hand; tests/effects/test_fixation_stability.py holds them."""

LENS_DEAD_ZONE_HEIGHTS: Final = 0.035
LENS_PURSUIT_S: Final = 0.2
"""Larger than other effects', since a lens enlarges its own movements too. Chosen by hand: 1 %
noise moved the lens by 0.85 grey steps a frame, with these by 0.03
(tests/effects/test_fixation_stability.py)."""


class ZoomParameters(Parameters):
    """What the zoom can be set to."""

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


class Zoom(Effect[ZoomParameters]):
    """Zooms about one point, the centre, which is at the same place in film and picture.

    Dwells are detected on the film, with the view undone, so that the zoom's own movement closes no
    loop. In mode `dwell` a drift of the gaze within the dwell radius pans gently; a look that
    leaves it zooms out first. In mode `follow` it stays zoomed in and pans after the gaze. The lens
    of mode `magnifier` leaves the view alone.
    """

    name = "zoom"
    title = "Zoom"
    description = "What you look at comes nearer: on a steady look, always, or in a lens"
    Parameters = ZoomParameters

    def __init__(self) -> None:
        self._dwell = DwellDetector()
        self._easing = MinimumJerkEasing()
        self._pan = Pan()
        self._magnifier = Magnifier()
        self._gaze_filter = GazeFilter(LENS_DEAD_ZONE_HEIGHTS, LENS_PURSUIT_S)
        self._lens = Lens()
        self._centre: Point = (0.5, 0.5)
        self._zooming_in = False
        self._time_step = TimeStep()

    def draw(
        self, canvas: Canvas, parameters: ZoomParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        """Draw the zoomed picture and set the canvas's view; see `Effect.draw`."""
        step_s = self._time_step.step(t_s)
        aspect = canvas.source.width / canvas.source.height
        self._update_target(parameters, gaze, aspect, step_s, t_s)
        eased = self._easing.step(float(self._zooming_in), step_s * parameters.speed / ZOOM_S)
        magnification = parameters.maximum**eased
        if magnification <= 1.0:
            if parameters.mode == "magnifier" and not self.leaving:
                self._draw_lens(canvas, parameters, gaze, t_s)
            return
        side = 1.0 / magnification
        x, y = self._centre
        canvas.view = View(x * (1 - side), y * (1 - side), side, side)
        self._magnifier.draw(canvas.source, canvas.blank(), magnification, self._centre)

    def gone(self) -> bool:
        """Return whether it has zoomed out; see `Effect.gone`."""
        return self._easing.value == 0.0

    def _draw_lens(
        self, canvas: Canvas, parameters: ZoomParameters, gaze: GazeState | None, t_s: float
    ) -> None:
        source = canvas.source
        filtered = self._gaze_filter.step(gaze, source.width / source.height, t_s)
        if filtered is None or filtered.visibility < MIN_ALPHA or parameters.maximum <= 1.0:
            return
        self._lens.draw(
            source,
            canvas.copy(),
            parameters.maximum,
            clamp((filtered.x, filtered.y)),
            parameters.radius,
            filtered.visibility,
        )

    def _update_target(
        self,
        parameters: ZoomParameters,
        gaze: GazeState | None,
        aspect: float,
        step_s: float,
        t_s: float,
    ) -> None:
        """Decide whether to zoom in or out, and pan the centre."""
        uncertainty = (gaze.uncertainty if gaze is not None else None) or 0.0
        radius = min(MAX_DWELL_RADIUS_WIDTHS, max(DWELL_RADIUS_WIDTHS, 2 * uncertainty))
        dwell_s = self._dwell.step(gaze_point(gaze), aspect, radius, t_s)
        place = self._dwell.place
        if parameters.mode == "magnifier" or self.leaving:
            self._zooming_in = False
            return
        if parameters.mode == "follow":
            self._follow(place)
            dead_zone = FOLLOW_DEAD_ZONE_WIDTHS
        else:
            self._zoom_on_dwell(place, dwell_s, parameters.dwell, radius, aspect)
            dead_zone = DEAD_ZONE_WIDTHS
        self._pan_to(place, dead_zone, aspect, step_s, parameters.speed)

    def _zoom_on_dwell(
        self,
        place: Point | None,
        dwell_s: float | None,
        required_s: float,
        radius: float,
        aspect: float,
    ) -> None:
        """Zoom in once the gaze has dwelled long enough, out when it dwells elsewhere."""
        if place is None or dwell_s is None or _is_beside_picture(place, aspect):
            self._zooming_in = False
            return
        off_centre = distance(place, self._centre, aspect)
        if self._zooming_in and dwell_s < required_s and off_centre > radius:
            self._zooming_in = False
        if not self._zooming_in and dwell_s >= required_s:
            if self._easing.value == 0.0:
                self._begin_at(place)
            elif off_centre <= radius:
                self._zooming_in = True

    def _follow(self, place: Point | None) -> None:
        """Stay zoomed in while there is a gaze."""
        if place is None:
            self._zooming_in = False
        elif self._easing.value == 0.0:
            self._begin_at(place)
        else:
            self._zooming_in = True

    def _begin_at(self, place: Point) -> None:
        self._centre, self._zooming_in = clamp(place), True
        self._pan.stop()

    def _pan_to(
        self, place: Point | None, dead_zone: float, aspect: float, step_s: float, speed: float
    ) -> None:
        """Pan after the gaze once it leaves the dead zone; while zooming out, come to rest."""
        target = self._centre
        if self._zooming_in and place is not None:
            place = clamp(place)
            off_centre = distance(place, self._centre, aspect)
            fraction = max(0.0, 1 - dead_zone / off_centre) if off_centre > 0 else 0.0
            target = interpolate(target, place, fraction)
        self._centre = self._pan.step(self._centre, target, aspect, step_s, speed)


def _is_beside_picture(point: Point, aspect: float) -> bool:
    return distance(point, clamp(point), aspect) > DWELL_RADIUS_WIDTHS
