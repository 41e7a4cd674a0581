"""Connections: what the two clients and the command have in common about them."""

from __future__ import annotations

import inspect
import math
import re
from typing import TYPE_CHECKING, Any

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import ConnStatus

from .errors import InvalidInput

if TYPE_CHECKING:
    from psycopg import ConnectionInfo
    from psycopg.pq.abc import PGconn

PARAMETERS: dict[str, Any] = {
    "client_encoding": "utf8",
    "fallback_application_name": "pg-auth-state",
}

_PORTS = re.compile(r"\d*(,\d*)*")


def checked(conninfo: str) -> str:
    """`conninfo` if it can be understood. libpq's own complaints quote it, password and all."""
    hint = "Percent-encode special characters of the password, as %40 for @ and %2F for /."
    try:
        parameters = conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        parameters = None
    if parameters is None:
        raise InvalidInput("the connection string cannot be read", hint=hint)
    # Part of a password that holds a character of the URL's own ends up here.
    if "@" in str(parameters.get("host", "")):
        raise InvalidInput("the connection string has an @ in its host", hint=hint)
    if "user" not in parameters and "@" in str(parameters.get("dbname", "")):
        raise InvalidInput("the connection string has an @ in its database name", hint=hint)
    if not _PORTS.fullmatch(str(parameters.get("port", ""))):
        raise InvalidInput("the connection string has a port that is not a number", hint=hint)
    return conninfo


def conninfo_of(info: ConnectionInfo) -> str:
    """How to open another connection like this one."""
    return make_conninfo(**info.get_parameters(), password=info.password or None)


def impatient(conninfo: str, seconds: float) -> str:
    """`conninfo` for a connection that gives up on a dead network soon, unless it says when."""
    limits = {
        "connect_timeout": max(2, math.ceil(seconds)),  # libpq knows nothing shorter
        "tcp_user_timeout": max(1, math.ceil(seconds * 1000)),
    }
    given = conninfo_to_dict(conninfo)
    return make_conninfo(
        conninfo, **{name: value for name, value in limits.items() if name not in given}
    )


def is_alive(connection: PGconn) -> bool:
    """Whether an idle connection is still there: reads what has arrived, without waiting."""
    try:
        if connection.status != ConnStatus.OK:
            return False
        connection.consume_input()  # the server's last words, if any
        connection.consume_input()  # and the end of the stream behind them
    except psycopg.OperationalError:
        return False
    return connection.status == ConnStatus.OK


def require_pool(source: object, *, asynchronous: bool) -> None:
    """Say at once, and not in the middle of the first call, that this is not what it should be."""
    ours, theirs = "AuthState", "AsyncAuthState"
    if asynchronous:
        ours, theirs = theirs, ours
    getconn = getattr(source, "getconn", None)
    if isinstance(source, (psycopg.Connection, psycopg.AsyncConnection)) or (
        getconn is not None and inspect.iscoroutinefunction(getconn) != asynchronous
    ):
        raise TypeError(f"{type(source).__name__} is for {theirs}, not for {ours}")
    if not hasattr(source, "connection"):
        raise TypeError(
            "database is a connection string, a psycopg connection or a psycopg_pool pool, "
            f"not {type(source).__name__}"
        )
