"""Zoom: its geometry on a made grid, its timing, and that it does not run after itself."""

import itertools

import numpy as np
import pytest
from numpy.typing import NDArray

from gaze.effects.chain import Chain
from gaze.effects.magnify import Magnifier
from gaze.effects.view import View
from gaze.frames.planes import Planes, planes_of
from simulation.film_frames import FRAME_S, film_frame, frame_of, looking, play

WIDTH, HEIGHT = 640, 360


def dots(width: int, height: int, pitch: int = 40) -> NDArray[np.uint8]:
    """Luma with a soft dot at every multiple of `pitch`, on sample corners."""
    y, x = np.mgrid[0:height, 0:width] + 0.5
    dy = (y + pitch / 2) % pitch - pitch / 2
    dx = (x + pitch / 2) % pitch - pitch / 2
    return np.asarray(20 + 200 * np.exp(-(dx**2 + dy**2) / 8), np.uint8)


def dot_near(luma: NDArray[np.uint8], x: float, y: float, reach: int = 12) -> tuple[float, float]:
    """Centre of light around (x, y), in samples from the picture's corner."""
    top, left = round(y) - reach, round(x) - reach
    patch = luma[top : top + 2 * reach, left : left + 2 * reach].astype(float) - 20
    rows, columns = np.mgrid[0 : patch.shape[0], 0 : patch.shape[1]] + 0.5
    return (
        left + float((patch * columns).sum() / patch.sum()),
        top + float((patch * rows).sum() / patch.sum()),
    )


@pytest.mark.parametrize("magnification", [1.02, 1.37, 2.0, 2.5, 4.0])
@pytest.mark.parametrize("centre", [(0.5, 0.5), (0.25, 0.7), (0.31, 0.444)])
def test_every_dot_lands_where_it_should(magnification: float, centre: tuple[float, float]) -> None:
    source = planes_of(frame_of(dots(WIDTH, HEIGHT)), writable=False)
    target = planes_of(frame_of(np.zeros((HEIGHT, WIDTH), np.uint8)), writable=True)
    Magnifier().draw(source, target, magnification, centre)
    seen = 0
    for x, y in itertools.product(range(0, WIDTH, 40), range(0, HEIGHT, 40)):
        expected_x = centre[0] * WIDTH + (x - centre[0] * WIDTH) * magnification
        expected_y = centre[1] * HEIGHT + (y - centre[1] * HEIGHT) * magnification
        if 25 < expected_x < WIDTH - 25 and 25 < expected_y < HEIGHT - 25:
            seen += 1
            found = dot_near(target.y, expected_x, expected_y, reach=18)
            assert found == pytest.approx((expected_x, expected_y), abs=0.1)
    assert seen >= 6


def test_chroma_stays_on_its_luma() -> None:
    """A ramp in luma and the same ramp in chroma, sited as in MPEG-2, still agree afterwards."""
    frame = frame_of(np.zeros((HEIGHT, WIDTH), np.uint8))
    planes = planes_of(frame, writable=True)
    columns = np.arange(WIDTH) * 0.25 + 30
    rows = np.arange(HEIGHT) * 0.1
    planes.y[:] = np.round(columns + rows[:, None])
    planes.u[:] = np.round(columns[::2] + (rows[::2] + rows[1::2])[:, None] / 2)
    planes.v[:] = planes.u
    target = planes_of(frame_of(np.zeros((HEIGHT, WIDTH), np.uint8)), writable=True)
    Magnifier().draw(planes, target, 3.0, (0.3, 0.6))
    luma = target.y.astype(float)[:, ::2]
    luma = (luma[::2] + luma[1::2]) / 2
    inner = np.s_[4:-4, 4:-4]
    for chroma in (target.u, target.v):
        assert np.abs(chroma[inner] - luma[inner]).max() <= 1.5
        assert (chroma[inner] - luma[inner]).mean() == pytest.approx(0, abs=0.1)


