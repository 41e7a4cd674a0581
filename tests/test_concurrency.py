"""Writers, readers, cleanups and takeovers at the same time, in processes of their own."""

from __future__ import annotations

import json
import random
import time
from collections import Counter
from collections.abc import Callable
from contextlib import suppress
from typing import Any

import psycopg
import pytest

from harness.cluster import Database
from harness.creds import creds_json
from harness.installing import count
from harness.processes import Process, at_once, wait_until, waits_for_a_lock

# Who installed makes no difference here.
pytestmark = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg18-login"], indirect=True)

IDS = [f"{n}.0" for n in range(12)]
MARKS = "abc"  # few, so that unchanged values are among those written


def connect(dsn: str, **settings: str) -> psycopg.Connection:
    conn = psycopg.connect(dsn, autocommit=True)
    for name, value in settings.items():
        conn.execute("select set_config(%s, %s, false)", [name.replace("__", "."), value])
    return conn


def set_keys(conn: psycopg.Connection, company: str, data: object, token: int | None = None) -> int:
    return count(conn, "select auth_set_keys(%s, %s, %s)", company, json.dumps(data), token)


def acquire(conn: psycopg.Connection, company: str, holder: str, ttl: str = "60 s") -> int:
    query = "select token from auth_acquire_lease(%s, %s, %s::interval, true)"
    return count(conn, query, company, holder, ttl)


# Batches that overlap


def write_batches(ready: Callable[[], object], dsn: str, seconds: float, seed: int) -> int:
    """Sets all of a group to one mark, or deletes it; and some keys that overlap with others'."""
    rng = random.Random(seed)
    batches = 0
    with connect(dsn) as conn:
        ready()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            mark = rng.choice([*MARKS, None])
            extra = {f"x{n}": rng.choice([1, 2, None]) for n in rng.sample(range(40), 15)}
            if rng.random() < 0.6:
                data = {"session": dict.fromkeys(IDS, mark), "pre-key": dict.fromkeys(IDS, mark)}
                set_keys(conn, "acme", {**data, "tctoken": extra})
            else:
                data = {"sender-key": dict.fromkeys(IDS, mark), "tctoken": extra}
                query = "select auth_save_state('acme', %s, %s)"
                conn.execute(query, [creds_json(mark=mark), json.dumps(data)])
            batches += 1
    return batches


def read_batches(
    ready: Callable[[], object], dsn: str, seconds: float, seed: int
) -> tuple[int, Counter[str]]:
    """How often it read, and what it saw that was not one whole batch."""
    torn: Counter[str] = Counter()
    reads = 0
    with connect(dsn) as conn:
        ready()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            wanted = json.dumps({"session": IDS, "pre-key": IDS})
            row = conn.execute("select auth_get_keys('acme', %s::jsonb)", [wanted]).fetchone()
            marks = [mark for ids in row[0].values() for mark in ids.values()]
            if len(marks) != 2 * len(IDS) or len(set(marks)) != 1:
                torn[f"get: {sorted(map(str, set(marks)))}"] += 1
            row = conn.execute("select auth_export('acme')").fetchone()
            keys = row[0]["keys"].get("sender-key", {})
            mark = row[0]["creds"]["mark"]
            if keys != ({} if mark is None else dict.fromkeys(IDS, mark)):
                torn[f"export: {mark} {sorted(set(keys.values()))}"] += 1
            reads += 1
    return reads, torn


def work(ready: Callable[[], object], job: Callable[..., Any], *arguments: Any) -> Any:
    return job(ready, *arguments)


def test_eight_writers_of_overlapping_batches_never_fail_and_never_show_half_of_one(
    db: Database,
) -> None:
    db.conn.execute("select auth_save_creds('acme', %s)", [creds_json(mark=None)])
    results = at_once(
        work,
        [(write_batches, db.service_dsn, 20, n) for n in range(8)]
        + [(read_batches, db.service_dsn, 20, n) for n in range(2)],
    )
    assert all(batches > 20 for batches in results[:8])
    assert [torn for _, torn in results[8:]] == [Counter()] * 2
    assert all(reads > 20 for reads, _ in results[8:])


def test_the_last_of_two_writers_leaves_its_batch_whole(db: Database) -> None:
    # The second finds half of its values there already, before the first has changed them.
    set_keys(db.conn, "acme", {"session": {"1.0": "b", "2.0": "b"}})
    first = db.connect("app", autocommit=False)
    set_keys(first, "acme", {"session": {"1.0": "a", "2.0": "a"}})
    second = Process(
        lambda: set_keys(connect(db.service_dsn), "acme", {"session": {"1.0": "b", "2.0": "b"}})
    )
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    first.commit()
    assert second.result() == 2
    query = "select auth_get_keys('acme', 'session', '{1.0,2.0}')"
    assert db.conn.execute(query).fetchone() == ({"1.0": "b", "2.0": "b"},)


