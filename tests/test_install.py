"""Installing: on nothing, over what is there, by several at once, and where it must be refused."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

import pg_auth_state
from harness.cluster import COMBINATIONS, INSTALL_SQL, Cluster, Database
from harness.creds import creds_json
from harness.installing import (
    HAND_MADE,
    ROWS,
    count,
    dump,
    install,
    refusal,
    refuse,
    run_program,
    run_sql,
    schema,
)
from harness.processes import at_once

CREDS_BEFORE = "select company_id, creds, created_at, updated_at from whatsapp_auth order by 1"
KEYS_BEFORE = (
    "select company_id, key_type, key_id, value, created_at, updated_at"
    ' from whatsapp_keys order by company_id collate "C", key_type collate "C"'
)


OUR_ROLES = (
    "auth_state_tenant",
    "auth_state_monitor",
    "auth_state_proxy",
    "auth_state_service",
    "auth_state_owner",
)

# Each version and each kind of installer once: for what depends on the tables only.
TWO_CLUSTERS = pytest.mark.parametrize("cluster", ["pg15-login", "pg18-superuser"], indirect=True)


def make_by_hand(database: Database, statements: str = HAND_MADE + ROWS) -> None:
    run_sql(database, statements)


# The same whatever was there


def test_install_run_twice_equals_install_run_once(empty_db: Database, fresh_schema: str) -> None:
    install(empty_db)
    install(empty_db)
    assert schema(empty_db) == fresh_schema


def test_running_it_again_keeps_every_row(db: Database) -> None:
    db.conn.execute(
        "select auth_save_state('acme', %s, '{\"session\": {\"1.0\": 1}}')", [creds_json()]
    )
    db.conn.execute("select auth_set_ttl('tctoken', '3 days')")
    db.conn.execute("select auth_configure('history_versions', '7')")
    db.conn.execute("select auth_acquire_lease('acme', 'me')")
    before = dump(db, "--data-only")
    db.install()
    assert dump(db, "--data-only") == before


def test_tables_taken_over_equal_a_fresh_install(empty_db: Database, fresh_schema: str) -> None:
    make_by_hand(empty_db)
    install(empty_db)
    assert schema(empty_db) == fresh_schema


def test_one_table_taken_over_equals_a_fresh_install(empty_db: Database, fresh_schema: str) -> None:
    make_by_hand(
        empty_db,
        "create table whatsapp_keys (company_id text, key_type text, key_id text, value json)",
    )
    install(empty_db)
    assert schema(empty_db) == fresh_schema


def test_psql_installs_the_same_as_a_pasted_file(empty_db: Database, fresh_schema: str) -> None:
    options = "-X", "-q", "-v", "ON_ERROR_STOP=1", "-U", empty_db.cluster.installer
    run_program(empty_db, "psql", *options, "-f", str(INSTALL_SQL))
    assert schema(empty_db) == fresh_schema


def test_the_python_installer_installs_the_same(empty_db: Database, fresh_schema: str) -> None:
    pg_auth_state.install(empty_db.installer_dsn)
    assert schema(empty_db) == fresh_schema


def test_a_session_with_settings_of_its_own_installs_the_same(
    empty_db: Database, fresh_schema: str
) -> None:
    install(
        empty_db,
        before="set default_transaction_isolation = 'serializable';"
        " set check_function_bodies = off; set quote_all_identifiers = on;"
        " set timezone = 'Asia/Kolkata'; set datestyle = 'German'",
    )
    assert schema(empty_db) == fresh_schema


def test_the_session_that_installed_is_as_before(empty_db: Database) -> None:
    with empty_db.connect(empty_db.cluster.installer) as conn:
        query = "select current_user, current_schemas(true), name, setting from pg_settings"
        conn.execute("do 'begin end'")  # PL/pgSQL brings settings with it
        before = conn.execute(query).fetchall()
        conn.execute(INSTALL_SQL.read_bytes())
        assert conn.execute(query).fetchall() == before


# Where it goes


def test_a_schema_that_search_path_names_is_created(empty_db: Database) -> None:
    install(empty_db, before="set search_path = whatsapp")
    assert count(empty_db.conn, "select count(*) from whatsapp.whatsapp_key_ttl") == 2


def test_the_first_schema_of_search_path_is_created_though_a_later_one_exists(
    empty_db: Database,
) -> None:
    install(empty_db, before="set search_path = whatsapp, public")
    assert empty_db.conn.execute("select to_regclass('public.whatsapp_auth')").fetchone() == (None,)
    assert count(empty_db.conn, "select count(*) from whatsapp.whatsapp_key_ttl") == 2


@TWO_CLUSTERS
@pytest.mark.parametrize("name", ["Whats App", 'quo"te', "select", "a,b", "äöü", "x.y"])
def test_a_schema_may_have_a_name_that_needs_quoting(empty_db: Database, name: str) -> None:
    quoted = '"' + name.replace('"', '""') + '"'
    install(empty_db, before=f"set search_path = {quoted}")
    install(empty_db, before=f"set search_path = {quoted}")
    with empty_db.connect() as conn:
        conn.execute(f"set search_path = {quoted}")
        conn.execute("select auth_set_keys('acme', '{\"session\": {\"1.0\": 1}}')")
        assert count(conn, f"select count(*) from {quoted}.whatsapp_keys") == 1
        conn.execute(f"set search_path = pg_catalog; select {quoted}.cleanup_expired_keys()")


def test_a_schema_that_exists_is_taken(empty_db: Database) -> None:
    run_sql(empty_db, "create schema whatsapp")
    install(empty_db, before="set search_path = whatsapp")
    assert count(empty_db.conn, "select count(*) from whatsapp.whatsapp_key_ttl") == 2


def test_functions_work_whatever_the_search_path_of_the_caller(empty_db: Database) -> None:
    install(empty_db, before="set search_path = whatsapp")
    with empty_db.connect() as conn:
        conn.execute("set search_path = pg_temp, public")
        conn.execute("create temp table whatsapp_keys (company_id text)")
        conn.execute("select whatsapp.auth_set_keys('acme', '{\"session\": {\"1.0\": 1}}')")
        assert count(conn, "select count(*) from whatsapp.whatsapp_keys") == 1


def test_a_second_schema_is_refused(db: Database) -> None:
    run_sql(db, "create schema other")
    refuse(db, "WA006", "public", before="set search_path = other")


@TWO_CLUSTERS
@pytest.mark.parametrize("name", ["pg_catalog", "information_schema", "pg_temp"])
def test_a_schema_of_the_system_is_refused(empty_db: Database, name: str) -> None:
    with pytest.raises(psycopg.Error) as caught:
        install(empty_db, before=f"create temp table t (); set search_path = {name}")
    assert caught.value.sqlstate == "WA006"


def test_an_empty_search_path_is_refused_with_a_hint(empty_db: Database) -> None:
    with pytest.raises(psycopg.Error) as caught:
        install(empty_db, before="set search_path = ''")
    assert caught.value.sqlstate == "WA006"
    assert "search_path" in refusal(caught.value)


def test_a_schema_of_somebody_else_is_refused(empty_db: Database) -> None:
    if empty_db.cluster.installer == "postgres":
        return  # who may do everything
    empty_db.conn.execute("create schema theirs; grant usage on schema theirs to public")
    refuse(empty_db, "42501", "theirs", before="set search_path = theirs")


# Who may do what afterwards


def test_the_installer_is_no_member_of_the_owner_afterwards(db: Database) -> None:
    if db.cluster.installer == "postgres":
        return  # who is a member of everything
    kinds = ["USAGE", "SET"] if db.cluster.version >= 16 else ["USAGE", "MEMBER"]
    for kind in kinds:
        query = "select pg_has_role('installer', 'auth_state_owner', %s)"
        assert db.conn.execute(query, [kind]).fetchone() == (False,)


@pytest.mark.parametrize("user", ["app", "installer"])
def test_a_login_cannot_read_a_table(db: Database, user: str) -> None:
    if user == "installer" and db.cluster.installer == "postgres":
        return  # there is no such login
    with db.connect(user) as conn:
        for table in ("whatsapp_auth", "whatsapp_keys", "whatsapp_leases", "whatsapp_key_ttl"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select from {table}")


def test_the_installer_may_use_the_functions(db: Database) -> None:
    with db.connect(db.cluster.installer) as conn:
        conn.execute("select auth_set_keys('acme', '{\"session\": {\"1.0\": 1}}')")
        assert count(conn, "select cleanup_expired_keys()") == 0


def open_to(conn: psycopg.Connection, role: str) -> list[str]:
    """Of what is ours, what this role has any privilege on."""
    rows = conn.execute(
        """
        select p.oid::regprocedure::text from pg_proc p
        where p.proowner = to_regrole('auth_state_owner')
        and has_function_privilege(%(role)s, p.oid, 'execute')
        union all
        select c.relname from pg_class c
        where c.relowner = to_regrole('auth_state_owner') and c.relkind = 'r' and
        (has_table_privilege(%(role)s, c.oid,
           'select, insert, update, delete, truncate, references, trigger')
         or has_any_column_privilege(%(role)s, c.oid, 'select, insert, update, references'))
        """,
        {"role": role},
    ).fetchall()
    return [name for (name,) in rows]


def with_role_nobody(database: Database) -> None:
    """A login without any grant, as a platform has it for anonymous callers."""
    database.conn.execute(
        "do $$ begin if to_regrole('anon') is null then create role anon login; end if; end $$"
    )


def test_nothing_is_open_to_a_login_without_grants(db: Database) -> None:
    with_role_nobody(db)
    assert open_to(db.conn, "anon") == []


def test_default_privileges_of_the_platform_open_nothing(empty_db: Database) -> None:
    with_role_nobody(empty_db)
    for role in {"postgres", empty_db.cluster.installer, "auth_state_owner"}:
        for objects in ("functions", "tables", "sequences"):
            empty_db.conn.execute(
                f"alter default privileges for role {role} in schema public"
                f" grant all on {objects} to anon"
            )
    install(empty_db)
    assert open_to(empty_db.conn, "anon") == []
    empty_db.conn.execute("drop owned by anon")


@pytest.mark.parametrize(
    "grant",
    [
        "grant execute on all functions in schema public to public, anon",
        "grant all on all tables in schema public to anon",
        "grant select (creds) on whatsapp_auth to anon",
        "grant select on whatsapp_keys to anon with grant option",
    ],
)
def test_installing_again_takes_back_what_was_granted_since(db: Database, grant: str) -> None:
    with_role_nobody(db)
    db.conn.execute(grant)
    assert open_to(db.conn, "anon") != []
    db.install()
    assert open_to(db.conn, "anon") == []


def test_installing_again_gives_back_to_the_service_what_was_revoked(db: Database) -> None:
    before = sorted(schema(db).splitlines())
    db.conn.execute("revoke all on all functions in schema public from auth_state_service")
    db.install()
    assert sorted(schema(db).splitlines()) == before


def test_a_database_of_the_first_migration_becomes_as_a_fresh_one(
    db: Database, fresh_schema: str
) -> None:
    db.conn.execute(
        f"""
        drop policy company on whatsapp_auth;
        drop table whatsapp_auth_history, whatsapp_audit cascade;
        drop table whatsapp_tenant_roles, whatsapp_settings cascade;
        alter table whatsapp_leases
          drop column given_in, drop column written_by, drop column retake_after;
        alter table whatsapp_auth no force row level security, disable row level security;
        alter table whatsapp_keys no force row level security, disable row level security;
        alter table whatsapp_leases no force row level security, disable row level security;
        delete from whatsapp_migrations where number > 1;
        insert into whatsapp_auth values ('acme', '{creds_json(a=1)}', 1, now(), now());
        insert into whatsapp_leases values ('acme', 'me', 7, now(), now() + interval '1 hour')
        """
    )
    db.install()
    assert schema(db) == fresh_schema
    with db.connect("app") as conn:
        save = "select auth_save_creds('acme', %s, p_lease_token => 7)"
        assert count(conn, save, creds_json(a=2)) > 1
        assert count(conn, "select count(*) from auth_creds_history('acme')") == 1


@pytest.mark.parametrize(
    "table", ["whatsapp_auth_history", "whatsapp_audit", "whatsapp_tenant_roles"]
)
def test_a_history_audit_log_or_binding_that_somebody_else_wrote_is_not_believed(
    empty_db: Database, table: str
) -> None:
    make_by_hand(empty_db, f"create table {table} (company_id text)")
    refuse(empty_db, "WA006", table)


# Tables made by hand


def test_taking_over_keeps_rows_and_times(empty_db: Database) -> None:
    make_by_hand(empty_db)
    creds = empty_db.conn.execute(CREDS_BEFORE).fetchall()
    keys = empty_db.conn.execute(KEYS_BEFORE).fetchall()
    install(empty_db)
    assert empty_db.conn.execute(CREDS_BEFORE).fetchall() == creds
    assert empty_db.conn.execute(KEYS_BEFORE).fetchall() == keys


def test_taking_over_gives_keys_the_expiry_of_their_type(empty_db: Database) -> None:
    make_by_hand(empty_db)
    install(empty_db)
    rows = empty_db.conn.execute(
        "select key_type, expires_at - updated_at = '7 days' from whatsapp_keys order by 1"
    ).fetchall()
    assert rows == [("app-state-sync-key", None), ("lid-mapping", True), ("session", None)]


def test_creds_taken_over_have_a_version_that_grows(empty_db: Database) -> None:
    make_by_hand(empty_db)
    install(empty_db)
    conn = empty_db.conn
    version = count(conn, "select auth_creds_version('acme')")
    assert version > 1_700_000_000_000_000
    changed = "select auth_save_creds('acme', auth_get_creds('acme') || '{\"x\": 1}')"
    assert count(conn, changed) > version


def test_the_functions_go_on_with_what_was_taken_over(empty_db: Database) -> None:
    make_by_hand(empty_db)
    install(empty_db)
    with pytest.raises(psycopg.Error) as caught:
        empty_db.conn.execute("select auth_save_creds('acme', %s)", [creds_json()])
    assert caught.value.sqlstate == "WA005"
    same = 'select auth_set_keys(\'acme\', \'{"session": {"1.0": {"a": [1, 2.50, null]}}}\')'
    assert count(empty_db.conn, same) == 0


VARIANTS = {
    "varchar": (
        "create table whatsapp_auth (company_id varchar(50) primary key, creds jsonb,"
        " created_at timestamptz, updated_at timestamptz)"
    ),
    "timestamps without a time zone": (
        "create table whatsapp_auth (company_id text, creds jsonb, created_at timestamp,"
        " updated_at timestamp)"
    ),
    "json": "create table whatsapp_auth (company_id text primary key, creds json)",
    "JSON as text": "create table whatsapp_auth (company_id text primary key, creds text)",
    "no times": "create table whatsapp_auth (company_id text, creds jsonb)",
    "no primary key": (
        "create table whatsapp_auth (company_id text, creds jsonb, updated_at timestamptz)"
    ),
    "an unlogged table": (
        "create unlogged table whatsapp_auth (company_id text primary key, creds jsonb)"
    ),
    "another order of columns": (
        "create table whatsapp_auth (updated_at timestamptz, creds jsonb, company_id text)"
    ),
    "a dropped column": (
        "create table whatsapp_auth (x int, company_id text, creds jsonb);"
        " alter table whatsapp_auth drop column x"
    ),
    "a version of its own": (
        "create table whatsapp_auth (company_id text, creds jsonb, version integer default 7)"
    ),
    "a uuid": "create table whatsapp_auth (company_id uuid primary key, creds jsonb)",
    "names of ours for its indexes": (
        "create table whatsapp_auth (company_id text constraint whatsapp_auth_pkey primary key,"
        " creds jsonb); create index whatsapp_keys_pkey on whatsapp_auth (creds)"
    ),
    "its own names for its constraints": (
        'create table whatsapp_auth (company_id text constraint "Strange name" primary key,'
        " creds jsonb constraint nonsense check (creds is not null))"
    ),
}


@TWO_CLUSTERS
@pytest.mark.parametrize("variant", VARIANTS.values(), ids=VARIANTS)
def test_a_table_of_another_make_is_taken_over(
    empty_db: Database, fresh_schema: str, variant: str
) -> None:
    company = "3f2504e0-4f89-11d3-9a0c-0305e82c3301"
    run_sql(
        empty_db,
        f"{variant}; insert into whatsapp_auth (company_id, creds)"
        f" values ('{company}', '{{\"noiseKey\": 1.50, \"signedIdentityKey\": 2}}')",
    )
    install(empty_db)
    row = empty_db.conn.execute("select auth_get_creds(%s)::text", [company]).fetchone()
    assert row == ('{"noiseKey": 1.50, "signedIdentityKey": 2}',)
    assert schema(empty_db) == fresh_schema


def test_a_time_without_zone_is_of_the_session_that_installs(empty_db: Database) -> None:
    run_sql(
        empty_db,
        "create table whatsapp_auth (company_id text, creds jsonb, updated_at timestamp);"
        f" insert into whatsapp_auth values ('acme', '{creds_json()}', '2025-06-07 12:00')",
    )
    install(empty_db, before="set timezone = 'America/Sao_Paulo'")
    query = "select updated_at = '2025-06-07 15:00Z' from whatsapp_auth"
    assert empty_db.conn.execute(query).fetchone() == (True,)


def test_a_superuser_takes_over_tables_of_any_owner(empty_db: Database, fresh_schema: str) -> None:
    if empty_db.cluster.installer != "postgres":
        return
    run_sql(empty_db, HAND_MADE + ROWS + "alter table whatsapp_keys owner to app")
    install(empty_db)
    assert schema(empty_db) == fresh_schema


def test_a_login_does_not_take_over_tables_of_another_owner(empty_db: Database) -> None:
    if empty_db.cluster.installer == "postgres":
        return
    run_sql(empty_db, HAND_MADE + ROWS)
    empty_db.conn.execute("alter table whatsapp_keys owner to postgres")
    refuse(empty_db, "42501", "whatsapp_keys")


def test_what_must_not_stay_in_force_is_dropped_and_named(
    empty_db: Database, fresh_schema: str
) -> None:
    with_role_nobody(empty_db)
    make_by_hand(
        empty_db,
        HAND_MADE
        + ROWS.replace("'ñandú'", "'acme'")
        + """
        create policy everybody on whatsapp_auth using (true);
        create policy "Another one" on whatsapp_keys for select to anon using (true);
        alter table whatsapp_keys enable row level security;
        grant select, delete on whatsapp_auth to anon;
        grant update on whatsapp_keys to public;
        grant select (value), insert (value) on whatsapp_keys to anon;
        alter table whatsapp_keys add constraint of_a_company
          foreign key (company_id) references whatsapp_auth;
        """,
    )
    notices = "\n".join(install(empty_db))
    for table, what in [
        ("whatsapp_auth", "policy everybody"),
        ("whatsapp_keys", 'policy "Another one"'),
        ("whatsapp_auth", "DELETE, SELECT for anon"),
        ("whatsapp_keys", "UPDATE for public"),
        ("whatsapp_keys", "SELECT on column value for anon"),
        ("whatsapp_keys", "INSERT on column value for anon"),
        ("whatsapp_keys", "foreign key of_a_company"),
    ]:
        assert f"{table}: {what} dropped" in notices
    assert open_to(empty_db.conn, "anon") == []
    assert schema(empty_db) == fresh_schema


def test_forced_row_level_security_hides_no_row_from_the_takeover(empty_db: Database) -> None:
    make_by_hand(empty_db)
    run_sql(
        empty_db,
        "create policy nothing on whatsapp_auth using (false);"
        " create policy nothing on whatsapp_keys using (company_id = 'acme');"
        " alter table whatsapp_auth enable row level security, force row level security;"
        " alter table whatsapp_keys enable row level security, force row level security",
    )
    install(empty_db)
    assert count(empty_db.conn, "select count(*) from whatsapp_auth") == 1
    assert count(empty_db.conn, "select count(*) from whatsapp_keys") == 3


@TWO_CLUSTERS
@pytest.mark.parametrize("row", ["'null'", "null"])
def test_a_row_that_holds_null_is_left_out_with_a_notice(empty_db: Database, row: str) -> None:
    make_by_hand(empty_db)
    run_sql(
        empty_db,
        "alter table whatsapp_keys alter value drop not null;"
        f" insert into whatsapp_keys values ('acme', 'pre-key', '1', {row})",
    )
    notices = "\n".join(install(empty_db))
    assert "whatsapp_keys: 1 rows hold null" in notices
    assert count(empty_db.conn, "select count(*) from whatsapp_keys") == 3


def test_tables_in_another_schema_are_left_alone(empty_db: Database) -> None:
    run_sql(empty_db, f"create schema old; set search_path = old; {HAND_MADE}{ROWS}")
    before = dump(empty_db, "--schema=old")
    install(empty_db)
    assert dump(empty_db, "--schema=old") == before


# Tables made by hand that cannot be taken over


IN_THE_WAY = {
    "a trigger": (
        "create function f() returns trigger language plpgsql as 'begin return new; end';"
        ' create trigger "My trigger" before insert on whatsapp_keys'
        " for each row execute function f()",
        ["whatsapp_keys", "My trigger"],
    ),
    "a view": (
        "create schema shop; create view shop.sessions as select * from whatsapp_keys",
        ["whatsapp_keys", "shop.sessions"],
    ),
    "a materialized view": (
        "create materialized view sizes as select count(*) from whatsapp_auth",
        ["whatsapp_auth", "sizes"],
    ),
    "a view of a view": (
        "create view v1 as select * from whatsapp_keys; create view v2 as select * from v1",
        ["whatsapp_keys", "v1"],
    ),
    "a rule": (
        "create rule quiet as on delete to whatsapp_auth do instead nothing",
        ["whatsapp_auth", "rule"],
    ),
    "a foreign key from elsewhere": (
        "create table orders (company_id text constraint of_whom references whatsapp_auth)",
        ["whatsapp_auth", "of_whom", "orders"],
    ),
    "a child table": (
        "create table more_keys () inherits (whatsapp_keys)",
        ["whatsapp_keys"],
    ),
    "a function of SQL standard body": (
        "create function sizes() returns bigint begin atomic"
        " select count(*) from whatsapp_keys; end",
        ["sizes"],
    ),
    "a column of its row type": (
        "create table kept (old whatsapp_keys)",
        ["kept"],
    ),
    "an extra column": (
        "alter table whatsapp_keys add phone_number text",
        ["whatsapp_keys", "phone_number"],
    ),
    "a column that is missing": (
        "alter table whatsapp_keys drop value",
        ["whatsapp_keys", "value"],
    ),
    "an empty id": (
        "insert into whatsapp_keys values ('acme', 'session', '', '1')",
        ["whatsapp_keys", "1 of its rows"],
    ),
    "a company that is null": (
        "alter table whatsapp_auth drop constraint whatsapp_auth_pkey,"
        " alter company_id drop not null;"
        " insert into whatsapp_auth values (null, '{}'), ('', '{}')",
        ["whatsapp_auth", "2 of its rows"],
    ),
    "a company of 257 bytes": (
        "insert into whatsapp_auth values (repeat('x', 257), '{}')",
        ["whatsapp_auth", "1 of its rows"],
    ),
    "an id of 1025 bytes": (
        "insert into whatsapp_keys values ('acme', 'session', repeat('é', 512) || 'x', '1')",
        ["whatsapp_keys", "1 of its rows"],
    ),
    "creds that are an array": (
        "insert into whatsapp_auth values ('other', '[]')",
        ["whatsapp_auth", "1 of its rows"],
    ),
    "two rows of one key": (
        "alter table whatsapp_keys drop constraint whatsapp_keys_pkey;"
        " insert into whatsapp_keys select * from whatsapp_keys",
        ["whatsapp_keys"],
    ),
    "text that is no JSON": (
        "alter table whatsapp_auth alter creds type text;"
        " insert into whatsapp_auth values ('other', 'MARKER')",
        ["whatsapp_auth"],
    ),
    "a publication": (
        "create publication changes for table whatsapp_keys",
        ["whatsapp_keys", "changes"],
    ),
}


@TWO_CLUSTERS
@pytest.mark.parametrize(("statements", "named"), IN_THE_WAY.values(), ids=IN_THE_WAY)
def test_what_would_be_lost_aborts_and_is_named(
    empty_db: Database, statements: str, named: list[str]
) -> None:
    make_by_hand(empty_db)
    with empty_db.connect() as conn:
        if "publication" not in statements:
            conn.execute(f"set role {empty_db.cluster.installer}")
        conn.execute(statements)
    refuse(empty_db, "WA006", *named)


@TWO_CLUSTERS
@pytest.mark.parametrize(
    "statements",
    [
        "create view whatsapp_auth as select 'acme' as company_id, '{}'::jsonb as creds",
        "create materialized view whatsapp_auth as select 'acme' as company_id",
        "create sequence whatsapp_auth",
        "create type whatsapp_auth as (company_id text)",
        "create table whatsapp_auth (company_id text, creds jsonb) partition by list (company_id)",
        "create table p (company_id text, creds jsonb) partition by list (company_id);"
        " create table whatsapp_auth partition of p default",
        "create table p (company_id text, creds jsonb); create table whatsapp_auth () inherits (p)",
        "create foreign data wrapper w; create server s foreign data wrapper w;"
        " create foreign table whatsapp_auth (company_id text, creds jsonb) server s",
    ],
    ids=lambda text: text.split("whatsapp_auth")[0].split(";")[-1].strip().replace("create ", "a "),
)
def test_what_is_no_plain_table_aborts_and_is_named(empty_db: Database, statements: str) -> None:
    with empty_db.connect() as conn:
        if "foreign" not in statements:
            conn.execute(f"set role {empty_db.cluster.installer}")
        conn.execute(statements)
        if "foreign" in statements:
            conn.execute(f"alter table whatsapp_auth owner to {empty_db.cluster.installer}")
    refuse(empty_db, "WA006", "whatsapp_auth")


def test_values_of_bad_rows_are_not_in_the_refusal(empty_db: Database) -> None:
    make_by_hand(empty_db, HAND_MADE + "insert into whatsapp_auth values ('acme', '[\"MARKER\"]')")
    with pytest.raises(psycopg.Error) as caught:
        install(empty_db)
    assert "MARKER" not in refusal(caught.value) + str(caught.value.diag.context)


# Functions and tables of somebody else


def test_functions_of_somebody_else_with_our_names_are_refused(empty_db: Database) -> None:
    run_sql(
        empty_db,
        "create function auth_get_creds (integer) returns integer language sql as 'select 1';"
        " create function auth_set_keys (text, jsonb) returns integer language sql as 'select 1'",
    )
    refuse(empty_db, "WA006", "auth_get_creds(integer)", "auth_set_keys(text,jsonb)")


# A superuser who installs must not run what somebody else left in the schema.
def test_no_function_of_somebody_else_is_run(empty_db: Database) -> None:
    run_sql(
        empty_db,
        "create table ran (who name); grant insert on ran to public;"
        " create function auth_schema_version() returns text language plpgsql as"
        " $$ begin raise exception 'ran as %', current_user; end $$",
    )
    refuse(empty_db, "WA006", "auth_schema_version()")


def test_no_cast_of_somebody_else_is_run(empty_db: Database) -> None:
    run_sql(
        empty_db,
        "create type disguise as (a text);"
        " create function ran (disguise) returns text language plpgsql as"
        " $$ begin raise exception 'ran as %', current_user; end $$;"
        " create cast (disguise as text) with function ran (disguise);"
        " create table whatsapp_auth (company_id disguise, creds jsonb);"
        " insert into whatsapp_auth values (row('acme'), '{}')",
    )
    refuse(empty_db, "WA006", "whatsapp_auth", "company_id")


# pg_restore --no-owner --table does this; and a planted one would skip our migrations.
def test_tables_of_ours_that_lost_their_owner_are_as_tight_as_fresh_ones(
    db: Database,
) -> None:
    before = schema(db)
    with_role_nobody(db)
    db.conn.execute("select auth_save_creds('acme', %s)", [creds_json()])
    db.conn.execute(
        f"""
        do $$ declare f text; begin
          select 'drop function ' || string_agg(p.oid::regprocedure::text, ', ') || ' cascade'
            into f from pg_proc p where p.proowner = to_regrole('auth_state_owner');
          execute f;
          for f in select c.relname from pg_class c
                    where c.relowner = to_regrole('auth_state_owner') and c.relkind = 'r' loop
            execute format('alter table %I owner to {db.cluster.installer}', f);
          end loop;
        end $$;
        create policy leftover on whatsapp_auth using (true);
        grant select (creds) on whatsapp_auth to anon;
        alter table whatsapp_keys alter column value set statistics -1
        """
    )
    db.install()
    assert open_to(db.conn, "anon") == []
    assert schema(db) == before
    assert count(db.conn, "select count(*) from whatsapp_auth") == 1


def test_a_downgrade_is_refused(db: Database) -> None:
    db.conn.execute(
        "create or replace function auth_schema_version() returns text language sql"
        " immutable parallel safe security definer set search_path = public, pg_temp"
        " as 'select ''99.0.0'''"
    )
    refuse(db, "WA006", "99.0.0")


# Several installers at once


def install_when_all_are_ready(ready: Callable[[], object], dsn: str, before: str = "") -> str:
    """`done`, or the error's code."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        if before:
            conn.execute(before)
        statements = INSTALL_SQL.read_bytes()
        ready()
        try:
            conn.execute(statements)
        except psycopg.Error as error:
            return f"{error.sqlstate} {error}"
    return "done"