@pytest.mark.parametrize("size", [(16, 16), (17, 31), (641, 361)])
def test_any_size_is_filled(size: tuple[int, int]) -> None:
    width, height = size
    source = planes_of(frame_of(np.full((height, width), 77, np.uint8)), writable=False)
    source = Planes(source.y, np.full_like(source.u, 90), np.full_like(source.v, 160))
    for magnification, x, y in itertools.product((1.0003, 1.9, 4.0), (0, 0.4, 1), (0, 0.4, 1)):
        target = planes_of(frame_of(np.zeros((height, width), np.uint8)), writable=True)
        Magnifier().draw(source, target, magnification, (x, y))
        assert {int(v) for v in np.unique(target.y)} == {77}
        assert {int(v) for v in np.unique(target.u)} == {90}
        assert {int(v) for v in np.unique(target.v)} == {160}


def test_a_steady_look_reaches_the_maximum_in_time_and_keeps_its_place() -> None:
    frame = frame_of(dots(WIDTH, HEIGHT))
    chain = Chain([{"name": "zoom", "maximum": 2.5, "dwell": 0.8}])
    place = (120 / WIDTH, 200 / HEIGHT)
    play(chain, frame, place, seconds=0.8)
    assert chain.view == View()
    offsets = []
    for index in range(31):
        t_s = 0.8 + index * FRAME_S
        drawn = chain.apply(frame, looking(place, t_s), t_s)
        offsets.append(dot_near(planes_of(drawn, writable=False).y, 120, 200))
    assert chain.view.width == pytest.approx(1 / 2.5)
    assert chain.view.to_film(place) == pytest.approx(place)
    for found in offsets:
        assert found == pytest.approx((120, 200), abs=0.5)
    luma = planes_of(drawn, writable=False).y
    right, below = dot_near(luma, 220, 200), dot_near(luma, 120, 300)
    assert (right[0] - 120) / 40 == pytest.approx(2.5, abs=0.02)
    assert (below[1] - 200) / 40 == pytest.approx(2.5, abs=0.02)


def test_it_moves_smoothly() -> None:
    chain = Chain([{"name": "zoom"}])
    sizes = []
    for index in range(120):
        t_s = index / 60
        chain.apply(film_frame(64, 48), looking((0.3, 0.3), t_s), t_s)
        sizes.append(chain.view.width)
    steps = np.diff(np.log(sizes))
    assert steps.max() <= 1e-9
    assert np.abs(np.diff(steps)).max() < 0.005
    assert steps.min() > -0.04


@pytest.mark.parametrize("rate", [10, 24, 60])
def test_timing_does_not_depend_on_the_frame_rate(rate: int) -> None:
    chain = Chain([{"name": "zoom"}])
    for index in range(round(1.6 * rate) + 1):
        t_s = index / rate
        chain.apply(film_frame(64, 48), looking((0.3, 0.3), t_s), t_s)
    assert chain.view.width == pytest.approx(0.5)


def test_speed_is_speed() -> None:
    widths = []
    for speed in (0.5, 1, 2):
        chain = Chain([{"name": "zoom", "speed": speed}])
        play(chain, film_frame(64, 48), (0.5, 0.5), seconds=0.9)
        widths.append(chain.view.width)
    assert widths[0] > widths[1] > widths[2] > 0.4999


def test_a_look_elsewhere_zooms_out_and_can_zoom_in_anew() -> None:
    frame = film_frame(64, 48)
    chain = Chain([{"name": "zoom"}])
    play(chain, frame, (0.2, 0.2), seconds=2.0)
    assert chain.view == View(0.1, 0.1, 0.5, 0.5)
    widest = 0.0
    for index in range(90):
        t_s = 2.0 + index * FRAME_S
        before = chain.view
        chain.apply(frame, looking((0.8, 0.8), t_s), t_s)
        widest = max(widest, chain.view.width)
        moved = max(abs(chain.view.x - before.x), abs(chain.view.y - before.y))
        assert moved < 0.1
    assert widest == 1.0
    assert chain.view.width == 0.5
    assert chain.view.to_film((0.8, 0.8)) == pytest.approx((0.8, 0.8), abs=0.03)


