"""The clients on a schema that is older or newer than they are."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest

from harness.clients import Async, Sync, cluster  # noqa: F401
from harness.cluster import Database
from pg_auth_state import (
    AuditEvent,
    Company,
    CredsVersion,
    InvalidInput,
    KeyRow,
    KeyStats,
    Lease,
    LeaseHeld,
    LeaseRow,
)

AT = datetime(2026, 1, 2, tzinfo=timezone.utc)
TIME = f"'{AT.isoformat()}'::timestamptz"


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


def stand_in(db: Database, name: str, arguments: str, returns: str, body: str) -> None:
    """Put another function in the place of ours, as another version of the schema has it."""
    db.conn.execute(
        f"""
        do $$ declare v_function text; begin
          for v_function in select p.oid::regprocedure from pg_proc p where proname = '{name}' loop
            execute 'drop function ' || v_function;
          end loop;
        end $$;
        create function {name} ({arguments}) returns {returns} language sql as $$ {body} $$;
        grant execute on function {name} to auth_state_service;
        """
    )


PAGE = "p_after text default null, p_limit integer default 1"

# Of each function that returns a table: arguments, columns with a value each, a call, the answer.
TABLES: dict[str, tuple[str, dict[str, str], Any, Any]] = {
    "auth_list_keys": (
        f"p_company_id text, p_key_type text, {PAGE}, p_values boolean default true",
        {
            "key_id text": "'1.0'::text",
            "value jsonb": "'{\"a\": 1}'::jsonb",
            "updated_at timestamptz": TIME,
            "expires_at timestamptz": "null::timestamptz",
        },
        lambda state: state.list_keys("session"),
        [KeyRow("1.0", {"a": 1}, AT, None)],
    ),
    "auth_list_companies": (
        PAGE,
        {
            "company_id text": "'c'::text",
            "version bigint": "5::bigint",
            "keys bigint": "6::bigint",
            "updated_at timestamptz": TIME,
        },
        lambda state: state.list_companies(),
        [Company("c", 5, 6, AT)],
    ),
    "auth_list_leases": (
        PAGE,
        {
            "company_id text": "'c'::text",
            "holder text": "'h'::text",
            "acquired_at timestamptz": TIME,
            "expires_at timestamptz": TIME,
            "is_live boolean": "true",
        },
        lambda state: state.list_leases(),
        [LeaseRow("c", "h", AT, AT, True)],
    ),
    "auth_creds_history": (
        "p_company_id text",
        {
            "version bigint": "7::bigint",
            "saved_at timestamptz": TIME,
            "identity text": "'i'::text",
        },
        lambda state: state.creds_history(),
        [CredsVersion(7, AT, "i")],
    ),
    "auth_stats": (
        "p_company_id text default null",
        {
            "company_id text": "'c'::text",
            "key_type text": "'t'::text",
            "keys bigint": "1::bigint",
            "bytes bigint": "2::bigint",
            "largest bigint": "3::bigint",
            "oldest timestamptz": TIME,
            "newest timestamptz": TIME,
            "expired bigint": "4::bigint",
        },
        lambda state: state.stats(),
        [KeyStats("c", "t", 1, 2, 3, AT, AT, 4)],
    ),
    "auth_list_audit": (
        "p_company_id text default null, p_before timestamptz default null,"
        " p_limit integer default 1",
        {
            "at timestamptz": TIME,
            "company_id text": "'c'::text",
            "action text": "'a'::text",
            "login name": "'l'::name",
            "on_behalf_of text": "'Ada'::text",
            "role name": "'r'::name",
            "application_name text": "'n'::text",
            "holder text": "'h'::text",
            "rows bigint": "3::bigint",
            "details jsonb": '\'{"mode": "new"}\'::jsonb',
        },
        lambda state: state.list_audit(),
        [AuditEvent(AT, "c", "a", "l", "Ada", "r", "n", "h", 3, {"mode": "new"})],
    ),
    "auth_acquire_lease": (
        "p_company_id text, p_holder text, p_ttl interval default '1 minute',"
        " p_steal boolean default false, p_token bigint default null",
        {
            "acquired boolean": "true",
            "token bigint": "9::bigint",
            "holder text": "p_holder",
            "expires_at timestamptz": TIME,
        },
        lambda state: state.acquire_lease("me"),
        Lease(True, 9, "me", AT),
    ),
}


@pytest.mark.parametrize("name", TABLES)
@pytest.mark.parametrize("order", ["as they are", "more columns", "another order"])
def test_columns_are_read_by_their_names(kind: Any, db: Database, name: str, order: str) -> None:
    arguments, columns, call, expected = TABLES[name]
    if order == "more columns":
        columns = {"new_first text": "'x'::text", **columns, "new_last jsonb": "'[1]'::jsonb"}
    if order == "another order":
        columns = dict(reversed(columns.items()))
    stand_in(
        db,
        name,
        arguments,
        f"table ({', '.join(columns)})",
        "select " + ", ".join(columns.values()),
    )
    state = kind.state(db.service_dsn)
    assert call(state) == expected


def test_an_older_schema_does_not_say_for_whom_somebody_acted(kind: Any, db: Database) -> None:
    arguments, columns, call, _ = TABLES["auth_list_audit"]
    columns = {name: value for name, value in columns.items() if "behalf" not in name}
    table = f"table ({', '.join(columns)})"
    stand_in(db, "auth_list_audit", arguments, table, "select " + ", ".join(columns.values()))
    (event,) = call(kind.state(db.service_dsn))
    assert (event.on_behalf_of, event.login, event.details) == (None, "l", {"mode": "new"})


def test_a_lease_is_resumed_with_its_token(kind: Any, db: Database) -> None:
    arguments, columns, _, _ = TABLES["auth_acquire_lease"]
    stand_in(
        db,
        "auth_acquire_lease",
        arguments,
        f"table ({', '.join(columns)})",
        "select coalesce(p_token = 7, true), case when p_token = 7 then 8::bigint end,"
        " null::text, null::timestamptz",
    )
    state = kind.state(db.service_dsn)
    assert state.acquire_lease("me", token=7) == Lease(True, 8, None, None)
    assert state.acquire_lease("me", token=6) == Lease(False, None, None, None)
    assert state.acquire_lease("me") == Lease(True, None, None, None)
    with pytest.raises(InvalidInput):
        state.acquire_lease("me", token="7")


def test_who_finds_its_own_name_on_the_lease_is_told_so(kind: Any, db: Database) -> None:
    arguments, columns, _, _ = TABLES["auth_acquire_lease"]
    stand_in(
        db,
        "auth_acquire_lease",
        arguments,
        f"table ({', '.join(columns)})",
        f"select false, null::bigint, 'me'::text, {TIME}",
    )
    state = kind.state(db.service_dsn)
    for wait in (None, timedelta(seconds=0.5)):
        with pytest.raises(LeaseHeld) as caught:
            state.lease("me", wait=wait).__enter__()
        assert caught.value.message == (
            "your own name holds it: is another process running under it?"
        )
        assert "a name of its own" in str(caught.value.hint)
        assert (caught.value.holder, caught.value.expires_at) == ("me", AT)
    with pytest.raises(LeaseHeld, match="somebody else holds the lease"):
        state.lease("another").__enter__()


def test_a_setting_is_kept_and_put_back_to_its_default(kind: Any, db: Database) -> None:
    db.conn.execute("create table kept (name text, value text)")
    db.conn.execute("grant all on kept to public")
    stand_in(
        db,
        "auth_configure",
        "p_name text, p_value text",
        "text",
        "insert into kept values (p_name, p_value);"
        " select value from (select value from kept where name = p_name offset 0) k limit 1",
    )
    everybody = kind.state(db.service_dsn, None)
    assert everybody.configure("lock_wait", "2 seconds") == "2 seconds"
    assert everybody.configure("lock_wait", None) == "2 seconds"
    assert db.conn.execute("select * from kept").fetchall() == [
        ("lock_wait", "2 seconds"),
        ("lock_wait", None),
    ]
    for arguments in ((5, "x"), ("lock_wait", 5), ("lock\0wait", "x")):
        with pytest.raises(InvalidInput):
            everybody.configure(*arguments)
