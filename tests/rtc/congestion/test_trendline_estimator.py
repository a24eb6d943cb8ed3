"""The trend of the delay and the state that it means."""

from gaze.rtc.congestion.trendline_estimator import (
    MIN_THRESHOLD_MS,
    BandwidthUsage,
    TrendlineEstimator,
)


class Fed(TrendlineEstimator):
    """An estimator that remembers when the last group arrived."""

    arrival_s = 10.0


def feed(estimator: Fed, growth_s: float, groups: int) -> list[BandwidthUsage]:
    """Groups 20 ms apart, each delayed by so much more than the last."""
    seen = []
    for _ in range(groups):
        estimator.arrival_s += 0.02 + growth_s
        seen.append(estimator.update(0.02, 0.02 + growth_s, estimator.arrival_s))
    return seen


def test_constant_delays_are_normal() -> None:
    assert set(feed(Fed(), 0.0, 200)) == {BandwidthUsage.NORMAL}


def test_growing_delays_are_overuse_and_shrinking_ones_underuse() -> None:
    estimator = Fed()
    assert feed(estimator, 0.002, 40).index(BandwidthUsage.OVERUSE) < 30
    assert feed(estimator, -0.002, 60)[-1] is BandwidthUsage.UNDERUSE


def test_the_threshold_adapts_to_a_mild_trend_and_back() -> None:
    estimator = Fed()
    feed(estimator, 0.0, 200)
    assert estimator.threshold_ms == MIN_THRESHOLD_MS
    feed(estimator, 0.001, 200)
    assert estimator.threshold_ms > 1.5 * MIN_THRESHOLD_MS
    feed(estimator, 0.0, 200)
    assert estimator.threshold_ms == MIN_THRESHOLD_MS
