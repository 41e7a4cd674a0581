"""Which rights an install needs, says that it lacks, and leaves with whoever installed."""

from __future__ import annotations

from collections.abc import Callable

import psycopg
import pytest

from harness.cluster import Cluster, Database
from harness.creds import creds_json
from harness.installing import HAND_MADE, ROWS, count, install, old_version, refuse, run_sql

OUR_ROLES = ("owner", "service", "tenant", "monitor", "proxy")


# What PostgreSQL grants by itself


def rights(database: Database, login: str) -> set[str]:
    """By which of our roles a login may act without a further grant."""
    return {
        f"{right} of {role}"
        for role in OUR_ROLES
        for right in ("USAGE", "SET")
        if count(
            database.conn,
            "select pg_has_role(%s, %s, %s)::integer",
            *(login, f"auth_state_{role}", right),
        )
    }


def refused_by_the_table(database: Database, login: str) -> None:
    with database.connect(login) as conn:
        conn.execute("select auth_save_creds('acme', %s)", [creds_json()])
        for statement in (
            "update whatsapp_auth set creds = '1'",
            "delete from whatsapp_audit",
            "select * from whatsapp_keys",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("set role auth_state_owner")


@pytest.fixture
def keeps_what_it_makes(new_cluster: Callable[[str], Cluster]) -> Database:
    """Of a login that PostgreSQL grants each role it makes; none of ours is there yet."""
    cluster = new_cluster("pg18-login")
    database = cluster.new_database("template0")
    database.conn.execute("alter role installer set createrole_self_grant = 'set, inherit'")
    return database


def test_an_installer_with_createrole_self_grant_keeps_no_right_over_the_tables(
    keeps_what_it_makes: Database,
) -> None:
    install(keeps_what_it_makes)
    assert rights(keeps_what_it_makes, "installer") == {"USAGE of service", "SET of service"}
    refused_by_the_table(keeps_what_it_makes, "installer")
    install(keeps_what_it_makes)  # its ADMIN OPTION is enough
    assert rights(keeps_what_it_makes, "installer") == {"USAGE of service", "SET of service"}


@pytest.mark.parametrize("user", ["installer", "postgres"])
def test_an_upgrade_takes_back_what_an_earlier_install_kept(
    keeps_what_it_makes: Database, user: str
) -> None:
    run_sql(keeps_what_it_makes, old_version())
    assert "USAGE of owner" in rights(keeps_what_it_makes, "installer")
    said = install(keeps_what_it_makes, user)
    assert any("auth_state_owner is revoked from installer" in line for line in said)
    assert rights(keeps_what_it_makes, "installer") == {"USAGE of service", "SET of service"}
    refused_by_the_table(keeps_what_it_makes, "installer")
    assert not [line for line in install(keeps_what_it_makes, user) if "revoked" in line]


def test_an_install_of_a_second_database_takes_it_back_too(keeps_what_it_makes: Database) -> None:
    run_sql(keeps_what_it_makes, old_version())
    second = keeps_what_it_makes.cluster.new_database("template0")
    install(second)
    assert rights(second, "installer") == {"USAGE of service", "SET of service"}


def test_a_membership_that_somebody_else_decided_on_stays(
    keeps_what_it_makes: Database,
) -> None:
    install(keeps_what_it_makes)
    keeps_what_it_makes.conn.execute(
        "create role dba login;"
        " grant auth_state_owner to dba, installer with inherit true, set true"
    )
    for user in ("installer", "postgres"):
        install(keeps_what_it_makes, user)
        assert "SET of owner" in rights(keeps_what_it_makes, "installer")
        assert "SET of owner" in rights(keeps_what_it_makes, "dba")


# What is missing


@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_a_login_without_createrole_is_told_so(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    database = new_cluster(name).new_database("template0")
    database.conn.execute("alter role installer nocreaterole")
    refuse(database, "42501", "CREATEROLE", "alter role installer createrole")
    roles = "select count(*) from pg_roles where rolname ~ '^auth_state'"
    assert count(database.conn, roles) == 0


def second_login(database: Database, attributes: str) -> str:
    """A login that owns the database, beside the one whose install made the roles."""
    name = f"second_{database.name}"
    database.conn.execute(f"create role {name} login {attributes}")
    database.conn.execute(f"alter database {database.name} owner to {name}")
    database.conn.execute(f"alter schema public owner to {name}")
    return name


# From 16 on CREATEROLE is not enough for roles that another login made.
def test_a_login_without_admin_option_on_the_roles_that_are_there_is_told_which(
    new_cluster: Callable[[str], Cluster],
) -> None:
    cluster = new_cluster("pg18-login")
    cluster.new_database()
    database = cluster.new_database("template0")
    login = second_login(database, "createrole")
    ours = ", ".join(f"auth_state_{role}" for role in sorted(OUR_ROLES))
    refuse(
        database,
        "42501",
        f"It is missing on: {ours}.",
        f"grant {ours} to {login} with admin true, inherit false, set false;",
        user=login,
    )
    # What the hint says is enough, and gives it no account.
    database.conn.execute(f"grant {ours} to {login} with admin true, inherit false, set false")
    install(database, login)
    assert rights(database, login) == {"USAGE of service", "SET of service"}
    refused_by_the_table(database, login)


@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_a_login_that_does_not_own_the_schema_is_told_so(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    database = new_cluster(name).new_database("template0")
    database.conn.execute("create schema theirs")
    database.conn.execute("grant usage, create on schema theirs to installer")
    refuse(
        database,
        "42501",
        "installer does not own schema theirs",
        "Install as the owner of the schema",
        before="set search_path = theirs",
    )


@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_a_login_that_may_not_create_the_schema_is_told_so(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    database = new_cluster(name).new_database("template0")
    database.conn.execute(f"alter database {database.name} owner to postgres")
    refuse(
        database,
        "42501",
        "installer may not create schema whatsapp",
        f"permission denied for database {database.name}",
        f"grant create on database {database.name} to installer",
        before="set search_path = whatsapp",
    )


@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_a_login_is_told_whose_table_it_may_not_take_over(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    database = new_cluster(name).new_database("template0")
    run_sql(database, HAND_MADE + ROWS)
    database.conn.execute("create role somebody; alter table whatsapp_keys owner to somebody")
    refuse(
        database,
        "42501",
        "installer may not take whatsapp_keys over",
        "The table belongs to somebody",
        "alter table whatsapp_keys owner to installer",
    )


# A platform's guard, say. What it says is all that helps.
@pytest.mark.parametrize("command", ["CREATE SCHEMA", "GRANT", "CREATE TABLE", "CREATE FUNCTION"])
@pytest.mark.parametrize("name", ["pg15-login", "pg18-login"])
def test_an_event_trigger_that_refuses_is_named(
    new_cluster: Callable[[str], Cluster], name: str, command: str
) -> None:
    database = new_cluster(name).new_database("template0")
    database.conn.execute(
        f"""
        create schema guard;
        create function guard.no_ddl_today() returns event_trigger language plpgsql as $$ begin
          raise insufficient_privilege using message = 'no DDL today';
        end $$;
        create event trigger guard on ddl_command_start when tag in ('{command}')
          execute function guard.no_ddl_today()
        """
    )
    schema = "whatsapp" if command == "CREATE SCHEMA" else "public"
    with pytest.raises(psycopg.Error) as caught:
        install(database, before=f"set search_path = {schema}")
    assert caught.value.sqlstate == "42501"
    said = f"{caught.value}"
    assert "no DDL today" in said
    assert "no_ddl_today()" in said
    assert "does not own" not in said
