"""Trail: it lies along where the gaze went, fades with age, and has gaps."""

import numpy as np
from numpy.typing import NDArray

from gaze.effects.chain import Chain
from gaze.frames.planes import planes_of
from simulation.film_frames import FRAME_S, frame_of, looking

WIDTH, HEIGHT = 640, 360


def swept(looks: list[tuple[float, float] | None], length: float = 2.0) -> NDArray[np.int_]:
    """Light added by a trail after the gaze was at these places, one a frame."""
    frame = frame_of(np.full((HEIGHT, WIDTH), 100, np.uint8))
    chain = Chain([{"name": "trail", "colour": "white", "length": length}])
    for index, shown in enumerate(looks):
        drawn = chain.apply(frame, looking(shown, index * FRAME_S), index * FRAME_S)
    return planes_of(drawn, writable=False).y.astype(int) - 100


def test_it_lies_along_the_way_and_is_fainter_the_longer_ago() -> None:
    light = swept([(0.1 + 0.8 * k / 40, 0.5) for k in range(41)])
    along = light[176:184].max(axis=0)
    assert along[:50].max() == 0
    assert (along[100:560] > 0).all()
    assert (np.diff(along[100:540:40]) > 0).all()
    assert light[:160].max() == light[200:].max() == 0


def test_it_is_gone_after_its_length() -> None:
    looks: list[tuple[float, float] | None] = [(0.2, 0.2)] * 10
    assert swept([*looks, *[None] * 20], length=1.0).max() > 0
    assert swept([*looks, *[None] * 40], length=1.0).max() == 0


def test_an_unknown_gaze_is_a_gap() -> None:
    looks: list[tuple[float, float] | None] = [(0.2, 0.5)] * 5
    there: list[tuple[float, float] | None] = [(0.8, 0.5)] * 5
    assert swept([*looks, *there])[180, 320] > 0
    light = swept([*looks, None, *there])
    assert light[180, 320] == 0
    assert light[180, 512] > 0
    assert light[180, 128] > 0


def test_nothing_is_left_however_its_length_and_the_film_change() -> None:
    rng = np.random.default_rng(1)
    chain = Chain([{"name": "trail"}])
    for index in range(240):
        height, width = (360, 640) if index < 120 else (273, 481)
        frame = frame_of(np.full((height, width), 100, np.uint8))
        if index % 20 == 0:
            length = float(rng.uniform(0.1, 3.0))
            chain.replace([{"name": "trail", "colour": "white", "length": length}])
        shown = (float(rng.uniform()), float(rng.uniform())) if index < 200 else None
        drawn = chain.apply(frame, looking(shown, index * FRAME_S), index * FRAME_S)
        if index in (119, 120):
            assert (planes_of(drawn, writable=False).y != 100).mean() > 0.05
    chain.replace([{"name": "trail", "length": 0.5}])
    for index in range(240, 240 + 16):
        drawn = chain.apply(frame, looking(None, index * FRAME_S), index * FRAME_S)
    assert drawn is frame
    chain.apply(frame, looking((0.5, 0.5), 10.0), 10.0)
    drawn = chain.apply(frame, looking(None, 10.0), 10.0)
    changed = np.argwhere(planes_of(drawn, writable=False).y != 100)
    assert np.abs(changed - (136, 240)).max() < 12
