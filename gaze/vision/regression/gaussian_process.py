"""Maps features to places on the screen: a Gaussian process over eye pixels, irises and head.

The place is told beforehand by where the face points, and what the eyes add is learned from a
few points (Rasmussen and Williams 2006, chapter 2). Two frames count as alike by the product
of their eye pixels, as far as the head is posed alike too, and by their irises and lids. How much
each likeness counts is the same for everybody: `AMOUNTS`.

The lines of sight tell the place as well. Each of the two counts by how well it told the points
learned, every one left out in turn; the farther the head is from those learned, the less the
process does.
"""

import math
from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.kernels.jit import compiled
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.features import FACED_MM, HEAD, IRISES, PIXELS, SIGHT
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import px_per_mm

Array = NDArray[np.float64]
Together = NDArray[np.bool_]

HEAD_SHARE = 0.4
"""How far the gaze goes along with the face, before anything is learned."""
HEAD_REACH = 2.0
"""Heads this far apart, in the units of `HEAD`, tell little of each other."""
FEWEST_FOR_SIGHT = 4
_FAR_VARIANCE = 0.01
_SIGHT_DOUBT = 1.5


@dataclass(frozen=True, slots=True)
class Amounts:
    """Variances of what makes up one axis of the gaze, in squared screen widths.

    `place` shifts everything alike and `session` everything of one session; `pixels` and
    `pixels_near` belong to the eyes' pixels (anywhere, and near heads only), `head` to the head,
    `irises` to irises and lids; `noise` is that of one point.
    """

    place: float
    session: float
    pixels: float
    pixels_near: float
    head: float
    irises: float
    noise: float


# Found by the marginal likelihood of all sessions of two people together (docs/accuracy.md).
AMOUNTS = (
    Amounts(0.0042, 0.0005, 0.051, 0.062, 0.0022, 0.0041, 0.0010),
    Amounts(0.107, 0.0025, 0.050, 0.050, 0.0034, 0.0070, 0.0005),
)
# The same for the compiled part, in the order of `Amounts`, and where the features are.
_PLACE, _SESSION, _ANYWHERE, _NEAR, _OF_HEAD, _OF_IRISES = range(6)
_AMOUNTS = np.array([astuple(each) for each in AMOUNTS])
_PIXELS, _IRISES, _HEAD = ((each.start, each.stop) for each in (PIXELS, IRISES, HEAD))


@dataclass(frozen=True, slots=True)
class GazeMap:
    """A fitted map: `features` (k, n) of the points learned, `sessions` (k,) they are from, and
    `weights` (k, 2) that the likeness of a frame to each of them is multiplied with. `corrections`
    (7,) are those of `sight`; `errors` (2, 2) the mean squared errors, in screen widths, of the
    process and of the lines of sight, across and down."""

    features: Array
    sessions: NDArray[np.intp]
    weights: Array
    corrections: Array
    errors: Array

    def predict(self, features: Array, screen: Screen, session: int = 0) -> Array:
        """Return places (m, 2) in screen widths for features (m, n) seen in `session`.

        In a session without a learned point the process tells alone: lines of sight have an offset
        of their session, that of the picture in which the head's place is steadied.
        """
        alike, near = _likeness(features, self.features, self.sessions == session)
        places = expected(features, screen)
        _add_learned(alike, self.weights, places)
        if session in self.sessions:
            by_sight = eyeball_model.places(features[:, SIGHT], self.corrections, screen)
            _go_along(by_sight, near, self.errors, places)
        return places


def fit(
    features: Array, places: Array, screen: Screen, sessions: NDArray[np.intp] | None = None
) -> GazeMap:
    """Learn places (k, 2), in screen widths, from features (k, n), one row a point.

    `sessions` (k,) tells which session each point is from; without it all are from session 0.
    """
    sessions = np.zeros(len(features), dtype=np.intp) if sessions is None else sessions
    missed = places - expected(features, screen)
    weights, errors = [], []
    alike, _ = _likeness(features, features, sessions[:, None] == sessions)
    for axis, amounts in enumerate(AMOUNTS):
        inverse = np.linalg.inv(alike[axis] + amounts.noise * np.eye(len(features)))
        weights.append(inverse @ missed[:, axis])
        errors.append(float(np.mean((weights[-1] / np.diag(inverse)) ** 2)))
    rows = features[:, SIGHT]
    corrections = eyeball_model.fit(rows, places, screen)
    return GazeMap(
        features,
        sessions,
        np.stack(weights, axis=1),
        corrections,
        np.array([errors, _sight_errors(rows, places, corrections, screen)]),
    )


