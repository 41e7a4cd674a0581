"""What Node measures: our package against other stores of Baileys, each used as its users use it."""

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
from servers import Bench, ServerMissing

from harness.folders import LARGE, sample

NODE = Path(__file__).parent / "node"
CALLS = "Through Node, one account"
MESSAGES = "Through Node, messages of many accounts"
GROUP = "Through Node, first message to a group"
IMPORT = "Import of folders"

OURS = "pg-auth-state"
WARM = "pg-auth-state, warm cache"
FILES = "useMultiFileAuthState"
ADAPTERS = ("postgres-baileys", "baileys-store on PostgreSQL")
STATEMENTS = ("proposed statements", "a statement per key")
REDIS = "baileys-store on Redis"
REDIS_AOF = "baileys-store on Redis, AOF always"

Samples = dict[str, dict[str, Sample]]  # by workload and store


def run(bench: Bench) -> Iterator[Figure | Curve | Matrix]:
    servers = _servers(bench)
    calls, _ = _measured(bench, "single.js", servers)
    yield from _of_calls(calls)
    messages, _ = _measured(bench, "mix.js", servers)
    yield from _of_messages(messages)
    group, _ = _measured(bench, "group.js", servers)
    yield from _of_a_group(group)
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
