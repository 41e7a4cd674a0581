"""The SQL functions against what PostgreSQL itself takes, one connection of psycopg, all prepared.

They are measured against a table with the same columns, indexes and storage, without row-level
security, that belongs to the login. Parameters are JSON text made beforehand on both sides, and
JSON comes back as text.
"""

from __future__ import annotations

import itertools
import random
from collections.abc import Callable, Iterator
from typing import Any

import accounts
from accounts import batch
from figures import Figure, Sample, compared
from race import Contender, connect, one, race, timed
from servers import Bench

COMPANIES = [f"company_{number:02}" for number in range(20)]
SESSIONS = [f"55119{number:08}.0" for number in range(200)]
PRE_KEYS = [str(number) for number in range(1, 813)]
LEASED = "leased"

GET = "select auth_get_keys(%s, %s, %s)"
GET_TYPES = "select auth_get_keys(%s, %s::jsonb)"
SET = "select auth_set_keys(%s, %s::jsonb)"
SET_LEASED = "select auth_set_keys(%s, %s::jsonb, %s)"
PLAIN_GET = (
    "select key_id, value::text from plain_keys"
    " where company_id = %s and key_type = %s and key_id = any(%s)"
)
ONE_GET = "select value::text from plain_keys where (company_id, key_type, key_id) = (%s, %s, %s)"
INSERT = "insert into {} (company_id, key_type, key_id, value, created_at, updated_at) "
UPDATE = (
    " on conflict (company_id, key_type, key_id)"
    " do update set value = excluded.value, updated_at = excluded.updated_at"
)
ONE_SET = f"{INSERT}values (%s, %s, %s, %s::jsonb, now(), now()){UPDATE}"
# Binary arrays: as text, which has every quote of the JSON escaped, they take four times as long.
UNNEST = (
    f"{INSERT.format('plain_keys')}select %s, %s, k.id, k.value::jsonb, now(), now()"
    f" from unnest(%b::text[], %b::text[]) k (id, value){UPDATE}"
)
ONE_DELETE = "delete from plain_keys where (company_id, key_type, key_id) = (%s, %s, %s)"


