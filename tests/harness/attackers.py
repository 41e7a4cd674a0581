"""Everybody who might call, rightly or not. On a server of their own: roles are the cluster's."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass, field

import psycopg
from psycopg import sql

from harness.cluster import Cluster, Database
from harness.creds import creds_json

VICTIM, NOBODY, OWN = "acme7", "nope7", "glob7"  # ids of one length
SECRETS = ("S3CRET", "H0LDER")  # what the victim's rows hold, and who holds its lease

# As Supabase makes them.
PLATFORM_ROLES = """
create role anon nologin noinherit;
create role authenticated nologin noinherit;
create role service_role nologin noinherit bypassrls;
create role authenticator login noinherit;
grant anon, authenticated, service_role to authenticator;
"""

QUOTED_NAME = 'Glob "Bot"; --'
LONG_NAME = "ü" * 31 + "x"  # 63 bytes

# Of the logins that the tests need; after an install, which made auth_state_….
LOGINS = """
create role stranger login;
create role bound_bot login;
create role victim_bot login;
create role bound_to_all login;
create role tenant login;
create role watcher login;
create role half_service login noinherit;
create role back_end login;
create role reads_all login;
create role writes_all login;
create role sees_stats login;
create role sees_all_stats login;
create role sees_settings login;
create role bypasses login bypassrls;
grant auth_state_tenant to tenant;
grant auth_state_monitor to watcher;
grant auth_state_service to half_service;
grant auth_state_service, auth_state_tenant to back_end;
grant auth_state_service, auth_state_monitor, auth_state_proxy to bound_to_all;
grant pg_read_all_data to reads_all;
grant pg_write_all_data to writes_all;
grant pg_monitor to sees_stats;
grant pg_read_all_stats to sees_all_stats;
grant pg_read_all_settings to sees_settings;
"""

BOUND = ("bound_bot", "bound_to_all", QUOTED_NAME, LONG_NAME)


@dataclass(frozen=True)
class Attacker:
    """`entitled`: to nothing, its own company, what a monitor sees, the ids in
    pg_statistic, every company (all, owner)."""

    name: str
    row: str  # of the table in docs/security.md
    login: str
    settings: str = ""  # run at the start of each transaction
    session: str = ""  # run once, when it has connected
    entitled: str = "nothing"
    may_switch: bool = False  # to a role of the service
    owns_schema: bool = False
    tries_all: bool = field(default=True)  # not the functions alone

    def connect(self, database: Database) -> psycopg.Connection:
        conn = psycopg.connect(
            host="127.0.0.1",
            port=database.server.settings["port"],
            dbname=database.name,
            user=self.login,
            autocommit=True,
        )
        if self.session:
            conn.execute(self.session)
        return conn


def literal(text: str) -> str:
    return sql.Literal(text).as_string(None)


def _proxied(role: str, claims: str | None) -> str:
    """What PostgREST does first in a transaction; claims are an SQL expression."""
    told = f"select set_config('request.jwt.claims', {claims}, true);" if claims else ""
    return f"set local role {role}; {told}"


def _claims(value: object) -> str:
    return literal(json.dumps(value))


GARBAGE = {
    "no claims": None,
    "empty claims": "''",
    "claims that are no JSON": "'company_id=glob7'",
    "half a JSON object": literal('{"company_id": "glob7'),
    "a JSON array": _claims([{"company_id": OWN}]),
    "a JSON string": _claims(OWN),
    "JSON null": "'null'",
    "a JSON number": "'1'",
    "no company_id": _claims({"sub": OWN}),
    "company_id null": _claims({"company_id": None}),
    "company_id a number": _claims({"company_id": 1}),
    "company_id true": _claims({"company_id": True}),
    "company_id empty": _claims({"company_id": ""}),
    "company_id an array": _claims({"company_id": [OWN]}),
    "company_id an object": _claims({"company_id": {"company_id": OWN}}),
    "company_id null beside a good one": _claims(
        {"company_id": None, "app_metadata": {"company_id": OWN}}
    ),
    "two companies": _claims({"company_id": OWN, "app_metadata": {"company_id": VICTIM}}),
    "app_metadata a string": _claims({"app_metadata": OWN}),
    "user_metadata only": _claims({"user_metadata": {"company_id": OWN}}),
    "another case": _claims({"Company_ID": OWN}),
    "100000 brackets": "repeat('[', 100000)",
    "100000 objects": "repeat('{\"company_id\":', 100000)",
    "a NUL escape": literal('{"company_id": "glob7\\u0000"}'),
    "half a surrogate pair": literal('{"company_id": "glob7", "x": "\\ud800"}'),
    "a number beyond all": literal('{"company_id": "glob7", "exp": 1e999999}'),
}

# Good claims, of companies that are none of ours.
ELSEWHERE = {
    "an id beyond 256 bytes": "json_build_object('company_id', repeat('g', 300))::text",
    "a megabyte": "json_build_object('company_id', repeat('g', 1000000))::text",
    "a wildcard": _claims({"company_id": "%"}),
    "an injection": _claims({"company_id": "' or '1'='1"}),
    "another spelling": _claims({"company_id": "GLOB7 "}),
}

# Planted where a careless search_path would find them: the answers would open everything.
PLANTED = f"""
create schema evil authorization bound_bot;
set session authorization bound_bot;
set search_path = evil;
create function evil._confined_to() returns text language sql as 'select null::text';
create function evil._assert_company(text) returns void language sql as '';
create function evil._assert_service() returns void language sql as '';
create function evil._tenant_company(text) returns text language sql as $$
  select reverse('{VICTIM[::-1]}') $$;
