"""Install, upgrade and uninstall through the real PgBouncer in transaction mode."""

from __future__ import annotations

import json
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from typing import Any

import psycopg
import pytest

import pg_auth_state
from harness.clients import cluster  # noqa: F401
from harness.cluster import INSTALL_SQL, UNINSTALL_SQL, Database
from harness.creds import CREDS
from harness.installing import program
from harness.pgbouncer import PgBouncer

Pooled = Callable[[int], PgBouncer]


@pytest.fixture
def pooled(empty_db: Database) -> Iterator[Pooled]:
    """Starts a PgBouncer with so many connections to the empty database."""
    with ExitStack() as stack:

        def start(connections: int) -> PgBouncer:
            server = PgBouncer(empty_db, connections=connections)
            stack.callback(server.stop)
            return server

        yield start


def schema_of(db: Database) -> list[str]:
    """Where it is installed."""
    rows = db.conn.execute(
        "select relnamespace::regnamespace::text from pg_class where relname = 'whatsapp_auth'"
    ).fetchall()
    return [name for (name,) in rows]


def session(url: str) -> list[Any]:
    """What another client finds in the session that it is given."""
    with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
        return [
            connection.execute(query).fetchall()
            for query in (
                "show search_path",
                "select name, setting from pg_settings"
                " where name <> 'application_name' and not starts_with(name, 'plpgsql')"
                " order by name",
                "select coalesce(current_setting('auth_state.uninstall', true), '')",
                "select current_user, coalesce(current_setting('role'), '')",
                "select count(*) from pg_locks where locktype = 'advisory'"
                " and pid = pg_backend_pid()",
                "select count(*) from pg_prepared_statements",
            )
        ]


@contextmanager
def busy(url: str, clients: int) -> Iterator[None]:
    """Clients that take a connection of the pool, keep it for moments and take another one."""
    stopping = threading.Event()

    def live() -> None:
        with psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection:
            while not stopping.is_set():
                connection.execute("select pg_sleep(0.002)")

    threads = [threading.Thread(target=live) for _ in range(clients)]
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stopping.set()
        for thread in threads:
            thread.join()


def store_account(db: Database, schema: str) -> None:
    db.conn.execute(f"select {schema}.auth_save_creds('acme', %s)", [json.dumps(CREDS)])


def test_nothing_of_an_install_upgrade_or_uninstall_stays_in_the_session(
    empty_db: Database, pooled: Pooled
) -> None:
    url = pooled(1).url_of(empty_db.cluster.installer)
    before = session(url)
    for _ in range(2):
        assert pg_auth_state.install(url, "w6").schema == "w6"
        assert schema_of(empty_db) == ["w6"]
        assert session(url) == before
    store_account(empty_db, "w6")
    with pytest.raises(pg_auth_state.UnsafeRequest):
        pg_auth_state.uninstall(url, "w6")
    assert session(url) == before
    pg_auth_state.uninstall(url, "w6", drop_data=True)
    assert schema_of(empty_db) == []
    assert session(url) == before


def test_consent_to_one_uninstall_serves_nobody_else(empty_db: Database, pooled: Pooled) -> None:
    url = pooled(1).url_of(empty_db.cluster.installer)
    pg_auth_state.install(url, "w6")
    store_account(empty_db, "w6")
    pg_auth_state.uninstall(url, "w6", drop_data=True)
    pg_auth_state.install(empty_db.installer_dsn, "w6")
    store_account(empty_db, "w6")
    with (
        psycopg.connect(url, autocommit=True, prepare_threshold=None) as connection,
        pytest.raises(psycopg.Error) as caught,
    ):
        connection.execute(b"set search_path = w6;" + UNINSTALL_SQL.read_bytes())
    assert caught.value.sqlstate == "WA006"
    assert schema_of(empty_db) == ["w6"]


def test_an_install_lands_where_it_was_asked_for_whatever_others_do(
    empty_db: Database, pooled: Pooled
) -> None:
    url = pooled(2).url_of(empty_db.cluster.installer)
    before = session(url)
    with busy(url, 2):
        for turn in range(4):
            schema = f"w{turn}"
            pg_auth_state.install(url, schema)
            assert schema_of(empty_db) == [schema]
            pg_auth_state.install(url, schema)
            store_account(empty_db, schema)
            pg_auth_state.uninstall(url, schema, drop_data=True)
            assert schema_of(empty_db) == []
    for _ in range(4):
        assert session(url) == before


def psql(db: Database, url: str, path: Any, settings: str) -> subprocess.CompletedProcess[str]:
    """The recipe of README.md."""
    return subprocess.run(
        f"sed 's/^begin;$/& {settings}/' {path}"
        f" | {program(db, 'psql')} -X -q -v ON_ERROR_STOP=1 -d {url}",
        shell=True,
        capture_output=True,
        text=True,
    )


def test_psql_leaves_nothing_in_the_session_either(empty_db: Database, pooled: Pooled) -> None:
    url = pooled(1).url_of(empty_db.cluster.installer)
    before = session(url)
    done = psql(empty_db, url, INSTALL_SQL, "set local search_path = w6;")
    assert (done.returncode, done.stdout) == (0, "\n" * done.stdout.count("\n"))
    assert "WARNING" not in done.stderr
    assert schema_of(empty_db) == ["w6"]
    assert session(url) == before
    store_account(empty_db, "w6")
    refused = psql(empty_db, url, UNINSTALL_SQL, "set local search_path = w6;")
    assert refused.returncode == 3
    assert "1 accounts are stored here" in refused.stderr
    assert session(url) == before
    settings = "set local search_path = w6; set local auth_state.uninstall = '\\''drop data'\\'';"
    done = psql(empty_db, url, UNINSTALL_SQL, settings)
    assert done.returncode == 0, done.stderr
    assert "WARNING" not in done.stderr
    assert schema_of(empty_db) == []
    assert session(url) == before
