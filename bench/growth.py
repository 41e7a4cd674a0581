"""What becomes of it over time: many rows against few, an hour of messages, the disk."""

from __future__ import annotations

import random
import threading
import time
from collections import Counter
from collections.abc import Iterator
from functools import partial

import psycopg

import accounts
from figures import PARTS, Figure, Sample, compared
from harness.folders import LARGE, sample
from harness.processes import Process
from race import connect, one, race, timed
from servers import Bench, Cluster, Database

GET = "select auth_get_keys(%s, %s, %s)"
SET = "select auth_set_keys(%s, %s::jsonb)"


def run(bench: Bench) -> Iterator[Figure]:
    cluster = bench.postgresql()
    yield from flat(bench, cluster)
    yield from bloat(bench, cluster)
    yield from disk(bench, cluster)


ROWS_OF_ACCOUNT = 500
LOAD = """
insert into whatsapp_keys (company_id, key_type, key_id, value, created_at, updated_at, expires_at)
select c.id, t.key_type, t.head || lpad(n::text, 4, '0') || t.tail, t.value,
       now(), now(), now() + t.ttl
  from (select 'company_' || lpad(c::text, 6, '0') as id from generate_series(%s::int, %s) c) c
 cross join (values
   ('device-list', '5511900', '', '["0","12"]'::jsonb, 80, null::interval),
   ('lid-mapping', '5511900', '', '"100000000000001"'::jsonb, 80, interval '7 days'),
   ('lid-mapping', '10000000000', '_reverse', '"5511900000001"'::jsonb, 80, interval '7 days'),
   ('pre-key', '', '', %s::jsonb, 250, null),
   ('session', '5511900', '.0', %s::jsonb, 10, null)
 ) t (key_type, head, tail, value, count, ttl)
 cross join lateral generate_series(1, t.count) n
"""


