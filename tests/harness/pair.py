"""A primary and a standby that follows it, either of which a test may stop, kill or promote."""

from __future__ import annotations

import os
import signal
import subprocess
from pathlib import Path

from harness.cluster import Cluster, Database
from harness.processes import wait_until
from harness.server import Server, programs

FAKETIME = next(Path("/usr/lib").glob("*/faketime/libfaketime.so.1"), None)


class Standby(Server):
    """Streams from `primary`. `clock` shifts its clock, as in "-30s" (libfaketime)."""

    def __init__(self, primary: Server, *, clock: str | None = None) -> None:
        self.primary = primary
        self.clock = clock
        super().__init__(primary.version, durable=True, plain=True)

    def initialize_database(self) -> None:
        data = Path(self.get_data_directory())
        data.rmdir()
        subprocess.run(
            [
                *self._as_server_user(),
                *(programs(self.version) / "pg_basebackup", "-D", data, "--write-recovery-conf"),
                *("-d", self.primary.url(), "--checkpoint=fast", "--no-sync"),
            ],
            check=True,
        )

    def get_server_commandline(self) -> list[str]:
        command: list[str] = super().get_server_commandline()
        if self.clock is None:
            return command
        # Behind the change of user: the library shares memory that belongs to who made it.
        at = command.index(self.postgres)
        shift = [
            f"LD_PRELOAD={FAKETIME}",
            f"FAKETIME={self.clock}",
            "FAKETIME_DONT_FAKE_MONOTONIC=1",
        ]
        return [*command[:at], "env", *shift, *command[at:]]

    def promote(self) -> None:
        with self.connect() as conn:
            assert conn.execute("select pg_promote(true, 60)").fetchone() == (True,)


class Pair:
    """With pg-auth-state in database `db`. `app` is a login with auth_state_service.

    `synchronous`: the primary acknowledges a commit when the standby has it on its disk.
    """

    def __init__(self, name: str, *, synchronous: bool, clock: str | None = None) -> None:
        self.cluster = Cluster(name, durable=True, plain=True)
        self.standby: Standby | None = None
        try:
            self.db: Database = self.cluster.new_database()
            self.primary = self.cluster.server
            self.standby = Standby(self.primary, clock=clock)
            if synchronous:
                self._set("synchronous_standby_names", "*")
            wait_until(self._follows, timeout=30)
        except BaseException:
            self.remove()
            raise
        ports = ",".join(str(server.settings["port"]) for server in (self.primary, self.standby))
        self.dsn = (
            f"host=127.0.0.1,127.0.0.1 port={ports} user=app dbname={self.db.name}"
            " target_session_attrs=read-write connect_timeout=3"
        )

    def _set(self, name: str, value: str) -> None:
        with self.primary.connect() as conn:
            conn.execute(f"alter system set {name} = '{value}'")
            conn.execute("select pg_reload_conf()")

    def _follows(self) -> bool:
        with self.primary.connect() as conn:
            row = conn.execute(
                "select from pg_stat_replication where state = 'streaming'"
                " and replay_lsn >= pg_current_wal_flush_lsn()"
            ).fetchone()
            return row is not None

    def on_standby(self, user: str = "app") -> Database:
        """The database as the standby has it."""
        assert self.standby is not None
        found = Database(self.cluster, self.db.name)
        found.server = self.standby
        found.dsn = self.standby.url(self.db.name)
        found.service_dsn = self.standby.url(self.db.name, "app")
        return found

    def hold_back(self) -> None:
        """From now on the standby gets nothing: the walsender is paused."""
        with self.primary.connect() as conn:
            (pid,) = conn.execute("select pid from pg_stat_replication").fetchone()
        os.kill(pid, signal.SIGSTOP)

    def fail_over(self) -> None:
        """The primary dies as by a power failure, the standby takes its place."""
        self.primary.kill()
        assert self.standby is not None
        self.standby.promote()

    def remove(self) -> None:
        if self.standby is not None:
            self.standby.remove()
        self.cluster.remove()
