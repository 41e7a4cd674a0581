"""What Node measures: our package against other stores of Baileys, used as their users use them."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Curve, Figure, Matrix, Sample, compared
from harness import folders
from servers import Bench, ServerMissing

NODE = Path(__file__).parent / "node"
CALLS = "Through Node, one account"
MESSAGES = "Through Node, messages of many accounts"
GROUP = "Through Node, first message to a group"
IMPORT = "Import of folders"

OURS = "pg-auth-state"
WARM = "pg-auth-state, warm cache"
FILES = "useMultiFileAuthState"
ADAPTERS = ("postgres-baileys", "baileys-store on PostgreSQL")
PROPOSED = "proposed statements"
PER_KEY = "a statement per key"
POSTGRES = (*ADAPTERS, PROPOSED, PER_KEY)
REDIS = "baileys-store on Redis"
REDIS_AOF = "baileys-store on Redis, AOF always"

HOW_CALLS = (
    "Each store is used as its README says, over pools as `pg` makes them, and keeps its values in"
    " the form of Baileys. To read creds is to open the account, without the warm cache. Of all"
    " writes only ours are there whole or not at all: the proposed statements are one upsert for"
    " the batch and a delete for each null. Neither the files nor MySQL's MyISAM are synced to the"
    " disk, and Redis only with AOF."
)
HOW_MESSAGES = (
    "Of 100 events of an account 40 are a message sent to the 4 devices of somebody (4 gets, a set)"
    ", 40 one received (a get, a set), 15 one to a group whose devices are known (2 gets, a set of"
    " sender-key and sender-key-memory) and 5 the first of somebody (3 gets, a set of session,"
    " identity-key and a pre-key that goes; every fifth time 5 pre-keys). An account does one call"
    " after another."
)
HOW_IMPORT = (
    "Ours is the command, from its start to its end, with backup and everything read back. Into the"
    " rivals each folder is read by `useMultiFileAuthState`, a get per type, and set in one call;"
    " the start of Node is not counted."
)

Samples = dict[str, dict[str, Sample]]  # by workload and store


def run(bench: Bench) -> Iterator[Figure | Curve | Matrix]:
    servers = _servers(bench)
    yield from _of_calls(measured(bench, "single.js", servers))
    yield from _of_messages(measured(bench, "mix.js", servers))
    yield from _of_a_group(measured(bench, "group.js", servers))
    yield from _of_an_import(bench, servers)


def _servers(bench: Bench) -> dict[str, Any]:
    """Those of PostgreSQL are one server with two databases."""
    cluster = bench.postgresql()
    servers: dict[str, Any] = {
        "ours": cluster.new_database().service_dsn,
        "postgres": cluster.new_database("template0").dsn,
        "folder": str(bench.folder()),
    }
    try:
        servers["redis"] = bench.redis().url
        servers["redisAof"] = bench.redis(append_only=True).url
        mariadb = bench.mariadb()
        servers["mysql"] = {
            "port": mariadb.port,
            "user": mariadb.user,
            "database": mariadb.database,
        }
    except ServerMissing as missing:
        bench.say(str(missing))
    return servers


def measured(bench: Bench, program: str, servers: dict[str, Any], *arguments: object) -> Samples:
    """What a program of node/ printed: a line of JSON for each workload and store."""
    started = time.monotonic()
    done = subprocess.run(
        ["node", NODE / program, *map(str, arguments)],
        env={
            **os.environ,
            "BENCH_SERVERS": json.dumps(servers),
            "BENCH_QUICK": "1" if bench.quick else "0",
        },
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    bench.say(f"  {program}: {time.monotonic() - started:.0f} s")
    samples: Samples = defaultdict(dict)
    for line in done.stdout.splitlines():
        measured = json.loads(line)
        store = measured["store"]
        samples[measured["workload"]][store] = Sample(store, measured["values"])
    return samples


def _fastest(stores: dict[str, Sample], names: tuple[str, ...]) -> Sample:
    return min((stores[name] for name in names), key=lambda sample: sample.median)


def _versions() -> str:
    wanted = json.loads((NODE / "package.json").read_text())["dependencies"]
    locked = json.loads((NODE / "package-lock.json").read_text())["packages"]
    names = [name for name in wanted if not wanted[name].startswith("npm:") and name != "uuid"]
    return ", ".join(f"{name} {locked[f'node_modules/{name}']['version']}" for name in names)


def _of_calls(samples: Samples) -> Iterator[Figure | Matrix]:
    keeps = samples.pop("keeps a Uint8Array")
    lose = ", ".join(store for store, answer in keeps.items() if not answer.values[0])
    note = f"{_versions()}. What loses a Uint8Array, such as an identity-key: {lose or 'none'}."
    yield Matrix("Milliseconds of a call, of one account", CALLS, samples, note)
    one = samples["get 1 session"]
    yield compared(
        "get 1 session", CALLS, one[OURS], _fastest(one, ADAPTERS), at_most=1, note=HOW_CALLS
    )
    for workload in ("get 10 sessions", "get 812 pre-keys", "set 100 sessions", "set 812 pre-keys"):
        stores = samples[workload]
        for rival in (_fastest(stores, (*ADAPTERS, FILES, PER_KEY)), stores[PROPOSED]):
            yield compared(workload, CALLS, stores[OURS], rival, at_most=0.5)
    for workload, stores in samples.items():
        if REDIS not in stores:
            continue
        if workload in ("set 100 sessions", "set 812 pre-keys"):
            level = "level: at most 1.1"
            yield compared(workload, CALLS, stores[OURS], stores[REDIS], at_most=1.1, reach=level)
        if workload.startswith(("set", "save")):
            yield compared(workload, CALLS, stores[OURS], stores[REDIS_AOF])
        if workload.startswith("get"):
            warm = f"{workload}, warm cache"
            yield compared(warm, CALLS, stores[WARM], stores[REDIS], at_most=0.05)


def _of_messages(samples: Samples) -> Iterator[Figure | Matrix]:
    yield Matrix("Calls per second, of all accounts together", MESSAGES, samples)
    for workload, stores in samples.items():
        best = max((stores[name] for name in POSTGRES), key=lambda sample: sample.median)
        eight = "8 accounts" in workload
        yield compared(
            workload,
            MESSAGES,
            stores[OURS],
            best,
            at_least=1 if eight else None,
            unit="calls/s",
            note=HOW_MESSAGES,
        )
        yield compared(f"{workload}, warm cache", MESSAGES, stores[WARM], best, unit="calls/s")
        for rival in (REDIS, REDIS_AOF):
            if rival in stores:
                yield compared(workload, MESSAGES, stores[OURS], stores[rival], unit="calls/s")


def _of_a_group(samples: Samples) -> Iterator[Figure | Curve]:
    lines: dict[str, list[tuple[float, float]]] = defaultdict(list)
    title = ""
    for workload, stores in samples.items():
        if not workload.startswith("first message"):
            continue
        title, network = workload.split(", ")
        delay = float(network.split()[0])
        round_trip = samples[network]["select 1"].median
        opening = samples[f"opening, {network}"][WARM].median
        for store, sample in stores.items():
            lines[store].append((delay, sample.median / 1000))
        note = (
            f"With {network} a `select 1` takes {round_trip:.1f} ms. Opening, which fills the"
            f" cache, took {opening:,.0f} ms; {len(stores[OURS].values)} rounds."
        )
        for ours in (OURS, WARM):
            for rival in list(stores)[2:]:
                yield compared(workload, GROUP, stores[ours], stores[rival], note=note)
    yield Curve(f"{title}, in seconds", GROUP, "ms of network", "s", dict(lines))


def _of_an_import(bench: Bench, servers: dict[str, Any]) -> Iterator[Figure]:
    """Every round takes folders, and so accounts, of its own."""
    count = 5 if bench.quick else 100
    rivals = [*ADAPTERS, *([REDIS] if "redis" in servers else [])]
    took: dict[str, list[float]] = defaultdict(list)
    for turn in range(1 if bench.quick else 2):
        parent = bench.folder()
        for number in range(count):
            folders.sample(folders.LARGE).copy(parent, f"company_{turn}{number:03}")
        command = [sys.executable, "-m", "pg_auth_state", "import", "--all", parent]
        command += ["--backup", bench.folder(), "--database-url", servers["ours"]]
        started = time.perf_counter()
        subprocess.run(list(map(str, command)), check=True, stdout=subprocess.DEVNULL)
        took[OURS].append((time.perf_counter() - started) * 1000)
        for rival in rivals:
            samples = measured(bench, "import_folders.js", servers, rival, parent)
            took[rival] += samples["import"][rival].values
    for rival in rivals:
        yield compared(
            f"import of {count} folders",
            IMPORT,
            Sample("pg-auth-state import --all", took[OURS]),
            Sample(f"useMultiFileAuthState to {rival}", took[rival]),
            note=HOW_IMPORT,
        )
