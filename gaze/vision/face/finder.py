"""Find one face and its landmarks in a camera frame, by one of two face backends.

`gaze.vision.face.landmark_indices` names the landmarks.
"""

import os
import time
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Protocol

import cv2
import numpy as np

from gaze.vision.arrays import FloatArray, Image
from gaze.vision.face.detection import FaceDetector
from gaze.vision.face.landmark_indices import LANDMARKS, LEFT_EYE, RIGHT_EYE
from gaze.vision.face.mesh import FaceMesh
from gaze.vision.kernels.face_crop import FaceCrop

if TYPE_CHECKING:  # it takes a second to load, and only `TaskFaceFinder` needs it
    from mediapipe.tasks.python.components.containers.landmark import NormalizedLandmark
    from mediapipe.tasks.python.vision.face_landmarker import FaceLandmarker, FaceLandmarkerResult

Delegate = Literal["GPU", "CPU"]


@dataclass(frozen=True, slots=True)
class Landmarks:
    """The landmarks of one face in one frame.

    Attributes
    ----------
    points_px : FloatArray, shape (478, 3)
        x and y in pixels of the frame, z in the same scale, smaller nearer to the camera.
    width_px, height_px : int
        Size of the frame.
    """

    points_px: FloatArray
    width_px: int
    height_px: int


class FaceFinder(Protocol):
    """The interface of a face backend; frames are given in the order of their capture."""

    def find(self, image_rgb: Image) -> Landmarks | None:
        """Find the most prominent face of a frame.

        Parameters
        ----------
        image_rgb : Image, shape (h, w, 3)

        Returns
        -------
        Landmarks or None
            None where there is no face.
        """

    def close(self) -> None:
        """Release the model."""


class FaceModelError(ValueError):
    """A file is no face landmarker that MediaPipe can load."""


class MeshFaceFinder:
    """The face mesh, run on video as MediaPipe's FaceMesh does it.

    A face is searched for in the whole frame only while there is none; otherwise the mesh runs on
    the crop around the landmarks of the frame before.
    """

    def __init__(self) -> None:
        self._detector = FaceDetector()
        self._mesh = FaceMesh()
        self._crop: FaceCrop | None = None

    def find(self, image_rgb: Image) -> Landmarks | None:
        """Find the face: see `FaceFinder.find`.

        Parameters
        ----------
        image_rgb : Image, shape (h, w, 3)

        Returns
        -------
        Landmarks or None
        """
        crop = self._crop or self._detector.find(image_rgb)
        points = None if crop is None else self._mesh.find(image_rgb, crop)
        if points is None:
            self._crop = None
            return None
        # cv2.reduce takes a tenth of the time of numpy's minimum and maximum along the longer axis.
        ((left, top, _),) = cv2.reduce(points, 0, cv2.REDUCE_MIN).tolist()
        ((right, bottom, _),) = cv2.reduce(points, 0, cv2.REDUCE_MAX).tolist()
        first, second = points[RIGHT_EYE.outer].tolist(), points[LEFT_EYE.outer].tolist()
        across = complex(second[0] - first[0], second[1] - first[1])
        self._crop = FaceCrop.around(complex(left, top), complex(right, bottom), across)
        height_px, width_px = image_rgb.shape[:2]
        return Landmarks(points, width_px, height_px)

    def close(self) -> None:
        """Do nothing: the networks go with this object."""


class TaskFaceFinder:
    """The Face Landmarker of MediaPipe Tasks, with a model file that the operator provides.

    It runs on the GPU where MediaPipe can use one and is no slower there.

    Attributes
    ----------
    delegate : {"GPU", "CPU"}
        What runs it.
    """

    _STEP_MS = 33

    def __init__(self, model: Path) -> None:
        """Load a model.

        Parameters
        ----------
        model : Path
            A `face_landmarker.task`.

        Raises
        ------
        FaceModelError
            If MediaPipe cannot load the file.
        """
        self.delegate = _fastest_delegate(model)
        self._landmarker = _landmarker(model, self.delegate)
        self._frames = 0

    def find(self, image_rgb: Image) -> Landmarks | None:
        """Find the face: see `FaceFinder.find`.

        Parameters
        ----------
        image_rgb : Image, shape (h, w, 3)

        Returns
        -------
        Landmarks or None
        """
        height_px, width_px = image_rgb.shape[:2]
        # The landmarker requires increasing times; it uses nothing but their order.
        self._frames += 1
        found = _detect(self._landmarker, image_rgb, self._frames * self._STEP_MS)
        faces = found.face_landmarks
        return _in_pixels(faces[0], width_px, height_px) if faces else None

    def close(self) -> None:
        """Release the graph and its threads."""
        self._landmarker.close()


def _landmarker(model: Path, delegate: Delegate) -> "FaceLandmarker":
    _silence_logs()
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


def _detect(landmarker: "FaceLandmarker", image_rgb: Image, t_ms: int) -> "FaceLandmarkerResult":
    import mediapipe

    picture = mediapipe.Image(
        image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(image_rgb)
    )
    return landmarker.detect_for_video(picture, t_ms)


@cache
def _fastest_delegate(model: Path) -> Delegate:
    """Return what runs a model faster; `CPU` where MediaPipe can use no GPU."""
    on_cpu_s = _frame_s(model, "CPU")
    try:
        return "GPU" if _frame_s(model, "GPU") <= on_cpu_s else "CPU"
    except (FaceModelError, RuntimeError):
        return "CPU"


def _frame_s(model: Path, delegate: Delegate) -> float:
    """Return how long the third frame takes: all initialisation is over by then."""
    landmarker = _landmarker(model, delegate)
    empty = np.zeros((480, 640, 3), np.uint8)
    try:
        for number in range(1, 4):
            started_s = time.perf_counter()
            _detect(landmarker, empty, number)
        return time.perf_counter() - started_s
    finally:
        landmarker.close()


def _silence_logs() -> None:
    os.environ.setdefault("GLOG_minloglevel", "2")
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")


def _in_pixels(
    landmarks: "list[NormalizedLandmark]", width_px: int, height_px: int
) -> Landmarks | None:
    """Convert MediaPipe's landmarks from fractions of the frame; None if they are not finite."""
    points = np.array([(p.x, p.y, p.z) for p in landmarks], dtype=np.float64)
    if points.shape != (LANDMARKS, 3) or not np.isfinite(points).all():
        return None
    return Landmarks(points * (width_px, height_px, width_px), width_px, height_px)
