"""Connections: what the two clients and the command have in common about them."""

from __future__ import annotations

import inspect
import math
import re
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote

import psycopg
from psycopg.conninfo import conninfo_to_dict, make_conninfo
from psycopg.pq import Conninfo, ConnStatus

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
    if "://" not in conninfo:
        hint = "It is name=value pairs; a value with blanks stands in single quotes."
    try:
        # libpq would read it as far as NUL.
        parameters = None if "\0" in conninfo else conninfo_to_dict(conninfo)
    except psycopg.ProgrammingError:
        parameters = None
    except UnicodeError:  # it holds all of it, or the password
        parameters = None
    if parameters is None:
        unknown = _unknown_parameters(conninfo)
        if unknown:
            raise InvalidInput(
                f"the connection string has parameters that libpq does not know: {unknown}",
                hint="Take them out, or correct them.",
            )
        raise InvalidInput("the connection string cannot be read", hint=hint)
    # Part of a password that holds a character of the URL's own ends up here.
    if "@" in str(parameters.get("host", "")):
        raise InvalidInput("the connection string has an @ in its host", hint=hint)
    if "user" not in parameters and "@" in str(parameters.get("dbname", "")):
        raise InvalidInput("the connection string has an @ in its database name", hint=hint)
    if not _PORTS.fullmatch(str(parameters.get("port", ""))):
        raise InvalidInput("the connection string has a port that is not a number", hint=hint)
    return conninfo


_PARAMETER = re.compile(r"[A-Za-z_][A-Za-z0-9_]{0,40}")
_SECRET = re.compile("pass|pw|secret|token|key|cred|auth", re.IGNORECASE)
_NO_SECRETS = {"channel_binding", "passfile", "require_auth", "sslkey", "sslkeylogfile"}
_HOST = re.compile(r"(?:\[[^\]]*\]|[^:\[\]]*)(?::\d*)?")


def _unknown_parameters(url: str) -> str:
    """The parameters of a URL that libpq does not know, each with the nearest that it knows.

    Nothing, where a question mark or an ampersand may be one of the password.
    """
    scheme, separator, rest = url.partition("://")
    if not separator or scheme not in ("postgresql", "postgres"):
        return ""
    address, _, query = rest.partition("?")
    hosts, slash, _ = address.partition("/")
    parts = query.split("&")
    names = [unquote(part.partition("=")[0]) for part in parts]
    if (
        "@" in query  # the host is still to come
        or not all("=" in part for part in parts)  # the rest of a value, as it seems
        or any(_HOST.fullmatch(host) is None for host in hosts.rpartition("@")[2].split(","))
        or ("@" not in hosts and ":" in hosts and not slash)  # user:password, and no host
    ):
        return ""
    secret = next((at for at, name in enumerate(names) if _is_of_secret(name)), len(names))
    del names[secret + 1 :]  # which may be the rest of that one
    known = [option.keyword.decode() for option in Conninfo.get_defaults()] + ["ssl"]
    found = dict.fromkeys(names)
    unknown = [name for name in found if name not in known and _PARAMETER.fullmatch(name)]
    return ", ".join(name + _nearest(name, known) for name in unknown)


def _is_of_secret(name: str) -> bool:
    return name not in _NO_SECRETS and _SECRET.search(name) is not None


def _nearest(name: str, known: list[str]) -> str:
    near = get_close_matches(name.lower(), known, 1, 0.75)
    return f" (is it {near[0]}?)" if near else ""


def conninfo_of(info: ConnectionInfo) -> str:
    """How to open another connection like this one."""
    try:
        return make_conninfo(**info.get_parameters(), password=info.password or None)
    except UnicodeError:  # it holds the password
        pass
    raise InvalidInput(
        "the password of the connection cannot be read",
        hint="It is not UTF-8. Give it to libpq in a password file: no program reads it there.",
    )


_MOST = 2**31 - 1  # of any number of libpq's


def impatient(conninfo: str, seconds: float) -> str:
    """`conninfo` for a connection that gives up on a dead network soon, unless it says when."""
    limits = {
        "connect_timeout": max(2, min(math.ceil(seconds), _MOST)),  # libpq knows nothing shorter
        "tcp_user_timeout": max(1, min(math.ceil(seconds * 1000), _MOST)),
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
