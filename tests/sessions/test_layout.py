"""Screen, viewport and picture."""

import pytest

from gaze.sessions.layout import Layout

LAYOUT = Layout(
    screen_px=(1440.0, 900.0),
    viewport_px=(0.0, 100.0, 1440.0, 800.0),
    picture_px=(80.0, 50.0, 1280.0, 720.0),
    exact=True,
    diagonal_mm=355.0,
)


@pytest.mark.parametrize(
    ("screen_px", "shown"),
    [
        ((80.0, 150.0), (0.0, 0.0)),
        ((720.0, 510.0), (0.5, 0.5)),
        ((1360.0, 870.0), (1.0, 1.0)),
        ((80.0 - 128.0, 150.0 + 1440.0), (-0.1, 2.0)),
    ],
)
def test_screen_maps_to_the_picture_and_back(
    screen_px: tuple[float, float], shown: tuple[float, float]
) -> None:
    assert LAYOUT.to_shown(screen_px) == pytest.approx(shown)
    assert LAYOUT.to_screen(shown) == pytest.approx(screen_px)


def test_eccentricity_is_a_visual_angle() -> None:
    assert LAYOUT.eccentricity_deg((0.5, 0.5), 600.0) == 0
    # Half the picture's width is 640 px of 355 mm / 1698 px each: 133.8 mm at 600 mm.
    assert LAYOUT.eccentricity_deg((1.0, 0.5), 600.0) == pytest.approx(12.57, abs=0.05)
    assert LAYOUT.eccentricity_deg((1.0, 0.5), None) == pytest.approx(12.57, abs=0.05)
