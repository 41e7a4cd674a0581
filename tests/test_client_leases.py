"""`state.lease()`: held while the block runs, and the caller learns it at once when it is lost."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from typing import Any

import psycopg
import pytest
from psycopg.conninfo import conninfo_to_dict

from harness.clients import cluster  # noqa: F401
from harness.creds import CREDS, creds
from harness.leases import Tasks, Threads
from harness.network import Network
from pg_auth_state import (
    AsyncAuthState,
    AuthState,
    InvalidInput,
    LeaseHeld,
    LeaseLost,
    UnsafeRequest,
    VersionConflict,
    _connect,
    _leases,
)

one_server = pytest.mark.parametrize("cluster", ["pg18-superuser"], indirect=True)

SHORT = timedelta(seconds=2)  # the machine may be slow: a renewal is due in 0.7 s
LONG = timedelta(minutes=2)  # no renewal during the test
SESSION = {"session": {"1.0": {"a": 1}}}


@pytest.fixture(params=[Threads, Tasks], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture
def other(db: Any) -> Iterator[AuthState]:
    """The same account, from somewhere else."""
    with AuthState(db.service_dsn, "c1") as state:
        yield state


@contextmanager
def losing(kind: Any, state: Any, match: str | None = None, **options: Any) -> Iterator[Any]:
    """The block holds a lease, does not end early, and learns the loss when it is left."""
    ended = False
    with pytest.raises(LeaseLost, match=match), kind.lease(state, "me", **options) as lease:  # noqa: PT012
        yield lease
        ended = True
    assert ended


def until(condition: Callable[[], bool], seconds: float = 30.0) -> float:
    """Wait for it; how long that took."""
    start = time.monotonic()
    while not condition():
        assert time.monotonic() - start < seconds, "it did not happen"
        time.sleep(0.005)
    return time.monotonic() - start


def stored(db: Any) -> list[str]:
    return [id for (id,) in db.conn.execute("select key_id from whatsapp_keys order by 1")]


def test_writes_inside_present_the_token_by_themselves(
    kind: Any, db: Any, other: AuthState
) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=LONG) as lease:
        assert state.init_creds(creds(a=1)) == creds(a=1)
        first = state.creds_version()
        state.save_creds(creds(a=2))
        assert state.restore_creds(first)
        assert state.set_keys(SESSION) == 1
        assert state.save_state(creds(a=3), SESSION)
        assert state.clear_keys() == 1
        assert state.import_state(state.export(), mode="replace") == 0
        with pytest.raises(LeaseLost):
            other.set_keys(SESSION)
        assert other.set_keys(SESSION, lease_token=lease.token) == 1
        assert not lease.lost.is_set()
    state.clear_keys()
    other.set_keys(SESSION)


# auth_delete_company deletes the lease as well.
def test_deleting_the_account_ends_it_and_is_no_loss(kind: Any, db: Any, other: AuthState) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=SHORT) as lease:
        state.set_keys(SESSION)
        assert state.delete_company() == 1
        assert not lease.is_live
        with pytest.raises(LeaseLost, match="deleted"):
            state.set_keys(SESSION)
        time.sleep(1.5)  # a renewal would have been due
        assert not lease.lost.is_set()
    assert stored(db) == []
    with kind.lease(state, "me"):
        state.set_keys(SESSION)


def test_a_token_that_is_given_is_presented_instead(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=LONG) as lease:
        with pytest.raises(LeaseLost):
            state.set_keys(SESSION, lease_token=1)
        assert lease.is_live
        state.set_keys(SESSION, lease_token=lease.token)


def test_another_client_of_the_process_does_not_have_the_token(kind: Any, db: Any) -> None:
    pool = kind.pool(db.service_dsn, min_size=2, max_size=2)
    state, second, unrelated = kind.state(pool), kind.state(pool), kind.state(pool, "c2")
    with kind.lease(state, "me", ttl=LONG), kind.lease(unrelated, "me", ttl=LONG):
        with pytest.raises(LeaseLost):
            second.set_keys(SESSION)
        with pytest.raises(LeaseHeld):
            kind.lease(second, "another").__enter__()
        state.set_keys(SESSION)
        unrelated.set_keys(SESSION)


def test_it_is_renewed_for_as_long_as_the_block_runs(kind: Any, db: Any, other: AuthState) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=SHORT) as lease:
        first = lease.expires_at
        until(lambda: lease.expires_at > first + 2 * SHORT)
        assert other.acquire_lease("another").acquired is False
        state.set_keys(SESSION)
        assert lease.is_live
        assert not lease.lost.is_set()


def test_leaving_gives_it_back_at_once(kind: Any, db: Any, other: AuthState) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=LONG) as lease:
        start = time.monotonic()
    assert other.acquire_lease("another").acquired
    assert time.monotonic() - start < 3
    assert not lease.lost.is_set()
    assert not lease.is_live
    with pytest.raises(LeaseLost, match="given back"):
        lease.check()


def test_nothing_is_left_running_or_connected(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    before = threading.active_count()
    with kind.lease(state, "me", ttl=LONG):
        pass
    until(lambda: threading.active_count() == before)
    until(lambda: sessions(db) == 0)


def sessions(db: Any) -> int:
    (count,) = db.conn.execute(
        "select count(*) from pg_stat_activity "
        "where datname = current_database() and usename = 'app'"
    ).fetchone()
    return count


def test_one_that_somebody_else_has_is_refused_by_name(
    kind: Any, db: Any, other: AuthState
) -> None:
    held = other.acquire_lease("another", ttl=LONG)
    state = kind.state(db.service_dsn)
    with pytest.raises(LeaseHeld, match="another") as caught:
        kind.lease(state, "me").__enter__()
    assert (caught.value.holder, caught.value.expires_at) == ("another", held.expires_at)
    assert (caught.value.sqlstate, caught.value.company_id) == ("WA002", "c1")
    with kind.lease(state, "me", steal=True):
        state.set_keys(SESSION)


def test_it_can_be_waited_for(kind: Any, db: Any, other: AuthState) -> None:
    held = other.acquire_lease("another", ttl=LONG)
    giving = threading.Timer(1.0, other.release_lease, (held.token,))
    giving.start()
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", wait=timedelta(seconds=30)):
        state.set_keys(SESSION)
    giving.join()
    assert other.acquire_lease("another", ttl=LONG).acquired
    start = time.monotonic()
    with pytest.raises(LeaseHeld):
        kind.lease(state, "me", wait=timedelta(seconds=1)).__enter__()
    assert time.monotonic() - start >= 1


def test_a_stolen_one_is_told_and_nothing_more_is_written(
    kind: Any, db: Any, other: AuthState
) -> None:
    state = kind.state(db.service_dsn)
    told: list[LeaseLost] = []
    with losing(kind, state, "another", ttl=SHORT, on_lost=told.append) as lease:
        state.set_keys(SESSION)
        other.acquire_lease("another", steal=True, ttl=LONG)
        until(lease.lost.is_set)
        assert not lease.is_live
        with pytest.raises(LeaseLost):
            lease.check()
        with pytest.raises(LeaseLost):
            state.set_keys({"session": {"2.0": {}}})
    assert [error.sqlstate for error in told] == ["WA002"]
    assert stored(db) == ["1.0"]
    assert other.acquire_lease("third").holder == "another"  # leaving did not release theirs


def test_a_refused_write_tells_it_at_once(kind: Any, db: Any, other: AuthState) -> None:
    state = kind.state(db.service_dsn)
    told: list[LeaseLost] = []
    with losing(kind, state, ttl=LONG, on_lost=told.append) as lease:
        other.acquire_lease("another", steal=True)
        with pytest.raises(LeaseLost):
            state.set_keys(SESSION)
        assert lease.lost.is_set()
        assert len(told) == 1
    assert stored(db) == []


def test_other_refusals_do_not_lose_it(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=LONG) as lease:
        with pytest.raises(VersionConflict):
            state.save_creds(CREDS, expected_version=7)
        with pytest.raises(InvalidInput):
            state.set_keys({"": {"1": 1}})
        assert lease.is_live


def test_a_network_that_swallows_everything_loses_it_at_the_deadline(kind: Any, db: Any) -> None:
    with Network(db) as network:
        state = kind.state(network.dsn)
        with losing(kind, state, "not renewed in time", ttl=SHORT) as lease:
            first = lease.expires_at
            until(lambda: lease.expires_at > first)
            network.swallow()
            left = lease.expires_at - datetime.now(timezone.utc)
            took = until(lease.lost.is_set)
            assert left.total_seconds() - 0.7 < took < left.total_seconds() + 0.7
            start = time.monotonic()
            with pytest.raises(LeaseLost):
                state.set_keys(SESSION)
            assert time.monotonic() - start < 1  # without the network
        assert stored(db) == []


# libpq takes no number beyond 2^31 - 1, and the limit of a dead network is a third of the ttl.
@pytest.mark.parametrize("days", [75, 300_000])
def test_a_lease_may_last_as_long_as_the_database_takes(kind: Any, db: Any, days: int) -> None:
    assert "127.0.0.1" in db.service_dsn
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=timedelta(days=days)) as lease:
        assert lease.expires_at > datetime.now(timezone.utc) + timedelta(days=days - 1)
        assert state.set_keys(SESSION) == 1


# The server counts from when the request arrived, which may be just after it was sent.
def test_the_deadline_counts_from_when_the_lease_was_asked_for(kind: Any, db: Any) -> None:
    with Network(db) as network:
        state = kind.state(network.dsn)
        network.swallow()
        threading.Timer(1.2, network.mend).start()
        start = time.monotonic()
        with losing(kind, state, ttl=SHORT) as lease:
            network.cut()
            until(lease.lost.is_set)
            assert 1.2 < time.monotonic() - start < 2.7


def test_a_server_that_is_gone_loses_it_at_the_deadline(kind: Any, db: Any) -> None:
    with Network(db) as network:
        state = kind.state(network.dsn)
        with losing(kind, state, "OperationalError", ttl=SHORT) as lease:
            network.cut()
            assert until(lease.lost.is_set) < 2.7
            with pytest.raises(LeaseLost) as caught:
                lease.check()
            assert isinstance(caught.value.__cause__, psycopg.OperationalError)


def test_an_outage_shorter_than_the_lease_is_survived(kind: Any, db: Any) -> None:
    with Network(db) as network:
        state = kind.state(network.dsn)
        with kind.lease(state, "me", ttl=timedelta(seconds=6)) as lease:
            network.cut()
            time.sleep(3)  # a renewal was due after 2
            network.mend()
            first = lease.expires_at
            until(lambda: lease.expires_at > first)
            state.set_keys(SESSION)
    assert stored(db) == ["1.0"]


def test_a_restart_of_the_server_is_survived(kind: Any, own_cluster: Any) -> None:
    database = own_cluster("pg18-superuser").new_database()
    state = kind.state(database.dsn)
    with kind.lease(state, "me", ttl=timedelta(seconds=20)) as lease:
        first = lease.expires_at
        database.server.kill()
        time.sleep(7.5)  # a renewal was due
        database.server.start()
        until(lambda: lease.expires_at > first)
        state.set_keys(SESSION)


def test_an_account_that_is_busy_is_asked_again(kind: Any, db: Any) -> None:
    state = kind.state(f"{db.service_dsn}?options=-c%20auth_state.lock_wait%3D100ms")
    with kind.lease(state, "me", ttl=timedelta(seconds=6)) as lease:
        first = lease.expires_at
        with db.connect(autocommit=False) as connection, connection.transaction():
            AuthState(connection, "c1").set_keys(SESSION, lease_token=lease.token)
            time.sleep(4)  # renewals were due, and stayed without the lock
            assert lease.expires_at == first
        until(lambda: lease.expires_at > first)
        assert state.get_keys("session", ["1.0"]) == {"1.0": {"a": 1}}


def test_a_connection_that_is_in_a_transaction_or_busy_delays_nothing(
    kind: Any, db: Any, other: AuthState
) -> None:
    connection = kind.connection(db.service_dsn)
    state = kind.state(connection)
    connection.execute("select 1")
    with kind.lease(state, "me", ttl=SHORT) as lease:
        first = lease.expires_at
        connection.execute("select pg_sleep(5)")
        assert lease.expires_at > first + SHORT
        assert state.set_keys(SESSION) == 1
        connection.rollback()
        assert stored(db) == []
        assert lease.is_live
        state.set_keys(SESSION)
        assert other.acquire_lease("another").acquired is False
        connection.execute("select 1")
    assert connection.info.transaction_status == psycopg.pq.TransactionStatus.INTRANS
    assert other.acquire_lease("another").acquired


def test_leaving_with_a_failed_transaction_gives_it_back(
    kind: Any, db: Any, other: AuthState
) -> None:
    connection = kind.connection(db.service_dsn)
    state = kind.state(connection)
    with pytest.raises(psycopg.errors.UndefinedTable), kind.lease(state, "me", ttl=LONG):
        connection.execute("select * from nowhere")
    assert other.acquire_lease("another").acquired


@one_server
def test_its_connection_is_opened_as_the_callers_was(db: Any) -> None:
    parameters = {"password": "it's \\ secret", "options": "-c lock_timeout=7s", "keepalives": "1"}
    with psycopg.connect(db.service_dsn, **parameters) as connection:
        again = conninfo_to_dict(_connect.conninfo_of(connection.info))
    assert parameters.items() <= again.items()
    assert (again["user"], again["dbname"]) == ("app", db.name)
    limits = conninfo_to_dict(_connect.impatient("connect_timeout=30 host=a", 0.2))
    assert limits == {"host": "a", "connect_timeout": "30", "tcp_user_timeout": "200"}


def test_over_a_pool_it_takes_a_connection_for_each_renewal(kind: Any, db: Any) -> None:
    state = kind.state(kind.pool(db.service_dsn, min_size=1, max_size=1))
    with kind.lease(state, "me", ttl=SHORT) as lease:
        first = lease.expires_at
        until(lambda: lease.expires_at > first)
        state.set_keys(SESSION)
        assert sessions(db) == 1
    assert stored(db) == ["1.0"]


def test_an_exception_inside_passes_and_gives_it_back(kind: Any, db: Any, other: AuthState) -> None:
    state = kind.state(db.service_dsn)
    with pytest.raises(ZeroDivisionError), kind.lease(state, "me", ttl=LONG):
        1 / 0  # noqa: B018
    assert other.acquire_lease("another", ttl=LONG).acquired


def test_an_exception_inside_is_not_hidden_by_the_loss(
    kind: Any, db: Any, other: AuthState
) -> None:
    state = kind.state(db.service_dsn)
    with pytest.raises(ZeroDivisionError), kind.lease(state, "me", ttl=SHORT) as lease:  # noqa: PT012
        other.acquire_lease("another", steal=True)
        until(lease.lost.is_set)
        1 / 0  # noqa: B018


def test_one_client_holds_one_lease(kind: Any, db: Any) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=LONG) as lease:
        with pytest.raises(UnsafeRequest, match="already"):
            kind.lease(state, "me").__enter__()
        assert lease.is_live
        state.set_keys(SESSION)
    with kind.lease(state, "me") as lease:
        assert lease.is_live


def test_closing_inside_gives_it_back(kind: Any, db: Any, other: AuthState) -> None:
    state = kind.state(db.service_dsn)
    with kind.lease(state, "me", ttl=LONG) as lease:
        state.close()
        assert other.acquire_lease("another", ttl=LONG).acquired
        assert not lease.is_live
        with pytest.raises(LeaseLost, match="given back"):
            state.set_keys(SESSION)
    assert not lease.lost.is_set()
    assert other.acquire_lease("third").holder == "another"


def test_bad_arguments_are_refused_before_anything_is_sent(kind: Any) -> None:
    state = kind.state("host=nowhere.invalid")
    for call in (
        lambda: kind.lease(state, 7).__enter__(),
        lambda: kind.lease(state, "me", ttl=60).__enter__(),
        lambda: kind.lease(state, "me", wait=60).__enter__(),
    ):
        with pytest.raises(InvalidInput):
            call()


def test_what_on_lost_raises_stops_nothing(
    kind: Any, db: Any, other: AuthState, caplog: pytest.LogCaptureFixture
) -> None:
    def on_lost(error: LeaseLost) -> None:
        raise RuntimeError("a mistake")

    state = kind.state(db.service_dsn)
    with losing(kind, state, ttl=SHORT, on_lost=on_lost) as lease:
        other.acquire_lease("another", steal=True)
        until(lease.lost.is_set)
    until(lambda: "on_lost" in caplog.text)


# While a machine sleeps neither threads nor tasks run; the first to look at the clock is a write.
def test_a_machine_that_slept_too_long_writes_nothing(
    kind: Any, db: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    with Network(db) as network:
        state = kind.state(network.dsn)
        with losing(kind, state, ttl=LONG) as lease:
            network.swallow()
            awake = time.monotonic() + LONG.total_seconds() + 1
            monkeypatch.setattr(_leases, "now", lambda: _leases.time.time() + awake)
            with pytest.raises(LeaseLost, match="not renewed in time"):
                state.set_keys(SESSION)
            assert lease.lost.is_set()


HOLDER = """
import sys
from datetime import timedelta
from pg_auth_state import AuthState, LeaseLost

