"""A connection string, a connection or a pool: what belongs to whom, and what a transaction is."""

from __future__ import annotations

import asyncio
import os
import threading
import time
from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import psycopg_pool
import pytest
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.rows import dict_row
from psycopg.types.string import StrBinaryDumper, StrDumper, StrDumperVarchar

from harness.clients import Async, Sync, cluster, stored_creds, writing  # noqa: F401
from harness.creds import CREDS, creds
from pg_auth_state import (
    AsyncAuthState,
    AuthState,
    InvalidInput,
    UnsafeRequest,
    VersionConflict,
)


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


def sessions(db: Any) -> list[int]:
    """The backends of the application role in this database."""
    rows = db.conn.execute(
        "select pid from pg_stat_activity where datname = current_database() and usename = 'app'"
    )
    return [pid for (pid,) in rows]


def somebody_waits(db: Any) -> bool:
    """For a lock, in this database."""
    row = db.conn.execute(
        "select from pg_stat_activity "
        "where datname = current_database() and wait_event_type = 'Lock'"
    ).fetchone()
    return row is not None


def end_sessions(db: Any) -> None:
    for pid in sessions(db):
        db.conn.execute("select pg_terminate_backend(%s, 5000)", (pid,))


def test_a_connection_string_connects_at_the_first_call_and_once(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    assert sessions(db) == []
    state.get_creds()
    first = sessions(db)
    state.get_creds()
    assert sessions(db) == first
    assert len(first) == 1


def test_a_dropped_connection_is_opened_again_at_the_next_call(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    state.save_creds(creds(a=1))
    end_sessions(db)
    assert state.get_creds() == creds(a=1)
    end_sessions(db)
    state.set_keys({"session": {"1.0": {}}})


def test_a_restarted_server_is_found_again(kind: Any, own_cluster: Any) -> None:
    server = own_cluster("pg15-superuser")
    database = server.new_database()
    state = kind.state(database.dsn)
    state.save_creds(creds(a=1))
    server.server.kill()
    with pytest.raises(psycopg.OperationalError):
        state.get_creds()
    server.server.start()
    assert state.get_creds() == creds(a=1)


def test_a_connection_lost_in_the_middle_is_an_error_of_that_call_only(db: Any) -> None:
    state = AuthState(db.service_dsn, "c1")
    state.save_creds(creds(a=1))
    with writing(db, "c1", creds(a=2)):
        ending = threading.Timer(0.5, end_sessions, (db,))
        ending.start()
        with pytest.raises(psycopg.OperationalError):
            state.save_creds(creds(a=3))
        ending.join()
    assert state.get_creds() == creds(a=2)
    state.close()


def test_closing_ends_the_connection_of_a_connection_string(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    with state:
        state.get_creds()
    deadline = time.monotonic() + 10
    while sessions(db) and time.monotonic() < deadline:
        time.sleep(0.01)
    assert sessions(db) == []
    with pytest.raises(psycopg.InterfaceError):
        state.get_creds()
    state.close()


def test_closing_leaves_the_callers_connection_open(kind: Any, db: Any) -> None:
    connection = kind.connection(db.service_dsn)
    state = kind.state(connection)
    with state:
        state.get_creds()
    assert not connection.closed
    state.get_creds()


def test_a_call_on_a_connection_is_its_own_transaction(kind: Any, db: Any) -> None:
    for autocommit in (False, True):
        connection = kind.connection(db.service_dsn, autocommit=autocommit)
        kind.state(connection).save_creds(creds(autocommit=autocommit))
        assert connection.info.transaction_status == psycopg.pq.TransactionStatus.IDLE
        assert stored_creds(db) == creds(autocommit=autocommit)
        assert connection.autocommit is autocommit


def test_a_call_joins_the_transaction_of_the_connection(kind: Any, db: Any) -> None:
    for autocommit in (False, True):
        connection = kind.connection(db.service_dsn, autocommit=autocommit)
        state, other = kind.state(connection), kind.state(connection, "c2")
        with connection.transaction():
            state.save_creds(creds(a=1))
            other.set_keys({"session": {"1.0": {}}})
            assert state.get_creds() == creds(a=1)
            assert kind.state(db.service_dsn).get_creds() is None
        assert kind.state(db.service_dsn).get_creds() == creds(a=1)
        state.delete_company()


def test_what_joined_a_transaction_goes_back_with_it(kind: Any, db: Any) -> None:
    connection = kind.connection(db.service_dsn)
    state = kind.state(connection)
    connection.execute("select 1")
    state.save_creds(creds(a=1))
    connection.rollback()
    assert state.get_creds() is None


def test_what_fails_aborts_the_transaction_it_joined(kind: Any, db: Any) -> None:
    connection = kind.connection(db.service_dsn)
    state = kind.state(connection)
    connection.execute("select 1")
    state.save_creds(creds(a=1))
    with pytest.raises(VersionConflict):
        state.save_creds(creds(a=2), expected_version=1)
    with pytest.raises(psycopg.errors.InFailedSqlTransaction):
        state.get_creds()
    connection.rollback()
    assert state.get_creds() is None


def test_a_failed_call_leaves_an_idle_connection_usable(kind: Any, db: Any) -> None:
    for autocommit in (False, True):
        state = kind.state(kind.connection(db.service_dsn, autocommit=autocommit))
        state.save_creds(creds(a=1))
        with pytest.raises(VersionConflict):
            state.save_creds(creds(a=2), expected_version=1)
        assert state.get_creds() == creds(a=1)


def test_writes_refuse_another_isolation_level(kind: Any, db: Any) -> None:
    connection = kind.connection(db.service_dsn)
    connection.execute("begin isolation level repeatable read")
    state = kind.state(connection)
    assert state.get_creds() is None
    with pytest.raises(UnsafeRequest):
        state.save_creds(creds(a=1))


def test_the_settings_of_a_connection_do_not_matter(kind: Any, db: Any) -> None:
    connection = kind.connection(
        db.service_dsn,
        row_factory=dict_row,
        client_encoding="latin1",
        options="-c datestyle=german,dmy -c intervalstyle=sql_standard -c bytea_output=escape",
    )
    driven = getattr(connection, "driven", connection)
    driven.cursor_factory = (
        psycopg.AsyncClientCursor if kind.name == "async" else psycopg.ClientCursor
    )
    driven.prepare_threshold = 0
    state = kind.state(connection)
    psycopg.types.json.set_json_loads(lambda data: "not what anybody wants", driven)
    for _ in range(3):
        hard = creds(name="São João 😀 \0", bytes=b"\xff")
        state.save_creds(hard)
        assert state.get_creds() == hard
        state.set_keys({"session": {"1.0": {}}})
        assert state.list_keys("session")[0].updated_at.tzinfo is not None
        assert state.acquire_lease("me").acquired
        assert state.release_lease(state.acquire_lease("me").token)
    assert driven.prepare_threshold == 0


def test_a_pool_gets_its_connections_back_as_they_were(kind: Any, db: Any) -> None:
    pool = kind.pool(db.service_dsn, min_size=1, max_size=1)
    state = kind.state(pool)
    state.save_creds(creds(a=1))
    with pytest.raises(VersionConflict):
        state.save_creds(creds(a=2), expected_version=1)
    with pool.connection() as connection:
        assert connection.autocommit is False
    state.close()
    assert state.get_creds() == creds(a=1)


def test_a_pool_recovers_from_a_lost_connection(kind: Any, db: Any) -> None:
    pool = kind.pool(db.service_dsn, min_size=1, max_size=1)
    state = kind.state(pool)
    state.save_creds(creds(a=1))
    end_sessions(db)
    with pytest.raises(psycopg.OperationalError):
        state.get_creds()
    assert state.get_creds() == creds(a=1)


def test_a_connection_string_prepares_nothing_on_the_server(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    for _ in range(20):
        state.get_creds()
    own = getattr(state, "driven", state)._database._connection
    assert own.prepare_threshold is None


def test_one_connection_serves_tasks_of_several_accounts_at_once(db: Any) -> None:
    async def main() -> None:
        for autocommit in (False, True):
            async with await psycopg.AsyncConnection.connect(
                db.service_dsn, autocommit=autocommit
            ) as connection:
                states = [AsyncAuthState(connection, f"c{number}") for number in range(5)]
                bad = [state.save_creds(creds(a=1), expected_version=7) for state in states]
                good = [state.save_creds(creds(a=autocommit)) for state in states]
                reads = [state.get_creds() for state in states]
                results = await asyncio.gather(*bad, *good, *reads, return_exceptions=True)
                assert [type(result) for result in results[:5]] == [VersionConflict] * 5
                assert all(isinstance(result, int) for result in results[5:10])
                for state in states:
                    assert stored_creds(db, state.company_id) == creds(a=autocommit)

    asyncio.run(main())


def test_one_connection_serves_threads_of_several_accounts_at_once(db: Any) -> None:
    with psycopg.connect(db.service_dsn) as connection:
        failures: list[BaseException] = []

        def work(number: int) -> None:
            state = AuthState(connection, f"c{number}")
            try:
                for round_ in range(10):
                    state.save_creds(creds(round=round_))
                    with pytest.raises(VersionConflict):
                        state.save_creds(CREDS, expected_version=1)
                    assert state.get_creds() == creds(round=round_)
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=work, args=(number,)) for number in range(4)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert failures == []


def test_a_transaction_is_not_held_up_by_another_writer_of_the_process(db: Any) -> None:
    # The other has its turn in the process, and waits in the database for this transaction.
    with AuthState(db.service_dsn, "c1") as other:
        with writing(db, "c1", creds(a=1)) as joined:
            waiting = threading.Thread(target=other.save_creds, args=(creds(a=2),))
            waiting.start()
            while waiting.is_alive() and not somebody_waits(db):
                time.sleep(0.01)
            joined.save_creds(creds(a=3))
        waiting.join()
        assert other.get_creds() == creds(a=2)


def test_a_forked_child_has_a_connection_of_its_own(db: Any) -> None:
    with AuthState(db.service_dsn, "c1") as state:
        state.save_creds(creds(a=1))
        child = os.fork()
        if child == 0:
            ok = state.get_creds() == creds(a=1) and len(sessions_of(db)) == 2
            os._exit(0 if ok else 1)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
        assert state.get_creds() == creds(a=1)


def sessions_of(db: Any) -> list[int]:
    """As sessions(), over a connection that no parent process shares."""
    with db.connect() as connection:
        rows = connection.execute(
            "select pid from pg_stat_activity "
            "where datname = current_database() and usename = 'app'"
        )
        return [pid for (pid,) in rows]


def test_what_is_no_database_is_said_at_once() -> None:
    pool = psycopg_pool.ConnectionPool("", open=False)
    async_pool_class = psycopg_pool.AsyncConnectionPool
    with pytest.raises(TypeError, match="for AuthState, not for AsyncAuthState"):
        AsyncAuthState(pool, "c1")  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="not int"):
        AuthState(5, "c1")  # type: ignore[arg-type]

    async def main() -> None:
        with pytest.raises(TypeError, match="for AsyncAuthState, not for AuthState"):
            AuthState(async_pool_class("", open=False), "c1")  # type: ignore[arg-type]

    asyncio.run(main())


def test_a_connection_of_the_other_kind_is_said_at_once(db: Any) -> None:
    with pytest.raises(TypeError, match="for AuthState, not for AsyncAuthState"):
        AsyncAuthState(db.conn, "c1")


@pytest.mark.parametrize(
    "conninfo",
    [
        "postgresql://user:hunter2@secret@host/db",
        "postgresql://user:hunter2/secret@host/db",
        "postgresql://user:hunter2%zz@host/db",
        "postgresql://user:12/hunter2@host/db",
        "host=localhost password='hunter2",
        "user:hunter2@host/db",
        "postgresql://user:hunter2\udcff@host/db",
        "host=localhost password=hunter2\ud800",
        "postgresql://user:hunter2%ff@host/db",
        "postgresql://user:hunter2%00@host/db",
        "host=localhost password=hunter2\0",
        "host=localhost\0 password=hunter2",
    ],
)
def test_a_bad_connection_string_is_refused_without_its_password(conninfo: str) -> None:
    for cls in (AuthState, AsyncAuthState):
        with pytest.raises(InvalidInput) as caught:
            cls(conninfo, "c1")
        for text in ("hunter2", "secret", "zz"):
            assert text not in str(caught.value)
        assert caught.value.__context__ is None
        assert caught.value.__cause__ is None


# Bytes of the environment that are no UTF-8 are half a surrogate pair each in Python.
def test_a_password_of_a_connection_that_is_no_text_shows_in_no_error(
    kind: Any, db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PGPASSWORD", "hunter2\udcff")
    state = kind.state(kind.connection(db.service_dsn))
    with pytest.raises(InvalidInput) as caught, state.lease("me"):
        pass
    assert "hunter2" not in repr(caught.value)
    assert caught.value.__context__ is None


class Shouted(Dumper):
    """An adapter of the caller's that turns everything into another thing."""

    def dump(self, obj: Any) -> bytes:
        return b"SHOUTED"


class Hidden(Loader):
    format = Format.BINARY

    def load(self, data: Any) -> str:
        return "hidden"


def test_the_adapters_of_a_connection_change_no_call(kind: Any, db: Any) -> None:
    connection = kind.connection(db.service_dsn)
    for typed in (StrDumper, StrBinaryDumper, StrDumperVarchar, Shouted):
        connection.adapters.register_dumper(str, typed)
        state = kind.state(connection, typed.__name__)
        for cls in (bytes, int, bool, list, dict, timedelta, datetime, type(None)):
            connection.adapters.register_dumper(cls, Shouted)
        for name in ("text", "name", "int4", "int8", "bool", "timestamptz", "json", "jsonb"):
            connection.adapters.register_loader(name, Hidden)
        version = state.save_creds(CREDS)
        assert state.save_creds(creds(a=b"x"), expected_version=version) > version
        assert state.get_creds() == creds(a=b"x")
        assert state.set_keys({"session": {"1.0": {"a": b"x"}}}) == 1
        assert state.get_keys("session", ["1.0", "2.0"]) == {"1.0": {"a": b"x"}, "2.0": None}
        assert state.get_keys({"session": ["1.0"]}) == {"session": {"1.0": {"a": b"x"}}}
        lease = state.acquire_lease("me", ttl=timedelta(seconds=9), steal=True)
        assert (lease.acquired, lease.holder) == (True, "me")
        assert timedelta(0) < lease.expires_at - datetime.now(timezone.utc) < timedelta(minutes=1)
        assert state.release_lease(lease.token) is True
        assert state.cleanup_expired_keys(dry_run=True) == 0
        (row,) = state.list_keys("session", limit=1)
        assert (row.key_id, type(row.updated_at)) == ("1.0", datetime)
        assert state.list_audit(before=datetime(2020, 1, 1, tzinfo=timezone.utc)) == []
        assert {event.login for event in state.list_audit()} == {"app"}