def count_up_by_version(ready: Callable[[], object], dsn: str, rounds: int) -> int:
    """Adds one as often as it can say over which version."""
    added = 0
    with connect(dsn) as conn:
        ready()
        for _ in range(rounds):
            version = count(conn, "select auth_creds_version('acme')")
            creds = conn.execute("select auth_get_creds('acme')").fetchone()[0]
            if count(conn, "select auth_creds_version('acme')") != version:
                continue
            creds["n"] += 1
            try:
                conn.execute("select auth_save_creds('acme', %s, %s)", [json.dumps(creds), version])
            except psycopg.Error as error:
                if error.sqlstate != "WA003":
                    raise
            else:
                added += 1
    return added


def test_no_write_over_an_expected_version_is_lost(db: Database) -> None:
    db.conn.execute("select auth_save_creds('acme', %s)", [creds_json(n=0)])
    added = at_once(count_up_by_version, [(db.service_dsn, 60)] * 6)
    assert count(db.conn, "select auth_get_creds('acme') ->> 'n'") == sum(added) > 0


def init_creds(ready: Callable[[], object], dsn: str, rounds: int, own: int) -> list[Any]:
    won = []
    with connect(dsn) as conn:
        for n in range(rounds):
            ready()
            own_creds = creds_json(identity=own)
            won += conn.execute(
                "select auth_init_creds(%s, %s)", [f"company {n}", own_creds]
            ).fetchone()
    return won


def test_of_many_that_init_creds_at_once_one_identity_wins_for_all(db: Database) -> None:
    rounds = 25
    results = at_once(init_creds, [(db.service_dsn, rounds, n) for n in range(8)])
    for n in range(rounds):
        (stored,) = db.conn.execute("select auth_get_creds(%s)", [f"company {n}"]).fetchone()
        assert [won[n] for won in results] == [stored] * 8


# Companies


WRITES = {
    "auth_init_creds": f"select auth_init_creds(%(company)s, '{creds_json()}')",
    "auth_save_creds": f"select auth_save_creds(%(company)s, '{creds_json(a=1)}')",
    "auth_set_keys": 'select auth_set_keys(%(company)s, \'{"session": {"1.0": 1}}\')',
    "an empty auth_set_keys": "select auth_set_keys(%(company)s, '{}')",
    "auth_save_state": f"select auth_save_state(%(company)s, '{creds_json(a=2)}', '{{}}')",
    "auth_import": "select auth_import(%(company)s, '{\"format\": 1, \"keys\": {}}', 'merge')",
    "auth_clear_keys": "select auth_clear_keys(%(company)s)",
    "auth_delete_company": "select auth_delete_company(%(company)s)",
    "auth_acquire_lease": "select auth_acquire_lease(%(company)s, 'me')",
    "auth_renew_lease": "select auth_renew_lease(%(company)s, %(token)s)",
    "auth_release_lease": "select auth_release_lease(%(company)s, %(token)s)",
}


@pytest.mark.parametrize("write", WRITES.values(), ids=WRITES)
def test_a_write_waits_for_its_own_company_and_for_no_other(db: Database, write: str) -> None:
    tokens = {}
    if "token" in write:
        tokens = {name: acquire(db.conn, name, "me") for name in ("acme", "other")}
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "acme", {"session": {"1.0": 5}}, tokens.get("acme"))
    with connect(db.service_dsn, lock_timeout="20ms") as conn:
        conn.execute(write, {"company": "other", "token": tokens.get("other")})
        with pytest.raises(psycopg.errors.LockNotAvailable):
            conn.execute(write, {"company": "acme", "token": tokens.get("acme")})
    busy.rollback()


def test_readers_do_not_wait_for_a_writer(db: Database) -> None:
    set_keys(db.conn, "acme", {"session": {"1.0": 1}})
    busy = db.connect("app", autocommit=False)
    busy.execute("select auth_delete_company('acme')")
    with connect(db.service_dsn, statement_timeout="2s") as conn:
        for read in (
            "auth_get_keys('acme', 'session', '{1.0}')",
            "auth_get_keys('acme', '{\"session\": [\"1.0\"]}'::jsonb)",
            "auth_get_creds('acme')",
            "auth_creds_version('acme')",
            "auth_export('acme')",
            "auth_list_keys('acme', 'session')",
            "auth_list_companies()",
            "auth_stats()",
            "auth_status()",
            "cleanup_expired_keys(10, true)",
        ):
            conn.execute(f"select {read}")
    busy.rollback()


