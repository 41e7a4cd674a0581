"""Uninstalling: what goes, what stays, and when it is refused."""

from __future__ import annotations

import json
from collections.abc import Callable

import psycopg
import pytest

import pg_auth_state
from harness.cluster import COMBINATIONS, INSTALL_SQL, UNINSTALL_SQL, Cluster, Database
from harness.creds import CREDS
from harness.installing import dump, install, refusal, run_program, run_sql, schema, uninstall

ACCOUNT = f"select auth_save_creds('acme', '{json.dumps(CREDS)}')"
DROP_DATA = "set auth_state.uninstall = 'drop data'"


def roles(database: Database) -> list[str]:
    rows = database.conn.execute(
        "select rolname from pg_roles where rolname like 'auth\\_state%' order by 1"
    ).fetchall()
    return [name for (name,) in rows]


def test_with_accounts_it_is_refused_and_changes_nothing(db: Database) -> None:
    db.conn.execute(ACCOUNT)
    db.conn.execute("select auth_set_keys('keys only', '{\"session\": {\"1.0\": 1}}')")
    before = dump(db)
    with pytest.raises(psycopg.Error) as caught:
        uninstall(db)
    assert caught.value.sqlstate == "WA006"
    assert "2 accounts" in refusal(caught.value)
    assert "auth_state.uninstall = 'drop data'" in refusal(caught.value)
    assert dump(db) == before


@pytest.mark.parametrize("setting", ["", "yes", "DROP DATA"])
def test_another_setting_does_not_drop_accounts(db: Database, setting: str) -> None:
    db.conn.execute(ACCOUNT)
    with pytest.raises(psycopg.Error) as caught:
        uninstall(db, before=f"set auth_state.uninstall = '{setting}'")
    assert caught.value.sqlstate == "WA006"


# A pooler hands the session to somebody else, who gave no consent.
def test_consent_that_a_session_gave_is_used_up(db: Database) -> None:
    with db.connect(db.cluster.installer) as conn:
        conn.execute(DROP_DATA)
        conn.execute(UNINSTALL_SQL.read_bytes())
        query = "select coalesce(current_setting('auth_state.uninstall', true), '')"
        assert conn.execute(query).fetchone() == ("",)
        conn.execute(INSTALL_SQL.read_bytes())
        db.conn.execute(ACCOUNT)
        with pytest.raises(psycopg.Error) as caught:
            conn.execute(UNINSTALL_SQL.read_bytes())
    assert caught.value.sqlstate == "WA006"
    assert "set local auth_state.uninstall = 'drop data'" in refusal(caught.value)


@pytest.mark.parametrize("where", ["database {}", "role {1} in database {0}"])
def test_consent_that_is_kept_for_good_is_none(db: Database, where: str) -> None:
    db.conn.execute(ACCOUNT)
    target = where.format(db.name, db.cluster.installer)
    db.conn.execute(f"alter {target} set auth_state.uninstall = 'drop data'")
    with pytest.raises(psycopg.Error) as caught:
        uninstall(db)
    assert caught.value.sqlstate == "WA006"
    assert "Reset it there" in refusal(caught.value)
    with pytest.raises(psycopg.Error):
        uninstall(db, before=DROP_DATA)
    db.conn.execute(f"alter {target} reset auth_state.uninstall")
    uninstall(db, before=DROP_DATA)


# A body in SQL's own words ties a function to what it names, and a trigger ties a table to one.
def test_functions_and_tables_that_need_each_other_go_all_the_same(db: Database) -> None:
    db.conn.execute(
        """
        set role auth_state_owner;
        create function _first() returns bigint language sql
        begin atomic select count(*) from whatsapp_keys; end;
        create function _second() returns bigint language sql
        begin atomic select _first(); end;
        create function _third() returns trigger language plpgsql
        as 'begin perform _second(); return new; end';
        create trigger third before insert on whatsapp_leases
        for each row execute function _third();
        """
    )
    uninstall(db)
    ours = "select count(*) from pg_proc where proowner = 'auth_state_owner'::regrole"
    assert db.conn.execute(ours).fetchone() == (0,)
    assert db.conn.execute("select to_regclass('whatsapp_keys')").fetchone() == (None,)


def test_what_depends_on_ours_is_named_and_stops_it(db: Database) -> None:
    run_sql(db, "create function mine() returns text language sql return auth_schema_version()")
    before = schema(db)
    with pytest.raises(psycopg.Error) as caught:
        uninstall(db)
    assert caught.value.sqlstate == "WA006"
    assert "mine()" in refusal(caught.value)
    assert schema(db) == before


