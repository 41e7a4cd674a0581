"""How rows are best stored: fillfactor, compression and autovacuum of whatsapp_keys, side by side.

    .venv/bin/python bench/storage.py [--seconds 20]

Each setting is applied to an installed schema of its own, loaded with copies of the sample account
(made by the real library), and then gets the same writes through auth_set_keys: sessions that grow by
a ratchet turn, and now and then a pre-key that is used up. Prints one line per setting.
"""

from __future__ import annotations

import argparse
import json
import random
import statistics
import sys
import time
from pathlib import Path

import psycopg

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness.cluster import Cluster  # noqa: E402

ACCOUNTS = 40
SAMPLE = json.loads((ROOT / "examples/sample_account.json").read_text())
TURN = "A8sXq1v9ZkQd0mTj7yRb5cWn2LhEfGuPiOaVxK4sJ6oB3wN"  # a chain key's worth of base64


def growing(sessions: dict[str, dict]) -> dict[str, dict]:
    """The sessions after one more ratchet turn each: about 105 bytes that were not there."""
    for session in sessions.values():
        session.setdefault("_turns", []).append("".join(random.sample(TURN, len(TURN))) * 2)
    return sessions


def load(conn: psycopg.Connection) -> None:
    state = json.dumps(SAMPLE)
    for number in range(ACCOUNTS):
        conn.execute("select auth_import(%s, %s)", [f"company_{number}", state])
    conn.execute("vacuum analyze whatsapp_keys")


def size(conn: psycopg.Connection) -> int:
    return conn.execute("select pg_total_relation_size('whatsapp_keys')").fetchone()[0]


