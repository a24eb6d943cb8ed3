"""Round trips of a looped film."""

from fractions import Fraction

import pytest

from benchmarks.material import round_trips

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


def test_round_trips_may_be_longer_than_the_loop() -> None:
    loop, away_s = 30, 2.5
    sent_s = [index / 30 for index in range(300)]
    came: list[tuple[int | None, float]]
    came = [(index % loop, t_s + away_s) for index, t_s in enumerate(sent_s)]
    came = [pair for index, pair in enumerate(came) if index % 5 or index < 30]  # some are lost
    came = [(None, 0.0), *(copy for pair in came for copy in (pair, pair))]
    trips = round_trips(came, sent_s, loop)
    assert len(trips) == 300 - 54
    assert [away for _, away in trips] == pytest.approx([away_s] * len(trips))
