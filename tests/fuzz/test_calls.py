"""Every public function, called by everybody with anything."""

from __future__ import annotations

import re
from dataclasses import replace

import psycopg
from hypothesis import given

from fuzz import judge, runs, tally
from fuzz.markers import MARKER
from fuzz.scripts import Outcome, Script, run, scripts
from fuzz.sessions import settable
from fuzz.store import COMPANIES, Store

pytestmark = runs.BOTH_SERVERS


def _counted(outcome: Outcome) -> Outcome:
    tally.count_input("transactions")
    for answer in outcome.answers:
        if answer.step.call is not None:
            code = answer.error.sqlstate if answer.error else None
            tally.count(answer.step.call.function.name, code or tally.RESULT)
    return outcome


def _faults(script: Script, store: Store) -> list[str]:
    outcome = _counted(run(script, store))
    found = list(judge.faults(script, outcome, store))
    if outcome.done and not found:
        found += _of_failed_calls(script, outcome, store)
        found += _of_exports(outcome, store)
    return found


def _of_failed_calls(script: Script, outcome: Outcome, store: Store) -> list[str]:
    """A call that failed leaves nothing: without it the others come to the same."""
    failed = [answer.step for answer in outcome.answers if answer.error is not None]
    if not failed or script.has_timeout:
        return []
    rows = store.without_numbers()
    store.restore()
    good = [step for step in script.steps if not any(step is each for each in failed)]
    run(replace(script, steps=good), store)
    others = sorted({*rows} ^ {*store.without_numbers()})
    return ["without the calls that failed other rows stay", *others] if others else []


def _of_exports(outcome: Outcome, store: Store) -> list[str]:
    """What auth_export gives auth_import takes, and a second export is equal."""
    conn = store.superuser
    found = []
    for company in {call.company for call in outcome.done} & set(COMPANIES):
        try:
            with conn.transaction(force_rollback=True):
                conn.execute("select auth_import('a copy', auth_export(%s), 'replace')", [company])
                equal = conn.execute(
                    "select auth_export('a copy') - 'creds_updated_at'"
                    " = auth_export(%s) - 'creds_updated_at'",
                    [company],
                ).fetchone()
        except psycopg.Error as error:
            if error.sqlstate in ("WA004", "54000", "54001"):
                continue
            found.append(f"the export of {company!r} is not taken: {error.sqlstate} {error}")
        else:
            if equal != (True,):
                found.append(f"a second export of {company!r} is not equal")
    return found


def test_every_answer_is_right_or_has_a_published_code(store: Store) -> None:
    allowed = settable(store)

    @runs.seeded(store.database.cluster)
    @runs.examples(runs.CALLS)
    @given(scripts(store, allowed))
    def every_input(script: Script) -> None:
        try:
            found = _faults(script, store)
        finally:
            store.restore()
        runs.refuse(found, str(script))

    every_input()


def test_no_secret_is_in_the_server_s_log_or_statistics(store: Store) -> None:
    log = store.database.server.log.read_text(errors="replace")
    quoted = re.compile(r"DETAIL:  Token |CONTEXT:  JSON data, line \d+: ")
    shown = [line for line in log.splitlines() if MARKER.search(line) and not quoted.search(line)]
    assert shown == []
    store.superuser.execute("analyze")
    statistics = store.superuser.execute(
        "select tablename, attname from pg_stats s where schemaname = 'public' and s::text ~ %s",
        [MARKER.pattern],
    )
    assert statistics.fetchall() == []
