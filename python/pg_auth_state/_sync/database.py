# Generated from ../_async/database.py by python/generate_sync.py: do not edit.
"""Where calls go: a connection of our own, the caller's connection, or the caller's pool."""

from __future__ import annotations

import os
from contextlib import AbstractContextManager
from threading import Lock
from typing import Any, Protocol, TypeAlias, TypeVar
from weakref import WeakKeyDictionary

import psycopg
from psycopg import Connection, Cursor, IsolationLevel
from psycopg.pq import TransactionStatus
from psycopg.rows import tuple_row

from .. import _connect
from .._calls import Call, Doubtful, use_own_adapters
from .._secrecy import give_hint, without_values
from ..errors import NO_GRANT, UnsafeRequest, has_no_grant, translated

T = TypeVar("T")
Turn: TypeAlias = AbstractContextManager[None]


class Pool(Protocol):
    """What is needed of `psycopg_pool.ConnectionPool` and its relatives."""

    def connection(self) -> AbstractContextManager[Connection[Any]]: ...


class Database(Protocol):
    def run(self, call: Call[T], turn: Turn) -> T:
        """Run the call, in one transaction, when it is its turn.

        No error of psycopg's that comes of it, whatever raised it, holds a value.
        """

    def close(self) -> None:
        """Close what was opened here."""

    def beside(self, patience: float) -> Database:
        """For calls that no call, transaction or dead connection of this one may hold up.

        What was opened there is closed there. `patience`: seconds to wait for a dead network.
        """


def database(source: str | Connection[Any] | Pool) -> Database:
    if isinstance(source, str):
        return OwnConnection(_connect.checked(source))
    if isinstance(source, Connection):
        return GivenConnection(source)
    _connect.require_pool(source, asynchronous=False)
    return GivenPool(source)


def execute(connection: Connection[Any], call: Call[T]) -> T:
    if call.before is not None and (first := call.before()) is not None:
        execute(connection, first)
    answer = _execute(connection, call)
    if isinstance(answer, Doubtful):
        execute(connection, answer.learn)
        if answer.is_complete():
            return execute(connection, call)
        answer = answer.value
    return answer


def _execute(connection: Connection[Any], call: Call[T]) -> T | Doubtful[T]:
    refusal = None
    try:
        # Not `connection.cursor()`: its class and row factory are the caller's business.
        with Cursor(connection, row_factory=tuple_row) as cursor:
            use_own_adapters(cursor)
            cursor.execute(call.statement, call.sent(), binary=True)
            rows = cursor.fetchall()
            names = [column.name for column in cursor.description or ()]
    except psycopg.Error as error:
        refusal = translated(error, call.company_id)
        if refusal is None:
            if has_no_grant(error, call.function, call.schema):
                give_hint(error, NO_GRANT)
            raise
    if refusal is not None:
        raise refusal  # out here the original is not chained to it
    return call.answer(names, rows)


def needs_begin(connection: Connection[Any], call: Call[Any]) -> bool:
    """Whether the call depends on settings of the connection, which psycopg sends with BEGIN."""
    settings = connection.isolation_level, connection.read_only, connection.deferrable
    return settings != (None, None, None) and not call.is_read


