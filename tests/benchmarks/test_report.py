"""The benchmarks' report: medians, spread, goals, and the JSON file."""

import json
import math
from fractions import Fraction
from pathlib import Path

import pytest

from benchmarks.report import Goal, Report, number, percentiles, publish, slope

PACKET_BYTES = 1200
TICK = Fraction(1, 30)


def test_report_shows_medians_spread_and_goals(tmp_path: Path) -> None:
    report = Report("Title", {"delay": Goal(most=10), "fps": Goal(least=28)}, prefix="720p.")
    for delay in (9.0, 12.0, 8.0):
        report.add("ours", {"delay": delay, "fps": 27.0})
    report.add("stock", {"delay": 36.0, "unknown": math.nan})
    report.ratios["delay_over_stock"] = report.ratio("delay", "ours", "stock")
    shown: list[str] = []
    publish([report], tmp_path / "figures.json", shown.append)
    lines = {line.split()[0]: line for line in shown[0].splitlines() if line}
    assert "9 (8..12)" in lines["delay"]
    assert lines["delay"].endswith("met")
    assert lines["fps"].endswith("MISSED")
    assert json.loads((tmp_path / "figures.json").read_text()) == {
        "720p.ours.delay": 9.0,
        "720p.ours.fps": 27.0,
        "720p.stock.delay": 36.0,
        "720p.delay_over_stock": 0.25,
    }


def test_unknown_figures_meet_no_goal() -> None:
    report = Report("Title", {"delay": Goal(most=10)})
    report.add("ours", {"delay": math.nan})
    assert "MISSED" in report.table()
    assert "?" in report.table()


@pytest.mark.parametrize(
    ("value", "text"), [(0, "0"), (1234.5, "1234"), (12.345, "12.3"), (0.01234, "0.0123")]
)
def test_numbers_have_three_digits(value: float, text: str) -> None:
    assert number(value) == text


def test_percentiles_and_slope() -> None:
    assert percentiles("x", range(101)) == {"x_p50": 50, "x_p95": 95, "x_p99": 99}
    assert all(map(math.isnan, percentiles("x", []).values()))
    assert slope([100, 101, 102], [5, 7, 9]) == pytest.approx(2)