# The wait


def wait_for_acme(db: Database, **settings: str) -> tuple[psycopg.Error, float, int]:
    """The error of a write to a busy company, after how long it came, and who was in the way."""
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "acme", {"session": {"1.0": 1}})
    started = time.monotonic()
    with connect(db.service_dsn, **settings) as conn, pytest.raises(psycopg.Error) as caught:
        set_keys(conn, "acme", {"session": {"1.0": 2}})
    elapsed = time.monotonic() - started
    pid = busy.info.backend_pid
    busy.rollback()
    return caught.value, elapsed, pid


def test_a_wait_that_is_too_long_names_the_process_in_the_way(db: Database) -> None:
    error, _, pid = wait_for_acme(db, auth_state__lock_wait="50ms")
    assert error.sqlstate == "55P03"
    assert f"Process {pid} " in (error.diag.message_hint or "")


def test_auth_state_lock_wait_bounds_the_wait(db: Database) -> None:
    error, elapsed, _ = wait_for_acme(db, auth_state__lock_wait="400ms", lock_timeout="10s")
    assert error.sqlstate == "55P03"
    assert 0.35 < elapsed < 3


def test_a_shorter_lock_timeout_bounds_the_wait(db: Database) -> None:
    error, elapsed, _ = wait_for_acme(db, auth_state__lock_wait="10s", lock_timeout="400ms")
    assert error.sqlstate == "55P03"
    assert 0.35 < elapsed < 3


def test_without_any_setting_the_wait_is_five_seconds(db: Database) -> None:
    error, elapsed, _ = wait_for_acme(db)
    assert error.sqlstate == "55P03"
    assert 4.9 < elapsed < 8


@pytest.mark.parametrize("setting", ["", "250", "0.25s", "250000us", "250 ms"])
def test_lock_wait_is_read_like_a_time_of_postgresql(db: Database, setting: str) -> None:
    if not setting:
        with connect(db.service_dsn, auth_state__lock_wait="") as conn:
            set_keys(conn, "acme", {})
        return
    error, elapsed, _ = wait_for_acme(db, auth_state__lock_wait=setting)
    assert error.sqlstate == "55P03"
    assert 0.2 < elapsed < 3


@pytest.mark.parametrize("setting", ["soon", "0", "-1s", "1000000 years"])
def test_a_lock_wait_that_is_no_time_is_refused(db: Database, setting: str) -> None:
    error, _, _ = wait_for_acme(db, auth_state__lock_wait=setting)
    assert error.sqlstate == "WA001"
    assert "auth_state.lock_wait" in str(error)


def test_what_auth_configure_keeps_bounds_the_wait_of_every_session(db: Database) -> None:
    with db.connect("app") as conn:
        conn.execute("select auth_configure('lock_wait', '400ms')")
    error, elapsed, _ = wait_for_acme(db)
    assert error.sqlstate == "55P03"
    assert 0.35 < elapsed < 3


def test_a_session_that_is_connected_has_a_changed_setting_from_its_next_call_on(
    db: Database,
) -> None:
    busy = db.connect("app", autocommit=False)
    with db.connect("app") as waiter:
        set_keys(waiter, "acme", {"session": {"1.0": 1}})
        set_keys(busy, "acme", {"session": {"1.0": 2}})
        db.conn.execute("select auth_configure('lock_wait', '50ms')")
        with pytest.raises(psycopg.errors.LockNotAvailable, match="50 ms"):
            set_keys(waiter, "acme", {"session": {"1.0": 3}})
    busy.rollback()


@pytest.mark.parametrize("settings", [{"auth_state__lock_wait": "10s"}, {"lock_timeout": "10s"}])
def test_a_session_cannot_wait_longer_than_auth_configure_says(
    db: Database, settings: dict[str, str]
) -> None:
    db.conn.execute("select auth_configure('lock_wait', '400ms')")
    error, elapsed, _ = wait_for_acme(db, **settings)
    assert error.sqlstate == "55P03"
    assert 0.35 < elapsed < 3


# The process may be committing, and wait for a standby: what it acknowledges would be lost.
def test_nobody_is_told_to_end_the_process_in_the_way(db: Database) -> None:
    error, _, _ = wait_for_acme(db, auth_state__lock_wait="50ms")
    hint = error.diag.message_hint or ""
    assert "pg_stat_activity" in hint
    assert "terminate" not in str(error) + hint


