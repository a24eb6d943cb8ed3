"""Place the face mesh: 478 landmarks of the face in one crop of a picture.

This runs the network of MediaPipe's FaceMesh with refined eyes and irises (Grishchenko et al. 2020,
"Attention Mesh"). A first part places the whole face, a second one refines each eye. Between them
that network crops the eyes out of its own features; here `gaze.vision.kernels.mesh_eyes` does so.
Its third part, the lips, is left out: nothing here uses them.
"""

import numpy as np

from gaze.vision.arrays import FloatArray, Image
from gaze.vision.face.landmark_indices import (
    EYES,
    LANDMARKS,
    LEFT_EYE,
    MESH_LANDMARKS,
    RIGHT_EYE,
)
from gaze.vision.face.networks import Network
from gaze.vision.kernels.face_crop import FaceCrop, warp_face_crop
from gaze.vision.kernels.mesh_eyes import (
    INPUT_SIDE,
    find_eye_boxes,
    place_eye,
    sample_eye_features,
    transform_points,
)

_FILE = "face_landmark_with_attention.tflite"

# The landmarks that the second part places, in its order: lower and upper edge of the lids, then
# contours ever farther from them; last the brow.
_RIGHT = (
    *(33, 7, 163, 144, 145, 153, 154, 155, 133, 246, 161, 160, 159, 158, 157, 173),
    *(130, 25, 110, 24, 23, 22, 26, 112, 243, 247, 30, 29, 27, 28, 56, 190),
    *(226, 31, 228, 229, 230, 231, 232, 233, 244, 113, 225, 224, 223, 222, 221, 189),
    *(35, 124, 46, 53, 52, 65, 143, 111, 117, 118, 119, 120, 121, 128, 245),
    *(156, 70, 63, 105, 66, 107, 55, 193),
)
_LEFT = (
    *(263, 249, 390, 373, 374, 380, 381, 382, 362, 466, 388, 387, 386, 385, 384, 398),
    *(359, 255, 339, 254, 253, 252, 256, 341, 463, 467, 260, 259, 257, 258, 286, 414),
    *(446, 261, 448, 449, 450, 451, 452, 453, 464, 342, 445, 444, 443, 442, 441, 413),
    *(265, 353, 276, 283, 282, 295, 372, 340, 346, 347, 348, 349, 350, 357, 465),
    *(383, 300, 293, 334, 296, 336, 285, 417),
)
_REFINED = np.array([_RIGHT, _LEFT])
# From left to right in the image.
_CORNERS = np.array([(RIGHT_EYE.outer, RIGHT_EYE.inner), (LEFT_EYE.inner, LEFT_EYE.outer)])


class FaceMesh:
    """The network, loaded. Not safe to use from several threads at once."""

    def __init__(self) -> None:
        self._face = Network(_FILE, ("input_1",), ("output_mesh", "p_re_lu_3", "conv_faceflag"))
        self._eyes = Network(
            _FILE,
            ("transform_tensor_bilinear_v2_1", "transform_tensor_bilinear_v2_2"),
            ("reshape_3", "reshape_4", "reshape_6", "reshape_7"),
        )

    def find(self, image_rgb: Image, crop: FaceCrop) -> FloatArray | None:
        """Place the landmarks of the face in a crop of a picture.

        Parameters
        ----------
        image_rgb : Image, shape (h, w, 3)
        crop : FaceCrop
            Around the face.

        Returns
        -------
        FloatArray, shape (478, 3), or None
            Pixels of the picture; z in the same scale, smaller nearer to the camera. None where
            the crop holds no face.
        """
        warp_face_crop(image_rgb, crop, self._face.inputs[0][0], white=1.0)
        mesh, features, face = self._face.run()
        if not face.item() > 0.0:
            return None
        points = np.empty((LANDMARKS, 3))
        points[:MESH_LANDMARKS] = mesh.reshape(MESH_LANDMARKS, 3)
        boxes = np.empty((2, 3), np.complex128)
        find_eye_boxes(points, _REFINED, _CORNERS, boxes)
        for box, eye_features in zip(boxes, self._eyes.inputs, strict=True):
            sample_eye_features(features[0], box, eye_features[0])
        # A network cannot run while its tensors are held.
        del eye_features
        right, right_iris, left, left_iris = self._eyes.run()
        place_eye(points, _REFINED[0], EYES[0].iris, boxes[0], right[0], right_iris[0])
        place_eye(points, _REFINED[1], EYES[1].iris, boxes[1], left[0], left_iris[0])
        step = crop.direction * crop.side_px / INPUT_SIDE
        transform_points(points, crop.centre_px - step * (1.0 + 1.0j) * INPUT_SIDE / 2.0, step)
        return points
