"""Finds one face and its 478 landmarks in a camera frame; the only module that knows MediaPipe.

The landmark numbers are those of MediaPipe's attention mesh (Grishchenko et al. 2020, "Attention
Mesh"): 468 points of the face and 5 of each iris. "Right" and "left" are the viewer's own.
"""

import os
from dataclasses import dataclass
from pathlib import Path
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


class FaceModelError(ValueError):
    """A file is no face landmarker that MediaPipe can load."""


class MeshFaceFinder:
    """MediaPipe FaceMesh in video mode, with the irises refined."""

    def __init__(self) -> None:
        _quieten()
        # Imported late: it takes a second and reads the variables that were just set.
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
        return _in_pixels(faces[0].landmark, width_px, height_px) if faces else None

    def close(self) -> None:
        """Release the graph and its threads."""
        self._mesh.close()


class TaskFaceFinder:
    """The Face Landmarker of MediaPipe Tasks, with a model file that the operator brings."""

    _STEP_MS = 33

    def __init__(self, model: Path) -> None:
        """Load `model`, a `face_landmarker.task`.

        Raises:
            FaceModelError: MediaPipe cannot load the file.
        """
        _quieten()
        import mediapipe
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import face_landmarker
        from mediapipe.tasks.python.vision.core.vision_task_running_mode import (
            VisionTaskRunningMode,
        )

        self._mediapipe = mediapipe
        try:
            self._landmarker = face_landmarker.FaceLandmarker.create_from_options(
                face_landmarker.FaceLandmarkerOptions(
                    base_options=BaseOptions(model_asset_path=str(model)),
                    running_mode=VisionTaskRunningMode.VIDEO,
                    num_faces=1,
                )
            )
        except (RuntimeError, ValueError) as error:
            raise FaceModelError(
                f"{model}: must be a face_landmarker.task; MediaPipe says: {error}"
            ) from None
        self._frames = 0

    def find(self, image_rgb: Image) -> Landmarks | None:
        """See `FaceFinder.find`. `image_rgb` has shape (h, w, 3), uint8."""
        height_px, width_px = image_rgb.shape[:2]
        picture = self._mediapipe.Image(
            image_format=self._mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image_rgb)
        )
        # The landmarker wants times that grow; it uses them for nothing but their order.
        self._frames += 1
        found = self._landmarker.detect_for_video(picture, self._frames * self._STEP_MS)
        faces = found.face_landmarks
        return _in_pixels(faces[0], width_px, height_px) if faces else None

    def close(self) -> None:
        """Release the graph and its threads."""
        self._landmarker.close()


def _quieten() -> None:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _in_pixels(landmarks: Any, width_px: int, height_px: int) -> Landmarks | None:
    """Take MediaPipe's landmarks, in fractions of the frame; None if they make no face."""
    points = np.array([(p.x, p.y, p.z) for p in landmarks], dtype=np.float64)
    if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
        return None
    return Landmarks(points * (width_px, height_px, width_px), width_px, height_px)
