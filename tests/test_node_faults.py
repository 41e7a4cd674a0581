"""The npm package while its server is stopped, killed and started again."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Cluster
from harness.pgbouncer import PgBouncer
from harness.processes import wait_until

NODE = Path(__file__).parents[1] / "node"
COMPANIES = ["a", "b", "c"]


class Traffic:
    """node/test/traffic.mjs, which prints what was acknowledged."""

    def __init__(self, url: str, output: Path, **options: Any) -> None:
        given = json.dumps({"url": url, "companies": COMPANIES, **options})
        self._output = output
        with output.open("w") as written:
            self.process = subprocess.Popen(
                ["node", "test/traffic.mjs", given],
                cwd=NODE,
                stdin=subprocess.PIPE,
                stdout=written,
                text=True,
            )

    def lines(self) -> list[dict[str, Any]]:
        whole, _, _ = self._output.read_text().rpartition("\n")
        return [json.loads(line) for line in whole.splitlines()]

    def acknowledged(self) -> dict[str, int]:
        last = dict.fromkeys(COMPANIES, 0)
        for line in self.lines():
            if "acknowledged" in line:
                last[line["company"]] = line["acknowledged"]
        return last

    def wait_for_more(self, count: int = 5) -> None:
        """Until each account has written so many more batches."""
        before = self.acknowledged()
        deadline = time.monotonic() + 60
        while any(last < before[name] + count for name, last in self.acknowledged().items()):
            assert self.process.poll() is None, self.lines()[-5:]
            assert time.monotonic() < deadline, self.lines()[-5:]
            time.sleep(0.02)

    def end(self) -> None:
        assert self.process.stdin is not None
        self.process.stdin.close()
        assert self.process.wait(60) == 0


@pytest.mark.parametrize("name", ["pg15-login", "pg18-superuser"])
@pytest.mark.parametrize(
    "lease", [None, {"holder": "server-1", "ttlMs": 60_000}], ids=["", "lease"]
)
@pytest.mark.parametrize("pooled", [False, True], ids=["", "pgbouncer"])
def test_no_acknowledged_key_is_lost_when_the_server_goes(
    own_cluster: Callable[[str], Cluster],
    tmp_path: Path,
    name: str,
    lease: dict[str, Any] | None,
    pooled: bool,
) -> None:
    database = own_cluster(name).new_database()
    database.conn.close()
    pgbouncer = PgBouncer(database) if pooled else None
    url = database.service_dsn if pgbouncer is None else pgbouncer.url
    traffic = Traffic(url, tmp_path / "lines", lease=lease)
    try:
        for stop in (database.server.kill, database.server.stop, database.server.kill):
            traffic.wait_for_more()
            stop()
            time.sleep(0.3)
            database.server.start()
        traffic.wait_for_more()
        traffic.end()
        acknowledged = traffic.acknowledged()
        assert [line for line in traffic.lines() if "refused" in line or "lost" in line] == []
        with database.connect() as conn:
            for company in COMPANIES:
                row = conn.execute("select auth_export(%s)", [company]).fetchone()
                assert row is not None
                sessions = row[0]["keys"]["session"]
                batches = {value["batch"] for value in sessions.values()}
                assert batches == {acknowledged[company]}, "whole, and the last"
                assert len(sessions) == (15 if acknowledged[company] % 3 == 0 else 30)
                assert row[0]["creds"]["accountSyncCounter"] == acknowledged[company]
    finally:
        traffic.process.kill()
        traffic.process.wait()
        if pgbouncer is not None:
            pgbouncer.stop()


def test_what_was_acknowledged_before_server_and_client_were_killed_is_there_and_whole(
    own_cluster: Callable[[str], Cluster], tmp_path: Path
) -> None:
    database = own_cluster("pg15-superuser").new_database()
    database.conn.close()
    first = 1
    for turn in range(3):
        traffic = Traffic(database.service_dsn, tmp_path / f"lines {turn}", first=first)
        try:
            wait_until(lambda traffic=traffic: all(traffic.acknowledged().values()), timeout=60)
            time.sleep(0.5)
            database.server.kill()
        finally:
            traffic.process.kill()
            traffic.process.wait()
        database.server.start()
        acknowledged = traffic.acknowledged()
        with database.connect() as conn:
            for company in COMPANIES:
                row = conn.execute("select auth_export(%s)", [company]).fetchone()
                assert row is not None
                sessions = row[0]["keys"]["session"]
                (number,) = {value["batch"] for value in sessions.values()}
                # One more may have been written, and its answer not read.
                assert number in (acknowledged[company], acknowledged[company] + 1)
                assert len(sessions) == (15 if number % 3 == 0 else 30)
                assert row[0]["creds"]["accountSyncCounter"] in (number, number + 1)
        first = max(acknowledged.values()) + 2