def test_installers_at_once_in_one_database_all_end_well(
    cluster: Cluster, fresh_schema: str
) -> None:
    for _ in range(4):
        database = cluster.new_database(template="template0")
        run_sql(database, HAND_MADE + ROWS)
        arguments = [(database.installer_dsn,)] * 4
        assert at_once(install_when_all_are_ready, arguments) == ["done"] * 4
        assert schema(database) == fresh_schema
        assert count(database.conn, "select count(*) from whatsapp_keys") == 3
        database.drop()


def test_installers_at_once_in_one_new_schema_all_end_well(cluster: Cluster) -> None:
    for _ in range(4):
        database = cluster.new_database(template="template0")
        arguments = [(database.installer_dsn, "set search_path = whatsapp")] * 3
        assert at_once(install_when_all_are_ready, arguments) == ["done"] * 3
        database.drop()


def test_of_installers_at_once_in_two_schemas_one_is_refused(cluster: Cluster) -> None:
    for _ in range(4):
        database = cluster.new_database(template="template0")
        run_sql(database, "create schema one; create schema two")
        arguments = [
            (database.installer_dsn, f"set search_path = {name}") for name in ("one", "two")
        ]
        results = sorted(r[:5] for r in at_once(install_when_all_are_ready, arguments))
        assert results == ["WA006", "done"]
        database.drop()