def test_lock_timeout_is_as_before_after_a_wait_that_failed(db: Database) -> None:
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "acme", {"session": {"1.0": 1}})
    with connect(db.service_dsn, lock_timeout="1234ms", auth_state__lock_wait="30ms") as conn:
        with conn.transaction():
            with suppress(psycopg.errors.LockNotAvailable), conn.transaction():
                set_keys(conn, "acme", {})
            assert conn.execute("show lock_timeout").fetchone() == ("1234ms",)
        assert conn.execute("show lock_timeout").fetchone() == ("1234ms",)
    busy.rollback()


def test_lock_timeout_is_as_before_after_a_wait_that_succeeded(db: Database) -> None:
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "acme", {"session": {"1.0": 1}})

    def write() -> list[Any]:
        with connect(db.service_dsn, lock_timeout="7s") as conn:
            with conn.transaction():
                set_keys(conn, "acme", {"session": {"1.0": 2}})
                inside = conn.execute("show lock_timeout").fetchone()
            return [inside, conn.execute("show lock_timeout").fetchone()]

    waiter = Process(write)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    busy.commit()
    assert waiter.result() == [("7s",), ("7s",)]


def test_a_transaction_goes_on_after_a_savepoint_that_waited_in_vain(db: Database) -> None:
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "acme", {"session": {"1.0": 1}})
    with connect(db.service_dsn, lock_timeout="30ms") as conn:
        with conn.transaction():
            with suppress(psycopg.errors.LockNotAvailable), conn.transaction():
                set_keys(conn, "acme", {"session": {"1.0": 2}})
            set_keys(conn, "other", {"session": {"1.0": 3}})
        busy.rollback()
        query = "select auth_get_keys('other', 'session', '{1.0}')"
        assert conn.execute(query).fetchone() == ({"1.0": 3},)


# Between a writer's start and its lock


PROTECTED = {
    "auth_init_creds": f"select auth_init_creds('acme', '{creds_json(x=1)}', %(token)s)",
    "auth_save_creds": f"select auth_save_creds('acme', '{creds_json(x=1)}', null, %(token)s)",
    "auth_set_keys": "select auth_set_keys('acme', '{\"session\": {\"2.0\": 1}}', %(token)s)",
    "auth_save_state": (
        f"select auth_save_state('acme', '{creds_json(x=1)}',"
        ' \'{"session": {"2.0": 1}}\', %(token)s)'
    ),
    "auth_import": (
        'select auth_import(\'acme\', \'{"format": 1, "keys": {"session": {"2.0": 1}}}\','
        " 'merge', %(token)s)"
    ),
    "auth_clear_keys": "select auth_clear_keys('acme', null, %(token)s)",
    "auth_delete_company": "select auth_delete_company('acme', %(token)s)",
    "auth_renew_lease": "select auth_renew_lease('acme', %(token)s, '1 hour')",
}
LEVELS = ["read committed", "repeatable read", "serializable"]


def everything(conn: psycopg.Connection) -> list[Any]:
    return conn.execute(
        "select (select jsonb_agg(a order by a) from whatsapp_auth a),"
        " (select jsonb_agg(k order by k) from whatsapp_keys k),"
        " (select jsonb_agg(l order by l.company_id) from whatsapp_leases l)"
    ).fetchall()


def race(db: Database, write: str, level: str, meanwhile: Callable[..., Any]) -> str | None:
    """What becomes of a write that waits for the lock while its holder does something.

    The writer's transaction has read before: its snapshot, where the level keeps one, is old.
    Nothing that was there may change by the write unless it succeeds.
    """
    token = acquire(db.conn, "acme", "me")
    set_keys(db.conn, "acme", {"session": {"1.0": 1}}, token)
    blocker = db.connect("app", autocommit=False)
    meanwhile(blocker, token)

    def late() -> str | None:
        with connect(db.service_dsn) as conn:
            conn.execute(f"begin isolation level {level}")
            conn.execute("select auth_get_creds('acme')")
            try:
                conn.execute(write, {"token": token})
                conn.execute("commit")
            except psycopg.Error as error:
                return error.sqlstate
        return None

    writer = Process(late)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name) or not writer.is_running)
    blocker.commit()
    before = everything(db.conn)
    code = writer.result()
    if code is not None:
        assert everything(db.conn) == before
    return code


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("write", PROTECTED.values(), ids=PROTECTED)
def test_a_lease_taken_over_before_the_lock_stops_the_writer(
    db: Database, write: str, level: str
) -> None:
    def steal(blocker: psycopg.Connection, token: int) -> None:
        acquire(blocker, "acme", "somebody else")

    assert race(db, write, level, steal) == ("WA002" if level == "read committed" else "WA006")


