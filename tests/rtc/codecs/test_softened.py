"""A session tells its encoder where the film was softened, frame by frame, as the eyes move."""

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from gaze.rtc.codecs.libx264 import H264Encoder
from simulation.rtc_viewer import RtcViewer
from tests.conftest import Serve

ROWS, COLUMNS = 23, 40
"""Blocks of 16 samples in a film of 640x360."""


async def test_the_encoder_is_told_where_the_viewer_does_not_look(
    serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[NDArray[np.float32] | None] = []
    encode = H264Encoder.encode

    def noted(self: H264Encoder, *arguments: Any, **options: Any) -> Any:
        told.append(options["softened"])
        return encode(self, *arguments, **options)

    monkeypatch.setattr(H264Encoder, "encode", noted)
    viewer = RtcViewer(await serve(encoder="libx264"))
    await viewer.open(media="texture", effects=[{"name": "blur"}])
    for x, looked_at, far in ((0.1, 4, -4), (0.9, -4, 4)):
        for _ in range(100):
            viewer.look(x, 0.5)
            await viewer.frame()
            newest = told[-1]
            if newest is not None and newest[ROWS // 2, far] > newest[ROWS // 2, looked_at]:
                break
        assert newest is not None
        assert newest.shape == (ROWS, COLUMNS)
        assert newest[ROWS // 2, looked_at] == 0
        assert newest[ROWS // 2, far] > 1
    heard = len(viewer.messages)
    viewer.say(type="effects", effects=[])
    await viewer.hear("effects", after=heard)
    for _ in range(100):
        await viewer.frame()
        if told[-1] is None:
            break
    assert told[-1] is None
    await viewer.close()
