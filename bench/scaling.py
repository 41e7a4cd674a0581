"""More accounts at once: what they get done, and what they wait for. Driven by pgbench."""

from __future__ import annotations

import statistics
import subprocess
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import accounts
from figures import Curve, Figure, Sample, compared
from harness.server import DEBIAN_15
from servers import Bench, Database

GROUP = "Many accounts at once"
PGBENCH = DEBIAN_15 / "bin/pgbench"
SCRIPTS = {
    "auth_get_keys and auth_set_keys": r"""
\set session random(1, 50)
\set turn random(1, 1000000000)
select auth_get_keys('account_' || :client_id, 'session', array['5511900' || :session || '.0']);
select auth_set_keys('account_' || :client_id,
  ('{{"session":{{"5511900' || :session || '.0":{{"turn":' || :turn
   || ',"rest":"{rest}"}}}}}}')::jsonb);
""",
    "plain select and upsert": r"""
\set session random(1, 50)
\set turn random(1, 1000000000)
select value::text from app.plain_keys
 where company_id = 'account_' || :client_id and key_type = 'session'
   and key_id = any(array['5511900' || :session || '.0']);
insert into app.plain_keys (company_id, key_type, key_id, value, created_at, updated_at)
values ('account_' || :client_id, 'session', '5511900' || :session || '.0',
  ('{{"turn":' || :turn || ',"rest":"{rest}"}}')::jsonb, now(), now())
on conflict (company_id, key_type, key_id)
do update set value = excluded.value, updated_at = excluded.updated_at;
""",
}


def run(bench: Bench) -> Iterator[Figure | Curve]:
    levels = (1, 4, 16) if bench.quick else (1, 2, 4, 8, 16)
    database = bench.postgresql().new_database()
    database.conn.execute("create schema app authorization app")
    database.conn.execute(
        "create table app.plain_keys (like whatsapp_keys including all) with (fillfactor = 80);"
        " alter table app.plain_keys owner to app"
    )
    folder = bench.folder()
    ours, plain = SCRIPTS
    for name, script in SCRIPTS.items():
        (folder / f"{name}.sql").write_text(script.format(rest=accounts.text(750)))
    speeds: dict[tuple[str, int], list[float]] = {
        (name, level): [] for level in levels for name in SCRIPTS
    }
    waits: Counter[str] = Counter()
    for _ in range(1 if bench.quick else 4):
        for name, level in speeds:
            with watched(database, waits if name == ours and level > 1 else Counter()):
                speed = pgbench(database, folder / f"{name}.sql", level)
            speeds[name, level].append(speed)

    def at(name: str, level: int, label: str) -> Sample:
        return Sample(label, speeds[name, level])

    best = max(levels, key=lambda level: statistics.median(speeds[ours, level]))
    total = sum(waits.values())
    locks = sum(count for what, count in waits.items() if what.startswith("Lock:"))
    light = sum(
        count for what, count in waits.items() if what.startswith("LWLock:") and "WAL" not in what
    )
    shares = ", ".join(f"{what} {100 * count / total:.1f} %" for what, count in waits.most_common())
    yield compared(
        f"{best} accounts at once, a get and a set each",
        GROUP,
        at(ours, best, f"{best} accounts"),
        at(ours, 1, "1 account"),
        reach="no lock waited for",
        unit="pairs/s",
        note=(
            f"Server processes of two or more accounts, seen {total:,} times at work:"
            f" {shares}. Locks in pg_locks that were waited for: {locks}; light-weight locks"
            f" but those of the WAL: {100 * light / total:.2f} %."
        ),
        reached=locks == 0 and light < total / 100,
    )
    for level in levels:
        accounts_at_once = f"{level} account{'s' if level > 1 else ''} at once"
        yield compared(
            accounts_at_once, GROUP, at(ours, level, ours), at(plain, level, plain), unit="pairs/s"
        )
    yield Curve(
        "Accounts at once",
        GROUP,
        "accounts, each with a connection",
        "pairs of get and set a second",
        {
            name: [(level, statistics.median(speeds[name, level])) for level in levels]
            for name in SCRIPTS
        },
    )


def pgbench(database: Database, script: Path, clients: int) -> float:
    """Pairs a second, in a second."""
    settings = database.server.settings
    command = [str(PGBENCH), "--host=127.0.0.1", f"--port={settings['port']}", "--username=app"]
    command += ["--no-vacuum", "--protocol=prepared", f"--file={script}", f"--client={clients}"]
    command += [f"--jobs={min(clients, 2)}", "--time=1", database.name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    (line,) = (line for line in done.stdout.splitlines() if line.startswith("tps"))
    return float(line.split()[2])


@contextmanager
def watched(database: Database, waits: Counter[str]) -> Iterator[None]:
    """Counts what working server processes of `app` wait for, and locks that are not granted."""
    query = (
        "select coalesce(wait_event_type || ':' || wait_event, 'running'), count(*)"
        "  from pg_stat_activity where usename = 'app' and state = 'active' group by 1"
        " union all"
        " select 'Lock:' || locktype, count(*) from pg_locks where not granted group by 1"
    )
    stop = threading.Event()

    def look() -> None:
        with database.connect() as conn:
            while not stop.wait(0.02):
                waits.update(dict(conn.execute(query, prepare=True).fetchall()))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        stop.set()
        thread.join()
