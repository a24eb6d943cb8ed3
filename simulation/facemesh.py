"""MediaPipe's own FaceMesh, beside which stands what does its work here."""

import numpy as np
from mediapipe.python.solutions.face_mesh import FaceMesh
from numpy.typing import NDArray

# The lips, which MediaPipe places a second time and gaze.vision does not.
LIPS = (
    *(61, 146, 91, 181, 84, 17, 314, 405, 321, 375, 291, 185, 40, 39, 37, 0, 267, 269, 270, 409),
    *(78, 95, 88, 178, 87, 14, 317, 402, 318, 324, 308, 191, 80, 81, 82, 13, 312, 311, 310, 415),
    *(76, 77, 90, 180, 85, 16, 315, 404, 320, 307, 306, 184, 74, 73, 72, 11, 302, 303, 304, 408),
    *(62, 96, 89, 179, 86, 15, 316, 403, 319, 325, 292, 183, 42, 41, 38, 12, 268, 271, 272, 407),
)


class Reference:
    """FaceMesh with refined eyes and irises; with `video`, a face is looked for where it was."""

    def __init__(self, video: bool) -> None:
        self.mesh = FaceMesh(static_image_mode=not video, refine_landmarks=True)

    def find(self, image_rgb: NDArray[np.uint8]) -> NDArray[np.float64] | None:
        """Return the landmarks (478, 3) in pixels of the picture (h, w, 3), None without a face."""
        height, width = image_rgb.shape[:2]
        faces = self.mesh.process(np.ascontiguousarray(image_rgb)).multi_face_landmarks
        if not faces:
            return None
        points = np.array([(point.x, point.y, point.z) for point in faces[0].landmark])
        return points * (width, height, width)

    def close(self) -> None:
        """Release the graph and its threads."""
        self.mesh.close()
