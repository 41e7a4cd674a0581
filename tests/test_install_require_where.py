"""Everything works where the server refuses UPDATE and DELETE without a WHERE."""

from __future__ import annotations

import subprocess
from collections import defaultdict
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from harness.attacks import CALLS
from harness.cluster import ROOT, Cluster, Database
from harness.creds import creds_json
from harness.installing import (
    HAND_MADE,
    ROWS,
    count,
    install,
    old_version,
    run_sql,
    schema,
    uninstall,
)
from pg_auth_state.embedded import find_binaries

MODULE = ROOT / "tests/require_where/require_where.c"

# Whose headers are there.
pytestmark = pytest.mark.parametrize("cluster", ["pg18-superuser", "pg18-login"], indirect=True)


@pytest.fixture
def require_where(cluster: Cluster) -> Callable[[Database], None]:
    """Has the server refuse such statements in a database, from the next session on."""
    library = Path(cluster.server.base_dir, "require_where.so")
    if not library.exists():
        include = find_binaries() / "include/server"
        command = ["gcc", "-shared", "-fPIC", f"-I{include}", "-o", str(library), str(MODULE)]
        subprocess.run(command, check=True)

    def begin(database: Database) -> None:
        database.conn.execute(
            f"alter database {database.name} set session_preload_libraries = '{library}'"
        )
        database.conn.close()
        del database.__dict__["conn"]

    return begin


@pytest.fixture
def strict_db(empty_db: Database, require_where: Callable[[Database], None]) -> Database:
    """With nothing in it."""
    require_where(empty_db)
    return empty_db


def write(conn: psycopg.Connection) -> None:
    for turn in range(2):
        batch = '{"session": {"1.0": 1}, "lid-mapping": {"1": "2"}}'
        creds = creds_json(account={"details": "d"}, turn=turn)
        conn.execute("select auth_save_state('acme', %s, %s)", [creds, batch])


@pytest.mark.parametrize(
    "statement",
    [
        "update t set n = 1",
        "delete from t",
        "with gone as (delete from t returning n) select 1",
        "do 'begin update t set n = 1; end'",
    ],
)
def test_the_server_refuses_what_lacks_a_where(strict_db: Database, statement: str) -> None:
    strict_db.conn.execute("create table t (n integer)")
    with pytest.raises(psycopg.errors.CardinalityViolation):
        strict_db.conn.execute(statement)
    strict_db.conn.execute("update t set n = 1 where true")


def test_it_installs_twice_and_uninstalls(strict_db: Database, fresh_schema: str) -> None:
    install(strict_db)
    assert schema(strict_db) == fresh_schema
    install(strict_db)
    assert schema(strict_db) == fresh_schema
    uninstall(strict_db)
    query = "select count(*) from pg_class where relname ~ '^whatsapp'"
    assert count(strict_db.conn, query) == 0


def test_it_takes_tables_made_by_hand_over(
    empty_db: Database, fresh_schema: str, require_where: Callable[[Database], None]
) -> None:
    run_sql(empty_db, HAND_MADE + ROWS)
    require_where(empty_db)
    install(empty_db)
    assert schema(empty_db) == fresh_schema


def test_it_upgrades(
    empty_db: Database, fresh_schema: str, require_where: Callable[[Database], None]
) -> None:
    run_sql(empty_db, old_version())
    write(empty_db.conn)
    empty_db.conn.execute("select auth_acquire_lease('acme', 'me', '1 hour')")
    require_where(empty_db)
    install(empty_db)
    assert schema(empty_db) == fresh_schema
    assert count(empty_db.conn, "select count(*) from auth_list_leases() where is_live") == 1


def code(conn: psycopg.Connection, *statements: str) -> str | None:
    """Of the error, if there is one; nothing stays."""
    try:
        with conn.transaction(force_rollback=True):
            for statement in statements:
                conn.execute(statement)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def test_every_public_function_works(
    db: Database, require_where: Callable[[Database], None]
) -> None:
    require_where(db)
    with db.connect("app") as conn:
        write(conn)
        token = count(conn, "select token from auth_acquire_lease('acme', 'me', '1 hour')")
        version = count(conn, "select max(version) from auth_creds_history('acme')")
        db.conn.execute("update whatsapp_keys set expires_at = now() where expires_at > now()")
        codes: dict[str | None, list[str]] = defaultdict(list)
        release = f"select auth_release_lease('acme', {token})"
        role = f"tenant_{db.name}"
        db.conn.execute(f"create role {role}")
        for signature, calls in CALLS.items():
            for call in calls if isinstance(calls, list) else [calls]:
                call = call.replace("stranger", role)
                with_lease = call.format(c="'acme'", t=token, v=version)
                codes[code(conn, f"select * from {with_lease}")].append(signature)
                if "renew" not in signature and "release" not in signature:
                    without = call.format(c="'acme'", t="null", v=version)
                    codes[code(conn, release, f"select * from {without}")].append(signature)
        db.conn.execute(f"drop role {role}")
    assert len(codes.pop(None)) > 50
    # An import into an account that is there, creds for one that has some, pg_cron.
    assert all(name.startswith("WA") for name in codes if name is not None), codes


def test_a_cleanup_that_finds_nothing_more_tidies_up(
    db: Database, require_where: Callable[[Database], None]
) -> None:
    require_where(db)
    with db.connect() as conn:
        conn.execute("set auth_state.now = '2026-01-01'")
        write(conn)
        conn.execute("select auth_acquire_lease('acme', 'me', '1 second')")
        conn.execute("select auth_set_ttl('session', '1 day', true)")
        conn.execute("set auth_state.now = '2026-06-01'")
        while count(conn, "select cleanup_expired_keys()"):
            pass
        assert count(conn, "select count(*) from whatsapp_leases") == 0
        assert count(conn, "select count(*) from whatsapp_audit where action <> 'cleanup'") == 0
