"""Put the package into a database, and take it out again.

Both run the packaged SQL file, which is one transaction under one lock, with the settings that it
needs inside of this transaction. Nothing stays in the session: any pooler will do.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg import sql

from . import _connect, _sql, _wire
from ._secrecy import give_hint, without_values
from ._sync.client import AuthState
from .errors import UnsafeRequest, translated
from .scheduling import unschedule

__all__ = ["Installed", "install", "uninstall"]


@dataclass(frozen=True, slots=True)
class Installed:
    """What is installed now, and what the database had to say about it."""

    version: str
    schema: str
    notices: list[str]


def install(
    database: str, schema: str = "public", *, on_notice: Callable[[str], None] | None = None
) -> Installed:
    """Install into `schema`, or upgrade what is there. Running it twice changes nothing.

    Args:
        database: A psycopg connection string; its login has CREATEROLE and owns the schema.
        schema: Made if it does not exist.
        on_notice: Called with each notice as it comes.

    Raises:
        UnsafeRequest: Something stands in the way; `hint` says what to do.
        psycopg.errors.InsufficientPrivilege: The login may not; the HINT says what it lacks, or
            which function of somebody else refused.
    """
    notices = _run(database, schema, _sql.INSTALL, on_notice, hint=_TO_INSTALL)
    with AuthState(database, schema=schema) as state:
        return Installed(state.schema_version(), schema, notices)


def uninstall(
    database: str,
    schema: str = "public",
    *,
    drop_data: bool = False,
    on_notice: Callable[[str], None] | None = None,
) -> list[str]:
    """Remove everything from `schema`, the scheduled cleanup first; the notices that came.

    Args:
        database: A psycopg connection string with the login that installed.
        schema: Where it is installed.
        drop_data: Even if there are accounts, which are lost then.
        on_notice: Called with each notice as it comes.

    Raises:
        UnsafeRequest: There are accounts and not `drop_data`, or nothing is installed.
    """
    notices = []
    if drop_data or not _has_accounts(database, schema):
        try:
            unschedule(database, schema)
        except (psycopg.Error, UnsafeRequest) as error:
            notices.append(f"the scheduled cleanup could not be removed: {_first_line(error)}")
            if on_notice is not None:
                on_notice(notices[-1])
    return notices + _run(
        database, schema, _sql.UNINSTALL, on_notice, hint=_TO_UNINSTALL, drop_data=drop_data
    )


def _has_accounts(database: str, schema: str) -> bool:
    try:
        with AuthState(database, schema=schema) as state:
            return bool(state.list_companies(limit=1))
    except (psycopg.ProgrammingError, UnsafeRequest):  # the file says what stands in the way
        return True


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


_TO_INSTALL = (
    "The login that installs needs CREATEROLE. It owns the schema, or it may create it in the "
    "database."
)
_TO_UNINSTALL = "Uninstall as the login that installed, or as a superuser."


def _run(
    database: str,
    schema: str,
    name: str,
    on_notice: Callable[[str], None] | None,
    *,
    hint: str,
    drop_data: bool = False,
) -> list[str]:
    """Run the file. `hint` is for a login that may not."""
    notices: list[str] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        parts = [diagnostic.message_primary or ""]
        if diagnostic.message_hint:
            parts.append(f"  HINT: {diagnostic.message_hint}")
        notices.append("\n".join(parts))
        if on_notice is not None:
            on_notice(notices[-1])

    schema = _wire.text(schema, "schema")
    refusal = None
    with (
        without_values(),
        psycopg.connect(
            _connect.checked(database), autocommit=True, **_connect.PARAMETERS
        ) as connection,
    ):
        script = _script(connection, name, schema, drop_data)
        connection.add_notice_handler(note)
        try:
            connection.execute(script.encode())
        except psycopg.Error as error:
            refusal = translated(error, sends_json=False)
            if refusal is None:
                if error.sqlstate == "42501":
                    _explain(error, script, hint)
                raise
    if refusal is not None:
        raise refusal
    return notices


def _script(connection: psycopg.Connection[Any], name: str, schema: str, drop_data: bool) -> str:
    """The file, with its settings behind its first statement: they end with its transaction."""
    path = sql.Identifier(schema).as_string(connection)
    settings = [f"set local search_path = {path};"]
    if drop_data:
        settings.append("set local auth_state.uninstall = 'drop data';")
    before, begin, after = _sql.read(name).partition("\nbegin;\n")
    assert begin
    return f"{before}{begin}{' '.join(settings)}\n{after}"


_FUNCTION = r"""((?:"[^"]+"|[\w$]+)(?:\.(?:"[^"]+"|[\w$]+))?)"""
_CALLED = re.compile(rf"^PL/\w+ function {_FUNCTION}\([^()]*\) line \d+", re.MULTILINE)
_TRIGGERED = re.compile(rf"{_FUNCTION}\(\)")  # in a server's own language


def _explain(error: psycopg.Error, script: str, hint: str) -> None:
    """Say what the login lacks, or whose function refused: CONTEXT, which tells, does not stay."""
    context = error.diag.context or ""
    called = _CALLED.findall(context) or _TRIGGERED.findall(context)
    foreign = [name for name in dict.fromkeys(called) if f"function {name} (" not in script]
    if foreign:
        hint = (
            f"It comes of {', '.join(f'{name}()' for name in foreign)}, which is not part of "
            "pg-auth-state: an event trigger, perhaps. Have its owner let this login pass."
        )
        give_hint(error, hint, beside=True)
    else:
        give_hint(error, hint)
