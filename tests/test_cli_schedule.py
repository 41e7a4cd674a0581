"""The scheduled cleanup, where pg_cron lives in this database and where it lives in another."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from harness.creds import creds
from pg_auth_state import AuthState, UnsafeRequest, uninstall
from pg_auth_state.cli import app
from pg_auth_state.cli._status import next_run, size
from pg_auth_state.rows import CleanupJob
from pg_auth_state.scheduling import schedule, unschedule

here = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg15-login"], indirect=True)
elsewhere = pytest.mark.parametrize("cluster", ["pg15-superuser"], indirect=True)
without = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)


@pytest.fixture
def cron(cron_db: Any) -> Any:
    """The database of pg_cron, in which no job is scheduled."""
    unschedule(cron_db.installer_dsn)
    return cron_db


def run(*arguments: str, database: str) -> Result:
    return CliRunner().invoke(app, list(arguments), env={"DATABASE_URL": database})


@here
def test_it_is_scheduled_shown_and_unscheduled(cron: Any) -> None:
    dsn = cron.installer_dsn
    assert run("unschedule", database=dsn).output == "Cleanup was not scheduled.\n"
    result = run("schedule", "30 4 * * *", database=dsn)
    assert result.exit_code == 0, result.output
    assert result.output.startswith("Cleanup is scheduled: job ")
    status = run("status", database=dsn).output
    assert "30 4 * * *" in status
    assert "04:30 GMT" in status
    assert "has not run yet" in status
    assert run("unschedule", database=dsn).output == "Cleanup is not scheduled any more.\n"
    assert "not scheduled: pg-auth-state schedule" in run("status", database=dsn).output


@here
def test_a_schedule_that_is_none_is_refused_readably(cron: Any) -> None:
    result = run("schedule", "whenever", database=cron.installer_dsn)
    assert result.exit_code == 1
    assert result.output.startswith("error: ")
    assert "Traceback" not in result.output


@elsewhere
def test_it_is_scheduled_and_unscheduled_from_another_database(cron: Any, db: Any) -> None:
    result = run("schedule", "* * * * *", database=db.dsn)
    assert result.exit_code == 0, result.output
    assert f"of pg_cron of database {cron.name}" in result.output
    assert run("schedule", "* * * * *", database=db.dsn).output == result.output
    assert jobs(cron) == [db.name]
    assert run("unschedule", database=db.dsn).output == "Cleanup is not scheduled any more.\n"
    assert run("unschedule", database=db.dsn).output == "Cleanup was not scheduled.\n"
    assert jobs(cron) == []


@elsewhere
def test_uninstalling_removes_the_job_of_another_database(cron: Any, db: Any) -> None:
    schedule(db.dsn)
    assert jobs(cron) == [db.name]
    uninstall(db.dsn)
    assert jobs(cron) == []


@elsewhere
def test_a_refused_uninstall_leaves_the_job(cron: Any, db: Any) -> None:
    with AuthState(db.dsn, "c1") as state:
        state.save_creds(creds(a=1))
    schedule(db.dsn)
    with pytest.raises(UnsafeRequest, match="1 account"):
        uninstall(db.dsn)
    assert jobs(cron) == [db.name]
    uninstall(db.dsn, drop_data=True)
    assert jobs(cron) == []


def jobs(cron: Any) -> list[str]:
    """The databases that have a job."""
    return [name for (name,) in cron.conn.execute("select database from cron.job order by 1")]


@elsewhere
def test_where_its_database_lacks_pg_cron_that_is_said(cron: Any, db: Any) -> None:
    cron.conn.execute("drop extension pg_cron")
    assert unschedule(db.dsn) is False
    result = run("schedule", database=db.dsn)
    assert result.exit_code == 1
    assert "create extension pg_cron; select cron.schedule_in_database(" in result.output


@pytest.fixture
def outsider(cron: Any, db: Any) -> Iterator[str]:
    """Who may clean up, and has no right in the database of pg_cron."""
    db.conn.execute(
        "do $$ begin create role outsider login; exception when duplicate_object then end $$;"
        " grant auth_state_service, pg_read_all_settings to outsider"
    )
    cron.conn.execute("create extension if not exists pg_cron")
    yield db.server.url(db.name, "outsider")
    cron.conn.execute(f"grant connect on database {cron.name} to public")


@elsewhere
@pytest.mark.parametrize("may_connect", [True, False])
def test_a_login_that_may_not_use_pg_cron_is_told_the_statement(
    cron: Any, db: Any, outsider: str, may_connect: bool
) -> None:
    if not may_connect:
        cron.conn.execute(f"revoke connect on database {cron.name} from public")
    for command, statement in (
        ("schedule", "select cron.schedule_in_database("),
        ("unschedule", "select cron.unschedule(jobid) from cron.job"),
    ):
        result = run(command, database=outsider)
        assert result.exit_code == 1
        first, detail, hint = result.output.splitlines()
        assert first.startswith(f"error: this login cannot use pg_cron in database {cron.name}: ")
        assert "permission denied for" in first
        assert detail.startswith(f"  DETAIL: Run the statement of the hint in database {cron.name}")
        assert hint.startswith(f"  HINT: {statement}")
        cron.conn.execute(hint.removeprefix("  HINT: "))
    assert jobs(cron) == []
    with pytest.raises(UnsafeRequest):
        schedule(outsider)


@without
def test_where_there_is_no_pg_cron_the_way_without_is_said(db: Any) -> None:
    result = run("schedule", database=db.service_dsn)
    assert result.exit_code == 1
    assert "pg-auth-state cleanup --every 6h" in result.output
    assert run("unschedule", database=db.service_dsn).output == "Cleanup was not scheduled.\n"
    assert "pg-auth-state cleanup --every 6h" in run("status", database=db.service_dsn).output


NOW = datetime(2025, 1, 31, 12, 30, tzinfo=timezone.utc)


def job(schedule: str | None, *, active: bool = True, last: datetime | None = None) -> CleanupJob:
    return CleanupJob("here", "db", 1, schedule, active, "me", last, None, None)


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        (job("0 */6 * * *"), datetime(2025, 1, 31, 18, 0, tzinfo=timezone.utc)),
        (job("0 3 $ * *"), datetime(2025, 2, 28, 3, 0, tzinfo=timezone.utc)),
        (job("30 seconds", last=NOW), NOW + timedelta(seconds=30)),
        (job("0 */6 * * *", active=False), None),
        (job(None), None),
        (job("a newer kind of schedule"), None),
    ],
)
def test_the_next_run_is_computed(given: CleanupJob, expected: datetime | None) -> None:
    assert next_run(given, NOW) == expected


@pytest.mark.parametrize(
    ("number", "expected"),
    [(0, "0 B"), (1023, "1,023 B"), (1536, "1.5 kB"), (5 * 2**20, "5.0 MB"), (2**41, "2,048 GB")],
)
def test_sizes_are_readable(number: int, expected: str) -> None:
    assert size(number) == expected
