"""auth_status warns of writes that a crash or a failover may lose, and of a wrong encoding."""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator

import pytest

from harness.cluster import Cluster, Database
from harness.pair import Pair
from harness.processes import wait_until
from harness.server import programs

CLUSTERS = pytest.mark.parametrize("name", ["pg15-login", "pg18-superuser"])


@pytest.fixture
def pair() -> Iterator[Callable[[str], Pair]]:
    """Starts a primary with an asynchronous standby."""
    pairs = []

    def start(name: str) -> Pair:
        pairs.append(Pair(name, synchronous=False))
        return pairs[-1]

    yield start
    for each in pairs:
        each.remove()


def warnings(database: Database) -> list[str]:
    """What the service is told, in a session of its own."""
    with database.connect("app") as conn:
        row = conn.execute("select auth_status() -> 'warnings'").fetchone()
    assert row is not None
    return list(row[0])


def follow(database: Database, warning: str) -> None:
    """Does as it says."""
    database.conn.execute(warning.rpartition(": ")[2])
    reload(database)


def reload(database: Database) -> None:
    before = database.conn.execute("select pg_conf_load_time()").fetchone()
    database.conn.execute("select pg_reload_conf()")

    def is_read() -> bool:
        with database.connect() as conn:
            return conn.execute("select pg_conf_load_time()").fetchone() != before

    wait_until(is_read)


@CLUSTERS
def test_an_asynchronous_standby_is_warned_of_until_commits_wait_for_it(
    pair: Callable[[str], Pair], name: str
) -> None:
    database = pair(name).db
    (warning,) = warnings(database)
    assert warning.startswith("A failover to walreceiver, an asynchronous standby, may lose")
    follow(database, warning)
    assert warnings(database) == []
    # A session that does not wait: only where there is somebody to wait for.
    for value in ("local", "off"):
        database.conn.execute(f"alter role app set synchronous_commit = {value}")
        (warning,) = warnings(database)
        what = "failover" if value == "local" else "crash of the server"
        assert warning.startswith(f"A {what} may lose writes that were acknowledged, because of")
        assert f"synchronous_commit = {value} for role app" in warning
        follow(database, warning)
        assert warnings(database) == []


@CLUSTERS
def test_a_standby_warns_of_no_other_standby(pair: Callable[[str], Pair], name: str) -> None:
    both = pair(name)
    assert both.standby is not None
    wait_until(lambda: warnings(both.on_standby()) == [])


@CLUSTERS
def test_a_backup_an_archiver_and_a_subscriber_are_no_standbys(
    own_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = own_cluster(name)
    server = cluster.server
    with server.connect() as conn:
        conn.execute("alter system set wal_level = logical")
    server.stop()
    server.start()
    database = cluster.new_database()
    database.conn.execute("select pg_create_logical_replication_slot('subscriber', 'pgoutput')")
    archive = f"{server.base_dir}/archive"
    stream = "--slot=subscriber --start --file=- --option=proto_version=1"
    commands = [
        ["pg_recvlogical", "-d", database.dsn, *stream.split(), "--option=publication_names=none"],
        ["pg_basebackup", "-d", server.url(), "-D", f"{archive}-base", "--max-rate=32"],
        ["pg_receivewal", "-d", server.url(), "-D", archive],
    ]
    subprocess.run([*server._as_server_user(), "mkdir", archive], check=True)
    running = [
        subprocess.Popen(
            [*server._as_server_user(), str(programs(server.version) / command[0]), *command[1:]],
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        for command in commands
    ]
    try:
        names = "select array_agg(distinct application_name::text order by application_name::text)"
        wait_until(
            lambda: (
                database.conn.execute(f"{names} from pg_stat_replication").fetchone()
                == (["pg_basebackup", "pg_receivewal", "pg_recvlogical"],)
            )
        )
        assert warnings(database) == []
    finally:
        for process in running:
            process.kill()
            process.wait()


@CLUSTERS
def test_a_server_that_does_not_flush_is_warned_of_until_it_does(
    own_cluster: Callable[[str], Cluster], name: str
) -> None:
    database = own_cluster(name).new_database()
    assert warnings(database) == []
    for setting in ("fsync", "full_page_writes"):
        database.conn.execute(f"alter system set {setting} = off")
        reload(database)
        (warning,) = warnings(database)
        assert f"because of {setting} = off for the server" in warning
        follow(database, warning)
        assert warnings(database) == []


@CLUSTERS
def test_a_server_started_without_flushing_is_to_be_started_with_it(name: str) -> None:
    cluster = Cluster(name, plain=True)
    try:
        first, second = warnings(cluster.new_database())
    finally:
        cluster.remove()
    assert first.endswith("because of fsync = off for the server: start it with fsync = on")
    assert second.endswith(": start it with full_page_writes = on")


# An install refuses it; where there is one of an earlier version nothing else can be said.
@CLUSTERS
def test_a_database_that_is_not_utf8_is_warned_of(
    own_cluster: Callable[[str], Cluster], name: str
) -> None:
    database = own_cluster(name).new_database()
    database.conn.execute(
        "update pg_database set encoding = pg_char_to_encoding('SQL_ASCII')"
        " where datname = current_database()"
    )
    (warning,) = warnings(database)
    assert "this database, which is SQL_ASCII: create database ... encoding 'UTF8'" in warning
