"""Schedule the cleanup with pg_cron, also where pg_cron lives in another database of the server.

SQL cannot reach another database: there the functions refuse, with the statement to run as HINT.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import psycopg
from psycopg.conninfo import make_conninfo

from . import _connect
from ._secrecy import without_values
from ._sync.client import AuthState
from .errors import UnsafeRequest

__all__ = ["Scheduled", "schedule", "unschedule"]


@dataclass(frozen=True, slots=True)
class Scheduled:
    """A job of pg_cron; `database` is where pg_cron lives if that is another one."""

    job_id: int
    database: str | None


def schedule(database: str, schema: str = "public", expression: str | None = None) -> Scheduled:
    """Let pg_cron clean up, every 6 hours or as the cron expression says. Safe to repeat.

    Args:
        database: A psycopg connection string. Where pg_cron lives in another database the same
            login must be able to use it there.
        schema: Where the package is installed.
        expression: Like "0 */6 * * *", in the server's `cron.timezone`, GMT unless set.

    Raises:
        UnsafeRequest: There is no pg_cron, or the job cannot be this login's; `hint` is what to run
            instead, and `detail` where.
    """
    with AuthState(database, schema=schema) as state:
        try:
            return Scheduled(state.schedule_cleanup(expression), None)
        except UnsafeRequest as refused:
            try:
                rows, elsewhere = _run_hint(database, state, refused)
            except _NOT_INSTALLED:
                raise UnsafeRequest(
                    "pg_cron is not installed in the database where it belongs",
                    detail=refused.detail,
                    hint=f"There: create extension pg_cron; {refused.hint}",
                ) from None
            if not rows:
                raise UnsafeRequest(
                    f"another login has a job of pg_cron in database {elsewhere} for this database",
                    detail=refused.detail,
                    hint=refused.hint,
                ) from None
    return Scheduled(int(rows[0][0]), elsewhere)


def unschedule(database: str, schema: str = "public") -> bool:
    """Stop the scheduled cleanup, wherever pg_cron lives; false if there was none.

    Raises:
        UnsafeRequest: It cannot be done as this login; `hint` is the statement, and `detail` says
            where and as whom.
    """
    with AuthState(database, schema=schema) as state:
        try:
            return state.unschedule_cleanup()
        except UnsafeRequest as refused:
            try:
                rows, _ = _run_hint(database, state, refused)
            except _NOT_INSTALLED:
                return False
    return bool(rows)


_NOT_INSTALLED = (psycopg.errors.InvalidSchemaName, psycopg.errors.UndefinedTable)


def _run_hint(
    database: str, state: AuthState, refused: UnsafeRequest
) -> tuple[list[tuple[Any, ...]], str]:
    """Run the statement of the hint in pg_cron's database; any other refusal stands.

    Raises:
        UnsafeRequest: The login cannot; `hint` is the statement.
    """
    job = state.cleanup_job()
    hint = refused.hint or ""
    if job.pg_cron != "elsewhere" or not job.cron_database or not hint.startswith("select cron."):
        raise refused
    conninfo = make_conninfo(database, dbname=job.cron_database)
    try:
        with (
            without_values(),
            psycopg.connect(conninfo, autocommit=True, **_connect.PARAMETERS) as connection,
        ):
            connection.read_only = False  # whatever default the login has there
            with connection.transaction():
                return connection.execute(hint.encode()).fetchall(), job.cron_database
    except (psycopg.OperationalError, psycopg.errors.InsufficientPrivilege) as error:
        line = error.diag.message_primary or str(error).partition("\n")[0]
        reason = line.rpartition("FATAL:")[2].strip()
    raise UnsafeRequest(
        f"this login cannot use pg_cron in database {job.cron_database}: {reason}",
        detail=refused.detail,
        hint=hint,
    )