@pytest.mark.parametrize("write", PROTECTED.values(), ids=PROTECTED)
def test_a_lease_acquired_before_the_lock_stops_a_writer_without_one(
    db: Database, write: str
) -> None:
    if "auth_renew_lease" in write:
        return  # it always has one

    def grab(blocker: psycopg.Connection, token: int) -> None:
        blocker.execute("select auth_release_lease('acme', %s)", [token])
        acquire(blocker, "acme", "somebody else")

    without = write.replace("%(token)s", "null")
    assert race(db, without, "read committed", grab) == "WA002"


def test_a_lease_given_back_before_the_lock_stops_the_writer(db: Database) -> None:
    def release(blocker: psycopg.Connection, token: int) -> None:
        blocker.execute("select auth_release_lease('acme', %s)", [token])

    assert race(db, PROTECTED["auth_set_keys"], "read committed", release) == "WA002"


# The clock is read after the lock.
def test_a_lease_that_ends_during_the_wait_stops_the_writer(db: Database) -> None:
    blocker = db.connect("app", autocommit=False)
    token = acquire(blocker, "acme", "me", "1 s")
    blocker.commit()
    set_keys(blocker, "acme", {"session": {"1.0": 1}}, token)

    def late() -> str | None:
        with connect(db.service_dsn) as conn:
            try:
                set_keys(conn, "acme", {"session": {"1.0": 2}}, token)
            except psycopg.Error as error:
                return error.sqlstate
        return None

    writer = Process(late)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    time.sleep(1.1)
    blocker.commit()
    assert writer.result() == "WA002"


def test_a_version_saved_before_the_lock_stops_the_writer(db: Database) -> None:
    version = count(db.conn, "select auth_save_creds('acme', %s)", creds_json(n=0))
    blocker = db.connect("app", autocommit=False)
    blocker.execute("select auth_save_creds('acme', %s)", [creds_json(n=1)])

    def late() -> str | None:
        with connect(db.service_dsn) as conn:
            try:
                conn.execute("select auth_save_creds('acme', %s, %s)", [creds_json(n=2), version])
            except psycopg.Error as error:
                return error.sqlstate
        return None

    writer = Process(late)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    blocker.commit()
    assert writer.result() == "WA003"


def test_an_identity_saved_before_the_lock_stops_the_writer(db: Database) -> None:
    blocker = db.connect("app", autocommit=False)
    blocker.execute(
        "select auth_init_creds('acme',"
        ' \'{"me": {"id": "1:2@x"}, "noiseKey": 1, "signedIdentityKey": 1}\')'
    )

    def late() -> str | None:
        with connect(db.service_dsn) as conn:
            try:
                conn.execute(
                    "select auth_save_creds('acme', '{\"noiseKey\": 2, \"signedIdentityKey\": 2}')"
                )
            except psycopg.Error as error:
                return error.sqlstate
        return None

    writer = Process(late)
    wait_until(lambda: waits_for_a_lock(db.conn, db.name))
    blocker.commit()
    assert writer.result() == "WA005"


# Leases


def acquire_once_a_round(
    ready: Callable[[], object], dsn: str, rounds: int, holder: str
) -> list[bool]:
    acquired = []
    with connect(dsn) as conn:
        for n in range(rounds):
            ready()
            row = conn.execute(
                "select acquired from auth_acquire_lease(%s, %s)", [f"company {n}", holder]
            ).fetchone()
            acquired += row
    return acquired


def test_of_many_that_ask_at_once_one_gets_the_lease(db: Database) -> None:
    results = at_once(acquire_once_a_round, [(db.service_dsn, 25, f"p{n}") for n in range(8)])
    for round_ in zip(*results, strict=True):
        assert sum(round_) == 1


def count_up_under_leases(
    ready: Callable[[], object], dsn: str, seconds: float, holder: str
) -> tuple[int, int]:
    """Adds one under a lease that is often over before the write; added, refused."""
    rng = random.Random(holder)
    added = refused = 0
    with connect(dsn) as conn:
        ready()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            row = conn.execute(
                "select acquired, token from auth_acquire_lease('acme', %s, '40 ms')", [holder]
            ).fetchone()
            if not row[0]:
                time.sleep(0.002)
                continue
            query = "select auth_get_keys('acme', 'counter', '{n}')"
            n = conn.execute(query).fetchone()[0]["n"] or 0
            time.sleep(rng.random() * 0.07)
            try:
                set_keys(conn, "acme", {"counter": {"n": n + 1}}, row[1])
            except psycopg.Error as error:
                if error.sqlstate != "WA002":
                    raise
                refused += 1
            else:
                added += 1
            if rng.random() < 0.5:
                conn.execute("select auth_release_lease('acme', %s)", [row[1]])
    return added, refused


