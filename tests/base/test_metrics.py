"""Metrics and stage times."""

from gaze.base.metrics import Metrics, StageTimes


async def test_two_servers_share_no_metric() -> None:
    one, other = Metrics(), Metrics()
    one.opened.labels("new").inc()
    assert b'gaze_sessions_opened_total{how="new"} 1.0' in one.scrape()
    assert b'gaze_sessions_opened_total{how="new"}' not in other.scrape()


async def test_percentiles_are_of_the_newest_durations() -> None:
    metrics = Metrics()
    times = StageTimes(metrics, kept=10)
    for duration_s in (*(5.0 for _ in range(20)), *(0.001 * n for n in range(1, 11))):
        times.add("track", duration_s)
    percentiles = times.percentiles_ms()
    assert set(percentiles) == {"track"}
    assert percentiles["track"]["p50"] == 5.5
    assert 9 < percentiles["track"]["p95"] <= 10
    assert b'gaze_stage_seconds_count{stage="track"} 30.0' in metrics.scrape()
