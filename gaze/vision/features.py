"""The numbers of one frame from which a calibrated viewer's point of gaze is computed."""

import numpy as np
from numpy.typing import NDArray

from gaze.vision.pose import Pose

NAMES = (
    "right_x_mm",
    "right_y_mm",
    "left_x_mm",
    "left_y_mm",
    "right_lids",
    "left_lids",
    "x2",
    "xy",
    "y2",
    "yaw",
    "pitch",
    "roll",
    "head_x",
    "head_y",
    "head_z",
)


def gaze_features(
    offsets_mm: NDArray[np.float64], ratios: tuple[float, float], pose: Pose
) -> NDArray[np.float64]:
    """Return the features (15,) in the order of `NAMES`.

    `offsets_mm` (2, 2) are the iris offsets and `ratios` the lids' aspect ratios, (right, left).
    The squares are of the mean offset; angles are in radians, the head's place in metres.
    """
    x_mm, y_mm = offsets_mm.mean(axis=0)
    head = pose.head
    return np.array(
        [
            *offsets_mm.ravel(),
            *ratios,
            x_mm * x_mm,
            x_mm * y_mm,
            y_mm * y_mm,
            *np.radians([head.yaw_deg, head.pitch_deg, head.roll_deg]),
            *(pose.eyes_mm / 1000.0),
        ]
    )
