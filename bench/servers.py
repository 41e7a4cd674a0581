"""The servers of a run: durable, on loopback, on ports of their own, gone when the run ends."""

from __future__ import annotations

import atexit
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path
from types import TracebackType

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

from harness.cluster import Cluster, Database  # noqa: E402
from harness.server import SERVER_USER, remove_copied_programs  # noqa: E402

atexit.register(remove_copied_programs)

__all__ = [
    "ROOT",
    "Bench",
    "Cluster",
    "Database",
    "MariaDB",
    "Redis",
    "ServerMissing",
    "missing_packages",
]

REDIS = Path("/usr/bin/redis-server")
MARIADB = Path("/usr/sbin/mariadbd")
PACKAGES = {
    REDIS: "redis-server",
    MARIADB: "mariadb-server-core",
    Path("/usr/bin/my_print_defaults"): "mariadb-client-core",
}


class ServerMissing(Exception):
    """What has to be installed, or why it did not start."""


class Bench:
    """What a part of the run is given; leaving it stops every server that the part started."""

    def __init__(self, *, quick: bool = False, postgres: int = 18) -> None:
        self.quick = quick
        self.postgres = postgres
        self._servers = ExitStack()

    def postgresql(self, version: int | None = None) -> Cluster:
        """With fsync and otherwise the defaults, installed by a login that is no superuser."""
        cluster = Cluster(f"pg{version or self.postgres}-login", durable=True, plain=True)
        self._servers.callback(cluster.remove)
        return cluster

    def redis(self, *, append_only: bool = False) -> Redis:
        """Keeps nothing on disk or, with `append_only`, syncs every write before it answers."""
        redis = Redis(append_only=append_only)
        self._servers.callback(redis.remove)
        return redis

    def mariadb(self) -> MariaDB:
        mariadb = MariaDB()
        self._servers.callback(mariadb.remove)
        return mariadb

    def folder(self) -> Path:
        """An empty folder on the disk that the servers use."""
        folder = Path(tempfile.mkdtemp(prefix="pg-auth-state-bench-"))
        self._servers.callback(shutil.rmtree, folder, ignore_errors=True)
        return folder

    def say(self, text: str) -> None:
        print(text, file=sys.stderr, flush=True)

    def __enter__(self) -> Bench:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._servers.close()


def missing_packages() -> list[str]:
    """Debian packages without which rivals are left out."""
    return [package for file, package in PACKAGES.items() if not file.exists()]


class _Process:
    """A server in a folder of its own, run as nobody's root."""

    def __init__(self, name: str) -> None:
        if missing := missing_packages():
            raise ServerMissing(f"apt-get install {' '.join(missing)}")
        self.port = _free_port()
        self.folder = Path(tempfile.mkdtemp(prefix=f"pg-auth-state-{name}-"))
        if os.geteuid() == 0:
            shutil.chown(self.folder, SERVER_USER, SERVER_USER)
        self.log = self.folder / "log"
        self._process: subprocess.Popen[bytes] | None = None

    def run(self, *command: object) -> None:
        with self.log.open("ab") as log:
            subprocess.run(self._as_server_user(command), check=True, stdout=log, stderr=log)

    def start(self, *command: object) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(
                self._as_server_user(command), stdout=log, stderr=log, stdin=subprocess.DEVNULL
            )
        self._wait(lambda: _answers(self.port))

    def remove(self) -> None:
        if self._process is not None:
            self._process.kill()
            self._process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)

    def _wait(self, ready: Callable[[], bool]) -> None:
        deadline = time.monotonic() + 60
        while not ready():
            assert self._process is not None
            if self._process.poll() is not None or time.monotonic() > deadline:
                raise ServerMissing(f"did not start: {self.log.read_text(errors='replace')[-500:]}")
            time.sleep(0.05)

    def _as_server_user(self, command: tuple[object, ...]) -> list[str]:
        prefix = ["env", f"--chdir={self.folder}", "LC_ALL=C.UTF-8"]
        if os.geteuid() == 0:
            user = f"--reuid={SERVER_USER}", f"--regid={SERVER_USER}", "--init-groups"
            prefix += ["setpriv", *user]
        return [*prefix, *map(str, command)]


class Redis(_Process):
    def __init__(self, *, append_only: bool) -> None:
        super().__init__("redis")
        self.url = f"redis://127.0.0.1:{self.port}"
        options = ["--bind", "127.0.0.1", "--port", self.port, "--dir", self.folder, "--save", ""]
        if append_only:
            options += ["--appendonly", "yes", "--appendfsync", "always"]
        self.start(REDIS, *options)


class MariaDB(_Process):
    """User root without a password, an empty database `bench`, InnoDB syncing every commit."""

    def __init__(self) -> None:
        super().__init__("mariadb")
        self.database = "bench"
        self.user = "root"
        data = self.folder / "data"
        self.run(
            *("/usr/bin/mariadb-install-db", "--no-defaults", f"--datadir={data}"),
            *("--auth-root-authentication-method=normal", "--skip-test-db"),
        )
        setup = self.folder / "setup.sql"
        setup.write_text(f"create database {self.database};\n")
        self.start(
            *(MARIADB, "--no-defaults", f"--datadir={data}", f"--init-file={setup}"),
            *("--bind-address=127.0.0.1", f"--port={self.port}", "--skip-name-resolve"),
            *(f"--socket={self.folder}/socket", f"--pid-file={self.folder}/pid"),
        )


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port: int = free.getsockname()[1]
        return port


def _answers(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=1).close()
    except OSError:
        return False
    return True
