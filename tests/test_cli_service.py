"""`pg-auth-state cleanup --every`, a real process."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from datetime import timedelta
from queue import Empty, Queue
from typing import Any

import pytest
import typer

from harness.clients import cluster  # noqa: F401
from pg_auth_state import AuthState
from pg_auth_state.cli._cleanup import seconds


class Service:
    """The process, and what it has said so far."""

    def __init__(self, dsn: str, every: str, *arguments: str) -> None:
        self.process = subprocess.Popen(
            [sys.executable, "-m", "pg_auth_state", "cleanup", "--every", every, *arguments],
            env={"PATH": os.environ["PATH"], "DATABASE_URL": dsn},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self._lines: Queue[str] = Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self._lines.put(line.rstrip("\n"))

    def wait_for(self, text: str, timeout: float = 30) -> str:
        deadline = time.monotonic() + timeout
        seen = []
        while time.monotonic() < deadline:
            try:
                seen.append(self._lines.get(timeout=0.1))
            except Empty:
                continue
            if text in seen[-1]:
                return seen[-1]
        raise AssertionError(f"{text!r} was not said, but {seen}")

    def end(self, number: int) -> int:
        self.process.send_signal(number)
        return self.process.wait(20)


@pytest.fixture
def services() -> Iterator[list[Service]]:
    services: list[Service] = []
    yield services
    for service in services:
        service.process.kill()
        service.process.wait()


def expire(dsn: str, number: int) -> None:
    with AuthState(dsn) as everything, AuthState(dsn, "old") as state:
        everything.set_ttl("device-list", timedelta(milliseconds=1))
        state.set_keys({"device-list": {str(n): ["0"] for n in range(number)}})
    time.sleep(0.02)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_cleans_up_again_and_again_until_it_is_told_to_stop(
    db: Any, services: list[Service], number: int
) -> None:
    expire(db.service_dsn, 3)
    service = Service(db.service_dsn, "1s", "--batch-size", "2")
    services.append(service)
    line = service.wait_for("removed 3 expired keys")
    assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:\d\d removed", line)
    expire(db.service_dsn, 2)
    service.wait_for("removed 2 expired keys")
    service.wait_for("removed 0 expired keys")
    assert service.end(number) == 0
    service.wait_for("stopped")


def test_it_stops_at_once_while_it_waits(db: Any, services: list[Service]) -> None:
    service = Service(db.service_dsn, "6h")
    services.append(service)
    service.wait_for("removed 0 expired keys")
    started = time.monotonic()
    assert service.end(signal.SIGTERM) == 0
    assert time.monotonic() - started < 5


def test_it_holds_no_connection_while_it_waits(db: Any, services: list[Service]) -> None:
    service = Service(db.service_dsn, "6h")
    services.append(service)
    service.wait_for("removed 0 expired keys")
    query = "select count(*) from pg_stat_activity where usename = 'app' and datname = %s"
    deadline = time.monotonic() + 10
    while db.conn.execute(query, (db.name,)).fetchone() != (0,):
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_it_survives_a_lost_database(own_cluster: Any, services: list[Service]) -> None:
    cluster = own_cluster("pg15-superuser")  # noqa: F811
    database = cluster.new_database()
    service = Service(database.dsn, "1s")
    services.append(service)
    service.wait_for("removed 0 expired keys")
    cluster.server.kill()
    line = service.wait_for("trying again in 1 s")
    assert "error: " in line
    service.wait_for("trying again")
    cluster.server.start()
    service.wait_for("removed 0 expired keys")
    assert service.end(signal.SIGTERM) == 0


def test_what_will_not_get_better_ends_it(empty_db: Any, services: list[Service]) -> None:
    service = Service(empty_db.dsn, "1s")
    services.append(service)
    service.wait_for("error: ")
    assert service.process.wait(20) == 1


@pytest.mark.parametrize(
    ("duration", "expected"),
    [("6h", 21600), ("30m", 1800), ("1h30m", 5400), ("45s", 45), ("1d", 86400), ("1h 5s", 3605)],
)
def test_a_duration_is_read(duration: str, expected: int) -> None:
    assert seconds(duration) == expected


@pytest.mark.parametrize("duration", ["", "6", "h", "0s", "-1h", "6 hours", "1h1h", "1.5h"])
def test_what_is_no_duration_is_refused(duration: str) -> None:
    with pytest.raises(typer.BadParameter):
        seconds(duration)
