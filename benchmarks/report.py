"""What every benchmark shares: its flags, the median of its runs, its table and its JSON file."""

import argparse
import json
import math
import os
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median

import numpy as np

Figures = dict[str, float]


@dataclass(frozen=True, slots=True)
class Goal:
    """A limit that a figure has to keep: at least `least` and at most `most`."""

    least: float = -math.inf
    most: float = math.inf

    def met(self, value: float) -> bool:
        """Whether a value keeps it; an unknown one does not."""
        return self.least <= value <= self.most

    def __str__(self) -> str:
        limits = ((">=", self.least), ("<=", self.most))
        return " ".join(f"{sign} {number(limit)}" for sign, limit in limits if math.isfinite(limit))


@dataclass(slots=True)
class Report:
    """Figures by row and column: rows are what is measured, columns who was measured.

    A figure may be given once a run; what is shown and written is the median of the runs.
    """

    title: str
    goals: Mapping[str, Goal] = field(default_factory=dict)
    judged: str = "ours"
    notes: list[str] = field(default_factory=list)
    prefix: str = ""
    ratios: Figures = field(default_factory=dict)
    _values: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, column: str, figures: Mapping[str, float]) -> None:
        """Note one run's figures of a column."""
        for row, value in figures.items():
            self._values.setdefault((row, column), []).append(float(value))

    def value(self, row: str, column: str) -> float:
        """The median of the runs, nan where there was none or where one is unknown."""
        values = self._values.get((row, column), [])
        return median(values) if values and not any(map(math.isnan, values)) else math.nan

    def ratio(self, row: str, over: str, under: str) -> float:
        """The median of a row in one column over that in another."""
        below = self.value(row, under)
        return self.value(row, over) / below if below else math.nan

    def figures(self) -> Figures:
        """One flat object: prefix and `column.row` → median; without those unknown or infinite."""
        keys = ((row, column) for row, column in self._values)
        named = {f"{self.prefix}{name}": value for name, value in self.ratios.items()}
        named |= {f"{self.prefix}{column}.{row}": self.value(row, column) for row, column in keys}
        return {name: value for name, value in named.items() if math.isfinite(value)}

    def table(self) -> str:
        """The table as text, with the spread of the runs and the goals beside."""
        rows = list(dict.fromkeys(row for row, _ in self._values))
        columns = list(dict.fromkeys(column for _, column in self._values))
        head = ["", *columns, *(["goal", ""] if self.goals else [])]
        body = [[row, *(self._cell(row, c) for c in columns), *self._verdict(row)] for row in rows]
        return "\n".join([self.title, *aligned([head, *body]), *self.notes])

    def _cell(self, row: str, column: str) -> str:
        values = self._values.get((row, column), [])
        if not values:
            return "-"
        text = number(self.value(row, column))
        if len(values) > 1 and max(values) > min(values):
            text += f" ({number(min(values))}..{number(max(values))})"
        return text

    def _verdict(self, row: str) -> list[str]:
        if not self.goals:
            return []
        goal = self.goals.get(row)
        if goal is None:
            return ["", ""]
        return [str(goal), "met" if goal.met(self.value(row, self.judged)) else "MISSED"]


def number(value: float) -> str:
    """A number for people: three significant digits, no exponent; `?` where unknown."""
    if not math.isfinite(value):
        return "?"
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(digits, 4)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Lines of text with the columns aligned; the first to the left, the others to the right."""
    count = max(map(len, rows))
    full = [[*row, *[""] * (count - len(row))] for row in rows]
    widths = [max(len(row[i]) for row in full) for i in range(count)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ).rstrip()
        for row in full
    ]


def percentiles(name: str, values: Iterable[float], *which: int) -> Figures:
    """`{name}_p50` and so on; nan without values."""
    array = np.fromiter(values, float)
    return {
        f"{name}_p{p}": float(np.percentile(array, p)) if array.size else math.nan
        for p in (which or (50, 95, 99))
    }


def slope(t: Sequence[float], values: Sequence[float]) -> float:
    """How fast values grow, per unit of `t`, by least squares; nan for fewer than two."""
    if len(t) < 2:
        return math.nan
    return float(np.polyfit(np.asarray(t) - t[0], np.asarray(values), 1)[0])


def arguments(doc: str, name: str, seconds: float, runs: int = 3) -> argparse.ArgumentParser:
    """The flags that every benchmark takes; a benchmark may add its own."""
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--seconds", type=float, default=seconds, help="of each measurement")
    parser.add_argument("--runs", type=int, default=runs, help="of which the median is taken")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the figures there, flat")
    return parser


def machine() -> str:
    """What it ran on, in a line."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {model}; load when it began {load:.1f}"


def publish(
    reports: Sequence[Report], file: Path | None, show: Callable[[str], None] = print
) -> None:
    """Show the tables and, where a file is given, write the figures of all of them into it."""
    for report in reports:
        show(report.table() + "\n")
    if file is not None:
        figures: Figures = {}
        for report in reports:
            figures |= report.figures()
        file.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
