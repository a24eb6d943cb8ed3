"""Read pictures and polylines between their samples, for other kernels.

`sample_bilinear` replaces cv2.remap and `interpolate_polyline` numpy.interp: called for one point
at a time from compiled code they need no coordinate maps and no temporary arrays. With them irises
and pupils took 0.3 ms a frame instead of 1.3 (docs/accuracy.md, "Cost of a frame").
"""

from gaze.vision.arrays import FloatArray, GreyImage
from gaze.vision.kernels.jit import compiled


@compiled("f8(u1[:,:], f8, f8)")
def sample_bilinear(grey: GreyImage, x: float, y: float) -> float:
    """Return a picture's brightness at a point, by bilinear interpolation.

    Parameters
    ----------
    grey : GreyImage, shape (h, w)
    x, y : float
        In pixels; centres of pixels have whole numbers. Points outside of the picture, and NaN,
        are moved to its border.

    Returns
    -------
    float
    """
    height, width = grey.shape
    # The comparisons are false for NaN, which so becomes 0.
    x = min(x, width - 1.0) if x > 0.0 else 0.0
    y = min(y, height - 1.0) if y > 0.0 else 0.0
    left, top = int(x), int(y)
    right, bottom = min(left + 1, width - 1), min(top + 1, height - 1)
    weight_x, weight_y = x - left, y - top
    upper = grey[top, left] * (1.0 - weight_x) + grey[top, right] * weight_x
    lower = grey[bottom, left] * (1.0 - weight_x) + grey[bottom, right] * weight_x
    return float(upper * (1.0 - weight_y) + lower * weight_y)


@compiled("f8(f8[:,::1], f8)")
def interpolate_polyline(points: FloatArray, x: float) -> float:
    """Return the y of a polyline at an x.

    Parameters
    ----------
    points : FloatArray, shape (n, 2)
        Vertices x, y with increasing x.
    x : float
        Left and right of the polyline, y is that of its ends.

    Returns
    -------
    float
    """
    last = len(points) - 1
    right = 1
    while right < last and points[right, 0] < x:
        right += 1
    segment = points[right] - points[right - 1]
    share = (x - points[right - 1, 0]) / max(segment[0], 1e-9)
    return float(points[right - 1, 1] + min(max(share, 0.0), 1.0) * segment[1])
