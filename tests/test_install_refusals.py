"""An install that is refused says who refuses and what is missing, and shows no value."""

from __future__ import annotations

import traceback
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import pg_auth_state
from harness.clients import cluster  # noqa: F401
from harness.cluster import Database
from harness.command import Command

SERVICE = "auth_state_service"


@pytest.fixture
def run(empty_db: Database, tmp_path: Path) -> Iterator[Command]:
    run = Command(empty_db, tmp_path)
    run.environment["DATABASE_URL"] = empty_db.installer_dsn
    yield run
    empty_db.conn.execute("drop event trigger if exists refuses")


def refuse_ddl(db: Database, name: str, event: str = "ddl_command_end") -> None:
    """What a platform does that lets nobody make this or that."""
    db.conn.execute(
        f"create function {name}() returns event_trigger language plpgsql as $$ begin"
        " raise insufficient_privilege using message = 'you shall not'; end $$;"
        f" create event trigger refuses on {event} when tag in ('CREATE TABLE', 'CREATE FUNCTION')"
        f" execute function {name}()"
    )


@pytest.mark.parametrize("name", ["no_ddl", 'public."No DDL"', "guards.no_ddl"])
@pytest.mark.parametrize("event", ["ddl_command_start", "ddl_command_end"])
def test_an_event_trigger_that_refuses_is_named(
    run: Command, empty_db: Database, name: str, event: str
) -> None:
    empty_db.conn.execute("create schema guards")
    if empty_db.cluster.installer != "postgres":
        empty_db.conn.execute("grant usage on schema guards to installer")
    refuse_ddl(empty_db, name, event)
    with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
        pg_auth_state.install(empty_db.installer_dsn)
    shown = name.removeprefix("public.")
    assert f"{shown}()" in str(caught.value.diag.message_hint)
    assert caught.value.diag.context is None
    assert "SQL statement" not in "".join(traceback.format_exception(caught.value))
    error = run.bad("install")
    assert "error: you shall not" in error
    assert f"{shown}()" in error
    assert SERVICE not in error


def test_a_function_that_an_event_trigger_calls_is_named_too(
    run: Command, empty_db: Database
) -> None:
    empty_db.conn.execute(
        "create function helper(a integer, b text) returns void language plpgsql as $$ begin"
        " raise insufficient_privilege using message = 'no', hint = 'Ask Ada.'; end $$;"
        "create function no_ddl() returns event_trigger language plpgsql as $$ begin"
        " perform helper(1, 'x'); end $$;"
        "create event trigger refuses on ddl_command_end when tag in ('CREATE FUNCTION')"
        " execute function no_ddl()"
    )
    error = run.bad("install")
    assert "HINT: Ask Ada. It comes of helper(), no_ddl()" in error


def test_a_login_without_createrole_is_told_so_and_not_of_the_service(
    run: Command, empty_db: Database
) -> None:
    empty_db.conn.execute(
        "drop role if exists nobody_much; create role nobody_much login;"
        "grant create on schema public to nobody_much"
    )
    run.environment["DATABASE_URL"] = empty_db.server.url(empty_db.name, "nobody_much")
    try:
        error = run.bad("install")
    finally:
        empty_db.conn.execute("revoke create on schema public from nobody_much")
        empty_db.conn.execute("drop role nobody_much")
    assert "CREATEROLE" in error
    assert SERVICE not in error.partition("missing on:")[0]


def test_a_schema_that_may_not_be_made_is_no_matter_of_the_service(
    run: Command, empty_db: Database
) -> None:
    empty_db.conn.execute("drop role if exists maker; create role maker login createrole")
    run.environment["DATABASE_URL"] = empty_db.server.url(empty_db.name, "maker")
    try:
        error = run.bad("install", "--schema", "whatsapp")
    finally:
        empty_db.conn.execute("drop role maker")
    assert "may not create schema whatsapp" in error
    assert SERVICE not in error


def test_an_uninstall_by_somebody_else_says_who_may(run: Command, empty_db: Database) -> None:
    empty_db.install()
    run.environment["DATABASE_URL"] = empty_db.service_dsn
    error = run.bad("uninstall", "--yes")
    assert "Uninstall as the login that installed, or as a superuser." in error
    assert SERVICE not in error


@pytest.mark.parametrize("log_parameters", [False, True])
def test_a_login_that_lacks_the_service_is_told_so(
    run: Command, empty_db: Database, log_parameters: bool
) -> None:
    empty_db.install()
    if log_parameters:
        empty_db.conn.execute(
            f"alter database {empty_db.name} set log_parameter_max_length_on_error = -1"
        )
    empty_db.conn.execute("drop role if exists stranger; create role stranger login")
    url = empty_db.server.url(empty_db.name, "stranger")
    run.environment["DATABASE_URL"] = url
    try:
        error = run.bad("status")
        with (
            pg_auth_state.AuthState(url, "c1") as state,
            pytest.raises(psycopg.errors.InsufficientPrivilege) as caught,
        ):
            state.get_creds()
    finally:
        empty_db.conn.execute("drop role stranger")
    assert f"HINT: The login needs the role {SERVICE}" in error
    assert SERVICE in str(caught.value.diag.message_hint)


def test_a_login_of_one_account_is_not_told_to_get_the_service_for_what_a_function_lacks(
    run: Command, empty_db: Database
) -> None:
    empty_db.install()
    empty_db.conn.execute(
        "create table secrets (a integer); create or replace function auth_status() returns jsonb"
        " language plpgsql as $$ begin perform from secrets; return '{}'; end $$"
    )
    run.environment["DATABASE_URL"] = empty_db.service_dsn
    error = run.bad("status")
    assert "permission denied for table secrets" in error
    assert SERVICE not in error


@pytest.mark.parametrize("encoding", ["LATIN1", "WIN1252", "SQL_ASCII"])
def test_a_database_that_is_not_utf8_is_refused_before_anything_else(
    run: Command, empty_db: Database, encoding: str
) -> None:
    name = f"{empty_db.name}_{encoding.lower()}"
    owner = empty_db.cluster.installer
    empty_db.conn.execute(
        f"create database {name} encoding '{encoding}' locale 'C' template template0 owner {owner}"
    )
    run.environment["DATABASE_URL"] = empty_db.server.url(name, owner)
    try:
        error = run.bad("install")
        assert error.startswith(f"error: This database is {encoding}, and WhatsApp names need UTF8")
        assert "HINT: " in error
        assert "encoding 'UTF8' template template0" in error
        assert error.isascii()
        with pytest.raises(pg_auth_state.UnsafeRequest):
            pg_auth_state.install(run.environment["DATABASE_URL"])
    finally:
        empty_db.conn.execute(f"drop database {name} with (force)")


def test_json_is_not_what_an_install_is_refused_for(run: Command, empty_db: Database) -> None:
    empty_db.conn.execute(
        "create function refuse() returns event_trigger language plpgsql as $$ begin"
        " raise exception using errcode = '22P05', message = 'no such character',"
        " detail = 'hunter2'; end $$;"
        "create event trigger refuses on ddl_command_end execute function refuse()"
    )
    error = run.bad("install")
    assert error.startswith("error: no such character")
    assert "JSON" not in error
    assert "hunter2" not in error
