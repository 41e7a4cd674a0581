"""One of those that race: takes leases, writes under them, loses them, and goes on regardless."""

from __future__ import annotations

import json
import os
import random
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import psycopg

from harness.creds import creds_json

COMPANIES = ("company 0", "company 1", "company 2")
IDS = {"session": ["1.0", "2.0", "3.0"], "pre-key": ["1", "2"]}
ROWS = sum(map(len, IDS.values()))  # a batch writes all of them

UNKNOWN = "unknown"  # the connection broke: perhaps done, perhaps not
DONE = "done"
ROLLED_BACK = "rolled back"


@dataclass(frozen=True)
class Call:
    """A call of a function, and what the client says of it in a comment, for the judge."""

    what: str
    company: str
    statement: str
    parameters: list[Any]
    note: dict[str, Any] = field(default_factory=dict)


class Client:
    def __init__(self, dsn: str, name: str, holder: str, journal: Path, seed: int) -> None:
        self._dsn = dsn
        self._name = name
        self._holder = holder
        self._random = random.Random(seed)
        self._calls = 0
        # Lines are in the kernel's hands as soon as they are written, whatever becomes of us.
        self._journal = os.open(journal, os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        self._tokens: dict[str, list[int]] = {company: [] for company in COMPANIES}
        self._conn = self._connect()

    def run(self, end: float) -> None:
        """Until `end` on the monotonic clock."""
        moves = {
            self._acquire: 20,
            self._come_back: 6,
            self._write: 50,
            self._write_twice: 12,
            self._write_late: 10,
            self._write_without_a_token: 6,
            self._write_by_an_old_snapshot: 1,
            self._renew: 14,
            self._release: 6,
            self._remove: 4,
            self._read: 12,
            self._rest: 30,
        }
        while time.monotonic() < end:
            company = self._random.choice(COMPANIES)
            (move,) = self._random.choices([*moves], [*moves.values()])
            if move == self._acquire or self._random.random() < 0.3:
                move(company)
            else:
                mine = [name for name in COMPANIES if self._tokens[name]]
                move(self._random.choice(mine or COMPANIES))
        self._conn.close()

    def _acquire(self, company: str) -> None:
        resumed = None
        if self._tokens[company] and self._random.random() < 0.3:
            resumed = self._random.choice(self._tokens[company])
        self._ask(company, resumed)

    def _come_back(self, company: str) -> None:
        """As a client does that lost its server; perhaps somebody wrote, perhaps not."""
        token = self._last_token(company)
        time.sleep(self._random.random() * 0.4)
        if self._random.random() < 0.4:
            self._write_without_a_token(company)
        self._ask(company, token)

    def _ask(self, company: str, resumed: int | None) -> None:
        steal = resumed is None and self._random.random() < 0.07
        commit = self._random.random() < 0.95
        ttl = self._random.randint(50, 400)
        call = Call(
            "acquire",
            company,
            "select acquired, token from auth_acquire_lease(%s, %s, %s * interval '1 ms', %s, %s)",
            [company, self._holder, ttl, steal, resumed],
            {"holder": self._holder, "ttl": ttl, "steal": steal, "resumed": resumed},
        )
        answers = self._attempt(call, commit=commit)
        # A token whose transaction was rolled back is tried too.
        if answers and answers[0][0]:
            self._tokens[company] = [*self._tokens[company][-3:], answers[0][1]]

    def _write(self, company: str) -> None:
        if (token := self._last_token(company)) is None:
            self._acquire(company)
        elif (
            self._attempt(self._some_write(company, token)) is None
            # Most go and ask for a new one; some do not believe it.
            and self._random.random() < 0.7
        ):
            self._tokens[company].clear()

    def _write_twice(self, company: str) -> None:
        token = self._last_token(company)
        calls = [self._some_write(company, token) for _ in range(2)]
        self._attempt(*calls, commit=self._random.random() < 0.8)

    def _write_late(self, company: str) -> None:
        if self._tokens[company]:
            self._attempt(self._some_write(company, self._random.choice(self._tokens[company])))

    def _write_without_a_token(self, company: str) -> None:
        self._attempt(self._some_write(company, None))

    def _write_by_an_old_snapshot(self, company: str) -> None:
        call = self._some_write(company, self._last_token(company))
        self._attempt(call, level="repeatable read")

    def _renew(self, company: str) -> None:
        if token := self._last_token(company):
            ttl = self._random.randint(50, 400)
            statement = "select auth_renew_lease(%s, %s, %s * interval '1 ms')"
            note = {"token": token, "ttl": ttl}
            self._attempt(Call("renew", company, statement, [company, token, ttl], note))

    def _release(self, company: str) -> None:
        if token := self._last_token(company):
            statement = "select auth_release_lease(%s, %s)"
            self._attempt(Call("release", company, statement, [company, token], {"token": token}))

    def _remove(self, company: str) -> None:
        token = self._last_token(company)
        what = self._random.choice(["delete", "clear", "erase"])
        if what == "delete":
            statement, parameters = "select auth_delete_company(%s, %s)", [company, token]
        elif what == "clear":
            statement, parameters = "select auth_clear_keys(%s, null, %s)", [company, token]
        else:
            statement = "select auth_set_keys(%s, %s, %s)"
            parameters = [company, self._batch(None), token]
        self._attempt(Call(what, company, statement, parameters, {"token": token}))

    def _read(self, company: str) -> None:
        statement = "select auth_get_keys(%s, %s::jsonb)"
        self._attempt(Call("read", company, statement, [company, json.dumps(IDS)]))

    def _rest(self, company: str) -> None:
        time.sleep(self._random.random() * 0.03)

    def _some_write(self, company: str, token: int | None) -> Call:
        mark = {"by": f"{self._name}.{self._calls}.{self._random.random()}", "token": token}
        kind = self._random.random()
        if kind < 0.7:
            statement = "select auth_set_keys(%s, %s, %s)"
            parameters = [company, self._batch(mark), token]
            return Call("keys", company, statement, parameters, {"token": token})
        if kind < 0.85:
            statement = "select auth_save_creds(%s, %s, null, %s)"
            parameters = [company, creds_json(**mark), token]
            return Call("creds", company, statement, parameters, {"token": token})
        statement = "select auth_save_state(%s, %s, %s, %s)"
        parameters = [company, creds_json(**mark), self._batch(mark), token]
        return Call("state", company, statement, parameters, {"token": token})

    def _batch(self, mark: object) -> str:
        return json.dumps({type_: dict.fromkeys(ids, mark) for type_, ids in IDS.items()})

    def _last_token(self, company: str) -> int | None:
        return self._tokens[company][-1] if self._tokens[company] else None

    def _attempt(
        self, *calls: Call, commit: bool = True, level: str = "read committed"
    ) -> list[Any] | None:
        """Makes the calls in one transaction and notes what became of them; None if nothing."""
        names = []
        answers: list[Any] = []
        # Most calls are a transaction of their own, as most clients make them.
        is_open = (
            len(calls) > 1
            or not commit
            or level != "read committed"
            or self._random.random() < 0.15
        )
        try:
            if is_open:
                self._conn.execute(f"begin isolation level {level}")
                self._conn.execute("select auth_get_creds(%s)", [calls[0].company])
                self._hesitate()
            for call in calls:
                self._calls += 1
                names.append(f"{self._name}.{self._calls}")
                note = json.dumps({"call": names[-1], "what": call.what, **call.note})
                row = self._conn.execute(f"/*{note}*/ {call.statement}", call.parameters).fetchone()
                answers.append(row if len(row) > 1 else row[0])
                if is_open:
                    self._hesitate()
            if is_open:
                self._conn.execute("commit" if commit else "rollback")
            outcome = DONE if commit else ROLLED_BACK
        except psycopg.Error as error:
            outcome = error.sqlstate or UNKNOWN
            if outcome in (UNKNOWN, "57P01") or self._conn.broken:
                outcome = UNKNOWN
            try:
                self._conn.rollback()
            except psycopg.Error:  # ended meanwhile
                self._conn = self._connect()
        for number, name in enumerate(names):
            line = {
                "call": name,
                "what": calls[number].what,
                "company": calls[number].company,
                "token": calls[number].note.get("token"),
                "outcome": outcome,
                "answer": answers[number] if number < len(answers) else None,
            }
            os.write(self._journal, json.dumps(line, default=str).encode() + b"\n")
        return answers if outcome in (DONE, ROLLED_BACK) else None

    def _hesitate(self) -> None:
        if self._random.random() < 0.3:
            time.sleep(self._random.random() * 0.06)

    def _connect(self) -> psycopg.Connection:
        while True:
            with suppress(psycopg.OperationalError):  # a session may be ended while it begins
                conn = psycopg.connect(self._dsn, autocommit=True)
                conn.prepare_threshold = None  # each statement carries its own comment
                return conn


def run_client(dsn: str, name: str, holder: str, journal: Path, seed: int, end: float) -> None:
    Client(dsn, name, holder, journal, seed).run(end)
