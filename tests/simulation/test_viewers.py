"""The test cameras themselves: what is painted is where it is said to be."""

import cv2
import numpy as np
import pytest

from simulation.viewers import HEIGHT, WIDTH, viewer_frame, write_camera


def test_frames_have_the_cameras_shape_and_are_never_frozen():
    one, two = viewer_frame(noise=1), viewer_frame(noise=2)
    assert one.shape == (HEIGHT, WIDTH, 3)
    assert one.dtype == np.uint8
    assert (one != two).mean() > 0.5
    assert np.abs(one.astype(int) - two).mean() < 4


def test_the_head_moves_by_the_shift():
    still, moved = viewer_frame(), viewer_frame(shift_px=(40, -20))
    assert np.abs(still[100:300, 200:400].astype(int) - moved[80:280, 240:440]).mean() < 4


def test_a_shift_out_of_reach_is_refused():
    with pytest.raises(ValueError, match="60 px at most"):
        viewer_frame(shift_px=(100, 0))


@pytest.mark.parametrize("suffix", [".mjpeg", ".y4m"])
def test_a_camera_file_plays_back(tmp_path, suffix):
    path = tmp_path / f"camera{suffix}"
    write_camera(path, [(0.2, {"iris": (-8, 0)}), (0.1, {"present": False})])
    video = cv2.VideoCapture(str(path))
    shown = []
    while (read := video.read())[0]:
        shown.append(cv2.cvtColor(read[1], cv2.COLOR_BGR2RGB))
    assert len(shown) == 9
    assert np.abs(shown[0].astype(int) - viewer_frame(iris=(-8, 0), noise=0)).mean() < 6
    assert np.abs(shown[8].astype(int) - viewer_frame(present=False, noise=8)).mean() < 6


def test_another_suffix_is_refused(tmp_path):
    with pytest.raises(ValueError, match=r"\.mjpeg or \.y4m"):
        write_camera(tmp_path / "camera.mp4", [])
