"""What was measured: samples of contenders that took turns, and the ratios between them."""

from __future__ import annotations

import statistics
from dataclasses import dataclass
from itertools import pairwise

PARTS = 10  # of a run, for the spread of a ratio


@dataclass(frozen=True)
class Sample:
    """What one contender took, one value per round; contenders of one figure took turns."""

    name: str
    values: list[float]

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def quartiles(self) -> tuple[float, float]:
        return _quartiles(self.values)

    def percentile(self, share: float) -> float:
        ordered = sorted(self.values)
        return ordered[min(int(share * len(ordered)), len(ordered) - 1)]

    @property
    def p99(self) -> float:
        return self.percentile(0.99)


@dataclass(frozen=True)
class Figure:
    """One line of the document: a ratio, ours to theirs, and what it is to reach."""

    workload: str
    group: str
    ours: Sample
    against: Sample | None = None
    ratio: float | None = None
    spread: tuple[float, float] | None = None
    reach: str = ""
    reached: bool | None = None
    unit: str = "ms"
    note: str = ""


@dataclass(frozen=True)
class Curve:
    """A plot of something over something: of each line the name and its points."""

    title: str
    group: str
    x: str
    y: str
    lines: dict[str, list[tuple[float, float]]]


@dataclass(frozen=True)
class Matrix:
    """What every contender took in every workload, in one table."""

    title: str
    group: str
    samples: dict[str, dict[str, Sample]]  # by workload and contender
    note: str = ""


def compared(
    workload: str,
    group: str,
    ours: Sample,
    against: Sample,
    *,
    at_most: float | None = None,
    at_least: float | None = None,
    reach: str = "",
    reached: bool | None = None,
    unit: str = "ms",
    note: str = "",
) -> Figure:
    """The ratio of the medians of two samples, and within what half of the run's parts had it.

    `reach` says in other words what `at_most` or `at_least` asks of the ratio, ours to theirs, or
    what else is asked; then `reached` says whether it is so.
    """
    ratio = ours.median / against.median
    if at_most is not None:
        reached = ratio <= at_most
        reach = reach or f"at most {at_most:g}"
    elif at_least is not None:
        reached = ratio >= at_least
        reach = reach or f"at least {at_least:g}"
    spread = spread_of(ours.values, against.values)
    return Figure(workload, group, ours, against, ratio, spread, reach, reached, unit, note)


def spread_of(ours: list[float], theirs: list[float]) -> tuple[float, float] | None:
    """The middle half of the ratios that the parts of a run had, each a ratio of medians."""
    parts = min(PARTS, len(ours), len(theirs))
    if parts < 3:
        return None
    pairs = zip(_parts(ours, parts), _parts(theirs, parts), strict=True)
    return _quartiles([statistics.median(a) / statistics.median(b) for a, b in pairs])


def _parts(values: list[float], count: int) -> list[list[float]]:
    edges = [len(values) * number // count for number in range(count + 1)]
    return [values[start:end] for start, end in pairwise(edges)]


def _quartiles(values: list[float]) -> tuple[float, float]:
    if len(values) < 2:
        return values[0], values[0]
    low, _, high = statistics.quantiles(values, n=4, method="inclusive")
    return low, high
