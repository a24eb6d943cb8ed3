"""What all benchmarks share: command-line flags, medians of runs, the table and the JSON file."""

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
    """A limit that a figure is to keep.

    Attributes
    ----------
    least, most : float
        Both inclusive; infinite by default.
    """

    least: float = -math.inf
    most: float = math.inf

    def met(self, value: float) -> bool:
        """Return whether a value keeps the limit; an unknown value (nan) does not.

        Parameters
        ----------
        value : float
            The figure.
        """
        return self.least <= value <= self.most

    def __str__(self) -> str:
        """Return the limit as the table shows it."""
        limits = ((">=", self.least), ("<=", self.most))
        return " ".join(f"{sign} {number(limit)}" for sign, limit in limits if math.isfinite(limit))


@dataclass(slots=True)
class Report:
    """Figures by row and column: rows are what is measured, columns whose figure it is.

    A figure may be added once for each run; the median of the runs is shown and written.

    Attributes
    ----------
    title : str
        First line of the table: what is measured, in which unit, on which machine.
    goals : mapping of str to Goal
        Goals by row.
    judged : str, default "ours"
        The column that the goals are about.
    notes : list of str
        Lines below the table.
    prefix : str
        Prepended to the names in the JSON file.
    ratios : dict of str to float
        Further figures for the JSON file.
    """

    title: str
    goals: Mapping[str, Goal] = field(default_factory=dict)
    judged: str = "ours"
    notes: list[str] = field(default_factory=list)
    prefix: str = ""
    ratios: Figures = field(default_factory=dict)
    _values: dict[tuple[str, str], list[float]] = field(default_factory=dict)

    def add(self, column: str, figures: Mapping[str, float]) -> None:
        """Add one run's figures of a column.

        Parameters
        ----------
        column : str
            Whose figures.
        figures : mapping of str to float
            By row; nan for unknown ones.
        """
        for row, value in figures.items():
            self._values.setdefault((row, column), []).append(float(value))

    def value(self, row: str, column: str) -> float:
        """Return the median of the runs.

        Parameters
        ----------
        row, column : str
            Which figure.

        Returns
        -------
        float
            nan if there was no run, or one is unknown.
        """
        values = self._values.get((row, column), [])
        return median(values) if values and not any(map(math.isnan, values)) else math.nan

    def ratio(self, row: str, over: str, under: str) -> float:
        """Return a row's median in one column divided by that in another.

        Parameters
        ----------
        row : str
            Which figure.
        over, under : str
            Columns of numerator and denominator.
        """
        below = self.value(row, under)
        return self.value(row, over) / below if below else math.nan

    def figures(self) -> Figures:
        """Return all medians by `prefix + column.row`, without unknown and infinite ones."""
        keys = ((row, column) for row, column in self._values)
        named = {f"{self.prefix}{name}": value for name, value in self.ratios.items()}
        named |= {f"{self.prefix}{column}.{row}": self.value(row, column) for row, column in keys}
        return {name: value for name, value in named.items() if math.isfinite(value)}

    def table(self) -> str:
        """Return the table as text: medians with the range of the runs, goals, and verdicts."""
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
    """Format a number for people: three significant digits, no exponent.

    Parameters
    ----------
    value : float
        The number.

    Returns
    -------
    str
        `?` if it is not finite.
    """
    if not math.isfinite(value):
        return "?"
    digits = 0 if value == 0 else max(0, 2 - math.floor(math.log10(abs(value))))
    text = f"{value:.{min(digits, 4)}f}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def aligned(rows: Sequence[Sequence[str]]) -> list[str]:
    """Align the columns of a table, the first to the left, the others to the right.

    Parameters
    ----------
    rows : sequence of sequence of str
        The cells; rows may be short.

    Returns
    -------
    list of str
        One line for each row.
    """
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
    """Return percentiles by name: `{name}_p50` and so on.

    Parameters
    ----------
    name : str
        Prefix of the names.
    values : iterable of float
        The samples.
    *which : int
        Percentiles; by default 50, 95 and 99.

    Returns
    -------
    dict of str to float
        nan without samples.
    """
    array = np.fromiter(values, float)
    return {
        f"{name}_p{p}": float(np.percentile(array, p)) if array.size else math.nan
        for p in (which or (50, 95, 99))
    }


def slope(t: Sequence[float], values: Sequence[float]) -> float:
    """Return the slope of the least-squares line through points.

    Parameters
    ----------
    t, values : sequence of float
        Abscissae and ordinates.

    Returns
    -------
    float
        Units of `values` per unit of `t`; nan for fewer than two points.
    """
    if len(t) < 2:
        return math.nan
    return float(np.polyfit(np.asarray(t) - t[0], np.asarray(values), 1)[0])


def arguments(
    doc: str | None, name: str, seconds: float | None = None, runs: int | None = None
) -> argparse.ArgumentParser:
    """Make a parser with the flags that benchmarks share.

    Parameters
    ----------
    doc : str or None
        The benchmark's docstring, shown by `--help`.
    name : str
        The benchmark's module.
    seconds : float, optional
        Default length of a measurement; without it there is no `--seconds`.
    runs : int, optional
        Default number of repetitions; without it there is no `--runs`.

    Returns
    -------
    argparse.ArgumentParser
        To which a benchmark may add its own flags.
    """
    parser = argparse.ArgumentParser(
        prog=f"python -m benchmarks.{name}",
        description=doc,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    if seconds is not None:
        help_text = f"length of each measurement (default {seconds:g})"
        parser.add_argument("--seconds", type=float, default=seconds, help=help_text)
    if runs is not None:
        help_text = f"repetitions, of which the median is given (default {runs})"
        parser.add_argument("--runs", type=int, default=runs, help=help_text)
    help_text = "also write the figures there, as one flat object"
    parser.add_argument("--json", type=Path, metavar="FILE", help=help_text)
    return parser


def machine() -> str:
    """Describe this machine in a line: cores, processor, load average."""
    lines = Path("/proc/cpuinfo").read_text().splitlines() if Path("/proc/cpuinfo").exists() else []
    model = next((line.split(":")[1].strip() for line in lines if "model name" in line), "?")
    load = os.getloadavg()[0]
    return f"{os.cpu_count()} cores, {model}; load average at start {load:.1f}"


def publish(
    reports: Sequence[Report], file: Path | None, show: Callable[[str], None] = print
) -> None:
    """Show the tables, and write the figures of all of them to a file.

    Parameters
    ----------
    reports : sequence of Report
        The tables.
    file : Path or None
        The JSON file, if any.
    show : callable, default print
        Called with each table.
    """
    for report in reports:
        show(report.table() + "\n")
    figures: Figures = {}
    for report in reports:
        figures |= report.figures()
    write_figures(figures, file)


def write_figures(figures: Mapping[str, float], file: Path | None) -> None:
    """Write figures as one flat JSON object.

    Parameters
    ----------
    figures : mapping of str to float
        By name.
    file : Path or None
        The file; None to write nothing.
    """
    if file is not None:
        file.write_text(json.dumps(figures, indent=1, sort_keys=True) + "\n")
