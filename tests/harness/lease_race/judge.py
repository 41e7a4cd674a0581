"""Says from the log of the database, and from what the clients were answered, what went wrong."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, NamedTuple

import psycopg
from psycopg.rows import class_row

from harness.lease_race.client import DONE, ROLLED_BACK, ROWS, UNKNOWN

DOUBLE_HOLDER = "double holder"
STALE_WRITE = "stale write"
TOKEN = "token"  # one that came back, or is not greater than all before
LOCK = "lock"  # two in the company at once, or the clock of another moment
TORN_BATCH = "torn batch"
LOST_WRITE = "lost write"  # acknowledged and not there, or refused and there
ERROR = "error"  # what no client should see
KINDS = (DOUBLE_HOLDER, STALE_WRITE, TOKEN, LOCK, TORN_BATCH, LOST_WRITE, ERROR)
REFUSALS = {"WA002", "WA006", "55P03", ROLLED_BACK}


class Violation(NamedTuple):
    kind: str
    text: str


@dataclass(frozen=True)
class Event:
    """A row of race.log."""

    number: int
    at: datetime
    xid: str
    what: str
    company: str | None
    note: dict[str, Any] | None
    key_type: str | None
    key_id: str | None
    value: Any
    token: int | None
    holder: str | None
    moment: datetime | None
    expires_at: datetime | None


@dataclass(frozen=True)
class Lease:
    holder: str
    token: int
    expires_at: datetime


class Judge:
    """Follows the log of one database, over as many rounds as there are."""

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.violations: list[Violation] = []
        self._leases: dict[str, Lease] = {}
        self._rows: dict[tuple[str, str | None, str | None], Any] = {}
        self._given: dict[str, set[int]] = defaultdict(set)  # tokens, the rolled back ones too
        self._last_token: dict[str, int] = {}
        self._unguarded: set[str] = set()  # written without a token since the last lease
        self._not_before: dict[str, datetime] = {}  # when the holder's name is taken over again
        self._last_written: dict[str, int] = {}
        self._inside: dict[str, str] = {}  # whose transaction has the company's lock
        self._left_at: dict[str, datetime] = {}  # when the one before was about to commit

    def judge(self, conn: psycopg.Connection, journal: Iterable[str]) -> None:
        """Judges what was logged since the last time; nobody may race meanwhile."""
        effects: dict[str, Counter[str]] = defaultdict(Counter)
        kinds: dict[str, str] = {}
        with conn.transaction(), conn.cursor(row_factory=class_row(Event)) as cursor:
            cursor.execute(
                "select number, at, xid, what, company, note, key_type, key_id, value, token,"
                " holder, moment, expires_at from race.log order by number"
            )
            for event in cursor:
                self._follow(event)
                if event.note is not None:
                    effects[event.note["call"]][event.what] += 1
                    kinds[event.note["call"]] = event.note["what"]
            conn.execute("truncate race.log")
        for line in journal:
            entry = json.loads(line)
            call = entry["call"]
            kinds.pop(call, None)
            self._compare(entry, effects[call])
        # What a killed client did is in no journal: it may be there, but whole.
        for call, what in kinds.items():
            self._check_whole(call, what, effects[call])
        self._compare_tables(conn)

    def _blame(self, kind: str, text: str) -> None:
        self.violations.append(Violation(kind, text))

    # The log

    def _follow(self, event: Event) -> None:
        if event.what == "end":
            for company in [name for name, xid in self._inside.items() if xid == event.xid]:
                del self._inside[company]
                self._left_at[company] = event.at
        elif event.what == "truncate":
            self.counts["truncations"] += 1
            self._leases.clear()
            self._not_before.clear()
        else:
            assert event.company is not None
            if self._inside.setdefault(event.company, event.xid) != event.xid:
                self._blame(LOCK, f"two transactions are in the company at once: {event}")
                self._inside[event.company] = event.xid
            if event.note is None:
                self._blame(ERROR, f"nobody says they wrote this: {event}")
            elif event.what == "lease":
                self._follow_lease(event.company, event, event.note)
            else:
                self._follow_write(event.company, event, event.note)

    def _follow_lease(self, company: str, event: Event, note: dict[str, Any]) -> None:
        old = self._leases.get(company)
        if event.token is None:
            self._check_lease(company, event, note["token"], None)
            self._leases.pop(company, None)
            self._not_before.pop(company, None)
            return
        assert event.holder is not None
        assert event.expires_at is not None
        assert event.moment is not None
        if note["what"] == "acquire":
            self.counts["acquisitions"] += 1
            now = event.moment
            if old and old.holder != event.holder and old.expires_at > now:
                self.counts["steals"] += 1
                if not note["steal"]:
                    self._blame(DOUBLE_HOLDER, f"{old} was live: {event}")
            self._check_name(company, event, note, old)
            if (
                event.token <= self._last_token.get(company, 0)
                or event.token in self._given[company]
            ):
                self._blame(TOKEN, f"{event.token} is not greater than all before: {event}")
            if event.holder != note["holder"] or event.expires_at != now + _ttl(note):
                self._blame(ERROR, f"not what was asked for: {event}")
            self._last_token[company] = event.token
            self._given[company].add(event.token)
        else:
            # Renewed until now + ttl, or given back now.
            now = event.expires_at - (_ttl(note) if note["what"] == "renew" else timedelta(0))
            self._check_lease(company, event, note["token"], now)
            if old and (event.token, event.holder) != (old.token, old.holder):
                self._blame(DOUBLE_HOLDER, f"{old} changed hands: {event}")
        self._check_clock(company, event, now)
        self._leases[company] = Lease(event.holder, event.token, event.expires_at)

    def _check_name(
        self, company: str, event: Event, note: dict[str, Any], old: Lease | None
    ) -> None:
        """Whether one who resumes was the last, and whether two of one name take turns."""
        now = event.moment
        assert now is not None
        if note["resumed"] is not None:
            self.counts["resumptions"] += 1
            if old is None or (old.holder, old.token) != (event.holder, note["resumed"]):
                self._blame(DOUBLE_HOLDER, f"resumed, but the last was {old}: {event}")
            elif company in self._unguarded:
                self._blame(DOUBLE_HOLDER, f"resumed, but somebody wrote since {old}: {event}")
            if old and old.expires_at <= now:  # given back: its one restart begins anew
                self._not_before.pop(company, None)
        elif old and old.holder == event.holder and old.expires_at > now:
            self.counts["restarts"] += 1
            if self._not_before.get(company, now) > now and not note["steal"]:
                self._blame(DOUBLE_HOLDER, f"two of one name take turns over {old}: {event}")
            self._not_before[company] = now + _ttl(note)
        else:
            self._not_before.pop(company, None)
        self._unguarded.discard(company)

    def _follow_write(self, company: str, event: Event, note: dict[str, Any]) -> None:
        token = note["token"]
        if event.moment is not None:
            self._check_clock(company, event, event.moment)
        self._check_lease(company, event, token, event.moment)
        if token is None:
            self._unguarded.add(company)
        else:
            if token < self._last_written.get(company, 0):
                self._blame(STALE_WRITE, f"a later token has written already: {event}")
            self._last_written[company] = token
        if event.value is not None and event.value["token"] != token:
            self._blame(ERROR, f"what is stored is not what was sent: {event}")
        row = (company, event.key_type, event.key_id)
        if event.value is None:
            self._rows.pop(row, None)
        else:
            self._rows[row] = event.value

    def _check_lease(
        self, company: str, event: Event, token: int | None, now: datetime | None
    ) -> None:
        """`now` is not known of a deletion: it was after the lock and before the deletion."""
        lease = self._leases.get(company)
        if token is None:
            if lease and lease.expires_at > (now or event.at):
                self._blame(STALE_WRITE, f"without a token under {lease}: {event}")
        elif lease is None or lease.token != token:
            self._blame(STALE_WRITE, f"the lease was {lease}: {event}")
        else:
            now = now or self._left_at.get(company)
            if now and lease.expires_at <= now:
                self._blame(STALE_WRITE, f"{lease} was over: {event}")

    def _check_clock(self, company: str, event: Event, now: datetime) -> None:
        left_at = self._left_at.get(company)
        if now > event.at or (left_at and now < left_at):
            self._blame(LOCK, f"the clock was not read behind the lock, {left_at}: {event}")

    # What the clients were answered

    def _compare(self, entry: dict[str, Any], effects: Counter[str]) -> None:
        call, what, outcome, answer = (entry[k] for k in ("call", "what", "outcome", "answer"))
        is_write = what not in ("acquire", "renew", "release", "read")
        if outcome == UNKNOWN:
            self.counts["unknown"] += 1
            self._check_whole(call, what, effects)
        elif outcome in REFUSALS:
            self.counts[outcome] += 1
            self.counts["writes refused"] += is_write and outcome == "WA002"
            if effects.total():
                self._blame(LOST_WRITE, f"{outcome}, but it was done: {entry} {effects}")
            if what == "acquire" and outcome == ROLLED_BACK and answer and answer[0]:
                if answer[1] in self._given[entry["company"]]:
                    self._blame(TOKEN, f"given twice: {entry}")
                self._given[entry["company"]].add(answer[1])
        elif outcome != DONE:
            self._blame(ERROR, f"{outcome}: {entry}")
        elif what == "read":
            marks = {json.dumps(value) for ids in answer.values() for value in ids.values()}
            if len(marks) != 1:
                self._blame(TORN_BATCH, f"one read saw {sorted(marks)}")
            self.counts["reads"] += 1
        else:
            self.counts["writes acknowledged"] += is_write
            self.counts["deletions"] += what == "delete"
            expected = {
                "acquire": {"lease": int(what == "acquire" and answer[0])},
                "renew": {"lease": 1},
                "release": {"lease": int(answer is True)},
                "keys": {"key": ROWS},
                "creds": {"creds": 1},
                "state": {"key": ROWS, "creds": 1},
            }.get(what)
            if expected is None:  # a removal: as many as it says
                is_equal = effects["key"] + effects["creds"] == answer
            else:
                is_equal = effects == Counter(expected)
            if not is_equal:
                self._blame(LOST_WRITE, f"acknowledged, but not done: {entry} {effects}")

    def _check_whole(self, call: str, what: str, effects: Counter[str]) -> None:
        whole = {"keys": (ROWS, 0), "creds": (0, 1), "state": (ROWS, 1)}.get(what)
        if whole and (effects["key"], effects["creds"]) not in (whole, (0, 0)):
            self._blame(TORN_BATCH, f"{what} {call}: {effects}")

    def _compare_tables(self, conn: psycopg.Connection) -> None:
        there = {
            (company, key_type, key_id): value
            for company, key_type, key_id, value in conn.execute(
                "select company_id, key_type, key_id, value from whatsapp_keys"
                " union all select company_id, null, null, creds from whatsapp_auth"
            )
        }
        if there != self._rows:
            self._blame(LOST_WRITE, f"the tables hold {there}, written was {self._rows}")
        leases = {
            company: Lease(holder, token, expires_at)
            for company, holder, token, expires_at in conn.execute(
                "select company_id, holder, token, expires_at from whatsapp_leases"
            )
        }
        if leases != self._leases:
            self._blame(DOUBLE_HOLDER, f"the leases are {leases}, given were {self._leases}")


def _ttl(note: dict[str, Any]) -> timedelta:
    return timedelta(milliseconds=note["ttl"])
