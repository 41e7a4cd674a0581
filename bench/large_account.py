"""How long one large account takes there and back, and the memory of it.

    .venv/bin/python bench/large_account.py [--gigabytes 2] [--folder DIR]

Makes a folder of one account, two thirds of its files sessions of 3 to 30 KB and the rest
sender-keys of that size, and a PostgreSQL server of its own with fsync on. Then runs, as anybody
would, `pg-auth-state import` (backup included), `verify`, and `export`, and prints for each the
time, the peak memory of the command, and that of its server process beyond what all server
processes share.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
from base64 import b64encode
from contextlib import suppress
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness.cluster import Cluster, Database  # noqa: E402
from harness.folders import LARGE, sample  # noqa: E402


def make(folder: Path, size: int) -> int:
    """How many files there are."""
    sample(LARGE).copy(folder.parent, folder.name)
    done = number = 0
    while done < size:
        number += 1
        bytes_of_key = 2_000 + number * 7_919 % 20_000
        buffer = {"type": "Buffer", "data": b64encode(os.urandom(bytes_of_key)).decode()}
        user = 5_511_900_000_000 + number
        if number % 3:
            name = f"session-{user}.0.json"
            value: object = {"_sessions": {"BQ==": {"chains": buffer}}, "version": "v1"}
        else:
            name, value = f"sender-key-1203630{user}@g.us--{user}--0.json", buffer
        done += (folder / name).write_text(json.dumps(value, separators=(",", ":")))
    return sum(1 for _ in folder.iterdir())


def peak(pid: int, field: str) -> int:
    """MB, or 0 when the process has gone."""
    with suppress(OSError, TypeError):
        status = Path(f"/proc/{pid}/status").read_text()
        return int(re.search(rf"{field}:\s*(\d+)", status)[1]) // 1024  # type: ignore[index]
    return 0


def measured(database: Database, *arguments: object) -> str:
    command = [sys.executable, "-m", "pg_auth_state", *map(str, arguments)]
    started = time.perf_counter()
    client = server = 0
    with subprocess.Popen(
        [*command, "--database-url", database.service_dsn], stdout=subprocess.DEVNULL
    ) as process:
        while process.poll() is None:
            client = max(client, peak(process.pid, "VmHWM"))
            query = "select pid from pg_stat_activity where usename = 'app'"
            for (pid,) in database.conn.execute(query):
                server = max(server, peak(pid, "RssAnon"))
            time.sleep(0.05)
    assert process.returncode == 0, arguments
    return f"{time.perf_counter() - started:.0f} s, {client} MB, server {server} MB"


def main() -> None:
    parser = argparse.ArgumentParser()
    parser.add_argument("--gigabytes", type=float, default=2)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()

    work = Path(tempfile.mkdtemp(prefix="large-account-", dir=given.folder))
    cluster = Cluster("pg18-login", durable=True, plain=True)
    try:
        folder = work / "company_1"
        files = make(folder, int(given.gigabytes * 1e9))
        print(f"{given.gigabytes:g} GB in {files:,} files", flush=True)
        database = cluster.new_database()
        for arguments in (
            ["import", folder],
            ["verify", folder],
            ["export", "1", work / "exported"],
            ["verify", work / "exported", "--company", "1"],
        ):
            print(f"{arguments[0]}: {measured(database, *arguments)}", flush=True)
    finally:
        cluster.remove()
        shutil.rmtree(work)


if __name__ == "__main__":
    main()
