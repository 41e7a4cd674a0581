"""psycopg's errors without the values that the server or libpq quotes in them.

A server that is told to (`log_parameter_max_length_on_error`) sends the parameters of a statement,
the creds, in the CONTEXT of every error. Everything here that talks to a database does so inside
of `without_values()`.
"""

from __future__ import annotations

import sys
from types import TracebackType

import psycopg
from psycopg.errors import ConnectionTimeout
from psycopg.pq import DiagnosticField

__all__ = ["give_hint", "without_values"]

_FORBIDDEN = {
    DiagnosticField.CONTEXT,
    DiagnosticField.INTERNAL_QUERY,
    DiagnosticField.INTERNAL_POSITION,
    DiagnosticField.STATEMENT_POSITION,
}

_MARK = "_is_without_values"

# Their DETAIL is the row at fault, or the JSON that cannot be read.
_DETAIL_QUOTES = {"22P02", "22P05", "23502", "23514", "44000"}


class without_values:
    """Take the values off every psycopg error that leaves the block, and off what it is chained to.

    The error itself is changed: its class, its SQLSTATE, its message, DETAIL, HINT and the names of
    constraint, table and column stay. Errors that were being handled before the block are the
    caller's own and stay as they are.
    """

    __slots__ = ("_outer",)

    def __enter__(self) -> None:
        self._outer = sys.exc_info()[1]

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if exc is not None:
            _strip_all(exc, self._outer)


def give_hint(error: psycopg.Error, hint: str, *, beside: bool = False) -> None:
    """Give an error of the server this HINT if it has none, or beside the one that it has."""
    given = error.diag.message_hint
    if given is None:
        _strip(error, hint)
    elif beside:
        _strip(error, f"{given} {hint}")


def _strip_all(error: BaseException, outer: BaseException | None) -> None:
    pending: list[BaseException | None] = [error]
    seen = {id(outer)}
    while pending:
        error_or_none = pending.pop()
        if error_or_none is None or id(error_or_none) in seen:
            continue
        seen.add(id(error_or_none))
        if isinstance(error_or_none, psycopg.Error):
            _strip(error_or_none)
        pending += (error_or_none.__cause__, error_or_none.__context__)
        pending += getattr(error_or_none, "exceptions", ())  # of an ExceptionGroup


def _strip(error: psycopg.Error, hint: str | None = None) -> None:
    diagnostics = error.diag
    primary = diagnostics.message_primary
    if primary is None:
        _strip_own_text(error)
        return
    fields = {
        field: None if field in _FORBIDDEN else getattr(diagnostics, field.name.lower())
        for field in DiagnosticField
    }
    if error.sqlstate in _DETAIL_QUOTES:
        fields[DiagnosticField.MESSAGE_DETAIL] = None
    if hint is not None:
        fields[DiagnosticField.MESSAGE_HINT] = hint
    lines = [primary]
    if detail := fields[DiagnosticField.MESSAGE_DETAIL]:
        lines.append(f"DETAIL:  {detail}")
    if hint := fields[DiagnosticField.MESSAGE_HINT]:
        lines.append(f"HINT:  {hint}")
    # The constructor again, on the same object: whoever holds it already gets to see no more.
    psycopg.Error.__init__(
        error,
        "\n".join(lines),
        info={field: None if text is None else text.encode() for field, text in fields.items()},
    )


def _strip_own_text(error: psycopg.Error) -> None:
    """An error of psycopg's own, which may pass on in its later lines what libpq was told.

    While connecting there is nothing to hide, and the lines say which hosts were tried. The
    connection that such an error carries has the password.
    """
    text = str(error)
    is_of_connecting = error.pgconn is not None or isinstance(error, ConnectionTimeout)
    if not is_of_connecting and not hasattr(error, _MARK):
        text = text.partition("\n")[0]
    psycopg.Error.__init__(error, text)
    setattr(error, _MARK, True)
