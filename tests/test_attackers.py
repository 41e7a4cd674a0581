"""Everybody who might call tries every function and table, with and without row-level security."""

from __future__ import annotations

import json
import re
import subprocess
import time
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from harness import attacks
from harness.attackers import (
    LONG_NAME,
    NOBODY,
    OWN,
    SECRETS,
    VICTIM,
    Attacker,
    attackers,
    literal,
    make_roles,
)
from harness.attacks import Scene
from harness.cluster import Cluster, Database
from harness.creds import creds
from harness.installing import program

EVERYBODY = pytest.mark.parametrize("attacker", attackers("installer"), ids=lambda a: a.name)
REGENERATE = ".venv/bin/python tests/write_security_table.py"

# A function with the worst mistake there is: no question asked, no condition.
FAULTY = """
create function faulty(p_table text, p_verb text, p_set text) returns jsonb
language plpgsql security definer set search_path = public, pg_temp as $func$
declare
  v_rows jsonb;
  v_count bigint;
begin
  case p_verb
    when 'select' then
      execute format('select coalesce(jsonb_agg(t), ''[]'') from %I t', p_table) into v_rows;
      return v_rows;
    when 'update' then execute format('update %I set %s', p_table, p_set);
    when 'delete' then execute format('delete from %I', p_table);
    when 'insert' then execute format('insert into %I %s', p_table, p_set);
  end case;
  get diagnostics v_count = row_count;
  return to_jsonb(v_count);
end
$func$;
alter function faulty owner to auth_state_owner;
grant execute on function faulty to public;
"""

UPDATES = {
    "whatsapp_auth": "updated_at = now()",
    "whatsapp_auth_history": "saved_at = now()",
    "whatsapp_audit": "action = 'x'",
    "whatsapp_key_ttl": "changed_at = now()",
    "whatsapp_keys": "updated_at = now()",
    "whatsapp_leases": "holder = 'x'",
    "whatsapp_migrations": "name = 'x'",
    "whatsapp_settings": "value = '1'",
    "whatsapp_tenant_roles": "company_id = 'x'",
}
# Read by whoever: which company a login is bound to has to be known before anything else is.
ABOUT_NO_ROWS = (
    "whatsapp_key_ttl",
    "whatsapp_migrations",
    "whatsapp_settings",
    "whatsapp_tenant_roles",
)