def test_what_is_written_under_a_lease_is_never_lost_however_short_it_is(db: Database) -> None:
    results = at_once(count_up_under_leases, [(db.service_dsn, 3, f"holder {n}") for n in range(4)])
    query = "select auth_get_keys('acme', 'counter', '{n}') ->> 'n'"
    assert count(db.conn, query) == sum(added for added, _ in results) > 0
    assert sum(refused for _, refused in results) > 0


# Cleanup and expiry


def expired(db: Database, *companies: str) -> None:
    """A device list of each company, eight days old, that may live seven."""
    db.conn.execute("select auth_set_ttl('device-list', '7 days')")
    with db.connect() as conn:
        conn.execute(
            "select set_config('auth_state.now', (now() - '8 days'::interval)::text, false)"
        )
        for company in companies:
            set_keys(conn, company, {"device-list": {"1": ["0"], "2": ["0"]}})


def companies(conn: psycopg.Connection) -> list[str]:
    rows = conn.execute("select company_id from auth_list_companies()").fetchall()
    return [company for (company,) in rows]


def test_cleanup_skips_a_busy_company_and_returns_at_once(db: Database) -> None:
    expired(db, "busy", "free")
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "busy", {"session": {"1.0": 1}})
    with connect(db.service_dsn, statement_timeout="2s") as conn:
        assert count(conn, "select cleanup_expired_keys()") == 2
        assert count(conn, "select cleanup_expired_keys()") == 0
        assert companies(conn) == ["busy"]
        busy.commit()
        assert count(conn, "select cleanup_expired_keys()") == 2


def test_cleanup_leaves_a_company_alone_whose_lease_was_acquired_after_it_had_been_selected(
    db: Database,
) -> None:
    expired(db, "first", "second")
    with db.connect(autocommit=False) as admin:
        admin.execute("select from whatsapp_keys where company_id = 'first' for update")
        cleanup = Process(lambda: count(connect(db.service_dsn), "select cleanup_expired_keys()"))
        waits = (
            "select count(*) from pg_stat_activity where datname = current_database()"
            " and usename = 'app' and wait_event_type = 'Lock'"
        )
        wait_until(lambda: count(db.conn, waits) == 1)
        # Both are in the queue of the cleanup by now, and this one is not locked yet.
        acquire(db.conn, "second", "me")
        admin.rollback()
    assert cleanup.result() == 2
    assert companies(db.conn) == ["second"]


def test_cleanup_of_one_busy_company_returns_at_once(db: Database) -> None:
    expired(db, "busy", "free")
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "busy", {"session": {"1.0": 1}})
    with connect(db.service_dsn, statement_timeout="2s") as conn:
        assert count(conn, "select cleanup_expired_keys(p_company_id => 'busy')") == 0
        assert companies(conn) == ["busy", "free"]
    busy.rollback()


def test_cleanup_skips_a_company_whose_expired_key_a_writer_has_just_renewed(
    db: Database,
) -> None:
    expired(db, "busy")
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "busy", {"device-list": {"1": ["0", "1"]}})
    with connect(db.service_dsn, statement_timeout="2s") as conn:
        assert count(conn, "select cleanup_expired_keys()") == 0
        busy.commit()
        assert count(conn, "select cleanup_expired_keys()") == 1
        query = "select auth_get_keys('busy', 'device-list', '{1,2}')"
        assert conn.execute(query).fetchone() == ({"1": ["0", "1"], "2": None},)


def test_a_writer_of_another_company_does_not_wait_for_a_cleanup_batch(db: Database) -> None:
    expired(db, "acme")
    cleanup = db.connect("app", autocommit=False)
    assert count(cleanup, "select cleanup_expired_keys()") == 2
    with connect(db.service_dsn, lock_timeout="20ms") as conn:
        set_keys(conn, "other", {"device-list": {"1": 1}})
    cleanup.rollback()


