"""How much of the PL/pgSQL the tests ran, from the profiler of plpgsql_check.

Its counters are kept per database: they are collected before a test's database is dropped.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass

import psycopg

# The profiler compiles functions again, by the names of its own session.
PATH = """
select set_config('search_path', quote_ident(n.nspname), true)
from pg_proc f
inner join pg_namespace n on n.oid = f.pronamespace
where f.proowner = to_regrole('auth_state_owner')
limit 1
"""
# Every statement of every function of ours, with how often it was begun.
STATEMENTS = """
select
  f.proname || substring(f.oid::regprocedure::text, '[(].*'),
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
        conn.execute(PATH)
        for *statement, count in conn.execute(STATEMENTS):
            _counts[Statement(*statement)] += count
        conn.rollback()


def report() -> list[str]:
    """What was not run, by function and line of its body, and the sums."""
    by_function: dict[str, list[Statement]] = defaultdict(list)
    for statement in _counts:
        by_function[statement.function].append(statement)
    if not by_function:
        return []
    lines = []
    all_statements: list[bool] = []
    all_branches: list[bool] = []
    for function, statements in sorted(by_function.items()):
        skipped = _skipped(statements)
        all_statements += [_counts[s] > 0 for s in statements]
        all_branches += [_counts[s] > 0 for s in statements if _starts_branch(s)]
        all_branches += skipped.values()
        not_run = {s.line for s in statements if not _counts[s]}
        not_skipped = {s.line for s, was_skipped in skipped.items() if not was_skipped} - not_run
        if not_run:
            lines.append(f"{function}: not run: line {_listed(not_run)}")
        if not_skipped:
            lines.append(f"{function}: condition always true: line {_listed(not_skipped)}")
    return [
        *lines,
        f"statements run: {_percentage(all_statements)}, branches: {_percentage(all_branches)}",
    ]


def _starts_branch(statement: Statement) -> bool:
    """The first one of a THEN, ELSE, WHEN, loop or exception handler."""
    return statement.position == 1 and statement.note not in (None, "", "body")


def _skipped(statements: list[Statement]) -> dict[Statement, bool]:
    """For each IF that has no ELSE: whether its conditions were once false."""
    firsts = [s for s in statements if _starts_branch(s)]
    with_else = {s.parent for s in firsts if s.note == "else body"}
    return {
        s: _counts[s] > sum(_counts[first] for first in firsts if first.parent == s.number)
        for s in statements
        if s.kind == "IF" and s.number not in with_else
    }


def _listed(lines: set[int]) -> str:
    return ", ".join(map(str, sorted(lines)))


def _percentage(hits: list[bool]) -> str:
    return f"{sum(hits)} of {len(hits)} ({sum(hits) / len(hits):.1%})"