@pytest.fixture(scope="module", params=["pg15-login", "pg18-login"])
def server(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """Of its own: an install looks whether Supabase's roles are in the cluster."""
    cluster = Cluster(request.param)
    try:
        make_roles(cluster)
        yield cluster
    finally:
        cluster.remove()


@pytest.fixture(scope="module")
def scene(server: Cluster) -> Scene:
    return attacks.start(server)


@pytest.fixture(scope="module")
def faulty(server: Cluster) -> Scene:
    """The same, with a faulty function of ours."""
    scene = attacks.start(server)
    scene.database.conn.execute(FAULTY)
    return scene


@pytest.fixture(scope="module")
def bare(server: Cluster) -> Scene:
    """The same without row-level security."""
    scene = attacks.start(server)
    for name in attacks.tables(scene.database):
        scene.database.conn.execute(
            sql.SQL("alter table {} disable row level security").format(sql.Identifier(name))
        )
    return scene


def bound_bot(database: Database) -> psycopg.Connection:
    return database.connect("bound_bot")


def test_every_public_function_and_every_table_is_attacked(scene: Scene) -> None:
    assert sorted(attacks.CALLS) == attacks.functions(scene.database, public=True)
    assert sorted(attacks.INSERTS) == attacks.tables(scene.database)


@EVERYBODY
def test_an_attacker_reaches_what_it_is_entitled_to_and_nothing_else(
    scene: Scene, attacker: Attacker
) -> None:
    scene.outcomes(attacker)


@EVERYBODY
def test_the_functions_refuse_without_row_level_security(
    scene: Scene, bare: Scene, attacker: Attacker
) -> None:
    if attacker.entitled == "owner":
        return  # whom nothing but it would hold
    with_it = scene.outcomes(attacker)
    before = bare.digest()
    assert bare.of_functions(attacker).items() <= with_it.items()
    assert bare.digest() == before


@EVERYBODY
def test_row_level_security_holds_where_a_function_asks_nothing(
    faulty: Scene, attacker: Attacker
) -> None:
    if attacker.entitled in ("owner", "all"):
        return
    before = faulty.digest()
    session = faulty.session(attacker)

    def call(table: str, verb: str, set_: str = "") -> attacks.Answer:
        arguments = ", ".join(map(literal, (table, verb, set_)))
        return session.run(f"select public.faulty({arguments})::text", keep=False)

    with session.conn:
        for table in attacks.tables(faulty.database):
            mine = 0
            if attacker.entitled == "own" and table not in ABOUT_NO_ROWS:
                row = faulty.database.conn.execute(
                    f"select count(*) from {table} where company_id = %s", [OWN]
                ).fetchone()
                assert row is not None
                mine = row[0]
            shown = call(table, "select")
            assert shown.sqlstate is None, shown.text
            ids = shown.text.count('"company_id"')
            if table in ABOUT_NO_ROWS:
                assert "S3CRET" not in shown.text
            elif attacker.entitled == "monitor" and table in (
                "whatsapp_keys",
                "whatsapp_leases",
                "whatsapp_audit",
            ):
                assert VICTIM in shown.text
            else:
                assert VICTIM not in shown.text
                assert ids == mine
            assert not [word for word in SECRETS if word in shown.text and ids == mine]
            for verb in ("update", "delete"):
                # An event that repeats itself is counted in its last row, and none is deleted.
                changeable = 0 if (table, verb) == ("whatsapp_audit", "delete") else mine
                changed = call(table, verb, UPDATES[table])
                assert (changed.sqlstate, changed.rows) == (None, [f"('{changeable}',)"]), table
            for company in (VICTIM, NOBODY):
                values = attacks.INSERTS[table].format(c=literal(company), v=1)
                assert call(table, "insert", values).sqlstate == "42501", table
            if mine:
                given_away = call(table, "update", f"company_id = {literal(NOBODY)}")
                assert given_away.sqlstate == "42501"
    assert faulty.digest() == before


# It is the one statement that row-level security does not hold back.
def test_no_function_truncates(scene: Scene) -> None:
    query = (
        "select proname from pg_proc where proowner = 'auth_state_owner'::regrole"
        " and prosrc ~* '\\mtruncate\\M'"
    )
    assert scene.database.conn.execute(query).fetchall() == []


@EVERYBODY
def test_whoever_has_a_company_can_work_in_it(scene: Scene, attacker: Attacker) -> None:
    if attacker.entitled not in ("own", "all"):
        return
    token = scene.tokens[OWN]
    conn = attacker.connect(scene.database)
    with conn:
        conn.execute("begin;" + attacker.settings)

        def answer(call: str) -> object:
            row = conn.execute(f"select public.{call}").fetchone()
            assert row is not None
            return row[0]

        assert answer(f"auth_get_creds('{OWN}')") == creds(advSecretKey="MINE", turn=2)
        batch = json.dumps({"session": {"1.0": "new", "2.0": None}})
        assert answer(f"auth_set_keys('{OWN}', '{batch}', {token})") == 2
        wanted = {"1.0": "new", "2.0": None}
        assert answer(f"auth_get_keys('{OWN}', 'session', '{{1.0,2.0}}')") == wanted
        old = scene.versions[OWN]
        assert answer(f"auth_restore_creds('{OWN}', {old}, {token})")
        assert answer(f"auth_get_creds('{OWN}')") == creds(advSecretKey="MINE", turn=1)
        assert answer(f"auth_renew_lease('{OWN}', {token})")
        assert answer(f"auth_release_lease('{OWN}', {token})") is True
        stats = conn.execute("select distinct company_id from public.auth_stats() order by 1")
        companies = [company for (company,) in stats]
        assert companies == ([OWN] if attacker.entitled == "own" else [VICTIM, OWN])
        assert answer(f"auth_delete_company('{OWN}')")
        conn.execute("rollback")


# PostgreSQL counts what a session reads for everybody to see, a call that is refused included.
def test_a_refused_call_has_touched_no_row_that_would_tell_what_there_is(scene: Scene) -> None:
    counted = (
        "select sum(pg_stat_get_xact_tuples_fetched(c.oid) + pg_stat_get_xact_blocks_fetched(c.oid)"
        " + pg_stat_get_xact_tuples_returned(c.oid)) from pg_class c"
        " where c.relname similar to 'whatsapp_(auth|auth_history|keys|leases)(_pkey)?'"
    )
    calls = [call for call in attacks.CALLS.values() if isinstance(call, str)]
    for login in ("tenant", "bound_bot"):
        with scene.database.connect(login) as conn:
            for call in calls:
                told = []
                for company in (VICTIM, NOBODY) * 2:  # planned at first
                    conn.execute("begin; savepoint s")
                    with pytest.raises(psycopg.errors.InsufficientPrivilege):
                        conn.execute(scene.statement(call, company))
                    conn.execute("rollback to s")
                    told.append(conn.execute(counted).fetchone())
                    conn.execute("rollback")
                assert told[2] == told[3], call


def test_a_monitor_sees_every_company_and_no_value(scene: Scene) -> None:
    with scene.database.connect("watcher") as conn:
        stats = conn.execute("select company_id, key_type, keys from auth_stats()").fetchall()
        assert (VICTIM, "session", 3) in stats
        leases = conn.execute("select company_id, holder, is_live from auth_list_leases()")
        assert (VICTIM, "H0LDER-1", True) in leases.fetchall()
        log = conn.execute("select company_id, action from auth_list_audit()").fetchall()
        assert (VICTIM, "creds_created") in log
        for call in (f"auth_get_creds('{VICTIM}')", f"auth_export('{VICTIM}')", "auth_status()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select {call}")


def test_the_table_in_the_documentation_is_what_happened(scene: Scene) -> None:
    found = attacks.table(scene)
    assert attacks.documented() == found, f"docs/security.md is stale: {REGENERATE}"


def claimed(company: str) -> str:
    claims = literal(json.dumps({"company_id": company}))
    return f"set local role authenticated; set local request.jwt.claims = {claims};"


# Plans are kept by the backend, whoever it serves at the moment.
def test_one_backend_in_turn_for_everybody_shows_each_its_own(faulty: Scene) -> None:
    with faulty.database.connect("authenticator") as conn:
        for name in ("force_generic_plan", "auto"):
            conn.execute(f"set plan_cache_mode = {name}; deallocate all")
            conn.execute(
                "prepare creds(text) as select public.auth_get_creds($1) ->> 'advSecretKey'"
            )
            conn.execute(
                "prepare rows as select public.faulty('whatsapp_keys', 'select', '')::text"
            )
            conn.execute("prepare sums as select company_id from public.auth_stats() group by 1")
            for turn in range(24):
                who = (VICTIM, OWN, "service", "nobody")[turn % 4]
                company, other = (VICTIM, OWN) if turn % 3 else (OWN, VICTIM)
                conn.execute("begin")
                if who == "service":
                    conn.execute("set local role service_role")
                elif who == "nobody":
                    conn.execute("set local role authenticated")
                else:
                    conn.execute(claimed(who))
                rows = conn.execute("execute rows").fetchone()
                assert rows is not None
                seen = {c for c in (VICTIM, OWN) if f'"{c}"' in rows[0]}
                expected = {"service": {VICTIM, OWN}, "nobody": set()}.get(who, {who})
                assert seen == expected
                if who != "nobody":
                    assert {c for (c,) in conn.execute("execute sums")} == expected
                for wanted in (company, other):
                    conn.execute("savepoint s")
                    if wanted in expected:
                        assert conn.execute(f"execute creds('{wanted}')").fetchone() is not None
                    else:
                        with pytest.raises(psycopg.errors.InsufficientPrivilege):
                            conn.execute(f"execute creds('{wanted}')")
                    conn.execute("rollback to s")
                conn.execute("commit")


# Before PostgreSQL 17 parallel mode refuses a block with an exception: the claims are read in one.
def test_a_tenant_reads_where_the_planner_would_like_workers(scene: Scene) -> None:
    eager = """
        set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0;
        set local min_parallel_table_scan_size = 0; set local min_parallel_index_scan_size = 0;
    """
    with scene.database.connect("authenticator", autocommit=False) as conn:
        conn.execute(eager + claimed(OWN))
        for call in (
            "auth_stats()",
            f"auth_stats('{OWN}')",
            f"auth_export('{OWN}')",
            f"auth_list_keys('{OWN}', 'session')",
            f"auth_creds_history('{OWN}')",
        ):
            assert conn.execute(f"select * from {call}").fetchall()


def test_a_cursor_of_the_service_answers_nobody_who_comes_after(scene: Scene) -> None:
    with scene.database.connect("authenticator", autocommit=False) as conn:
        conn.execute("set local role service_role")
        conn.execute(
            f"declare c cursor for select auth_get_creds('{VICTIM}') from generate_series(1, 2)"
        )
        conn.execute(claimed(OWN))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute("fetch all from c")


def test_a_role_set_in_a_block_that_fails_is_not_kept(scene: Scene) -> None:
    block = """do $$
    begin
      begin
        set local role service_role;
        perform 1 / 0;
      exception when division_by_zero then
        null;
      end;
      perform auth_get_creds('acme7');
    end $$"""
    with scene.database.connect("authenticator", autocommit=False) as conn:
        conn.execute(claimed(OWN))
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            conn.execute(block)


@pytest.mark.parametrize("owner", ["app", "postgres"])
def test_a_wrapper_with_its_owners_rights_lends_them_to_nobody(scene: Scene, owner: str) -> None:
    name = f"lent_by_{owner}"
    scene.database.conn.execute(
        f"create schema {name}; create function {name}.creds() returns jsonb language sql"
        f" security definer as $$ select public.auth_get_creds('{VICTIM}') $$;"
        f" alter function {name}.creds() owner to {owner}; grant usage on schema {name} to public;"
        f" create view {name}.creds as select public.auth_get_creds('{VICTIM}') as creds;"
        f" alter view {name}.creds owner to {owner}; grant select on {name}.creds to public;"
    )
    for login in ("stranger", "tenant", "bound_bot", "watcher"):
        with scene.database.connect(login) as conn:
            for query in (f"select {name}.creds()", f"select * from {name}.creds"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(query)


def test_calls_from_a_trigger_a_policy_and_a_default_are_the_callers(scene: Scene) -> None:
    scene.database.conn.execute(
        f"""
        create schema app_tables;
        grant usage on schema app_tables to public;
        create function app_tables.stamp() returns trigger language plpgsql as $$
        begin
          new.creds := public.auth_get_creds(new.company_id);
          return new;
        end $$;
        create table app_tables.by_trigger (company_id text, creds jsonb);
        create trigger stamp before insert on app_tables.by_trigger
          for each row execute function app_tables.stamp();
        create table app_tables.by_default (creds jsonb default public.auth_get_creds('{VICTIM}'));
        create table app_tables.by_policy (company_id text);
        insert into app_tables.by_policy values ('{VICTIM}');
        alter table app_tables.by_policy enable row level security;
        create policy theirs on app_tables.by_policy
          using (public.auth_get_creds(company_id) is not null);
        grant all on all tables in schema app_tables to public;
        """
    )
    with bound_bot(scene.database) as conn:
        for statement in (
            f"insert into app_tables.by_trigger values ('{VICTIM}')",
            "insert into app_tables.by_default default values",
            "select * from app_tables.by_policy",
        ):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(statement)
        conn.execute(f"insert into app_tables.by_trigger values ('{OWN}')")


# PostgREST's db-pre-request runs after its claims are set, as the role of the request.
def test_what_a_pre_request_function_sets_only_narrows(scene: Scene) -> None:
    with scene.database.connect("authenticator", autocommit=False) as conn:
        conn.execute(claimed(OWN))
        conn.execute(f"set local auth_state.company_id = '{VICTIM}'")
        for company in (VICTIM, OWN):
            conn.execute("savepoint s")
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select auth_get_creds('{company}')")
            conn.execute("rollback to s")


def test_a_superuser_who_becomes_somebody_is_no_more_than_that(scene: Scene) -> None:
    for become in (
        "set local role bound_bot",
        "set local session authorization bound_bot",
        claimed(OWN),
    ):
        with scene.database.connect(autocommit=False) as conn:
            conn.execute(become)
            assert conn.execute(f"select auth_get_creds('{OWN}')").fetchone() is not None
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select auth_get_creds('{VICTIM}')")


def test_two_bindings_that_differ_open_neither_company(scene: Scene) -> None:
    scene.database.conn.execute("grant victim_bot to bound_to_all")
    try:
        with scene.database.connect("bound_to_all", autocommit=False) as conn:
            conn.execute("set local role victim_bot")
            for company in (VICTIM, OWN):
                conn.execute("savepoint s")
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    conn.execute(f"select auth_get_creds('{company}')")
                conn.execute("rollback to s")
    finally:
        scene.database.conn.execute("revoke victim_bot from bound_to_all")


def test_a_role_that_is_renamed_loses_its_company(scene: Scene) -> None:
    conn = scene.database.conn
    conn.execute("create role early_bot login")
    conn.execute("select auth_bind_role('early_bot', %s)", [OWN])
    with scene.database.connect("early_bot") as session:
        assert session.execute(f"select auth_get_creds('{OWN}')").fetchone() is not None
        conn.execute("alter role early_bot rename to late_bot")
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            session.execute(f"select auth_get_creds('{OWN}')")
    conn.execute("select auth_unbind_role('early_bot')")


def test_a_name_of_64_bytes_is_the_role_that_create_role_makes_of_it(scene: Scene) -> None:
    conn = scene.database.conn
    with pytest.raises(psycopg.Error) as caught:
        conn.execute(sql.SQL("create role {}").format(sql.Identifier(LONG_NAME + "y")))
    assert caught.value.sqlstate == "42710"


# Maintenance runs what an index or a view calls as its owner, in the session of whoever maintains:
# and the session is what we go by. Nobody has to be there: autovacuum is a superuser.
MINE = """
create table evil.loot (creds text);
create function evil.keep(text) returns void language plpgsql as $$
begin
  insert into evil.loot values ($1);
end $$;
create function evil.take(integer) returns integer language plpgsql immutable as $$
begin
  perform evil.keep(public.auth_get_creds('acme7')::text);
  return $1;
exception when insufficient_privilege then
  return $1;
end $$;
create table evil.bait (number integer)
  with (autovacuum_analyze_threshold = 1, autovacuum_analyze_scale_factor = 0);
create index on evil.bait (evil.take(number));
create materialized view evil.view as select evil.take(1) with no data;
insert into evil.bait select generate_series(1, 100);
"""


def test_maintenance_of_a_tenants_table_lends_it_no_rights(faulty: Scene) -> None:
    with bound_bot(faulty.database) as conn:
        conn.execute(MINE)
        for statement in (
            "analyze evil.bait",
            "reindex table evil.bait",
            "vacuum full evil.bait",
            "refresh materialized view evil.view",
        ):
            faulty.database.conn.execute(statement)
        assert conn.execute("select * from evil.loot").fetchall() == []
        faulty.database.conn.execute("alter system set autovacuum_naptime = 1")
        faulty.database.conn.execute("select pg_reload_conf()")
        conn.execute("insert into evil.bait select generate_series(1, 1000)")
        deadline = time.monotonic() + 30
        seen = "select last_autoanalyze is not null from pg_stat_user_tables where relname = 'bait'"
        while faulty.database.conn.execute(seen).fetchone() != (True,):
            assert time.monotonic() < deadline
            time.sleep(0.2)
        assert conn.execute("select * from evil.loot").fetchall() == []


def test_every_sql_block_of_the_documentation_runs(server: Cluster) -> None:
    text = attacks.DOCUMENT.read_text()
    blocks = re.findall(r"```sql\n-- as (?:a )?(\w+)\n(.*?)```", text, re.S)
    assert len(blocks) == text.count("```sql") > 6
    database = server.new_database()
    database.conn.execute("create role supabase_auth_admin")
    for who, block in blocks:
        login = "postgres" if who == "superuser" else who
        done = subprocess.run(
            [
                *(str(program(database, "psql")), "-X", "-v", "ON_ERROR_STOP=1"),
                *("-d", server.server.url(database.name, login)),
            ],
            input=block,
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, block + done.stderr
    database.drop()


# The hook of the documentation: what it puts into the token is what the functions go by.
def test_the_hook_of_the_documentation_puts_the_company_into_the_claims(server: Cluster) -> None:
    text = attacks.DOCUMENT.read_text()
    hook = next(
        block for block in re.findall(r"```sql\n(.*?)```", text, re.S) if "add_company" in block
    )
    database = server.new_database()
    conn = database.conn
    conn.execute(
        "do $$ begin create role supabase_auth_admin;"
        " exception when duplicate_object then null; end $$"
    )
    conn.execute(hook)
    member, stranger = (f"00000000-0000-0000-0000-00000000000{n}" for n in (1, 2))
    conn.execute("insert into members values (%s, %s)", [member, OWN])
    for user, company in ((member, OWN), (stranger, None)):
        event = {"user_id": user, "claims": {"sub": user, "company_id": VICTIM}}
        row = conn.execute("select add_company(%s) -> 'claims'", [json.dumps(event)]).fetchone()
        assert row is not None
        assert row[0].get("company_id") == company
    database.drop()
