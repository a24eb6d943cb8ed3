"""The least of the last twenty to thirty seconds."""

from gaze.rtc.congestion.windowed_minimum import BUCKET_S, BUCKETS, WindowedMinimum


def test_the_least_so_far_counts() -> None:
    minimum = WindowedMinimum()
    assert [minimum.update(value, t_s) for t_s, value in enumerate([5.0, 3.0, 4.0])] == [5, 3, 3]


def test_a_minimum_is_forgotten_after_twenty_to_thirty_seconds() -> None:
    minimum = WindowedMinimum()
    minimum.update(1.0, 0.0)
    values = [minimum.update(2.0, float(t_s)) for t_s in range(1, 40)]
    forgotten_s = 1 + values.index(2.0)
    assert (BUCKETS - 1) * BUCKET_S <= forgotten_s <= BUCKETS * BUCKET_S
