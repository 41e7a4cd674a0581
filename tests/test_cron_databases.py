"""One pg_cron cleans several databases of its server, each by a job of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.cluster import INSTALL_SQL, Cluster, Database
from harness.installing import count, refusal
from harness.processes import wait_until
from harness.server import CRON_DATABASE
from pg_auth_state.scheduling import schedule, unschedule

PLAIN = "cleanup-whatsapp-keys"
NAMES = "select jobname::text, database, schedule, username from cron.job order by database, jobid"


@pytest.fixture(scope="module")
def of_the_server() -> Iterator[Cluster]:
    """pg_cron's launcher ends for good when its database is dropped: a server of this file's own.

    Its `cron` database has pg_cron and the package, with no job; `runner` may schedule.
    """
    cluster = Cluster("pg15-login")
    here = Database(cluster, CRON_DATABASE)
    here.conn.execute("create extension pg_cron; grant usage on schema cron to public")
    here.install()
    here.conn.execute(
        "create role runner login; grant auth_state_service to runner;"
        " grant execute on function cron.schedule_in_database to runner"
    )
    yield cluster
    cluster.remove()


@pytest.fixture
def cron(of_the_server: Cluster) -> Iterator[Database]:
    database = Database(of_the_server, CRON_DATABASE)
    database.conn.execute("select cron.unschedule(jobid) from cron.job")
    yield database
    database.conn.execute("select cron.unschedule(jobid) from cron.job")
    database.conn.close()


@pytest.fixture
def others(of_the_server: Cluster) -> Iterator[tuple[Database, Database]]:
    databases = of_the_server.new_database(), of_the_server.new_database()
    yield databases
    for database in databases:
        database.drop()


def hint(database: Database, call: str, login: str = "postgres") -> str:
    with database.connect(login) as conn, pytest.raises(psycopg.Error) as caught:
        conn.execute(f"select {call}".encode())
    assert caught.value.sqlstate == "WA006"
    return caught.value.diag.message_hint or ""


def scheduled(database: Database, cron: Database, when: str, login: str = "postgres") -> list[Any]:
    """Runs the statement that the database tells, in the database of pg_cron."""
    with cron.connect(login) as conn:
        statement = hint(database, f"auth_schedule_cleanup('{when}')", login)
        return conn.execute(statement.encode()).fetchall()


def own_name(database: Database) -> str:
    return f"{PLAIN} in {database.name}"


def test_each_of_several_databases_has_a_job_of_its_own(
    cron: Database, others: tuple[Database, Database]
) -> None:
    first, second = others
    assert len(scheduled(first, cron, "1 1 * * *")) == 1
    assert len(scheduled(second, cron, "2 2 * * *")) == 1
    cron.conn.execute("select auth_schedule_cleanup('3 3 * * *')")
    assert sorted(cron.conn.execute(NAMES).fetchall()) == [
        (PLAIN, first.name, "1 1 * * *", "postgres"),
        (own_name(cron), CRON_DATABASE, "3 3 * * *", "postgres"),
        (own_name(second), second.name, "2 2 * * *", "postgres"),
    ]


def test_the_database_of_pg_cron_has_the_plain_name_where_it_comes_first(
    cron: Database, others: tuple[Database, Database]
) -> None:
    cron.conn.execute("select auth_schedule_cleanup('3 3 * * *')")
    scheduled(others[0], cron, "1 1 * * *")
    assert [name for name, *_ in cron.conn.execute(NAMES)] == [PLAIN, own_name(others[0])]


def test_scheduling_again_changes_the_schedule_of_the_same_job_under_either_name(
    cron: Database, others: tuple[Database, Database]
) -> None:
    jobs = [scheduled(database, cron, "1 1 * * *") for database in others]
    jobs.append(cron.conn.execute("select auth_schedule_cleanup('1 1 * * *')").fetchall())
    # Also when the plain name has become free.
    for round_ in range(2):
        when = f"{round_} 5 * * *"
        for database, job in list(zip(others, jobs, strict=False))[round_:]:
            assert scheduled(database, cron, when) == job
        query = f"select auth_schedule_cleanup('{when}')"
        assert cron.conn.execute(query.encode()).fetchall() == jobs[2]
        cron.conn.execute("select cron.unschedule(jobid) from cron.job where jobname = %s", [PLAIN])
    assert cron.conn.execute(NAMES).fetchall() == [
        (own_name(cron), CRON_DATABASE, "1 5 * * *", "postgres"),
        (own_name(others[1]), others[1].name, "1 5 * * *", "postgres"),
    ]


def test_unscheduling_removes_the_job_of_its_database_under_either_name(
    cron: Database, others: tuple[Database, Database]
) -> None:
    first, second = others
    for database in others:
        scheduled(database, cron, "1 1 * * *")
    cron.conn.execute("select auth_schedule_cleanup()")
    assert count(cron.conn, "select (auth_cleanup_job() ->> 'job_id')::bigint") > 0
    assert cron.conn.execute("select auth_unschedule_cleanup()").fetchone() == (True,)
    assert cron.conn.execute("select auth_unschedule_cleanup()").fetchone() == (False,)
    assert cron.conn.execute("select auth_cleanup_job() ? 'job_id'").fetchone() == (False,)
    assert len(cron.conn.execute(NAMES).fetchall()) == 2
    for database, left in ((second, [first.name]), (first, [])):
        statement = hint(database, "auth_unschedule_cleanup()")
        assert cron.conn.execute(statement.encode()).fetchall() == [(True,)]
        assert cron.conn.execute(statement.encode()).fetchall() == []
        assert [name for _, name, *_ in cron.conn.execute(NAMES)] == left


def test_the_status_shows_the_job_under_either_name(
    cron: Database, others: tuple[Database, Database]
) -> None:
    for _ in range(2):
        cron.conn.execute("select auth_schedule_cleanup('4 4 * * *')")
        shown = "select auth_cleanup_job() ->> 'schedule'"
        assert cron.conn.execute(shown).fetchone() == ("4 4 * * *",)
        cron.conn.execute("select auth_unschedule_cleanup()")
        scheduled(others[0], cron, "1 1 * * *")


def test_a_job_of_another_login_for_this_database_is_refused(
    cron: Database, others: tuple[Database, Database]
) -> None:
    assert len(scheduled(others[0], cron, "1 1 * * *", "runner")) == 1
    before = cron.conn.execute(NAMES).fetchall()
    assert scheduled(others[0], cron, "2 2 * * *") == []
    with cron.connect("runner") as conn:
        conn.execute("select auth_schedule_cleanup('1 1 * * *')")
    with cron.connect() as conn, pytest.raises(psycopg.Error) as caught:
        conn.execute("select auth_schedule_cleanup('2 2 * * *')")
    assert caught.value.sqlstate == "WA006"
    assert "runner" in refusal(caught.value)
    cron.conn.execute("select cron.unschedule(jobid) from cron.job where database = 'cron'")
    assert cron.conn.execute(NAMES).fetchall() == before


def test_the_jobs_of_two_logins_for_two_databases_live_beside_each_other(
    cron: Database, others: tuple[Database, Database]
) -> None:
    scheduled(others[0], cron, "1 1 * * *", "runner")
    scheduled(others[1], cron, "1 1 * * *")
    scheduled(others[0], cron, "5 5 * * *", "runner")
    found = {(database, when, user) for _, database, when, user in cron.conn.execute(NAMES)}
    assert found == {
        (others[0].name, "5 5 * * *", "runner"),
        (others[1].name, "1 1 * * *", "postgres"),
    }


# pg_cron's names have 63 bytes, like those of databases.
def test_databases_with_long_names_have_jobs_of_their_own(cron: Database) -> None:
    names = [("ñ'" * 20) + "x" * 2 + last for last in ("a", "b")]
    for name in names:
        cron.cluster.create_database(name)
    try:
        scheduled_for = []
        for name in names:
            with psycopg.connect(
                cron.server.url("postgres"), dbname=name, user="installer", autocommit=True
            ) as conn:
                conn.execute(INSTALL_SQL.read_bytes())
            database = Database(cron.cluster, name)
            database.dsn = cron.server.url("postgres") + f" dbname={name}"
            cron.conn.execute("select auth_schedule_cleanup()")
            for when in ("1 1 * * *", "2 2 * * *"):
                scheduled(database, cron, when)
            scheduled_for.append(name)
            rows = cron.conn.execute(NAMES).fetchall()
            assert sorted(row[1:3] for row in rows) == sorted(
                [(CRON_DATABASE, "0 */6 * * *"), *((each, "2 2 * * *") for each in scheduled_for)]
            )
        for name in names:
            statement = hint(Database(cron.cluster, name), "auth_unschedule_cleanup()")
            assert cron.conn.execute(statement.encode()).fetchall() == [(True,)]
    finally:
        for name in names:
            cron.cluster.drop_database(name)


def test_python_schedules_and_unschedules_several_databases(
    cron: Database, others: tuple[Database, Database]
) -> None:
    jobs = {schedule(database.dsn, expression="1 1 * * *").job_id for database in others}
    assert len(jobs) == 2
    assert {schedule(database.dsn).job_id for database in others} == jobs
    for database in others:
        assert unschedule(database.dsn) is True
        assert unschedule(database.dsn) is False
    assert cron.conn.execute(NAMES).fetchall() == []


# Debian's pg_cron knows no seconds: all of them wait for the same minute.
def test_the_jobs_of_all_databases_run_also_for_a_login_whose_transactions_are_serializable(
    cron: Database, others: tuple[Database, Database]
) -> None:
    cron.conn.execute("alter role runner set default_transaction_isolation = 'serializable'")
    for database in (cron, *others):
        with database.connect() as conn:
            conn.execute(
                "select set_config('auth_state.now', (now() - '9d'::interval)::text, false)"
            )
            # More than a batch, so that it goes on after a commit.
            conn.execute(
                "select auth_set_keys('c' || c, jsonb_build_object('lid-mapping',"
                " (select jsonb_object_agg(k::text, '9' || k)"
                " || jsonb_object_agg('9' || k || '_reverse', k::text)"
                " from generate_series(1, 150) k)))"
                " from generate_series(1, 9) c"
            )
    for database in others:
        scheduled(database, cron, "* * * * *", "runner")
    with cron.connect("runner") as conn:
        conn.execute("select auth_schedule_cleanup('* * * * *')")

    def left() -> int:
        return sum(
            count(database.conn, "select count(*) from whatsapp_keys")
            for database in (cron, *others)
        )

    assert left() == 3 * 9 * 300
    ran = "select count(distinct database) from cron.job_run_details where status = 'succeeded'"
    failed = "select count(*) from cron.job_run_details where status = 'failed'"
    wait_until(lambda: left() == 0 or count(cron.conn, failed), timeout=100)
    wait_until(lambda: count(cron.conn, ran) == 3 or count(cron.conn, failed))
    assert count(cron.conn, failed) == 0
    assert left() == 0
    with cron.connect("runner") as conn:
        shown = "select auth_cleanup_job() ->> 'last_status'"
        assert conn.execute(shown).fetchone() == ("succeeded",)
