"""A database with accounts of every kind, which is put back to what it was after each input."""

from __future__ import annotations

import json
from typing import Any

import psycopg
from psycopg import sql

from fuzz import json_texts, markers
from fuzz.catalog import public_functions
from harness.cluster import Cluster

BUSY = "busy"
COMPANIES = (
    *("acme", "leased", "lapsed", "unpaired", "sealed", "keys only", BUSY, "nobody"),
    "a'b\"c\\%s{}\n😀",
)
BOUND_TO = COMPANIES[0]

LOGINS = """
create role fuzz_bound login; create role fuzz_both login; create role fuzz_proxy login noinherit;
create role fuzz_user; create role fuzz_monitor login; create role fuzz_stranger login;
create role fuzz_noinherit login noinherit; create role fuzz_group; create role fuzz_narrow login;
create role "Fuzz "";'%" login;
"""
NO_LOGINS = """
drop role fuzz_bound, fuzz_both, fuzz_proxy, fuzz_user, fuzz_monitor, fuzz_stranger, fuzz_noinherit,
  fuzz_group, fuzz_narrow, "Fuzz "";'%"
"""
GRANTS = """
grant fuzz_user to fuzz_proxy; grant fuzz_group to auth_state_tenant;
grant auth_state_proxy to fuzz_proxy; grant auth_state_tenant to fuzz_user;
grant auth_state_monitor to fuzz_monitor; grant auth_state_service to fuzz_both, fuzz_noinherit;
grant auth_state_tenant to fuzz_both; grant auth_state_service, auth_state_tenant to fuzz_narrow;
"""
ROLES = (
    *("app", "fuzz_bound", "fuzz_stranger", "fuzz_user", "fuzz_group", "fuzz_noinherit"),
    *("Fuzz \";'%", "postgres", "auth_state_owner", "auth_state_tenant", "pg_monitor"),
    *("pg_database_owner", "pg_read_all_data", "public", "none", "current_user", "nobody"),
)

LOCK_TIMEOUT = "30ms"  # nobody is to wait for the busy company longer than that

Contents = dict[tuple[str, str], str]
"""A fingerprint for each table and company; of tables without companies the company is ""."""

_MEMBERS = ("memberships", "")