def flat(bench: Bench, cluster: Cluster) -> Iterator[Figure]:
    few, many = 200, 2_000 if bench.quick else 20_000
    databases = {count: cluster.new_database() for count in (few, many)}
    for count, database in databases.items():
        load(database, count)
    conns = {count: connect(database) for count, database in databases.items()}

    def company(count: int) -> str:
        return f"company_{random.randint(1, count):06}"

    def get(count: int) -> float:
        return timed(conns[count], GET, company(count), "session", [accounts.one_of(10)])

    def put(count: int) -> float:
        batch = accounts.batch("session", {accounts.one_of(10): accounts.session()})
        return timed(conns[count], SET, company(count), batch)

    sizes = f"{many * ROWS_OF_ACCOUNT:,} rows of {many:,} accounts"
    base = f"{few * ROWS_OF_ACCOUNT:,} rows"
    group = "Flat: many accounts against few"
    rounds = 800 if bench.quick else 4000
    for what, call, number in (("get 1", get, rounds), ("set 1", put, rounds // 2)):
        found = race(number, {sizes: partial(call, many), base: partial(call, few)})
        yield compared(f"{what}, p50", group, found[sizes], found[base], at_most=1.3)
        slowest = [Sample(name, p99_of_parts(found[name].values)) for name in (sizes, base)]
        yield compared(f"{what}, p99", group, *slowest, at_most=1.3)


def load(database: Database, count: int) -> None:
    """The index is made afterwards, as a restore does; two connections write halves."""
    conn = database.conn
    conn.execute("alter table whatsapp_keys drop constraint whatsapp_keys_pkey")
    values = accounts.pre_key(), accounts.session()

    def part(first: int, last: int) -> None:
        with database.connect() as own:
            own.execute("set synchronous_commit = off")
            own.execute(LOAD, [first, last, *values])

    halves = [(1, count // 2), (count // 2 + 1, count)]
    threads = [threading.Thread(target=part, args=half) for half in halves]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    conn.execute("set maintenance_work_mem = '1GB'")
    conn.execute(
        "alter table whatsapp_keys add constraint whatsapp_keys_pkey"
        " primary key (company_id, key_type, key_id)"
    )
    conn.execute("vacuum analyze whatsapp_keys")
    conn.execute("checkpoint")


def p99_of_parts(values: list[float]) -> list[float]:
    size = len(values) // PARTS
    return [Sample("", values[n * size : (n + 1) * size]).p99 for n in range(PARTS)]


CHATS, GROUPS = 60, 8


class Account:
    """Who writes what when a message comes or goes, as BAILEYS' traffic is without a cache."""

    def __init__(self, conn: psycopg.Connection, company: str) -> None:
        self._conn = conn
        self._company = company
        self._sessions = {f"5511900{n:06}.0": accounts.session() for n in range(CHATS)}
        self._theirs = [f"1203630{n:06}@g.us::10000{n:06}_1::0" for n in range(GROUPS)]
        self._own = {f"1203630{n:06}@g.us::me::0": accounts.SenderKey(0) for n in range(GROUPS)}
        self._pre_key = 0
        self.updates = Counter({"hot": 0, "all": 0})
        self._events = {
            self._receive: 45,
            self._send: 20,
            self._receive_in_group: 20,
            self._send_to_group: 8,
            self._receive_first: 4,
            self._refresh_devices: 3,
        }

    def load(self) -> None:
        pairs = {f"5511900{n:06}": str(10**14 + n) for n in range(CHATS)}
        mappings = pairs | {f"{lid}_reverse": pn for pn, lid in pairs.items()}
        self._set("session", self._sessions)
        self._set("pre-key", {str(n): accounts.pre_key() for n in range(812)})
        self._set("lid-mapping", {name: f'"{user}"' for name, user in mappings.items()})
        self._set("device-list", dict.fromkeys(pairs, '["0","12"]'))
        self._set("sender-key", {name: accounts.SenderKey(5).value() for name in self._theirs})
        self._set("sender-key", {name: key.value() for name, key in self._own.items()})

    def event(self) -> None:
        (event,) = random.choices(list(self._events), list(self._events.values()))
        event()

    def _receive(self) -> None:
        self._turn(1)

    def _send(self) -> None:
        self._turn(4)

    def _turn(self, devices: int) -> None:
        names = random.sample(list(self._sessions), devices)
        for name in names:
            self._conn.execute(GET, [self._company, "session", [name]], prepare=True)
            self._sessions[name] = accounts.grown(self._sessions[name], 1)
        with self._conn.transaction():
            before = self._updates()
            self._set("session", {name: self._sessions[name] for name in names})
            self.updates.update(self._updates())
            self.updates.subtract(before)

    def _updates(self) -> dict[str, int]:
        """Those of this transaction, and some earlier ones."""
        query = (
            "select pg_stat_get_xact_tuples_hot_updated(t.oid),"
            "       pg_stat_get_xact_tuples_updated(t.oid)"
            "  from to_regclass('whatsapp_keys') t (oid)"
        )
        hot, updates = self._conn.execute(query, prepare=True).fetchone() or (0, 0)
        return {"hot": hot, "all": updates}

    def _receive_in_group(self) -> None:
        self._set("sender-key", {random.choice(self._theirs): accounts.SenderKey(5).value()})

    def _send_to_group(self) -> None:
        name = random.choice(list(self._own))
        self._own[name].grow()
        self._set("sender-key", {name: self._own[name].value()})
        self._set("sender-key-memory", {name[:18]: '{"5511900000001:0@s.whatsapp.net":true}'})

    def _receive_first(self) -> None:
        name = f"5511900{len(self._sessions):06}.0"
        self._sessions[name] = accounts.session()
        self._set("session", {name: self._sessions[name]})
        self._set("pre-key", {str(self._pre_key): "null"})
        self._pre_key += 1

    def _refresh_devices(self) -> None:
        names = random.sample(list(self._sessions)[:CHATS], 20)
        self._set("device-list", {name[:-2]: '["0","12"]' for name in names})

    def _set(self, key_type: str, values: dict[str, str]) -> None:
        batch = accounts.batch(key_type, values)
        self._conn.execute(SET, [self._company, batch], prepare=True)


def bloat(bench: Bench, cluster: Cluster) -> Iterator[Figure]:
    group = "An hour of messages"
    companies, of_each = (20, 60) if bench.quick else (100, 200)
    seconds = 8 if bench.quick else 60
    database = cluster.new_database()
    conn = database.conn
    conn.execute("alter system set autovacuum_naptime = '1s'")
    conn.execute("select pg_reload_conf()")
    names = [f"company_{number:03}" for number in range(companies)]
    started = time.monotonic()
    workers = [
        Process(live_an_hour, database.service_dsn, names[n::2], of_each, seconds) for n in range(2)
    ]
    updates: Counter[str] = sum((worker.result(timeout=600) for worker in workers), Counter())
    took = time.monotonic() - started
    conn.execute("create table fresh (like whatsapp_keys including all) with (fillfactor = 80)")
    conn.execute("insert into fresh select * from whatsapp_keys order by 1, 2, 3")
    used, fresh = (
        float(one(conn, "select pg_total_relation_size(%s::regclass)", table)) / 1e6
        for table in ("whatsapp_keys", "fresh")
    )
    conn.execute("alter system reset autovacuum_naptime")
    conn.execute("select pg_reload_conf()")
    hot = 100 * updates["hot"] / updates["all"]
    what = f"{of_each} messages of each of {companies} accounts, in {took:.0f} s"
    yield compared(
        f"{what}: table and index",
        group,
        Sample("afterwards", [used]),
        Sample("freshly loaded", [fresh]),
        at_most=1.5,
        unit="MB",
        note=(
            "Of 100 messages 45 come from and 20 go to one person with 4 devices, 20 come from and"
            " 8 go to a group, 4 are a first message, 3 refresh device-lists. Time runs faster, and"
            " so does autovacuum: it comes by every second. Sessions grow with every turn."
        ),
    )
    yield Figure(
        f"{what}: updates of sessions that left the indexes alone (HOT)",
        group,
        Sample("", [hot]),
        reach="above 90",
        reached=hot > 90,
        unit="%",
    )


def live_an_hour(dsn: str, companies: list[str], events: int, seconds: float) -> Counter[str]:
    """How many updates of sessions there were, and were HOT."""
    with psycopg.connect(dsn, autocommit=True) as conn:
        living = [Account(conn, company) for company in companies]
        for account in living:
            account.load()
        started = time.monotonic()
        total = events * len(living)
        for number in range(total):
            time.sleep(max(0, started + seconds * number / total - time.monotonic()))
            random.choice(living).event()
        return sum((account.updates for account in living), Counter())


def disk(bench: Bench, cluster: Cluster) -> Iterator[Figure]:
    group = "Bytes on disk"
    count = 1 if bench.quick else 3
    typical = [typical_account() for _ in range(count)]
    small = {
        key_type: {name: accounts.compact(value) for name, value in values.items()}
        for key_type, values in sample(LARGE).keys.items()
    }
    yield stored(cluster, group, "an account of 8,000 keys, half of them LID rows", typical)
    what = "an account of 9 days, 336 keys, 172 of them LID rows"
    yield stored(cluster, group, what, [small] * (20 * count))


def typical_account() -> dict[str, dict[str, str]]:
    """What a small company has after months; sessions and sender-keys grow with every message."""
    users = [f"55119{random.randrange(10**8):08}" for _ in range(2000)]
    lids = {user: str(random.randrange(10**14, 10**15)) for user in users}
    turns = [int(random.expovariate(1 / 60)) for _ in range(930)]
    messages = [*(int(random.expovariate(1 / 10)) for _ in range(400)), 300, 800, 2000]
    return {
        "lid-mapping": {user: f'"{lid}"' for user, lid in lids.items()}
        | {f"{lid}_reverse": f'"{user}"' for user, lid in lids.items()},
        "pre-key": {str(n): accounts.pre_key() for n in range(812)},
        "session": {
            f"{lids[user]}_1.0": accounts.grown(accounts.session(), count)
            for user, count in zip(users, turns, strict=False)
        },
        "sender-key": {
            f"1203630{n:09}@g.us::{lids[users[n]]}_1::0": accounts.SenderKey(count).value()
            for n, count in enumerate(messages)
        },
        "sender-key-memory": {
            f"1203630{n:09}@g.us": accounts.compact(
                {f"{user}:0@s.whatsapp.net": True for user in users[:50]}
            )
            for n in range(70)
        },
        "device-list": {user: '["0","12"]' for user in users[:850]},
        "identity-key": {
            f"{lids[user]}_1.0": '{"type":"Buffer","data":"' + accounts.text(33) + '"}'
            for user in users[:930]
        },
        "app-state-sync-version": {"regular": accounts.SyncVersion(2000).value()},
    }


def stored(
    cluster: Cluster, group: str, what: str, states: list[dict[str, dict[str, str]]]
) -> Figure:
    database = cluster.new_database()
    total = 0
    creds = accounts.compact(accounts.SAMPLE["creds"])
    with database.connect("app") as conn:
        for number, state in enumerate(states):
            conn.execute("select auth_init_creds(%s, %s::jsonb)", [str(number), creds])
            total += len(creds)
            for key_type, values in state.items():
                batch = accounts.batch(key_type, values)
                total += len(batch)
                conn.execute(SET, [str(number), batch])
    size = one(
        database.conn,
        "select pg_total_relation_size('whatsapp_keys') + pg_total_relation_size('whatsapp_auth')",
    )
    database.drop()
    return compared(
        what,
        group,
        Sample("on disk", [size / len(states) / 1e6]),
        Sample("its JSON", [total / len(states) / 1e6]),
        at_most=1.25,
        unit="MB",
    )
