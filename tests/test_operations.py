"""docs/operations.md, run: every block, in the order of the page, by bash and psql."""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path

import psycopg
import pytest
from psycopg import sql

from harness.cluster import INSTALL_SQL, ROOT, Cluster, Database
from harness.installing import count
from harness.pair import Pair
from harness.pgbouncer import PgBouncer
from harness.processes import wait_until
from harness.restoring import CREDS, fill, is_back, one, refuses_every_call
from harness.server import SERVER_USER, Server, programs

DOCUMENT = (ROOT / "docs/operations.md").read_text()
ROLES = ("owner", "service", "tenant", "monitor", "proxy")
LOGINS = ("my_backend", "dba")


@dataclass(frozen=True)
class Block:
    language: str
    code: str


def sections() -> dict[str, list[Block]]:
    """The blocks by the heading above them."""
    found: dict[str, list[Block]] = {}
    for part in DOCUMENT.split("\n## ")[1:]:
        heading, _, text = part.partition("\n")
        blocks = re.findall(r"^```(\w*)\n(.*?)^```$", text, re.DOTALL | re.MULTILINE)
        if blocks:
            found[heading] = [Block(*block) for block in blocks]
    return found


SECTIONS = sections()


@dataclass
class Page:
    """Runs the blocks of one section, one after the other; each host name is one of our servers."""

    heading: str
    folder: Path
    hosts: dict[str, Server]
    replaced: dict[str, str] = field(default_factory=dict)
    ran: int = 0

    def run(self, *, user: str | None = None, error: str = "nothing") -> str:
        """The next block: what it printed. `user` is of the operating system, `error` is fine."""
        block = SECTIONS[self.heading][self.ran]
        self.ran += 1
        code = block.code
        for text, other in self.replaced.items():
            assert text in DOCUMENT
            code = code.replace(text, other)
        if block.language == "sql":
            command = self._psql(code)
            code = self._with_hosts(code.partition("\n")[2])
        else:
            assert block.language == "sh"
            command = ["bash", "-euo", "pipefail", "-c", self._with_hosts(code)]
        if user and os.geteuid() == 0:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
        done = subprocess.run(
            command,
            input=code if block.language == "sql" else None,
            cwd=self.folder,
            env=self._environment(code),
            capture_output=True,
            text=True,
        )
        assert done.returncode == 0, done.stdout + done.stderr
        # psql goes on after an error in a file.
        errors = re.findall(r"^.*\b(?:ERROR|error): .*$", done.stderr, re.MULTILINE)
        assert [line for line in errors if error not in line] == []
        return done.stdout

    def run_all(self) -> list[str]:
        return [self.run() for _ in SECTIONS[self.heading][self.ran :]]

    def _psql(self, code: str) -> list[str]:
        where = re.match(r"-- as (a superuser|\w+) in (\w+)(?: on (\S+))?\n", code)
        assert where, "its first line does not say as whom and where it runs"
        login, database, host = where.groups()
        server = self.hosts[host or "db.example.com"]
        url = server.url(database, "postgres" if login == "a superuser" else login)
        return ["psql", "-XAtq", "-v", "ON_ERROR_STOP=1", "-d", url]

    def _with_hosts(self, code: str) -> str:
        pair = "old.example.com,new.example.com"
        if pair in code:
            ports = [self.hosts[host].settings["port"] for host in pair.split(",")]
            code = code.replace(pair, ",".join(f"127.0.0.1:{port}" for port in ports))
        for host, server in self.hosts.items():
            port = server.settings["port"]
            code = code.replace(f"-h {host}", f"-h 127.0.0.1 -p {port}")
            code = code.replace(f"host={host}", f"host=127.0.0.1 port={port}")
            code = code.replace(f"@{host}/", f"@127.0.0.1:{port}/")
        assert ".example.com" not in code
        return code

    def _environment(self, code: str) -> dict[str, str]:
        server = self.hosts["db.example.com"]
        # "Those of the server that is restored to."
        folder = programs(18 if "new.example.com" in code else server.version)
        return {
            **os.environ,
            "PATH": f"{folder}:{ROOT}/.venv/bin:{os.environ['PATH']}",
            "PGHOST": "127.0.0.1",
            "PGPORT": str(server.settings["port"]),
            "PGUSER": "postgres",
        }


