"""Model eyeballs in the head, irises on them, and the screen that the gaze rays meet.

Each eyeball is a sphere that is fixed in the head; where the ray through an iris's centre meets it
tells how far the eye is rotated. A person's own kappa angles, the positions of their eyeballs and
the errors of `HeadStabilizer`'s reference amount to an offset of that angle in the head. An error
of the distance, and so of all lengths, scales how far the eye seems to be rotated from the camera,
and how far it is from the screen. A calibration estimates both (after Guestrin and Eizenman 2006,
"General theory of remote gaze estimation using the pupil center and corneal reflections").

A frame's eyeball features are (8,): the mean angle of both eyes in the head, to the image's right
and down, in radians; the point between the eyeballs, in metres of camera space; the head's rotation
vector.
"""

import cv2
import numpy as np

from gaze.vision.arrays import FloatArray
from gaze.vision.head.rigid_pose import RigidPose
from gaze.vision.kernels.eyeballs import intersect_screen, measure_eyeballs, target_errors
from gaze.vision.sample import Screen
from gaze.vision.screen_geometry import px_per_mm

SIZE = 8
# The constants were chosen on seeds 0 to 15 of `benchmarks.rendered` where nothing else is said.
ROTATION_RADIUS_MM = 10.45
"""From an eyeball's centre to its iris's."""
EYEBALLS_MM = np.array([[-31.5, -0.5, 8.9], [31.5, -0.5, 8.9]])
"""Centres of the right and left eyeball of an average head in head axes, from the point between the
eyes as the mesh gives it, which is 2 to 3 mm nearer to the camera than the corners of the eyes."""
CORRECTIONS = 7
"""Offsets across and down in radians; the logarithm of the lengths' scale; a matrix (2, 2), row by
row, that is added to the scale of the angles from the camera."""

# The prior means of the corrections: the mesh sees the nose rather high, and everything farther
# away than it is. Then the prior standard deviations, and that of a point's angle.
_PRIOR_MEAN = np.array([0.0, np.radians(18.4), -0.03, 0.0, 0.0, 0.0, 0.0])
_PRIOR_DEVIATIONS = np.array([0.5, 0.5, 0.04, 0.1, 0.05, 0.05, 0.1])
_NOISE = 0.012
# Chosen by hand: Gauss-Newton steps, and the step of the numerical Jacobian.
_STEPS, _DIFFERENCE = 3, 1e-5


def eyeball_features(irises_px: FloatArray, centre_px: FloatArray, pose: RigidPose) -> FloatArray:
    """Return the eyeball features of a frame.

    Parameters
    ----------
    irises_px : FloatArray, shape (2, 2)
        Centres of the right and the left iris.
    centre_px : FloatArray, shape (2,)
        The frame's centre.
    pose : RigidPose
        Of the head.

    Returns
    -------
    FloatArray, shape (8,)
    """
    features = np.empty(SIZE)
    rotation = np.ascontiguousarray(pose.rotation)
    measure_eyeballs(
        irises_px - centre_px,
        rotation,
        pose.eyes_mm,
        pose.focal_px,
        EYEBALLS_MM,
        ROTATION_RADIUS_MM,
        features,
    )
    features[5:8] = cv2.Rodrigues(rotation)[0].ravel()
    return features


def points_of_gaze(features: FloatArray, corrections: FloatArray, screen: Screen) -> FloatArray:
    """Return where gaze rays meet the screen.

    Parameters
    ----------
    features : FloatArray, shape (k, 8)
    corrections : FloatArray, shape (7,) or (k, 7)
    screen : Screen

    Returns
    -------
    FloatArray, shape (k, 2)
        In screen widths, at most two screens beside the screen.
    """
    gaze = np.empty((len(features), 2))
    intersect_screen(
        np.ascontiguousarray(features),
        _repeated(features, corrections),
        _widths_per_mm(screen),
        gaze,
    )
    return gaze


def angle_errors(
    features: FloatArray, targets: FloatArray, corrections: FloatArray, screen: Screen
) -> FloatArray:
    """Return how far the eyes' angles are from those at which they would look at targets.

    Parameters
    ----------
    features : FloatArray, shape (k, 8)
    targets : FloatArray, shape (k, 2)
        In screen widths.
    corrections : FloatArray, shape (7,) or (k, 7)
    screen : Screen

    Returns
    -------
    FloatArray, shape (k, 2)
        Target less gaze, in radians to the right and down in the head.
    """
    errors = np.empty((len(features), 2))
    target_errors(
        np.ascontiguousarray(features),
        _repeated(features, corrections),
        np.ascontiguousarray(targets),
        _widths_per_mm(screen),
        errors,
    )
    return errors


def average_corrections(offset: FloatArray | None = None) -> FloatArray:
    """Return the corrections of an average person.

    Parameters
    ----------
    offset : FloatArray, shape (2,), or None, default None
        The offsets across and down in radians, where they are known.

    Returns
    -------
    FloatArray, shape (7,)
    """
    return _PRIOR_MEAN.copy() if offset is None else np.append(offset, _PRIOR_MEAN[2:])


