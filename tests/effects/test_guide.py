"""Guide: it pulses at its place, lighter and darker in turn, until the eyes come near."""

import numpy as np
import pytest
from numpy.typing import NDArray

from gaze.effects import registry
from gaze.effects.chain import Chain
from gaze.frames.planes import planes_of
from simulation.film_frames import FRAME_S, frame_of, looking

WIDTH, HEIGHT = 640, 360
PLACE = 0.7 * WIDTH, 0.35 * HEIGHT


def pulse(
    chain: Chain, shown: tuple[float, float] | None, seconds: float, start_s: float = 0.0
) -> NDArray[np.float64]:
    """Luma at the guide's place over time, without the film's own 100."""
    frame = frame_of(np.full((HEIGHT, WIDTH), 100, np.uint8))
    seen = []
    for index in range(round(seconds / FRAME_S)):
        t_s = start_s + index * FRAME_S
        drawn = planes_of(chain.apply(frame, looking(shown, t_s), t_s), writable=False)
        seen.append(int(drawn.y[round(PLACE[1]), round(PLACE[0])]) - 100)
        assert (drawn.y[:, : WIDTH // 2] == 100).all()
    return np.array(seen, float)


def test_it_is_lighter_and_darker_at_its_rate() -> None:
    seen = pulse(Chain([{"name": "guide", "rate": 2.0}]), (0.1, 0.9), 4.0)[30:]
    assert seen.max() == pytest.approx(55, abs=4)
    assert seen.min() == pytest.approx(-55, abs=4)
    assert seen.mean() == pytest.approx(0, abs=2)
    spectrum = np.abs(np.fft.rfft(seen))
    assert np.fft.rfftfreq(len(seen), FRAME_S)[spectrum.argmax()] == pytest.approx(2.0, abs=0.2)


def test_it_ends_when_the_eyes_come_near_and_does_not_ask_again() -> None:
    chain = Chain([{"name": "guide", "again": 0.0}])
    assert np.abs(pulse(chain, (0.1, 0.9), 2.0)).max() > 40
    near = pulse(chain, (0.72, 0.4), 2.0, start_s=2.0)
    assert np.abs(near[-15:]).max() == 0
    assert np.abs(pulse(chain, (0.1, 0.9), 20.0, start_s=4.0)).max() == 0


def test_it_asks_again_once_the_eyes_were_away_long_enough() -> None:
    chain = Chain([{"name": "guide", "again": 3.0}])
    pulse(chain, (0.72, 0.4), 3.0)
    assert np.abs(pulse(chain, (0.1, 0.9), 2.5, start_s=3.0)).max() == 0
    assert np.abs(pulse(chain, (0.1, 0.9), 2.0, start_s=5.5)).max() > 40


def test_a_new_place_is_a_new_pulse() -> None:
    chain = Chain([{"name": "guide", "x": 0.9, "y": 0.9, "again": 0.0}])
    pulse(chain, (0.9, 0.9), 1.0)
    chain.replace([{"name": "guide", "again": 0.0}])
    assert np.abs(pulse(chain, (0.1, 0.1), 2.0, start_s=1.0)).max() > 40


def test_it_never_flashes_more_than_three_times_a_second() -> None:
    (guide,) = (entry for entry in registry.catalogue() if entry["name"] == "guide")
    assert guide["parameters"]["properties"]["rate"]["maximum"] == 3
