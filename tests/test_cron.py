"""The cleanup job of pg_cron: in its own database, in another one, and where there is none."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.cluster import INSTALL_SQL, Cluster, Database
from harness.installing import count, install, refusal, run_sql, uninstall
from harness.processes import wait_until
from harness.server import CRON_DATABASE

WITH_CRON = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg15-login"], indirect=True)
WITHOUT_CRON = pytest.mark.parametrize("cluster", ["pg18-superuser", "pg18-login"], indirect=True)


def jobs(database: Database) -> list[tuple[Any, ...]]:
    """As its superuser sees them, in the database of pg_cron."""
    return database.conn.execute(
        "select jobname, schedule, database, username, active from cron.job order by 1, 3"
    ).fetchall()


def the_job(database: Database, schedule: str = "0 */6 * * *") -> tuple[Any, ...]:
    return ("cleanup-whatsapp-keys", schedule, database.name, database.cluster.installer, True)


def as_installer(database: Database, query: str) -> Any:
    with database.connect(database.cluster.installer) as conn:
        return conn.execute(query).fetchone()[0]


def cron_database(cluster: Cluster) -> Database:
    """The database of pg_cron, with its extension and nothing of ours."""
    database = cluster.cron_database()
    uninstall(database, user="postgres")
    return database


# In the database of pg_cron


@WITH_CRON
def test_installing_schedules_the_job(cron_db: Database) -> None:
    assert jobs(cron_db) == [the_job(cron_db)]


@WITH_CRON
def test_scheduling_again_keeps_the_job_and_changes_its_schedule(cron_db: Database) -> None:
    job = count(cron_db.conn, "select jobid from cron.job")
    assert as_installer(cron_db, "select auth_schedule_cleanup()") == job
    assert jobs(cron_db) == [the_job(cron_db)]
    assert as_installer(cron_db, "select auth_schedule_cleanup('30 3 * * *')") == job
    assert jobs(cron_db) == [the_job(cron_db, "30 3 * * *")]


@WITH_CRON
def test_unscheduling_removes_the_job_once(cron_db: Database) -> None:
    assert as_installer(cron_db, "select auth_unschedule_cleanup()") is True
    assert jobs(cron_db) == []
    assert as_installer(cron_db, "select auth_unschedule_cleanup()") is False


@WITH_CRON
def test_installing_again_leaves_the_job_as_it_is(cron_db: Database) -> None:
    as_installer(cron_db, "select auth_schedule_cleanup('30 3 * * *')")
    cron_db.install()
    assert jobs(cron_db) == [the_job(cron_db, "30 3 * * *")]
    as_installer(cron_db, "select auth_unschedule_cleanup()")
    cron_db.install()
    assert jobs(cron_db) == []


@WITH_CRON
def test_the_status_of_the_job_is_told(cron_db: Database) -> None:
    status = as_installer(cron_db, "select auth_cleanup_job()")
    assert status["pg_cron"] == "here"
    assert status["schedule"] == "0 */6 * * *"
    assert status["owner"] == cron_db.cluster.installer
    assert status["active"] is True


@WITH_CRON
def test_a_job_of_that_name_of_somebody_else_is_refused(cron_db: Database) -> None:
    if cron_db.cluster.installer != "postgres":
        return  # pg_cron shows a login its own jobs only
    as_installer(cron_db, "select auth_unschedule_cleanup()")
    cron_db.conn.execute("grant usage on schema cron to app")
    with cron_db.connect("app") as app:
        app.execute("select cron.schedule('cleanup-whatsapp-keys', '1 1 1 1 *', 'select 1')")
    before = jobs(cron_db)
    with cron_db.connect() as conn, pytest.raises(psycopg.Error) as caught:
        conn.execute("select auth_schedule_cleanup()")
    assert caught.value.sqlstate == "WA006"
    assert "app" in refusal(caught.value)
    assert jobs(cron_db) == before


@WITH_CRON
def test_other_jobs_are_left_alone(cron_db: Database) -> None:
    cron_db.conn.execute("select cron.schedule('theirs', '1 1 1 1 *', 'select 1')")
    as_installer(cron_db, "select auth_unschedule_cleanup()")
    assert [name for name, *_ in jobs(cron_db)] == ["theirs"]


@WITH_CRON
def test_a_caller_that_cannot_log_in_is_refused(cron_db: Database) -> None:
    run_sql(
        cron_db,
        "do $$ begin create role robot nologin; exception when duplicate_object then end $$;"
        " grant auth_state_service to robot; grant usage on schema cron to robot",
        user="postgres",
    )
    with cron_db.connect() as conn:
        conn.execute("set role robot")
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_schedule_cleanup()")
    assert caught.value.sqlstate == "WA006"
    assert "robot" in refusal(caught.value)


@WITH_CRON
def test_a_caller_without_pg_cron_is_told_the_grant_that_it_takes(cron_db: Database) -> None:
    as_installer(cron_db, "select auth_unschedule_cleanup()")
    with cron_db.connect("app") as conn:
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_schedule_cleanup()")
        assert caught.value.sqlstate == "WA006"
        cron_db.conn.execute(
            (caught.value.diag.message_hint or "").removeprefix("As a superuser: ")
        )
        conn.execute("select auth_schedule_cleanup()")
    assert [user for *_, user, _ in jobs(cron_db)] == ["app"]


@WITH_CRON
def test_a_caller_that_is_not_of_the_service_is_forbidden(cron_db: Database) -> None:
    run_sql(
        cron_db,
        "do $$ begin create role guest login; exception when duplicate_object then end $$;"
        " grant usage on schema cron to guest",
        user="postgres",
    )
    with cron_db.connect("guest") as conn:
        for call in ("auth_schedule_cleanup()", "auth_unschedule_cleanup()", "auth_cleanup_job()"):
            with pytest.raises(psycopg.errors.InsufficientPrivilege):
                conn.execute(f"select {call}")


@WITH_CRON
def test_a_schedule_that_pg_cron_does_not_know_changes_nothing(cron_db: Database) -> None:
    with cron_db.connect(cron_db.cluster.installer) as conn, pytest.raises(psycopg.Error):
        conn.execute("select auth_schedule_cleanup('every now and then')")
    assert jobs(cron_db) == [the_job(cron_db)]


@WITH_CRON
def test_a_schedule_may_have_quotes_and_changes_no_other_statement(cluster: Cluster) -> None:
    database = cron_database(cluster)
    install(database, before='set search_path = "it\'s $job$ ours"')
    (command,) = database.conn.execute("select command from cron.job").fetchone()
    with database.connect(cluster.installer) as conn:
        conn.execute(command)


@WITH_CRON
def test_uninstalling_unschedules_the_job(cron_db: Database) -> None:
    uninstall(cron_db)
    assert jobs(cron_db) == []


@WITH_CRON
def test_an_uninstall_that_is_refused_keeps_the_job(cron_db: Database) -> None:
    cron_db.conn.execute("select auth_save_creds('acme', '{}')")
    with pytest.raises(psycopg.Error):
        uninstall(cron_db)
    assert jobs(cron_db) == [the_job(cron_db)]


@WITH_CRON
def test_without_a_grant_on_pg_cron_installing_succeeds_and_says_so(cluster: Cluster) -> None:
    if cluster.installer == "postgres":
        return  # who needs none
    database = cron_database(cluster)
    database.conn.execute("revoke usage on schema cron from installer")
    notices = "\n".join(install(database))
    assert "not removed by themselves" in notices
    assert jobs(database) == []


# In another database


def hint_for(database: Database, schedule: str) -> str:
    with database.connect(database.cluster.installer) as conn, pytest.raises(psycopg.Error) as e:
        conn.execute("select auth_schedule_cleanup(%s)", [schedule])
    assert e.value.sqlstate == "WA006"
    return e.value.diag.message_hint or ""


@WITH_CRON
def test_where_pg_cron_lives_elsewhere_installing_says_so(empty_db: Database) -> None:
    assert "pg_cron lives in another database" in "\n".join(install(empty_db))


@WITH_CRON
def test_the_hint_is_a_statement_for_the_database_of_pg_cron(
    db: Database, cron_db: Database
) -> None:
    cron_db.conn.execute("select auth_unschedule_cleanup()")
    cron_db.conn.execute(hint_for(db, "5 4 * * *"))
    assert jobs(cron_db) == [("cleanup-whatsapp-keys", "5 4 * * *", db.name, "postgres", True)]


@WITH_CRON
def test_the_hint_of_unscheduling_removes_the_job_there(db: Database, cron_db: Database) -> None:
    cron_db.conn.execute("select auth_unschedule_cleanup()")
    cron_db.conn.execute(hint_for(db, "5 4 * * *"))
    with db.connect(db.cluster.installer) as conn, pytest.raises(psycopg.Error) as caught:
        conn.execute("select auth_unschedule_cleanup()")
    assert caught.value.sqlstate == "WA006"
    cron_db.conn.execute(caught.value.diag.message_hint or "")
    assert jobs(cron_db) == []


# The job


def with_an_expired_key(database: Database) -> None:
    with database.connect() as conn:
        conn.execute("select set_config('auth_state.now', (now() - '9d'::interval)::text, false)")
        conn.execute(
            'select auth_set_keys(\'acme\', \'{"lid-mapping": {"1": "2", "2_reverse": "1"},'
            ' "session": {"7.0": 1}}\')'
        )


def keys(database: Database) -> int:
    return count(database.conn, "select count(*) from whatsapp_keys")


@pytest.fixture
def two_clusters() -> Iterator[tuple[Cluster, Cluster]]:
    """Of this test alone: pg_cron's launcher ends for good when its database is dropped."""
    clusters = Cluster("pg15-login"), Cluster("pg15-login")
    yield clusters
    for cluster in clusters:
        cluster.remove()


