"""Regress the point of gaze on the features: a Gaussian process over eye pixels, irises and head.

The prior mean of the point of gaze is 0.4 of the way from the screen's centre to the face normal's
intersection with the screen; what the eyes add is learned from a few calibration points (Rasmussen
and Williams 2006, "Gaussian Processes for Machine Learning", chapter 2). The kernel is a sum of
linear kernels of the eyes' pixels, one of them times a squared exponential of the head's pose, of a
linear kernel of irises and lids, and of offsets. Its variances are the same for everybody:
`KERNEL_VARIANCES`.

The eyeball model predicts the point of gaze as well. Both predictions are combined by their
leave-one-out errors at the calibration points; the farther the head is from those learned, the less
the process counts.
"""

from dataclasses import astuple, dataclass

import numpy as np
from numpy.typing import NDArray

from gaze.vision.arrays import BoolArray, FloatArray
from gaze.vision.kernels.gaze_covariance import add_posterior, combine, covariances, prior_means
from gaze.vision.regression import eyeball_model
from gaze.vision.regression.features import EYEBALLS, FACE_NORMAL_MM, HEAD, IRISES, PIXELS
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import px_per_mm

FACE_NORMAL_WEIGHT = 0.4
"""How far the prior mean goes from the screen's centre to where the face's normal meets it. Chosen
among 0, 0.3 and 0.4 with `benchmarks.gaze` (docs/accuracy.md, "What was tried")."""
# Chosen with `benchmarks.gaze`, together with the kernel.
HEAD_LENGTH_SCALE = 2.0
"""Length scale of the squared exponential of the head's pose, in the units of `HEAD`."""
# Chosen by hand; `benchmarks.gaze` and `benchmarks.rendered` measure what they give.
MIN_POINTS_FOR_EYEBALLS = 4
"""With fewer calibration points the eyeball model is not used."""
_NO_EYEBALLS_ERROR = 1e3
_FAR_VARIANCE = 0.01
_EYEBALL_PENALTY = 1.5


@dataclass(frozen=True, slots=True)
class KernelVariances:
    """The kernel's variances for one axis of the gaze, in squared screen widths.

    Attributes
    ----------
    constant : float
        Of an offset of everything.
    session : float
        Of an offset of one session.
    pixels : float
        Of the linear kernel of the eyes' pixels.
    pixels_by_head : float
        Of the same, times the squared exponential of the head's pose.
    head : float
        Of that squared exponential.
    irises : float
        Of the linear kernel of irises and lids.
    noise : float
        Of one calibration point.
    """

    constant: float
    session: float
    pixels: float
    pixels_by_head: float
    head: float
    irises: float
    noise: float


# Found by the marginal likelihood of all sessions of two people together, whose photos
# `benchmarks.gaze` evaluates (docs/accuracy.md, "How it maps").
KERNEL_VARIANCES = (
    KernelVariances(0.0042, 0.0005, 0.051, 0.062, 0.0022, 0.0041, 0.0010),
    KernelVariances(0.107, 0.0025, 0.050, 0.050, 0.0034, 0.0070, 0.0005),
)
"""Across and down."""
_VARIANCES = np.array([astuple(each) for each in KERNEL_VARIANCES])
_GROUPS = np.array([(each.start, each.stop) for each in (PIXELS, IRISES, HEAD)])


@dataclass(frozen=True, slots=True)
class GazeRegression:
    """A fitted regression.

    Attributes
    ----------
    features : FloatArray, shape (k, SIZE)
        Of the calibration points.
    sessions : NDArray[np.intp], shape (k,)
        Which session each of them is from.
    weights : FloatArray, shape (k, 2)
        Inverse covariance times the points' deviations from the prior mean.
    corrections : FloatArray, shape (7,)
        Of the eyeball model.
    mean_squared_errors : FloatArray, shape (2, 2)
        Of the process and of the eyeball model, across and down each, in squared screen widths.
    """

    features: FloatArray
    sessions: NDArray[np.intp]
    weights: FloatArray
    corrections: FloatArray
    mean_squared_errors: FloatArray

    def predict(self, features: FloatArray, screen: Screen, session: int = 0) -> FloatArray:
        """Return points of gaze.

        Parameters
        ----------
        features : FloatArray, shape (m, SIZE)
        screen : Screen
        session : int, default 0
            In which session the features were measured. Without a calibration point in it the
            eyeball model is not used: it has an offset of each session, that of the stabilizer's
            reference picture.

        Returns
        -------
        FloatArray, shape (m, 2)
            In screen widths.
        """
        covariance, head_kernel = _kernel(features, self.features, self.sessions == session)
        gaze = prior_mean(features, screen)
        add_posterior(covariance, self.weights, gaze)
        if session in self.sessions:
            eyeball_gaze = eyeball_model.points_of_gaze(
                features[:, EYEBALLS], self.corrections, screen
            )
            combine(
                eyeball_gaze,
                head_kernel,
                self.mean_squared_errors,
                _FAR_VARIANCE,
                _EYEBALL_PENALTY,
                gaze,
            )
        return gaze


