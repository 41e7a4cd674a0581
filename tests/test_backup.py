"""pg_dump, and going on with what it brought back."""

from __future__ import annotations

from pathlib import Path

import psycopg
import pytest

from harness.cluster import Database
from harness.installing import count, dump, install, run_program

WRITE = (
    "select auth_save_state('acme', '{\"a\": 1}',"
    ' \'{"session": {"1.0": {"x": 1}}, "lid-mapping": {"1": "2"}}\')'
)


@pytest.fixture
def archive(db: Database, tmp_path: Path) -> Path:
    """Of an account under a lease."""
    db.conn.execute(WRITE)
    db.conn.execute("select auth_set_ttl('tctoken', '3 days')")
    db.conn.execute("select auth_acquire_lease('acme', 'me', '1 hour')")
    path = tmp_path / "archive"
    run_program(db, "pg_dump", "-Fc", "-f", str(path))
    return path


def test_a_dump_restores_into_a_new_database(
    db: Database, empty_db: Database, archive: Path
) -> None:
    run_program(empty_db, "pg_restore", "--exit-on-error", str(archive))
    assert dump(empty_db) == dump(db)


def test_what_was_restored_goes_on(db: Database, empty_db: Database, archive: Path) -> None:
    version = count(db.conn, "select auth_creds_version('acme')")
    token = count(db.conn, "select token from whatsapp_leases")
    run_program(empty_db, "pg_restore", "--exit-on-error", str(archive))
    with empty_db.connect("app") as conn:
        # A token that was given before the dump may have been stolen since.
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [token])
        assert caught.value.sqlstate == "WA002"
        query = "select token from auth_acquire_lease('acme', 'you', '1 min')"
        new_token = count(conn, query)
        assert new_token > token
        query = "select auth_save_creds('acme', '{\"a\": 2}', null, %s)"
        assert count(conn, query, new_token) > version
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [token])
        assert caught.value.sqlstate == "WA002"


def test_versions_grow_beyond_those_that_came_after_the_dump(
    db: Database, empty_db: Database, archive: Path
) -> None:
    db.conn.execute("delete from whatsapp_leases")
    later = count(db.conn, "select auth_save_creds('acme', '{\"a\": 7}')")
    run_program(empty_db, "pg_restore", "--exit-on-error", str(archive))
    empty_db.conn.execute("delete from whatsapp_leases")
    assert count(empty_db.conn, "select auth_save_creds('acme', '{\"a\": 8}')") > later


def test_installing_over_what_was_restored_changes_nothing(
    empty_db: Database, archive: Path
) -> None:
    run_program(empty_db, "pg_restore", "--exit-on-error", str(archive))
    before = dump(empty_db)
    install(empty_db)
    assert dump(empty_db) == before


def test_what_was_restored_is_as_closed_as_before(empty_db: Database, archive: Path) -> None:
    run_program(empty_db, "pg_restore", "--exit-on-error", str(archive))
    with empty_db.connect("app") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select from whatsapp_auth")


def test_rows_alone_restore_into_a_fresh_install(
    db: Database, empty_db: Database, archive: Path
) -> None:
    install(empty_db)
    tables = [f"--table={name}" for name in ("whatsapp_auth", "whatsapp_keys", "whatsapp_leases")]
    run_program(empty_db, "pg_restore", "--exit-on-error", "--data-only", *tables, str(archive))
    query = "select auth_export('acme')"
    assert empty_db.conn.execute(query).fetchone() == db.conn.execute(query).fetchone()


def test_a_login_dumps_as_the_owner_when_it_may_be_it(db: Database) -> None:
    if db.cluster.installer == "postgres":
        return  # who needs no leave
    db.conn.execute(WRITE)
    with db.connect("installer") as conn:
        conn.execute("grant auth_state_owner to installer")
    dsn = ["-U", "installer", "--role=auth_state_owner"]
    with pytest.raises(AssertionError, match="row-level security"):
        run_program(db, "pg_dump", *dsn)
    assert '{"a": 1}' in run_program(db, "pg_dump", *dsn, "--enable-row-security")
    with db.connect("installer") as conn:
        conn.execute("revoke auth_state_owner from installer")