state = AuthState(sys.argv[1], "c1")
try:
    with state.lease("child", ttl=timedelta(seconds=2)) as lease:
        state.set_keys({"session": {"1.0": {}}})
        print("held", flush=True)
        sys.stdin.readline()
        try:
            state.set_keys({"session": {"2.0": {}}})
        except LeaseLost:
            print("refused", lease.lost.is_set(), flush=True)
except LeaseLost:
    print("told", flush=True)
"""


def test_a_process_that_was_stopped_too_long_is_refused(db: Any, other: AuthState) -> None:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLDER, db.service_dsn],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    child.send_signal(signal.SIGSTOP)
    with other.lease("successor", wait=timedelta(seconds=30)):
        other.set_keys({"session": {"3.0": {}}})
    child.send_signal(signal.SIGCONT)
    assert child.communicate("go on\n")[0] == "refused True\ntold\n"
    assert stored(db) == ["1.0", "3.0"]


def test_a_forked_child_has_no_part_in_it(db: Any, other: AuthState) -> None:
    with AuthState(db.service_dsn, "c1") as state:
        child = None
        try:
            with state.lease("me", ttl=SHORT) as lease:
                state.set_keys(SESSION)
                child = os.fork()
                if child == 0:
                    assert not lease.is_live
                    with pytest.raises(LeaseLost, match="forked"):
                        state.set_keys({"session": {"2.0": {}}})
                    assert not lease.lost.is_set()
                else:
                    assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 0
                    assert other.acquire_lease("another").acquired is False
                    first = lease.expires_at
                    until(lambda: lease.expires_at > first)
                    state.set_keys({"session": {"3.0": {}}})
        except BaseException:
            if child == 0:
                os._exit(1)
            raise
        if child == 0:
            os._exit(0)
    assert stored(db) == ["1.0", "3.0"]


def test_threads_write_under_one_lease(db: Any) -> None:
    failures: list[BaseException] = []
    with AuthState(db.service_dsn, "c1") as state, state.lease("me", ttl=LONG):

        def write(thread: int) -> None:
            try:
                for number in range(10):
                    state.set_keys({"session": {f"{thread}.{number}": {}}})
            except BaseException as error:
                failures.append(error)

        threads = [threading.Thread(target=write, args=(number,)) for number in range(5)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
    assert failures == []
    assert len(stored(db)) == 50


def test_losing_it_cancels_the_task_inside(db: Any, other: AuthState) -> None:
    ended: list[str] = []

    async def work() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("work")

    async def main() -> None:
        async with AsyncAuthState(db.service_dsn, "c1") as state:
            try:
                async with state.lease("me", ttl=SHORT):
                    await asyncio.to_thread(other.acquire_lease, "another", steal=True)
                    await asyncio.gather(work(), work())
            except LeaseLost:
                ended.append("told")
            await asyncio.sleep(0)  # nothing is left of the cancelling
            if sys.version_info >= (3, 11):
                task = asyncio.current_task()
                assert task is not None
                assert task.cancelling() == 0

    asyncio.run(main())
    assert ended == ["work", "work", "told"]


def test_the_task_that_is_refused_is_not_cancelled_as_well(db: Any, other: AuthState) -> None:
    async def main() -> None:
        async with AsyncAuthState(db.service_dsn, "c1") as state:
            with pytest.raises(LeaseLost):  # noqa: PT012
                async with state.lease("me", ttl=LONG):
                    await asyncio.to_thread(other.acquire_lease, "another", steal=True)
                    with pytest.raises(LeaseLost, match="another"):
                        await state.set_keys(SESSION)
                    await asyncio.sleep(0.1)
                    with pytest.raises(LeaseLost, match="another"):
                        await state.set_keys(SESSION)

    asyncio.run(main())


def test_being_cancelled_from_outside_stays_that(db: Any, other: AuthState) -> None:
    async def main() -> None:
        async with AsyncAuthState(db.service_dsn, "c1") as state:

            async def hold() -> None:
                async with state.lease("me", ttl=LONG):
                    entered.set()
                    await asyncio.sleep(60)

            entered = asyncio.Event()
            task = asyncio.create_task(hold())
            await entered.wait()
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task

    asyncio.run(main())
    assert other.acquire_lease("another").acquired


# A write has its place in the queue as soon as its task has begun, which is after the block's end.
def test_writes_that_nobody_awaits_are_done_before_leaving(db: Any, other: AuthState) -> None:
    async def main() -> None:
        async with AsyncAuthState(db.service_dsn, "c1") as state:
            async with state.lease("me", ttl=LONG):
                writes = [
                    asyncio.create_task(state.set_keys({"session": {f"{number}.0": {}}}))
                    for number in range(20)
                ]
            assert other.acquire_lease("another", ttl=LONG).acquired
            assert await asyncio.gather(*writes) == [1] * 20

    asyncio.run(main())
    assert len(stored(db)) == 20
