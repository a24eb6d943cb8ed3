"""The face mesh on made viewers."""

import pytest

from gaze.vision.face import MeshFaceFinder
from tests.viewers import PX_PER_MM, viewer_frame


@pytest.fixture(scope="module")
def finder():
    finder = MeshFaceFinder()
    yield finder
    finder.close()


def find(finder, **looks):
    for number in range(6):
        landmarks = finder.find(viewer_frame(noise=number, **looks))
    return landmarks


def test_478_points_in_pixels_of_the_frame(finder):
    landmarks = find(finder)
    assert landmarks.points_px.shape == (478, 3)
    assert (landmarks.width_px, landmarks.height_px) == (640, 480)
    # The painted iris of the viewer's right eye.
    assert landmarks.points_px[468, :2] == pytest.approx([248, 169], abs=6)


def test_it_follows_the_head_and_the_irises(finder):
    straight = find(finder).points_px
    moved = find(finder, shift_px=(40, -20)).points_px
    assert (moved - straight)[468, :2] == pytest.approx([40, -20], abs=4)
    looking = find(finder, iris=(4 * PX_PER_MM, 0)).points_px
    share = (looking - straight)[[468, 473], 0].mean() / (4 * PX_PER_MM)
    assert 0.4 < share < 1.0


def test_nobody_is_none(finder):
    assert find(finder, present=False) is None
    assert find(finder) is not None