class Loaded(Server):
    """With pgaudit beside pg_cron, and what logical replication takes."""

    def get_server_commandline(self) -> list[str]:
        command: list[str] = super().get_server_commandline()
        libraries = "--shared_preload_libraries="
        return [
            *(
                f"{option},pgaudit" if option.startswith(libraries) else option
                for option in command
            ),
            "--wal_level=logical",
        ]


@pytest.fixture(scope="module")
def servers() -> Iterator[dict[int, Cluster]]:
    """One of PostgreSQL 15 with pg_cron in database `cron`, and one of 18."""
    clusters = {15: Cluster("pg15-superuser"), 18: Cluster("pg18-superuser", plain=True)}
    try:
        clusters[15]._server = Loaded(15)
        with clusters[15].server.connect() as conn:
            conn.execute("create role app login")
        clusters[15].create_database("cron")
        with clusters[15].server.connect("cron") as conn:
            conn.execute("create extension pg_cron")
        yield clusters
    finally:
        for cluster in clusters.values():
            cluster.remove()


def wipe(cluster: Cluster) -> None:
    """As if nothing had been done on it, but for pg_cron."""
    with cluster.server.connect() as conn:
        kept = ("postgres", "template0", "template1", "cron")
        for (name,) in conn.execute("select datname from pg_database").fetchall():
            if name not in kept:
                conn.execute(sql.SQL("drop database {} with (force)").format(sql.Identifier(name)))
        names = [f"auth_state_{role}" for role in ROLES]
        for name in (*names, *LOGINS):
            conn.execute(sql.SQL("drop role if exists {}").format(sql.Identifier(name)))


def installed(cluster: Cluster, name: str = "mydb") -> Database:
    """A database with the package, for the login of the bots, too."""
    cluster.create_database(name)
    database = Database(cluster, name)
    database.conn.execute(INSTALL_SQL.read_bytes())
    for login in LOGINS:
        query = "select from pg_roles where rolname = %s"
        if database.conn.execute(query, [login]).fetchone() is None:
            database.conn.execute(f"create role {login} login".encode())
    database.conn.execute("grant auth_state_service to my_backend, app")
    return database


Open = Callable[..., Page]


@pytest.fixture
def page(
    servers: dict[int, Cluster], request: pytest.FixtureRequest, tmp_path: Path
) -> Iterator[Open]:
    """Opens it at a heading; `db.example.com` is the server of that version, `new` always 18."""
    opened: list[Page] = []
    (tmp_path / "dist").symlink_to(ROOT / "dist")

    def at(heading: str, version: int = 18) -> Page:
        for cluster in servers.values():
            wipe(cluster)
        hosts = {"db": servers[version], "old": servers[15], "new": servers[18]}
        at_hosts = {f"{name}.example.com": cluster.server for name, cluster in hosts.items()}
        opened.append(Page(heading, tmp_path, at_hosts))
        return opened[-1]

    yield at
    for each in opened:
        assert each.ran == len(SECTIONS[each.heading]), "not every block of the section was run"


BOTH = pytest.mark.parametrize("version", [15, 18])


def call(database: Database, login: str, query: str) -> object:
    with database.connect(login) as conn:
        (value,) = one(conn, query)
    return value


def test_every_section_with_a_block_has_a_test_here() -> None:
    source = Path(__file__).read_text()
    assert [name for name in SECTIONS if f'page("{name}"' not in source] == []


def test_every_link_leads_somewhere() -> None:
    anchors = {
        re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-")
        for heading in re.findall(r"^## (.+)$", DOCUMENT, re.MULTILINE)
    }
    for target in re.findall(r"\]\(([^)]+)\)", DOCUMENT):
        assert target[1:] in anchors if target[0] == "#" else (ROOT / "docs" / target).exists()


