"""How contenders are timed: in turns, in one process."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable
from typing import Any

import psycopg
from psycopg.types.string import TextLoader

from figures import Sample
from servers import Database

Contender = Callable[[], float]


def connect(database: Database, user: str = "app") -> psycopg.Connection:
    """Autocommit; JSON comes as text, so that nobody's time is that of Python's parser."""
    conn = database.connect(user)
    for kind in ("json", "jsonb"):
        conn.adapters.register_loader(kind, TextLoader)
    return conn


def one(conn: psycopg.Connection, query: str, *parameters: Any) -> Any:
    row = conn.execute(query, parameters).fetchone()
    return row[0] if row else None


def timed(conn: psycopg.Connection, query: str, *parameters: Any) -> float:
    """Milliseconds until the last row of a prepared statement is here."""
    cursor = conn.cursor()
    started = time.perf_counter()
    cursor.execute(query, parameters, prepare=True)
    if cursor.description:
        cursor.fetchall()
    return (time.perf_counter() - started) * 1e3


def race(
    rounds: int, contenders: dict[str, Contender], *, seldom: dict[str, int] | None = None
) -> dict[str, Sample]:
    """Contenders take turns, another is first in each round; `seldom`: every so many rounds."""
    values: dict[str, list[float]] = {name: [] for name in contenders}
    names = list(contenders)
    gc.collect()
    gc.disable()
    for number in range(-max(rounds // 20, 6), rounds):  # the first ones prepare and warm up
        for turn in range(len(names)):
            name = names[(number + turn) % len(names)]
            if number % (seldom or {}).get(name, 1) == 0:
                took = contenders[name]()
                if number >= 0:
                    values[name].append(took)
    gc.enable()
    return {name: Sample(name, values[name]) for name in names}