class Bed:
    """A database, empty at first, with plain tables beside ours, and one connection to it."""

    def __init__(self, bench: Bench, version: int | None = None) -> None:
        self.quick = bench.quick
        self.database = bench.postgresql(version).new_database()
        admin = self.database.conn
        admin.execute("create schema app authorization app")
        for table in ("plain_keys", "plain_lz4", "plain_pglz", "plain_external"):
            admin.execute(f"create table app.{table} (like whatsapp_keys including all)")
            admin.execute(f"alter table app.{table} owner to app, set (fillfactor = 80)")
        admin.execute("alter table app.plain_pglz alter value set compression pglz")
        admin.execute("alter table app.plain_external alter value set storage external")
        admin.execute("create table app.plain_auth (like whatsapp_auth including all)")
        admin.execute("alter table app.plain_auth owner to app")
        admin.execute("create table app.tiny (n integer); alter table app.tiny owner to app")
        self.conn = connect(self.database)
        self.conn.execute("set search_path = app, public")
        self.version = self.conn.info.server_version // 10000
        query = (
            "select 'lz4' = any(enumvals) from pg_settings where name = 'default_toast_compression'"
        )
        self.has_lz4: bool = one(self.conn, query)
        self._numbers = itertools.count()

    def timed(self, query: str, *parameters: Any) -> float:
        return timed(self.conn, query, *parameters)

    def next(self) -> int:
        return next(self._numbers)

    def commit(self) -> float:
        """The least that a commit costs: one small row."""
        return self.timed("insert into tiny values (%s)", self.next())

    def race(
        self, rounds: int, contenders: dict[str, Contender], *, seldom: dict[str, int] | None = None
    ) -> dict[str, Sample]:
        return race(max(rounds // 8, 12) if self.quick else rounds, contenders, seldom=seldom)

    def load(self) -> None:
        """Accounts of a thousand keys, the same in our table and in the plain one."""
        for company in [*COMPANIES, LEASED]:
            keys = {
                "session": {name: accounts.session() for name in SESSIONS},
                "pre-key": {name: accounts.pre_key() for name in PRE_KEYS},
            }
            for key_type, values in keys.items():
                self.conn.execute(SET, [company, batch(key_type, values)])
                self.conn.execute(UNNEST, unnested(company, key_type, values))
            creds = accounts.compact(accounts.SAMPLE["creds"])
            self.conn.execute("select auth_init_creds(%s, %s::jsonb)", [company, creds])
            self.conn.execute(
                "insert into plain_auth values (%s, %s::jsonb, 1, now(), now())", [company, creds]
            )
        self.database.conn.execute("vacuum analyze")


def any_company() -> str:
    return random.choice(COMPANIES)


def sessions(count: int) -> dict[str, str]:
    return {name: accounts.session() for name in random.sample(SESSIONS, count)}


def unnested(company: str, key_type: str, values: dict[str, str]) -> list[Any]:
    return [company, key_type, list(values), list(values.values())]


def run(bench: Bench) -> Iterator[Figure]:
    bed = Bed(bench)
    bed.load()
    yield from reads(bed)
    yield from writes(bed)
    yield from unchanged(bed)
    yield from large_values(bed)
    if not bed.has_lz4 and bench.postgres != 15:
        yield from large_values(Bed(bench, 15))


def reads(bed: Bed) -> Iterator[Figure]:
    group = "Reading, from psycopg"
    plain_creds = "select creds::text from plain_auth where company_id = %s"
    found = bed.race(
        2000,
        {
            "auth_get_creds": lambda: bed.timed("select auth_get_creds(%s)", any_company()),
            "plain select": lambda: bed.timed(plain_creds, any_company()),
            "select 1": lambda: bed.timed("select 1"),
        },
    )
    ours = found["auth_get_creds"]
    yield compared("read creds", group, ours, found["plain select"], at_most=1.15)
    yield compared("read creds", group, ours, found["select 1"])
    yield from gets(bed, group, "session", SESSIONS, 1, rounds=2000, at_most=1.25)
    yield from gets(bed, group, "session", SESSIONS, 10, rounds=1500, at_most=1.15)
    yield from gets(bed, group, "session", SESSIONS, 100, rounds=300)
    yield from gets(bed, group, "pre-key", PRE_KEYS, 812, rounds=100)


def gets(
    bed: Bed,
    group: str,
    key_type: str,
    ids: list[str],
    count: int,
    *,
    rounds: int,
    at_most: float | None = None,
) -> Iterator[Figure]:
    def some() -> list[str]:
        return random.sample(ids, count)

    def by_types() -> float:
        return bed.timed(GET_TYPES, any_company(), accounts.compact({key_type: some()}))

    def one_by_one() -> float:
        company = any_company()
        return sum(bed.timed(ONE_GET, company, key_type, name) for name in some())

    found = bed.race(
        rounds,
        {
            "auth_get_keys": lambda: bed.timed(GET, any_company(), key_type, some()),
            "auth_get_keys, types": by_types,
            "plain select": lambda: bed.timed(PLAIN_GET, any_company(), key_type, some()),
            "one statement per key": one_by_one,
            "select 1": lambda: bed.timed("select 1"),
        },
        seldom={"one statement per key": 1 if count <= 10 else 10},
    )
    what = f"get {count} {key_type}{'s' if count > 1 else ''}"
    ours, plain = found["auth_get_keys"], found["plain select"]
    yield compared(what, group, ours, plain, at_most=at_most)
    other = found["auth_get_keys, types"]
    yield compared(f"{what}, types in jsonb", group, other, plain, at_most=at_most)
    if count > 1:
        yield compared(what, group, ours, found["one statement per key"])
    yield compared(what, group, ours, found["select 1"])


def writes(bed: Bed) -> Iterator[Figure]:
    group = "Writing, from psycopg"
    token = one(bed.conn, "select token from auth_acquire_lease(%s, 'bench', '1 hour')", LEASED)

    def one_session() -> float:
        return bed.timed(SET_LEASED, LEASED, batch("session", sessions(1)), token)

    def one_plainly() -> float:
        ((name, value),) = sessions(1).items()
        return bed.timed(ONE_SET.format("plain_keys"), LEASED, "session", name, value)

    found = bed.race(
        1000,
        {"auth_set_keys": one_session, "plain upsert": one_plainly, "bare commit": bed.commit},
    )
    ours = found["auth_set_keys"]
    yield compared("set 1 session under a lease", group, ours, found["plain upsert"], at_most=1.3)
    yield compared("set 1 session under a lease", group, ours, found["bare commit"])
    yield from sets(bed, group, 10, rounds=300, seldom=1)
    yield from sets(bed, group, 100, rounds=200, seldom=10, reach="below 1")
    yield from sets(bed, group, 812, rounds=60, seldom=20)
    yield from creds(bed, group, token)
    yield proposal(bed, group)


def sets(
    bed: Bed, group: str, count: int, *, rounds: int, seldom: int, reach: str = ""
) -> Iterator[Figure]:
    """Sessions of ever other values, or the pre-keys of ever new accounts."""
    new = count == len(PRE_KEYS)
    key_type = "pre-key" if new else "session"

    def made() -> tuple[str, dict[str, str]]:
        if new:
            return f"new {bed.next()}", {name: accounts.pre_key() for name in PRE_KEYS}
        return any_company(), sessions(count)

    def by_function() -> float:
        company, values = made()
        return bed.timed(SET, company, batch(key_type, values))

    def by_unnest() -> float:
        company, values = made()
        return bed.timed(UNNEST, *unnested(company, key_type, values))

    rows = ", ".join(["(%s, %s, %s, %s::jsonb, now(), now())"] * count)
    query = f"{INSERT.format('plain_keys')}values {rows}{UPDATE}"

    def by_values() -> float:
        company, values = made()
        parts = [(company, key_type, name, value) for name, value in values.items()]
        return bed.timed(query, *(value for part in parts for value in part))

    def one_by_one() -> float:
        company, values = made()
        query = ONE_SET.format("plain_keys")
        return sum(bed.timed(query, company, key_type, *pair) for pair in values.items())

    plain = {"plain upsert, unnest": by_unnest, "plain upsert, values": by_values}
    found = bed.race(
        rounds,
        {
            "auth_set_keys": by_function,
            **plain,
            "one statement per key": one_by_one,
            "bare commit": bed.commit,
        },
        seldom={"one statement per key": seldom},
    )
    what = f"set {count} {'pre-keys of a new account' if new else 'sessions'}"
    ours = found["auth_set_keys"]
    best = min(plain, key=lambda name: found[name].median)
    for name in plain:
        limit = 1 if reach and name == best else None
        yield compared(what, group, ours, found[name], at_most=limit, reach=reach if limit else "")
    yield compared(what, group, ours, found["one statement per key"])
    yield compared(what, group, ours, found["bare commit"])


def creds(bed: Bed, group: str, token: int) -> Iterator[Figure]:
    def changed() -> str:
        return accounts.compact(accounts.SAMPLE["creds"] | {"accountSyncCounter": bed.next()})

    ours = "select auth_save_creds(%s, %s::jsonb, p_lease_token => %s)"
    plain = (
        "insert into plain_auth values (%s, %s::jsonb, 1, now(), now())"
        " on conflict (company_id) do update set creds = excluded.creds,"
        " version = plain_auth.version + 1, updated_at = excluded.updated_at"
    )
    found = bed.race(
        600,
        {
            "auth_save_creds": lambda: bed.timed(ours, LEASED, changed(), token),
            "plain upsert": lambda: bed.timed(plain, LEASED, changed()),
            "bare commit": bed.commit,
        },
    )
    for name in ("plain upsert", "bare commit"):
        yield compared(
            "save creds, the earlier ones kept", group, found["auth_save_creds"], found[name]
        )


def proposal(bed: Bed, group: str) -> Figure:
    """What a first message or a used batch of pre-keys is: some keys written, some deleted."""

    def ready() -> tuple[dict[str, str], list[str]]:
        names = [f"used {bed.next()}" for _ in range(10)]
        values = {name: accounts.pre_key() for name in names}
        bed.conn.execute(SET, [COMPANIES[0], batch("pre-key", values)])
        bed.conn.execute(UNNEST, unnested(COMPANIES[0], "pre-key", values))
        return sessions(20), names

    def ours() -> float:
        values, names = ready()
        gone = batch("pre-key", dict.fromkeys(names, "null"))
        return bed.timed(SET, COMPANIES[0], batch("session", values)[:-1] + "," + gone[1:])

    def theirs() -> float:
        values, names = ready()
        took = bed.timed(UNNEST, *unnested(COMPANIES[0], "session", values))
        return took + sum(bed.timed(ONE_DELETE, COMPANIES[0], "pre-key", name) for name in names)

    name = "the original proposal: an upsert, and a delete per null"
    found = bed.race(100, {"auth_set_keys": ours, name: theirs})
    what = "set 20 sessions and delete 10 pre-keys"
    return compared(what, group, found["auth_set_keys"], found[name])


def unchanged(bed: Bed) -> Iterator[Figure]:
    group = "What is there already, from psycopg"
    company = COMPANIES[1]
    names = [f"55119{number:08}" for number in range(100)]
    stored: dict[str, str] = {}
    wal: dict[str, list[float]] = {"unchanged": [], "changed": []}

    def logged(kind: str) -> float:
        if kind == "changed":
            lists = {name: accounts.compact(["0", str(bed.next())]) for name in names}
            stored.update(lists)
        before = one(bed.conn, "select pg_current_wal_insert_lsn()")
        took = bed.timed(SET, company, batch("device-list", stored))
        wal[kind].append(
            float(one(bed.conn, "select pg_current_wal_insert_lsn() - %s::pg_lsn", before))
        )
        return took

    def plain() -> float:
        return bed.timed(UNNEST, *unnested(company, "device-list", stored))

    logged("changed")
    found = bed.race(
        150,
        {
            "unchanged": lambda: logged("unchanged"),
            "changed": lambda: logged("changed"),
            "plain upsert, unnest": plain,
        },
    )
    what = "100 unchanged device-lists"
    yield compared(what, group, found["unchanged"], found["changed"], at_most=0.5)
    yield compared(what, group, found["unchanged"], found["plain upsert, unnest"])
    ours, other = Sample("unchanged", wal["unchanged"]), Sample("changed", wal["changed"])
    yield compared(
        "100 unchanged device-lists, WAL",
        group,
        ours,
        other,
        reach="at most 1,024 bytes",
        reached=ours.median <= 1024,
        unit="bytes",
    )


def large_values(bed: Bed) -> Iterator[Figure]:
    group = "Large values, from psycopg"
    sender_key, version = accounts.SenderKey(), accounts.SyncVersion()

    def sent() -> str:
        sender_key.grow()
        return sender_key.value()

    where = f"PostgreSQL {bed.version}"
    yield from rewrites(bed, group, f"446 KB sender-key, {where}", "sender-key", sent, 100, 1.2)
    yield from rewrites(
        bed, group, f"1.3 MB app-state-sync-version, {where}", "sync", version.value, 40
    )


def rewrites(
    bed: Bed,
    group: str,
    what: str,
    key_type: str,
    value: Callable[[], str],
    rounds: int,
    at_most: float | None = None,
) -> Iterator[Figure]:
    def plain(table: str) -> Contender:
        query = ONE_SET.format(table)
        return lambda: bed.timed(query, "large", key_type, "x", value())

    def ours() -> float:
        return bed.timed(SET, "large", batch(key_type, {"x": value()}))

    compressed = ["plain_lz4"] * bed.has_lz4 + ["plain_pglz"]
    tables = [*compressed, "plain_external"]
    found = bed.race(rounds, {"auth_set_keys": ours} | {name: plain(name) for name in tables})
    best = min(compressed, key=lambda name: found[name].median)
    for name in tables:
        label = f"plain upsert, {name.removeprefix('plain_')}".replace("external", "uncompressed")
        theirs = Sample(label, found[name].values)
        limit = at_most if name == best else None
        yield compared(what, group, found["auth_set_keys"], theirs, at_most=limit)
