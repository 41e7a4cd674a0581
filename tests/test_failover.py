"""A standby takes the place of a primary that died, and nobody writes over what is missing."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from multiprocessing import Value
from typing import Any

import psycopg
import pytest

from harness.pair import FAKETIME, Pair
from harness.processes import Process, wait_until
from pg_auth_state import AuthState, LeaseLost

NAMES = ["pg15-login", "pg18-login"]
WRITERS = 3
CREDS = '{"noiseKey": "n", "signedIdentityKey": "i", "account": {}}'


@pytest.fixture
def pair() -> Iterator[Callable[..., Pair]]:
    """Starts a pair of the test's own."""
    pairs = []

    def start(name: str, **options: Any) -> Pair:
        pairs.append(Pair(name, **options))
        return pairs[-1]

    yield start
    for each in pairs:
        each.remove()


@dataclass
class Story:
    """What a writer saw: what was acknowledged before the failover, and its first answer after."""

    token: int = 0
    acknowledged: list[int] = field(default_factory=list)
    sqlstate: str | None = None
    detail: str | None = None


def write_through_a_failover(dsn: str, company: str, written: Any) -> Story:
    """Writes under a lease until a write is refused; connections that break are opened again."""
    story = Story()
    conn = psycopg.connect(dsn, autocommit=True)
    conn.execute("select auth_save_creds(%s, %s)", [company, CREDS])
    acquire = "select token from auth_acquire_lease(%s, %s, '5 minutes')"
    (story.token,) = conn.execute(acquire, [company, f"bot of {company}"]).fetchone()
    number = 0
    while True:
        try:
            if conn.closed:
                conn = psycopg.connect(dsn, autocommit=True)
            data = json.dumps({"session": {f"{number}.0": {"step": number}}})
            conn.execute("select auth_set_keys(%s, %s, %s)", [company, data, story.token])
        except psycopg.OperationalError:
            time.sleep(0.05)
        except psycopg.Error as error:
            story.sqlstate, story.detail = error.sqlstate, error.diag.message_detail
            return story
        else:
            story.acknowledged.append(number)
            written.value = number = number + 1


def stories(pair: Pair, *, behind: float = 0) -> dict[str, Story]:
    """Of writers under way while the primary dies, the standby `behind` so many seconds."""
    written = {f"company {number}": Value("i", 0) for number in range(WRITERS)}
    processes = {
        company: Process(write_through_a_failover, pair.dsn, company, counter)
        for company, counter in written.items()
    }
    wait_until(lambda: all(counter.value > 20 for counter in written.values()), timeout=60)
    if behind:
        pair.hold_back()
        time.sleep(behind)
    pair.fail_over()
    return {company: process.result() for company, process in processes.items()}


def missing(conn: psycopg.Connection, company: str, story: Story) -> list[int]:
    ids = [f"{number}.0" for number in story.acknowledged]
    (found,) = conn.execute("select auth_get_keys(%s, 'session', %s)", [company, ids]).fetchone()
    return [number for number in story.acknowledged if found[f"{number}.0"] is None]


@pytest.mark.parametrize("name", NAMES)
def test_a_synchronous_standby_has_all_that_was_acknowledged_and_every_holder_is_told(
    pair: Callable[..., Pair], name: str
) -> None:
    servers = pair(name, synchronous=True)
    told = stories(servers)
    with psycopg.connect(servers.dsn, autocommit=True) as conn:
        for company, story in told.items():
            assert missing(conn, company, story) == []
            assert story.sqlstate == "WA002"
            assert "what was written last may be missing" in (story.detail or "")


@pytest.mark.parametrize("name", NAMES)
def test_over_the_gap_of_an_asynchronous_standby_nobody_writes_without_being_told(
    pair: Callable[..., Pair], name: str
) -> None:
    servers = pair(name, synchronous=False)
    told = stories(servers, behind=2)
    with psycopg.connect(servers.dsn, autocommit=True) as conn:
        gaps = {company: missing(conn, company, story) for company, story in told.items()}
        assert all(gaps.values()), "the standby was not behind: the test shows nothing"
        for story in told.values():
            assert story.sqlstate == "WA002"
            assert "what was written last may be missing" in (story.detail or "")

        for company, story in told.items():
            lost = gaps[company]
            leases = conn.execute("select is_live, company_id from auth_list_leases()").fetchall()
            assert (False, company) in leases
            resume = "select acquired, token from auth_acquire_lease(%s, %s, p_token => %s)"
            holder = f"bot of {company}"
            acquired, token = conn.execute(resume, [company, holder, story.token]).fetchone()
            assert acquired
            assert token > story.token
            again = json.dumps({"session": {f"{n}.0": {"step": n} for n in story.acknowledged}})
            (healed,) = conn.execute(
                "select auth_set_keys(%s, %s, %s)", [company, again, token]
            ).fetchone()
            assert healed == len(lost)
            assert missing(conn, company, story) == []


