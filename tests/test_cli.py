"""The command `pg-auth-state`, as a person or a script uses it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from typer.testing import CliRunner, Result

from harness.clients import cluster  # noqa: F401
from pg_auth_state import AuthState, __version__
from pg_auth_state.cli import app

PAIRED = {"noiseKey": b"n", "signedIdentityKey": b"s", "account": {}, "me": {"id": "55:1@s"}}

Run = Callable[..., Result]


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch) -> Run:
    """Run the command in this process, without a database of its own choosing."""
    for name in ("DATABASE_URL", "PG_AUTH_STATE_SCHEMA"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("COLUMNS", "120")

    def run(*arguments: str, database: str | None = None, answer: str | None = None) -> Result:
        env = {} if database is None else {"DATABASE_URL": database}
        return CliRunner().invoke(app, list(arguments), env=env, input=answer)

    return run


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    """Run it as a process."""
    return subprocess.run(
        [sys.executable, "-m", "pg_auth_state", *arguments],
        env={"PATH": os.environ["PATH"], **environment},
        capture_output=True,
        text=True,
        stdin=subprocess.DEVNULL,
    )


@pytest.fixture
def filled(db: Any) -> Any:
    with AuthState(db.service_dsn, "c1") as state:
        keys = {"session": {"1.0": {}, "2.0": {}}, "lid-mapping": {"1": "2"}}
        state.save_state(PAIRED, keys)
    return db


def expire(db: Any, number: int) -> None:
    """Leave so many expired keys behind."""
    with AuthState(db.service_dsn) as everything, AuthState(db.service_dsn, "old") as state:
        everything.set_ttl("device-list", timedelta(milliseconds=1))
        state.set_keys({"device-list": {str(n): ["0"] for n in range(number)}})
    db.conn.execute("select pg_sleep(0.01)")


def test_the_command_says_its_version() -> None:
    result = command("--version")
    assert (result.returncode, result.stdout) == (0, f"pg-auth-state {__version__}\n")


def test_every_command_has_help(run: Run) -> None:
    listed = run("--help").output
    names = ["install", "uninstall", "status", "cleanup", "schedule", "unschedule", "delete"]
    for name in names:
        assert name in listed
        result = run(name, "--help")
        assert result.exit_code == 0
        assert "--database-url" in result.output
        assert "--schema" in result.output


def test_without_a_database_nothing_is_guessed() -> None:
    result = command("status")
    assert result.returncode == 1
    assert result.stderr == (
        "error: no database\n  HINT: Give --database-url, or set DATABASE_URL.\n"
    )


def test_the_variables_of_libpq_name_a_database_too(filled: Any) -> None:
    parts = psycopg.conninfo.conninfo_to_dict(filled.service_dsn)
    result = command(
        "status",
        PGHOST=parts["host"],
        PGPORT=str(parts["port"]),
        PGUSER=parts["user"],
        PGDATABASE=parts["dbname"],
    )
    assert result.returncode == 0, result.stderr
    assert "1, 1 paired" in result.stdout


def test_the_option_outranks_the_variable(filled: Any) -> None:
    result = command(
        "status", "--database-url", filled.service_dsn, DATABASE_URL="host=nowhere.invalid"
    )
    assert result.returncode == 0, result.stderr


def test_install_installs_and_may_be_repeated(run: Run, empty_db: Any) -> None:
    for _ in range(2):
        result = run("install", database=empty_db.installer_dsn)
        assert result.exit_code == 0, result.output
        assert result.stdout == (
            f"pg-auth-state {__version__} is installed in schema public "
            f"of database {empty_db.name} on 127.0.0.1.\n"
        )
    with AuthState(empty_db.installer_dsn) as state:
        assert state.schema_version() == __version__


def test_install_shows_what_the_database_has_to_say(run: Run, empty_db: Any) -> None:
    result = run("install", database=empty_db.installer_dsn)
    assert "expired keys are not removed by themselves yet" in result.stderr
    assert "HINT: " in result.stderr


def test_install_makes_the_schema_that_it_is_given(run: Run, empty_db: Any) -> None:
    result = run("install", "--schema", "whatsapp", database=empty_db.installer_dsn)
    assert result.exit_code == 0, result.output
    with AuthState(empty_db.installer_dsn, "c1", schema="whatsapp") as state:
        state.save_creds(PAIRED)
    again = command("status", DATABASE_URL=empty_db.installer_dsn, PG_AUTH_STATE_SCHEMA="whatsapp")
    assert "in schema whatsapp" in again.stdout


def test_a_second_installation_is_refused_readably(run: Run, db: Any) -> None:
    result = run("install", "--schema", "other", database=db.installer_dsn)
    assert result.exit_code == 1
    assert result.stderr.startswith("error: pg-auth-state is installed in schema public")
    assert "  HINT: " in result.stderr


def test_uninstall_asks_and_names_what_would_be_lost(run: Run, filled: Any) -> None:
    result = run("uninstall", database=filled.installer_dsn, answer="n\n")
    assert result.exit_code == 1
    assert f"with 1 account, from schema public of database {filled.name}" in result.output
    with AuthState(filled.service_dsn, "c1") as state:
        assert state.get_creds() == PAIRED


def test_uninstall_does_nothing_when_nobody_can_answer(filled: Any) -> None:
    result = command("uninstall", DATABASE_URL=filled.installer_dsn)
    assert result.returncode == 1
    with AuthState(filled.service_dsn, "c1") as state:
        assert state.get_creds() == PAIRED


@pytest.mark.parametrize("how", [{"answer": "y\n"}, {"yes": True}])
def test_uninstall_removes_everything(run: Run, filled: Any, how: dict[str, Any]) -> None:
    arguments = ["uninstall", "--yes"] if how.get("yes") else ["uninstall"]
    result = run(*arguments, database=filled.installer_dsn, answer=how.get("answer"))
    assert result.exit_code == 0, result.output
    assert "Removed pg-auth-state and 1 account from" in result.stdout
    left = filled.conn.execute(
        "select relname from pg_class where relnamespace = 'public'::regnamespace "
        "union all select proname from pg_proc where pronamespace = 'public'::regnamespace"
    ).fetchall()
    assert left == []


def test_where_nothing_is_installed_that_is_said(run: Run, empty_db: Any) -> None:
    for arguments in (["status"], ["cleanup"], ["uninstall", "--yes"], ["delete", "c1", "--yes"]):
        result = run(*arguments, database=empty_db.installer_dsn)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert "pg-auth-state install" in result.stderr
        assert "Traceback" not in result.output


def test_status_is_readable(run: Run, filled: Any) -> None:
    expire(filled, 3)
    result = run("status", database=filled.service_dsn)
    assert result.exit_code == 0, result.output
    assert f"pg-auth-state {__version__} in schema public, PostgreSQL" in result.stdout
    for line in (
        r"Accounts +2, 1 paired",
        r"Expiring +0 keys within a day, 3 expired already",
        r"device-list +3 +\d+ B +\d+ B +3 +00:00:00.001",
        r"lid-mapping +1 +\d+ B +\d+ B +0 +7 days",
        r"session +2 +\d+ B +\d+ B +0 +never",
        r"all +6 ",
        r"Cleanup +(no pg_cron|pg_cron lives in database)",
        r"Warning: A crash of the server may lose writes .* because of fsync = off",
    ):
        assert re.search(line, result.stdout), line


def test_status_of_an_empty_installation_is_readable_too(run: Run, db: Any) -> None:
    result = run("status", database=db.service_dsn)
    assert result.exit_code == 0, result.output
    assert re.search(r"Accounts +0, 0 paired", result.stdout)
    assert "by type" not in result.stdout


def test_status_is_json_for_programs(run: Run, filled: Any) -> None:
    document = json.loads(run("status", "--json", database=filled.service_dsn).stdout)
    assert document["accounts"] == document["paired"] == 1
    assert [row["key_type"] for row in document["keys"]] == ["lid-mapping", "session"]
    assert document["cleanup"]["next_run"] is None


def test_cleanup_runs_until_nothing_is_left(run: Run, filled: Any) -> None:
    expire(filled, 25)
    dry = run("cleanup", "--dry-run", "--batch-size", "10", database=filled.service_dsn)
    assert dry.output == "25 expired keys would be removed.\n"
    result = run("cleanup", "--batch-size", "10", database=filled.service_dsn)
    assert result.output == "Removed 25 expired keys.\n"
    assert run("cleanup", database=filled.service_dsn).output == "Removed 0 expired keys.\n"
    with AuthState(filled.service_dsn, "c1") as state:
        assert len(state.export()["keys"]) == 2


def test_cleanup_can_be_of_one_account(run: Run, filled: Any) -> None:
    expire(filled, 5)
    result = run("cleanup", "--company", "c1", database=filled.service_dsn)
    assert result.output == "Removed 0 expired keys.\n"
    result = run("cleanup", "--company", "old", database=filled.service_dsn)
    assert result.output == "Removed 5 expired keys.\n"


@pytest.mark.parametrize(
    "arguments", [["--every", "soon"], ["--every", "0s"], ["--every", "6h", "--dry-run"]]
)
def test_cleanup_refuses_what_makes_no_sense(run: Run, arguments: list[str]) -> None:
    result = run("cleanup", *arguments, database="host=nowhere.invalid")
    assert result.exit_code == 2
    assert "--every" in result.stderr


def test_delete_asks_and_names_what_would_be_lost(run: Run, filled: Any) -> None:
    result = run("delete", "c1", database=filled.service_dsn, answer="\n")
    assert result.exit_code == 1
    assert "Delete account c1, creds and 3 keys, for good?" in result.output
    with AuthState(filled.service_dsn, "c1") as state:
        assert state.get_creds() == PAIRED


def test_delete_deletes(run: Run, filled: Any) -> None:
    result = run("delete", "c1", "--yes", database=filled.service_dsn)
    assert (result.exit_code, result.output) == (0, "Deleted account c1: 4 rows.\n")
    again = run("delete", "c1", "--yes", database=filled.service_dsn)
    assert (again.exit_code, again.output) == (1, "error: there is no account c1\n")


def test_delete_is_refused_while_somebody_holds_the_lease(run: Run, filled: Any) -> None:
    with AuthState(filled.service_dsn, "c1") as state:
        state.acquire_lease("server-1")
        result = run("delete", "c1", "--yes", database=filled.service_dsn)
        assert result.exit_code == 1
        assert result.stderr.startswith("error: ")
        assert state.get_creds() == PAIRED


def test_no_right_is_said_with_the_way_to_it(run: Run, db: Any) -> None:
    db.conn.execute("drop role if exists stranger; create role stranger login")
    result = run("status", database=db.server.url(db.name, "stranger"))
    db.conn.execute("drop role stranger")
    assert result.exit_code == 1
    assert "auth_state_service" in result.stderr


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:hunter2@127.0.0.1:1/db",
        "postgresql://user:hunter2@nowhere.invalid/db",
        "postgresql://user:hunter2@more@127.0.0.1/db",
        "postgresql://user:hunter2%zz@127.0.0.1/db",
        "host=127.0.0.1 port=1 password=hunter2 user=user",
        "postgres+driver://user:hunter2@127.0.0.1/db",
    ],
)
@pytest.mark.parametrize("name", ["status", "install", "cleanup", "schedule", "uninstall"])
def test_no_connection_is_one_readable_error_without_the_password(name: str, url: str) -> None:
    result = command(name, DATABASE_URL=url)
    assert result.returncode == 1
    assert result.stdout == ""
    assert result.stderr.startswith("error: ")
    for text in ("hunter2", "Traceback", "more"):
        assert text not in result.stderr


def test_a_password_that_is_wrong_is_not_shown(run: Run, db: Any) -> None:
    url = db.service_dsn.replace("app@", "app:hunter2@").replace(db.name, "no_such_database")
    result = run("status", database=url)
    assert result.exit_code == 1
    assert "no_such_database" in result.stderr
    assert "hunter2" not in result.output
