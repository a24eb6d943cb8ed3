"""In steady state no effect allocates anything as large as a plane: not numpy's, not FFmpeg's."""

import gc
import math
import tracemalloc

import av
import numpy as np
import pytest

from gaze.effects import registry
from gaze.effects.chain import Chain
from gaze.frames.planes import FramePool
from simulation.film_frames import FRAME_S, at_no_time, film_frame, looking

WIDTH, HEIGHT = 1920, 1080
ROUND = round(2 * math.pi / FRAME_S)
"""Frames until the gaze has been everywhere that it goes."""
CHROMA_BYTES = WIDTH * HEIGHT // 4

CASES = {
    **{name: [{"name": name}] for name in registry.EFFECTS},
    "follow": [{"name": "zoom", "mode": "follow"}],
    "magnifier": [{"name": "zoom", "mode": "magnifier"}],
    "visible": [{"name": "blur", "model": "visible"}],
    "grey": [{"name": "spotlight", "look": "grey"}],
    "everywhere": [{"name": "pixelate", "area": "all"}],
    "cinema": [{"name": "zoom"}, {"name": "blur"}, {"name": "heatmap"}, {"name": "trail"}],
}


def run(chain: Chain, frame: av.VideoFrame, start: int, count: int) -> None:
    for index in range(start, start + count):
        t_s = index * FRAME_S
        gaze = looking((0.5 + 0.3 * math.cos(t_s), 0.5 + 0.3 * math.sin(t_s)), t_s)
        chain.update(gaze, t_s)
        chain.apply(frame, gaze, t_s)


@pytest.mark.parametrize("case", CASES)
def test_no_plane_is_allocated_once_it_runs(case: str, monkeypatch: pytest.MonkeyPatch) -> None:
    places: set[int] = set()
    take = FramePool.take

    def noted(self: FramePool, width: int, height: int) -> av.VideoFrame:
        drawn = take(self, width, height)
        places.add(drawn.planes[0].buffer_ptr)
        return drawn

    monkeypatch.setattr(FramePool, "take", noted)
    chain, frame = Chain(CASES[case], clock=at_no_time), film_frame(WIDTH, HEIGHT)
    run(chain, frame, 0, ROUND)
    known = set(places)
    gc.collect()
    tracemalloc.start()
    try:
        run(chain, frame, ROUND, 5)
        before, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        run(chain, frame, ROUND + 5, 10)
        after, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert places == known
    assert len(known) <= 2
    assert peak - before < CHROMA_BYTES
    assert after - before < CHROMA_BYTES / 10
    assert chain.failures == []


def test_such_an_allocation_would_be_seen() -> None:
    tracemalloc.start()
    plane = np.empty(CHROMA_BYTES, np.uint8)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak >= plane.size
