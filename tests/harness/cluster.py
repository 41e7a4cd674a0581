"""Where tests find pg-auth-state installed: one cluster per PostgreSQL version and installer."""

from __future__ import annotations

import itertools
import threading
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from pathlib import Path

import psycopg
from psycopg import sql

from harness import coverage
from harness.server import CRON_DATABASE, PGTAP, Server

ROOT = Path(__file__).parents[2]
INSTALL_SQL = ROOT / "dist/pg_auth_state.sql"
UNINSTALL_SQL = ROOT / "dist/pg_auth_state_uninstall.sql"

COMBINATIONS = ("pg15-superuser", "pg15-login", "pg18-superuser", "pg18-login")
MEASURED = "pg15-superuser"  # where the coverage of the functions is taken

_numbers = itertools.count(1)


class Database:
    """A database of its own for one test."""

    def __init__(self, cluster: Cluster, name: str) -> None:
        self.cluster = cluster
        self.server = cluster.server
        self.name = name
        self.dsn = self.server.url(name)
        self.installer_dsn = self.server.url(name, cluster.installer)
        self.service_dsn = self.server.url(name, "app")

    @cached_property
    def conn(self) -> psycopg.Connection:
        """A superuser's connection, autocommit."""
        return self.connect()

    def connect(self, user: str = "postgres", *, autocommit: bool = True) -> psycopg.Connection:
        """`user`: postgres, app (has auth_state_service) or cluster.installer."""
        return self.server.connect(self.name, user, autocommit=autocommit)

    def install(self) -> None:
        """What installing is: the installer runs the built file."""
        with self.connect(self.cluster.installer) as conn:
            conn.execute(INSTALL_SQL.read_bytes())
        self.conn.execute("grant auth_state_service to app")

    def drop(self) -> None:
        if "conn" in self.__dict__:
            self.conn.close()
        if self.cluster.name == MEASURED and self.cluster.shared:
            coverage.collect(self.dsn)
        self.cluster.drop_database(self.name)


class Cluster:
    """A server, and the templates that its databases are cloned from, made when first needed.

    `app` is a login with auth_state_service; `installer` the login that installs, either the
    superuser or an owner of databases with CREATEROLE and nothing else.
    """

    def __init__(
        self, name: str, *, shared: bool = False, durable: bool = False, plain: bool = False
    ) -> None:
        self.name = name
        self.shared = shared
        version, installer = name.removeprefix("pg").split("-")
        self.version = int(version)
        self.installer = "postgres" if installer == "superuser" else "installer"
        self._durable = durable
        self._plain = plain
        self._lock = threading.RLock()
        self._server: Server | None = None
        self._made: set[str] = set()

    @property
    def server(self) -> Server:
        with self._lock:
            if self._server is None:
                self._server = Server(self.version, durable=self._durable, plain=self._plain)
                self._execute("create role app login")
                if self.installer != "postgres":
                    self._execute(
                        "create role installer login nosuperuser nobypassrls createrole nocreatedb"
                    )
                if self.version == 15 and not self._plain:
                    self.create_database(CRON_DATABASE)
            return self._server

    def new_database(self, template: str = "installed") -> Database:
        """A clone of `installed`, or of `template0`: then nothing is installed."""
        if template == "installed":
            self._make("installed")
        name = f"test_{next(_numbers)}"
        self.create_database(name, template)
        return Database(self, name)

    @property
    def has_pgtap_database(self) -> bool:
        return "pgtap" in self._made

    def pgtap_database(self) -> Database:
        """Installed, with pgTAP in the schema `tap`; shared by all pgTAP files."""
        self._make("pgtap")
        return Database(self, "pgtap")

    def cron_database(self) -> Database:
        """Installed in the database of pg_cron, with its extension; PostgreSQL 15 only."""
        self.drop_database(CRON_DATABASE)
        self.create_database(CRON_DATABASE)
        database = Database(self, CRON_DATABASE)
        database.conn.execute("create extension pg_cron")
        database.conn.execute(f"grant usage on schema cron to {self.installer}")
        database.install()
        return database

    def create_database(self, name: str, template: str = "template0") -> None:
        self._execute(
            sql.SQL("create database {} template {} owner {}").format(
                sql.Identifier(name), sql.Identifier(template), sql.Identifier(self.installer)
            )
        )

    def drop_database(self, name: str) -> None:
        self._execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))

    def remove(self) -> None:
        with self._lock:
            if self._server is not None:
                self._server.remove()
                self._server = None

    def _make(self, name: str) -> None:
        """Makes the database `installed` or `pgtap` if it is not there; whole, or not at all."""
        with self._lock:
            if name in self._made:
                return
            if name == "pgtap":
                self._make("installed")
            self.create_database(name, "installed" if name == "pgtap" else "template0")
            try:
                if name == "pgtap":
                    with self.server.connect(name) as conn:
                        conn.execute("create schema tap; grant usage on schema tap to public")
                        conn.execute("set search_path = tap, public")
                        conn.execute(PGTAP.read_bytes())
                else:
                    database = Database(self, name)
                    database.install()
                    database.conn.close()
            except psycopg.Error:
                self.drop_database(name)
                raise
            self._made.add(name)

    def _execute(self, statement: str | sql.Composed) -> None:
        with self.server.connect() as conn:
            conn.execute(statement)


class Clusters:
    """The clusters that all tests share."""

    def __init__(self) -> None:
        self._clusters = {name: Cluster(name, shared=True) for name in COMBINATIONS}

    def __getitem__(self, name: str) -> Cluster:
        return self._clusters[name]

    def start(self, names: set[str]) -> None:
        """Starts several at once; a failure shows when the cluster is used."""
        with ThreadPoolExecutor(len(COMBINATIONS)) as pool:
            for name in names:
                pool.submit(self._clusters[name].pgtap_database)

    def remove(self) -> None:
        for cluster in self._clusters.values():
            cluster.remove()
