"""One input: a transaction of one caller, with what it sets and the calls that it makes."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import psycopg
from hypothesis import strategies as st
from psycopg import sql
from psycopg.pq import TransactionStatus

from fuzz.arguments import Given, arguments, resolved
from fuzz.catalog import Function
from fuzz.json_texts import mostly, seldom, weighted
from fuzz.sessions import (
    EVERY,
    NOTHING,
    READ_COMMITTED,
    Allowed,
    Caller,
    callers,
    levels,
    settings_of,
)
from fuzz.store import COMPANIES, SETTINGS, Store, difference, value

_REPEATED = re.compile(r"(.{1,16}?)\1{15,}", re.DOTALL)


def literal(text: str | None) -> str:
    """`text` in SQL, short enough to read and still what it is."""
    if text is None:
        return "null"
    parts, end = [], 0
    for match in _REPEATED.finditer(text):
        parts.append(_quoted(text[end : match.start()]))
        parts.append(f"repeat({_quoted(match[1])}, {len(match[0]) // len(match[1])})")
        end = match.end()
    parts = [part for part in [*parts, _quoted(text[end:])] if part != "''"] or ["''"]
    return parts[0] if len(parts) == 1 else f"({' || '.join(parts)})"


def _quoted(text: str) -> str:
    return sql.Literal(text).as_string(None).strip()


@dataclass(frozen=True, repr=False)
class Call:
    """A call of a function; the first arguments go by position, the others by name."""

    function: Function
    given: dict[str, Given]
    by_position: int = 0
    is_binary: bool = False
    is_prepared: bool = False

    @property
    def company(self) -> Given:
        return self.given.get("p_company_id")

    def rendered(self, spell: Callable[[Given], str]) -> str:
        """The statement; `spell` spells what is given for an argument."""
        parts = []
        for position, argument in enumerate(self.function.arguments):
            if argument.name in self.given:
                spelled = f"{spell(self.given[argument.name])}::{argument.type}"
                is_named = position >= self._positions()
                parts.append(f"{argument.name} => {spelled}" if is_named else spelled)
        what = "* from " if self.function.is_table else ""
        return f"select {what}public.{self.function.name}({', '.join(parts)})"

    def _positions(self) -> int:
        """By position as far as nothing is left out."""
        for position, argument in enumerate(self.function.arguments[: self.by_position]):
            if argument.name not in self.given:
                return position
        return self.by_position

    def __str__(self) -> str:
        return self.rendered(literal)

    __repr__ = __str__

    def run(self, conn: psycopg.Connection) -> list[Any]:
        """Its rows as PostgreSQL sends them: not every DateStyle is one that psycopg reads."""
        cursor = conn.execute(
            self.rendered(lambda _: "%s"),
            [self.given[each.name] for each in self.function.arguments if each.name in self.given],
            binary=self.is_binary,
            prepare=self.is_prepared,
        )
        result = cursor.pgresult
        assert result is not None
        return [
            [result.get_value(row, column) for column in range(result.nfields)]
            for row in range(result.ntuples)
        ]


ERROR = "select 1 / 0"


@dataclass(frozen=True)
class Step:
    """A call, or None for an error between the calls, within a savepoint or not."""

    call: Call | None
    in_savepoint: bool = False

    def __str__(self) -> str:
        statement = str(self.call or ERROR)
        if self.in_savepoint:
            return f"savepoint s; {statement}; -- rollback to s, if it fails"
        return f"{statement};"


@dataclass(frozen=True)
class Script:
    caller: Caller
    steps: Sequence[Step]
    settings: Sequence[tuple[str, str]] = ()
    level: str = READ_COMMITTED
    is_read_only: bool = False
    commits: bool = True
    in_new_session: bool = False
    """PL/pgSQL compiles and plans its functions with these settings."""

    @property
    def begin(self) -> str:
        return f"begin isolation level {self.level}{' read only' * self.is_read_only}"

    @property
    def all_settings(self) -> list[tuple[str, str]]:
        """What the caller is comes after what it chose, a timeout last."""
        chosen = {**dict(self.settings), **dict(self.caller.settings)}
        return sorted(chosen.items(), key=lambda setting: setting[0] == "statement_timeout")

    @property
    def has_timeout(self) -> bool:
        return any(name == "statement_timeout" for name, _ in self.settings)

    def __str__(self) -> str:
        """What one would paste into psql."""
        session = ", a new session" if self.in_new_session else ""
        return "\n".join(
            [
                f"-- {self.caller.name}: psql -U {self.caller.login}{session}",
                f"{self.begin};",
                *[
                    f"select set_config('{name}', {literal(value)}, true);"
                    for name, value in self.all_settings
                ],
                *map(str, self.steps),
                "commit;" if self.commits else "rollback;",
            ]
        )

    __repr__ = __str__


@dataclass
class Answer:
    """What came of one step."""

    step: Step
    rows: list[Any] | None = None
    error: psycopg.Error | None = None
    notices: list[Any] = field(default_factory=list)
    was_aborted: bool = False  # before it began
    left_settings: str = ""


@dataclass
class Outcome:
    answers: list[Answer]
    is_committed: bool
    left_behind: str = ""

    @property
    def done(self) -> list[Call]:
        """The calls whose effect stays."""
        if not self.is_committed:
            return []
        return [each.step.call for each in self.answers if each.step.call and each.error is None]


def run(script: Script, store: Store) -> Outcome:
    """Runs it and says what came of each step."""
    conn = store.connection(script.caller.login, is_new=script.in_new_session)
    conn.execute(script.begin)
    if script.all_settings:
        chosen = ", ".join(["set_config(%s, %s, true)"] * len(script.all_settings))
        conn.execute(f"select {chosen}", [text for pair in script.all_settings for text in pair])
    within = None if script.has_timeout else value(conn, SETTINGS)
    answers = []
    for step in script.steps:
        answer = _run_step(conn, step)
        if within is not None and answer.error is None:
            answer.left_settings = difference(within, value(conn, SETTINGS))
        answers.append(answer)
    is_aborted = _is_aborted(conn)
    is_committed = script.commits and not is_aborted
    try:
        conn.execute("commit" if script.commits else "rollback")
    except psycopg.errors.QueryCanceled:
        conn.execute("rollback")
        is_committed = False
    return Outcome(answers, is_committed, store.left_behind(conn))


def _is_aborted(conn: psycopg.Connection) -> bool:
    return conn.info.transaction_status == TransactionStatus.INERROR


def _run_step(conn: psycopg.Connection, step: Step) -> Answer:
    answer = Answer(step)
    answer.was_aborted = _is_aborted(conn)
    is_saved = step.in_savepoint and not answer.was_aborted
    conn.add_notice_handler(answer.notices.append)
    try:
        if is_saved:
            conn.execute("savepoint s")
        if step.call is None:
            conn.execute(ERROR)
        else:
            answer.rows = step.call.run(conn)
    except psycopg.Error as error:
        answer.error = error
        if is_saved:
            conn.execute("rollback to savepoint s")
    finally:
        conn.remove_notice_handler(answer.notices.append)
    return answer


def _calls(store: Store) -> st.SearchStrategy[Call]:
    """What takes JSON is called four times as often: it can be wrong in more ways than others."""
    return weighted(
        *[
            (
                4 if function.takes_json else 1,
                st.builds(
                    Call,
                    st.just(function),
                    arguments(function, store),
                    st.integers(0, len(function.arguments)),
                    st.booleans(),
                    mostly(st.just(False), st.just(True)),
                ),
            )
            for function in store.functions
        ]
    )


def _steps(store: Store) -> st.SearchStrategy[list[Step]]:
    calls = _calls(store)
    one = calls.map(lambda call: [Step(call)])
    several = st.lists(
        st.builds(Step, mostly(calls, st.none()), mostly(st.just(True), st.just(False))),
        min_size=2,
        max_size=4,
    )
    return st.one_of(one, one, several)


def scripts(store: Store, allowed: Allowed) -> st.SearchStrategy[Script]:
    """Inputs; `allowed` are the settings that each login may set."""

    def script(
        caller: Caller,
        steps: list[Step],
        keeps_to_own: bool,
        settings: Sequence[tuple[str, str]],
        *others: Any,
    ) -> Script:
        own = caller.sees if keeps_to_own and caller.sees not in (EVERY, NOTHING) else None
        steps = [_completed(step, own, store) for step in steps]
        may = [setting for setting in settings if setting in allowed[caller.login == "postgres"]]
        return Script(caller, steps, may, *others)

    parts = st.tuples(
        callers,
        _steps(store),
        mostly(st.just(True), st.just(False)),
        settings_of(allowed),
        levels,
        seldom(st.just(False), st.just(True)),
        mostly(st.just(True), st.just(False)),
        seldom(st.just(False), st.just(True)),
    )
    return parts.map(lambda given: script(*given))


def _completed(step: Step, own: str | None, store: Store) -> Step:
    """About the caller's own company, if it has one, and with the right numbers."""
    if step.call is None:
        return step
    given = step.call.given
    if own is not None and step.call.company in COMPANIES:
        given = {**given, "p_company_id": own}
    return replace(step, call=replace(step.call, given=resolved(given, store)))
