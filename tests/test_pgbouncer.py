"""Both clients through the real PgBouncer in transaction mode."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from harness.clients import cluster  # noqa: F401
from harness.cluster import Database
from harness.creds import CREDS, creds
from harness.installing import count
from harness.pgbouncer import PgBouncer
from pg_auth_state import AuthState, InvalidInput

NODE = Path(__file__).parents[1] / "node"
ACCOUNTS = 200


@pytest.fixture
def pgbouncer(db: Database) -> Iterator[PgBouncer]:
    server = PgBouncer(db, connections=5)
    yield server
    server.stop()


def connections(db: Database) -> int:
    return count(
        db.conn,
        "select count(*) from pg_stat_activity where datname = current_database()"
        " and usename = 'app'",
    )


@pytest.mark.parametrize("prepare", [True, False], ids=["named until refused", "never named"])
def test_200_accounts_of_one_node_process_share_5_connections(
    db: Database, pgbouncer: PgBouncer, prepare: bool
) -> None:
    given = {"url": pgbouncer.url, "accounts": ACCOUNTS, "prepare": prepare}
    done = subprocess.run(
        ["node", "test/through_pgbouncer.mjs", json.dumps(given)],
        cwd=NODE,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=200,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert connections(db) <= 5
    # Every write counted once: three batches of ten, one of them unchanged, one key deleted.
    assert count(db.conn, "select count(*) from whatsapp_keys") == ACCOUNTS * 9
    assert count(db.conn, "select count(*) from whatsapp_auth") == ACCOUNTS
    rows = db.conn.execute(
        "select company_id from whatsapp_auth where creds ->> 'accountSyncCounter' <> '9'"
    ).fetchall()
    assert rows == []


def test_accounts_of_one_python_process_share_5_connections(
    db: Database, pgbouncer: PgBouncer
) -> None:
    def live(number: int) -> None:
        with AuthState(pgbouncer.url, f"c{number}") as state:
            state.init_creds(creds(n=number))
            for turn in range(5):
                state.set_keys({"session": {"1.0": {"n": number, "turn": turn}}})
            with state.lease("me", ttl=timedelta(seconds=30)) as lease:
                state.save_creds(creds(n=number, saved=True))
                assert lease.is_live
            assert state.get_creds() == creds(n=number, saved=True)
            assert state.get_keys("session", ["1.0"]) == {"1.0": {"n": number, "turn": 4}}

    with ThreadPoolExecutor(40) as threads:
        list(threads.map(live, range(80)))
    assert connections(db) <= 5


def test_nothing_of_a_session_is_left_on_a_shared_connection(db: Database) -> None:
    pgbouncer = PgBouncer(db, connections=1)
    queries = (
        # The name is each client's own, and PL/pgSQL brings settings with it.
        "select array_agg(name || ' = ' || setting order by name) from pg_settings"
        " where name <> 'application_name' and not starts_with(name, 'plpgsql')",
        "select array_agg(locktype) from pg_locks where locktype = 'advisory'",
        "select count(*) from pg_prepared_statements",
    )
    try:
        with psycopg.connect(pgbouncer.url, autocommit=True, prepare_threshold=None) as raw:
            before = [raw.execute(query).fetchone() for query in queries]
            with AuthState(pgbouncer.url, "acme") as state:
                state.init_creds(CREDS)
                state.set_keys({"session": {"1.0": {}}})
                with pytest.raises(InvalidInput):
                    state.set_keys({"": {"1.0": {}}})
                with state.lease("me"):
                    state.set_keys({"session": {"1.0": None}})
            assert [raw.execute(query).fetchone() for query in queries] == before
    finally:
        pgbouncer.stop()