class Store:
    """One database for all inputs of a server."""

    def __init__(self, cluster: Cluster) -> None:
        self.database = cluster.new_database()
        self.superuser = self.database.conn
        self.superuser.execute("set timezone = 'UTC'")  # in which a ttl of days is added
        self._connections: dict[str, psycopg.Connection] = {}
        self._sessions: dict[psycopg.Connection, Any] = {}
        self._resets = 0
        self._make_roles()
        self.functions = public_functions(self.superuser)
        self._tables = self._all_tables()
        with self.database.connect("app") as service:
            self.markers = _fill(service)
            self.exports = [
                json.dumps(value(service, "select auth_export(%s)", company))
                for company in COMPANIES[:6]
            ]
        bind = "select auth_bind_role(%s, %s)"
        for role in ("fuzz_bound", "fuzz_both"):
            self.superuser.execute(bind, [role, BOUND_TO])
        self._tokens = self._numbers("select company_id, token from whatsapp_leases")
        self._versions = self._numbers("select company_id, version from whatsapp_auth")
        self._earlier = self._numbers(
            "select company_id, max(version) from whatsapp_auth_history group by 1"
        )
        self.tokens = list(self._tokens.values())
        self.versions = [*self._versions.values(), *self._earlier.values()]
        self._keep()
        self.contents = self._look()
        self._members = self._memberships()
        self._blocker = self.database.connect()
        self._blocker.execute("select pg_advisory_lock(_lock_key(%s))", [BUSY])

    def remove(self) -> None:
        for conn in self._connections.values():
            conn.close()
        self._blocker.close()
        self.restore()
        self.database.drop()
        with self.database.server.connect() as conn:
            conn.execute(NO_LOGINS)

    def connection(self, login: str, *, is_new: bool = False) -> psycopg.Connection:
        """This login's own connection, outside of a transaction."""
        conn = self._connections.get(login)
        if conn is not None and is_new:
            conn.close()
        if conn is None or conn.closed:
            conn = self._connections[login] = psycopg.connect(
                self.database.dsn, user=login, autocommit=True
            )
            conn.execute("do $$ begin end $$")  # PL/pgSQL's settings are there once it is loaded
            self._sessions[conn] = value(conn, _SESSION)
        return conn

    def left_behind(self, conn: psycopg.Connection) -> str:
        """What is in the session of a login that was not there when it connected."""
        return difference(self._sessions[conn], value(conn, _SESSION))

    # What is stored, and whether it is what it was

    def look(self) -> Contents:
        """Every row of every table as it is now, and every membership in our roles."""
        return self._look() | {_MEMBERS: str(sorted(self._memberships()))}

    def before(self) -> Contents:
        return self.contents | {_MEMBERS: str(sorted(self._members))}

    def restore(self) -> None:
        """Put everything back."""
        if self._memberships() != self._members:
            self._take_back_memberships()
        found = self._look()
        if found == self.contents:
            return
        with self.superuser.transaction():
            for table in {table for (table, _), _ in found.items() ^ self.contents.items()}:
                name = sql.Identifier(table)
                self.superuser.execute(sql.SQL("delete from {}").format(name))
                self.superuser.execute(
                    sql.SQL(
                        "insert into {0} overriding system value select * from kept.{0}"
                    ).format(name)
                )
                if table == "whatsapp_leases":
                    # A lease counts while it was written by the transaction that it names.
                    self.superuser.execute(
                        "update whatsapp_leases set written_by = pg_current_xact_id()::xid"
                        " where written_by is not null"
                    )
        self.contents = self._look()
        self._resets += 1
        if self._resets % 200 == 0:
            self.superuser.execute("vacuum")

    def without_numbers(self) -> list[str]:
        """All rows, without times and what is made of them: equal after equal calls."""
        return [
            f"{table}: {row}"
            for table, query in self._tables.items()
            for (row,) in self.superuser.execute(query)
        ]

    def broken_promises(self) -> list[str]:
        """What must hold at any time."""
        return [text for text, query in _ALWAYS.items() if self.superuser.execute(query).fetchone()]

    def _look(self) -> Contents:
        return {
            (table, company): fingerprint
            for table, company, fingerprint in self.superuser.execute(self._fingerprints)
        }

    def _all_tables(self) -> dict[str, str]:
        """For each table the query of its rows without numbers; also makes the one of all."""
        tables: dict[str, str] = {}
        parts = []
        for name, has_company, steady in self.superuser.execute(_TABLES).fetchall():
            company = "t.company_id" if has_company else "''"
            parts.append(
                f"select '{name}', {company},"
                f" md5(string_agg(t.xmin::text || t::text, '|' order by t::text))"
                f" from {name} t group by 2"
            )
            tables[name] = (
                f"select t::text from (select {', '.join(steady)} from {name}) t order by 1"
            )
        self._fingerprints = " union all ".join(parts)
        return tables

    def _keep(self) -> None:
        self.superuser.execute("create schema kept")
        for name in self._tables:
            self.superuser.execute(f"create table kept.{name} as table {name}")

    def _numbers(self, query: str) -> dict[str, int]:
        return dict(self.superuser.execute(f"{query} order by 1").fetchall())

    def right(self, argument: str, company: str | None) -> str | None:
        """The token or version that an argument of this name is to have."""
        if "token" in argument:
            known = self._tokens
        else:
            known = self._versions if "expected" in argument else self._earlier
        # Where there is none: null if that is a choice, some number if not.
        none = "1" if argument in ("p_token", "p_version") else None
        return str(known[company]) if company in known else none

    def _make_roles(self) -> None:
        self.superuser.execute(LOGINS + GRANTS)
        self.superuser.execute(
            sql.SQL("alter database {} set lock_timeout = {}").format(
                sql.Identifier(self.database.name), LOCK_TIMEOUT
            )
        )

    def _memberships(self) -> set[tuple[str, ...]]:
        return set(self.superuser.execute(_MEMBERSHIPS).fetchall())

    def _take_back_memberships(self) -> None:
        for role, member, grantor in self._memberships() - self._members:
            self.superuser.execute(
                sql.SQL("revoke {} from {} granted by {}").format(
                    *map(sql.Identifier, (role, member, grantor))
                )
            )


_TABLES = """
select c.relname,
       bool_or(a.attname = 'company_id'),
       array_agg(quote_ident(a.attname) order by a.attnum) filter (
         where a.atttypid not in ('timestamptz'::regtype, 'bigint'::regtype, 'xid'::regtype)
           and (c.relname, a.attname) <> ('whatsapp_audit', 'details'))
  from pg_class c
  join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
 where c.relowner = 'auth_state_owner'::regrole and c.relkind = 'r'
 group by c.relname
 order by c.relname
"""