def test_a_glance_away_does_not_matter() -> None:
    frame = film_frame(64, 48)
    chain = Chain([{"name": "zoom"}])
    play(chain, frame, (0.2, 0.2), seconds=2.0)
    for index in range(3):
        t_s = 2.0 + index * FRAME_S
        chain.apply(frame, looking((0.8, 0.8), t_s), t_s)
    play(chain, frame, (0.2, 0.2), seconds=0.5, start_s=2.1)
    assert chain.view == View(0.1, 0.1, 0.5, 0.5)


def test_a_restless_gaze_does_not_zoom() -> None:
    chain = Chain([{"name": "zoom"}])
    for index in range(120):
        t_s = index * FRAME_S
        place = (0.2, 0.2) if index // 8 % 2 else (0.6, 0.6)
        chain.apply(film_frame(64, 48), looking(place, t_s), t_s)
        assert chain.view == View()


def test_noise_neither_keeps_it_from_zooming_nor_moves_it_then() -> None:
    rng = np.random.default_rng(3)
    frame = film_frame(64, 48)
    chain = Chain([{"name": "zoom"}])
    views = []
    for index in range(150):
        t_s = index * FRAME_S
        x, y = 0.4 + rng.normal(0, 0.012, 2)
        chain.apply(frame, looking((x, y), t_s, uncertainty=0.012), t_s)
        views.append(chain.view)
    assert views[60].width == 0.5
    assert len(set(views[60:])) == 1


@pytest.mark.parametrize("display_delay_s", [0.0, 0.1])
def test_a_viewer_who_follows_a_point_of_the_film_closes_no_loop(display_delay_s: float) -> None:
    """The eyes stay on one point of the film wherever the zoom puts it: the view must settle.

    The tracker is 0.1 s late, and the screen may be late too.
    """
    frame = film_frame(64, 48)
    chain = Chain([{"name": "zoom", "maximum": 4}])
    views = []
    for index in range(300):
        t_s = index * FRAME_S
        film = (0.3, 0.3) if index < 60 else (0.36, 0.34)
        on_screen = chain.view_at(t_s - 0.1 - display_delay_s)
        chain.apply(frame, looking(on_screen.to_shown(film), t_s - 0.1), t_s)
        views.append(chain.view)
    assert views[59].width == 0.25
    assert views[-1].width == 0.25
    assert len(set(views[-30:])) == 1


def test_a_slow_drift_pans_smoothly() -> None:
    frame = film_frame(64, 48)
    chain = Chain([{"name": "zoom"}])
    play(chain, frame, (0.3, 0.5), seconds=2.0)
    places = []
    for index in range(120):
        t_s = 2.0 + index * FRAME_S
        film = (0.3 + 0.05 * index * FRAME_S, 0.5)
        chain.apply(frame, looking(chain.view.to_shown(film), t_s), t_s)
        assert chain.view.width == 0.5
        places.append(chain.view.x)
    steps = np.diff(places)
    assert steps.min() >= 0
    assert steps.max() < 0.002
    assert places[-1] - places[0] > 0.05


def test_an_unknown_gaze_zooms_out_after_a_hold() -> None:
    frame = film_frame(64, 48)
    chain = Chain([{"name": "zoom"}])
    play(chain, frame, (0.3, 0.5), seconds=2.0)
    play(chain, frame, None, seconds=0.9, start_s=2.0)
    assert chain.view.width == 0.5
    drawn = play(chain, frame, None, seconds=1.0, start_s=2.9)
    assert chain.view == View()
    assert drawn is frame


def test_a_look_beside_the_picture_does_not_zoom() -> None:
    chain = Chain([{"name": "zoom"}])
    play(chain, film_frame(64, 48), (1.3, 0.5), seconds=3.0)
    assert chain.view == View()


def followed(looks: list[tuple[float, float]], **options: object) -> list[View]:
    """The views of a zoom that follows, one a frame; looks are places of the film."""
    chain = Chain([{"name": "zoom", "mode": "follow", "maximum": 2.0, **options}])
    frame = film_frame(64, 36)
    views = []
    for index, place in enumerate(looks):
        t_s = index * FRAME_S
        chain.apply(frame, looking(chain.view.to_shown(place), t_s), t_s)
        views.append(chain.view)
    return views


