"""A login or database whose transactions are not READ COMMITTED unless told: what that means."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import IsolationLevel

from harness.clients import Async, Sync, cluster  # noqa: F401
from harness.cluster import Database
from harness.command import Command
from harness.creds import CREDS, creds
from harness.pgbouncer import PgBouncer
from pg_auth_state import AuthState, UnsafeRequest
from pg_auth_state._calls import _READS

PAIRED = creds(account={}, me={"id": "55:1@s"})


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture(
    params=[
        "database {} set default_transaction_isolation = 'serializable'",
        "database {} set default_transaction_isolation = 'repeatable read'",
        "role app in database {} set default_transaction_isolation = 'serializable'",
    ],
    ids=["serializable", "repeatable read", "login"],
)
def strict(request: pytest.FixtureRequest, db: Database) -> Database:
    db.conn.execute(f"alter {request.param.format(db.name)}")
    return db


def write_everything(state: Any, everybody: Any) -> None:
    assert state.init_creds(CREDS) == CREDS
    version = state.save_creds(creds(n=1))
    assert state.save_creds(creds(n=2), expected_version=version) > version
    assert state.set_keys({"session": {"1.0": {"a": b"x"}, "2.0": 1}}) == 2
    assert state.save_state(creds(n=3), {"session": {"2.0": None}}) > version
    assert state.get_creds() == creds(n=3)
    token = state.acquire_lease("me").token
    assert state.renew_lease(token, ttl=timedelta(seconds=9))
    assert state.set_keys({"session": {"3.0": 3}}, lease_token=token) == 1
    assert state.release_lease(token) is True
    assert state.get_keys("session", ["1.0", "2.0"]) == {"1.0": {"a": b"x"}, "2.0": None}
    assert state.restore_creds(state.creds_history()[0].version) > version
    assert state.forget_history() > 0
    exported = state.export()
    assert state.import_state(exported, mode="replace") == 0
    assert state.clear_keys() == 2
    assert everybody.set_ttl("tctoken", timedelta(days=1)) == 0
    assert everybody.cleanup_expired_keys() == 0
    assert state.delete_company() == 1


def test_over_a_connection_string_everything_is_written(kind: Any, strict: Database) -> None:
    write_everything(kind.state(strict.service_dsn), kind.state(strict.service_dsn, None))


def test_through_a_pooler_too(kind: Any, strict: Database) -> None:
    pgbouncer = PgBouncer(strict, connections=1)
    try:
        write_everything(kind.state(pgbouncer.url), kind.state(pgbouncer.url, None))
        with pgbouncer_session(pgbouncer) as connection:
            assert connection.execute("show transaction_isolation").fetchone() != (
                "read committed",
            )
    finally:
        kind.close()
        pgbouncer.stop()


def pgbouncer_session(pgbouncer: PgBouncer) -> Any:
    import psycopg

    return psycopg.connect(pgbouncer.url, autocommit=True, prepare_threshold=None)


def test_a_lease_is_held_and_renewed(strict: Database) -> None:
    with (
        AuthState(strict.service_dsn, "c1") as state,
        state.lease("me", ttl=timedelta(seconds=1)) as lease,
    ):
        first = lease.expires_at
        strict.conn.execute("select pg_sleep(1.5)")
        lease.check()
        assert lease.expires_at > first
        state.save_creds(CREDS)


def test_it_is_asked_for_once(strict: Database) -> None:
    with AuthState(strict.service_dsn, "c1") as state:
        state.save_creds(CREDS)
        database: Any = state._database
        asked = []
        ask = database._sets_isolation
        database._sets_isolation = lambda connection: asked.append(connection) or ask(connection)
        for number in range(3):
            state.save_creds(creds(n=number))
            state.set_keys({"session": {"1.0": number}})
        assert asked == []
        assert database._connection.isolation_level == IsolationLevel.READ_COMMITTED


def test_another_refusal_is_passed_on_and_is_asked_about_once(kind: Any, db: Database) -> None:
    state = kind.state(db.service_dsn)
    state.save_creds(CREDS)
    for _ in range(2):
        with pytest.raises(UnsafeRequest) as caught:
            state.import_state({"format": 1, "creds": CREDS, "keys": {}})
        assert "exists already" in str(caught.value)
    assert state.save_creds(creds(n=1))


def test_a_refusal_of_another_kind_is_passed_on_there_too(kind: Any, strict: Database) -> None:
    state = kind.state(strict.service_dsn)
    state.save_creds(PAIRED)
    with pytest.raises(UnsafeRequest) as caught:
        state.import_state({"format": 1, "creds": CREDS, "keys": {}})
    assert "exists already" in str(caught.value)


@pytest.mark.parametrize("which", ["connection", "pool"])
def test_a_connection_or_pool_stays_as_its_owner_has_it(
    kind: Any, strict: Database, which: str
) -> None:
    if which == "pool":
        state = kind.state(kind.pool(strict.service_dsn, min_size=1))
    else:
        state = kind.state(kind.connection(strict.service_dsn, autocommit=True))
    with pytest.raises(UnsafeRequest) as caught:
        state.save_creds(CREDS)
    assert "READ COMMITTED" in str(caught.value)
    assert state.get_creds() is None


def test_the_command_works(strict: Database, tmp_path: Path) -> None:
    run = Command(strict, tmp_path)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": "A" * 43}]}))
    path.chmod(0o600)
    folder = tmp_path / "company_c1"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    (folder / "session-1.0.json").write_text('{"a":1}')
    run.good("import", "company_c1", "--no-backup")
    run.good("verify", "company_c1")
    run.good("rekey", "c1", "--keys", path)
    run.good("cleanup")
    run.good("status")
    run.good("delete", "c1", "--yes")


def test_what_counts_as_a_read_is_what_the_database_calls_one(db: Database) -> None:
    rows = db.conn.execute(
        "select proname from pg_proc where proowner = 'auth_state_owner'::regrole"
        " and provolatile <> 'v' and not starts_with(proname, '_')"
    ).fetchall()
    known = {name for (name,) in rows}
    assert known >= _READS
    writes = db.conn.execute(
        "select proname from pg_proc where proowner = 'auth_state_owner'::regrole"
        " and provolatile = 'v'"
    ).fetchall()
    assert not _READS & {name for (name,) in writes}
