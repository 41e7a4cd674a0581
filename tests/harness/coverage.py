"""How much of the PL/pgSQL the tests ran, from the profiler of plpgsql_check.

Its counters are kept per database: they are collected before a test's database is dropped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import psycopg

# Every statement of every function of ours, with how often it was begun.
STATEMENTS = """
select
  f.proname || '(' || pg_get_function_identity_arguments(f.oid) || ')',
  s.stmtid, s.parent_stmtid, s.parent_note, s.block_num, s.lineno, s.stmtname, s.exec_stmts
from pg_proc f
cross join lateral profiler.plpgsql_profiler_function_statements_tb(f.oid) s
where f.prolang = (select oid from pg_language where lanname = 'plpgsql')
and f.proowner = to_regrole('auth_state_owner')
order by 1, 2
"""


@dataclass(frozen=True)
class Statement:
    function: str
    number: int
    parent: int | None
    note: str | None
    position: int
    line: int
    kind: str


_counts: Counter[Statement] = Counter()


def collect(dsn: str) -> None:
    """Adds what was run in this database so far; once, at its end."""
    with psycopg.connect(dsn) as conn:
        conn.execute("create schema profiler; create extension plpgsql_check schema profiler")
        for *statement, count in conn.execute(STATEMENTS):
            _counts[Statement(*statement)] += count
        conn.rollback()


def report() -> list[str]:
    """A line per function with its covered statements and branches, and the lines not run."""
    by_function: dict[str, list[Statement]] = defaultdict(list)
    for statement in _counts:
        by_function[statement.function].append(statement)
    if not by_function:
        return []
    lines = []
    totals = [0, 0, 0, 0]
    for function, statements in sorted(by_function.items()):
        missed = sorted({s.line for s in statements if not _counts[s]})
        branches = _branches(statements)
        figures = len(statements), sum(1 for s in statements if _counts[s]), *branches
        totals = [total + figure for total, figure in zip(totals, figures, strict=True)]
        note = f"   not run: line {', '.join(map(str, missed))}" if missed else ""
        lines.append(f"{_percentages(figures)}  {function.split('(')[0]}{note}")
    return ["statements  branches", *lines, f"{_percentages(totals)}  all functions"]


def _branches(statements: list[Statement]) -> tuple[int, int]:
    """How many branches there are and how many were taken; a missing `else` is one of them."""
    first = {(s.parent, s.note): _counts[s] for s in statements if s.position == 1}
    counts = [n for (_, note), n in first.items() if note not in (None, "", "body")]
    for s in statements:
        if s.kind == "IF" and (s.number, "else body") not in first:
            counts.append(_counts[s] - sum(n for (p, _), n in first.items() if p == s.number))
    return len(counts), sum(1 for n in counts if n > 0)


def _percentages(figures: tuple[int, ...] | list[int]) -> str:
    statements, run, branches, taken = figures
    return f"{run / statements:>10.0%}  {taken / branches if branches else 1:>8.0%}"
