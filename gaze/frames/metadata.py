"""What is known of a film's frame besides its pixels, carried along as its `opaque`."""

from dataclasses import dataclass

import av
import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True)
class FrameMetadata:
    """What came with a frame.

    Attributes:
        encoded_bytes: how large it was as it came; 0 where that says nothing, as when it is shown
            again.
        softened: how many times detail was halved in it, on a grid over the frame; None if nowhere.
    """

    encoded_bytes: int = 0
    softened: NDArray[np.float32] | None = None


_NONE = FrameMetadata()


def metadata_of(frame: av.VideoFrame) -> FrameMetadata:
    """What is known of a frame; nothing if nobody noted anything."""
    notes = frame.opaque
    return notes if isinstance(notes, FrameMetadata) else _NONE