create function evil._caller() returns name language sql as $$ select 'app'::name $$;
create function evil._is_monitor() returns boolean language sql as 'select true';
create function evil._listed(text, boolean) returns text language sql as 'select null::text';
create function evil.pg_has_role(name, text, text) returns boolean language sql as 'select true';
create function evil.pg_has_role(name, name, text) returns boolean language sql as 'select true';
create function evil.current_setting(text) returns text language sql as $$ select 'on' $$;
create function evil.current_setting(text, boolean) returns text language sql as $$
  select null::text $$;
create function evil.yes(text, text) returns boolean language sql as 'select true';
create function evil.yes(name, text) returns boolean language sql as 'select true';
create function evil.yes(name, name) returns boolean language sql as 'select true';
create function evil.no(text, text) returns boolean language sql as 'select false';
create operator evil.= (leftarg = text, rightarg = text, function = evil.yes);
create operator evil.= (leftarg = name, rightarg = text, function = evil.yes);
create operator evil.= (leftarg = name, rightarg = name, function = evil.yes);
create operator evil.<> (leftarg = text, rightarg = text, function = evil.no);
create table evil.whatsapp_auth (company_id text, creds jsonb, version bigint);
create table evil.whatsapp_tenant_roles (role_name name, company_id text);
insert into evil.whatsapp_tenant_roles values ('bound_bot', '{VICTIM}');
create type evil.company as (id text);
create function evil.as_text(evil.company) returns text language sql as $$ select ($1).id $$;
create cast (evil.company as text) with function evil.as_text(evil.company) as implicit;
reset session authorization;
reset search_path;
"""

TEMPORARY = f"""
create temporary table whatsapp_auth (company_id text, creds jsonb, version bigint);
create temporary table whatsapp_keys (company_id text, key_type text, key_id text, value jsonb);
create temporary table whatsapp_tenant_roles (role_name name, company_id text);
insert into whatsapp_tenant_roles values ('bound_bot', '{VICTIM}');
create temporary view pg_roles as select true as rolsuper, 'bound_bot'::name as rolname;
create function pg_temp._confined_to() returns text language sql as 'select null::text';
create function pg_temp.pg_has_role(name, text, text) returns boolean language sql as 'select true';
create operator pg_temp.= (leftarg = text, rightarg = text, function = evil.yes);
set search_path = pg_temp, evil, pg_catalog, public;
"""

_BOUND_ROW = "a login bound to a company"
_TENANT_ROW = "a login with `auth_state_tenant` alone, whatever it sets"


def attackers(installer: str) -> list[Attacker]:
    """All of them, for a cluster whose installer this is."""
    return list(_attackers(installer))


def _attackers(installer: str) -> Iterator[Attacker]:
    yield Attacker("a login without grants", "a login without grants", "stranger")
    yield Attacker(
        "a stranger with settings",
        "a login without grants",
        "stranger",
        f"set auth_state.company_id = '{VICTIM}'; select set_config('request.jwt.claims',"
        f" {_claims({'company_id': VICTIM})}, true); set auth_state.now = '2000-01-01';",
        tries_all=False,
    )
    yield Attacker("anon", "`anon`", "authenticator", _proxied("anon", None))
    yield Attacker(
        "anon with a claim",
        "`anon`",
        "authenticator",
        _proxied("anon", _claims({"company_id": VICTIM})),
        tries_all=False,
    )
    row = "`authenticated`, no usable claim"
    for name, claims in GARBAGE.items():
        settings = _proxied("authenticated", claims)
        yield Attacker(
            f"authenticated, {name}", row, "authenticator", settings, tries_all=claims is None
        )
    for name, claims in ELSEWHERE.items():
        yield Attacker(
            f"authenticated, {name}",
            "`authenticated`, claim of a company that is not there",
            "authenticator",
            _proxied("authenticated", claims),
            tries_all=False,
        )
    yield Attacker(
        "authenticated, narrowed to another company",
        row,
        "authenticator",
        _proxied("authenticated", _claims({"company_id": OWN}))
        + f"set local auth_state.company_id = '{VICTIM}';",
        tries_all=False,
    )
    row = "`authenticated`, claim of its company"
    for name, value in {
        "its own claim": {"company_id": OWN, "role": "authenticated"},
        "its own claim in app_metadata": {
            "app_metadata": {"company_id": OWN},
            "user_metadata": {"company_id": VICTIM},
        },
        "the same claim twice": {"company_id": OWN, "app_metadata": {"company_id": OWN}},
    }.items():
        yield Attacker(
            f"authenticated, {name}",
            row,
            "authenticator",
            _proxied("authenticated", _claims(value)),
            entitled="own",
            tries_all=name == "its own claim",
        )
    yield Attacker(
        "authenticator without a role",
        "`authenticator` that set no role",
        "authenticator",
        f"select set_config('request.jwt.claims', {_claims({'company_id': VICTIM})}, true);",
        may_switch=True,
    )
    yield Attacker("a tenant login", _TENANT_ROW, "tenant")
    yield Attacker(
        "a tenant login with claims of its own making",
        _TENANT_ROW,
        "tenant",
        f"select set_config('request.jwt.claims', {_claims({'company_id': VICTIM})}, true);"
        f" set local auth_state.company_id = '{VICTIM}';",
    )
    yield Attacker(
        "a tenant login as the role itself",
        _TENANT_ROW,
        "tenant",
        f"set local role auth_state_tenant; set local auth_state.company_id = '{VICTIM}';",
        tries_all=False,
    )
    yield Attacker("a bound login", _BOUND_ROW, "bound_bot", entitled="own")
    yield Attacker(
        "a bound login with settings",
        _BOUND_ROW,
        "bound_bot",
        f"set auth_state.company_id = '{VICTIM}'; set auth_state.now = '2000-01-01';"
        f" select set_config('request.jwt.claims', {_claims({'company_id': VICTIM})}, true);",
        entitled="own",
        tries_all=False,
    )
    yield Attacker(
        "a bound login that set its role",
        _BOUND_ROW,
        "bound_bot",
        "set local role auth_state_tenant;",
        entitled="own",
        tries_all=False,
    )
    yield Attacker(
        "a bound login with planted functions and operators",
        _BOUND_ROW,
        "bound_bot",
        "set local search_path = evil, pg_catalog, public;",
        entitled="own",
    )
    yield Attacker(
        "a bound login with planted temporary objects",
        _BOUND_ROW,
        "bound_bot",
        session=TEMPORARY,
        entitled="own",
    )
    for name in (QUOTED_NAME, LONG_NAME):
        yield Attacker(f"a bound login {name}", _BOUND_ROW, name, entitled="own", tries_all=False)
    row = "a bound login with every other role, too"
    yield Attacker("a bound login with all roles", row, "bound_to_all", entitled="own")
    for role in ("auth_state_service", "auth_state_tenant"):
        yield Attacker(
            f"a bound login with all roles as {role}",
            row if role.endswith("service") else _BOUND_ROW,
            "bound_to_all",
            _proxied(role, _claims({"company_id": VICTIM})),
            entitled="own",
            tries_all=False,
        )
    yield Attacker(
        "a member that does not inherit the service",
        "a NOINHERIT member of `auth_state_service`",
        "half_service",
        may_switch=True,
    )
    row = "a back end (`auth_state_service`, `service_role`)"
    yield Attacker("a back end", row, "app", entitled="all", may_switch=True)
    yield Attacker(
        "service_role",
        row,
        "authenticator",
        _proxied("service_role", _claims({"role": "service_role"})),
        entitled="all",
        may_switch=True,
    )
    row = "a back end confined to a company"
    confined = f"set local auth_state.company_id = '{OWN}';"
    yield Attacker("a confined back end", row, "app", confined, entitled="own", may_switch=True)
    yield Attacker(
        "a confined service_role",
        row,
        "authenticator",
        "set local role service_role;" + confined,
        entitled="own",
        may_switch=True,
        tries_all=False,
    )
    yield Attacker(
        "a back end as tenant of a company",
        "a back end with `set local role auth_state_tenant`, confined",
        "back_end",
        "set local role auth_state_tenant;" + confined,
        entitled="own",
        may_switch=True,
    )
    row = "a back end with `set local role auth_state_tenant`, no company"
    for name, setting in {"no": "", "an empty": "set local auth_state.company_id = '';"}.items():
        yield Attacker(
            f"a back end as tenant, {name} company",
            row,
            "back_end",
            "set local role auth_state_tenant;" + setting,
            may_switch=True,
            tries_all=name == "no",
        )
    yield Attacker("a monitor", "`auth_state_monitor`", "watcher", entitled="monitor")
    yield Attacker(
        "a monitor with settings",
        "`auth_state_monitor`",
        "watcher",
        f"set auth_state.company_id = '{VICTIM}';",
        entitled="monitor",
        tries_all=False,
    )
    row = "`pg_monitor`, `pg_read_all_stats`, `pg_read_all_settings`"
    for login in ("sees_stats", "sees_all_stats", "sees_settings"):
        yield Attacker(f"{login}, a predefined role", row, login)
    yield Attacker(
        "a member of pg_read_all_data", "`pg_read_all_data`", "reads_all", entitled="statistics"
    )
    yield Attacker("a member of pg_write_all_data", "`pg_write_all_data`", "writes_all")
    yield Attacker("bypassrls without grants", "BYPASSRLS without grants", "bypasses")
    yield Attacker(
        "the owner of the tables",
        "`auth_state_owner`, which only a superuser can become",
        "postgres",
        "set local role auth_state_owner;",
        entitled="owner",
    )
    if installer != "postgres":
        yield Attacker(
            "the installer",
            "the installer, a login that owns the schema",
            installer,
            entitled="all",
            may_switch=True,
            owns_schema=True,
        )


def make_roles(cluster: Cluster) -> None:
    """The platform's roles before anything is installed, the rest after the first install."""
    with cluster.server.connect() as conn:
        conn.execute(PLATFORM_ROLES)
    first = cluster.new_database()
    first.conn.execute(LOGINS)
    for name in (QUOTED_NAME, LONG_NAME):
        first.conn.execute(sql.SQL("create role {} login").format(sql.Identifier(name)))
    first.drop()