@BOTH
def test_it_installs_for_a_superuser_and_for_a_login(
    page: Open, servers: dict[int, Cluster], version: int
) -> None:
    opened = page("Install", version)
    opened.run()
    opened.run()
    mydb, theirs = (Database(servers[version], name) for name in ("mydb", "theirs"))
    assert call(mydb, "my_backend", "select auth_get_creds('acme')") is None
    wipe(servers[version])  # "Or"
    opened.run()
    assert call(theirs, "dba", "select whatsapp.auth_get_creds('acme')") is None


@BOTH
def test_it_upgrades(page: Open, servers: dict[int, Cluster], version: int) -> None:
    opened = page("Upgrade", version)
    database = installed(servers[version])
    kept = fill(database)
    opened.run_all()
    with database.connect("app") as conn:
        assert one(conn, "select auth_set_keys('acme', '{}', %s)", [kept.token]) == (0,)


@BOTH
def test_it_keeps_a_setting_and_goes_back_to_the_default(
    page: Open, servers: dict[int, Cluster], version: int
) -> None:
    opened = page("Settings", version)
    installed(servers[version])
    assert opened.run().split("\n")[:2] == ["90 days", "365 days"]


def test_it_schedules_and_shows_the_jobs_of_two_databases(
    page: Open, servers: dict[int, Cluster]
) -> None:
    opened = page("Cleanup job", 15)
    installed(servers[15])
    installed(servers[15], "other")
    shown = opened.run()
    assert re.search(
        r"cleanup-whatsapp-keys +\| mydb +\| postgres +\| 0 \*/6 \* \* \* +\| t", shown
    )
    assert re.search(r"cleanup-whatsapp-keys in other +\| other +\| postgres +\| 30 \*/6", shown)
    assert "not scheduled any more" in shown
    assert opened.run() == "0\n"
    with servers[15].server.connect("cron") as conn:
        conn.execute("select cron.unschedule(jobid) from cron.job")


def test_it_backs_up_and_restores_also_into_another_server(
    page: Open, servers: dict[int, Cluster]
) -> None:
    opened = page("Back up and restore", 15)
    mydb = installed(servers[15])
    kept = fill(mydb)
    opened.run()
    is_back(Database(servers[15], "restored"), kept)

    query = "select pg_has_role('my_backend', 'auth_state_service', 'USAGE')"
    for error in ("already exists", "nothing"):
        wipe(servers[18])
        opened.run(error=error)
        with servers[18].server.connect() as conn:
            assert one(conn, query) == (True,)

    opened.run()
    opened.run()
    theirs = Database(servers[15], "theirs")
    is_back(theirs, kept)
    opened.run()
    with theirs.connect("dba") as conn, pytest.raises(psycopg.errors.InsufficientPrivilege):
        conn.execute("select from whatsapp_auth")

    opened.run()
    assert b"pg_cron" not in (opened.folder / "cron.dump").read_bytes()
    run(opened, "createdb -T template0 without_cron; pg_restore -1 -d without_cron cron.dump")

    mydb.conn.close()
    wipe(servers[18])
    opened.run(error="already exists")
    is_back(Database(servers[15], "copy"), kept)
    is_back(Database(servers[18], "mydb"), kept)


@BOTH
def test_it_restores_rows_alone_over_what_is_there(
    page: Open, servers: dict[int, Cluster], version: int
) -> None:
    opened = page("Rows alone", version)
    kept = fill(installed(servers[version]))
    restored = installed(servers[version], "restored")
    fill(restored)
    opened.run()
    is_back(restored, kept)

    theirs = installed(servers[version], "theirs")
    fill(theirs)
    theirs.conn.execute("grant auth_state_owner to dba")
    opened.run()
    is_back(theirs, kept)


