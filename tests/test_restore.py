"""Every way to dump and restore of the table in docs/operations.md, and what it says of it."""

from __future__ import annotations

import re
import shlex
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import psycopg
import pytest

from harness.cluster import ROOT, Cluster, Database
from harness.installing import dump, install, program, schema
from harness.pgtap import CLUSTERS
from harness.restoring import (
    CREDS,
    Kept,
    ensure_role,
    fill,
    is_back,
    is_closed,
    one,
    public_calls,
    refuses_every_call,
    told,
)

DOCUMENT = ROOT / "docs/operations.md"
BOTH = pytest.mark.parametrize("cluster", ["pg15-login", "pg18-superuser"], indirect=True)
EMPTY = (
    "truncate whatsapp_auth, whatsapp_auth_history, whatsapp_keys, whatsapp_leases,"
    " whatsapp_audit, whatsapp_key_ttl, whatsapp_settings, whatsapp_tenant_roles"
)


@dataclass(frozen=True)
class Way:
    dumped_by: str
    dump: str
    into: str
    restored_by: str
    restore: str
    afterwards: str

    def __str__(self) -> str:
        return f"{self.dumped_by} {self.dump}, {self.restored_by} {self.restore}"


def ways() -> list[Way]:
    """The table."""
    text = DOCUMENT.read_text().split("| dump by |")[1].split("\n\n")[0]
    rows = [line.strip("|").split("|") for line in text.splitlines()[2:]]
    return [Way(*(cell.strip().strip("`") for cell in row)) for row in rows]


WAYS = ways()
INTO = ("empty database", "emptied install")
NO_LZ4 = "empty database without lz4"


@dataclass
class Source:
    """A database with accounts, from which each kind of dump is taken once."""

    database: Database
    kept: Kept
    folder: Path

    @cached_property
    def text(self) -> str:
        """All of it, as a plain dump has it."""
        return dump(self.database)

    def archive(self, login: str, options: str) -> Path:
        file = self.folder / re.sub(r"\W", "_", f"{login} {options}")
        if not file.exists():
            run(self.database, login, "pg_dump", *shlex.split(options), "-f", str(file))
        return file


def run(database: Database, login: str, name: str, *options: str) -> None:
    command = [program(database, name), "-d", database.server.url(database.name, login), *options]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert "error" not in done.stderr


@pytest.fixture(scope="module")
def source(cluster: Cluster, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Source]:
    """`dba` is a login that was granted the owner of the tables, and may install."""
    database = cluster.new_database()
    ensure_role(cluster.server, "dba", "login createrole")
    with cluster.server.connect() as conn:
        for role in ("owner", "service", "tenant", "monitor", "proxy"):
            conn.execute(f"grant auth_state_{role} to dba with admin option".encode())
    yield Source(database, fill(database), tmp_path_factory.mktemp("dumps"))
    database.drop()
    with cluster.server.connect() as conn:
        conn.execute("drop role dba")


Target = Callable[[Way], Database]


@pytest.fixture
def target(cluster: Cluster) -> Iterator[Target]:
    """What the way restores into."""
    made = []

    def make(way: Way) -> Database:
        made.append(cluster.new_database("template0"))
        database = made[-1]
        if way.into == "emptied install":
            database.install()
            database.conn.execute(EMPTY)
        if way.restored_by == "dba":
            database.conn.execute(f"alter database {database.name} owner to dba".encode())
            with database.connect("dba") as conn:
                conn.execute("grant usage, create on schema public to auth_state_owner")
        return database

    yield make
    for database in made:
        database.drop()


def login(name: str) -> str:
    return "postgres" if name == "superuser" else name


def restored(source: Source, target: Target, way: Way) -> Database:
    file = source.archive(login(way.dumped_by), way.dump)
    database = target(way)
    run(database, login(way.restored_by), "pg_restore", *shlex.split(way.restore), str(file))
    return database


def of(afterwards: str, *, into: str = "") -> pytest.MarkDecorator:
    found = [way for way in WAYS if way.afterwards == afterwards]
    found = [way for way in found if (way.into == into if into else way.into in INTO)]
    assert found
    return pytest.mark.parametrize("way", found, ids=str)


