"""How rows are best stored: fillfactor, compression and autovacuum, side by side.

    .venv/bin/python bench/storage.py [--seconds 15]

Every setting gets a fresh schema with copies of the sample account, which the real library made,
and then the same writes: sessions that grow by a ratchet turn and pre-keys that are used up, or
creds that change a little. A second of the run stands for a minute between two autovacuums.
"""

from __future__ import annotations

import argparse
import base64
import json
import random
import statistics
import sys
import time
from pathlib import Path
from typing import Any

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness.cluster import Cluster  # noqa: E402

ACCOUNTS = 40
SAMPLE = json.loads((ROOT / "examples/sample_account.json").read_text())
SET_KEYS = "select auth_set_keys(%s, %s)"


def text(count: int) -> str:
    return base64.b64encode(random.randbytes(count)).decode()


def timed(conn: psycopg.Connection, query: str, company: str, value: Any) -> float:
    parameters = [company, json.dumps(value)]
    started = time.perf_counter()
    conn.execute(query, parameters)
    return time.perf_counter() - started


def one(conn: psycopg.Connection, query: str, *parameters: Any) -> Any:
    return conn.execute(query, parameters).fetchone()[0]  # type: ignore[index]


def hot(conn: psycopg.Connection, table: str) -> float:
    conn.execute("select pg_stat_force_next_flush()")
    query = "select 100.0 * n_tup_hot_upd / n_tup_upd from pg_stat_user_tables where relname = %s"
    return float(one(conn, query, table))


def keys(conn: psycopg.Connection, seconds: float) -> str:
    for number in range(ACCOUNTS):
        conn.execute("select auth_import(%s, %s)", [f"company_{number}", json.dumps(SAMPLE)])
    conn.execute("vacuum analyze whatsapp_keys")
    before = one(conn, "select pg_total_relation_size('whatsapp_keys')")
    lsn = one(conn, "select pg_current_wal_insert_lsn()")
    accounts = [json.loads(json.dumps(SAMPLE["keys"]["session"])) for _ in range(ACCOUNTS)]
    took: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        number = random.randrange(ACCOUNTS)
        sessions = {name: accounts[number][name] for name in random.sample(list(accounts[0]), 4)}
        for session in sessions.values():
            session.setdefault("turns", []).append(text(72))
        batch = {"session": sessions}
        if len(took) % 20 == 0:
            batch["pre-key"] = {str(6 + len(took) // 20 % 800): None}
        took.append(timed(conn, SET_KEYS, f"company_{number}", batch))
    wal = one(conn, "select pg_current_wal_insert_lsn() - %s::pg_lsn", lsn)
    after = one(conn, "select pg_total_relation_size('whatsapp_keys')")
    as_json = one(conn, "select sum(octet_length(value::text)) from whatsapp_keys")
    return (
        f"{statistics.median(took) * 1e3:6.2f} ms {float(wal) / len(took) / 1024:6.1f} KB WAL"
        f" {hot(conn, 'whatsapp_keys'):6.1f} % HOT {before / 1e6:6.1f} -> {after / 1e6:5.1f} MB,"
        f" {after / float(as_json):4.2f} of its JSON"
    )


def creds(conn: psycopg.Connection, seconds: float) -> str:
    for number in range(ACCOUNTS):
        company = f"company_{number}"
        conn.execute("select auth_init_creds(%s, %s)", [company, json.dumps(SAMPLE["creds"])])
    took: list[float] = []
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        value = SAMPLE["creds"] | {"accountSyncCounter": len(took)}
        company = f"company_{random.randrange(ACCOUNTS)}"
        took.append(timed(conn, "select auth_save_creds(%s, %s)", company, value))
    size = one(conn, "select pg_total_relation_size('whatsapp_auth')")
    return (
        f"{statistics.median(took) * 1e3:6.2f} ms {hot(conn, 'whatsapp_auth'):6.1f} % HOT"
        f" {size / 1e3:6.0f} kB for {ACCOUNTS} accounts"
    )


def large(conn: psycopg.Connection, seconds: float) -> str:
    """A sender-key of 0.4 MB and an app-state-sync-version of 1.3 MB, rewritten in turns."""
    chains = [{"senderKeyId": n, "chain": {"iteration": n, "seed": text(32)}} for n in range(3500)]
    sender_key = base64.b64encode(json.dumps(chains).encode()).decode()
    macs = {text(32): {"valueMac": {"type": "Buffer", "data": text(32)}} for _ in range(9800)}
    values: dict[str, Any] = {
        "sender-key": {"type": "Buffer", "data": sender_key},
        "app-state-sync-version": {"version": 1, "indexValueMap": macs},
    }
    took: dict[str, list[float]] = {key_type: [] for key_type in values}
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        for key_type, value in values.items():
            value["turn"] = len(took[key_type])
            took[key_type].append(timed(conn, SET_KEYS, "large", {key_type: {"x": value}}))
    stored = "select sum(pg_column_size(value)) from whatsapp_keys where key_type = %s"
    return ", ".join(
        f"{key_type} {statistics.median(took[key_type]) * 1e3:5.1f} ms"
        f" {one(conn, stored, key_type) / len(json.dumps(values[key_type])):4.2f} of its JSON"
        for key_type in values
    )


def settings(table: str, column: str, fillfactor: int, more: str = "") -> list[str]:
    """What the built schema sets, with what is to be compared."""
    compression = "pglz" if more == "pglz" else "lz4"
    options = ", ".join(filter(None, [f"fillfactor = {fillfactor}", more.removeprefix("pglz")]))
    return [
        f"alter table {table} set ({options})",
        f"alter table {table} alter column {column} set compression {compression}",
    ]


def main() -> None:
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--seconds", type=float, default=15, help="of writing, for each setting")
    seconds = parser.parse_args().seconds
    cluster = Cluster("pg15-superuser", durable=True, plain=True)
    runs = [
        *((large, "whatsapp_keys", "value", 80, more) for more in ("", "pglz")),
        *((creds, "whatsapp_auth", "creds", fill, "") for fill in (100, 80, 50)),
        *((keys, "whatsapp_keys", "value", fill, "") for fill in (100, 90, 80, 70)),
        (keys, "whatsapp_keys", "value", 80, "pglz"),
        *((keys, "whatsapp_keys", "value", 80, f"toast_tuple_target = {n}") for n in (1024, 4096)),
        *(
            (keys, "whatsapp_keys", "value", 80, f"{table}autovacuum_vacuum_scale_factor = {scale}")
            for scale in (0.2, 0.01)
            for table in ("", "toast.")
        ),
    ]
    try:
        with cluster.server.connect() as conn:
            conn.execute("alter system set autovacuum_naptime = '1s'")
            conn.execute("select pg_reload_conf()")
        for run, table, column, fillfactor, more in runs:
            random.seed(1)
            database = cluster.new_database()
            with database.connect() as conn:
                for statement in settings(table, column, fillfactor, more):
                    conn.execute(statement)
                name = f"{run.__name__}, fillfactor {fillfactor}{', ' + more if more else ''}"
                print(f"{name:72}{run(conn, seconds)}", flush=True)
            database.drop()
    finally:
        cluster.remove()


if __name__ == "__main__":
    main()
