"""The reflex to light: known widths, and simulated pupils with it taken out."""

import numpy as np
import pytest

from benchmarks.pupil import reflex_left, simulate
from gaze.vision.iris.light_reflex import LightReflex, steady_mm


def test_widths_of_watson_and_yellott():
    # The formula at no light, and at 846 cd/m2 deg2: 7.75 - 5.75 / 3.
    assert steady_mm(1e-9, 1.0) == pytest.approx(7.75, abs=0.01)
    assert steady_mm(846.0, 1.0) == pytest.approx(7.75 - 5.75 / 3.0)
    assert steady_mm(8460.0, 1.0, eyes=1) == pytest.approx(7.75 - 5.75 / 3.0)
    young, old = (steady_mm(10.0, 500.0, age) for age in (20.0, 70.0))
    assert young > steady_mm(10.0, 500.0) > old


def test_without_a_film_a_width_stays_as_it_is():
    assert LightReflex().without(4.2, 1.0) == 4.2


def test_a_simulated_pupil_narrows_after_its_latency():
    light = np.where(np.arange(120) < 60, 10.0, 200.0)
    widths = simulate(light, 0.2, 600.0, 1.0)
    assert widths[60 + 5] == pytest.approx(widths[59], abs=0.02)
    assert widths[-1] < widths[59] - 0.5


def test_the_reflex_is_taken_out_to_a_fifth():
    left = reflex_left(3, 150.0)
    assert left["size of the reflex (mm)"] > 0.3
    assert left["of the reflex left, after a minute (%)"] < 20.0


def test_what_is_not_light_stays():
    reflex = LightReflex()
    for frame in range(300):
        t_s = frame / 30
        reflex.see(0.3, None, t_s)
        wide = 4.0 if frame < 285 else 4.5
        left = reflex.without(wide, t_s)
        if frame == 284:
            before = left
    assert left - before == pytest.approx(0.5, abs=0.05)


def test_only_the_past_counts():
    def widths(until):
        reflex = LightReflex()
        given = []
        for frame in range(until):
            reflex.see(0.05 if frame % 60 < 30 else 0.6, 0.2, frame / 30)
            given.append(reflex.without(4.0 + 0.3 * np.sin(frame / 9), frame / 30))
        return given

    assert widths(200)[:120] == widths(120)
