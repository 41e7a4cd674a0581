"""Both doors of Python: every method with anything, values there and back, what others stored."""

from __future__ import annotations

import asyncio
import inspect
import pickle
import traceback
from collections.abc import Callable, Iterator
from contextlib import AbstractAsyncContextManager, AbstractContextManager
from dataclasses import dataclass
from typing import Any

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st
from psycopg.pq import DiagnosticField

from fuzz import json_texts, objects, runs, tally
from fuzz.codes import PUBLISHED
from fuzz.json_texts import object_of, string, weighted
from fuzz.markers import MARKER, SENT
from fuzz.objects import ANYTHING, ARGUMENTS, OwnError, Sent, equal, spelled
from fuzz.scripts import literal
from fuzz.store import BUSY, Store
from harness.secrecy import chained
from pg_auth_state import AsyncAuthState, AuthState, AuthStateError

pytestmark = runs.BOTH_SERVERS

COMPANY = "python"
HELD = ("acme", "leased", "unpaired", BUSY, COMPANY, None)
DOORS = ("own connection", "given connection", "async")
NEVER_CALLED = ("close",)  # it ends the client


class Doors:
    """The clients over each kind of connection. The server tells all parameters with an error."""

    def __init__(self, store: Store) -> None:
        dsn = f"{store.database.service_dsn}?options=-clog_parameter_max_length_on_error%3D-1"
        self.loop = asyncio.new_event_loop()
        self.given = psycopg.connect(dsn)
        self.own = {company: AuthState(dsn, company) for company in HELD}
        self.others = {company: AsyncAuthState(dsn, company) for company in HELD}

    def close(self) -> None:
        for client in self.own.values():
            client.close()
        for other in self.others.values():
            self.loop.run_until_complete(other.close())
        self.given.close()
        self.loop.close()

    def call(self, door: str, company: str | None, name: str, /, *given: Any, **named: Any) -> Any:
        """The answer of a method, or what it raises."""
        if door == "async":
            return self.loop.run_until_complete(
                self._awaited(getattr(self.others[company], name), given, named)
            )
        if door == "own connection":
            return _entered(getattr(self.own[company], name)(*given, **named))
        client = AuthState(self.given, company)
        try:
            self.given.execute("select 1")  # it is in a transaction from here on
            answer = _entered(getattr(client, name)(*given, **named))
            self.given.commit()
            return answer
        finally:
            self.given.rollback()

    async def _awaited(self, method: Callable[..., Any], given: Any, named: Any) -> Any:
        answer = method(*given, **named)
        if isinstance(answer, AbstractAsyncContextManager):
            async with answer:
                return None
        return await answer


def _entered(answer: Any) -> Any:
    if isinstance(answer, AbstractContextManager):
        with answer:
            return None
    return answer


@pytest.fixture(scope="module")
def doors(store: Store) -> Iterator[Doors]:
    doors = Doors(store)
    yield doors
    doors.close()


# What an exception shows


def _shown_by(error: BaseException) -> str:
    texts: list[Any] = traceback.format_exception(error)
    for each in chained(error):
        texts += [str(each), repr(each), spelled(each.args), spelled(vars(each))]
        if isinstance(each, psycopg.Error):
            texts += [getattr(each.diag, field.name.lower()) for field in DiagnosticField]
            texts.append(pickle.dumps(each))
    return "\n".join(map(str, texts))


def _faults_of(error: BaseException) -> Iterator[str]:
    shown = _shown_by(error)
    if MARKER.search(shown):
        yield f"a secret shows in what it raises: {shown}"
    if isinstance(error, AuthStateError | OwnError):
        return
    if not isinstance(error, psycopg.Error):
        yield f"it raises {type(error).__name__}, which is no published exception: {shown}"
    elif error.sqlstate not in PUBLISHED and not (error.sqlstate or "").startswith(("22", "54")):
        yield f"it raises {error.sqlstate}: {shown}"


def _outcome(call: Callable[[], Any]) -> tuple[Any, BaseException | None]:
    try:
        return call(), None
    except Exception as error:
        return None, error


# Every method with anything


@dataclass(frozen=True)
class Invocation:
    door: str
    company: str | None
    method: str
    given: tuple[Any, ...]
    named: dict[str, Any]

    def __repr__(self) -> str:
        arguments = [spelled(value) for value in self.given]
        arguments += [f"{name}={spelled(value)}" for name, value in self.named.items()]
        return (
            f"AuthState(…, {self.company!r}).{self.method}({', '.join(arguments)})  # {self.door}"
        )