def fit(features: FloatArray, targets: FloatArray, screen: Screen) -> FloatArray:
    """Return the corrections with which the gaze rays meet targets.

    Least squares with a Gaussian prior, by Gauss-Newton steps.

    Parameters
    ----------
    features : FloatArray, shape (k, 8)
    targets : FloatArray, shape (k, 2)
        In screen widths.
    screen : Screen

    Returns
    -------
    FloatArray, shape (7,)
    """
    corrections = _PRIOR_MEAN
    for _ in range(_STEPS):
        residuals, jacobian = _residuals(features, targets, corrections, screen)
        corrections = corrections - np.linalg.lstsq(jacobian, residuals, rcond=None)[0]
    return np.asarray(corrections)


def leave_one_out(
    features: FloatArray, targets: FloatArray, corrections: FloatArray, screen: Screen
) -> FloatArray:
    """Return the corrections that a fit gives without each point in turn, to first order.

    Parameters
    ----------
    features : FloatArray, shape (k, 8)
    targets : FloatArray, shape (k, 2)
        In screen widths.
    corrections : FloatArray, shape (7,)
        The fit to all points.
    screen : Screen

    Returns
    -------
    FloatArray, shape (k, 7)
    """
    residuals, jacobian = _residuals(features, targets, corrections, screen)
    blocks = jacobian[: 2 * len(features)].reshape(-1, 2, CORRECTIONS)
    transposed = np.swapaxes(blocks, 1, 2)
    normal_matrices = jacobian.T @ jacobian - transposed @ blocks
    right_hand_sides = (jacobian.T @ residuals)[:, None] - transposed @ residuals[
        : 2 * len(features)
    ].reshape(-1, 2, 1)
    return np.asarray(corrections - np.linalg.solve(normal_matrices, right_hand_sides)[:, :, 0])


class AngleOffset:
    """Estimates the angles' offsets without calibration: the mean gaze is the screen's middle.

    Attributes
    ----------
    radians : FloatArray, shape (2,)
        The offsets across and down.
    """

    # For how long the initial offsets count as observed, and after how long the past fades. On
    # seeds 0 to 15 of `benchmarks.rendered`, 4 and 10 s instead gave 0.2 degrees more error.
    _PRIOR_S = np.array([7.0, 3.0])
    _MEMORY_S = 30.0
    _MAX_STEP_S = 0.2

    def __init__(self) -> None:
        self.radians = _PRIOR_MEAN[:2]
        self._weight_s = self._PRIOR_S
        self._t_s: float | None = None

    @property
    def started(self) -> bool:
        """Whether anything has been observed."""
        return self._t_s is not None

    def initialise(self, features: FloatArray, gaze: FloatArray, screen: Screen) -> None:
        """Take the vertical offset from an estimate of the first frame's gaze.

        Parameters
        ----------
        features : FloatArray, shape (8,)
        gaze : FloatArray, shape (2,)
            Point of gaze in screen widths.
        screen : Screen
        """
        corrections = average_corrections(self.radians)
        errors = angle_errors(features[None], gaze[None], corrections, screen)[0]
        self.radians = self.radians + errors * (0.0, 1.0)

    def update(self, features: FloatArray, screen: Screen, t_s: float) -> None:
        """Take one frame in which the eyes are open.

        Parameters
        ----------
        features : FloatArray, shape (8,)
        screen : Screen
        t_s : float
            When the frame was captured.
        """
        step_s = 0.0 if self._t_s is None else min(max(t_s - self._t_s, 0.0), self._MAX_STEP_S)
        self._t_s = t_s
        self._weight_s = np.minimum(self._weight_s + step_s, self._MEMORY_S)
        middle = np.array([[0.5, screen.height_px / screen.width_px / 2.0]])
        corrections = average_corrections(self.radians)
        errors = angle_errors(features[None], middle, corrections, screen)[0]
        self.radians = self.radians + errors * step_s / self._weight_s


def _widths_per_mm(screen: Screen) -> float:
    return px_per_mm(screen) / screen.width_px


def _repeated(features: FloatArray, corrections: FloatArray) -> FloatArray:
    return np.asarray(corrections + np.zeros((len(features), 1)))


def _residuals(
    features: FloatArray, targets: FloatArray, corrections: FloatArray, screen: Screen
) -> tuple[FloatArray, FloatArray]:
    """Return normalised residuals (2 k + 7,) and their numerical Jacobian (2 k + 7, 7).

    They are those of the points, and of the prior.
    """

    def residuals(corrections: FloatArray) -> FloatArray:
        errors = angle_errors(features, targets, corrections, screen)
        prior = (_PRIOR_MEAN - corrections) / _PRIOR_DEVIATIONS
        return np.append(errors.ravel() / _NOISE, prior)

    here = residuals(corrections)
    moved = corrections + _DIFFERENCE * np.eye(CORRECTIONS)
    return here, np.stack([(residuals(each) - here) / _DIFFERENCE for each in moved], axis=1)