def test_a_database_where_it_is_not_installed_is_refused(empty_db: Database) -> None:
    with pytest.raises(psycopg.Error) as caught:
        uninstall(empty_db)
    assert caught.value.sqlstate == "WA006"


@pytest.mark.parametrize("name", COMBINATIONS)
def test_it_leaves_nothing_behind(new_cluster: Callable[[str], Cluster], name: str) -> None:
    database = new_cluster(name).new_database(template="template0")
    before = schema(database)
    install(database)
    database.conn.execute("grant auth_state_service to app")
    database.conn.execute(ACCOUNT)
    uninstall(database, before=DROP_DATA)
    assert schema(database) == before
    assert roles(database) == []


@pytest.mark.parametrize("name", COMBINATIONS)
def test_it_leaves_nothing_behind_in_a_schema_of_its_own(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    database = new_cluster(name).new_database(template="template0")
    run_sql(database, 'create schema "Whats App"')
    before = schema(database)
    install(database, before='set search_path = "Whats App"')
    uninstall(database, before='set search_path = "Whats App"')
    assert schema(database) == before
    assert roles(database) == []


@pytest.mark.parametrize("name", COMBINATIONS)
def test_roles_stay_while_another_database_needs_them(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = new_cluster(name)
    first, second = (cluster.new_database(template="template0") for _ in range(2))
    install(first)
    install(second)
    first.conn.execute("grant auth_state_service to app")
    uninstall(first)
    assert roles(first) == [
        "auth_state_monitor",
        "auth_state_owner",
        "auth_state_proxy",
        "auth_state_service",
        "auth_state_tenant",
    ]
    with second.connect("app") as conn:
        conn.execute("select auth_set_keys('acme', '{\"session\": {\"1.0\": 1}}')")
    if cluster.installer != "postgres":
        kind = "SET" if cluster.version >= 16 else "MEMBER"
        query = "select pg_has_role('installer', 'auth_state_owner', %s)"
        assert first.conn.execute(query, [kind]).fetchone() == (False,)
    uninstall(second, before=DROP_DATA)
    assert roles(second) == []


@pytest.mark.parametrize("name", COMBINATIONS)
def test_installed_again_it_is_as_new(new_cluster: Callable[[str], Cluster], name: str) -> None:
    database = new_cluster(name).new_database(template="template0")
    install(database)
    fresh = schema(database)
    (old,) = database.conn.execute(ACCOUNT).fetchone()
    for _ in range(2):
        uninstall(database, before=DROP_DATA)
        install(database)
    assert schema(database) == fresh
    (new,) = database.conn.execute(ACCOUNT).fetchone()
    assert new > old


def test_what_is_not_ours_stays(db: Database) -> None:
    run_sql(
        db,
        "create table orders (company_id text); insert into orders values ('acme');"
        " create function auth_mine() returns integer language sql as 'select 1';"
        " create view whatsapp_view as select * from orders; create sequence whatsapp_seq;"
        " create schema other; create table other.whatsapp_keys (a int)",
    )
    uninstall(db)
    assert db.conn.execute("select company_id, auth_mine() from orders").fetchall() == [("acme", 1)]
    assert db.conn.execute("select count(*) from whatsapp_view").fetchone() == (1,)
    assert db.conn.execute("select count(*) from other.whatsapp_keys").fetchone() == (0,)
    ours = (
        "select count(*) from pg_shdepend where refobjid = 'auth_state_owner'::regrole"
        " and dbid = (select oid from pg_database where datname = current_database())"
    )
    assert db.conn.execute(ours).fetchone() == (0,)


def test_psql_uninstalls_the_same(db: Database) -> None:
    options = "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", db.cluster.installer
    run_program(db, "psql", *options, "-f", str(UNINSTALL_SQL))
    assert db.conn.execute("select to_regclass('whatsapp_auth')").fetchone() == (None,)


def test_the_python_uninstaller_asks_for_the_same_word(db: Database) -> None:
    db.conn.execute(ACCOUNT)
    with pytest.raises(pg_auth_state.AuthStateError):
        pg_auth_state.uninstall(db.installer_dsn)
    pg_auth_state.uninstall(db.installer_dsn, drop_data=True)
    assert db.conn.execute("select to_regclass('whatsapp_auth')").fetchone() == (None,)


def test_a_login_that_did_not_install_is_refused(db: Database) -> None:
    before = schema(db)
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        uninstall(db, user="app")
    assert schema(db) == before
