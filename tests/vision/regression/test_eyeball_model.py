"""Lines of sight: eyes that turn by known angles, and the screen that they meet."""

import numpy as np
import pytest

from gaze.vision.head.stabilizer import Placed
from gaze.vision.regression import eyeball_model
from gaze.vision.sample import Screen
from simulation.landmarks import rotation

SCREEN = Screen(1600.0, 900.0, diagonal_mm=400.0)
WIDTH_MM = 400 * 1600 / np.hypot(1600, 900)
MIDDLE_PX = np.array([319.5, 239.5])
FOCAL_PX = 554.26
PERFECT = np.zeros(eyeball_model.CORRECTIONS)
PLACES = np.array([(x, y) for y in (0.05, 0.28, 0.5) for x in (0.1, 0.5, 0.9)])


def row(place, turn=None, eyes_mm=(20.0, 40.0, 500.0), kappa_deg=(0.0, 0.0)):
    """The row of eyes that look at a place of the screen, in its widths."""
    turn = np.eye(3) if turn is None else turn
    target = np.array([(0.5 - place[0]) * WIDTH_MM, place[1] * WIDTH_MM, 0.0])
    irises = []
    for ball in eyeball_model.EYEBALLS_MM:
        centre = turn @ ball + eyes_mm
        toward = turn.T @ (target - centre)
        toward /= np.linalg.norm(toward)
        across = np.arctan2(toward[0], -toward[2]) - np.radians(kappa_deg[0])
        down = np.arcsin(toward[1]) - np.radians(kappa_deg[1])
        axis = [np.sin(across) * np.cos(down), np.sin(down), -np.cos(across) * np.cos(down)]
        iris = centre + turn @ np.array(axis) * eyeball_model.ORBIT_MM
        irises.append(iris[:2] / iris[2] * FOCAL_PX + MIDDLE_PX)
    return eyeball_model.row_of(
        np.array(irises), MIDDLE_PX, Placed(turn, np.array(eyes_mm), FOCAL_PX)
    )


@pytest.mark.parametrize("turn", [None, rotation(15.0, -10.0, 5.0), rotation(-20.0, 5.0)])
def test_the_place_looked_at_is_found_whichever_way_the_head_is_turned(turn):
    rows = np.array([row(place, turn) for place in PLACES])
    assert eyeball_model.places(rows, PERFECT, SCREEN) == pytest.approx(PLACES, abs=0.004)
    assert eyeball_model.offsets(rows, PLACES, PERFECT, SCREEN) == pytest.approx(0.0, abs=0.006)


def test_nine_points_take_out_kappa_and_it_stays_out_when_the_head_moves():
    kappa = (4.0, -6.0)
    learned = eyeball_model.fit(np.array([row(p, kappa_deg=kappa) for p in PLACES]), PLACES, SCREEN)
    moved = np.array(
        [row(p, rotation(12.0, 8.0, -5.0), (-30.0, 0.0, 450.0), kappa) for p in PLACES]
    )
    off = np.linalg.norm(eyeball_model.places(moved, learned, SCREEN) - PLACES, axis=1)
    assert off.max() < 0.035
    without = np.linalg.norm(eyeball_model.places(moved, PERFECT, SCREEN) - PLACES, axis=1)
    assert without.min() > 0.08


def test_what_is_left_out_is_as_if_it_had_never_been_learned():
    rows = np.array([row(p, kappa_deg=(4.0, -6.0)) for p in PLACES])
    targets = PLACES + np.random.default_rng(1).normal(0.0, 0.01, PLACES.shape)
    shortcut = eyeball_model.left_out(
        rows, targets, eyeball_model.fit(rows, targets, SCREEN), SCREEN
    )
    numbers = np.arange(len(rows))
    for number, corrections in enumerate(shortcut):
        kept = numbers != number
        anew = eyeball_model.fit(rows[kept], targets[kept], SCREEN)
        places = [eyeball_model.places(rows, each, SCREEN) for each in (corrections, anew)]
        assert places[0] == pytest.approx(places[1], abs=0.002)


def test_a_sight_beside_everything_is_held():
    lost = row((0.5, 0.3))
    lost[:2] = (3.0, -3.0)
    place = eyeball_model.places(lost[None], PERFECT, SCREEN)
    assert np.isfinite(place).all()
    assert np.abs(place).max() <= 3.0


def test_the_level_comes_to_the_viewers_mean():
    level = eyeball_model.SightLevel()
    assert not level.started
    level.start(row((0.5, 0.28), kappa_deg=(0.0, 12.0)), np.array([0.5, 0.28]), SCREEN)
    places = np.array([(0.3, 0.1), (0.7, 0.46)])
    for frame in range(30 * 90):
        level.update(row(places[frame // 15 % 2], kappa_deg=(5.0, 4.0)), SCREEN, frame / 30)
    assert level.started
    usual = eyeball_model.usual_corrections(level.angles)
    middle = eyeball_model.places(row((0.5, 0.28), kappa_deg=(5.0, 4.0))[None], usual, SCREEN)[0]
    assert middle == pytest.approx([0.5, 0.28], abs=0.03)
