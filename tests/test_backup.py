"""pg_dump, and going on with what it brought back."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from harness.cluster import Database
from harness.creds import creds_json
from harness.installing import count, dump, install, program, run_program

WRITE = (
    f"select auth_save_state('acme', '{creds_json(a=1)}',"
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
        query = "select auth_save_creds('acme', %s, null, %s)"
        assert count(conn, query, creds_json(a=2), new_token) > version
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [token])
        assert caught.value.sqlstate == "WA002"


def test_versions_grow_beyond_those_that_came_after_the_dump(
    db: Database, empty_db: Database, archive: Path
) -> None:
    db.conn.execute("delete from whatsapp_leases")
    later = count(db.conn, "select auth_save_creds('acme', %s)", creds_json(a=7))
    run_program(empty_db, "pg_restore", "--exit-on-error", str(archive))
    empty_db.conn.execute("delete from whatsapp_leases")
    assert count(empty_db.conn, "select auth_save_creds('acme', %s)", creds_json(a=8)) > later


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


def dump_as(db: Database, login: str, *options: str) -> subprocess.CompletedProcess[str]:
    command = [program(db, "pg_dump"), "-d", db.server.url(db.name, login), *options]
    return subprocess.run(command, capture_output=True, text=True)


@pytest.fixture
def dumper(db: Database) -> Iterator[str]:
    """A login that may become the owner of the tables."""
    name = f"dumper_{db.name}"
    db.conn.execute(WRITE)
    db.conn.execute(f"create role {name} login; grant auth_state_owner to {name}")
    yield name
    db.conn.execute(f"drop role {name}")


def test_a_login_dumps_every_row_as_the_owner_with_row_security(db: Database, dumper: str) -> None:
    done = dump_as(db, dumper, "--role=auth_state_owner", "--enable-row-security")
    assert done.returncode == 0, done.stderr
    assert '"noiseKey": "n"' in done.stdout
    assert '{"x": 1}' in done.stdout


def test_without_that_the_dump_fails_and_is_no_half(db: Database, dumper: str) -> None:
    done = dump_as(db, dumper, "--role=auth_state_owner")
    assert done.returncode != 0
    assert "row-level security" in done.stderr
    assert '"noiseKey": "n"' not in done.stdout


# With the flag it would be a dump of nothing that looks like one.
@pytest.mark.parametrize(("options", "code"), [((), 1), (("--enable-row-security",), 0)])
def test_a_member_of_pg_read_all_data_dumps_no_row(
    db: Database, options: tuple[str, ...], code: int
) -> None:
    name = f"reader_{db.name}"
    db.conn.execute(WRITE)
    db.conn.execute(f"create role {name} login; grant pg_read_all_data to {name}")
    done = dump_as(db, name, "--table=public.whatsapp_*", *options)
    db.conn.execute(f"drop role {name}")
    assert done.returncode == code, done.stderr
    assert '"noiseKey": "n"' not in done.stdout
