"""After a call the session is as before: any call may travel on any connection of a pool."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from harness.cluster import Database
from harness.creds import creds_json
from harness.processes import Process, wait_until, waits_for_a_lock

pytestmark = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg18-login"], indirect=True)

CALLS = [
    "auth_get_creds('acme')",
    f"auth_init_creds('new', '{creds_json()}')",
    f"auth_save_creds('acme', '{creds_json(a=2)}')",
    "auth_creds_version('acme')",
    "auth_get_keys('acme', '{\"session\": [\"1.0\"]}'::jsonb)",
    "auth_get_keys('acme', 'session', '{1.0}')",
    'auth_set_keys(\'acme\', \'{"session": {"1.0": null, "2.0": 1}}\')',
    f"auth_save_state('acme', '{creds_json(a=3)}', '{{\"session\": {{\"1.0\": 5}}}}')",
    "auth_list_keys('acme', 'session')",
    "auth_list_companies()",
    "auth_clear_keys('acme')",
    "auth_delete_company('acme')",
    "auth_export('acme')",
    "auth_import('new', auth_export('acme'))",
    "cleanup_expired_keys()",
    "cleanup_expired_keys(10, true)",
    "auth_set_ttl('tctoken', '1 day')",
    "auth_acquire_lease('acme', 'me')",
    "auth_renew_lease('leased', (select token from auth_acquire_lease('leased', 'me')))",
    "auth_release_lease('acme', 1)",
    "auth_acquire_lease('acme', 'you', p_token => 1)",
    "auth_creds_history('acme')",
    "auth_forget_history('acme')",
    "auth_list_leases()",
    "auth_list_audit()",
    "auth_configure('history_versions', '7')",
    "auth_stats()",
    "auth_status()",
    "auth_cleanup_job()",
    "auth_schema_version()",
]


def state(conn: psycopg.Connection) -> list[Any]:
    """Everything that one call could leave to the next one of this session."""
    return [
        conn.execute(query).fetchall()
        for query in (
            "select name, setting from pg_settings order by name",
            "select current_user, session_user, current_schemas(true)",
            "select name, nullif(current_setting(name, true), '')"
            " from unnest(array['auth_state.now', 'auth_state.lock_wait',"
            " 'auth_state.company_id', 'auth_state.uninstall', 'role']) name",
            "select locktype, objid, mode from pg_locks where pid = pg_backend_pid()"
            " and (locktype = 'advisory' or virtualtransaction is null)",
            "select relname from pg_class where relpersistence = 't'",
            "select name from pg_prepared_statements",
            "select name from pg_cursors where name <> ''",
            "select pg_listening_channels()",
        )
    ]


@pytest.fixture
def conn(db: Database) -> psycopg.Connection:
    """Of the service, with some data there."""
    db.conn.execute(
        "select auth_save_state('acme', %s, '{\"session\": {\"1.0\": 1}}')", [creds_json()]
    )
    conn = db.connect("app")
    conn.prepare_threshold = None
    conn.execute("do 'begin end'; set lock_timeout = '3s'")
    return conn


@pytest.mark.parametrize("call", CALLS)
def test_the_session_is_as_before(conn: psycopg.Connection, call: str) -> None:
    before = state(conn)
    conn.execute(f"select {call}")
    assert state(conn) == before


def test_the_session_is_as_before_a_transaction_that_was_rolled_back(
    conn: psycopg.Connection,
) -> None:
    before = state(conn)
    for call in CALLS:
        with conn.transaction(force_rollback=True):
            conn.execute(f"select {call}")
        assert state(conn) == before


@pytest.mark.parametrize("bad", [f"'{creds_json()}'", "'[]'", "null"])
def test_the_session_is_as_before_an_error(conn: psycopg.Connection, bad: str) -> None:
    before = state(conn)
    with pytest.raises(psycopg.Error):
        conn.execute(f"select auth_save_state('acme', {bad}, '[1]')")
    assert state(conn) == before


def test_the_session_is_as_before_a_wait_for_the_lock(db: Database) -> None:
    busy = db.connect("app", autocommit=False)
    busy.execute("select auth_set_keys('acme', '{}')")

    def write() -> list[list[Any]]:
        with db.connect("app") as conn:
            conn.execute("do 'begin end'; set lock_timeout = '4s'")
            before = state(conn)
            conn.execute("select auth_set_keys('acme', '{}')")
            return [before, state(conn)]

    writer = Process(write)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    busy.commit()
    before, after = writer.result()
    assert after == before


def test_what_a_superuser_told_the_clock_is_not_believed_from_anybody_else(
    conn: psycopg.Connection, db: Database
) -> None:
    conn.execute("set auth_state.now = '2001-01-01'")
    conn.execute("select auth_set_keys('other', '{\"session\": {\"1.0\": 1}}')")
    query = "select updated_at > now() - '1 hour'::interval from whatsapp_keys"
    assert set(db.conn.execute(query).fetchall()) == {(True,)}