def test_follow_comes_near_at_once_and_pans_after_the_gaze() -> None:
    views = followed([(0.2, 0.2)] * 45 + [(0.8, 0.8)] * 90)
    assert views[44] == View(0.1, 0.1, 0.5, 0.5)
    assert views[-1].width == 0.5
    assert views[-1].x == pytest.approx(0.4, abs=0.03)
    assert views[-1].y == pytest.approx(0.4, abs=0.03)


def test_follow_eases_and_keeps_its_speed_limit() -> None:
    x = np.array([view.x for view in followed([(0.1, 0.5)] * 45 + [(0.9, 0.5)] * 120)])[45:]
    speed = np.diff(x) / FRAME_S
    assert speed.max() <= 0.9 / 2 * 1.02
    assert np.abs(np.diff(speed)).max() < speed.max() * 0.4
    assert (speed >= -1e-9).all()
    assert speed[-1] < 0.01


def test_follow_has_a_dead_zone() -> None:
    views = followed([(0.5, 0.5)] * 60 + [(0.52, 0.51)] * 60)
    assert views[-1] == views[59]


def test_the_magnifier_enlarges_about_the_gaze_and_leaves_the_rest() -> None:
    frame = frame_of(dots(WIDTH, HEIGHT))
    chain = Chain([{"name": "zoom", "mode": "magnifier", "maximum": 2.0, "radius": 0.3}])
    drawn = planes_of(play(chain, frame, (280 / WIDTH, 160 / HEIGHT), seconds=0.5), writable=False)
    assert chain.view == View()
    assert dot_near(drawn.y, 280, 160) == pytest.approx((280, 160), abs=0.1)
    assert dot_near(drawn.y, 280, 80, reach=18) == pytest.approx((280, 80), abs=0.15)
    source = planes_of(frame, writable=False)
    for old, new, scale in zip(source, drawn, (1, 2, 2), strict=True):
        assert np.array_equal(new[:, 420 // scale :], old[:, 420 // scale :])
        assert np.array_equal(new[290 // scale :], old[290 // scale :])


@pytest.mark.parametrize("place", [(0.0, 0.0), (1.0, 1.0), (1.7, -0.5), (0.99, 0.4)])
def test_the_magnifier_may_hang_over_the_edge(place: tuple[float, float]) -> None:
    frame = frame_of(np.full((HEIGHT + 1, WIDTH + 1), 77, np.uint8))
    chain = Chain([{"name": "zoom", "mode": "magnifier", "maximum": 3.3}])
    drawn = planes_of(play(chain, frame, place, seconds=0.3), writable=False).y
    assert chain.failures == []
    assert np.median(drawn) == 77
    assert drawn.min() == 77


def test_a_zoom_that_is_taken_out_glides_out_first() -> None:
    frame = film_frame(64, 36)
    chain = Chain([{"name": "zoom"}])
    play(chain, frame, (0.25, 0.5), seconds=2.0)
    assert chain.view.width == 0.5
    chain.replace([])
    assert chain.specs == []
    widths = []
    for index in range(30):
        t_s = 2.0 + index * FRAME_S
        chain.apply(frame, looking((0.25, 0.5), t_s), t_s)
        widths.append(chain.view.width)
    assert widths[0] < 0.55
    assert np.diff(widths).min() >= 0
    assert np.diff(widths).max() < 0.06
    assert widths[-1] == 1.0
    assert chain.apply(frame, looking((0.25, 0.5), 3.1), 3.1) is frame


def test_a_zoom_that_comes_back_while_it_leaves_goes_on_from_there() -> None:
    frame = film_frame(64, 36)
    chain = Chain([{"name": "zoom"}])
    play(chain, frame, (0.25, 0.5), seconds=2.0)
    chain.replace([])
    for index in range(8):
        chain.apply(frame, looking((0.25, 0.5), 2.0 + index * FRAME_S), 2.0 + index * FRAME_S)
    half_out = chain.view.width
    assert 0.5 < half_out < 1.0
    chain.replace([{"name": "zoom"}])
    chain.apply(frame, looking((0.25, 0.5), 2.28), 2.28)
    assert chain.view.width == pytest.approx(half_out, abs=0.06)
    play(chain, frame, (0.25, 0.5), seconds=2.0, start_s=2.3)
    assert chain.view.width == 0.5