def _invocations() -> st.SearchStrategy[Invocation]:
    return st.one_of(
        [
            _invocations_of(name, inspect.signature(method))
            for name, method in inspect.getmembers(AuthState, inspect.isfunction)
            if not name.startswith("_") and name not in NEVER_CALLED
        ]
    )


def _invocations_of(name: str, signature: inspect.Signature) -> st.SearchStrategy[Invocation]:
    given, named, optional = [], {}, {}
    for parameter in list(signature.parameters.values())[1:]:
        strategy = ARGUMENTS.get(parameter.name, ANYTHING)
        if parameter.name in ("wait", "on_lost"):
            continue  # of lease(): how long it waits, and a function
        if parameter.kind == parameter.POSITIONAL_ONLY:
            given.append(strategy)
        elif parameter.default is parameter.empty:
            named[parameter.name] = strategy
        else:
            optional[parameter.name] = strategy
    return st.builds(
        Invocation,
        st.sampled_from(DOORS),
        weighted((8, st.just(COMPANY)), (4, st.sampled_from(HELD))),
        st.just(name),
        st.tuples(*given),
        st.fixed_dictionaries(named, optional=optional),
    )


def test_every_method_answers_or_raises_a_published_exception(store: Store, doors: Doors) -> None:
    @runs.seeded(store.database.cluster)
    @runs.examples(runs.PYTHON / 2)
    @given(_invocations())
    def every_input(call: Invocation) -> None:
        tally.count_input("calls of Python")
        try:
            _, error = _outcome(
                lambda: doors.call(call.door, call.company, call.method, *call.given, **call.named)
            )
            tally.count(f"AuthState.{call.method}", _named(error))
            found = []
            if error is not None:
                found += _faults_of(error)
                if store.look() != store.before():
                    found.append("it raised, and yet something changed")
            found += store.broken_promises()
        finally:
            store.restore()
        runs.refuse(found, repr(call))

    every_input()


def _named(error: BaseException | None) -> str:
    return tally.RESULT if error is None else type(error).__name__


# Values there and back


@dataclass(frozen=True)
class Journey:
    """A value that goes in by one method and comes out by another."""

    door: str
    into: str
    out_of: str
    sent: Sent

    def __repr__(self) -> str:
        return f"{self.into} of {self.sent!r}, then {self.out_of}  # {self.door}"


_LEAST = {"noiseKey": 1, "signedIdentityKey": 2}
_KEY = ("session", "1.0")
_INTO: dict[str, Callable[[Any], tuple[Any, ...]]] = {
    "set_keys": lambda value: ({_KEY[0]: {_KEY[1]: value}},),
    "save_state": lambda value: (_LEAST, {_KEY[0]: {_KEY[1]: value}}),
    "import_state": lambda value: ({"format": 1, "keys": {_KEY[0]: {_KEY[1]: value}}},),
    "save_creds": lambda value: ({**_LEAST, "x": value},),
    "init_creds": lambda value: ({**_LEAST, "x": value},),
}
_OF_CREDS = ("save_creds", "init_creds")


def _read(doors: Doors, journey: Journey) -> Any:
    if journey.into in _OF_CREDS:
        if journey.out_of == "export":
            return doors.call(journey.door, COMPANY, "export")["creds"]["x"]
        return doors.call(journey.door, COMPANY, "get_creds")["x"]
    if journey.out_of == "export":
        return doors.call(journey.door, COMPANY, "export")["keys"][_KEY[0]][_KEY[1]]
    if journey.out_of == "list_keys":
        return doors.call(journey.door, COMPANY, "list_keys", _KEY[0])[0].value
    return doors.call(journey.door, COMPANY, "get_keys", _KEY[0], [_KEY[1]])[_KEY[1]]


def test_a_value_comes_back_equal_or_is_refused(store: Store, doors: Doors) -> None:
    @runs.seeded(store.database.cluster)
    @runs.examples(runs.PYTHON / 4)
    @given(
        st.builds(
            Journey,
            st.sampled_from(DOORS),
            st.sampled_from(list(_INTO)),
            st.sampled_from(["get_keys", "list_keys", "export"]),
            objects.values.filter(lambda sent: sent.value is not None),  # that deletes a key
        )
    )
    def every_input(journey: Journey) -> None:
        tally.count_input("values of Python")
        sent = journey.sent
        try:
            found = []
            arguments = _INTO[journey.into](sent.value)
            _, error = _outcome(lambda: doors.call(journey.door, COMPANY, journey.into, *arguments))
            tally.count(f"AuthState.{journey.into}", _named(error))
            if error is not None:
                found += _faults_of(error)
                if sent.good:
                    found.append(f"it was refused: {error}")
                if store.look() != store.before():
                    found.append("it raised, and yet something changed")
            elif sent.good is False:
                found.append("it was taken, and is no JSON")
            elif sent.good:
                back, error = _outcome(lambda: _read(doors, journey))
                if error is not None:
                    found += [*_faults_of(error), f"it cannot be read back: {error}"]
                elif not equal(back, sent.back):
                    found.append(f"it came back as {spelled(back)}")
        finally:
            store.restore()
        runs.refuse(found, repr(journey))

    every_input()


