"""The real PgBouncer, in transaction mode, before a server of the tests."""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
import tempfile
from pathlib import Path

import psycopg

from harness.cluster import Database
from harness.processes import wait_until
from harness.server import SERVER_USER

PROGRAM = Path("/usr/sbin/pgbouncer")


class PgBouncer:
    """Few connections to the database of a test, shared by any number of clients."""

    def __init__(self, database: Database, *, connections: int = 5) -> None:
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            self.port = free.getsockname()[1]
        self._folder = Path(tempfile.mkdtemp(prefix="pg-auth-state-pgbouncer-"))
        settings = self._folder / "pgbouncer.ini"
        users = self._folder / "users.txt"
        names = dict.fromkeys(("app", "postgres", database.cluster.installer))
        users.write_text("".join(f'"{name}" ""\n' for name in names))
        settings.write_text(
            f"""
            [databases]
            {database.name} = host=127.0.0.1 port={database.server.settings["port"]}
            [pgbouncer]
            listen_addr = 127.0.0.1
            listen_port = {self.port}
            unix_socket_dir =
            auth_type = trust
            auth_file = {users}
            pool_mode = transaction
            default_pool_size = {connections}
            max_client_conn = 500
            server_login_retry = 1
            """.replace("\n            ", "\n")
        )
        command = [PROGRAM, "-q", settings]
        if os.geteuid() == 0:  # it refuses to be root
            account = pwd.getpwnam(SERVER_USER)
            for path in (self._folder, settings, users):
                os.chown(path, account.pw_uid, account.pw_gid)
            user = f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--init-groups"
            command = ["setpriv", *user, *command]
        with (self._folder / "log").open("w") as log:
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        self._database = database.name
        self.url = self.url_of("app")
        wait_until(self._answers, timeout=20)

    def url_of(self, user: str) -> str:
        """`user`: app, postgres or the installer of the cluster."""
        return f"postgresql://{user}@127.0.0.1:{self.port}/{self._database}"

    def _answers(self) -> bool:
        assert self._process.poll() is None, (self._folder / "log").read_text()
        try:
            psycopg.connect(self.url, connect_timeout=2).close()
        except psycopg.OperationalError:
            return False
        return True

    def stop(self) -> None:
        self._process.kill()
        self._process.wait()
        shutil.rmtree(self._folder)