def fit(
    features: FloatArray,
    targets: FloatArray,
    screen: Screen,
    sessions: NDArray[np.intp] | None = None,
) -> GazeRegression:
    """Fit the regression to calibration points.

    Parameters
    ----------
    features : FloatArray, shape (k, SIZE)
    targets : FloatArray, shape (k, 2)
        In screen widths.
    screen : Screen
    sessions : NDArray[np.intp], shape (k,), or None, default None
        Which session each point is from; without it all are from session 0.

    Returns
    -------
    GazeRegression
    """
    sessions = np.zeros(len(features), dtype=np.intp) if sessions is None else sessions
    deviations = targets - prior_mean(features, screen)
    weights, errors = [], []
    covariance, _ = _kernel(features, features, sessions[:, None] == sessions)
    for axis, variances in enumerate(KERNEL_VARIANCES):
        inverse = np.linalg.inv(covariance[axis] + variances.noise * np.eye(len(features)))
        weights.append(inverse @ deviations[:, axis])
        # Leave-one-out errors of a Gaussian process: Rasmussen and Williams (2006), 5.4.2.
        errors.append(float(np.mean((weights[-1] / np.diag(inverse)) ** 2)))
    eyeballs = features[:, EYEBALLS]
    corrections = eyeball_model.fit(eyeballs, targets, screen)
    return GazeRegression(
        features,
        sessions,
        np.stack(weights, axis=1),
        corrections,
        np.array([errors, _eyeball_errors(eyeballs, targets, corrections, screen)]),
    )


def _eyeball_errors(
    eyeballs: FloatArray, targets: FloatArray, corrections: FloatArray, screen: Screen
) -> FloatArray:
    """Return the eyeball model's mean squared leave-one-out errors (2,)."""
    if len(eyeballs) < MIN_POINTS_FOR_EYEBALLS:
        return np.full(2, _NO_EYEBALLS_ERROR)
    others = eyeball_model.leave_one_out(eyeballs, targets, corrections, screen)
    gaze = eyeball_model.points_of_gaze(eyeballs, others, screen)
    return np.asarray(((gaze - targets) ** 2).mean(axis=0))


def prior_mean(features: FloatArray, screen: Screen) -> FloatArray:
    """Return the prior means of the points of gaze, by the heads alone.

    Parameters
    ----------
    features : FloatArray, shape (m, SIZE)
    screen : Screen

    Returns
    -------
    FloatArray, shape (m, 2)
        In screen widths.
    """
    width_mm = screen.width_px / px_per_mm(screen)
    gaze = np.empty((len(features), 2))
    middle_y = screen.height_px / screen.width_px / 2.0
    facing = np.ascontiguousarray(features[:, FACE_NORMAL_MM]) / width_mm
    prior_means(facing, middle_y, FACE_NORMAL_WEIGHT, gaze)
    return gaze


def _kernel(
    one: FloatArray, other: FloatArray, same_session: BoolArray
) -> tuple[FloatArray, FloatArray]:
    """Return the covariances (2, m, k) of m and k frames, and their heads' kernel (m, k).

    The latter is the squared exponential of the heads' poses; `same_session` is (m, k) or (k,).
    """
    shape = len(one), len(other)
    covariance, head_kernel = np.empty((2, *shape)), np.empty(shape)
    covariances(
        np.ascontiguousarray(one),
        np.ascontiguousarray(other),
        np.logical_and(same_session, np.ones(shape, np.bool_)),
        _GROUPS,
        _VARIANCES,
        HEAD_LENGTH_SCALE,
        covariance,
        head_kernel,
    )
    return covariance, head_kernel