def many_expired(db: Database, number: int, session: object) -> None:
    """Companies with a pair each that is past its time, and in use if there is a session."""
    with db.connect() as conn:
        conn.execute("select set_config('auth_state.now', (now() - '9d'::interval)::text, false)")
        pair = {"962302": "118", "118_reverse": "962302"}
        conn.execute(
            "select auth_set_keys('company ' || n, %s) from generate_series(1, %s) n",
            [json.dumps({"lid-mapping": pair, "session": {"118_1.0": session}}), number],
        )


def advisory_locks(conn: psycopg.Connection) -> int:
    query = (
        "select count(*) from pg_locks where locktype = 'advisory' and pid = pg_backend_pid()"
        " and database = (select oid from pg_database where datname = current_database())"
    )
    return count(conn, query)


def test_companies_that_lose_nothing_to_a_cleanup_are_not_kept_locked(db: Database) -> None:
    many_expired(db, 1300, session=1)
    db.conn.execute("select set_config('auth_state.now', (now() - '8d'::interval)::text, false)")
    set_keys(db.conn, "last", {"lid-mapping": {"962302": "118"}})
    with db.connect("app", autocommit=False) as conn:
        assert count(conn, "select cleanup_expired_keys()") == 1
        assert advisory_locks(conn) < 70


def test_a_cleanup_of_more_companies_than_the_lock_table_holds_takes_several_calls(
    db: Database,
) -> None:
    many_expired(db, 1300, session=None)
    with db.connect("app", autocommit=False) as conn:
        removed = count(conn, "select cleanup_expired_keys()")
        assert advisory_locks(conn) <= 1100
        conn.commit()
        assert removed + count(conn, "select cleanup_expired_keys()") == 2600


def test_two_cleanups_at_once_remove_each_key_once(db: Database) -> None:
    names = [f"company {n}" for n in range(30)]
    expired(db, *names)

    def clean(ready: Callable[[], object], dsn: str) -> int:
        removed = 0
        with connect(dsn) as conn:
            ready()
            for _ in range(60):
                removed += count(conn, "select cleanup_expired_keys(5)")
        return removed

    assert sum(at_once(clean, [(db.service_dsn,)] * 3)) == 60
    assert companies(db.conn) == []


def test_a_change_of_ttl_waits_for_no_writer_and_reaches_its_rows_later(db: Database) -> None:
    for company in ("busy", "free"):
        set_keys(db.conn, company, {"tctoken": {"1": 1, "2": 1}})
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "busy", {"tctoken": {"1": 2, "3": 2}})
    with connect(db.service_dsn, statement_timeout="2s") as conn:
        assert count(conn, "select auth_set_ttl('tctoken', '3 days')") == 3
        busy.commit()
        assert count(conn, "select cleanup_expired_keys()") == 0
    rows = db.conn.execute(
        "select company_id, key_id, expires_at - updated_at = '3 days' from whatsapp_keys"
        " order by 1, 2"
    ).fetchall()
    assert rows == [
        ("busy", "1", True),
        ("busy", "2", True),
        ("busy", "3", True),
        ("free", "1", True),
        ("free", "2", True),
    ]


def test_rows_that_a_change_of_ttl_could_not_reach_follow_with_their_next_write(
    db: Database,
) -> None:
    set_keys(db.conn, "busy", {"tctoken": {"1": 1}})
    busy = db.connect("app", autocommit=False)
    set_keys(busy, "busy", {"tctoken": {"1": 2}})
    db.conn.execute("select auth_set_ttl('tctoken', '3 days')")
    busy.commit()
    set_keys(db.conn, "busy", {"tctoken": {"1": 3}})
    query = "select expires_at - updated_at = '3 days' from whatsapp_keys"
    assert db.conn.execute(query).fetchone() == (True,)


def write_both(dsn: str) -> int:
    with connect(dsn) as conn:
        return set_keys(conn, "acme", {"tctoken": {"1": 2}, "session": {"1.0": 2}})


# A row found by its address is not where it was: a change of ttl takes no company's lock.
def test_a_write_is_not_lost_to_a_change_of_ttl_that_is_under_way(db: Database) -> None:
    set_keys(db.conn, "acme", {"tctoken": {"1": 1}, "session": {"1.0": 1}})
    change = db.connect("app", autocommit=False)
    change.execute("select auth_set_ttl('tctoken', '3 days')")
    writer = Process(write_both, db.service_dsn)
    waits = "select count(*) from pg_locks where locktype = 'transactionid' and not granted"
    wait_until(lambda: count(db.conn, waits) > 0 or not writer.is_running)
    change.commit()
    assert writer.result() == 2
    rows = db.conn.execute("select value, expires_at - updated_at = '3 days' from whatsapp_keys")
    assert sorted(rows.fetchall(), key=str) == [(2, None), (2, True)]


