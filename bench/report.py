"""Figures as docs/benchmarks.md and its plots."""

from __future__ import annotations

import datetime
import os
import platform
import re
import subprocess
from dataclasses import dataclass
from pathlib import Path

import matplotlib
from matplotlib.ticker import FuncFormatter

from figures import Curve, Figure, Matrix, Sample

matplotlib.use("svg")
matplotlib.rcParams |= {
    "svg.hashsalt": "pg-auth-state",
    "svg.fonttype": "none",
    "font.family": "sans-serif",
    "font.size": 9,
    "axes.spines.top": False,
    "axes.spines.right": False,
}
from matplotlib import pyplot  # noqa: E402

COLOURS = ["#1f77b4", "#d62728", "#2ca02c", "#9467bd", "#ff7f0e", "#17becf", "#8c564b", "#7f7f7f"]


@dataclass(frozen=True)
class Run:
    """What the document says about where its figures come from."""

    command: str
    postgres: str
    settings: dict[str, str]
    minutes: float
    load: float
    missing: list[str]  # rivals that could not be measured, and why


def write(document: Path, run: Run, results: list[Figure | Curve | Matrix]) -> None:
    folder = document.with_suffix("")
    folder.mkdir(exist_ok=True)
    for old in folder.glob("*.svg"):
        old.unlink()
    figures = [result for result in results if isinstance(result, Figure)]
    groups = list(dict.fromkeys(result.group for result in results))
    parts = [_head(run), _reach(figures), *(_missed(figures))]
    for group in groups:
        own = [result for result in results if result.group == group]
        parts.append(_section(group, own, folder))
    parts.append(_machine(run))
    document.write_text("\n".join(parts).rstrip() + "\n")


def table(figures: list[Figure], *, groups: bool = False) -> str:
    """As one table of Markdown; with `groups`, a line says where a group begins."""
    rows = ["| | ours | against | ratio | spread | to reach | |", "|---|---|---|---|---|---|---|"]
    group = ""
    for figure in figures:
        if groups and figure.group != group:
            group = figure.group
            rows.append(f"| **{group}** | | | | | | |")
        rows.append(
            f"| {figure.workload} | {_taken(figure.ours, figure.unit)}"
            f" | {_against(figure)} | {_ratio(figure)} | {_spread(figure)}"
            f" | {figure.reach} | {_verdict(figure)} |"
        )
    return "\n".join(rows) + "\n"


def _matrix(matrix: Matrix) -> str:
    """A line per contender; workloads are the columns."""
    workloads = list(matrix.samples)
    contenders = list(dict.fromkeys(name for taken in matrix.samples.values() for name in taken))
    rows = [f"| | {' | '.join(workloads)} |", "|---|" + "---|" * len(workloads)]
    for contender in contenders:
        taken = [matrix.samples[workload].get(contender) for workload in workloads]
        cells = [_cell(sample) if sample else "" for sample in taken]
        rows.append(f"| {contender} | {' | '.join(cells)} |")
    lines = [f"{matrix.title}: medians and the middle half.\n", *rows]
    return "\n".join(lines) + "\n" + (f"\n{matrix.note}\n" if matrix.note else "")


def _cell(sample: Sample) -> str:
    low, high = sample.quartiles
    return f"{_number(sample.median)} ({_number(low)}-{_number(high)})"


def _head(run: Run) -> str:
    return f"""# Benchmarks

Written by `{run.command}`. What was tried to get there, and why what is missed is missed:
[performance.md](performance.md). All contenders of a line took turns in one run on one machine, on
servers with fsync on. A ratio is ours to theirs, of medians, and its spread the middle half of the
ratios in the tenths of the run; behind a time stands the middle half of its rounds. Believe ratios,
not milliseconds.
"""


def _reach(figures: list[Figure]) -> str:
    wanted = [figure for figure in figures if figure.reach]
    count = sum(figure.reached is True for figure in wanted)
    return (
        f"## What is to be reached\n\n{count} of {len(wanted)} are.\n\n{table(wanted, groups=True)}"
    )


def _missed(figures: list[Figure]) -> list[str]:
    missed = [figure for figure in figures if figure.reached is False]
    if not missed:
        return []
    lines = [f"- {figure.group}, {figure.workload}: {_by_how_much(figure)}" for figure in missed]
    why = "Missed, and by how much; why is in [performance.md](performance.md).\n"
    return ["\n".join([why, *lines]) + "\n"]


def _section(group: str, results: list[Figure | Curve | Matrix], folder: Path) -> str:
    figures = [result for result in results if isinstance(result, Figure)]
    parts = [f"## {group}\n"]
    if any(figure.ratio is not None for figure in figures):
        parts.append(_image(_plot_ratios(group, figures, folder), folder))
    for curve in results:
        if isinstance(curve, Curve):
            parts.append(_image(_plot_curve(curve, folder), folder))
    for matrix in results:
        if isinstance(matrix, Matrix):
            parts.append(_matrix(matrix))
    if figures:
        parts.append(table(figures))
    notes = dict.fromkeys(figure.note for figure in figures if figure.note)
    parts += [f"{note}\n" for note in notes]
    return "\n".join(parts)


def _image(path: Path, folder: Path) -> str:
    return f"![{path.stem.replace('-', ' ')}]({folder.name}/{path.name})\n"


