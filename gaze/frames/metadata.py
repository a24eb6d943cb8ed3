"""What is known of a film frame besides its pixels, carried along as its `opaque`."""

from dataclasses import dataclass

import av

from gaze.frames.planes import FloatPlane


@dataclass(frozen=True, slots=True)
class FrameMetadata:
    """What came with a film frame, or was determined while it was processed.

    Attributes
    ----------
    encoded_bytes : int
        Size of the encoded frame as it was received; 0 if unknown or if it says nothing, as for a
        frame that is shown again.
    softened : ndarray of float32, shape (block rows, block columns), optional
        How many times detail was halved in each block of 16 x 16 luma samples; None if nowhere.
    """

    encoded_bytes: int = 0
    softened: FloatPlane | None = None


_NONE = FrameMetadata()


def metadata_of(frame: av.VideoFrame) -> FrameMetadata:
    """Return the metadata of a frame.

    Parameters
    ----------
    frame : av.VideoFrame
        Any frame.

    Returns
    -------
    FrameMetadata
        What its `opaque` holds; the defaults if that is something else.
    """
    metadata = frame.opaque
    return metadata if isinstance(metadata, FrameMetadata) else _NONE
