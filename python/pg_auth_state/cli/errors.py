"""Errors as a person at a terminal reads them: what, DETAIL, HINT; no traceback, no password."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import Any

import typer
from typer.core import TyperGroup

from .._command_hints import hint_of
from ..errors import AuthStateError, MissingExtra
from .output import say


class Commands(TyperGroup):
    """Ends with exit code 1 and a readable error where a command raises one that is expected."""

    def invoke(self, ctx: Any) -> Any:
        try:
            return super().invoke(ctx)
        except AuthStateError as error:
            text = list(lines(error.message, error.detail, hint_of(error)))
        except ImportError as error:
            text = list(_missing(error))
            if not text:
                raise
        except Exception as error:
            psycopg = sys.modules.get("psycopg")
            if psycopg is None or not isinstance(error, psycopg.Error):
                raise
            text = described(error)
        for line in text:
            say(line, err=True)
        raise typer.Exit(1)


def _missing(error: ImportError) -> Iterator[str]:
    """What to install, if it is that."""
    if isinstance(error, MissingExtra):
        yield from lines(str(error), None, None)
    elif "pq wrapper" in str(error):  # of psycopg: its message is a page
        yield "error: psycopg finds no libpq: pip install 'pg-auth-state[binary]'"


def described(error: Any) -> list[str]:
    """A psycopg error in lines. Its CONTEXT, which may quote values, is left out."""
    diagnostics = error.diag
    hint = diagnostics.message_hint
    if error.sqlstate in ("42883", "3F000"):
        hint = "Is it installed in this schema? pg-auth-state install, or --schema."
    primary = diagnostics.message_primary
    if primary is None:  # not from the server: no connection, for example
        return list(lines(str(error), None, None))
    return list(lines(primary, diagnostics.message_detail, hint))


def lines(message: str, detail: str | None, hint: str | None) -> Iterator[str]:
    """An error as it is printed."""
    # libpq repeats itself for every address of a host, and in several lines.
    first, *rest = dict.fromkeys(line.strip() for line in re.split(r"[\r\n]+", message) if line)
    yield f"error: {first}"
    yield from (f"  {line}" for line in rest)
    if detail:
        yield f"  DETAIL: {detail}"
    if hint:
        yield f"  HINT: {hint}"
