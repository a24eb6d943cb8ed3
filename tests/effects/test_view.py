"""Views: mapping points, and composing."""

import pytest

from gaze.effects.view import WHOLE, View


def test_points_are_mapped_there_and_back() -> None:
    view = View(0.1, 0.2, 0.5, 0.25)
    assert view.to_film((0.0, 1.0)) == pytest.approx((0.1, 0.45))
    assert view.to_shown(view.to_film((0.3, -0.7))) == pytest.approx((0.3, -0.7))
    inner = View(0.5, 0.5, 0.5, 0.5)
    point = (0.2, 0.9)
    assert inner.within(view).to_film(point) == pytest.approx(view.to_film(inner.to_film(point)))
    assert WHOLE.to_film(point) == point