def change_ttl(dsn: str) -> int | str | None:
    with connect(dsn) as conn:
        try:
            return count(conn, "select auth_set_ttl('tctoken', '3 days')")
        except psycopg.Error as error:
            return error.sqlstate


# SKIP LOCKED waits after all where a writer ends just then and the next one has the row. The next
# one may wait for another row of the change: a deadlock. Here a lock of the table stands for that.
@pytest.mark.parametrize("answer", [2, "55P03"], ids=["for a moment", "for more than 5 s"])
def test_a_change_of_ttl_gives_way_where_it_meets_a_lock_and_tries_again(
    db: Database, answer: int | str
) -> None:
    set_keys(db.conn, "acme", {"tctoken": {"1": 1, "2": 1}})
    db.conn.execute("select auth_set_ttl('tctoken', '1 day')")
    waits = (
        "select count(*) from pg_locks where relation = 'whatsapp_keys'::regclass and not granted"
    )
    with db.connect(autocommit=False) as other:
        other.execute("lock table whatsapp_keys in share mode")
        change = Process(change_ttl, db.service_dsn)
        wait_until(lambda: count(db.conn, waits) > 0)
        if answer == 2:
            time.sleep(0.5)
            other.rollback()
        assert change.result() == answer
    query = "select count(*) from whatsapp_keys where expires_at - updated_at = '3 days'"
    assert count(db.conn, query) == (2 if answer == 2 else 0)


# Else a session that began when there were no statistics compares each row with every other one.
def test_a_plan_made_without_statistics_finds_the_rows_to_change_by_address(db: Database) -> None:
    plans: list[str] = []
    with db.connect() as conn:
        conn.add_notice_handler(lambda diag: plans.append(diag.message_primary or ""))
        set_keys(conn, "acme", {"session": {f"{n}.0": 1 for n in range(1000)}})
        conn.execute("load 'auto_explain'; set client_min_messages = log")
        conn.execute("set auto_explain.log_nested_statements = on")
        conn.execute("set auto_explain.log_min_duration = 0")
        set_keys(conn, "acme", {"session": {f"{n}.0": 2 for n in range(1000)}})
    changes = [plan for plan in plans if "Update on whatsapp_keys" in plan]
    assert len(changes) == 1
    assert "Tid Scan on whatsapp_keys" in changes[0]


def churn(ready: Callable[[], object], dsn: str, seconds: float, what: int) -> Counter[str]:
    """Writes, cleans up or changes ttls; what went wrong, busy companies apart."""
    rng = random.Random(what)
    wrong: Counter[str] = Counter()
    with connect(dsn) as conn:
        ready()
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            company = f"company {rng.randrange(3)}"
            pair = rng.randrange(20)
            age = rng.choice(["0 days", "6 days", "9 days"])
            conn.execute(
                "select set_config('auth_state.now', (now() - %s::interval)::text, false)", [age]
            )
            try:
                if what < 3:
                    data: dict[str, dict[str, Any]] = {
                        "lid-mapping": {f"{pair}": f"9{pair}", f"9{pair}_reverse": f"{pair}"},
                        "session": {f"{pair}.0": rng.choice([1, 2, None, None])},
                        "tctoken": {f"{n}": rng.choice([1, 2, None]) for n in range(pair)},
                    }
                    set_keys(conn, company, data)
                elif what < 6:
                    conn.execute("select set_config('auth_state.now', '', false)")
                    conn.execute("select cleanup_expired_keys(%s)", [rng.choice([3, 10, 1000])])
                else:
                    ttl = rng.choice(["1 day", "7 days", None])
                    conn.execute("select auth_set_ttl('tctoken', %s::interval)", [ttl])
                    time.sleep(0.01)
            except psycopg.Error as error:
                wrong[f"{what} {error.sqlstate} {error.diag.message_primary}"] += 1
    return wrong


def test_writers_cleanups_and_changes_of_ttl_at_once_never_fail(db: Database) -> None:
    # A superuser's sessions, since only for those the clock can be set.
    results = at_once(churn, [(db.dsn, 5, n) for n in range(7)])
    assert sum(results, Counter()) == Counter()
    while count(db.conn, "select cleanup_expired_keys()"):
        pass
    broken = (
        "select count(*) from whatsapp_keys k left join whatsapp_key_ttl t using (key_type)"
        " where expires_at is distinct from updated_at + ttl"
    )
    assert count(db.conn, broken) == 0
