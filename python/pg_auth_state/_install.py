"""Put the package into a database, and take it out again.

Both run the packaged SQL file, which is one transaction under one lock. Connect to the server
itself and not through a transaction-mode pooler: the schema is chosen by a setting of the session.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import psycopg
from psycopg import sql

from . import _connect, _sql
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
    """
    notices = _run(database, schema, _sql.INSTALL, on_notice)
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
    return notices + _run(database, schema, _sql.UNINSTALL, on_notice, drop_data=drop_data)


def _has_accounts(database: str, schema: str) -> bool:
    try:
        with AuthState(database, schema=schema) as state:
            return bool(state.list_companies(limit=1))
    except psycopg.ProgrammingError:  # not installed, or not for this login: the file says so
        return True


def _first_line(error: Exception) -> str:
    return str(error).partition("\n")[0]


def _run(
    database: str,
    schema: str,
    name: str,
    on_notice: Callable[[str], None] | None,
    *,
    drop_data: bool = False,
) -> list[str]:
    notices: list[str] = []

    def note(diagnostic: psycopg.errors.Diagnostic) -> None:
        parts = [diagnostic.message_primary or ""]
        if diagnostic.message_hint:
            parts.append(f"  HINT: {diagnostic.message_hint}")
        notices.append("\n".join(parts))
        if on_notice is not None:
            on_notice(notices[-1])

    refusal = None
    with psycopg.connect(
        _connect.checked(database), autocommit=True, **_connect.PARAMETERS
    ) as connection:
        path = sql.Identifier(schema).as_string(connection)
        connection.execute("select set_config('search_path', %s, false)", (path,))
        if drop_data:
            connection.execute("select set_config('auth_state.uninstall', 'drop data', false)")
        connection.add_notice_handler(note)
        try:
            connection.execute(_sql.read(name).encode())
        except psycopg.Error as error:
            refusal = translated(error)
            if refusal is None:
                raise
    if refusal is not None:
        raise refusal
    return notices
