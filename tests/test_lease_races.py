"""Holders that are paused, killed and robbed: one at a time, and many in a race."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.cluster import Cluster, Database
from harness.creds import creds, creds_json
from harness.installing import count, run_program
from harness.lease_race.race import Race, summary
from harness.processes import Process, pause, wait_until, waits_for_a_lock

# Who installed makes no difference here.
pytestmark = pytest.mark.parametrize("cluster", ["pg15-login", "pg18-superuser"], indirect=True)

BATCH = {"session": {"1.0": "new", "2.0": "new"}, "pre-key": {"1": "new"}}
STATE = {"format": 1, "keys": BATCH}

# Each of a company of its own.
WRITES = {
    "auth_init_creds": ("select auth_init_creds(%s, %s, %s)", creds(new=1)),
    "auth_save_creds": ("select auth_save_creds(%s, %s, null, %s)", creds(new=1)),
    "auth_set_keys": ("select auth_set_keys(%s, %s, %s)", BATCH),
    "auth_save_state": (f"select auth_save_state(%s, '{creds_json(new=1)}', %s, %s)", BATCH),
    "auth_import": ("select auth_import(%s, %s, 'replace', %s)", STATE),
    "auth_clear_keys": ("select auth_clear_keys(%s, %s, %s)", None),
    "auth_delete_company": ("select auth_delete_company(%s, %s)", ...),
    "auth_renew_lease": ("select auth_renew_lease(%s, %s, '1 hour')", ...),
}


def connect(dsn: str) -> psycopg.Connection:
    return psycopg.connect(dsn, autocommit=True)


def acquire(conn: psycopg.Connection, company: str, holder: str, ttl: str = "1 hour") -> int:
    query = "select token from auth_acquire_lease(%s, %s, %s::interval, true)"
    return count(conn, query, company, holder, ttl)


def set_keys(conn: psycopg.Connection, company: str, mark: object, token: int | None = None) -> int:
    data = {type_: dict.fromkeys(ids, mark) for type_, ids in BATCH.items()}
    return count(conn, "select auth_set_keys(%s, %s, %s)", company, json.dumps(data), token)


def refused(conn: psycopg.Connection, company: str, token: int) -> bool:
    """Whether a write under the token is."""
    try:
        set_keys(conn, company, "written by a token that may", token)
    except psycopg.Error as error:
        if error.sqlstate != "WA002":
            raise
        return True
    return False


def resumed(conn: psycopg.Connection, company: str, holder: str, token: int) -> bool:
    query = "select acquired from auth_acquire_lease(%s, %s, p_token => %s)"
    row = conn.execute(query, [company, holder, token]).fetchone()
    assert row is not None
    return bool(row[0])


def write(conn: psycopg.Connection, function: str, token: int) -> str | None:
    """The error that it got."""
    statement, data = WRITES[function]
    parameters: list[Any] = [function, token]
    if data is not ...:
        parameters.insert(1, None if data is None else json.dumps(data))
    try:
        conn.execute(statement, parameters)
    except psycopg.Error as error:
        return error.sqlstate
    return None


def everything(conn: psycopg.Connection) -> list[Any]:
    return conn.execute(
        "select (select jsonb_agg(a order by a) from whatsapp_auth a),"
        " (select jsonb_agg(k order by k) from whatsapp_keys k),"
        " (select jsonb_agg(l order by l.company_id) from whatsapp_leases l)"
    ).fetchall()


@pytest.fixture
def process() -> Iterator[Callable[..., Process]]:
    """Starts one that may pause; what is left of it in the end is killed."""
    processes = []

    def start(job: Callable[..., Any], *arguments: Any) -> Process:
        processes.append(Process(job, *arguments))
        return processes[-1]

    yield start
    for started in processes:
        started.kill()


# A holder that sleeps


def take_over(db: Database, company: str, token: int) -> None:
    acquire(db.conn, company, "thief")


def take_over_and_write(db: Database, company: str, token: int) -> None:
    set_keys(db.conn, company, "thief", acquire(db.conn, company, "thief"))


def take_over_and_lapse(db: Database, company: str, token: int) -> None:
    stolen = acquire(db.conn, company, "thief", "30 ms")
    set_keys(db.conn, company, "thief", stolen)
    time.sleep(0.03)
    query = "select expires_at <= clock_timestamp() from whatsapp_leases where token = %s"
    assert db.conn.execute(query, [stolen]).fetchone() == (True,)


def take_over_and_give_back(db: Database, company: str, token: int) -> None:
    stolen = acquire(db.conn, company, "thief")
    db.conn.execute("select auth_release_lease(%s, %s)", [company, stolen])


def restart_under_the_same_name(db: Database, company: str, token: int) -> None:
    acquire(db.conn, company, "holder")


def delete_the_company(db: Database, company: str, token: int) -> None:
    db.conn.execute("select auth_delete_company(%s, %s)", [company, token])


def delete_the_company_and_begin_anew(db: Database, company: str, token: int) -> None:
    delete_the_company(db, company, token)
    acquire(db.conn, company, "holder")


def truncate_the_leases(db: Database, company: str, token: int) -> None:
    db.conn.execute("truncate whatsapp_leases")


def let_it_lapse(db: Database, company: str, token: int) -> None:
    db.conn.execute("update whatsapp_leases set expires_at = clock_timestamp()")


MEANWHILE = [
    take_over,
    take_over_and_write,
    take_over_and_lapse,
    take_over_and_give_back,
    restart_under_the_same_name,
    delete_the_company,
    delete_the_company_and_begin_anew,
    truncate_the_leases,
    let_it_lapse,
]


def renew_sleep_and_write(dsn: str, tokens: dict[str, int], in_transaction: bool) -> dict[str, Any]:
    codes = {}
    with connect(dsn) as conn:
        for company, token in tokens.items():
            conn.execute("select auth_renew_lease(%s, %s, '1 hour')", [company, token])
        if in_transaction:
            conn.execute("begin")
            conn.execute("select auth_get_creds('auth_set_keys')")
        pause()
        for function, token in tokens.items():
            if in_transaction:
                conn.execute("savepoint before")
            codes[function] = write(conn, function, token)
            if in_transaction:
                conn.execute("rollback to before")
        if in_transaction:
            conn.execute("commit")
    return codes


@pytest.mark.parametrize("in_transaction", [False, True], ids=["between calls", "in transaction"])
@pytest.mark.parametrize("meanwhile", MEANWHILE, ids=lambda meanwhile: meanwhile.__name__)
def test_a_holder_that_slept_through_the_end_of_its_lease_cannot_write_one_row(
    db: Database,
    process: Callable[..., Process],
    meanwhile: Callable[[Database, str, int], None],
    in_transaction: bool,
) -> None:
    tokens = {}
    for company in WRITES:
        tokens[company] = acquire(db.conn, company, "holder")
        set_keys(db.conn, company, "holder", tokens[company])
    holder = process(renew_sleep_and_write, db.service_dsn, tokens, in_transaction)
    holder.wait_until_paused()
    for company, token in tokens.items():
        meanwhile(db, company, token)
    before = everything(db.conn)
    holder.wake()
    assert holder.result() == dict.fromkeys(WRITES, "WA002")
    assert everything(db.conn) == before


# With a thief at the door


def write_sleep_and_write(dsn: str, token: int) -> str | None:
    with connect(dsn) as conn:
        try:
            with conn.transaction():
                set_keys(conn, "acme", "half", token)
                pause()
                set_keys(conn, "acme", "whole", token)
        except psycopg.Error as error:
            return error.sqlstate
    return None


def steal_and_look(dsn: str) -> tuple[int, dict[str, Any]]:
    """The token, and what the thief finds."""
    with connect(dsn) as conn:
        return acquire(conn, "acme", "thief"), marks(conn)


def marks(conn: psycopg.Connection) -> Any:
    """What the batch of acme says in all of its keys."""
    ids = json.dumps({type_: [*keys] for type_, keys in BATCH.items()})
    (found,) = conn.execute("select auth_get_keys('acme', %s::jsonb)", [ids]).fetchone()
    (mark,) = {value for values in found.values() for value in values.values()}
    return mark


@pytest.mark.parametrize(
    ("ttl", "code", "left"), [("1 hour", None, "whole"), ("300 ms", "WA002", "old")]
)
def test_a_thief_waits_for_a_writer_that_sleeps_in_its_transaction_and_finds_all_of_it_or_nothing(
    db: Database, process: Callable[..., Process], ttl: str, code: str | None, left: str
) -> None:
    token = acquire(db.conn, "acme", "holder", ttl)
    set_keys(db.conn, "acme", "old", token)
    holder = process(write_sleep_and_write, db.service_dsn, token)
    holder.wait_until_paused()
    thief = process(steal_and_look, db.service_dsn)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    time.sleep(0.4)  # longer than the shorter ttl
    assert thief.is_running
    assert count(db.conn, "select token from whatsapp_leases") == token
    holder.wake()
    assert holder.result() == code
    stolen, found = thief.result()
    assert stolen > token
    assert found == left
    assert refused(db.conn, "acme", token)


def test_a_writer_killed_in_its_transaction_leaves_the_thief_nothing_of_it(
    db: Database, process: Callable[..., Process]
) -> None:
    token = acquire(db.conn, "acme", "holder")
    set_keys(db.conn, "acme", "old", token)
    holder = process(write_sleep_and_write, db.service_dsn, token)
    holder.wait_until_paused()
    thief = process(steal_and_look, db.service_dsn)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    holder.kill()
    stolen, found = thief.result()
    assert stolen > token
    assert found == "old"


def test_a_thief_that_does_not_wait_long_enough_has_nothing(
    db: Database, process: Callable[..., Process]
) -> None:
    token = acquire(db.conn, "acme", "holder")
    holder = process(write_sleep_and_write, db.service_dsn, token)
    holder.wait_until_paused()
    with connect(db.service_dsn) as conn:
        conn.execute("set lock_timeout = '50ms'")
        with pytest.raises(psycopg.errors.LockNotAvailable):
            acquire(conn, "acme", "thief")
    holder.wake()
    assert holder.result() is None
    assert not refused(db.conn, "acme", token)


def acquire_sleep_and_commit(dsn: str) -> int:
    with connect(dsn) as conn, conn.transaction():
        token = acquire(conn, "acme", "slow", "30 ms")
        pause()
    return token


def test_a_lease_that_ended_before_its_transaction_did_is_none(
    db: Database, process: Callable[..., Process]
) -> None:
    slow = process(acquire_sleep_and_commit, db.service_dsn)
    slow.wait_until_paused()
    time.sleep(0.05)
    slow.wake()
    assert refused(db.conn, "acme", slow.result())
    query = "select acquired from auth_acquire_lease('acme', 'another')"
    assert db.conn.execute(query).fetchone() == (True,)


# Tokens never come back


def forget_by_deletion(db: Database, token: int) -> None:
    delete_the_company(db, "acme", token)


def forget_by_truncation(db: Database, token: int) -> None:
    truncate_the_leases(db, "acme", token)


def forget_by_cleanup(db: Database, token: int) -> None:
    db.conn.execute("update whatsapp_leases set expires_at = now() - interval '2 days'")
    db.conn.execute("select cleanup_expired_keys()")
    assert count(db.conn, "select count(*) from whatsapp_leases") == 0


def forget_by_rollback(db: Database, token: int) -> None:
    pass


@pytest.mark.parametrize(
    "forget",
    [forget_by_deletion, forget_by_truncation, forget_by_cleanup, forget_by_rollback],
    ids=lambda forget: forget.__name__,
)
def test_tokens_grow_when_all_of_them_are_forgotten(
    db: Database, forget: Callable[[Database, int], None]
) -> None:
    tokens: list[int] = []
    for _ in range(20):
        with db.conn.transaction(force_rollback=forget is forget_by_rollback):
            tokens.append(acquire(db.conn, "acme", "holder"))
        forget(db, tokens[-1])
        assert all(refused(db.conn, "acme", token) for token in tokens)
    assert tokens == sorted(set(tokens))


@pytest.fixture
def archive(db: Database, tmp_path: Path) -> Path:
    """Of an account under a lease."""
    set_keys(db.conn, "acme", "old", acquire(db.conn, "acme", "holder"))
    path = tmp_path / "archive"
    run_program(db, "pg_dump", "-Fc", "-f", str(path))
    return path


def test_an_old_dump_in_a_new_database_brings_no_lease_and_no_token_with_it(
    db: Database, empty_db: Database, archive: Path
) -> None:
    dumped = count(db.conn, "select token from whatsapp_leases")
    later = acquire(db.conn, "acme", "thief")
    run_program(empty_db, "pg_restore", "--exit-on-error", str(archive))
    with empty_db.connect("app") as conn:
        assert refused(conn, "acme", later)
        assert refused(conn, "acme", dumped)
        token = acquire(conn, "acme", "new")
        assert token > max(dumped, later)
        assert refused(conn, "acme", later)
        assert refused(conn, "acme", dumped)
        assert not refused(conn, "acme", token)


@pytest.mark.parametrize("are_truncated", [True, False], ids=["truncated", "deleted from"])
def test_after_an_old_dump_in_the_same_tables_later_tokens_are_lost_and_the_next_is_greater(
    db: Database, archive: Path, are_truncated: bool
) -> None:
    dumped = count(db.conn, "select token from whatsapp_leases")
    later = acquire(db.conn, "acme", "thief")
    tables = ["whatsapp_auth", "whatsapp_keys", "whatsapp_leases"]
    for table in tables:
        db.conn.execute(f"truncate {table}" if are_truncated else f"delete from {table}")
    options = [f"--table={table}" for table in tables]
    run_program(db, "pg_restore", "--exit-on-error", "--data-only", *options, str(archive))
    with db.connect("app") as conn:
        assert refused(conn, "acme", later)
        # The token that was stolen after the dump came back with it once.
        assert refused(conn, "acme", dumped)
        assert not resumed(conn, "acme", "holder", dumped)
        token = acquire(conn, "acme", "new")
        assert token > max(dumped, later)
        assert refused(conn, "acme", later)
        assert refused(conn, "acme", dumped)
        assert not refused(conn, "acme", token)


# Two servers that are set up alike give the tables the same numbers.
def test_an_old_dump_of_rows_brings_no_lease_to_another_server_that_was_set_up_alike(
    cluster: Cluster, own_cluster: Callable[[str], Cluster], tmp_path: Path
) -> None:
    one, other = (own_cluster(cluster.name).new_database() for _ in range(2))
    token = acquire(one.conn, "acme", "holder")
    path = tmp_path / "archive"
    run_program(one, "pg_dump", "-Fc", "--data-only", "--table=whatsapp_leases", "-f", str(path))
    run_program(other, "pg_restore", "--exit-on-error", "--data-only", str(path))
    with other.connect("app") as conn:
        assert refused(conn, "acme", token)
        assert not resumed(conn, "acme", "holder", token)
        assert conn.execute("select is_live from auth_list_leases()").fetchall() == [(False,)]
        assert acquire(conn, "acme", "another") > token


def test_a_copied_database_has_no_lease(db: Database) -> None:
    token = acquire(db.conn, "acme", "holder")
    db.conn.close()
    name = f"{db.name}_copy"
    db.cluster.create_database(name, db.name)
    try:
        with db.server.connect(name, "app") as conn:
            assert conn.execute("select is_live from auth_list_leases()").fetchall() == [(False,)]
            assert refused(conn, "acme", token)
            assert count(conn, "select auth_set_keys('acme', '{}')") == 0
    finally:
        db.cluster.drop_database(name)
    with db.connect("app") as conn:
        assert not refused(conn, "acme", token)


# As logical replication and COPY write it: as it was, but in another transaction.
def test_a_lease_that_somebody_copied_in_is_none(db: Database) -> None:
    token = acquire(db.conn, "acme", "holder")
    db.conn.execute(
        "create temporary table kept as select * from whatsapp_leases;"
        " delete from whatsapp_leases; insert into whatsapp_leases select * from kept"
    )
    with db.connect("app") as conn:
        assert refused(conn, "acme", token)
        assert not resumed(conn, "acme", "holder", token)


# The race


def test_many_that_race_are_paused_and_killed_without_a_double_holder_or_a_stale_write(
    db: Database,
) -> None:
    race = Race(db)
    race.run(15)
    race.close()
    assert race.violations == [], summary(race.counts)
    for what in (
        "acquisitions",
        "steals",
        "resumptions",
        "restarts",
        "pauses",
        "writes acknowledged",
        "writes refused",
    ):
        assert race.counts[what] > 5, race.counts
