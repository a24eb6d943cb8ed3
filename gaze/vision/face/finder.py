"""Finds one face and its 478 landmarks in a camera frame.

The landmark numbers are those of MediaPipe's attention mesh (Grishchenko et al. 2020, "Attention
Mesh"): 468 points of the face and 5 of each iris. "Right" and "left" are the viewer's own.
"""

import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any, Literal, Protocol

import cv2
import numpy as np

from gaze.vision.face.detection import FaceDetector
from gaze.vision.face.mesh import LANDMARKS, FaceMesh, Points
from gaze.vision.kernels.face_crop import FaceCrop, Image

# The outer corners of the eyes, after which the square in which the face is looked for is turned.
_RIGHT_CORNER, _LEFT_CORNER = 33, 263

Delegate = Literal["GPU", "CPU"]


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
    """The face mesh as MediaPipe's FaceMesh runs it in video: where the face was in one frame is
    where it is looked for in the next, and in the whole frame only while there is none."""

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._mesh = FaceMesh()
        self._square: FaceCrop | None = None

    def find(self, image_rgb: Image) -> Landmarks | None:
        """See `FaceFinder.find`. `image_rgb` has shape (h, w, 3), uint8."""
        square = self._square or self._detector.find(image_rgb)
        points = None if square is None else self._mesh.find(image_rgb, square)
        if points is None:
            self._square = None
            return None
        # A tenth of the time that numpy takes along the longer axis.
        ((left, top, _),) = cv2.reduce(points, 0, cv2.REDUCE_MIN).tolist()
        ((right, bottom, _),) = cv2.reduce(points, 0, cv2.REDUCE_MAX).tolist()
        first, second = points[_RIGHT_CORNER].tolist(), points[_LEFT_CORNER].tolist()
        across = complex(second[0] - first[0], second[1] - first[1])
        self._square = FaceCrop.around(complex(left, top), complex(right, bottom), across)
        height_px, width_px = image_rgb.shape[:2]
        return Landmarks(points, width_px, height_px)

    def close(self) -> None:
        """There is nothing to release."""


class TaskFaceFinder:
    """The Face Landmarker of MediaPipe Tasks, with a model file that the operator brings.

    It runs on the video card where MediaPipe can use it and is no slower there.

    Attributes:
        delegate: what runs it, `GPU` or `CPU`.
    """

    _STEP_MS = 33

    def __init__(self, model: Path) -> None:
        """Load `model`, a `face_landmarker.task`.

        Raises:
            FaceModelError: MediaPipe cannot load the file.
        """
        self.delegate = _quickest(model)
        self._landmarker = _landmarker(model, self.delegate)
        self._frames = 0

    def find(self, image_rgb: Image) -> Landmarks | None:
        """See `FaceFinder.find`. `image_rgb` has shape (h, w, 3), uint8."""
        height_px, width_px = image_rgb.shape[:2]
        # The landmarker wants times that grow; it uses them for nothing but their order.
        self._frames += 1
        found = _detect(self._landmarker, image_rgb, self._frames * self._STEP_MS)
        faces = found.face_landmarks
        return _in_pixels(faces[0], width_px, height_px) if faces else None

    def close(self) -> None:
        """Release the graph and its threads."""
        self._landmarker.close()


def _landmarker(model: Path, delegate: Delegate) -> Any:
    _quieten()
    try:
        from mediapipe.tasks.python.core.base_options import BaseOptions
        from mediapipe.tasks.python.vision import face_landmarker
        from mediapipe.tasks.python.vision.core.vision_task_running_mode import (
            VisionTaskRunningMode,
        )
    except ImportError as error:
        raise FaceModelError(
            f"a face landmarker needs the packages that `gaze[tasks]` names: {error}"
        ) from None

    try:
        return face_landmarker.FaceLandmarker.create_from_options(
            face_landmarker.FaceLandmarkerOptions(
                base_options=BaseOptions(
                    model_asset_path=str(model), delegate=BaseOptions.Delegate[delegate]
                ),
                running_mode=VisionTaskRunningMode.VIDEO,
                num_faces=1,
            )
        )
    except (RuntimeError, ValueError) as error:
        raise FaceModelError(
            f"{model}: must be a face_landmarker.task; MediaPipe says: {error}"
        ) from None
    except OSError as error:  # one of the system's libraries is missing
        raise FaceModelError(
            "a face landmarker needs OpenGL ES; on Debian and Ubuntu: apt-get install libegl1 "
            f"libgles2 ({error})"
        ) from None


def _detect(landmarker: Any, image_rgb: Image, t_ms: int) -> Any:
    import mediapipe

    picture = mediapipe.Image(
        image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image_rgb)
    )
    return landmarker.detect_for_video(picture, t_ms)


@cache
def _quickest(model: Path) -> Delegate:
    """What is better to run a model on; `CPU` where MediaPipe can use no video card."""
    on_cpu_s = _frame_s(model, "CPU")
    try:
        return "GPU" if _frame_s(model, "GPU") <= on_cpu_s else "CPU"
    except (FaceModelError, RuntimeError):
        return "CPU"


def _frame_s(model: Path, delegate: Delegate) -> float:
    """How long a frame takes, once all is made ready."""
    landmarker = _landmarker(model, delegate)
    nobody = np.zeros((480, 640, 3), np.uint8)
    try:
        for number in range(1, 4):
            began_s = time.perf_counter()
            _detect(landmarker, nobody, number)
        return time.perf_counter() - began_s
    finally:
        landmarker.close()


def _quieten() -> None:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _in_pixels(landmarks: Any, width_px: int, height_px: int) -> Landmarks | None:
    """Take MediaPipe's landmarks, in fractions of the frame; None if they make no face."""
    points = np.array([(p.x, p.y, p.z) for p in landmarks], dtype=np.float64)
    if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
        return None
    return Landmarks(points * (width_px, height_px, width_px), width_px, height_px)
