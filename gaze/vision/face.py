"""Finds one face and its 478 landmarks in a camera frame; the only module that knows MediaPipe.

The landmark numbers are those of MediaPipe's attention mesh (Grishchenko et al. 2020, "Attention
Mesh"): 468 points of the face and 5 of each iris. "Right" and "left" are the viewer's own.
"""

import os
from dataclasses import dataclass
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Image = NDArray[np.uint8]
Points = NDArray[np.float64]

LANDMARKS = 478


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The landmarks of one face in one frame.

    `points_px` has shape (478, 3): x and y in pixels of the frame, z in the same scale, smaller
    nearer to the camera. `width_px` and `height_px` are the frame's.
    """

    points_px: Points
    width_px: int
    height_px: int


class FaceFinder(Protocol):
    """What a face backend offers; frames are given in the order in which they were taken."""

    def find(self, image_rgb: Image) -> Landmarks | None:
        """Return the landmarks of the most prominent face, None where there is none."""

    def close(self) -> None:
        """Release the model."""


class MeshFaceFinder:
    """MediaPipe FaceMesh in video mode, with the irises refined."""

    def __init__(self) -> None:
        os.environ.setdefault("GLOG_minloglevel", "2")
        os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")
        # Imported late: it takes a second and reads the two variables above.
        from mediapipe.python.solutions.face_mesh import FaceMesh

        self._mesh = FaceMesh(
            static_image_mode=False,
            max_num_faces=1,
            refine_landmarks=True,
            min_detection_confidence=0.5,
            min_tracking_confidence=0.5,
        )

    def find(self, image_rgb: Image) -> Landmarks | None:
        """See `FaceFinder.find`. `image_rgb` has shape (h, w, 3), uint8."""
        height_px, width_px = image_rgb.shape[:2]
        faces = self._mesh.process(np.ascontiguousarray(image_rgb)).multi_face_landmarks
        if not faces:
            return None
        points = _points(faces[0])
        if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
            return None
        return Landmarks(points * (width_px, height_px, width_px), width_px, height_px)

    def close(self) -> None:
        """Release the graph and its threads."""
        self._mesh.close()


# A landmark on the wire: what it is and how long, then x, y and z, each after its own tag.
_ON_THE_WIRE = np.dtype(
    [("head", "<u2")]
    + [(name + part, form) for name in "xyz" for part, form in (("_tag", "u1"), ("", "<f4"))]
)
_TAGS = {"head": 0x0F0A, "x_tag": 0x0D, "y_tag": 0x15, "z_tag": 0x1D}


def _points(face: Any) -> Points:
    """The landmarks (n, 3) of a `NormalizedLandmarkList`, read at once where they can be."""
    wire = face.SerializeToString()
    if len(wire) == len(face.landmark) * _ON_THE_WIRE.itemsize:
        rows = np.frombuffer(wire, _ON_THE_WIRE)
        if all((rows[name] == tag).all() for name, tag in _TAGS.items()):
            points = np.stack([rows["x"], rows["y"], rows["z"]], axis=1)
            return np.asarray(points, np.float64)
    return np.array([(p.x, p.y, p.z) for p in face.landmark], dtype=np.float64)
