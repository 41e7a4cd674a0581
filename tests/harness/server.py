"""PostgreSQL servers for the tests, by `testing.postgresql`."""

from __future__ import annotations

import os
import pwd
import re
import shutil
import signal
import subprocess
import tempfile
import threading
import time
from functools import cache
from pathlib import Path

import psycopg
import testing.postgresql

from pg_auth_state.embedded import (
    Account,
    EmbeddedServerError,
    copy_binaries,
    find_binaries,
    readable_by,
)

DEBIAN_15 = Path("/usr/lib/postgresql/15")
PSQL = DEBIAN_15 / "bin/psql"
PGTAP = Path("/usr/share/postgresql/15/extension/pgtap--1.2.0.sql")
PACKAGES = {
    DEBIAN_15 / "bin/postgres": "postgresql-15",
    DEBIAN_15 / "lib/pg_cron.so": "postgresql-15-cron",
    DEBIAN_15 / "lib/pgaudit.so": "postgresql-15-pgaudit",
    DEBIAN_15 / "lib/plpgsql_check.so": "postgresql-15-plpgsql-check",
    PGTAP: "postgresql-15-pgtap",
    Path("/usr/sbin/pgbouncer"): "pgbouncer",
    Path("/usr/bin/php"): "php-cli",
    Path("/usr/share/doc/libfaketime"): "libfaketime",
    Path("/etc/php/8.2/mods-available/pgsql.ini"): "php-pgsql",
}
SERVER_USER = "postgres"  # of the operating system, when root runs the tests
CRON_DATABASE = "cron"

_copying = threading.Lock()


def what_is_missing() -> str | None:
    """What to install before the tests can run."""
    packages = [package for file, package in PACKAGES.items() if not file.exists()]
    if packages:
        return f"the tests need packages of Debian 12: apt-get install {' '.join(packages)}"
    try:
        find_binaries()
    except EmbeddedServerError as error:
        return f"the tests need PostgreSQL 18: {error}"
    return None


@cache
def _embedded_binaries() -> Path:
    binaries = find_binaries()
    if os.geteuid() == 0:
        user = pwd.getpwnam(SERVER_USER)
        account = Account(user=user.pw_uid, group=user.pw_gid, extra_groups=[])
        if not readable_by(binaries, account):
            return copy_binaries(binaries, Path(tempfile.mkdtemp(prefix="pg-auth-state-test-")))
    return binaries


def programs(version: int) -> Path:
    """The folder with initdb and postgres."""
    if version == 15:
        return DEBIAN_15 / "bin"
    with _copying:
        return _embedded_binaries() / "bin"


def remove_copied_programs() -> None:
    if _embedded_binaries.cache_info().currsize and _embedded_binaries() != find_binaries():
        shutil.rmtree(_embedded_binaries().parents[1])


class Server(testing.postgresql.Postgresql):  # type: ignore[misc]
    """A running server with an empty database `postgres`, superuser `postgres`, no password.

    Not `durable`, it is faster and may lose data in a crash of the operating system (not in one of
    its own). Not `plain`, PostgreSQL 15 loads pg_cron and a profiler. `start()` after `stop()` or
    `kill()` goes on with the same data, until `remove()`.
    """

    DEFAULT_BOOT_TIMEOUT = 60.0

    def __init__(self, version: int, *, durable: bool = False, plain: bool = False) -> None:
        self.version = version
        self.durable = durable
        self.plain = plain
        base = tempfile.mkdtemp(prefix=f"pg-auth-state-test-{version}-")
        if os.geteuid() == 0:
            shutil.chown(base, SERVER_USER, SERVER_USER)
        super().__init__(base_dir=base)

    @property
    def log(self) -> Path:
        """What the server wrote since its last start."""
        return Path(self.base_dir, f"{self.name}.log")

    def url(self, database: str = "postgres", user: str = "postgres") -> str:
        return f"postgresql://{user}@127.0.0.1:{self.settings['port']}/{database}"

    def connect(
        self, database: str = "postgres", user: str = "postgres", *, autocommit: bool = True
    ) -> psycopg.Connection:
        return psycopg.connect(self.url(database, user), autocommit=autocommit)

    def kill(self) -> None:
        """What a power failure does to its processes: SIGKILL for every one."""
        postmaster = self.child_process
        postmaster.send_signal(signal.SIGSTOP)  # it starts no further process
        children = Path(f"/proc/{postmaster.pid}/task/{postmaster.pid}/children").read_text()
        pids = [postmaster.pid, *map(int, children.split())]
        for pid in pids:
            os.kill(pid, signal.SIGKILL)
        postmaster.wait()
        for pid in pids:
            _wait_until_gone(pid)
        self.child_process = None

    def remove(self) -> None:
        """Ends it at once and deletes its data."""
        if self.child_process is not None:
            self.kill()
        shutil.rmtree(self.base_dir, ignore_errors=True)

    # What testing.postgresql 1.3.0 calls. It can neither run as root nor choose a locale.

    def initialize(self) -> None:
        folder = programs(self.version)
        self.initdb, self.postgres = str(folder / "initdb"), str(folder / "postgres")

    def initialize_database(self) -> None:
        if os.geteuid() == 0:
            for folder in self.subdirectories:
                shutil.chown(Path(self.base_dir, folder), SERVER_USER, SERVER_USER)
        subprocess.run(
            [
                *self._as_server_user(),
                *(self.initdb, "-D", self.get_data_directory(), "--no-sync"),
                *("--username=postgres", "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8"),
            ],
            check=True,
            stdout=subprocess.DEVNULL,
        )

    def get_server_commandline(self) -> list[str]:
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": self.settings["port"],
            "unix_socket_directories": "",
            "max_connections": 200,
        }
        if not self.durable:
            settings |= {"fsync": "off", "full_page_writes": "off"}
        if self.version == 15 and not self.plain:
            settings |= {
                "shared_preload_libraries": "pg_cron,plpgsql,plpgsql_check",
                "cron.database_name": CRON_DATABASE,
                "cron.host": "127.0.0.1",
                "plpgsql_check.profiler": "on",
                "plpgsql_check.profiler_max_shared_chunks": 50000,
            }
        options = [f"--{name}={value}" for name, value in settings.items()]
        return [*self._as_server_user(), self.postgres, "-D", self.get_data_directory(), *options]

    def is_server_available(self) -> bool:
        try:
            self.connect().close()
        except psycopg.OperationalError:
            return False
        return True

    def poststart(self) -> None:
        pass

    def __del__(self) -> None:
        pass  # whoever made it removes it

    def _as_server_user(self) -> list[str]:
        # In a folder which that user may enter, and without the locale of whoever runs the tests.
        command = ["env", f"--chdir={self.base_dir}", "LC_ALL=C.UTF-8"]
        if os.geteuid() == 0:
            user = f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--init-groups"
            command += ["setpriv", *user]
        return command


def _wait_until_gone(pid: int) -> None:
    status = Path(f"/proc/{pid}/status")
    while True:
        try:
            if re.search(r"^State:\s+Z", status.read_text(), re.MULTILINE):
                return
        except (FileNotFoundError, ProcessLookupError):
            return
        time.sleep(0.01)
