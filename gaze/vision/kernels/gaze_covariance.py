"""Evaluate the gaze regression's Gaussian process: prior mean, covariance, prediction.

This replaces some twenty calls of numpy, which for one frame and a few dozen calibration points
cost more than the arithmetic: gaze rays and regression took 0.15 ms a frame instead of 0.4
(docs/accuracy.md, "Cost of a frame"). `gaze.vision.regression.gaussian_process` explains the model.
"""

import math

from gaze.vision.arrays import BoolArray, FloatArray, IntArray
from gaze.vision.kernels.jit import compiled

# Columns of the kernel variances, in the order of the regression's `KernelVariances`.
_CONSTANT, _SESSION, _PIXELS, _PIXELS_BY_HEAD, _HEAD, _IRISES = range(6)


@compiled("void(f8[:,::1], f8, f8, f8[:,::1])")
def prior_means(facing: FloatArray, middle_y: float, weight: float, gaze: FloatArray) -> None:
    """Find the prior means of the points of gaze.

    Parameters
    ----------
    facing : FloatArray, shape (m, 2)
        Where the faces' normals meet the screen's plane, from the camera, in screen widths.
    middle_y : float
        Half the screen's height, in screen widths.
    weight : float
        How far the prior mean goes from the screen's centre to there, from 0 to 1.
    gaze : FloatArray, shape (m, 2)
        Filled in, in screen widths.
    """
    for number in range(len(facing)):
        x = min(max(0.5 + facing[number, 0], -1.0), 2.0)
        y = min(max(facing[number, 1], -1.0), 2.0)
        gaze[number, 0] = 0.5 + weight * (x - 0.5)
        gaze[number, 1] = middle_y + weight * (y - middle_y)


@compiled("f8(f8[::1], f8[::1])")
def _dot(one: FloatArray, other: FloatArray) -> float:
    total = 0.0
    for number in range(len(one)):
        total += one[number] * other[number]
    return total


@compiled("void(f8[:,::1], f8[:,::1], b1[:,::1], i8[:,::1], f8[:,::1], f8, f8[:,:,::1], f8[:,::1])")
def covariances(
    one: FloatArray,
    other: FloatArray,
    same_session: BoolArray,
    groups: IntArray,
    variances: FloatArray,
    head_length_scale: float,
    covariance: FloatArray,
    head_kernel: FloatArray,
) -> None:
    """Evaluate the kernel between frames.

    Parameters
    ----------
    one, other : FloatArray, shape (m, n) and (k, n)
        Features of the frames.
    same_session : BoolArray, shape (m, k)
        Whether two frames are from one session.
    groups : IntArray, shape (3, 2)
        First and last (exclusive) feature of the eyes' pixels, of irises and lids, of the head.
    variances : FloatArray, shape (2, 7)
        Kernel variances of both axes.
    head_length_scale : float
        Length scale of the squared exponential of the head's pose.
    covariance : FloatArray, shape (2, m, k)
        Filled in for both axes, in squared screen widths.
    head_kernel : FloatArray, shape (m, k)
        Filled in: the squared exponential of the head's pose, from 0 to 1.
    """
    for row in range(len(one)):
        for column in range(len(other)):
            first, second = one[row], other[column]
            distance2 = 0.0
            for number in range(groups[2, 0], groups[2, 1]):
                distance2 += (first[number] - second[number]) ** 2
            near = math.exp(-distance2 / (2.0 * head_length_scale**2))
            head_kernel[row, column] = near
            pixels = _dot(first[groups[0, 0] : groups[0, 1]], second[groups[0, 0] : groups[0, 1]])
            irises = _dot(first[groups[1, 0] : groups[1, 1]], second[groups[1, 0] : groups[1, 1]])
            for axis in range(2):
                variance = variances[axis]
                covariance[axis, row, column] = (
                    variance[_CONSTANT]
                    + variance[_SESSION] * same_session[row, column]
                    + variance[_PIXELS] * pixels
                    + (variance[_PIXELS_BY_HEAD] * pixels + variance[_HEAD]) * near
                    + variance[_IRISES] * irises
                )


@compiled("void(f8[:,:,::1], f8[:,::1], f8[:,::1])")
def add_posterior(covariance: FloatArray, weights: FloatArray, gaze: FloatArray) -> None:
    """Add the posterior mean's deviation from the prior mean.

    Parameters
    ----------
    covariance : FloatArray, shape (2, m, k)
        Of the frames with the calibration points.
    weights : FloatArray, shape (k, 2)
        Inverse covariance of the calibration points times their deviations from the prior mean.
    gaze : FloatArray, shape (m, 2)
        Prior means; become the posterior means.
    """
    for axis in range(2):
        for number in range(len(gaze)):
            for other in range(len(weights)):
                gaze[number, axis] += covariance[axis, number, other] * weights[other, axis]


@compiled("void(f8[:,::1], f8[:,::1], f8[:,::1], f8, f8, f8[:,::1])")
def combine(
    eyeball_gaze: FloatArray,
    head_kernel: FloatArray,
    mean_squared_errors: FloatArray,
    far_variance: float,
    eyeball_penalty: float,
    gaze: FloatArray,
) -> None:
    """Combine the process's points of gaze with the eyeball model's, by their squared errors.

    Parameters
    ----------
    eyeball_gaze : FloatArray, shape (m, 2)
        Points of gaze by the eyeball model.
    head_kernel : FloatArray, shape (m, k)
        As of `covariances`.
    mean_squared_errors : FloatArray, shape (2, 2)
        Of the process and of the eyeball model, both axes each.
    far_variance : float
        Added to the process's error where the head is far from all calibration points.
    eyeball_penalty : float
        Factor of the eyeball model's error.
    gaze : FloatArray, shape (m, 2)
        Points of gaze by the process; become the combined ones.
    """
    for number in range(len(gaze)):
        far = 1.0 - head_kernel[number].max()
        for axis in range(2):
            process_error = (mean_squared_errors[0, axis] + far_variance * far) ** 2
            eyeball_error = (eyeball_penalty * mean_squared_errors[1, axis]) ** 2
            share = process_error / (process_error + eyeball_error)
            gaze[number, axis] += (eyeball_gaze[number, axis] - gaze[number, axis]) * share