def test_a_dump_that_cannot_be_read_empties_no_table(
    page: Open, servers: dict[int, Cluster]
) -> None:
    opened = page("Rows alone")
    kept = fill(installed(servers[18], "restored"))
    code = SECTIONS[opened.heading][0].code.partition("\n")[2]
    said = run(opened, f"head -c 100 /dev/urandom > rows.dump\n{code.strip()} || true")
    assert "not appear to be a valid archive" in said
    with Database(servers[18], "restored").connect("app") as conn:
        assert one(conn, "select auth_set_keys('acme', '{}', %s)", [kept.token]) == (0,)
    opened.ran = len(SECTIONS[opened.heading])


def test_it_brings_one_account_back(page: Open, servers: dict[int, Cluster]) -> None:
    opened = page("One account back", 15)
    opened.replaced = {"962302": "acme"}
    mydb = installed(servers[15])
    kept = fill(mydb)
    with mydb.connect("app") as conn:
        conn.execute("select auth_release_lease('acme', %s)", [kept.token])
    mydb.conn.close()
    servers[15].create_database("restored", "mydb")
    with mydb.connect("app") as conn:
        conn.execute("select auth_clear_keys('acme')")
        conn.execute("select auth_set_keys('acme', '{\"session\": {\"9.0\": 1}}')")
    opened.run()
    with mydb.connect("app") as conn:
        exported = "auth_export('acme')"
        assert conn.execute(f"select {exported}".encode()).fetchall() == kept.told[exported]


def test_it_upgrades_the_whole_server_from_15_to_18(page: Open, tmp_path: Path) -> None:
    opened = page("pg_upgrade")
    old = Cluster("pg15-superuser", plain=True)
    new: Server | None = None
    try:
        database = Database(old, "mydb")
        old.create_database("mydb")
        database.install()
        # The server that the tests have of 18 has no lz4.
        for column in ("whatsapp_auth.creds", "whatsapp_auth_history.creds", "whatsapp_keys.value"):
            table, name = column.split(".")
            database.conn.execute(f"alter table {table} alter {name} set compression pglz".encode())
        database.conn.execute("create role bot_of_acme login")
        kept = fill(database)
        database.conn.execute("select auth_bind_role('bot_of_acme', 'acme')")
        port = old.server.settings["port"]
        database.conn.close()
        old.server.terminate()

        new = Upgraded(port)
        opened.folder = Path(new.base_dir)
        opened.replaced = {
            "/usr/lib/postgresql/18/bin": str(programs(18)),
            "/usr/lib/postgresql/15/bin": str(programs(15)),
            "/var/lib/postgresql/18/main": new.get_data_directory(),
            "/var/lib/postgresql/15/main": old.server.get_data_directory(),
        }
        opened.run(user=SERVER_USER)
        new.start()
        upgraded = Cluster("pg18-superuser", plain=True)
        upgraded._server = new
        opened.folder = tmp_path
        opened.hosts["db.example.com"] = new
        opened.run()
        here = Database(upgraded, "mydb")
        assert one(here.conn, "show server_version_num")[0].startswith("18")
        is_back(here, kept)
        with here.connect("bot_of_acme") as conn:
            assert one(conn, "select auth_get_creds('acme') is not null") == (True,)
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute("select auth_get_creds('keys alone')")
    finally:
        old.remove()
        if new is not None:
            new.remove()


