"""What each part of the hot functions costs: installed without it, beside those that have it.

    .venv/bin/python bench/parts.py [--postgres 15] [--rounds 40]

Prints the processor time of the server's process for a call, in µs (Linux, /proc/<pid>/schedstat),
the median of rounds in which the variants take turns, and how much more or less that is than as
installed. One connection each, all prepared, nothing waits for the disk. Last comes what
plpgsql_check's profiler sees of where a call's time goes.
"""

from __future__ import annotations

import argparse
import statistics
from collections.abc import Callable
from pathlib import Path

import psycopg

import accounts
from accounts import batch
from race import connect, make_like
from servers import Bench, Cluster, Database

COMPANY = "company_1"
SESSIONS = [f"55119{number:08}.0" for number in range(1000)]
TEN = [SESSIONS[number * 97] for number in range(10)]
HUNDRED = SESSIONS[500:600]
CALLS = 20  # in a row
OURS = "pronamespace = 'public'::regnamespace and proowner = 'auth_state_owner'::regrole"

GET = "select auth_get_keys(%s, 'session', %s)"
SET = "select auth_set_keys(%s, %s::jsonb)"
PLAIN_GET = (
    "select key_id, value::text from plain_keys"
    " where company_id = %s and key_type = 'session' and key_id = any(%s)"
)
PLAIN_SET = """
    insert into plain_keys (company_id, key_type, key_id, value, created_at, updated_at)
    select %s, t.key, e.key, e.value, now(), now()
      from jsonb_each(%s::jsonb) t cross join lateral jsonb_each(t.value) e
    on conflict (company_id, key_type, key_id)
    do update set value = excluded.value, updated_at = excluded.updated_at
"""


def replaced(function: str, *pairs: tuple[str, str]) -> str:
    """A statement that makes these functions anew with other text in them."""
    text = "pg_get_functiondef(p.oid)"
    missing = "false"
    for old, new in pairs:
        text = f"replace({text}, $old${old}$old$, $new${new}$new$)"
        missing += f" or not bool_or(strpos(pg_get_functiondef(p.oid), $old${old}$old$) > 0)"
    where = f"from pg_proc p where {OURS} and proname = '{function}'"
    return f"""
        do $do$ declare f text; begin
          if (select {missing} {where}) then
            raise exception '{function} has other text by now';
          end if;
          for f in select {text} {where} loop
            execute f;
          end loop;
        end $do$
    """


def altered(change: str, which: str = "true") -> str:
    return f"""
        do $do$ declare f regprocedure; begin
          for f in select p.oid from pg_proc p where {OURS} and {which} loop
            execute format('alter function %s {change}', f);
          end loop;
        end $do$
    """


ANY = (
    "unnest(p_key_ids) u (id)) i\n      left join lateral (\n        select k.value",
    "unnest(p_key_ids) u (id)) i\n      left join (\n        select k.key_id, k.value",
)
VARIANTS = {
    "as installed": "select",
    "no row-level security": """
        do $do$ declare t regclass; begin
          for t in select oid from pg_class where relrowsecurity loop
            execute format('alter table %s disable row level security', t);
          end loop;
        end $do$
    """,
    "one login is bound": "select auth_bind_role('bound', 'another')",
    "search_path not pinned": altered("reset search_path"),
    "plans by PostgreSQL's choice": altered("reset plan_cache_mode"),
    "custom plans": altered(
        "set plan_cache_mode = force_custom_plan", "proconfig::text ~ 'plan_cache_mode'"
    ),
    "all plans allowed": ";".join(
        altered(f"reset {name}") for name in ("enable_seqscan", "enable_bitmapscan")
    ),
    "assembled as jsonb": replaced(
        "auth_get_keys",
        (" json_object_agg(", " jsonb_object_agg("),
        ("json_build_object(", "jsonb_build_object("),
    ),
    "key_id = any(ids)": replaced(
        "auth_get_keys",
        ANY,
        (
            "and k.key_id = i.id\n        offset 0\n      ) stored on true",
            "and k.key_id = any(p_key_ids)\n      ) stored on stored.key_id = i.id",
        ),
    ),
    "an index on updated_at, too": "create index on whatsapp_keys (updated_at)",
    "a linguistic collation of type and id": """
        alter table whatsapp_keys alter key_type type text collate "und-x-icu",
          alter key_id type text collate "und-x-icu"
    """,
}


