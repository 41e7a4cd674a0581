"""A database that is not UTF8 is refused at once, in words that it can say."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Iterator

import psycopg
import pytest

from harness.cluster import INSTALL_SQL, Cluster, Database
from harness.installing import count, dump, program, refusal

ENCODINGS = ("SQL_ASCII", "LATIN1", "WIN1252", "EUC_JP")


@pytest.fixture(scope="module", params=["pg15-login", "pg18-login"])
def server(request: pytest.FixtureRequest) -> Iterator[Cluster]:
    """In which nobody has installed yet."""
    cluster = Cluster(request.param)
    yield cluster
    cluster.remove()


@pytest.fixture(params=ENCODINGS)
def database(request: pytest.FixtureRequest, server: Cluster) -> Iterator[Database]:
    name = request.param.lower()
    with server.server.connect() as conn:
        conn.execute(
            f"create database {name} encoding '{request.param}' locale 'C' template template0"
            f" owner {server.installer}"
        )
    yield Database(server, name)
    server.drop_database(name)


def nothing_is_left(database: Database, before: str) -> bool:
    query = "select count(*) from pg_roles where rolname ~ '^auth_state'"
    return dump(database) == before and count(database.conn, query) == 0


def is_named(said: str, database: Database) -> bool:
    return (
        f"This database is {database.name.upper()}, and WhatsApp names need UTF8." in said
        and "create database ... encoding 'UTF8' template template0" in said
        and said.isascii()
    )


def test_psql_is_told_and_nothing_is_left(database: Database) -> None:
    before = dump(database)
    done = subprocess.run(
        [
            *(str(program(database, "psql")), "-X", "-v", "ON_ERROR_STOP=1"),
            *("-d", database.installer_dsn, "-f", str(INSTALL_SQL)),
        ],
        capture_output=True,
        text=True,
        env={**os.environ, "LC_ALL": "C.UTF-8"},
    )
    assert done.returncode == 3
    assert is_named(done.stderr, database)
    assert nothing_is_left(database, before)


def by_psycopg(database: Database, encoding: str) -> None:
    before = dump(database)
    with (
        psycopg.connect(database.installer_dsn, client_encoding=encoding, autocommit=True) as conn,
        pytest.raises(psycopg.Error) as caught,
    ):
        conn.execute(INSTALL_SQL.read_bytes())
    assert caught.value.sqlstate == "WA006"
    assert is_named(refusal(caught.value), database)
    assert nothing_is_left(database, before)


def test_psycopg_is_told_by_utf8_and_nothing_is_left(database: Database) -> None:
    by_psycopg(database, "utf8")


def test_psycopg_is_told_by_the_databases_own_encoding_and_nothing_is_left(
    database: Database,
) -> None:
    by_psycopg(database, database.name)


@pytest.mark.parametrize("database", ["SQL_ASCII", "LATIN1"], indirect=True)
def test_psycopg_is_told_by_latin1_and_nothing_is_left(database: Database) -> None:
    by_psycopg(database, "latin1")


# The check comes before anything that somebody else may have put there.
def test_a_database_that_is_not_utf8_is_refused_before_anything_else(database: Database) -> None:
    database.conn.execute("create table whatsapp_auth (n integer)")
    by_psycopg(database, "utf8")


@pytest.mark.parametrize("name", ["pg15-login", "pg18-superuser"])
def test_any_client_encoding_installs_into_utf8(
    new_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = new_cluster(name)
    for encoding in ("latin1", "win1252", "euc_jp", "utf8"):
        database = cluster.new_database("template0")
        with psycopg.connect(
            database.installer_dsn, client_encoding=encoding, autocommit=True
        ) as conn:
            conn.execute(INSTALL_SQL.read_bytes())
            assert conn.execute("select auth_set_keys('acme', '{}')").fetchone() == (0,)
