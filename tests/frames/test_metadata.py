"""Metadata that travels with a frame."""

import av

from gaze.frames.metadata import FrameMetadata, metadata_of


def test_a_frame_carries_its_metadata() -> None:
    frame = av.VideoFrame(16, 16, "yuv420p")
    frame.opaque = FrameMetadata(encoded_bytes=1234)
    assert metadata_of(frame).encoded_bytes == 1234


def test_a_frame_without_metadata_has_the_defaults() -> None:
    frame = av.VideoFrame(16, 16, "yuv420p")
    assert metadata_of(frame) == FrameMetadata(0, None)
    frame.opaque = "something else"
    assert metadata_of(frame) == FrameMetadata(0, None)
