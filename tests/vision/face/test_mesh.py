"""The face mesh in a given crop."""

import numpy as np
import pytest

from gaze.vision.arrays import FloatArray, Image
from gaze.vision.face.landmark_indices import EYES
from gaze.vision.face.mesh import FaceMesh
from gaze.vision.kernels.face_crop import FaceCrop
from simulation.viewers.painted import viewer_frame

CROP = FaceCrop(322 + 220j, 480.0)


@pytest.fixture(scope="module")
def mesh() -> FaceMesh:
    return FaceMesh()


def irises(mesh: FaceMesh, crop: FaceCrop, picture: Image | None = None) -> FloatArray:
    points = mesh.find(viewer_frame() if picture is None else picture, crop)
    assert points is not None
    return points[[eye.iris for eye in EYES], :2]


def test_landmarks_are_in_pixels_of_the_picture(mesh: FaceMesh) -> None:
    points = mesh.find(viewer_frame(), CROP)
    assert points is not None
    assert points.shape == (478, 3)
    right, left = irises(mesh, CROP)
    # The painted irises.
    assert right == pytest.approx([248, 169], abs=6)
    assert left == pytest.approx([396, 176], abs=6)


def test_landmarks_hardly_depend_on_the_crop(mesh: FaceMesh) -> None:
    still = irises(mesh, CROP)
    for crop in (
        FaceCrop(CROP.centre_px + 8 - 6j, CROP.side_px),
        FaceCrop(CROP.centre_px, 1.05 * CROP.side_px),
        FaceCrop(CROP.centre_px, CROP.side_px, complex(np.exp(0.1j))),
    ):
        assert irises(mesh, crop) == pytest.approx(still, abs=3.0)


def test_irises_are_at_the_depth_of_their_lids(mesh: FaceMesh) -> None:
    points = mesh.find(viewer_frame(), CROP)
    assert points is not None
    for eye in EYES:
        depth = points[[*eye.upper_lid, *eye.lower_lid[1:-1]], 2].mean()
        assert points[[eye.iris, *eye.iris_contour], 2] == pytest.approx(depth)


def test_a_crop_without_a_face_gives_none(mesh: FaceMesh) -> None:
    assert mesh.find(np.full((480, 640, 3), 90, np.uint8), CROP) is None