# What other programs stored


_stored = weighted(
    (4, json_texts.values),
    (1, st.sampled_from([1_000, 3_000, 6_000]).map(lambda n: json_texts.nested(n, string(SENT)))),
    (1, st.sampled_from(["1e400", "1e-400", "0.10000000000000000001", "1e131071"])),
    (1, json_texts.long(4_300, 4_301, 10_000, of="9")),
).filter(lambda text: text != "null")


@dataclass(frozen=True)
class Foreign:
    door: str
    text: str
    is_of_creds: bool
    method: str

    def __repr__(self) -> str:
        statement = "auth_save_creds" if self.is_of_creds else "auth_set_keys"
        return (
            f"{statement}({COMPANY!r}, {literal(self.stored)}), then {self.method}  # {self.door}"
        )

    @property
    def stored(self) -> str:
        if self.is_of_creds:
            return object_of(
                [('"noiseKey"', "1"), ('"signedIdentityKey"', "2"), ('"x"', self.text)]
            )
        values = object_of([('"1.0"', self.text), ('"2.0"', '"good"')])
        return object_of([('"session"', values), ('"pre-key"', '{"7":"good"}')])


_READS: dict[str, Callable[[Any], Any]] = {
    "get_keys": lambda answer: answer["1.0"],
    "list_keys": lambda answer: answer[0].value,
    "export": lambda answer: answer["keys"]["session"]["1.0"],
}
_READ_ARGUMENTS: dict[str, tuple[Any, ...]] = {
    "get_keys": ("session", ["1.0", "2.0"]),
    "list_keys": ("session",),
    "export": (),
}


def test_what_others_stored_is_read_or_is_an_error_that_names_it(
    store: Store, doors: Doors
) -> None:
    @runs.seeded(store.database.cluster)
    @runs.examples(runs.PYTHON / 4)
    @given(
        st.builds(
            Foreign, st.sampled_from(DOORS), _stored, st.booleans(), st.sampled_from(list(_READS))
        )
    )
    def every_input(foreign: Foreign) -> None:
        tally.count_input("stored values")
        function = "auth_save_creds" if foreign.is_of_creds else "auth_set_keys"
        try:
            store.superuser.execute(f"select {function}(%s, %s)", [COMPANY, foreign.stored])
        except psycopg.Error:
            return  # PostgreSQL does not store it
        try:
            found = list(_faults_of_reading(foreign, doors))
        finally:
            store.restore()
        runs.refuse(found, repr(foreign))

    every_input()


def _faults_of_reading(foreign: Foreign, doors: Doors) -> Iterator[str]:
    read, arguments = "get_creds", ()
    if not foreign.is_of_creds:
        read, arguments = foreign.method, _READ_ARGUMENTS[foreign.method]
    answer, error = _outcome(lambda: doors.call(foreign.door, COMPANY, read, *arguments))
    tally.count(f"AuthState.{read}", _named(error))
    if error is not None:
        yield from _faults_of(error)
        named = ("creds", None) if foreign.is_of_creds else ("session", "1.0")
        if (getattr(error, "key_type", None), getattr(error, "key_id", None)) != named:
            yield f"the error does not name it: {error!r}"
        if doors.call(foreign.door, COMPANY, "get_keys", "pre-key", ["7"]) != (
            {"7": None} if foreign.is_of_creds else {"7": "good"}
        ):
            yield "another key is not read"
        return
    # What is read can be written back, and is then what it was.
    if foreign.is_of_creds:
        back, error = _outcome(lambda: doors.call(foreign.door, COMPANY, "save_creds", answer))
        changed = None
    else:
        value = _READS[foreign.method](answer)
        back, error = _outcome(
            lambda: doors.call(foreign.door, COMPANY, "set_keys", {"session": {"1.0": value}})
        )
        changed = back
    if error is not None:
        yield from _faults_of(error)
        yield f"what was read cannot be written back: {error}"
    elif changed and not _is_spelled_otherwise(foreign.text):
        yield f"written back it is another value: {spelled(answer)}"


def _is_spelled_otherwise(text: str) -> bool:
    """Old forms of Buffers are written in the current one, and numbers as near as doubles are."""
    names = ('"Buffer"', '"buffer"', '"Utf16"', '"0"')
    return any(name in text for name in names) or "0000000001" in text or '"data"' in text
