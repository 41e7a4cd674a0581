"""Writing what is there already costs next to no WAL."""

from __future__ import annotations

import json
import re

import psycopg
import pytest

from harness.cluster import Database
from harness.creds import creds_json

pytestmark = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg18-login"], indirect=True)

KEYS = 800
NEXT_TO_NONE = 1000  # bytes: a reader may tidy some pages up, of the catalog, too


def wal(conn: psycopg.Connection, call: str) -> int:
    """How many bytes of WAL this session writes for it."""
    plan = conn.execute(f"explain (analyze, wal, costs off, timing off) select {call}").fetchall()
    text = "\n".join(line for (line,) in plan)
    found = re.search(r"WAL:.* bytes=(\d+)", text)
    return int(found[1]) if found else 0


@pytest.fixture
def filled(db: Database) -> Database:
    batch = {
        "session": {f"{n}.0": {"n": n, "text": "x" * 100} for n in range(KEYS - 100)},
        "lid-mapping": {str(n): str(n + 1) for n in range(100)},
    }
    db.conn.execute("select auth_save_state('acme', %s, %s)", [creds_json(), json.dumps(batch)])
    db.conn.execute("create table state as select auth_export('acme') as state")
    # What the next reader would clean up is cleaned up: that is WAL, too.
    db.conn.execute("vacuum (freeze, analyze)")
    db.conn.execute("checkpoint")
    # An old snapshot keeps vacuum from that, such as autovacuum's: then the first reader does it.
    db.conn.execute("select auth_import('acme', state, 'merge') from state")
    return db


# 56 bytes a key once, for locks of rows that stayed as they were.
@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_an_import_that_changes_nothing_writes_no_wal_for_its_rows(
    filled: Database, mode: str
) -> None:
    call = f"auth_import('acme', (select state from state), '{mode}')"
    assert wal(filled.conn, call) < NEXT_TO_NONE


@pytest.mark.parametrize("mode", ["merge", "replace"])
def test_an_import_that_changes_one_key_writes_wal_for_one(filled: Database, mode: str) -> None:
    filled.conn.execute("delete from whatsapp_keys where key_id = '7.0'")
    filled.conn.execute("vacuum whatsapp_keys")
    call = f"auth_import('acme', (select state from state), '{mode}')"
    # With the first change of a page after the checkpoint comes the page.
    assert 0 < wal(filled.conn, call) < 40_000
    assert wal(filled.conn, call) < NEXT_TO_NONE


def test_a_batch_of_values_that_are_there_writes_no_wal(filled: Database) -> None:
    call = "auth_set_keys('acme', (select state -> 'keys' from state))"
    assert wal(filled.conn, call) < NEXT_TO_NONE


def test_creds_that_are_there_write_no_wal(filled: Database) -> None:
    assert (
        wal(filled.conn, "auth_save_creds('acme', (select state -> 'creds' from state))")
        < NEXT_TO_NONE
    )
    state = "(select state -> 'keys' from state)"
    call = f"auth_save_state('acme', (select state -> 'creds' from state), {state})"
    assert wal(filled.conn, call) < NEXT_TO_NONE


# Everybody who writes under it presents its token.
def test_a_write_of_what_is_there_writes_no_wal_under_a_lease_either(filled: Database) -> None:
    row = filled.conn.execute("select token from auth_acquire_lease('acme', 'me')").fetchone()
    assert row is not None
    call = f"auth_set_keys('acme', (select state -> 'keys' from state), {row[0]})"
    assert wal(filled.conn, call) < NEXT_TO_NONE


def test_after_a_lease_that_is_over_only_the_first_write_without_it_notes_that(
    filled: Database,
) -> None:
    row = filled.conn.execute("select token from auth_acquire_lease('acme', 'me')").fetchone()
    assert row is not None
    filled.conn.execute("select auth_release_lease('acme', %s)", [row[0]])
    call = "auth_set_keys('acme', (select state -> 'keys' from state))"
    assert 0 < wal(filled.conn, call) < 20_000
    assert wal(filled.conn, call) < NEXT_TO_NONE