class Upgraded(Server):
    """Its data directory is made by the page; on the port of the old server."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._is_made = False
        super().__init__(18, plain=True)

    def initialize_database(self) -> None:
        Path(self.get_data_directory()).rmdir()

    def start(self) -> None:
        self.settings["port"] = self._port
        if self._is_made:
            super().start()
        self._is_made = True


def test_it_moves_by_logical_replication_from_15_to_18(
    page: Open, servers: dict[int, Cluster]
) -> None:
    opened = page("Logical replication", 15)
    old = installed(servers[15])
    kept = fill(old)
    with servers[18].server.connect() as conn:
        conn.execute("create role my_backend login")
    opened.run()
    opened.run()
    new = Database(servers[18], "mydb")
    new.conn.execute("grant auth_state_service to my_backend, app")
    default_brings_nothing(old, new)
    opened.run()
    wait_until(lambda: opened_again(opened) == "", timeout=60)
    with old.connect("app") as conn:
        for value in ("1", "null"):
            data = f'{{"session": {{"3.0": {value}}}}}'
            conn.execute("select auth_set_keys('acme', %s, %s)", [data, kept.token])
    opened.run()
    wait_until(lambda: opened_again(opened) == "0\n", timeout=60)
    opened.run()
    opened.run()
    is_back(new, kept)


def opened_again(opened: Page) -> str:
    """What the next block says now; it stays the next one."""
    said = opened.run()
    opened.ran -= 1
    return said


def default_brings_nothing(old: Database, new: Database) -> None:
    """Without run_as_owner the worker may not write where row-level security is forced."""
    source = f"host=127.0.0.1 port={old.server.settings['port']} user=postgres dbname={old.name}"
    new.conn.execute("truncate whatsapp_audit, whatsapp_key_ttl")
    new.conn.execute(f"create subscription first connection '{source}' publication move".encode())
    failed = "select sync_error_count + apply_error_count from pg_stat_subscription_stats"
    wait_until(lambda: count(new.conn, failed) > 0, timeout=60)
    assert count(new.conn, "select count(*) from whatsapp_keys") == 0
    new.conn.execute("drop subscription first")


def test_a_replicated_lease_is_none_and_15_needs_no_option(servers: dict[int, Cluster]) -> None:
    for cluster in servers.values():
        wipe(cluster)
    old = installed(servers[15])
    kept = fill(old)
    new = installed(servers[15], "copy")
    new.conn.execute("truncate whatsapp_audit, whatsapp_key_ttl")
    tables = [
        name
        for (name,) in old.conn.execute(
            "select relname::text from pg_class where relkind = 'r'"
            " and starts_with(relname, 'whatsapp_') and relname <> 'whatsapp_migrations'"
        )
    ]
    assert "whatsapp_leases" in tables
    old.conn.execute(f"create publication everything for table {', '.join(tables)}".encode())
    # In one server the subscriber would wait for itself to make the slot.
    old.conn.execute("select pg_create_logical_replication_slot('everything', 'pgoutput')")
    source = f"host=127.0.0.1 port={old.server.settings['port']} user=postgres dbname={old.name}"
    new.conn.execute(
        f"create subscription everything connection '{source}' publication everything"
        " with (create_slot = false)".encode()
    )
    try:
        left = "select count(*) from pg_subscription_rel where srsubstate <> 'r'"
        wait_until(lambda: count(new.conn, left) == 0, timeout=60)
        with old.connect("app") as conn:
            conn.execute("select auth_renew_lease('acme', %s, '2 hours')", [kept.token])
        until = "select max(expires_at) from whatsapp_leases"
        wait_until(lambda: one(new.conn, until) == one(old.conn, until), timeout=60)
    finally:
        new.conn.execute("drop subscription everything")
    is_back(new, kept)


# A restore that went wrong


def test_the_ways_out_of_a_restore_that_went_wrong_are_ways_out(
    page: Open, servers: dict[int, Cluster]
) -> None:
    opened = page("A restore that went wrong", 18)
    kept = fill(installed(servers[15]))
    run(opened, "pg_dump -h old.example.com -Fc --no-toast-compression -f plain.dump mydb")
    run(opened, "pg_dump -h old.example.com -Fc -f mydb.dump mydb")
    server = servers[18]

    # Into a server that has no roles.
    restore = "createdb -T template0 restored; pg_restore -d restored plain.dump || true"
    run(opened, restore)
    database = Database(server, "restored")
    with server.server.connect() as conn:
        conn.execute("create role my_backend login; drop role if exists app; create role app login")
    refuses_every_call(database, "postgres")
    opened.run()
    database.conn.execute("grant auth_state_service to app")
    is_back(database, kept)
    assert call(database, "my_backend", "select auth_get_creds('acme') is not null")

    # Without owners, and no file at hand; then with the file.
    database.drop()
    run(opened, "createdb -T template0 restored; pg_restore -1 -O -x -d restored plain.dump")
    database = Database(server, "restored")
    refuses_every_call(database, "app")
    opened.run()
    is_back(database, kept)
    opened.ran = 0
    opened.run()
    opened.ran = 2

    # Into a server without lz4.
    database.drop()
    done = run(
        opened, "createdb -T template0 restored; pg_restore -1 -d restored mydb.dump || true"
    )
    assert "compression method lz4 not supported" in done
    opened.run()
    is_back(Database(server, "restored"), kept)


def run(opened: Page, code: str) -> str:
    """Commands that are not on the page: what they printed, errors too."""
    done = subprocess.run(
        ["bash", "-c", opened._with_hosts(code)],
        cwd=opened.folder,
        env=opened._environment(code),
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout + done.stderr


def test_the_login_that_restored_without_owners_heals_it_without_the_file(
    servers: dict[int, Cluster], page: Open
) -> None:
    opened = page("A restore that went wrong", 15)
    kept = fill(installed(servers[15]))
    with servers[15].server.connect() as conn:
        conn.execute("grant auth_state_owner to dba")
    run(opened, "pg_dump -Fc -f mydb.dump mydb; createdb -T template0 -O dba restored")
    run(opened, "pg_restore -U dba -1 -O -x -d restored mydb.dump")
    database = Database(servers[15], "restored")
    refuses_every_call(database, "app")
    opened.ran = 1
    heal = SECTIONS[opened.heading][1].code
    with database.connect("dba") as conn:
        conn.execute(heal.encode())
    is_back(database, kept)
    opened.ran = len(SECTIONS[opened.heading])


@BOTH
def test_rows_over_rows_are_half_a_restore_and_rows_alone_restore_it_whole(
    page: Open, servers: dict[int, Cluster], version: int
) -> None:
    opened = page("Rows alone", version)
    mydb = installed(servers[version])
    kept = fill(mydb)
    run(opened, "pg_dump -Fc --data-only -T '*.whatsapp_migrations' -f rows.dump mydb")
    restored = installed(servers[version], "restored")
    with restored.connect("app") as conn:
        conn.execute("select auth_init_creds('acme', %s)", [CREDS % 77])
    said = run(opened, "pg_restore --data-only -d restored rows.dump || true")
    assert "duplicate key" in said
    with restored.connect("app") as conn:
        assert one(conn, "select auth_get_creds('acme') ->> 'counter'") == ("77",)
        assert one(conn, "select keys from auth_list_companies() where company_id = 'acme'")[0] > 0
    opened.run()
    is_back(restored, kept)
    opened.ran = len(SECTIONS[opened.heading])


@BOTH
def test_every_bot_reads_anew(page: Open, servers: dict[int, Cluster], version: int) -> None:
    opened = page("Let every bot read anew", version)
    mydb = installed(servers[version])
    kept = fill(mydb)
    opened.run()
    with mydb.connect("app") as conn:
        holders = conn.execute("select distinct holder from auth_list_leases()").fetchall()
        assert holders == [("after restore",)]
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [kept.token])
        assert caught.value.sqlstate == "WA002"
        resume = "select acquired from auth_acquire_lease('acme', 'bot-1', p_token => %s)"
        assert one(conn, resume, [kept.token]) == (False,)
        wait_until(lambda: one(conn, "select acquired from auth_acquire_lease('acme', 'bot-1')")[0])


def test_a_standby_takes_over_and_the_bots_find_it(page: Open) -> None:
    opened = page("Failover")
    pair = Pair("pg18-superuser", synchronous=False)
    try:
        with pair.primary.connect() as conn:
            conn.execute("create role my_backend login; grant auth_state_service to my_backend")
        opened.hosts = {"db.example.com": pair.primary, "old.example.com": pair.primary}
        opened.hosts["new.example.com"] = pair.standby
        opened.replaced = {"/mydb?": f"/{pair.db.name}?"}
        kept = fill(pair.db)
        opened.run()
        state = "select sync_state from pg_stat_replication"
        with pair.primary.connect() as conn:
            wait_until(lambda: one(conn, state) == ("quorum",))
        pair.db.conn.close()
        pair.primary.kill()
        assert opened.run() == "t\n"
        assert re.fullmatch(r"\d+\.\d+\.\d+\n", opened.run())
        with pair.on_standby().server.connect(pair.db.name, "app") as conn:
            with pytest.raises(psycopg.Error) as caught:
                conn.execute("select auth_set_keys('acme', '{}', %s)", [kept.token])
            assert caught.value.sqlstate == "WA002"
            resume = "select acquired from auth_acquire_lease('acme', 'bot-1', p_token => %s)"
            assert one(conn, resume, [kept.token]) == (True,)
    finally:
        pair.remove()


def test_a_local_setting_ends_with_its_transaction_behind_pgbouncer(
    page: Open, servers: dict[int, Cluster]
) -> None:
    opened = page("PgBouncer")
    mydb = installed(servers[18])
    fill(mydb)
    pool = PgBouncer(mydb, connections=1)
    try:
        opened.hosts["pool.example.com"] = Behind(pool)  # type: ignore[assignment]
        opened.replaced = {"as my_backend": "as app", "962302": "acme"}
        assert '"counter": 4' in opened.run()
        with psycopg.connect(pool.url, autocommit=True, prepare_threshold=None) as conn:
            assert one(conn, "select count(*) from auth_list_companies()") == (3,)
    finally:
        pool.stop()


class Behind:
    """The pooler, for a page that asks for a server."""

    def __init__(self, pool: PgBouncer) -> None:
        self.settings = {"port": pool.port}

    def url(self, database: str, user: str) -> str:
        return f"postgresql://{user}@127.0.0.1:{self.settings['port']}/{database}"


def test_pgaudit_logs_no_line_for_each_call(page: Open, servers: dict[int, Cluster]) -> None:
    opened = page("pgaudit", 15)
    mydb = installed(servers[15])
    mydb.conn.execute("alter database mydb set pgaudit.log = 'all'")

    def lines_of_a_call() -> int:
        with mydb.connect("app") as conn:
            before = servers[15].server.log.read_text().count("AUDIT:")
            conn.execute("select auth_set_keys('acme', '{\"session\": {\"1.0\": 1}}')")
            return servers[15].server.log.read_text().count("AUDIT:") - before

    assert lines_of_a_call() > 10
    mydb.conn.execute("alter database mydb set pgaudit.log = 'misc'")
    assert lines_of_a_call() > 0
    opened.run()
    assert lines_of_a_call() == 0
    granted = "create role somebody; grant auth_state_monitor to somebody; drop role somebody"
    with mydb.connect() as conn:
        conn.execute(granted)
    assert "AUDIT: SESSION" in servers[15].server.log.read_text()


@BOTH
def test_a_new_name_for_the_schema(page: Open, servers: dict[int, Cluster], version: int) -> None:
    opened = page("A new name for the schema", version)
    servers[version].create_database("theirs")
    theirs = Database(servers[version], "theirs")
    theirs.conn.execute("set search_path = whatsapp")
    theirs.conn.execute(INSTALL_SQL.read_bytes())
    theirs.conn.execute("grant auth_state_service to app")
    save = f"select whatsapp.auth_save_creds('acme', '{CREDS % 1}')"
    assert call(theirs, "app", save)
    opened.run()
    with pytest.raises(psycopg.errors.UndefinedFunction):
        call(theirs, "app", "select wa.auth_get_creds('acme')")
    opened.run()
    assert call(theirs, "app", "select wa.auth_get_creds('acme') ->> 'counter'") == "1"