class Variant:
    def __init__(self, cluster: Cluster, change: str) -> None:
        self.database: Database = cluster.new_database()
        admin = self.database.conn
        creds = '{"noiseKey": 1, "signedIdentityKey": 2}'
        admin.execute("select auth_save_creds(%s, %s)", [COMPANY, creds])
        for first in range(0, len(SESSIONS), 100):
            admin.execute(SET, changed(SESSIONS[first : first + 100]))
        make_like(admin, "plain_keys", "whatsapp_keys")
        admin.execute("insert into plain_keys select * from whatsapp_keys")
        admin.execute(change)
        admin.execute("vacuum analyze")
        self.conn = connect(self.database)
        self.conn.execute("set synchronous_commit = off")
        self._schedstat = Path(f"/proc/{self.conn.info.backend_pid}/schedstat")

    def cost(self, query: str, make: Callable[[], list[object]]) -> float:
        """Of a call, in µs."""
        parameters = [make() for _ in range(CALLS)]
        before = self._processor_time()
        for given in parameters:
            self.conn.execute(query, given, prepare=True)
        return (self._processor_time() - before) / CALLS

    def _processor_time(self) -> float:
        return int(self._schedstat.read_text().split()[0]) / 1e3


def changed(ids: list[str]) -> list[object]:
    return [COMPANY, batch("session", {name: accounts.session() for name in ids})]


WORKLOADS: dict[str, tuple[str, str, Callable[[], list[object]]]] = {
    "get 1": (GET, PLAIN_GET, lambda: [COMPANY, TEN[:1]]),
    "get 10": (GET, PLAIN_GET, lambda: [COMPANY, TEN]),
    "set 1": (SET, PLAIN_SET, lambda: changed(TEN[:1])),
    "set 100": (SET, PLAIN_SET, lambda: changed(HUNDRED)),
}


def compare(cluster: Cluster, rounds: int) -> None:
    with cluster.server.connect() as conn:
        conn.execute("create role bound login")
    variants = {name: Variant(cluster, change) for name, change in VARIANTS.items()}
    costs: dict[str, dict[str, list[float]]] = {}
    for number in range(-2, rounds):
        for workload, (query, plain, make) in WORKLOADS.items():
            for name, variant in variants.items():
                cost = variant.cost(query, make)
                if number >= 0:
                    costs.setdefault(name, {}).setdefault(workload, []).append(cost)
            cost = variants["as installed"].cost(plain, make)
            if number >= 0:
                costs.setdefault("plain statements", {}).setdefault(workload, []).append(cost)
    print(f"| µs of processor | {' | '.join(WORKLOADS)} |")
    print("|---" * (len(WORKLOADS) + 1) + "|")
    base = {name: statistics.median(values) for name, values in costs["as installed"].items()}
    for name, by_workload in costs.items():
        cells = []
        for workload, values in by_workload.items():
            median = statistics.median(values)
            more = "" if name == "as installed" else f" ({median - base[workload]:+.0f})"
            cells.append(f"{median:.0f}{more}")
        print(f"| {name} | {' | '.join(cells)} |")


def profile() -> None:
    """Needs PostgreSQL 15 with plpgsql_check preloaded, as the tests have it."""
    cluster = Cluster("pg15-login")
    try:
        variant = Variant(cluster, "create extension if not exists plpgsql_check")
        admin, conn = variant.database.conn, variant.conn
        conn.execute("set plpgsql_check.profiler = on")
        for query, _, make in WORKLOADS.values():
            variant.cost(query, make)
        rows = admin.execute(f"""
            select p.proname, s.lineno, round((s.avg_time * 1000)::numeric),
                   trim(split_part(s.source, E'\\n', 1))
              from pg_proc p cross join lateral plpgsql_profiler_function_tb(p.oid) s
             where {OURS} and p.prolang = (select oid from pg_language where lanname = 'plpgsql')
               and s.exec_stmts > 0
             order by s.total_time desc limit 12
        """).fetchall()
        print("\n| function, line | µs | |\n|---|---|---|")
        for function, line, took, source in rows:
            print(f"| {function}, {line} | {took} | `{source[:70]}` |")
    finally:
        cluster.remove()


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--postgres", type=int, default=15)
    parser.add_argument("--rounds", type=int, default=40, help="more than 10 to believe it")
    given = parser.parse_args()
    with Bench(quick=False, postgres=given.postgres) as bench:
        compare(bench.postgresql(), given.rounds)
    try:
        profile()
    except psycopg.errors.UndefinedFile as error:
        print(f"no profile: {error}")


if __name__ == "__main__":
    main()