# Debian's pg_cron knows no seconds: both wait for the same minute.
def test_a_job_fires_and_removes_expired_keys_here_and_in_another_database(
    two_clusters: tuple[Cluster, Cluster],
) -> None:
    here = Database(two_clusters[0], CRON_DATABASE)
    here.conn.execute("create extension pg_cron; grant usage on schema cron to installer")
    here.install()
    with_an_expired_key(here)
    as_installer(here, "select auth_schedule_cleanup('* * * * *')")

    there = two_clusters[1].new_database()
    cron = Database(two_clusters[1], CRON_DATABASE)
    cron.conn.execute("create extension pg_cron")
    with_an_expired_key(there)
    cron.conn.execute(hint_for(there, "* * * * *"))

    wait_until(lambda: keys(here) == 1 and keys(there) == 1, timeout=100)
    for database, with_cron in ((here, here), (there, cron)):
        job = (
            "select count(*) from cron.job_run_details"
            f" where status = 'succeeded' and database = '{database.name}'"
        )
        wait_until(lambda conn=with_cron.conn, query=job: count(conn, query))
    assert as_installer(here, "select auth_cleanup_job()")["last_status"] == "succeeded"


# Without pg_cron


@WITHOUT_CRON
def test_without_pg_cron_installing_says_what_to_run_instead(empty_db: Database) -> None:
    with empty_db.connect(empty_db.cluster.installer) as conn:
        hints: list[str] = []
        conn.add_notice_handler(lambda notice: hints.append(notice.message_hint or ""))
        conn.execute(INSTALL_SQL.read_bytes())
    (hint,) = filter(None, hints)
    (statement,) = re.findall(r"select [\w.]+cleanup_expired_keys\(\)", hint)
    assert count(empty_db.conn, statement) == 0


@WITHOUT_CRON
def test_without_pg_cron_scheduling_is_refused(db: Database) -> None:
    with db.connect("app") as conn:
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_schedule_cleanup()")
        assert caught.value.sqlstate == "WA006"
        assert "cleanup_expired_keys()" in (caught.value.diag.message_hint or "")


@WITHOUT_CRON
def test_without_pg_cron_there_is_no_job_to_unschedule(db: Database) -> None:
    with db.connect("app") as conn:
        assert conn.execute("select auth_unschedule_cleanup()").fetchone() == (False,)
        assert conn.execute("select auth_cleanup_job() ->> 'pg_cron'").fetchone() == ("absent",)


@WITHOUT_CRON
def test_without_pg_cron_cleanup_works(db: Database) -> None:
    with_an_expired_key(db)
    with db.connect("app") as conn:
        assert count(conn, "select cleanup_expired_keys()") == 2
        assert count(conn, "select cleanup_expired_keys()") == 0
