"""On a platform that has roles and default privileges of its own, as Supabase does."""

from __future__ import annotations

import json
from collections.abc import Iterator

import psycopg
import pytest

from harness.cluster import COMBINATIONS, Cluster, Database
from harness.creds import creds, creds_json
from harness.installing import count, install, run_sql, schema

# As supabase/postgres makes them, whoever installs.
ROLES = """
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator
"""
DEFAULTS = """
alter default privileges for role {role} in schema public
  grant all on functions to public, anon, authenticated, service_role;
alter default privileges for role {role} in schema public
  grant all on tables to anon, authenticated, service_role;
alter default privileges for role {role} in schema public
  grant all on sequences to anon, authenticated, service_role
"""
CALLS = ("auth_get_creds('acme')", "auth_get_keys('acme', 'session', '{1.0}')")


@pytest.fixture(scope="module", params=COMBINATIONS)
def platform(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    cluster = Cluster(request.param)
    with cluster.server.connect() as conn:
        conn.execute(ROLES)
    yield cluster
    cluster.remove()


@pytest.fixture
def db(platform: Cluster) -> Iterator[Database]:
    database = platform.new_database(template="template0")
    run_sql(database, DEFAULTS.format(role=platform.installer))
    database.conn.execute("grant usage on schema public to anon, authenticated, service_role")
    install(database)
    database.conn.execute(
        "select auth_save_state('acme', %s, '{\"session\": {\"1.0\": 1}}')", [creds_json(n=1)]
    )
    database.conn.execute(
        "select auth_save_creds('globex', %s)", [creds_json(advSecretKey="S3CRET")]
    )
    yield database
    database.drop()


def request(db: Database, role: str | None, claims: object, statement: str) -> object:
    """What PostgREST does with one call."""
    with db.connect("authenticator", autocommit=False) as conn:
        if role is not None:
            conn.execute(f"set local role {role}")
        text = json.dumps(claims)
        conn.execute("select set_config('request.jwt.claims', %s, true)", [text])
        row = conn.execute(f"select {statement}").fetchone()
        return None if row is None else row[0]


def test_a_signed_in_user_has_the_company_of_the_token(db: Database) -> None:
    claims = {"role": "authenticated", "app_metadata": {"company_id": "acme"}}
    assert request(db, "authenticated", claims, "auth_get_creds('acme')") == creds(n=1)
    assert request(db, "authenticated", {"company_id": "acme"}, CALLS[1]) == {"1.0": 1}
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        request(db, "authenticated", claims, "auth_get_creds('globex')")


def test_the_service_role_has_every_company(db: Database) -> None:
    for company in ("acme", "globex"):
        assert request(db, "service_role", {}, f"auth_get_creds('{company}') is not null") is True
    assert request(db, "service_role", {}, "count(*) from auth_list_companies()") == 2


@pytest.mark.parametrize("role", ["anon", None])
@pytest.mark.parametrize("call", CALLS)
def test_whoever_has_not_signed_in_is_refused(db: Database, role: str | None, call: str) -> None:
    with pytest.raises(psycopg.errors.InsufficientPrivilege):
        request(db, role, {"company_id": "acme"}, call)


@pytest.mark.parametrize("role", ["anon", "authenticated", "service_role", None])
def test_no_role_of_the_platform_reaches_a_table_or_sequence(db: Database, role: str) -> None:
    tables = [
        name
        for (name,) in db.conn.execute(
            "select oid::regclass::text from pg_class"
            " where relowner = 'auth_state_owner'::regrole and relkind in ('r', 'S')"
        )
    ]
    assert len(tables) == 10
    for name in tables:
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            request(db, role, {"company_id": "acme"}, f"count(*) from {name}")


def test_what_the_platform_grants_by_default_is_taken_back(db: Database) -> None:
    run_sql(db, DEFAULTS.format(role="auth_state_owner"), user="postgres")
    install(db)
    db.conn.execute(
        "set role auth_state_owner;"
        " create function auth_added_later() returns integer language sql return 1;"
        " create table whatsapp_added_later (n integer); reset role"
    )
    theirs = "from pg_roles r where r.rolname in ('anon', 'authenticated', 'service_role')"
    for what in (
        "has_table_privilege(r.oid, 'whatsapp_added_later', 'select')",
        "has_function_privilege(r.oid, 'auth_added_later()', 'execute')",
    ):
        assert count(db.conn, f"select count(*) filter (where {what}) {theirs}") == 0


def test_installing_again_changes_nothing_there(db: Database) -> None:
    before = schema(db)
    assert "auth_get_creds" in before
    install(db)
    assert schema(db) == before


def test_roles_that_come_later_are_adopted_by_the_next_install() -> None:
    cluster = Cluster("pg15-login")
    try:
        database = cluster.new_database(template="template0")
        install(database)
        database.conn.execute(ROLES)
        said = install(database)
        assert any("auth_state_tenant is granted to authenticated" in line for line in said)
        database.conn.execute("select auth_save_creds('acme', %s)", [creds_json(n=1)])
        call = "auth_get_creds('acme')"
        assert request(database, "authenticated", {"company_id": "acme"}, call) == creds(n=1)
    finally:
        cluster.remove()