def message_mix(conn: psycopg.Connection, seconds: float) -> list[float]:
    """Writes for that long; the time of each write."""
    accounts = [json.loads(json.dumps(SAMPLE["keys"]["session"])) for _ in range(ACCOUNTS)]
    took = []
    end = time.monotonic() + seconds
    turn = 0
    while time.monotonic() < end:
        turn += 1
        number = random.randrange(ACCOUNTS)
        ids = random.sample(sorted(accounts[number]), 4)
        sessions = growing({i: accounts[number][i] for i in ids})
        batch = {"session": sessions}
        if turn % 20 == 0:
            batch["pre-key"] = {str(6 + turn // 20 % 800): None}
        started = time.perf_counter()
        conn.execute("select auth_set_keys(%s, %s)", [f"company_{number}", json.dumps(batch)])
        took.append(time.perf_counter() - started)
    return took


def measure(cluster: Cluster, name: str, settings: list[str], seconds: float) -> None:
    random.seed(1)
    database = cluster.new_database()
    with database.connect() as conn:
        for setting in settings:
            conn.execute(setting)
        load(conn)
        before = size(conn)
        conn.execute("select pg_stat_reset()")
        lsn = conn.execute("select pg_current_wal_insert_lsn()").fetchone()[0]
        took = message_mix(conn, seconds)
        wal = conn.execute("select pg_current_wal_insert_lsn() - %s::pg_lsn", [lsn]).fetchone()[0]
        conn.execute("select pg_stat_force_next_flush()")
        updated, hot = conn.execute(
            "select n_tup_upd, n_tup_hot_upd from pg_stat_user_tables where relname = 'whatsapp_keys'"
        ).fetchone()
        after = size(conn)
        json_bytes = conn.execute("select sum(octet_length(value::text)) from whatsapp_keys").fetchone()[0]
    database.drop()
    print(
        f"{name:34} {statistics.median(took) * 1e3:7.2f} ms  {wal / len(took) / 1024:6.1f} KB WAL"
        f"  {100 * hot / updated:5.1f} % HOT  {before / 1e6:6.1f} -> {after / 1e6:6.1f} MB"
        f"  {after / json_bytes:5.2f} of its JSON",
        flush=True,
    )


def big_values(cluster: Cluster) -> None:
    """One large sender-key and one large app-state-sync-version, rewritten under either compression."""
    import base64

    records = [{"senderKeyId": n, "senderChainKey": {"iteration": n, "seed": base64.b64encode(random.randbytes(32)).decode()}} for n in range(2000)]
    sender_key = {"type": "Buffer", "data": base64.b64encode(json.dumps(records).encode()[:334_000]).decode()}
    version = {"version": 1, "hash": "x", "indexValueMap": {base64.b64encode(random.randbytes(32)).decode(): {"valueMac": {"type": "Buffer", "data": base64.b64encode(random.randbytes(32)).decode()}} for _ in range(9800)}}
    database = cluster.new_database()
    with database.connect() as conn:
        for method in ("pglz", "lz4", "external") * 2:
            storage = "external" if method == "external" else "extended"
            conn.execute(f"alter table whatsapp_keys alter column value set storage {storage}")
            if method != "external":
                conn.execute(f"alter table whatsapp_keys alter column value set compression {method}")
            for name, value in (("sender-key", sender_key), ("app-state-sync-version", version)):
                took = []
                for turn in range(10):
                    value["turn"] = turn
                    text = json.dumps({name: {"a": value}})
                    started = time.perf_counter()
                    conn.execute("select auth_set_keys('big', %s)", [text])
                    took.append(time.perf_counter() - started)
                stored = conn.execute("select sum(pg_column_size(value)) from whatsapp_keys where key_type = %s", [name]).fetchone()[0]
                print(f"{name:24} {len(text) / 1e6:5.2f} MB  {method:9} {statistics.median(took) * 1e3:7.2f} ms  stored {stored / len(text):5.2f}", flush=True)
            conn.execute("select auth_delete_company('big')")
    database.drop()


def creds(cluster: Cluster, fillfactor: int, seconds: float) -> None:
    """Creds that change a little, again and again, as on every creds.update."""
    random.seed(1)
    database = cluster.new_database()
    with database.connect() as conn:
        conn.execute(f"alter table whatsapp_auth set (fillfactor = {fillfactor})")
        for number in range(ACCOUNTS):
            conn.execute("select auth_init_creds(%s, %s)", [f"company_{number}", json.dumps(SAMPLE["creds"])])
        end = time.monotonic() + seconds
        took = []
        while time.monotonic() < end:
            value = json.dumps(SAMPLE["creds"] | {"accountSyncCounter": len(took)})
            started = time.perf_counter()
            conn.execute("select auth_save_creds(%s, %s)", [f"company_{random.randrange(ACCOUNTS)}", value])
            took.append(time.perf_counter() - started)
        conn.execute("select pg_stat_force_next_flush()")
        updated, hot, size = conn.execute(
            "select n_tup_upd, n_tup_hot_upd, pg_total_relation_size('whatsapp_auth')"
            " from pg_stat_user_tables where relname = 'whatsapp_auth'"
        ).fetchone()
    database.drop()
    print(f"creds, fillfactor {fillfactor:3}  {statistics.median(took) * 1e3:7.2f} ms  {100 * hot / updated:5.1f} % HOT  {size / 1e3:6.0f} kB for {ACCOUNTS}", flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--seconds", type=float, default=20, help="of writing, for each setting")
    seconds = parser.parse_args().seconds
    cluster = Cluster("pg15-superuser", durable=True)
    # A minute of the usual pace between two vacuums is a second of this one.
    with cluster.server.connect() as conn:
        conn.execute("alter system set autovacuum_naptime = '1s'")
        conn.execute("select pg_reload_conf()")
    try:
        big_values(cluster)
        for fillfactor in (100, 80, 50):
            creds(cluster, fillfactor, seconds / 3)
        pglz = "alter table whatsapp_keys alter column value set compression pglz"
        lz4 = "alter table whatsapp_keys alter column value set compression lz4"
        for fillfactor in (100, 90, 80, 70):
            fill = f"alter table whatsapp_keys set (fillfactor = {fillfactor})"
            measure(cluster, f"fillfactor {fillfactor}, lz4", [fill, lz4], seconds)
        fill = "alter table whatsapp_keys set (fillfactor = 85)"
        measure(cluster, "fillfactor 85, lz4", [fill, lz4], seconds)
        measure(cluster, "fillfactor 85, pglz", [fill, pglz], seconds)
        for target in (1024, 4096):
            toast = f"alter table whatsapp_keys set (toast_tuple_target = {target})"
            measure(cluster, f"fillfactor 85, lz4, toast at {target}", [fill, toast, lz4], seconds)
        for scale in (0.05, 0.01):
            vacuum = (
                f"alter table whatsapp_keys set (autovacuum_vacuum_scale_factor = {scale}, "
                f"toast.autovacuum_vacuum_scale_factor = {scale})"
            )
            measure(cluster, f"fillfactor 85, lz4, vacuum at {scale:.0%}", [fill, vacuum, lz4], seconds)
    finally:
        cluster.remove()


if __name__ == "__main__":
    main()
