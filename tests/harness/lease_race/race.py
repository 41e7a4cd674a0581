"""The race itself: starts the clients, pauses and kills them, and calls the judge."""

from __future__ import annotations

import os
import random
import signal
import tempfile
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path

import psycopg

from harness.cluster import Database
from harness.lease_race.client import run_client
from harness.lease_race.judge import DOUBLE_HOLDER, KINDS, STALE_WRITE, Judge, Violation
from harness.processes import Process, wait_until

LOG = Path(__file__).with_name("log.sql")
CLIENTS = 8


DONE = ("acquisitions", "steals", "pauses", "kills", "writes acknowledged", "writes refused")


def summary(counts: Counter[str]) -> str:
    """One line for whoever watches."""
    figures = [f"{what} {counts[what]}" for what in DONE]
    figures += [f"{kind}s {counts[kind]}" for kind in (DOUBLE_HOLDER, STALE_WRITE)]
    others = sum(counts[kind] for kind in KINDS) - counts[DOUBLE_HOLDER] - counts[STALE_WRITE]
    return ", ".join([*figures, f"other violations {others}"])


class Race:
    """Clients in processes of their own, against one database that has pg-auth-state installed."""

    def __init__(self, database: Database, seed: int = 0) -> None:
        self._database = database
        self._random = random.Random(seed)
        self._judge = Judge()
        self._conn = database.connect()
        self._conn.execute(LOG.read_bytes())
        self._started = 0
        self._clients: list[Process] = []
        self._asleep: dict[int, float] = {}  # a stopped process, and when it is to go on

    def run(self, seconds: float) -> None:
        """Races that long, then judges it. May be called again."""
        with tempfile.TemporaryDirectory(prefix="pg-auth-state-race-") as folder:
            end = time.monotonic() + seconds
            self._clients = [self._start(slot, Path(folder), end) for slot in range(CLIENTS)]
            try:
                while time.monotonic() < end:
                    time.sleep(self._random.random() * 0.3)
                    self._wake(time.monotonic())
                    self._disturb(Path(folder), end)
                self._wake(float("inf"))
                for client in self._clients:
                    client.result()
            finally:
                self._wake(float("inf"))
                for client in self._clients:
                    client.kill()
            wait_until(lambda: not self._sessions(), timeout=30)
            lines = [
                line for file in Path(folder).iterdir() for line in file.read_text().splitlines()
            ]
        self._judge.judge(self._conn, lines)

    @property
    def violations(self) -> list[Violation]:
        return self._judge.violations

    @property
    def counts(self) -> Counter[str]:
        """What happened how often, violations too, by their kind."""
        return self._judge.counts + Counter(kind for kind, _ in self.violations)

    def close(self) -> None:
        self._conn.close()

    def _start(self, slot: int, folder: Path, end: float) -> Process:
        self._started += 1
        name = f"{slot}.{self._started}"
        journal = folder / name
        holder = f"client {slot}"  # of the one that takes its place too
        seed = self._random.getrandbits(32)
        return Process(run_client, self._database.service_dsn, name, holder, journal, seed, end)

    def _disturb(self, folder: Path, end: float) -> None:
        slot = self._random.randrange(CLIENTS)
        what = self._random.random()
        if what < 0.55:
            self._pause(self._clients[slot].pid)
        elif what < 0.75:
            if sessions := self._sessions():
                self._pause_session(self._random.choice(sessions))
        elif what < 0.87:
            self._asleep.pop(self._clients[slot].pid, None)
            self._clients[slot].kill()
            self._judge.counts["kills"] += 1
            self._clients[slot] = self._start(slot, folder, end)
        elif what < 0.95:
            if sessions := self._sessions():
                session = self._random.choice(sessions)
                self._conn.execute("select pg_terminate_backend(%s)", [session])
                self._judge.counts["sessions ended"] += 1
        else:
            with suppress(psycopg.errors.LockNotAvailable), self._conn.transaction():
                self._conn.execute("set local lock_timeout = '200ms'")
                self._conn.execute("truncate whatsapp_leases")

    def _pause(self, pid: int) -> None:
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            self._asleep[pid] = time.monotonic() + 0.05 + self._random.random() * 0.7
            self._judge.counts["pauses"] += 1

    def _pause_session(self, pid: int) -> None:
        """The server's own side, perhaps between its look at the lease and the write.

        It may hold what every session needs, ours too: nothing is asked of the server meanwhile.
        """
        with suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
            try:
                time.sleep(self._random.random() * 0.5)
            finally:
                os.kill(pid, signal.SIGCONT)
            self._judge.counts["pauses"] += 1

    def _wake(self, now: float) -> None:
        for pid in [pid for pid, until in self._asleep.items() if until <= now]:
            del self._asleep[pid]
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGCONT)

    def _sessions(self) -> list[int]:
        return [
            pid
            for (pid,) in self._conn.execute(
                "select pid from pg_stat_activity where datname = %s and usename = 'app'",
                [self._database.name],
            )
        ]