def _machine(run: Run) -> str:
    settings = ", ".join(f"{name} = {value}" for name, value in sorted(run.settings.items()))
    lines = [
        f"- {datetime.date.today().isoformat()}, {run.minutes:.0f} minutes: `{run.command}`;"
        f" the load of the minute before it was {run.load:.1f}",
        f"- {_cpu()}, {os.cpu_count()} cores, {_memory()} GB, {_file_system()},"
        f" Linux {platform.release()}",
        f"- {run.postgres} with fsync; set differently from its defaults: {settings}",
        f"- Python {platform.python_version()}, {_versions()}",
        *(f"- not measured: {what}" for what in run.missing),
    ]
    return "## The machine\n\n" + "\n".join(lines) + "\n"


def _taken(sample: Sample, unit: str) -> str:
    low, high = sample.quartiles
    name = f"{sample.name}: " if sample.name else ""
    if len(sample.values) == 1:
        return f"{name}{_number(sample.median)} {unit}"
    return f"{name}{_number(sample.median)} {unit} ({_number(low)}-{_number(high)})"


def _against(figure: Figure) -> str:
    return _taken(figure.against, figure.unit) if figure.against else ""


def _ratio(figure: Figure) -> str:
    return f"**{_number(figure.ratio)}**" if figure.ratio is not None else ""


def _spread(figure: Figure) -> str:
    return f"{_number(figure.spread[0])}-{_number(figure.spread[1])}" if figure.spread else ""


def _verdict(figure: Figure) -> str:
    return {True: "reached", False: "**missed**", None: ""}[figure.reached]


def _by_how_much(figure: Figure) -> str:
    if figure.ratio is not None:
        return f"{_number(figure.ratio)} instead of {figure.reach}"
    return f"{_number(figure.ours.median)} {figure.unit} instead of {figure.reach}"


def _number(value: float | None) -> str:
    if value is None:
        return ""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if abs(value) >= 0.001 or value == 0 else f"{value:.1g}"


def _slug(text: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", text.lower()).strip("-")


def _plot_ratios(group: str, figures: list[Figure], folder: Path) -> Path:
    """A row per workload, a dot per contender, its spread, and a tick where it is to be."""
    workloads = list(dict.fromkeys(f.workload for f in figures if f.ratio is not None))
    rivals = list(dict.fromkeys(f.against.name for f in figures if f.against and f.ratio))
    picture, axes = pyplot.subplots(figsize=(8, 1.2 + 0.34 * len(workloads) + 0.1 * len(rivals)))
    axes.axvline(1, color="#999999", linewidth=1)
    for figure in figures:
        if not figure.against or not figure.ratio:
            continue
        number = rivals.index(figure.against.name)
        offset = (number - (len(rivals) - 1) / 2) * 0.6 / max(len(rivals), 1)
        row = len(workloads) - 1 - workloads.index(figure.workload) - offset
        colour = COLOURS[number % len(COLOURS)]
        if figure.spread:
            axes.plot(figure.spread, [row, row], color=colour, linewidth=1.5, alpha=0.6)
        axes.plot(figure.ratio, row, "o", color=colour, markersize=5)
        if limit := re.search(r"at (?:most|least) ([0-9.]+)$", figure.reach):
            axes.plot(float(limit[1]), row, "|", color="black", markersize=9)
    for number, rival in enumerate(rivals):
        axes.plot([], [], "o", color=COLOURS[number % len(COLOURS)], label=rival)
    axes.plot([], [], "|", color="black", label="to reach")
    axes.set_yticks(range(len(workloads)), list(reversed(workloads)))
    axes.set_ylim(-0.5, len(workloads) - 0.5)
    axes.set_xscale("log")
    axes.xaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.xaxis.set_minor_formatter(FuncFormatter(lambda value, _: ""))
    axes.set_xlabel("ours to theirs")
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return _saved(picture, folder / f"{_slug(group)}.svg")


def _plot_curve(curve: Curve, folder: Path) -> Path:
    picture, axes = pyplot.subplots(figsize=(6, 3))
    for number, (name, points) in enumerate(curve.lines.items()):
        colour = COLOURS[number % len(COLOURS)]
        axes.plot([x for x, _ in points], [y for _, y in points], "o-", color=colour, label=name)
    axes.set_xlabel(curve.x)
    axes.set_ylabel(curve.y)
    axes.set_ylim(bottom=0)
    axes.set_title(curve.title, fontsize=10)
    axes.legend(fontsize=8, frameon=False, loc="upper left", bbox_to_anchor=(1, 1))
    return _saved(picture, folder / f"{_slug(curve.title)}.svg")


def _saved(picture: pyplot.Figure, path: Path) -> Path:
    picture.savefig(path, bbox_inches="tight", metadata={"Date": None})
    pyplot.close(picture)
    lines = path.read_text().splitlines()
    path.write_text("\n".join(line.rstrip() for line in lines) + "\n")
    return path


def _cpu() -> str:
    found = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    return found[1] if found else platform.machine()


def _memory() -> int:
    found = re.search(r"MemTotal:\s*(\d+)", Path("/proc/meminfo").read_text())
    return round(int(found[1]) / 2**20) if found else 0


def _file_system() -> str:
    return f"{_output('findmnt', '--noheadings', '--output', 'FSTYPE', '--target', '/tmp')} on /tmp"


def _versions() -> str:
    found = {
        "Node": _output("node", "--version").removeprefix("v"),
        "Redis": _output("redis-server", "--version"),
        "MariaDB": _output("/usr/sbin/mariadbd", "--no-defaults", "--version"),
    }
    return ", ".join(
        f"{name} {version[0]}"
        for name, text in found.items()
        if (version := re.search(r"\d+\.\d+\.\d+", text))
    )


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""
