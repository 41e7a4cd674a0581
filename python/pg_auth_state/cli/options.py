"""The options that commands share, and where they lead."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ..errors import InvalidInput

if TYPE_CHECKING:
    from ..keyfiles import KeyFile

DatabaseUrl = Annotated[
    str | None,
    typer.Option(
        envvar="DATABASE_URL",
        show_envvar=True,
        metavar="URL",
        help="A PostgreSQL connection string; PGHOST, PGDATABASE … work too.",
    ),
]
Schema = Annotated[
    str,
    typer.Option(
        envvar="PG_AUTH_STATE_SCHEMA",
        show_envvar=True,
        metavar="NAME",
        help="The schema of the installation.",
    ),
]
Keys = Annotated[
    str | None,
    typer.Option(
        "--keys",
        envvar="PG_AUTH_STATE_KEYS",
        show_envvar=True,
        metavar="FILE",
        help="The keys of encrypted accounts, a JWK Set; {company} in the name is the account.",
    ),
]
CurrentKey = Annotated[
    str | None,
    typer.Option(metavar="KID", help="Which key to write with; the first of the file if not said."),
]
PlainTypes = Annotated[
    list[str],
    typer.Option("--plain-type", metavar="TYPE", help="Leave keys of this type plain; repeatable."),
]
AllowPlaintext = Annotated[
    bool,
    typer.Option(
        "--allow-plaintext",
        help="Take values that are plain although everything was encrypted already.",
    ),
]
Yes = Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")]

_WHERE = ("PGHOST", "PGHOSTADDR", "PGPORT", "PGDATABASE", "PGSERVICE", "PGUSER")


def conninfo(database_url: str | None) -> str:
    """The connection string to use. Nothing is ever done to a database that nobody named."""
    from psycopg.conninfo import conninfo_to_dict, make_conninfo

    from .._connect import checked

    if not database_url and not any(os.environ.get(name) for name in _WHERE):
        raise InvalidInput("no database", hint="Give --database-url, or set DATABASE_URL.")
    given = checked(database_url or "")
    if "connect_timeout" in conninfo_to_dict(given) or "PGCONNECT_TIMEOUT" in os.environ:
        return given
    return make_conninfo(given, connect_timeout=10)


def key_file(
    path: str | None,
    current: str | None = None,
    plain_types: list[str] | None = None,
    *,
    allow_plaintext: bool = False,
) -> KeyFile | None:
    """The keys that a command was given, if any."""
    if not path:
        return None
    from .. import encryption  # noqa: F401 (missing, it is said before anything is done)
    from ..keyfiles import KeyFile

    allowed = True if allow_plaintext else None
    return KeyFile.opened(path, current, tuple(plain_types or ()), allowed)


def described(conninfo: str) -> str:
    """Which database that is, without login and password."""
    from psycopg.conninfo import conninfo_to_dict

    parameters: dict[str, Any] = conninfo_to_dict(conninfo)

    def setting(name: str, variable: str) -> str:
        return str(parameters.get(name) or os.environ.get(variable) or "")

    user = setting("user", "PGUSER")
    name = setting("dbname", "PGDATABASE") or user
    host = setting("host", "PGHOST") or setting("hostaddr", "PGHOSTADDR")
    database = f"database {name}" if name else "the database"
    return f"{database} on {host}" if host else database


def counted(number: int, noun: str) -> str:
    """1 key, 2,000 keys."""
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
