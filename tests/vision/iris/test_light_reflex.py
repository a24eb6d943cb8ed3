"""The light reflex: known diameters, and simulated pupils without it."""

import numpy as np
import pytest

from benchmarks.pupil import reflex_left, simulate
from gaze.vision.iris.light_reflex import LightReflex, steady_mm


def test_diameters_of_watson_and_yellott() -> None:
    # The formula at no light, and at 846 cd/m2 deg2: 7.75 - 5.75 / 3.
    assert steady_mm(1e-9, 1.0) == pytest.approx(7.75, abs=0.01)
    assert steady_mm(846.0, 1.0) == pytest.approx(7.75 - 5.75 / 3.0)
    assert steady_mm(8460.0, 1.0, eyes=1) == pytest.approx(7.75 - 5.75 / 3.0)
    young, old = (steady_mm(10.0, 500.0, age) for age in (20.0, 70.0))
    assert young > steady_mm(10.0, 500.0) > old


def test_without_a_film_a_diameter_is_unchanged() -> None:
    assert LightReflex().remove(4.2, 1.0) == 4.2


def test_a_simulated_pupil_constricts_after_its_latency() -> None:
    light = np.where(np.arange(120) < 60, 10.0, 200.0)
    widths = simulate(light, 0.2, 600.0, 1.0)
    assert widths[60 + 5] == pytest.approx(widths[59], abs=0.02)
    assert widths[-1] < widths[59] - 0.5


def test_less_than_a_fifth_of_the_reflex_is_left() -> None:
    left = reflex_left(3, 150.0)
    assert left["peak of the reflex (mm)"] > 0.3
    assert left["reflex left after a minute, RMS (%)"] < 20.0


def test_what_is_not_the_reflex_stays() -> None:
    reflex = LightReflex()
    for frame in range(300):
        t_s = frame / 30
        reflex.add_frame(0.3, None, t_s)
        wide = 4.0 if frame < 285 else 4.5
        left = reflex.remove(wide, t_s)
        if frame == 284:
            before = left
    assert left - before == pytest.approx(0.5, abs=0.05)


def test_only_the_past_counts() -> None:
    def diameters(until: int) -> list[float]:
        reflex = LightReflex()
        given = []
        for frame in range(until):
            reflex.add_frame(0.05 if frame % 60 < 30 else 0.6, 0.2, frame / 30)
            given.append(reflex.remove(4.0 + 0.3 * np.sin(frame / 9), frame / 30))
        return given

    assert diameters(200)[:120] == diameters(120)