def test_every_row_of_the_table_is_run() -> None:
    assert {way.into for way in WAYS} == {*INTO, NO_LZ4}
    assert {way.afterwards for way in WAYS} == {
        "as it was",
        "usable; install again",
        "WA006; install again",
    }


@BOTH
@of("as it was")
def test_everything_is_as_it_was(source: Source, target: Target, way: Way) -> None:
    database = restored(source, target, way)
    before = dump(database)
    if way.into == "empty database" and "--exclude" not in way.dump:
        assert before == source.text
    install(database, login(way.restored_by))
    assert dump(database) == before
    is_back(database, source.kept)


@BOTH
@of("usable; install again")
def test_without_privileges_the_accounts_are_there_and_a_stranger_reaches_nothing(
    source: Source, target: Target, way: Way
) -> None:
    database = restored(source, target, way)
    lends = "select proname from pg_proc where prosecdef and starts_with(proname, '_')"
    assert database.conn.execute(lends).fetchall() == []
    is_back(database, source.kept)
    install(database, login(way.restored_by))
    assert schema(database) == schema(source.database)
    is_closed(database)


@BOTH
@of("WA006; install again")
def test_without_owners_every_call_is_refused_until_it_is_installed_again(
    source: Source, target: Target, way: Way
) -> None:
    database = restored(source, target, way)
    for caller in ("app", "postgres"):
        refuses_every_call(database, caller)
    install(database, login(way.restored_by))
    assert dump(database) == source.text
    is_back(database, source.kept)


# Debian's PostgreSQL 15 has lz4, the 18 of `make install-db` has not.
@pytest.mark.parametrize("cluster", ["pg15-login"], indirect=True)
@of("as it was", into=NO_LZ4)
def test_a_server_without_lz4_takes_what_one_with_it_dumped(
    request: pytest.FixtureRequest, source: Source, way: Way
) -> None:
    query = "select distinct pg_column_compression(value) from whatsapp_keys"
    assert ("lz4",) in source.database.conn.execute(query).fetchall()
    newer = request.config.stash[CLUSTERS]["pg18-login"]
    newer.new_database().drop()  # the roles are there
    database = newer.new_database("template0")
    archive = source.archive("postgres", way.dump)
    run(database, login(way.restored_by), "pg_restore", *shlex.split(way.restore), str(archive))
    is_back(database, source.kept)
    database.drop()


@BOTH
def test_the_tables_that_are_emptied_are_all_but_the_migrations(db: Database) -> None:
    names = set(re.findall(r"whatsapp_\w+", EMPTY)) | {"whatsapp_migrations"}
    query = "select relname from pg_class where relkind = 'r' and starts_with(relname, 'whatsapp_')"
    assert {name for (name,) in db.conn.execute(query)} == names
    statements = re.findall(r"-c '(truncate [^']+)'", DOCUMENT.read_text())
    assert len(statements) == 2
    for statement in statements:
        assert statement.split() == EMPTY.split()


@BOTH
def test_a_superuser_heals_what_another_login_restored_without_owners(
    source: Source, target: Target
) -> None:
    way = Way("superuser", "-Fc", "empty database", "dba", "-1 --no-owner --no-privileges", "")
    database = restored(source, target, way)
    install(database, "postgres")
    is_back(database, source.kept)


@BOTH
def test_a_plain_script_restores_like_an_archive(source: Source, target: Target) -> None:
    file = source.archive("postgres", "-Fp")
    database = target(WAYS[0])
    run(database, "postgres", "psql", "-X1q", "-v", "ON_ERROR_STOP=1", "-f", str(file))
    assert dump(database) == source.text
    is_back(database, source.kept)