@pytest.mark.parametrize("name", NAMES)
def test_a_standby_shows_the_leases_of_its_primary_and_after_promotion_they_are_over(
    pair: Callable[..., Pair], name: str
) -> None:
    servers = pair(name, synchronous=True)
    with servers.db.connect("app") as conn:
        conn.execute("select auth_save_creds('acme', %s)", [CREDS])
        conn.execute("select auth_acquire_lease('acme', 'me', '1 hour')")
    with psycopg.connect(servers.on_standby().service_dsn, autocommit=True) as standby:
        wait_until(lambda: standby.execute("select from auth_list_leases()").fetchone() is not None)
        live = "select is_live, (auth_status() ->> 'live_leases')::integer from auth_list_leases()"
        assert standby.execute(live).fetchone() == (True, 1)
        assert standby.execute("select auth_get_creds('acme')").fetchone() is not None
        servers.fail_over()
        assert standby.execute(live).fetchone() == (False, 0)
        taken = "select acquired from auth_acquire_lease('acme', 'somebody else')"
        assert standby.execute(taken).fetchone() == (True,)


# Half an hour would do the same; 30 s is what a machine without NTP soon has.
@pytest.mark.parametrize("clock", ["-30s", "+30s"])
@pytest.mark.parametrize("name", NAMES)
def test_a_standby_with_another_clock_ends_leases_at_once_and_numbers_still_grow(
    pair: Callable[..., Pair], name: str, clock: str
) -> None:
    assert FAKETIME, "apt-get install libfaketime"
    servers = pair(name, synchronous=True, clock=clock)
    with servers.db.connect("app") as conn:
        (version,) = conn.execute("select auth_save_creds('acme', %s)", [CREDS]).fetchone()
        acquire = "select acquired, token from auth_acquire_lease('acme', %s, '1 hour')"
        _, token = conn.execute(acquire, ["me"]).fetchone()
        there = conn.execute("select clock_timestamp()").fetchone()[0]
    servers.fail_over()
    with psycopg.connect(servers.dsn, autocommit=True) as conn:
        here = conn.execute("select clock_timestamp()").fetchone()[0]
        assert abs((here - there).total_seconds()) > 10, "the clock of the standby is not shifted"
        with pytest.raises(psycopg.Error) as caught:
            conn.execute("select auth_set_keys('acme', '{}', %s)", [token])
        assert caught.value.sqlstate == "WA002"
        acquired, new_token = conn.execute(acquire, ["you"]).fetchone()
        assert acquired
        assert new_token > token
        save = "select auth_save_creds('acme', %s, null, %s)"
        changed = json.dumps({**json.loads(CREDS), "counter": 1})
        assert conn.execute(save, [changed, new_token]).fetchone()[0] > version


@pytest.mark.parametrize("name", NAMES)
def test_a_lease_that_python_holds_over_both_servers_is_lost_and_says_why(
    pair: Callable[..., Pair], name: str
) -> None:
    servers = pair(name, synchronous=True)
    told: list[LeaseLost] = []
    with AuthState(servers.dsn, "acme") as state:
        state.init_creds(json.loads(CREDS))

        def hold() -> None:
            with state.lease("me", on_lost=told.append) as lease:
                state.set_keys({"session": {"1.0": 1}})
                servers.fail_over()
                while not lease.lost.is_set():
                    try:
                        state.set_keys({"session": {"1.0": 2}})
                    except psycopg.OperationalError:
                        time.sleep(0.1)

        with pytest.raises(LeaseLost):
            hold()
        assert "what was written last may be missing" in (told[0].detail or "")
        assert state.get_keys("session", ["1.0"]) == {"1.0": 1}
