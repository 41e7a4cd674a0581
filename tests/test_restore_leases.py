"""A lease belongs to the history of its server: wherever its row is brought, it is over there."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from harness.cluster import Cluster, Database
from harness.installing import refusal, run_program
from harness.pair import Standby
from harness.processes import wait_until
from harness.restoring import Kept, fill, is_back, leases_are_over, one
from harness.server import Server

BOTH = pytest.mark.parametrize("cluster", ["pg15-login", "pg18-superuser"], indirect=True)
RESUME = "select acquired, token from auth_acquire_lease('acme', 'bot-1', p_token => %s)"
ROLES = ("owner", "service", "tenant", "monitor", "proxy")


# In the same database: a dump of the rows alone, over what came later.


LEASES = "--data-only", "-t", "whatsapp_leases"
# How the rows get into a file, and back.
WAYS = {
    "pg_restore": (
        ("pg_dump", "-Fc", "-f", "{file}"),
        ("pg_restore", *LEASES, "{file}"),
    ),
    "pg_restore --disable-triggers": (
        ("pg_dump", "-Fc", "-f", "{file}"),
        ("pg_restore", *LEASES, "--disable-triggers", "{file}"),
    ),
    "inserts in one transaction": (
        ("pg_dump", *LEASES, "--inserts", "-f", "{file}"),
        ("psql", "-X1", "-v", "ON_ERROR_STOP=1", "-f", "{file}"),
    ),
    "copy by hand": (
        ("psql", "-Xc", "\\copy whatsapp_leases to '{file}'"),
        ("psql", "-Xc", "\\copy whatsapp_leases from '{file}'"),
    ),
}


@BOTH
@pytest.mark.parametrize(
    ("way", "empty"), [*((way, "truncate") for way in WAYS), ("pg_restore", "delete from")]
)
def test_a_token_that_was_stolen_after_the_dump_does_not_come_back_with_it(
    db: Database, way: str, empty: str, tmp_path: Path
) -> None:
    dump, restore = WAYS[way]
    kept = fill(db)
    run_program(db, *(part.format(file=tmp_path / "file") for part in dump))
    with db.connect("app") as conn:
        steal = "select token from auth_acquire_lease('acme', 'thief', '1 hour', true)"
        conn.execute("select auth_release_lease('acme', %s)", one(conn, steal))
    db.conn.execute(f"{empty} whatsapp_leases".encode())
    run_program(db, *(part.format(file=tmp_path / "file") for part in restore))
    query = "select token from whatsapp_leases where company_id = 'acme'"
    assert one(db.conn, query) == (kept.token,)
    leases_are_over(db, kept)


@BOTH
def test_a_row_that_was_written_by_hand_is_no_lease(db: Database) -> None:
    kept = fill(db)
    db.conn.execute("create temp table before as table whatsapp_leases")
    db.conn.execute("truncate whatsapp_leases")
    db.conn.execute("insert into whatsapp_leases table before")
    leases_are_over(db, kept)


# In another server that was set up alike: the same numbers of transactions and objects.


class ServerAt(Server):
    """Like any other, on a port that is given."""

    def __init__(self, version: int, port: int | None = None) -> None:
        self._port = port
        super().__init__(version, plain=True)

    def prestart(self) -> None:
        if self._port is not None:
            self.settings["port"] = self._port
        super().prestart()


def like_built(version: int, port: int | None = None) -> Cluster:
    cluster = Cluster(f"pg{version}-superuser", plain=True)
    cluster._server = ServerAt(version, port)
    with cluster.server.connect() as conn:
        conn.execute("create role app login")
    cluster.create_database("mydb")
    return cluster


def advance_to(database: Database, transaction: int) -> None:
    """The next one that writes has that number."""
    while int(one(database.conn, "select pg_current_xact_id()::text")[0]) < transaction - 1:
        pass


def make_roles(database: Database) -> None:
    for role in ROLES:
        database.conn.execute(f"create role auth_state_{role}")
    database.conn.execute("grant auth_state_service to app")


@pytest.mark.parametrize(("version", "what"), [(15, "rows alone"), (18, "whole")])
def test_a_server_that_was_set_up_alike_believes_no_lease_of_the_first(
    version: int, what: str, tmp_path: Path
) -> None:
    archive = tmp_path / "archive"
    first = like_built(version)
    second = None
    try:
        there = Database(first, "mydb")
        there.install()
        kept = fill(there)
        query = "select written_by::text from whatsapp_leases where company_id = 'acme'"
        transaction = int(one(there.conn, query)[0])
        run_program(there, "pg_dump", "-Fc", "-f", str(archive))
        there.conn.close()
        port = first.server.settings["port"]
        first.remove()

        second = like_built(version, port)
        here = Database(second, "mydb")
        options = ["-1"]
        if what == "whole":
            make_roles(here)
        else:
            here.install()
            here.conn.execute("truncate whatsapp_key_ttl")
            options += ["--data-only", "-t", "whatsapp_auth", "-t", "whatsapp_auth_history"]
            options += ["-t", "whatsapp_keys", "-t", "whatsapp_leases", "-t", "whatsapp_settings"]
            options += ["-t", "whatsapp_key_ttl"]
        advance_to(here, transaction)
        run_program(here, "pg_restore", *options, str(archive))
        query = "select xmin = written_by from whatsapp_leases where company_id = 'acme'"
        assert one(here.conn, query) == (True,), "not the same number: the test shows nothing"
        is_back(here, kept)
    finally:
        first.remove()
        if second is not None:
            second.remove()


# A copy of the database beside it.


def copy_of(db: Database) -> Database:
    """By `create database ... template`, which wants nobody in the database."""
    db.conn.close()
    del db.__dict__["conn"]
    name = f"{db.name}_copy"
    db.cluster.create_database(name, db.name)
    return Database(db.cluster, name)


@BOTH
def test_a_lease_is_over_in_a_copy_by_template_and_goes_on_in_the_original(db: Database) -> None:
    kept = fill(db)
    copy = copy_of(db)
    with db.connect("app") as conn:
        assert one(conn, "select auth_set_keys('acme', '{}', %s)", [kept.token]) == (0,)
    is_back(copy, kept)
    copy.drop()


@BOTH
def test_a_copy_that_takes_the_name_of_the_original_does_not_take_its_leases(db: Database) -> None:
    kept = fill(db)
    copy = copy_of(db)
    db.drop()
    with db.server.connect() as conn:
        names = map(sql.Identifier, (copy.name, db.name))
        conn.execute(sql.SQL("alter database {} rename to {}").format(*names))
    is_back(db, kept)


@BOTH
def test_a_lease_outlives_a_new_name_of_its_database(db: Database) -> None:
    kept = fill(db)
    db.conn.close()
    del db.__dict__["conn"]
    with db.server.connect() as conn:
        conn.execute(f"alter database {db.name} rename to {db.name}_new".encode())
    renamed = Database(db.cluster, f"{db.name}_new")
    with renamed.connect("app") as conn:
        assert one(conn, "select auth_set_keys('acme', '{}', %s)", [kept.token]) == (0,)
    with db.server.connect() as conn:
        conn.execute(f"alter database {db.name}_new rename to {db.name}".encode())


# A copy of the whole server, and the server itself, started again.


@pytest.fixture(scope="module", params=["pg15-login", "pg18-superuser"])
def own(request: pytest.FixtureRequest) -> Iterator[tuple[Cluster, Database, Kept]]:
    cluster = Cluster(request.param, durable=True, plain=True)
    database = cluster.new_database()
    yield cluster, database, fill(database)
    cluster.remove()


class Copied(Standby):
    """The files of the primary, started as they are."""

    def start(self) -> None:
        for name in ("standby.signal", "postmaster.pid", "postmaster.opts"):
            Path(self.get_data_directory(), name).unlink(missing_ok=True)
        super().start()


class CopiedWhileStopped(Copied):
    def initialize_database(self) -> None:
        data = self.get_data_directory()
        shutil.rmtree(data)
        subprocess.run(["cp", "-a", self.primary.get_data_directory(), data], check=True)


def test_a_restart_ends_no_lease_and_a_raw_copy_on_another_port_does(
    own: tuple[Cluster, Database, Kept],
) -> None:
    cluster, db, kept = own
    db.conn.close()
    db.server.terminate()
    copy = CopiedWhileStopped(cluster.server)
    try:
        cluster.server.start()
        with db.connect("app") as conn:
            assert one(conn, "select auth_set_keys('acme', '{}', %s)", [kept.token]) == (0,)
            live = "select is_live from auth_list_leases() where company_id = 'acme'"
            assert one(conn, live) == (True,)
        _is_dead_and_resumed(db, copy, kept)
    finally:
        copy.remove()


def test_a_base_backup_that_is_started_as_a_server_of_its_own_has_no_lease(
    own: tuple[Cluster, Database, Kept],
) -> None:
    cluster, db, kept = own
    copy = Copied(cluster.server)
    try:
        _is_dead_and_resumed(db, copy, kept)
    finally:
        copy.remove()


def _is_dead_and_resumed(db: Database, copy: Server, kept: Kept) -> None:
    """A copy of the files cannot be told from a standby that took over: the holder may resume."""
    with copy.connect(db.name, "app") as conn:
        assert one(conn, "select pg_is_in_recovery()") == (False,)
        assert (True,) not in conn.execute("select is_live from auth_list_leases()").fetchall()
        assert one(conn, "select auth_status() ->> 'live_leases'") == ("0",)
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [kept.token])
        assert caught.value.sqlstate == "WA002"
        assert "what was written last may be missing" in refusal(caught.value)
        assert "p_token" in refusal(caught.value)
        acquired, token = one(conn, RESUME, [kept.token])
        assert acquired
        assert token > kept.token


class Recovered(Copied):
    """Recovered from the backup as far as it goes, then promoted; in place of the primary."""

    def start(self) -> None:
        self.settings["port"] = self.primary.settings["port"]
        self.primary.terminate()
        Path(self.get_data_directory(), "recovery.signal").touch()
        with Path(self.get_data_directory(), "postgresql.auto.conf").open("w") as settings:
            settings.write("restore_command = 'false'\nrecovery_target = 'immediate'\n")
            settings.write("recovery_target_action = 'promote'\n")
        super().start()


def test_a_recovery_to_a_point_in_time_ends_every_lease_also_on_the_same_port(
    own: tuple[Cluster, Database, Kept],
) -> None:
    cluster, db, kept = own
    recovered = Recovered(cluster.server)
    try:
        with recovered.connect() as conn:
            wait_until(lambda: one(conn, "select not pg_is_in_recovery()")[0])
        _is_dead_and_resumed(db, recovered, kept)
    finally:
        recovered.remove()
        cluster.server.start()


class CopiedInPlace(Copied):
    def start(self) -> None:
        self.settings["port"] = self.primary.settings["port"]
        self.primary.terminate()
        super().start()


# docs/operations.md, "What ends a lease", says so and what to do.
def test_a_copy_in_place_of_the_original_cannot_be_told_from_a_restart(
    own: tuple[Cluster, Database, Kept],
) -> None:
    cluster, db, kept = own
    copy = CopiedInPlace(cluster.server)
    try:
        with copy.connect(db.name, "app") as conn:
            assert one(conn, "select auth_set_keys('acme', '{}', %s)", [kept.token]) == (0,)
    finally:
        copy.remove()
        cluster.server.start()


@BOTH
def test_a_lease_outlives_maintenance_of_its_table(db: Database) -> None:
    kept = fill(db)
    for statement in ("vacuum full", "vacuum freeze", "cluster", "reindex table"):
        using = " using whatsapp_leases_pkey" if statement == "cluster" else ""
        db.conn.execute(f"{statement} whatsapp_leases{using}".encode())
        with db.connect("app") as conn:
            assert one(conn, "select auth_set_keys('acme', '{}', %s)", [kept.token]) == (0,)