class OwnConnection:
    """Opened at the first call and kept; opened again at the next call once it is broken."""

    def __init__(self, conninfo: str) -> None:
        self._conninfo = conninfo
        self._connection: Connection[Any] | None = None
        self._pid = 0
        self._closed = False
        self._has_asked = False
        self._lock = Lock()

    def run(self, call: Call[T], turn: Turn) -> T:
        with without_values():
            return self._run(call, turn)

    def _run(self, call: Call[T], turn: Turn) -> T:
        with turn, self._lock:
            connection = self._connected()
            if call.is_read:
                return execute(connection, call)
            if not needs_begin(connection, call):
                try:
                    return execute(connection, call)
                except UnsafeRequest:  # nothing was written
                    if not self._overrules_default(connection):
                        raise
            with connection.transaction():
                return execute(connection, call)

    def _overrules_default(self, connection: Connection[Any]) -> bool:
        """Whether this login or database has a default that no write takes, which is asked once.

        Every write on this connection has a transaction of its own level from then on.
        """
        if self._has_asked:
            return False
        self._has_asked = True
        cursor = connection.execute("select current_setting('transaction_isolation')")
        ((isolation,),) = cursor.fetchall()
        if isolation in ("read committed", "read uncommitted"):
            return False
        connection.isolation_level = IsolationLevel.READ_COMMITTED
        return True

    def _connected(self) -> Connection[Any]:
        if self._closed:
            raise psycopg.InterfaceError("the auth state is closed")
        if self._connection is not None and self._pid != os.getpid():
            self._connection = None  # forked: the socket is the parent's
        if self._connection is not None:
            if _connect.is_alive(self._connection.pgconn):
                return self._connection
            self._connection.close()
        self._connection = Connection.connect(
            self._conninfo, autocommit=True, prepare_threshold=None, **_connect.PARAMETERS
        )
        self._pid = os.getpid()
        self._has_asked = False
        return self._connection

    def close(self) -> None:
        self._closed = True
        with self._lock:
            connection, self._connection = self._connection, None
            if connection is not None and self._pid == os.getpid():
                connection.close()

    def beside(self, patience: float) -> Database:
        return OwnConnection(_connect.impatient(self._conninfo, patience))


class _Shared:
    """What all clients over one given connection have in common."""

    def __init__(self) -> None:
        self.lock = Lock()
        self.in_own_transaction = False
        self.joining = False


_shared: WeakKeyDictionary[Connection[Any], _Shared] = WeakKeyDictionary()


class GivenConnection:
    """The caller's. A call joins the transaction they have open; otherwise it is its own."""

    def __init__(self, connection: Connection[Any]) -> None:
        self._connection = connection
        self._shared = _shared.setdefault(connection, _Shared())

    def run(self, call: Call[T], turn: Turn) -> T:
        with without_values():
            return self._run(call, turn)

    def _run(self, call: Call[T], turn: Turn) -> T:
        if self._joins():
            # Without a turn: who has it may be waiting in the database for this transaction.
            with self._shared.lock:
                return self._join(call)
        with turn, self._shared.lock:
            if self._joins():
                return self._join(call)
            if self._connection.autocommit and not needs_begin(self._connection, call):
                return execute(self._connection, call)
            self._shared.in_own_transaction = True
            try:
                with self._connection.transaction():
                    return execute(self._connection, call)
            finally:
                self._shared.in_own_transaction = False

    def _join(self, call: Call[T]) -> T:
        self._shared.joining = True
        try:
            return execute(self._connection, call)
        finally:
            self._shared.joining = False

    def _joins(self) -> bool:
        status = self._connection.info.transaction_status
        if status == TransactionStatus.ACTIVE:
            return self._shared.joining
        if status in (TransactionStatus.INTRANS, TransactionStatus.INERROR):
            return not self._shared.in_own_transaction
        return False

    def close(self) -> None:
        """The connection stays the caller's."""

    def beside(self, patience: float) -> Database:
        # In a transaction of the caller's a call would neither be committed nor seen by others.
        conninfo = _connect.conninfo_of(self._connection.info)
        return OwnConnection(_connect.impatient(conninfo, patience))


class GivenPool:
    """The caller's. Every call takes a connection out of it and puts it back."""

    def __init__(self, pool: Pool) -> None:
        self._pool = pool

    def run(self, call: Call[T], turn: Turn) -> T:
        with without_values():
            return self._run(call, turn)

    def _run(self, call: Call[T], turn: Turn) -> T:
        with turn, self._pool.connection() as connection:
            if needs_begin(connection, call):
                with connection.transaction():
                    return execute(connection, call)
            if connection.autocommit:
                return execute(connection, call)
            # One statement: without BEGIN and COMMIT around it, it makes one round trip of three.
            connection.autocommit = True
            try:
                return execute(connection, call)
            finally:
                if connection.info.transaction_status == TransactionStatus.IDLE:
                    connection.autocommit = False

    def close(self) -> None:
        """The pool stays the caller's."""

    def beside(self, patience: float) -> Database:
        return self
