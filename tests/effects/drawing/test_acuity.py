"""The acuity model, by the known answers of its paper's formula."""

import numpy as np
import pytest

from gaze.effects.drawing.acuity import Acuity, cutoff_cpd


@pytest.mark.parametrize(
    ("eccentricity_deg", "expected_cpd"), [(0, 39.2), (2.3, 19.6), (5, 12.4), (10, 7.3), (20, 4.05)]
)
def test_cutoff(eccentricity_deg: float, expected_cpd: float) -> None:
    assert cutoff_cpd(np.array(eccentricity_deg)) == pytest.approx(expected_cpd, rel=0.01)


def test_level_is_log2_of_what_the_picture_carries_over_what_is_seen() -> None:
    acuity = Acuity.of_picture(1920, 24.0)
    assert acuity.nyquist_cpd == 40.0
    assert acuity.level(np.array(0.0)) == pytest.approx(np.log2(40 / 39.24), abs=1e-3)
    assert acuity.level(np.array(2.3)) == pytest.approx(np.log2(40 / 19.62), abs=1e-3)
    assert acuity.level(np.array(20.0)) == pytest.approx(np.log2(40 / 4.047), abs=1e-3)


def test_a_coarse_picture_is_left_alone_until_acuity_is_lower() -> None:
    acuity = Acuity.of_picture(640, 32.0)
    edge = acuity.eccentricity_deg(0)
    assert cutoff_cpd(np.array(edge)) == pytest.approx(10.0)
    assert acuity.level(np.array(edge - 0.1)) == 0
    assert acuity.level(np.array(edge + 0.1)) > 0


@pytest.mark.parametrize("gain", [1.0, 3.0])
def test_levels_and_distances_agree(gain: float) -> None:
    acuity = Acuity(21.3, gain)
    for level in (0.5, 1.0, 2.0, 3.0):
        assert acuity.level(np.array(acuity.eccentricity_deg(level))) == pytest.approx(level)


def test_gain_multiplies_eccentricity() -> None:
    assert Acuity(30, 3).level(np.array(4.0)) == Acuity(30, 1).level(np.array(12.0))
