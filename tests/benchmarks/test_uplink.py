"""The uplink benchmark's figures, from getStats samples."""

import math
from fractions import Fraction

import pytest

from benchmarks.uplink import figures_of

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


def _sample(t: float, frames: int, width: int) -> dict[str, object]:
    stream = {"width": width, "height": width * 9 // 16, "bytes": frames * 10_000, "frames": frames}
    return {"t": t, "camera": stream, "film": stream, "returned": stream, "estimate": 3e6}


def test_the_time_until_the_film_has_its_full_size() -> None:
    samples = [_sample(t, 30 * t, 640 if t < 4 else 1280) for t in range(11)]
    figures = figures_of(samples)
    assert figures["film_full_size_after_s"] == 4
    assert figures["film_full_size_share"] == 1
    assert figures["film_fps"] == pytest.approx(30)
    assert figures["film_mbps"] == pytest.approx(2.4)
    never = figures_of([_sample(t, 30 * t, 640) for t in range(11)])
    assert never["film_full_size_after_s"] == math.inf
    assert never["film_full_size_share"] == 0
