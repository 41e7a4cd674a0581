"""An import killed at any moment leaves the account absent or complete, and no torn backup."""

from __future__ import annotations

import random
import subprocess
import sys
import tarfile
import time
from collections.abc import Callable
from pathlib import Path

import psycopg
import pytest

from harness.cluster import Cluster
from harness.cluster import Database as TestedDatabase
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import LARGE, account, sample
from harness.processes import Process, wait_until
from pg_auth_state.files.database import Database
from pg_auth_state.files.importing import Options, import_folder
from pg_auth_state.files.verifying import verify_folder

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)


def wait_until_left(db: TestedDatabase) -> None:
    """The server notices that a client is gone when it next talks to it."""
    query = "select count(*) from pg_stat_activity where datname = %s and usename = 'app'"
    wait_until(lambda: db.conn.execute(query, [db.name]).fetchone()[0] == 0)


def is_complete(db: TestedDatabase, folder: Path) -> bool:
    """False if there is nothing of the account; anything in between fails."""
    wait_until_left(db)
    count = "select (select count(*) from whatsapp_keys) + (select count(*) from whatsapp_auth)"
    if db.conn.execute(count).fetchone()[0] == 0:
        return False
    with Database(db.service_dsn) as database:
        result = verify_folder(database, folder, folder.name, lid_ttl=None)
    assert result.differences == []
    return True


def check_backups(folder: Path) -> int:
    """How many there are; each is whole."""
    archives = list(folder.parent.glob("*.tar.gz"))
    for archive in archives:
        with tarfile.open(archive) as tar:
            assert len(tar.getnames()) == len(list(folder.iterdir())) + 1
    return len(archives)


def test_an_import_killed_at_any_moment_leaves_all_or_nothing(
    db: TestedDatabase, tmp_path: Path
) -> None:
    folder = sample(LARGE).copy(tmp_path)
    # Many calls, so that most of the time is spent in the middle of the transaction.
    options = Options(chunk=8000, lid_ttl=None)

    def job() -> None:
        with Database(db.service_dsn) as database:
            import_folder(database, folder, folder.name, options)

    started = time.monotonic()
    Process(job).result()
    duration = time.monotonic() - started
    assert is_complete(db, folder)

    outcomes = []
    moments = random.Random(1)
    for _ in range(25):
        db.conn.execute("truncate whatsapp_auth, whatsapp_keys")
        process = Process(job)
        time.sleep(moments.uniform(0, duration * 1.1))
        process.kill()
        outcomes.append(is_complete(db, folder))
        check_backups(folder)
    assert False in outcomes

    # What was left aside is gone with the next one, and doing it again is safe.
    db.conn.execute("truncate whatsapp_auth, whatsapp_keys")
    Process(job).result()
    assert is_complete(db, folder)
    assert not [path for path in tmp_path.iterdir() if path.name.endswith(".tmp")]


def test_a_command_for_many_that_is_killed_can_be_run_again(
    db: TestedDatabase, tmp_path: Path
) -> None:
    folders = [sample(LARGE).copy(tmp_path / "all", f"company_{n}") for n in range(8)]
    backups = tmp_path / "backups"
    command = [sys.executable, "-m", "pg_auth_state", "import", "--all", tmp_path / "all"]
    command += ["--backup", backups, "--lid-ttl", "never", "--database-url", db.service_dsn]
    moments = random.Random(2)
    for _ in range(5):
        process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
        time.sleep(moments.uniform(0.3, 1.2))
        process.kill()
        process.wait()
        wait_until_left(db)  # its jobs end with it
        query = "select company_id from whatsapp_auth union select company_id from whatsapp_keys"
        for (company,) in db.conn.execute(query).fetchall():
            with Database(db.service_dsn) as database:
                path = tmp_path / "all" / f"company_{company}"
                assert not verify_folder(database, path, company, lid_ttl=None).differences
        for archive in backups.glob("*.tar.gz"):
            with tarfile.open(archive) as tar:
                assert len(tar.getnames()) == 338
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    for folder in folders:
        with Database(db.service_dsn) as database:
            company = account(folder.name)
            assert not verify_folder(database, folder, company, lid_ttl=None).differences


def test_a_server_that_is_killed_in_the_middle_has_all_or_nothing(
    own_cluster: Callable[[str], Cluster], cluster: Cluster, tmp_path: Path
) -> None:
    server = own_cluster(cluster.name)
    database = server.new_database()
    folder = sample(LARGE).copy(tmp_path)

    def job() -> str:
        try:
            with Database(database.service_dsn) as target:
                return import_folder(target, folder, "c", Options(chunk=4000, lid_ttl=None)).status
        except psycopg.OperationalError:
            return "failed"

    process = Process(job)
    time.sleep(0.15)
    server.server.kill()
    status = process.result()
    server.server.start()
    with Database(database.service_dsn) as target:
        result = verify_folder(target, folder, "c", lid_ttl=None)
    assert result.equal in (0, 337)
    if status == "imported":
        assert result.equal == 337