def scene(cluster: Cluster) -> Database:
    """A database with a victim and a company of the attackers' own."""
    database = cluster.new_database()
    conn = database.conn
    fill(conn)
    for name in BOUND:
        conn.execute("select auth_bind_role(%s, %s)", [name, OWN])
    conn.execute("select auth_bind_role('victim_bot', %s)", [VICTIM])
    conn.execute(
        sql.SQL("grant temporary on database {} to public").format(sql.Identifier(database.name))
    )
    conn.execute(PLANTED)
    conn.execute("analyze")
    return database


def fill(conn: psycopg.Connection) -> None:
    """Both companies alike: creds with a history, keys, one of them expired, and a live lease."""
    for company, word in ((VICTIM, "S3CRET"), (OWN, "MINE")):
        for turn in (1, 2):
            conn.execute(
                "select auth_save_state(%s, %s, %s)",
                [
                    company,
                    creds_json(advSecretKey=word, turn=turn),
                    json.dumps(
                        {
                            "session": {"1.0": word, "2.0": word, f"{word}.0": word},
                            "tctoken": {word: word},
                            "lid-mapping": {"1": "2"},
                        }
                    ),
                ],
            )
        conn.execute(
            "select auth_acquire_lease(%s, %s, '1 day')",
            [company, f"{'H0LDER' if company == VICTIM else 'me'}-1"],
        )
    conn.execute(
        "update whatsapp_keys set updated_at = now() - interval '9 days',"
        " expires_at = now() - interval '2 days'"
        " where key_type = 'lid-mapping'"
    )
