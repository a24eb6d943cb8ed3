"""Memory that is used again."""

import numpy as np

from gaze.effects.drawing.buffers import PlaneBuffer


def test_memory_is_shared_and_grows() -> None:
    buffer = PlaneBuffer()
    large = buffer.plane((30, 40))
    small = buffer.plane((3, 7))
    assert (large.shape, small.shape) == ((30, 40), (3, 7))
    assert np.shares_memory(large, small)
    assert small.flags.c_contiguous
    larger = buffer.plane((300, 400))
    assert not np.shares_memory(large, larger)
    assert np.shares_memory(larger, buffer.plane((300, 400)))