# Who was granted nothing but to make roles and databases.
@BOTH
def test_what_a_login_that_is_nobody_to_us_restored_is_refused_and_healed(
    cluster: Cluster, source: Source, target: Target
) -> None:
    ensure_role(cluster.server, "boss", "login createrole createdb")
    database = target(WAYS[0])
    database.conn.execute(f"alter database {database.name} owner to boss".encode())
    archive = source.archive("postgres", "-Fc")
    run(database, "boss", "pg_restore", "--no-owner", "--no-privileges", str(archive))
    for caller in ("app", "boss", "postgres"):
        refuses_every_call(database, caller)
    if cluster.version == 15:
        install(database, "boss")
    else:
        with pytest.raises(psycopg.errors.InsufficientPrivilege) as caught:
            install(database, "boss")
        assert "with admin" in (caught.value.diag.message_hint or "")
        install(database, "postgres")
    is_back(database, source.kept)


@BOTH
def test_in_a_schema_of_its_own_without_privileges_no_call_answers_until_it_is_installed_again(
    cluster: Cluster, target: Target, tmp_path: Path
) -> None:
    first = target(WAYS[0])
    install(first, before="set search_path = theirs")
    first.conn.execute("grant auth_state_service to app")
    for_first = f"alter database {first.name} set search_path = theirs"
    first.conn.execute(for_first.encode())
    first.conn.close()
    del first.__dict__["conn"]
    kept = fill(first)
    archive = tmp_path / "archive"
    run(first, "postgres", "pg_dump", "-Fc", "-f", str(archive))

    database = target(WAYS[0])
    run(database, "postgres", "pg_restore", "-1", "--no-privileges", str(archive))
    calls = public_calls(database, "theirs")
    assert len(calls) > 30
    for caller in ("app", "postgres"):
        with database.connect(caller) as conn:
            conn.execute("set search_path = theirs")
            for _, call in calls:
                with pytest.raises(psycopg.Error):
                    conn.execute(f"select {call}".encode())
    install(database, "postgres", before="set search_path = theirs")
    with database.connect("app") as conn:
        conn.execute("set search_path = theirs")
        assert told(conn) == kept.told


# pg_restore then leaves row-level security off, too: what stands behind the functions is missing.
@pytest.mark.parametrize("cluster", ["pg18-superuser"], indirect=True)
def test_without_policies_the_status_says_so_and_installing_again_makes_them(
    source: Source, target: Target
) -> None:
    archive = source.archive("postgres", "-Fc")
    database = target(WAYS[0])
    run(database, "postgres", "pg_restore", "-1", "--no-policies", str(archive))
    with database.connect("app") as conn:
        assert told(conn) == source.kept.told
        (warnings,) = one(conn, "select auth_status() -> 'warnings'")
        assert sum("row-level security" in warning for warning in warnings) >= 9
    install(database)
    assert dump(database) == source.text
    is_back(database, source.kept)


@BOTH
def test_versions_grow_beyond_those_that_came_after_the_dump(
    source: Source, target: Target
) -> None:
    versions = []
    for counter in (1, 2):
        with restored(source, target, WAYS[0]).connect("app") as conn:
            save = "select auth_save_creds('acme', %s)"
            versions.append(one(conn, save, [CREDS % -counter])[0])
    assert versions[1] > versions[0]


@BOTH
def test_without_row_security_a_login_dumps_nothing_and_is_told(source: Source) -> None:
    done = dump_as(source.database, "dba", "--role=auth_state_owner")
    assert done.returncode != 0
    assert "row-level security" in done.stderr
    assert "S3CRET" not in done.stdout


# With the flag it would be a dump of nothing that looks like one.
@BOTH
@pytest.mark.parametrize(("options", "code"), [((), 1), (("--enable-row-security",), 0)])
def test_a_member_of_pg_read_all_data_dumps_no_row(
    source: Source, options: tuple[str, ...], code: int
) -> None:
    ensure_role(source.database.server, "reads_all")
    source.database.conn.execute("grant pg_read_all_data to reads_all")
    done = dump_as(source.database, "reads_all", "--table=public.whatsapp_*", *options)
    assert done.returncode == code, done.stderr
    assert "S3CRET" not in done.stdout


def dump_as(database: Database, login: str, *options: str) -> subprocess.CompletedProcess[str]:
    url = database.server.url(database.name, login)
    command = [program(database, "pg_dump"), "-d", url, *options]
    return subprocess.run(command, capture_output=True, text=True)
