"""An upgrade leaves a database as a fresh install would, with everything that was in it."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Callable, Iterator
from typing import Any

import psycopg
import pytest

from harness.cluster import INSTALL_SQL, Cluster, Database
from harness.creds import creds_json
from harness.installing import count, install, old_version, refuse, run_sql, schema
from harness.server import PSQL

# From the version of a commit


@pytest.fixture
def old(empty_db: Database) -> Iterator[Database]:
    """The version of 22d4f45, with an account that has everything."""
    run_sql(empty_db, old_version())
    empty_db.conn.execute(
        "grant auth_state_service to app;"
        f" create role bot_{empty_db.name} login; create role dba_{empty_db.name} login"
    )
    with empty_db.connect("app") as conn:
        batch = '{"session": {"1.0": {"n": 1}}, "tctoken": {"a": 1}, "lid-mapping": {"1": "2"}}'
        for identity in ("one", "two", "three"):
            for turn in range(2):
                creds = creds_json(noiseKey=identity, account={"details": "d"}, turn=turn)
                query = "select auth_save_state('acme', %s, %s, p_allow_new_identity => true)"
                conn.execute(query, [creds, batch])
        conn.execute("select auth_set_ttl('tctoken', '3 days')")
        conn.execute("select auth_bind_role(%s, 'acme')", [f"bot_{empty_db.name}"])
    yield empty_db
    empty_db.conn.execute(f"drop owned by bot_{empty_db.name}, dba_{empty_db.name}")
    empty_db.conn.execute(f"drop role bot_{empty_db.name}, dba_{empty_db.name}")


def everything(database: Database) -> list[Any]:
    with database.connect("app") as conn:
        return [
            conn.execute(query).fetchall()
            for query in (
                "select auth_export('acme'), auth_creds_version('acme')",
                "select * from auth_creds_history('acme')",
                "select at, company_id, action, login, role, holder, rows, details"
                " from auth_list_audit() where action <> 'configured' order by at, action",
                "select company_id, holder, expires_at, is_live from auth_list_leases()",
            )
        ] + [
            database.conn.execute("select * from whatsapp_key_ttl order by 1").fetchall(),
            database.conn.execute("select * from whatsapp_tenant_roles order by 1").fetchall(),
        ]


def test_an_upgrade_equals_a_fresh_install(old: Database, fresh_schema: str) -> None:
    install(old)
    assert schema(old) == fresh_schema
    install(old)
    assert schema(old) == fresh_schema


def test_an_upgrade_keeps_everything(old: Database) -> None:
    with old.connect("app") as conn:
        conn.execute("select auth_acquire_lease('acme', 'me', '1 hour')")
    before = everything(old)
    install(old)
    assert everything(old) == before


def test_a_lease_goes_on_through_an_upgrade(old: Database) -> None:
    with old.connect("app") as conn:
        token = count(conn, "select token from auth_acquire_lease('acme', 'me', '1 hour')")
        install(old)
        # On the connection of before, as a client has it.
        changed = '{"session": {"1.0": {"n": 2}}}'
        assert count(conn, "select auth_set_keys('acme', %s, %s)", changed, token) == 1
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}')")
        assert caught.value.sqlstate == "WA002"
        query = "select auth_renew_lease('acme', %s, '2 hours') > now()"
        assert count(conn, f"select ({query})::integer", token) == 1
        query = "select token from auth_acquire_lease('acme', 'me', p_token => %s)"
        assert count(conn, query, token) > token


# A dump of before its theft.
def test_a_lease_that_was_none_before_an_upgrade_is_none_after_it(old: Database) -> None:
    with old.connect("app") as conn:
        token = count(conn, "select token from auth_acquire_lease('acme', 'me', '1 hour')")
        old.conn.execute("update whatsapp_leases set kept_in = 'whatsapp_auth'::regclass")
        install(old)
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [token])
        assert caught.value.sqlstate == "WA002"
        query = "select acquired::integer from auth_acquire_lease('acme', 'me', p_token => %s)"
        assert count(conn, query, token) == 0
        assert count(conn, "select auth_set_keys('acme', '{}')") == 0


def test_a_bound_login_is_bound_after_an_upgrade(old: Database) -> None:
    install(old)
    with old.connect("app") as conn:
        conn.execute("select auth_set_keys('other', '{}')")
    with old.connect(f"bot_{old.name}") as conn:
        assert conn.execute("select auth_get_creds('acme') is not null").fetchone() == (True,)
        for call in ("auth_get_creds('other')", "auth_list_audit()", "auth_configure('x', null)"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select {call}")


def test_the_next_number_is_greater_than_all_before(old: Database) -> None:
    with old.connect("app") as conn:
        token = count(conn, "select token from auth_acquire_lease('acme', 'me', '1 hour')")
        version = count(conn, "select auth_creds_version('acme')")
        install(old)
        creds = creds_json(noiseKey="three", account={"details": "d"}, turn=9)
        query = "select auth_save_creds('acme', %s, p_lease_token => %s)"
        assert count(conn, query, creds, token) > version
        query = "select token from auth_acquire_lease('acme', 'you', p_steal => true)"
        assert count(conn, query) > token


def in_force(database: Database, name: str) -> str:
    row = database.conn.execute("select auth_configure(%s, null)", [name]).fetchone()
    assert row is not None
    return str(row[0])


def test_settings_of_the_database_are_taken_over(old: Database) -> None:
    for name, value in (("history_versions", "7"), ("audit_retention", "1 year")):
        old.conn.execute(f"alter database {old.name} set auth_state.{name} = '{value}'")
    said = install(old)
    assert "auth_state.history_versions is kept by auth_configure now" in said
    install(old)
    with old.connect("app") as conn:
        for turn in range(20):
            creds = creds_json(noiseKey="three", account={"details": "d"}, n=turn)
            conn.execute("select auth_save_creds('acme', %s)", [creds])
        # Two more are the last of their identities.
        assert count(conn, "select count(*) from auth_creds_history('acme')") == 7 + 2
    assert in_force(old, "history_versions") == "7"
    assert in_force(old, "audit_retention") == "1 year"
    # What was changed since stays, whatever the database still says.
    install(old)
    assert in_force(old, "history_versions") == "5"


@pytest.mark.parametrize(
    ("of", "value"),
    [
        ("role app in database {}", "7"),
        ("database {}", "many"),
        ("database {}", "0"),
        ("database {}", "1000"),
    ],
)
def test_a_setting_that_cannot_be_taken_over_is_named(old: Database, of: str, value: str) -> None:
    of = of.format(old.name)
    old.conn.execute(f"alter {of} set auth_state.history_versions = '{value}'")
    said = install(old)
    assert any("auth_state.history_versions is not read any more" in line for line in said)
    assert in_force(old, "history_versions") == "5"
    old.conn.execute(f"alter {of} reset auth_state.history_versions")


# Their account is lost as it is; the history may have better ones.
def test_creds_that_an_earlier_version_took_and_no_client_can_use_are_an_error(
    old: Database,
) -> None:
    with old.connect("app") as conn:
        conn.execute("select auth_save_creds('broken', '{}')")
        install(old)
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_get_creds('broken')")
        assert caught.value.sqlstate == "WA006"
        assert caught.value.diag.message_detail == 'creds["noiseKey"] is missing.'


# From versions whose helpers had other names


# By whom it is used: a policy, several functions, the SQL-standard body of another one, public
# functions only, the installer too.
HELPERS = (
    "_confined_to",
    "_shown_to",
    "_is_monitor",
    "_tenant_company",
    "_write_keys",
    "_next_number",
    "_timeline",
    "_server_history",
    "_is_live",
    "_known_settings",
    "_listed",
    "_assert_token",
)


def renamed(*helpers: str) -> str:
    """The installer as it would be if these had another name."""
    text = INSTALL_SQL.read_text()
    for helper in helpers:
        assert re.search(rf"\bfunction {helper}\b", text), helper
        text = re.sub(rf"\b{helper}\b", f"_former{helper}", text)
    return text


def left_over(database: Database) -> list[str]:
    query = "select p.oid::regprocedure::text from pg_proc p where p.proname ~ '^_former'"
    return [name for (name,) in database.conn.execute(query)]


@pytest.mark.parametrize("helpers", [*((name,) for name in HELPERS), HELPERS], ids="-".join)
@pytest.mark.parametrize("cluster", ["pg15-login", "pg18-superuser"], indirect=True)
def test_helpers_of_former_names_are_dropped_whoever_used_them(
    empty_db: Database, fresh_schema: str, helpers: tuple[str, ...]
) -> None:
    run_sql(empty_db, renamed(*helpers))
    assert len(left_over(empty_db)) >= len(helpers)
    empty_db.conn.execute("select auth_save_creds('acme', %s)", [creds_json()])
    token = count(empty_db.conn, "select token from auth_acquire_lease('acme', 'me', '1 hour')")
    install(empty_db)
    assert left_over(empty_db) == []
    assert schema(empty_db) == fresh_schema
    with empty_db.connect(empty_db.cluster.installer) as conn:
        assert count(conn, "select auth_set_keys('acme', '{}', %s)", token) == 0


@pytest.mark.parametrize("cluster", ["pg15-login", "pg18-superuser"], indirect=True)
def test_a_version_with_other_helpers_replaces_this_one_too(
    empty_db: Database, fresh_schema: str
) -> None:
    install(empty_db)
    run_sql(empty_db, renamed(*HELPERS))
    install(empty_db)
    assert left_over(empty_db) == []
    assert schema(empty_db) == fresh_schema


def test_a_stale_function_that_somebody_uses_is_not_dropped_behind_their_back(
    empty_db: Database,
) -> None:
    run_sql(empty_db, renamed("_next_number"))
    empty_db.conn.execute("create view theirs as select _former_next_number(1, now()) as n")
    refuse(empty_db, "WA006", "view theirs depends on function _former_next_number")
    empty_db.conn.execute("drop view theirs")
    install(empty_db)
    assert left_over(empty_db) == []


def test_settings_are_taken_over_from_wherever_they_are_kept(
    new_cluster: Callable[[str], Cluster],
) -> None:
    cluster = new_cluster("pg18-superuser")
    database = cluster.new_database(template="template0")
    run_sql(database, old_version())
    name = database.name
    database.conn.execute("alter system set auth_state.audit_retention = '365 days'")
    database.conn.execute("alter role all set auth_state.history_versions = '9'")
    database.conn.execute(f"alter database {name} set auth_state.lock_wait = '2s'")
    database.conn.execute("alter role app set auth_state.lock_wait = '3s'")
    database.conn.execute("select pg_reload_conf()")
    cluster.server.stop()
    cluster.server.start()
    with database.connect() as conn:
        notices: list[str] = []
        conn.add_notice_handler(
            lambda diag: notices.append(f"{diag.message_primary} {diag.message_hint}")
        )
        conn.execute(INSTALL_SQL.read_text())
        kept = dict(conn.execute("select name, value from whatsapp_settings").fetchall())
    assert kept == {"audit_retention": "365 days", "history_versions": "9", "lock_wait": "2s"}
    said = "\n".join(notices)
    assert f"alter database {name} reset auth_state.lock_wait" in said
    assert "alter role all reset auth_state.history_versions" in said
    assert "not taken over" in said


def test_an_upgrade_says_how_many_accounts_have_creds_that_no_client_can_use(old: Database) -> None:
    with old.connect("app") as conn:
        conn.execute("select auth_save_creds('bad', '{}'), auth_save_creds('word', '\"hello\"')")
    with old.connect(old.cluster.installer) as conn:
        notices: list[str] = []
        conn.add_notice_handler(lambda diag: notices.append(diag.message_primary or ""))
        conn.execute(INSTALL_SQL.read_text())
    assert any("2 accounts have creds that no client can use" in said for said in notices)


@pytest.mark.parametrize(
    ("statement", "named"),
    [
        ("create view mine as select * from auth_list_audit()", "view mine"),
        ("create table whatsapp_settings (k text)", "whatsapp_settings"),
    ],
)
def test_what_is_in_the_way_of_an_upgrade_is_named(
    old: Database, statement: str, named: str
) -> None:
    with old.connect() as conn:
        conn.execute(f"set role {old.cluster.installer}")
        conn.execute(statement)
    refuse(old, "WA006", named)


@pytest.mark.parametrize("setting", ["row_security = off", "default_transaction_read_only = on"])
def test_an_upgrade_does_not_depend_on_settings_of_the_database(
    old: Database, setting: str
) -> None:
    old.conn.execute(f"alter database {old.name} set {setting}")
    install(old)
    assert count(old.conn, "select count(*) from whatsapp_migrations") == 3
    with old.connect() as conn:
        conn.execute("set default_transaction_read_only = off")
        conn.execute(f"alter database {old.name} reset all")


def test_psql_with_a_savepoint_before_each_statement_installs_nothing(old: Database) -> None:
    before = schema(old)
    run = subprocess.run(
        [
            PSQL,
            "-Xq",
            "-v",
            "ON_ERROR_ROLLBACK=on",
            "-f",
            INSTALL_SQL,
            old.server.url(old.name, old.cluster.installer),
        ],
        capture_output=True,
        text=True,
        check=False,
    )
    assert "nothing is committed" in run.stderr
    assert "ON_ERROR_ROLLBACK" in run.stderr
    assert schema(old) == before
    install(old)
    assert count(old.conn, "select count(*) from whatsapp_migrations") == 3