SETTINGS = """
select string_agg(concat(s.name, ' = ', s.setting), chr(10) order by s.name)
  from pg_settings s
 where s.name !~ '^tcp_'
"""
"""Of the session, one in a line; what the operating system says of its socket comes and goes."""

_SESSION = f"""
select concat_ws(
         chr(10), ({SETTINGS}),
         (select count(*) || ' channels' from pg_listening_channels()),
         (select count(*) || ' locks' from pg_locks
           where locktype = 'advisory' and pid = pg_backend_pid()))
"""


def value(conn: psycopg.Connection, query: str, *arguments: object) -> Any:
    row = conn.execute(query, arguments).fetchone()
    assert row is not None
    return row[0]


def difference(before: str, after: str) -> str:
    """The lines that only one of them has."""
    return ", ".join(sorted({*before.splitlines()} ^ {*after.splitlines()}))


_MEMBERSHIPS = """
select pg_get_userbyid(m.roleid), pg_get_userbyid(m.member), pg_get_userbyid(m.grantor)
  from pg_auth_members m
 where starts_with(pg_get_userbyid(m.roleid), 'auth_state_')
"""

_ALWAYS = {
    "expires_at is not updated_at + ttl": """
        select from whatsapp_keys k left join whatsapp_key_ttl t using (key_type)
         where k.expires_at is distinct from k.updated_at + t.ttl
    """,
    "a key is null": "select from whatsapp_keys where value = 'null'",
    "creds are of no use": "select from whatsapp_auth where _creds_fault(creds) is not null",
    "an id is out of bounds": """
        select from whatsapp_keys
         where octet_length(company_id) not between 1 and 256
            or octet_length(key_type) not between 1 and 128
            or octet_length(key_id) not between 1 and 1024
    """,
    "a secret is in the audit log": f"""
        select from whatsapp_audit a where a::text ~ '{markers.MARKER.pattern}'
    """,
}


def _fill(conn: psycopg.Connection) -> dict[str, str]:
    """Accounts of every kind; what each of them has stored holds its own marker."""
    own = {company: markers.of_account(number) for number, company in enumerate(COMPANIES)}

    def call(query: str, *arguments: object) -> Any:
        return value(conn, f"select {query}", *arguments)

    call("auth_set_ttl('device-list', '7 days')")
    call("auth_set_ttl('session', '1000 years', true)")
    for company, marker in own.items():
        creds = json_texts.creds("A", paired=company != "unpaired", secret=marker)
        if company == "sealed":
            for kid in ("k1", "k2"):
                header = {"kid": kid, "paired": True, "identity": "0" * 32}
                call("auth_save_creds(%s, %s)", company, json_texts.sealed(json.dumps(header)))
        elif company not in ("keys only", "nobody"):
            for turn in range(7 if company == "acme" else 2):
                call("auth_save_creds(%s, %s)", company, json.dumps({**creds, "turn": turn}))
        if company != "nobody":
            call("auth_import(%s, %s, 'merge')", company, json.dumps(_keys(marker)))
    for company, ttl in (("leased", "1 day"), ("lapsed", "1 ms")):
        call("auth_acquire_lease(%s, 'bot-1', %s)", company, ttl)
    return own


def _keys(marker: str) -> dict[str, Any]:
    """Keys of every type, half of them past their expiry."""
    long_ago = "2020-01-01T00:00:00Z"
    keys: dict[str, dict[str, Any]] = {
        "session": {"1.0": {"_sessions": {marker: marker}}, "111_1.0": {marker: marker}},
        "pre-key": {"7": {"public": PLAIN, "private": marker}},
        "device-list": {"1": [marker], "2": [marker]},
        "tctoken": {"__index": [marker]},
        "lid-mapping": {"111": "222", "222_reverse": "111", "333": "444", "444_reverse": "333"},
        "lid-mapping-reverse": {"666": "555"},
    }
    times = {
        kind: {key_id: [long_ago] for key_id in keys[kind]}
        for kind in ("device-list", "lid-mapping", "lid-mapping-reverse")
    }
    del times["device-list"]["2"]
    return {"format": 1, "keys": keys, "times": times}


PLAIN = {"type": "Buffer", "data": "AQID"}
