"""The database as whole accounts are moved into it and out of it: values stay the JSON they are."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime, timezone
from functools import lru_cache
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import psycopg
from psycopg import IsolationLevel

from .. import _connect, _wire
from .._calls import Call, Calls, Rows
from .._sealing import Opening, Sealing
from .._secrecy import without_values
from .._sync.database import execute
from .._wire import Value
from ..rows import KeyStats

if TYPE_CHECKING:
    from ..encryption import Keyring

__all__ = ["NOTHING", "Company", "Database", "WireCalls", "from_ns", "quoted", "to_ns", "utc"]

T = TypeVar("T")

StoredRow: TypeAlias = "tuple[str, bytes | None, datetime]"
"""Id, JSON text and time of the last write of a key, as it is stored."""

NOTHING = '{"format":1,"keys":{}}'
"""A state that holds nothing: importing it checks access, lease and mode."""

_EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)


class WireCalls(Calls):
    """The functions that whole accounts need, with values as they are stored."""

    def creds(self) -> Call[Value]:
        return self._call(
            "auth_get_creds",
            lambda rows: self.reader.creds(rows[0][0]),
            p_company_id=self.company_id,
        )

    def keys(self, wanted: Mapping[str, Sequence[str]]) -> Call[dict[str, dict[str, Value]]]:
        return self._call(
            "auth_get_keys",
            lambda rows: self.reader.types(rows[0][0]),
            p_company_id=self.company_id,
            p_keys=json.dumps(wanted, separators=(",", ":")),
        )

    def page(
        self, key_type: str, after: str | None, limit: int, values: bool
    ) -> Call[list[StoredRow]]:
        return self._call(
            "auth_list_keys",
            list,
            columns=("key_id", "value", "updated_at"),
            p_company_id=self.company_id,
            p_key_type=key_type,
            p_after=after,
            p_limit=limit,
            p_values=values,
        )

    def whole(self) -> Call[dict[str, Any]]:
        return self._call(
            "auth_export",
            lambda rows: self.reader.state(rows[0][0]),
            p_company_id=self.company_id,
        )

    def put_keys(self, data: str, token: int) -> Call[int]:
        return self._call(
            "auth_set_keys",
            _scalar,
            p_company_id=self.company_id,
            p_data=data,
            p_lease_token=token,
        )

    def put_creds(self, creds: str, version: int, token: int) -> Call[int]:
        return self._call(
            "auth_save_creds",
            _scalar,
            p_company_id=self.company_id,
            p_creds=creds,
            p_expected_version=version,
            p_lease_token=token,
        )

    def write(self, state: str, mode: str, allow_new_identity: bool) -> Call[int]:
        return self._call(
            "auth_import",
            _scalar,
            p_company_id=self.company_id,
            p_state=state,
            p_mode=mode,
            p_allow_new_identity=allow_new_identity,
        )


def _scalar(rows: Rows) -> Any:
    return rows[0][0]


class Database:
    """One connection of our own, for many accounts one after the other.

    `keys` gives the keyring of an account; without, what is encrypted stays as it is.
    """

    def __init__(
        self,
        conninfo: str,
        schema: str = "public",
        keys: Callable[[str], Keyring] | None = None,
    ) -> None:
        self._conninfo = _connect.checked(conninfo)
        self._schema = schema
        self._keys = keys
        self._connection: psycopg.Connection[Any] | None = None
        self._in_transaction = False

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def __enter__(self) -> Database:
        return self

    def __exit__(self, *exc: object) -> None:
        self.close()

    def company(self, company_id: str) -> Company:
        """The account with this id, which need not exist."""
        company_id = _wire.text(company_id, "company_id")
        keyring = None if self._keys is None else self._keys(company_id)
        return Company(self, WireCalls(self._schema, company_id, keyring))

    def check(self) -> None:
        """Raise, before many accounts fail one by one, if the package cannot be reached."""
        self.run(WireCalls(self._schema, None).schema_version())

    def run(self, call: Call[T]) -> T:
        """Run one call, in the transaction that is open if there is one."""
        with without_values():
            return execute(self.connected(), call)

    def connected(self) -> psycopg.Connection[Any]:
        """The connection; a new one when the last is broken, but never within a transaction."""
        if self._connection is not None:
            if self._in_transaction or _connect.is_alive(self._connection.pgconn):
                return self._connection
            self._connection.close()
        self._connection = psycopg.connect(
            self._conninfo, autocommit=True, prepare_threshold=None, **_connect.PARAMETERS
        )
        return self._connection

    @contextmanager
    def writing(self) -> Iterator[None]:
        """One transaction; writing functions want READ COMMITTED."""
        with self._transaction(IsolationLevel.READ_COMMITTED, read_only=False):
            yield

    @contextmanager
    def snapshot(self) -> Iterator[None]:
        """One read-only transaction that sees one moment."""
        with self._transaction(IsolationLevel.REPEATABLE_READ, read_only=True):
            yield

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """A part of the transaction that may fail without ending it."""
        with without_values(), self.connected().transaction():
            yield

    @contextmanager
    def _transaction(self, isolation: IsolationLevel, *, read_only: bool) -> Iterator[None]:
        with without_values():
            connection = self.connected()
            connection.isolation_level = isolation
            connection.read_only = read_only
            self._in_transaction = True
            try:
                with connection.transaction():
                    yield
            finally:
                self._in_transaction = False


class Company:
    """One account in the database."""

    def __init__(self, database: Database, calls: WireCalls) -> None:
        self.database = database
        self._calls = calls
        self._has_looked = False

    @property
    def company_id(self) -> str:
        assert self._calls.company_id is not None
        return self._calls.company_id

    def _run(self, call: Call[Any]) -> Any:
        return self.database.run(call)

    @property
    def sealing(self) -> Sealing:
        return self._calls.sealing

    @property
    def _has_keys(self) -> bool:
        return self.sealing.keyring is not None

    def creds(self) -> Value:
        """As they are stored in plain, if there are keys; otherwise just as they are stored."""
        creds = self._run(self._calls.creds())
        if self._has_keys:
            creds = self.sealing.opened_creds(creds)
            self._has_looked = True
        return creds

    def stored_creds(self) -> Value:
        return self._run(self._calls.creds())

    def _opening(self) -> Opening | None:
        """For values that are read, if there are keys. Callers see one moment of the account."""
        if not self._has_keys:
            return None
        if not self._has_looked:
            self.creds()  # whether everything should be encrypted
        return self.sealing.opening()

    def sealed(self, key_type: str, key_id: str, text: str) -> str:
        """The JSON text of a key as it is sent."""
        keyring = self.sealing.keyring
        if keyring is None or key_type in keyring.plain_types:
            return text
        return quoted(self.sealing.sealed(key_type, key_id, text))

    def sealed_creds(self, text: str, creds: Value, *, complete: bool) -> str:
        """The JSON text of creds as it is sent."""
        if not self._has_keys:
            return text
        return quoted(self.sealing.creds(creds, complete=complete, text=text))

    def opened_file(
        self, key_type: str | None, key_id: str, text: str, value: Value
    ) -> tuple[str, Value]:
        """Text and value of a file that holds an encrypted one."""
        if not self._has_keys:
            return text, value
        if key_type is None:
            value = self.sealing.unsealed_creds(value)
        else:
            value = self.sealing.opened(key_type, key_id, value)
        return _wire.compact(value), value

    def creds_time(self) -> datetime | None:
        """When the creds were last saved, as far as their version, which is such a time, tells."""
        version = self.creds_version()
        return None if version is None else from_ns(version * 1000)

    def keys(self, wanted: Mapping[str, Sequence[str]]) -> dict[str, dict[str, Value]]:
        result: dict[str, dict[str, Value]] = self._run(self._calls.keys(wanted))
        opening = self._opening()
        return result if opening is None else opening.types(result)

    def pages(self, key_type: str, limit: int) -> Iterator[list[tuple[str, Value, datetime]]]:
        opening = self._opening()
        reader = self._calls.reader
        for page in self.stored_pages(key_type, limit):
            rows = []
            for key_id, text, at in page:
                value = reader.value(key_type, key_id, text)
                if opening is not None:
                    value = opening(key_type, key_id, value)
                rows.append((key_id, value, at))
            yield rows

    def stored_pages(
        self, key_type: str, limit: int, *, values: bool = True
    ) -> Iterator[list[StoredRow]]:
        """Keys as they are stored, which Python need not be able to read."""
        after = None
        while True:
            page = self._run(self._calls.page(key_type, after, limit, values))
            if page:
                yield page
                after = page[-1][0]
            if len(page) < limit:
                return

    def ids(self, key_type: str) -> Iterator[str]:
        pages = self.stored_pages(key_type, 10_000, values=False)
        return (key_id for page in pages for key_id, *_ in page)

    def whole(self) -> dict[str, Any]:
        result: dict[str, Any] = self._run(self._calls.whole())
        if self._has_keys:
            result["creds"] = self.sealing.opened_creds(result["creds"])
            result["keys"] = self.sealing.opening().types(result["keys"])
        return result

    def stats(self) -> list[KeyStats]:
        result: list[KeyStats] = self._run(self._calls.stats())
        return result

    def put_keys(self, data: str, token: int) -> int:
        return self._put(self._calls.put_keys(data, token))

    def put_creds(self, creds: str, version: int, token: int) -> int:
        return self._put(self._calls.put_creds(creds, version, token))

    def _put(self, call: Call[int]) -> int:
        """Write in a transaction of its own, whose level the login's default may not have."""
        with self.database.writing():
            return self.database.run(call)

    def creds_version(self) -> int | None:
        version: int | None = self._run(self._calls.creds_version())
        return version

    def forget_history(self, kept_kid: str, token: int) -> int:
        call = self._calls.forget_history(kept_kid=kept_kid, lease_token=token)
        return self._put(call)

    def write(self, state: str, mode: str, allow_new_identity: bool = False) -> int:
        return int(self._run(self._calls.write(state, mode, allow_new_identity)))


quoted = json.encoder.encode_basestring_ascii
"""A string as JSON, several times faster than `json.dumps`."""


@lru_cache(maxsize=1024)
def _second(seconds: int) -> str:
    return datetime.fromtimestamp(seconds, timezone.utc).strftime("%Y-%m-%dT%H:%M:%S")


def utc(nanoseconds: int) -> str:
    """A time of the file system as the database spells times."""
    microseconds = nanoseconds // 1000
    return f"{_second(microseconds // 10**6)}.{microseconds % 10**6:06}Z"


def from_ns(nanoseconds: int) -> datetime:
    """A time of the file system, as exact as the database keeps it."""
    seconds, rest = divmod(nanoseconds, 10**9)
    return datetime.fromtimestamp(seconds, timezone.utc).replace(microsecond=rest // 1000)


def to_ns(time: datetime) -> int:
    span = time - _EPOCH
    return ((span.days * 86_400 + span.seconds) * 10**6 + span.microseconds) * 1000
