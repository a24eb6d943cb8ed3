"""Number the face's landmarks as MediaPipe's attention mesh does.

468 points of the face are followed by 5 of the right iris and 5 of the left, of each its centre
first (Grishchenko et al. 2020, "Attention Mesh"). "Right" and "left" are the viewer's own.
"""

from dataclasses import dataclass

MESH_LANDMARKS, IRIS_LANDMARKS = 468, 5
LANDMARKS = MESH_LANDMARKS + 2 * IRIS_LANDMARKS

FOREHEAD, CHIN = 10, 152


@dataclass(frozen=True, slots=True)
class EyeIndices:
    """The landmarks of one eye.

    Attributes
    ----------
    outer, inner : int
        Corners of the eye.
    iris : int
        Centre of the iris.
    iris_contour : tuple of int
        Four points of the limbus: opposite ones are two apart.
    upper_lid, lower_lid : tuple of int
        Edges of the lids, nine points each, from the image's left to its right.
    lid_pairs : tuple of (int, int)
        Upper and lower lid, one above the other, for the eye aspect ratio.
    """

    outer: int
    inner: int
    iris: int
    iris_contour: tuple[int, int, int, int]
    upper_lid: tuple[int, ...]
    lower_lid: tuple[int, ...]
    lid_pairs: tuple[tuple[int, int], ...]


RIGHT_EYE = EyeIndices(
    outer=33,
    inner=133,
    iris=468,
    iris_contour=(469, 470, 471, 472),
    upper_lid=(33, 246, 161, 160, 159, 158, 157, 173, 133),
    lower_lid=(33, 7, 163, 144, 145, 153, 154, 155, 133),
    lid_pairs=((160, 144), (159, 145), (158, 153)),
)
LEFT_EYE = EyeIndices(
    outer=263,
    inner=362,
    iris=473,
    iris_contour=(474, 475, 476, 477),
    upper_lid=(362, 398, 384, 385, 386, 387, 388, 466, 263),
    lower_lid=(362, 382, 381, 380, 374, 373, 390, 249, 263),
    lid_pairs=((387, 373), (386, 374), (385, 380)),
)
EYES = (RIGHT_EYE, LEFT_EYE)
EYE_CORNERS = (RIGHT_EYE.outer, RIGHT_EYE.inner, LEFT_EYE.inner, LEFT_EYE.outer)
"""In the image's direction, from left to right."""
LIDS = tuple((eye.upper_lid, eye.lower_lid) for eye in EYES)
"""(upper, lower) of the right and of the left eye."""
