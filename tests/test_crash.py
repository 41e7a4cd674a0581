"""The server is killed in the middle of a load, and starts again."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from multiprocessing import Value
from typing import Any

import psycopg
import pytest

from harness.cluster import Cluster
from harness.creds import creds_json
from harness.processes import Process, wait_until

SIZE = 30
WRITERS = 6


def batch(number: int) -> str:
    """Every third batch deletes half of the keys, which the next writes again."""
    kept = {f"{n}.0": {"batch": number, "filler": "x" * 400} for n in range(SIZE)}
    if number % 3 == 0:
        kept |= dict.fromkeys(list(kept)[: SIZE // 2])
    return json.dumps({"session": kept, "tctoken": {"last": number}})


def write_until_the_server_dies(dsn: str, company: str, first: int, acknowledged: Any) -> None:
    """Counts a batch in `acknowledged` as soon as the server has."""
    number = first
    try:
        with psycopg.connect(dsn, autocommit=True) as conn:
            while True:
                conn.execute(
                    "select auth_save_state(%s, %s, %s)",
                    [company, creds_json(batch=number), batch(number)],
                )
                acknowledged.value = number
                number += 1
    except psycopg.OperationalError:
        pass


def stored(conn: psycopg.Connection, company: str) -> int:
    """The number of the batch that is there; fails unless it is there whole."""
    (state,) = conn.execute("select auth_export(%s)", [company]).fetchone()
    number: int = state["creds"]["batch"]
    expected = {
        type_: {id_: value for id_, value in ids.items() if value is not None}
        for type_, ids in json.loads(batch(number)).items()
    }
    assert state["keys"] == expected
    return number


@pytest.mark.parametrize("name", ["pg15-superuser", "pg18-login"])
def test_what_was_acknowledged_before_a_sigkill_is_there_and_whole(
    own_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = own_cluster(name)
    database = cluster.new_database()
    numbers = [1] * WRITERS
    for _ in range(3):
        acknowledged = [Value("q", 0) for _ in range(WRITERS)]
        writers = [
            Process(write_until_the_server_dies, database.service_dsn, f"company {n}", number, ack)
            for n, (number, ack) in enumerate(zip(numbers, acknowledged, strict=True))
        ]
        wait_until(lambda acks=acknowledged: all(ack.value for ack in acks), timeout=30)
        time.sleep(0.7)
        cluster.server.kill()
        for writer in writers:
            writer.result()
        cluster.server.start()
        with database.connect("app") as conn:
            for n, ack in enumerate(acknowledged):
                number = stored(conn, f"company {n}")
                assert number in (ack.value, ack.value + 1)
                numbers[n] = number + 1


@pytest.mark.parametrize("name", ["pg15-superuser", "pg18-login"])
def test_versions_and_tokens_go_on_growing_after_a_sigkill(
    own_cluster: Callable[[str], Cluster], name: str
) -> None:
    cluster = own_cluster(name)
    database = cluster.new_database()
    take = "select auth_save_creds('a', %s), token from auth_acquire_lease('b', 'me')"
    with database.connect("app") as conn:
        before = conn.execute(take, [creds_json(n=1)]).fetchone()
    cluster.server.kill()
    cluster.server.start()
    with database.connect("app") as conn:
        after = conn.execute(take, [creds_json(n=2)]).fetchone()
    assert after[0] > before[0]
    assert after[1] > before[1]


def test_a_write_that_was_under_way_in_an_open_transaction_is_gone(
    own_cluster: Callable[[str], Cluster],
) -> None:
    cluster = own_cluster("pg18-login")
    database = cluster.new_database()
    open_ = database.connect("app", autocommit=False)
    open_.execute("select auth_set_keys('acme', '{\"session\": {\"1.0\": 1}}')")
    cluster.server.kill()
    cluster.server.start()
    with database.connect("app") as conn:
        assert conn.execute("select count(*) from auth_list_companies()").fetchone() == (0,)
        # Nor does its lock live on.
        conn.execute("set lock_timeout = '20ms'")
        conn.execute("select auth_set_keys('acme', '{\"session\": {\"1.0\": 2}}')")
    del open_
