"""What encryption costs both clients, and the disk: encrypted accounts against plain ones.

A part of `make bench`: bench/run.py --only encryption
"""

from __future__ import annotations

import itertools
import json
import random
import secrets
import time
from collections.abc import Callable, Iterator
from typing import Any

import accounts
import clients
from figures import Figure, Sample, compared
from pg_auth_state import AuthState, Keyring
from race import Contender, race
from servers import Bench, Database

GROUP = "Encrypted values, through the Python client"
NODE = "Encrypted values, through Node"
SESSIONS = [f"55119{number:08}.0" for number in range(1000)]
COUNTS = {1: 200, 10: 150, 100: 60, 812: 16}


def run(bench: Bench) -> Iterator[Figure]:
    database = bench.postgresql().new_database()
    keyring = Keyring({"2026-11": secrets.token_bytes(32)}, "2026-11")
    with (
        AuthState(database.service_dsn, "sealed", encryption=keyring) as sealed,
        AuthState(database.service_dsn, "plain") as plain,
    ):
        creds = accounts.SAMPLE["creds"]
        batch = sessions(SESSIONS)
        for state in (sealed, plain):
            state.init_creds(creds)
            state.set_keys(batch)
        for count, rounds in COUNTS.items():
            rounds = max(rounds // 8, 12) if bench.quick else rounds
            yield figure(f"get {count}", rounds, reading(sealed, count), reading(plain, count))
            yield figure(f"set {count}", rounds, writing(sealed, count), writing(plain, count))
        rounds = 12 if bench.quick else 100
        yield figure("save creds", rounds, saving(sealed), saving(plain))
        yield size(database)
    yield from through_node(bench, database)


def sessions(names: list[str]) -> dict[str, dict[str, Any]]:
    return {"session": {name: json.loads(accounts.session()) for name in names}}


def clocked(call: Callable[..., Any], *arguments: Any) -> float:
    started = time.perf_counter()
    call(*arguments)
    return (time.perf_counter() - started) * 1e3


def reading(state: AuthState, count: int) -> Contender:
    return lambda: clocked(state.get_keys, "session", random.sample(SESSIONS, count))


def writing(state: AuthState, count: int) -> Contender:
    return lambda: clocked(state.set_keys, sessions(random.sample(SESSIONS, count)))


def saving(state: AuthState) -> Contender:
    numbers = itertools.count()
    creds = accounts.SAMPLE["creds"]
    return lambda: clocked(state.save_creds, {**creds, "nextPreKeyId": next(numbers)})


def figure(workload: str, rounds: int, sealed: Contender, plain: Contender) -> Figure:
    taken = race(rounds, {"encrypted": sealed, "plain": plain})
    return compared(workload, GROUP, taken["encrypted"], taken["plain"])


def through_node(bench: Bench, database: Database) -> Iterator[Figure]:
    sealed = "pg-auth-state, encrypted"
    servers = {"ours": database.service_dsn}
    taken = clients.measured(bench, "single.js", servers, sealed, clients.OURS)
    del taken["keeps a Uint8Array"]
    for workload, stores in taken.items():
        yield compared(workload, NODE, stores[sealed], stores[clients.OURS])


def size(database: Database) -> Figure:
    """Of the sessions as they are stored: what is encrypted cannot be compressed."""
    query = "select pg_column_size(value)::float from whatsapp_keys where company_id = %s"

    def stored(company: str) -> Sample:
        values = [value for (value,) in database.conn.execute(query, [company]).fetchall()]
        return Sample("encrypted" if company == "sealed" else company, values)

    sealed, plain = stored("sealed"), stored("plain")
    return compared("size of a session", GROUP, sealed, plain, unit="bytes")