@pytest.mark.parametrize("name", COMBINATIONS)
def test_installers_at_once_in_two_databases_make_the_roles_once(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = new_cluster(name)
    for _ in range(5):
        databases = [cluster.new_database(template="template0") for _ in range(3)]
        arguments = [(database.installer_dsn,) for database in databases]
        assert at_once(install_when_all_are_ready, arguments) == ["done"] * 3
        for database in databases:
            database.drop()
        with cluster.server.connect() as conn:
            conn.execute(f"drop role {', '.join(OUR_ROLES)}")


@pytest.mark.parametrize("name", COMBINATIONS)
def test_many_rounds_in_two_databases_with_the_roles_there_all_end_well(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = new_cluster(name)
    databases = [cluster.new_database(template="template0") for _ in range(2)]
    arguments = [(database.installer_dsn,) for database in databases] * 2
    for _ in range(10):
        assert at_once(install_when_all_are_ready, arguments) == ["done"] * 4


# Logins that are not superusers


@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_a_login_needs_admin_option_where_the_roles_exist(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = new_cluster(name)
    install(cluster.new_database(template="template0"), user="postgres")
    second = cluster.new_database(template="template0")
    if cluster.version == 15:  # CREATEROLE is enough
        install(second)
        return
    refuse(second, "42501", "installer", "auth_state_owner", "auth_state_service", "ADMIN OPTION")
    with cluster.server.connect() as conn:
        conn.execute(f"grant {', '.join(OUR_ROLES)} to installer with admin option")
    install(second)


@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_a_login_without_createrole_is_told_what_is_missing(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = new_cluster(name)
    with cluster.server.connect() as conn:
        conn.execute("alter role installer nocreaterole")
    refuse(cluster.new_database(template="template0"), "42501", "createrole")


@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_the_hint_of_that_refusal_is_what_it_takes(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = new_cluster(name)
    install(cluster.new_database(template="template0"), user="postgres")
    with cluster.server.connect() as conn:
        conn.execute("alter role installer nocreaterole")
        database = cluster.new_database(template="template0")
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            install(database)
        conn.execute((caught.value.diag.message_hint or "").removeprefix("As a superuser: "))
    install(database)


def test_a_role_of_our_name_that_can_log_in_is_refused(
    new_cluster: Callable[[str], Cluster],
) -> None:
    cluster = new_cluster("pg18-superuser")
    with cluster.server.connect() as conn:
        conn.execute("create role auth_state_owner login")
    refuse(cluster.new_database(template="template0"), "WA006", "auth_state_owner")