def _sight_errors(rows: Array, places: Array, corrections: Array, screen: Screen) -> Array:
    """Mean squared errors (2,) of the lines of sight, each point left out of what it tests."""
    if len(rows) < FEWEST_FOR_SIGHT:
        return np.full(2, 1e3)
    others = eyeball_model.left_out(rows, places, corrections, screen)
    return np.asarray(((eyeball_model.places(rows, others, screen) - places) ** 2).mean(axis=0))


def expected(features: Array, screen: Screen) -> Array:
    """Return the places (m, 2), in screen widths, at which the heads alone let the gaze be."""
    width_mm = screen.width_px / px_per_mm(screen)
    places = np.empty((len(features), 2))
    middle_y = screen.height_px / screen.width_px / 2.0
    _expect(np.ascontiguousarray(features[:, FACED_MM]) / width_mm, middle_y, places)
    return places


@compiled("void(f8[:,::1], f8, f8[:,::1])")
def _expect(faced: Array, middle_y: float, places: Array) -> None:
    """Fill in where heads let the gaze be that face places (m, 2), measured from the camera."""
    for number in range(len(faced)):
        x, y = min(max(0.5 + faced[number, 0], -1.0), 2.0), min(max(faced[number, 1], -1.0), 2.0)
        places[number, 0] = 0.5 + HEAD_SHARE * (x - 0.5)
        places[number, 1] = middle_y + HEAD_SHARE * (y - middle_y)


@compiled("void(f8[:,:,::1], f8[:,::1], f8[:,::1])")
def _add_learned(covariances: Array, weights: Array, places: Array) -> None:
    """Add to places (m, 2) what the process has learned; `covariances` are (2, m, k)."""
    for axis in range(2):
        for number in range(len(places)):
            for other in range(len(weights)):
                places[number, axis] += covariances[axis, number, other] * weights[other, axis]


@compiled("void(f8[:,::1], f8[:,::1], f8[:,::1], f8[:,::1])")
def _go_along(by_sight: Array, near: Array, errors: Array, places: Array) -> None:
    """Move places (m, 2) toward those of the lines of sight, by how well each of the two tells."""
    for number in range(len(places)):
        far = 1.0 - near[number].max()
        for axis in range(2):
            process_off = (errors[0, axis] + _FAR_VARIANCE * far) ** 2
            sight_off = (_SIGHT_DOUBT * errors[1, axis]) ** 2
            share = process_off / (process_off + sight_off)
            places[number, axis] += (by_sight[number, axis] - places[number, axis]) * share


def _likeness(one: Array, other: Array, together: Together) -> tuple[Array, Array]:
    """Return the covariances (2, m, k) of m and k frames for both axes, and how near their heads
    are, (m, k), from 0 to 1; `together` (m, k) or (k,) tells which are from one session."""
    shape = len(one), len(other)
    covariances, near = np.empty((2, *shape)), np.empty(shape)
    _compare(
        np.ascontiguousarray(one),
        np.ascontiguousarray(other),
        np.logical_and(together, np.ones(shape, np.bool_)),
        covariances,
        near,
    )
    return covariances, near


@compiled("f8(f8[::1], f8[::1])")
def _product(one: Array, other: Array) -> float:
    total = 0.0
    for number in range(len(one)):
        total += one[number] * other[number]
    return total


@compiled("void(f8[:,::1], f8[:,::1], b1[:,::1], f8[:,:,::1], f8[:,::1])")
def _compare(one: Array, other: Array, together: Together, covariances: Array, near: Array) -> None:
    """Fill in what `_likeness` returns."""
    for row in range(len(one)):
        for column in range(len(other)):
            first, second = one[row], other[column]
            apart = 0.0
            for number in range(_HEAD[0], _HEAD[1]):
                apart += (first[number] - second[number]) ** 2
            close = math.exp(-apart / (2.0 * HEAD_REACH**2))
            near[row, column] = close
            pixels = _product(first[_PIXELS[0] : _PIXELS[1]], second[_PIXELS[0] : _PIXELS[1]])
            irises = _product(first[_IRISES[0] : _IRISES[1]], second[_IRISES[0] : _IRISES[1]])
            for axis in range(2):
                amounts = _AMOUNTS[axis]
                covariances[axis, row, column] = (
                    amounts[_PLACE]
                    + amounts[_SESSION] * together[row, column]
                    + amounts[_ANYWHERE] * pixels
                    + (amounts[_NEAR] * pixels + amounts[_OF_HEAD]) * close
                    + amounts[_OF_IRISES] * irises
                )
