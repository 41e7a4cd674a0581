"""What the cleanup removes, against one bare delete, and who waits for it."""

from __future__ import annotations

import multiprocessing
import random
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import psycopg

import accounts
from figures import Figure, Sample, compared
from harness.processes import Process
from race import one
from servers import Bench, Cluster, Database

GROUP = "Cleanup"
COMPANIES = 1000
EXPIRED = """
insert into whatsapp_keys (company_id, key_type, key_id, value, created_at, updated_at, expires_at)
select 'company_' || lpad((r.unit %% %(companies)s)::text, 4, '0'), k.key_type, k.key_id, k.value,
       r.expires_at - l.ttl, r.expires_at - l.ttl, r.expires_at
  from (
    select n as unit, now() - interval '6 days' * n / %(units)s - interval '1 hour' as expires_at
      from generate_series(1, %(units)s) n
  ) r
 cross join lateral (values
   ('lid-mapping', '55' || r.unit, to_jsonb('1000' || r.unit)),
   ('lid-mapping', '1000' || r.unit || '_reverse', to_jsonb('55' || r.unit)),
   (case when r.unit %% 4 = 0 then 'tctoken' else 'device-list' end, '55' || r.unit, '["0"]'::jsonb)
 ) k (key_type, key_id, value)
  join whatsapp_key_ttl l on l.key_type = k.key_type
 where k.key_type = 'lid-mapping' or r.unit %% 2 = 0
 order by r.expires_at, k.key_type, k.key_id
"""
LIVE = """
insert into whatsapp_keys (company_id, key_type, key_id, value, created_at, updated_at)
select 'company_' || lpad(c::text, 4, '0'), 'session', '5511900' || lpad(n::text, 4, '0') || '.0',
       %(session)s::jsonb, now(), now()
  from generate_series(0, %(companies)s - 1) c cross join generate_series(1, 10) n
"""


def run(bench: Bench) -> Iterator[Figure]:
    """Four fifths are LID pairs that nobody uses, the rest device-lists and tctokens with a ttl."""
    cluster = bench.postgresql()
    rows = 100_000 if bench.quick else 1_000_000
    template = cluster.new_database()
    with template.connect("app") as conn:
        conn.execute(
            "select auth_set_ttl(t, '30 days') from unnest('{device-list,tctoken}'::text[]) t"
        )
    parameters = {"companies": COMPANIES, "session": accounts.session()}
    with template.connect() as conn:
        conn.execute(EXPIRED, parameters | {"units": rows * 2 // 5})
        conn.execute(LIVE, parameters)
        conn.execute("vacuum analyze whatsapp_keys")
    what = f"{rows:,} expired rows, 4 of 5 of them LID pairs out of use"

    speeds: dict[str, list[float]] = {"cleanup_expired_keys": [], "one bare delete": []}
    for number in range(1 if bench.quick else 2):
        for name in sorted(speeds, reverse=bool(number % 2)):
            with copy_of(cluster, template) as database:
                remove = cleaned if name == "cleanup_expired_keys" else deleted
                started = time.perf_counter()
                removed = remove(database)
                speeds[name].append(removed / (time.perf_counter() - started))
    ours, bare = (Sample(name, values) for name, values in speeds.items())
    yield compared(what, GROUP, ours, bare, at_least=0.7, unit="rows/s")
    yield writers_beside(cluster, template, rows)


def cleaned(database: Database, at_most: float = float("inf")) -> int:
    """How many rows, within 30 seconds."""
    total = 0
    end = time.monotonic() + 30
    with database.connect("app") as conn:
        while total < at_most and (removed := one(conn, "select cleanup_expired_keys()")):
            total += removed
            if time.monotonic() > end:
                break
    return total


def deleted(database: Database) -> int:
    with database.connect() as conn:
        return conn.execute("delete from whatsapp_keys where expires_at <= now()").rowcount


@contextmanager
def copy_of(cluster: Cluster, template: Database) -> Iterator[Database]:
    if "conn" in template.__dict__:
        template.conn.close()
        del template.conn
    database = cluster.new_database(template.name)
    yield database
    database.drop()


def writers_beside(cluster: Cluster, template: Database, rows: int) -> Figure:
    """Two writers, fifty writes a second each; idle and during cleanup in turns."""
    times = 3
    windows: dict[str, list[tuple[float, float]]] = {"idle": [], "cleanup": []}
    with copy_of(cluster, template) as database:
        stop = multiprocessing.get_context("fork").Event()
        writers = [Process(write_at_a_pace, database.service_dsn, stop) for _ in range(2)]
        for _ in range(times):
            time.sleep(0.5)  # what waited for cleanup is caught up with
            started = time.monotonic()
            time.sleep(3)
            middle = time.monotonic()
            cleaned(database, at_most=rows // times)
            windows["idle"].append((started, middle))
            windows["cleanup"].append((middle, time.monotonic()))
        stop.set()
        written = [write for writer in writers for write in writer.result()]
    idle, beside = (
        Sample(
            f"p99 of writers, {name}",
            [Sample("", [ms for at, ms in written if a <= at < b]).p99 for a, b in parts],
        )
        for name, parts in windows.items()
    )
    what = "writers beside cleanup, two with 50 writes a second each"
    return compared(what, GROUP, beside, idle, at_most=2)


def write_at_a_pace(dsn: str, stop: Any) -> list[tuple[float, float]]:
    """When each write was due, and how long after that it was done."""
    done = []
    with psycopg.connect(dsn, autocommit=True) as conn:
        due = time.monotonic()
        while not stop.is_set():
            time.sleep(max(0, due - time.monotonic()))
            company = f"company_{random.randrange(COMPANIES):04}"
            batch = accounts.batch("session", {accounts.one_of(10): accounts.session()})
            conn.execute("select auth_set_keys(%s, %s::jsonb)", [company, batch], prepare=True)
            done.append((due, (time.monotonic() - due) * 1e3))
            due += 0.02
    return done
