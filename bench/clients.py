"""What Node measures: our package against other stores of Baileys, each used as its users use it."""

from __future__ import annotations

import json
import os
import subprocess
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from figures import Curve, Figure, Sample
from servers import Bench, ServerMissing

NODE = Path(__file__).parent / "node"

Samples = dict[str, dict[str, Sample]]  # by workload and store


def servers(bench: Bench) -> dict[str, Any]:
    cluster = bench.postgresql()
    given: dict[str, Any] = {
        "ours": cluster.new_database().service_dsn,
        "postgres": cluster.new_database("template0").dsn,
        "folder": str(bench.folder()),
    }
    try:
        given["redis"] = bench.redis().url
        given["redisAof"] = bench.redis(append_only=True).url
        mariadb = bench.mariadb()
        given["mysql"] = {"port": mariadb.port, "user": mariadb.user, "database": mariadb.database}
    except ServerMissing as missing:
        bench.say(str(missing))
    return given


def node(bench: Bench, program: str, given: dict[str, Any], *arguments: object) -> Samples:
    """What a program of node/ measured; it prints a line of JSON for each workload and store."""
    done = subprocess.run(
        ["node", NODE / program, *map(str, arguments)],
        env={
            **os.environ,
            "BENCH_SERVERS": json.dumps(given),
            "BENCH_QUICK": "1" if bench.quick else "0",
        },
        stdout=subprocess.PIPE,
        check=True,
        text=True,
    )
    samples: Samples = defaultdict(dict)
    for line in done.stdout.splitlines():
        measured = json.loads(line)
        store = measured["store"]
        samples[measured["workload"]][store] = Sample(store, measured["values"])
    return samples


def run(bench: Bench) -> Iterator[Figure | Curve]:
    given = servers(bench)
    single = node(bench, "single.js", given)
    for workload, stores in single.items():
        for store, sample in stores.items():
            print(f"{workload:20} {store:40} {sample.median:9.3f} {len(sample.values)}")
    yield from ()
