"""A fixation, with a webcam's noise, on a still picture: whatever moves there is the effect's."""

import numpy as np
import pytest

from gaze.effects.chain import Chain
from gaze.frames.planes import planes_of
from simulation.film_frames import FRAME_S, at_no_time, film_frame, looking

NOISE = 0.01
"""RMS of the point of gaze, in picture widths."""
SEEN = 0.02
"""Mean change from frame to frame, as a share of the picture's own mean deviation."""


@pytest.mark.parametrize(
    "spec",
    [
        {"name": "blur"},
        {"name": "blur", "model": "visible"},
        {"name": "blur", "model": "perceptual"},
        {"name": "zoom"},
        {"name": "zoom", "mode": "follow"},
        {"name": "zoom", "mode": "magnifier"},
        {"name": "spotlight"},
        {"name": "spotlight", "look": "grey"},
        {"name": "pixelate"},
        {"name": "grade"},
        {"name": "cursor"},
        {"name": "trail"},
        {"name": "heatmap"},
    ],
    ids=lambda spec: "-".join(spec.values()),
)
def test_nothing_shimmers_in_a_fixation(spec: dict[str, object]) -> None:
    rng = np.random.default_rng(3)
    frame, chain = film_frame(320, 180), Chain([spec], clock=at_no_time)
    luma = planes_of(frame, writable=False).y.astype(float)
    changes = []
    last = luma
    for index in range(110):
        t_s = index * FRAME_S
        x, y = rng.normal(0.45, NOISE, 2)
        gaze = looking((float(x), float(y)), t_s, uncertainty=0.015)
        chain.update(gaze, t_s)
        now = planes_of(chain.apply(frame, gaze, t_s), writable=False).y.astype(float)
        changes.append(np.abs(now - last).mean())
        last = now
    # In the first two seconds effects begin.
    assert np.mean(changes[60:]) < SEEN * np.abs(luma - luma.mean()).mean()
