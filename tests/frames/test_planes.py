"""Views of a frame's planes, and the pool of frames."""

from fractions import Fraction

import av
import numpy as np
import pytest
from av.video.reformatter import ColorRange, Colorspace

from gaze.frames.planes import POOL_SIZE, FramePool, copy_properties, planes_of


def test_planes_are_views_of_the_frame() -> None:
    frame = av.VideoFrame(51, 33, "yuv420p")
    planes = planes_of(frame, writable=True)
    assert (planes.width, planes.height) == (51, 33)
    assert [plane.shape for plane in planes] == [(33, 51), (17, 26), (17, 26)]
    planes.u[16, 25] = 99
    assert planes_of(frame, writable=False).u[16, 25] == 99


def test_read_only_planes_cannot_be_written() -> None:
    planes = planes_of(av.VideoFrame(16, 16, "yuv420p"), writable=False)
    with pytest.raises(ValueError, match="read-only"):
        planes.y[0, 0] = 1


def test_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="the frame should be yuv420p, not rgb24"):
        planes_of(av.VideoFrame(16, 16, "rgb24"), writable=False)


def test_the_pool_reuses_a_frame_once_nobody_holds_it() -> None:
    pool = FramePool()
    first = pool.take(32, 16)
    second = pool.take(32, 16)
    assert second is not first
    memory = first.planes[0].buffer_ptr
    del first
    again = pool.take(32, 16)
    assert again.planes[0].buffer_ptr == memory
    assert again is not second


def test_a_plane_view_holds_its_frame() -> None:
    pool = FramePool()
    luma = planes_of(pool.take(32, 16), writable=True).y
    luma[:] = 7
    planes_of(pool.take(32, 16), writable=True).y[:] = 200
    assert (luma == 7).all()


def test_the_pool_keeps_no_more_than_its_size() -> None:
    pool = FramePool()
    held = [pool.take(32, 16) for _ in range(POOL_SIZE + 3)]
    kept = {frame.planes[0].buffer_ptr for frame in held[:POOL_SIZE]}
    held.clear()
    again = [pool.take(32, 16) for _ in range(POOL_SIZE)]
    assert {frame.planes[0].buffer_ptr for frame in again} == kept


def test_another_size_empties_the_pool() -> None:
    pool = FramePool()
    pool.take(32, 16)
    frame = pool.take(64, 48)
    assert (frame.width, frame.height, frame.format.name) == (64, 48, "yuv420p")


def test_properties_are_copied_and_pixels_stay() -> None:
    source, target = av.VideoFrame(16, 16, "yuv420p"), av.VideoFrame(32, 32, "yuv420p")
    source.pts, source.dts, source.time_base = 7, 5, Fraction(1, 25)
    source.color_range, source.colorspace = ColorRange.MPEG, Colorspace.ITU709
    planes_of(target, writable=True).y[:] = 33
    copy_properties(source, target)
    assert (target.pts, target.dts, target.time_base) == (7, 5, Fraction(1, 25))
    assert (target.color_range, target.colorspace) == (ColorRange.MPEG, Colorspace.ITU709)
    assert np.all(planes_of(target, writable=False).y == 33)
