"""No error that leaves a client holds a value, though the server sends values with errors."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import pickle
import signal
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import psycopg
import psycopg_pool
import pytest
from psycopg.conninfo import make_conninfo

from harness.clients import Async, Sync, cluster  # noqa: F401
from harness.creds import creds
from harness.processes import wait_until, waits_for_a_lock
from harness.secrecy import chained, shown_by
from pg_auth_state import AsyncAuthState, AuthState, AuthStateError, LeaseLost
from pg_auth_state.files.database import Database as FilesDatabase

MARKER = "hunter2"  # by name, because a traceback shows the lines of this file
SECRET = creds(advSecretKey=MARKER)
CODES = (
    *("22P02", "22P05", "23502", "23514", "40001", "40P01", "42501", "55000", "57P03", "P0001"),
    *("XX000", "ZZ999", "WA001", "WA002", "WA003", "WA004", "WA005", "WA006", "WA007"),
)
SOURCES = ["connection string", "connection", "pool"]


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture
def talkative(db: Any) -> Any:
    """A database whose server sends the parameters of a statement with each error."""
    db.conn.execute(f"alter database {db.name} set log_parameter_max_length_on_error = -1")
    return db


def source(kind: Any, which: str, dsn: str) -> Any:
    if which == "connection":
        return kind.connection(dsn, autocommit=True)
    return kind.pool(dsn, min_size=1) if which == "pool" else dsn


def raising(db: Any, code: str) -> None:
    """Let saving creds end in this error."""
    db.conn.execute(
        f"""
        create or replace function auth_save_creds (
          p_company_id text, p_creds jsonb, p_expected_version bigint default null,
          p_lease_token bigint default null, p_allow_new_identity boolean default false)
        returns bigint language plpgsql as $$ begin
          raise exception using errcode = '{code}', message = 'm', detail = 'd', hint = 'h',
            table = 'whatsapp_auth', constraint = 'c', column = 'x';
        end $$
        """
    )


def assert_hidden(error: BaseException, caplog: pytest.LogCaptureFixture | None = None) -> None:
    assert MARKER not in shown_by(error)
    if caplog is not None:
        assert MARKER not in caplog.text
    for each in chained(error):
        if isinstance(each, psycopg.Error):
            assert (each.diag.context, each.diag.internal_query) == (None, None)
            assert (each.diag.statement_position, each.diag.internal_position) == (None, None)


@pytest.fixture
def busy(talkative: Any) -> Iterator[Any]:
    """Somebody is in the middle of a transaction that has written the account c1."""
    with talkative.connect(autocommit=False) as connection:
        connection.execute("select auth_set_keys('c1', '{}')")
        yield talkative
        connection.rollback()


def with_options(dsn: str, *settings: str) -> str:
    return make_conninfo(dsn, options=" ".join(f"-c {setting}" for setting in settings))


def test_this_server_does_send_values_with_its_errors(talkative: Any) -> None:
    raising(talkative, "55P03")
    with (
        psycopg.connect(talkative.service_dsn) as connection,
        pytest.raises(psycopg.errors.LockNotAvailable) as caught,
    ):
        connection.execute("select auth_save_creds('c1', %s)", ['{"a": "hunter2"}'])
    assert MARKER in shown_by(caught.value)


@pytest.mark.parametrize("which", SOURCES)
@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        ("auth_state.lock_wait=100ms", psycopg.errors.LockNotAvailable),
        ("statement_timeout=200ms", psycopg.errors.QueryCanceled),
        ("auth_state.company_id=other", psycopg.errors.InsufficientPrivilege),
    ],
)
def test_a_call_that_the_server_refuses_shows_no_value(
    kind: Any,
    busy: Any,
    which: str,
    setting: str,
    expected: type[psycopg.Error],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    state = kind.state(source(kind, which, with_options(busy.service_dsn, setting)))
    assert_refused(state, expected, caplog)


@pytest.mark.parametrize("which", SOURCES)
def test_a_read_only_server_shows_no_value(
    kind: Any, talkative: Any, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    dsn = with_options(talkative.service_dsn, "default_transaction_read_only=on")
    state = kind.state(source(kind, which, dsn))
    assert_refused(state, psycopg.errors.ReadOnlySqlTransaction, caplog)


def assert_refused(
    state: Any, expected: type[psycopg.Error], caplog: pytest.LogCaptureFixture
) -> None:
    for call in (
        lambda: state.save_creds(SECRET),
        lambda: state.init_creds(SECRET),
        lambda: state.set_keys({"session": {"1.0": MARKER}}),
        lambda: state.save_state(SECRET, {"session": {"1.0": MARKER}}),
        lambda: state.import_state({"format": 1, "creds": SECRET, "keys": {}}),
    ):
        with pytest.raises(expected) as caught:
            call()
        assert type(caught.value) is expected
        assert str(caught.value.diag.message_primary) in str(caught.value)
        assert_hidden(caught.value, caplog)


@pytest.mark.parametrize("which", SOURCES)
@pytest.mark.parametrize("code", CODES)
def test_whatever_the_code_is_no_value_shows(
    kind: Any, talkative: Any, which: str, code: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    raising(talkative, code)
    state = kind.state(source(kind, which, talkative.service_dsn))
    with pytest.raises((psycopg.Error, AuthStateError)) as caught:
        state.save_creds(SECRET)
    assert caught.value.sqlstate == code
    assert_hidden(caught.value, caplog)


def test_all_else_that_the_server_says_stays(kind: Any, talkative: Any) -> None:
    raising(talkative, "40001")
    with pytest.raises(psycopg.errors.SerializationFailure) as caught:
        kind.state(talkative.service_dsn).save_creds(SECRET)
    for error in (caught.value, pickle.loads(pickle.dumps(caught.value))):
        diagnostics = error.diag
        assert str(error) == "m\nDETAIL:  d\nHINT:  h"
        assert (error.sqlstate, diagnostics.sqlstate, diagnostics.severity) == (
            "40001",
            "40001",
            "ERROR",
        )
        assert (diagnostics.message_detail, diagnostics.message_hint) == ("d", "h")
        assert (diagnostics.table_name, diagnostics.constraint_name) == ("whatsapp_auth", "c")
        assert diagnostics.column_name == "x"


# A constraint that somebody added: its message quotes the whole row.
@pytest.mark.parametrize("rule", ["check (version < 0)", "check (creds ? 'other')"])
def test_a_row_that_a_constraint_refuses_is_not_quoted(
    kind: Any, talkative: Any, rule: str
) -> None:
    talkative.conn.execute(f"alter table whatsapp_auth add constraint theirs {rule}")
    with pytest.raises(psycopg.errors.CheckViolation) as caught:
        kind.state(talkative.service_dsn).save_creds(SECRET)
    assert caught.value.diag.constraint_name == "theirs"
    assert_hidden(caught.value)


@pytest.mark.parametrize("which", SOURCES)
def test_a_connection_that_is_ended_in_a_call_shows_no_value(
    kind: Any, busy: Any, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    state = kind.state(source(kind, which, busy.service_dsn))

    def terminate() -> None:
        wait_until(lambda: waits_for_a_lock(busy.conn, busy.name))
        busy.conn.execute(
            "select pg_terminate_backend(pid) from pg_stat_activity"
            " where datname = current_database() and usename = 'app' and state = 'active'"
        )

    with ThreadPoolExecutor() as thread:
        ended = thread.submit(terminate)
        with pytest.raises(psycopg.OperationalError) as caught:
            state.save_creds(SECRET)
        ended.result()
    assert_hidden(caught.value, caplog)


@pytest.mark.parametrize("autocommit", [True, False])
def test_a_call_that_joins_a_transaction_of_the_caller_shows_no_value(
    kind: Any, talkative: Any, autocommit: bool
) -> None:
    raising(talkative, "55P03")
    connection = kind.connection(talkative.service_dsn, autocommit=autocommit)
    state = kind.state(connection)
    with pytest.raises(psycopg.errors.LockNotAvailable) as caught, connection.transaction():
        state.save_creds(SECRET)
    assert_hidden(caught.value)
    with pytest.raises(psycopg.errors.LockNotAvailable) as caught:
        state.save_creds(SECRET)
    assert_hidden(caught.value)


def test_a_commit_that_fails_shows_no_value(kind: Any, talkative: Any) -> None:
    talkative.conn.execute(
        """
        create function refuse() returns trigger language plpgsql as $$ begin
          execute format('do %L', format('begin raise exception using errcode = ''40001'', '
            'message = ''m''; perform %L; end', new.creds));
        end $$;
        create constraint trigger late after insert or update on whatsapp_auth
        deferrable initially deferred for each row execute function refuse()
        """
    )
    for autocommit in (True, False):
        connection = kind.connection(talkative.service_dsn, autocommit=autocommit)
        with pytest.raises(psycopg.errors.SerializationFailure) as caught:
            kind.state(connection).save_creds(SECRET)
        assert_hidden(caught.value)


def test_what_the_caller_was_handling_stays_as_it_is(talkative: Any) -> None:
    raising(talkative, "55P03")
    with (
        psycopg.connect(talkative.service_dsn, autocommit=True) as connection,
        pytest.raises(psycopg.errors.LockNotAvailable) as caught,
    ):
        in_the_middle_of_handling_another(connection)
    ours = caught.value
    assert ours.diag.context is None
    theirs = ours.__context__
    assert isinstance(theirs, psycopg.Error)
    assert MARKER in str(theirs.diag.context)


def in_the_middle_of_handling_another(connection: Any) -> None:
    try:
        connection.execute("select auth_save_creds('c1', %s)", ['{"a": "hunter2"}'])
    except psycopg.Error:
        AuthState(connection, "c1").save_creds(SECRET)


@pytest.mark.parametrize("which", SOURCES)
def test_an_interrupted_call_shows_no_value(busy: Any, which: str) -> None:
    kind = Sync()
    state = kind.state(source(kind, which, busy.service_dsn))

    def interrupt() -> None:
        wait_until(lambda: waits_for_a_lock(busy.conn, busy.name))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    try:
        with pytest.raises(KeyboardInterrupt) as caught:
            state.save_creds(SECRET)
        assert_hidden(caught.value)
    finally:
        thread.join()
        kind.close()


@pytest.mark.parametrize("which", SOURCES)
def test_a_cancelled_call_shows_no_value(
    busy: Any, which: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    kind = Async()
    given = source(kind, which, busy.service_dsn)
    state = AsyncAuthState(getattr(given, "driven", given), "c1")
    with pytest.raises(asyncio.TimeoutError) as caught:
        kind.run(asyncio.wait_for(_saved(state), 0.5))
    assert_hidden(caught.value, caplog)
    kind.run(state.close())
    kind.close()


async def _saved(state: AsyncAuthState) -> None:
    await state.save_creds(SECRET)


def test_a_connection_that_cannot_be_opened_does_not_carry_the_password(kind: Any) -> None:
    state = kind.state("postgresql://user:hunter2@127.0.0.1:1/db?connect_timeout=2")
    with pytest.raises(psycopg.OperationalError) as caught:
        state.get_creds()
    assert_hidden(caught.value)
    assert "127.0.0.1" in str(caught.value)
    assert "Connection refused" in str(caught.value)


def test_all_hosts_that_were_tried_are_named(kind: Any) -> None:
    state = kind.state("postgresql://user:hunter2@127.0.0.1:1,127.0.0.2:1/db?connect_timeout=2")
    with pytest.raises(psycopg.OperationalError) as caught:
        state.get_creds()
    assert_hidden(caught.value)
    assert "127.0.0.2" in str(caught.value)


def test_a_pool_that_gives_no_connection_shows_no_password(kind: Any) -> None:
    dsn = "postgresql://user:hunter2@127.0.0.1:1/db?connect_timeout=1"
    state = kind.state(kind.pool(dsn, min_size=0, max_size=1, timeout=0.2))
    with pytest.raises(psycopg_pool.PoolTimeout) as caught:
        state.get_creds()
    assert_hidden(caught.value)


def test_a_lease_that_cannot_be_had_or_renewed_shows_no_token(kind: Any, talkative: Any) -> None:
    state = kind.state(talkative.service_dsn)
    token = state.acquire_lease("me").token
    for name, arguments in (
        ("auth_renew_lease", "p_token bigint, p_ttl interval default '1 minute'"),
        ("auth_release_lease", "p_token bigint"),
    ):
        result = "timestamptz" if "renew" in name else "boolean"
        talkative.conn.execute(
            f"create or replace function {name} (p_company_id text, {arguments})"
            f" returns {result} language plpgsql as $$ begin"
            " raise exception using errcode = '55P03', message = 'm'; end $$"
        )
    for call in (state.renew_lease, state.release_lease):
        with pytest.raises(psycopg.errors.LockNotAvailable) as caught:
            call(token)
        assert str(token) not in shown_by(caught.value)


def test_a_lost_lease_names_a_cause_that_shows_no_token(
    talkative: Any, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    told: list[LeaseLost] = []
    tokens: list[int] = []

    def hold_until_it_is_lost() -> None:
        with (
            AuthState(talkative.service_dsn, "c1") as state,
            state.lease("me", ttl=timedelta(seconds=1), on_lost=told.append) as lease,
        ):
            tokens.append(lease.token)
            talkative.conn.execute(
                "create or replace function auth_renew_lease"
                " (p_company_id text, p_token bigint, p_ttl interval default '1 minute')"
                " returns timestamptz language plpgsql as $$ begin"
                " raise exception using errcode = '55P03', message = 'm'; end $$"
            )
            wait_until(lease.lost.is_set)
            lease.check()

    with pytest.raises(LeaseLost) as caught:
        hold_until_it_is_lost()
    for error in (caught.value, *told):
        assert isinstance(error.__cause__, psycopg.errors.LockNotAvailable)
        assert str(tokens[0]) not in shown_by(error)
    assert str(tokens[0]) not in caplog.text


def test_whole_accounts_on_their_way_show_no_value(busy: Any) -> None:
    dsn = with_options(busy.service_dsn, "auth_state.lock_wait=100ms")
    with FilesDatabase(dsn) as database:
        company = database.company("c1")
        keys = json.dumps({"session": {"1": MARKER}})
        with pytest.raises(psycopg.errors.LockNotAvailable) as caught:
            company.put_keys(keys, 1)
        assert_hidden(caught.value)
        with pytest.raises(psycopg.errors.LockNotAvailable) as caught, database.writing():
            company.write(f'{{"format":1,"keys":{keys}}}', "new")
        assert_hidden(caught.value)


def test_the_representation_of_a_call_shows_no_value(kind: Any, tmp_path: Path) -> None:
    calls = kind.state("host=nowhere.invalid")._calls
    assert MARKER not in repr(
        calls.save_creds(SECRET, expected_version=None, lease_token=None, allow_new_identity=False)
    )
