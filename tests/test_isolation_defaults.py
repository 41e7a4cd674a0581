"""A login or database whose transactions are not READ COMMITTED unless told: what that means."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from psycopg import IsolationLevel
from psycopg.errors import ReadOnlySqlTransaction

from harness.clients import Async, Sync, cluster  # noqa: F401
from harness.cluster import Cluster, Database
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
        ask = database._overrules_default
        database._overrules_default = lambda connection: asked.append(connection) or ask(connection)
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


SOURCES = ["connection", "autocommit connection", "pool", "autocommit pool"]


def source(kind: Any, dsn: str, which: str, **settings: Any) -> Any:
    """A connection or pool of the caller's, whose connections have these attributes of psycopg."""
    is_sync = kind.name == "sync"
    autocommit = which.startswith("autocommit")

    def configure(connection: Any) -> None:
        for name, value in settings.items():
            setattr(connection, name, value)

    async def configure_async(connection: Any) -> None:
        for name, value in settings.items():
            await getattr(connection, f"set_{name}")(value)

    if which.endswith("pool"):
        how: Any = configure if is_sync else configure_async
        return kind.pool(dsn, min_size=1, kwargs={"autocommit": autocommit}, configure=how)
    connection = kind.connection(dsn, autocommit=autocommit)
    if is_sync:
        configure(connection)
    else:
        kind.run(configure_async(connection.driven))
    return connection


@pytest.mark.parametrize("which", SOURCES)
def test_a_connection_or_pool_stays_as_its_owner_has_it(
    kind: Any, strict: Database, which: str
) -> None:
    state = kind.state(source(kind, strict.service_dsn, which))
    with pytest.raises(UnsafeRequest) as caught:
        state.save_creds(CREDS)
    assert "READ COMMITTED" in str(caught.value)
    assert state.get_creds() is None


# psycopg sends isolation_level with BEGIN, which a single statement has none of.
@pytest.mark.parametrize("which", SOURCES)
def test_a_connection_or_pool_writes_at_the_level_that_its_owner_gave_it(
    kind: Any, strict: Database, which: str
) -> None:
    given = source(kind, strict.service_dsn, which, isolation_level=IsolationLevel.READ_COMMITTED)
    write_everything(kind.state(given), kind.state(given, None))


def test_the_command_works(strict: Database, tmp_path: Path) -> None:
    write_by_command(strict, tmp_path)


def write_by_command(db: Database, tmp_path: Path) -> None:
    run = Command(db, tmp_path)
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


READ_ONLY = pytest.mark.parametrize(
    "scope", ["database {}", "role app in database {}"], ids=["database", "login"]
)


@contextmanager
def read_only(db: Database, scope: str = "database {}") -> Iterator[None]:
    target = scope.format(db.name)
    db.conn.execute(f"alter {target} set default_transaction_read_only = on")
    try:
        yield
    finally:
        db.conn.execute(f"alter {target} reset default_transaction_read_only")


@READ_ONLY
def test_a_database_that_somebody_froze_is_not_written_and_the_way_out_is_named(
    kind: Any, db: Database, scope: str
) -> None:
    with read_only(db, scope):
        state = kind.state(db.service_dsn)
        for call in (
            lambda: state.save_creds(CREDS),
            lambda: state.acquire_lease("me"),
            lambda: kind.state(db.service_dsn, None).cleanup_expired_keys(),
            lambda: kind.state(db.service_dsn, None).configure("lock_wait", "1s"),
        ):
            with pytest.raises(ReadOnlySqlTransaction) as caught:
                call()
            assert "read write" in str(caught.value.diag.message_hint)
        assert state.get_creds() is None


@pytest.mark.parametrize("which", SOURCES)
def test_a_connection_or_pool_writes_where_its_owner_made_it_read_write(
    kind: Any, db: Database, which: str
) -> None:
    with read_only(db):
        with pytest.raises(ReadOnlySqlTransaction):
            kind.state(source(kind, db.service_dsn, which)).save_creds(CREDS)
        given = source(kind, db.service_dsn, which, read_only=False)
        write_everything(kind.state(given), kind.state(given, None))


@pytest.mark.parametrize("which", SOURCES)
def test_a_connection_or_pool_that_its_owner_made_read_only_writes_nothing(
    kind: Any, db: Database, which: str
) -> None:
    state = kind.state(source(kind, db.service_dsn, which, read_only=True))
    with pytest.raises(ReadOnlySqlTransaction):
        state.save_creds(CREDS)
    assert state.get_creds() is None


def test_a_standby_says_that_it_is_one(kind: Any, own_cluster: Callable[[str], Cluster]) -> None:
    server = own_cluster("pg15-superuser")
    database = server.new_database()
    database.conn.close()
    server.server.stop()
    Path(server.server.get_data_directory(), "standby.signal").touch()
    server.server.start()
    state = kind.state(database.service_dsn)
    for _ in range(2):
        with pytest.raises(ReadOnlySqlTransaction) as caught:
            state.save_creds(CREDS)
        assert caught.value.diag.message_detail == "This server is a standby."


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
