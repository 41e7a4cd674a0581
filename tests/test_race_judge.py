"""The judge of the race for leases notices when a function does not do what it should."""

from __future__ import annotations

import json
import time

import pytest

from harness.cluster import Database
from harness.lease_race import judge
from harness.lease_race.race import Race

pytestmark = pytest.mark.parametrize("cluster", ["pg18-superuser"], indirect=True)

# What a function does, what it does in the mutant, and by what the judge has to notice it.
MUTANTS = {
    "a token is not compared": (
        "_begin_write",
        "v_lease.token is distinct from p_lease_token",
        "v_lease.token is null",
        judge.STALE_WRITE,
    ),
    "a lapsed lease is live": (
        "_begin_write",
        "_is_live(v_lease.expires_at,",
        "_is_live('infinity',",
        judge.STALE_WRITE,
    ),
    "a write without a token is free": (
        "_begin_write",
        "elsif v_is_live then",
        "elsif false then",
        judge.STALE_WRITE,
    ),
    "the lease is not looked at": (
        "auth_save_creds",
        "_begin_write(p_company_id, p_lease_token)",
        "_enter_company(p_company_id)",
        judge.STALE_WRITE,
    ),
    "the company is not locked": (
        "_enter_company",
        "not pg_try_advisory_xact_lock(v_key)",
        "false",
        judge.LOCK,
    ),
    "the clock is of the transaction's start": (
        "_enter_company",
        "then clock_timestamp() else",
        "then now() else",
        judge.LOCK,
    ),
    "everybody steals": (
        "auth_acquire_lease",
        "and p_steal is not true",
        "and false",
        judge.DOUBLE_HOLDER,
    ),
    "anybody resumes": (
        "auth_acquire_lease",
        "l.token = p_token and l.holder = p_holder and coalesce(l.written_by = l.xmin, false)",
        "true",
        judge.DOUBLE_HOLDER,
    ),
    "a holder resumes whoever wrote meanwhile": (
        "auth_acquire_lease",
        "and coalesce(l.written_by = l.xmin, false)",
        "",
        judge.DOUBLE_HOLDER,
    ),
    "a write without a token leaves no trace": (
        "_begin_write",
        "elsif v_lease.written_by is not null then",
        "elsif false then",
        judge.DOUBLE_HOLDER,
    ),
    "two of one name take turns": (
        "auth_acquire_lease",
        "or v_lease.retake_after > v_now",
        "",
        judge.DOUBLE_HOLDER,
    ),
    "a lost lease is given back": (
        "auth_release_lease",
        " and l.token = p_token\n"
        "     and _is_live(l.expires_at, l.given_in, l.written_by, l.xmin, v_now);\n"
        "  if not found",
        ";\n  if not found",
        judge.STALE_WRITE,
    ),
    "a token comes back": (
        "_next_number",
        "greatest(p_previous + 1, floor(extract(epoch from p_now) * 1000000::numeric)::bigint)",
        "coalesce(p_previous, 0) + 1",
        judge.TOKEN,
    ),
    "a token stays the same": (
        "_next_number",
        "greatest(p_previous + 1, floor(extract(epoch from p_now) * 1000000::numeric)::bigint)",
        "1::bigint",
        judge.TOKEN,
    ),
    "a key is left out": (
        "_write_keys",
        "filter (where old.is_changed)",
        "filter (where old.is_changed and random() < 0.99)",
        judge.LOST_WRITE,
    ),
}


def test_the_judge_of_the_race_lets_a_name_restart_again_once_its_lease_was_given_back(
    db: Database,
) -> None:
    race = Race(db)
    with db.connect("app") as conn:

        def call(what: str, statement: str, *arguments: object, **note: object) -> int:
            says = json.dumps({"call": what, "what": what, "ttl": 60_000, **note})
            row = conn.execute(f"/*{says}*/ {statement}", arguments).fetchone()
            assert row is not None
            return int(row[0])

        def acquire(resumed: int | None = None) -> int:
            statement = "select token from auth_acquire_lease('acme', 'me', '1 minute', false, %s)"
            return call("acquire", statement, resumed, holder="me", steal=False, resumed=resumed)

        acquire()
        token = acquire()
        call("release", "select auth_release_lease('acme', %s)::int", token, token=token)
        acquire(acquire(token))
        acquire()
    race.run(0)
    race.close()
    assert race.counts["resumptions"] == 2
    assert race.violations == []


@pytest.mark.parametrize("mutant", MUTANTS)
def test_the_judge_of_the_race_notices_when(db: Database, mutant: str) -> None:
    function, before, after, kind = MUTANTS[mutant]
    row = db.conn.execute("select pg_get_functiondef(%s::regproc)", [function]).fetchone()
    assert row is not None
    assert before in row[0]
    db.conn.execute(row[0].replace(before, after))
    race = Race(db)
    end = time.monotonic() + 30
    while race.counts[kind] == 0 and time.monotonic() < end:
        race.run(1.5)
    race.close()
    assert race.counts[kind] > 0, race.counts
