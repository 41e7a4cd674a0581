"""What a database holds before it is dumped or copied, and what must be so after it came back."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from psycopg import sql

from harness.cluster import Cluster, Database
from harness.installing import refusal
from harness.server import Server

CREDS = (
    '{"noiseKey": {"private": "S3CRET"}, "signedIdentityKey": 1,'
    ' "me": {"id": "1:2@s.whatsapp.net"}, "counter": %d}'
)
# Longer than what stays in its row: compressed, with lz4 where the server has it.
FILL = f"""
select auth_save_creds('acme', '{CREDS % 0}'::jsonb || jsonb_build_object('counter', n))
  from generate_series(1, 4) n;
select auth_set_keys('acme', jsonb_build_object(
  'session', jsonb_build_object('1.0', jsonb_build_object('chain', repeat('ab', 40000))),
  'lid-mapping', '{{"7": "8", "8_reverse": "7"}}'::jsonb));
select auth_init_creds('it''s "ñandú"', '{CREDS % 1}');
select auth_set_keys('keys alone', '{{"pre-key": {{"1": "x"}}}}');
select auth_set_ttl('tctoken', '3 days');
select auth_configure('history_versions', '7');
select auth_acquire_lease('keys alone', 'gone', '1 millisecond');
"""


@dataclass(frozen=True)
class Kept:
    """An account, `acme`, was under the live lease `token` of `holder`."""

    token: int
    told: dict[str, Any]  # what functions answered, by the call
    holder: str = "bot-1"


TOLD = (
    "auth_export('acme')",
    "auth_creds_version('acme')",
    "auth_creds_history('acme')",
    "auth_export('it''s \"ñandú\"')",
    "auth_export('keys alone')",
    "auth_list_companies()",
    "auth_list_keys('acme', 'lid-mapping')",
)


def fill(database: Database) -> Kept:
    """Stores accounts, earlier creds, settings and leases, as a service does."""
    with database.connect("app") as conn:
        for statement in re.findall(r"[^;]+;", FILL):
            conn.execute(statement)
        (token,) = one(conn, "select token from auth_acquire_lease('acme', 'bot-1', '1 hour')")
        return Kept(token, told(conn))


def told(conn: psycopg.Connection) -> dict[str, Any]:
    return {call: conn.execute(f"select {call}").fetchall() for call in TOLD}


def one(conn: psycopg.Connection, query: str, parameters: Iterable[Any] = ()) -> tuple[Any, ...]:
    row = conn.execute(query, list(parameters)).fetchone()
    assert row is not None
    return row


def is_back(database: Database, kept: Kept) -> None:
    """Every account reads back as it was, nobody holds a lease, and the service goes on."""
    with database.connect("app") as conn:
        assert told(conn) == kept.told
    is_closed(database)
    leases_are_over(database, kept)
    with database.connect("app") as conn:
        # The ttl and the setting came along.
        data = '{"tctoken": {"1": "x"}, "session": {"2.0": 1}}'
        assert one(conn, "select auth_set_keys('acme', %s)", [data]) == (2,)
        (kept_for,) = one(
            conn, "select expires_at - updated_at from auth_list_keys('acme', 'tctoken')"
        )
        assert kept_for.days == 3
        assert one(conn, "select auth_configure('history_versions', '7')") == ("7",)
        version = kept.told["auth_creds_version('acme')"][0][0]
        assert one(conn, "select auth_save_creds('acme', %s)", [CREDS % 99])[0] > version


def leases_are_over(database: Database, kept: Kept) -> None:
    """A lease that was live is dead, shown as dead, and comes back by no means."""
    with database.connect("app") as conn:
        assert (True,) not in conn.execute("select is_live from auth_list_leases()").fetchall()
        assert one(conn, "select auth_status() ->> 'live_leases'") == ("0",)
        leased = conn.execute("select from auth_list_leases() where company_id = 'acme'").fetchall()
        for call in ("auth_set_keys('acme', '{}', %s)", "auth_renew_lease('acme', %s)"):
            with pytest.raises(psycopg.Error) as caught:
                conn.execute(f"select {call}", [kept.token])
            assert caught.value.sqlstate == "WA002"
            if leased:
                assert "what was written last may be missing" in refusal(caught.value)
        resume = "select acquired, token from auth_acquire_lease('acme', %s, p_token => %s)"
        assert one(conn, resume, [kept.holder, kept.token]) == (False, None)
        acquired, token = one(conn, "select acquired, token from auth_acquire_lease('acme', 'you')")
        assert acquired
        assert token > kept.token
        assert one(conn, "select auth_set_keys('acme', '{}', %s)", [token]) == (0,)
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [kept.token])
        assert caught.value.sqlstate == "WA002"
        assert one(conn, "select auth_release_lease('acme', %s)", [token]) == (True,)


def is_closed(database: Database) -> None:
    """No login reaches a table, and one without a grant no function."""
    ensure_role(database.server, "stranger")
    for login in ("app", "stranger"):
        with database.connect(login) as conn:
            for (table,) in conn.execute(
                "select c.oid::regclass::text from pg_class c"
                " where c.relkind = 'r' and starts_with(c.relname, 'whatsapp_')"
            ).fetchall():
                for statement in (f"select from {table}", f"delete from {table} where false"):
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        conn.execute(statement)
    with database.connect("stranger") as conn:
        for name, call in public_calls(database):
            # Those say a version, and which job of their own the caller has.
            if name not in ("auth_schema_version", "auth_cleanup_job", "auth_unschedule_cleanup"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(f"select {call}")


def refuses_every_call(database: Database, login: str, schema: str = "public") -> None:
    """Each public function says that it cannot be believed, and how to heal it."""
    calls = public_calls(database, schema)
    assert len(calls) > 30
    with database.connect(login) as conn:
        conn.execute(sql.SQL("set search_path = {}").format(sql.Identifier(schema)))
        for _, call in calls:
            with pytest.raises(psycopg.Error) as caught:
                conn.execute(f"select {call}")
            assert caught.value.sqlstate == "WA006", call
            assert "nstall again over it" in (caught.value.diag.message_hint or ""), call


# By the name of the argument, else by its type.
_ARGUMENTS = {
    "p_company_id": "'acme'",
    "p_creds": f"'{CREDS % 5}'",
    "p_keys": '\'{"session": ["1.0"]}\'',
    "p_state": '\'{"format": 1, "keys": {"session": {"1.0": 1}}}\'',
    "p_data": '\'{"session": {"1.0": 1}}\'',
    "p_key_type": "'session'",
    "p_key_ids": "'{1.0}'",
    "p_holder": "'you'",
    "p_role_name": "'bot_of_acme'",
    "p_name": "'lock_wait'",
    "p_value": "null",
    "p_ttl": "'3 days'",
    "bigint": "1",
    "integer": "1",
    "boolean": "false",
}


def public_calls(database: Database, schema: str = "public") -> list[tuple[str, str]]:
    """Each function that is for callers, with a call of it; from the catalog, so none is missed."""
    calls = []
    for name, names, types in database.conn.execute(
        "select p.proname::text, (coalesce(p.proargnames, '{}'))[:p.pronargs - p.pronargdefaults],"
        " (p.proargtypes::regtype[]::text[])[0:p.pronargs - p.pronargdefaults - 1]"
        " from pg_proc p where p.pronamespace = to_regnamespace(%s)"
        " and (starts_with(p.proname, 'auth_') or p.proname = 'cleanup_expired_keys') order by 1",
        [schema],
    ):
        values = [
            _ARGUMENTS.get(argument) or _ARGUMENTS[type_]
            for argument, type_ in zip(names, types, strict=True)
        ]
        calls.append((name, f"{name}({', '.join(values)})"))
    return calls


def ensure_role(server: Server, name: str, options: str = "login") -> None:
    with server.connect() as conn:
        if conn.execute("select from pg_roles where rolname = %s", [name]).fetchone() is None:
            conn.execute(sql.SQL("create role {} " + options).format(sql.Identifier(name)))


def named(cluster: Cluster, name: str) -> Database:
    """A database that something else made."""
    return Database(cluster, name)
