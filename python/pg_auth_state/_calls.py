"""Every SQL function as a `Call`: its statement, its bound arguments and how to read its answer.

Shared by both clients, and done at the moment of the call: a payload that changes afterwards is
sent as it was. Arguments left at their defaults are not sent, so that a client works with every
schema that knows the arguments it uses.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from datetime import datetime, timedelta, timezone
from functools import lru_cache, wraps
from typing import TYPE_CHECKING, Any, Concatenate, Generic, ParamSpec, TypeVar, cast

from psycopg import DataError, sql
from psycopg.abc import AdaptContext, Buffer
from psycopg.abc import Loader as AbstractLoader
from psycopg.adapt import Dumper, Loader
from psycopg.pq import Format
from psycopg.types.array import ListDumper
from psycopg.types.bool import BoolBinaryDumper, BoolBinaryLoader
from psycopg.types.datetime import (
    DatetimeBinaryDumper,
    TimedeltaBinaryDumper,
    TimestamptzBinaryLoader,
)
from psycopg.types.numeric import Int4BinaryLoader, Int8BinaryLoader, IntBinaryDumper
from psycopg.types.string import StrDumperUnknown, TextBinaryLoader

from . import _wire
from ._identity import check_creds, encoded_creds
from ._reading import Reader, parsed_answer
from ._sealing import Opening, Sealing
from .errors import InvalidInput
from .rows import (
    AuditEvent,
    CleanupJob,
    Company,
    CredsVersion,
    KeyRow,
    KeyStats,
    KeyTypeStatus,
    Lease,
    LeaseRow,
    Status,
)

if TYPE_CHECKING:
    from ._leases import Held
    from .encryption import Keyring

T = TypeVar("T")
P = ParamSpec("P")
Rows = Sequence[tuple[Any, ...]]


@dataclass(frozen=True, slots=True)
class Call(Generic[T]):
    """One function call; `read` turns the rows of its answer into what the caller gets.

    The rows have the columns of these names, in this order; None for those that the schema, an
    older one, does not have.

    An argument that is callable is made when it is sent, after `before`, which gives what has to be
    read first on the same connection, if anything.
    """

    schema: str
    function: str
    statement: sql.Composed
    arguments: tuple[Any, ...] = field(repr=False)
    read: Callable[[Rows], T | Doubtful[T]]
    company_id: str | None
    columns: tuple[str, ...] | None = None  # of a function that returns a table
    lease: Held | None = None  # whose token it presents
    ends_lease: bool = False
    before: Callable[[], Call[Any] | None] | None = None

    @property
    def is_read(self) -> bool:
        return self.function in _READS

    def sent(self) -> tuple[Any, ...]:
        return tuple(value() if callable(value) else value for value in self.arguments)

    def answer(self, names: Sequence[str], rows: Rows) -> T | Doubtful[T]:
        """What the caller gets of these rows, whose columns have these names."""
        wanted = self.columns
        if wanted is not None and wanted != tuple(names):
            places = {name: place for place, name in enumerate(names)}
            picked = [places.get(name) for name in wanted]
            rows = [
                tuple(None if place is None else row[place] for place in picked) for row in rows
            ]
        return self.read(rows)


# The others refuse any isolation level but READ COMMITTED.
_READS = {
    "auth_cleanup_job",
    "auth_creds_history",
    "auth_creds_version",
    "auth_export",
    "auth_get_creds",
    "auth_get_keys",
    "auth_list_audit",
    "auth_list_companies",
    "auth_list_keys",
    "auth_list_leases",
    "auth_schema_version",
    "auth_stats",
    "auth_status",
}


@dataclass(frozen=True, slots=True)
class Doubtful(Generic[T]):
    """An answer with plain values, which hold unless `learn` says that all is encrypted by now.

    They may have been encrypted in between: then the call is made again, and knows.
    """

    value: T
    learn: Call[Any]
    is_complete: Callable[[], bool]


@lru_cache(maxsize=256)
def _statement(schema: str, function: str, names: tuple[str, ...], table: bool) -> sql.Composed:
    # A percent sign would be taken for the start of a placeholder.
    name = sql.Identifier(schema.replace("%", "%%"), function)
    arguments = sql.SQL(", ").join(
        sql.SQL("{} => {}").format(sql.Identifier(name), sql.Placeholder()) for name in names
    )
    select = sql.SQL("select * from {}({})" if table else "select {}({})")
    return select.format(name, arguments)


class _JsonLoader(Loader):
    """json and jsonb in binary format as its text: read where it is known what it is."""

    format = Format.BINARY

    def load(self, data: Buffer) -> bytes:
        return bytes(data)


class _JsonbLoader(_JsonLoader):
    def load(self, data: Buffer) -> bytes:
        return bytes(data)[1:]  # after the version of the format


class _TimeLoader(Loader):
    """Gives the first or last time of Python for those beyond: whoever imports keys chooses their
    times."""

    format = Format.BINARY

    def __init__(self, oid: int, context: AdaptContext | None = None) -> None:
        super().__init__(oid, context)
        self._usual = TimestamptzBinaryLoader(oid, context).load

    def load(self, data: Buffer) -> datetime:
        try:
            return self._usual(data)
        except DataError:
            is_past = bytes(data)[0] & 0x80
            return (datetime.min if is_past else datetime.max).replace(tzinfo=timezone.utc)


# psycopg's own, for all types that calls send and get. A string has no type for the server, which
# would find no function for a text where it has a jsonb.
_DUMPERS: tuple[tuple[type, type[Dumper]], ...] = (
    (str, StrDumperUnknown),
    (int, IntBinaryDumper),
    (bool, BoolBinaryDumper),
    (list, ListDumper),
    (timedelta, TimedeltaBinaryDumper),
    (datetime, DatetimeBinaryDumper),
)
_LOADERS: tuple[tuple[str, type[AbstractLoader]], ...] = (
    ("json", _JsonLoader),
    ("jsonb", _JsonbLoader),
    ("timestamptz", _TimeLoader),
    ("text", TextBinaryLoader),
    ("name", TextBinaryLoader),
    ("int4", Int4BinaryLoader),
    ("int8", Int8BinaryLoader),
    ("bool", BoolBinaryLoader),
)


def use_own_adapters(cursor: AdaptContext) -> None:
    """Send and read on this cursor as is expected here: the connection may have been given others,
    by its owner or for all of psycopg."""
    adapters = cursor.adapters
    for python_type, dumper in _DUMPERS:
        adapters.register_dumper(python_type, dumper)
    for name, loader in _LOADERS:
        adapters.register_loader(name, loader)


@lru_cache(maxsize=32)
def _columns(row: Callable[..., Any]) -> tuple[str, ...]:
    return tuple(field.name for field in fields(cast("Any", row)))


def _scalar(rows: Rows) -> Any:
    return rows[0][0]


def _lease(rows: Rows) -> Lease:
    return Lease(*rows[0])


def parsed_time(text: str) -> datetime:
    """A time as JSON from the database spells it."""
    # Before Python 3.11 fromisoformat wants 3 or 6 digits of a second.
    text = re.sub(r"\.(\d+)", lambda match: "." + match[1].ljust(6, "0"), text)
    return datetime.fromisoformat(text.replace("Z", "+00:00"))


def _fields(cls: type[Any], source: Mapping[str, Any]) -> dict[str, Any]:
    """A newer schema may say more."""
    return {name: source.get(name) for name in cls.__dataclass_fields__}


def _audit_event(*row: Any) -> AuditEvent:
    event = AuditEvent(*row)
    return replace(event, details=parsed_answer(row[-1]) if row[-1] is not None else None)


def _status(rows: Rows) -> Status:
    fields = _fields(Status, parsed_answer(rows[0][0]))
    fields["keys"] = [KeyTypeStatus(**_fields(KeyTypeStatus, keys)) for keys in fields["keys"]]
    return Status(**fields)


def _cleanup_job(rows: Rows) -> CleanupJob:
    fields = _fields(CleanupJob, parsed_answer(rows[0][0]))
    if fields["last_run"] is not None:
        fields["last_run"] = parsed_time(fields["last_run"])
    return CleanupJob(**fields)


def _for_company(
    method: Callable[Concatenate[Calls, P], Call[T]],
) -> Callable[Concatenate[Calls, P], Call[T]]:
    """A call about one account: needs one, and errors about its arguments name it."""

    @wraps(method)
    def checked(self: Calls, *args: P.args, **kwargs: P.kwargs) -> Call[T]:
        if self.company_id is None:
            raise InvalidInput("no company_id", hint="Give it to AuthState(database, company_id).")
        try:
            return method(self, *args, **kwargs)
        except InvalidInput as error:
            error.company_id = self.company_id
            raise

    return cast("Callable[Concatenate[Calls, P], Call[T]]", checked)


class Calls:
    """The functions of the schema for one account, or for none."""

    __slots__ = ("company_id", "lease", "reader", "schema", "sealing")

    def __init__(
        self, schema: str, company_id: str | None, encryption: Keyring | None = None
    ) -> None:
        self.schema = _wire.text(schema, "schema")
        self.company_id = None if company_id is None else _wire.text(company_id, "company_id")
        self.lease: Held | None = None
        self.sealing = Sealing(encryption, self.company_id)
        self.reader = Reader(self.company_id)

    def _call(
        self,
        function: str,
        read: Callable[[Rows], T | Doubtful[T]],
        *,
        columns: tuple[str, ...] | None = None,
        **arguments: Any,
    ) -> Call[T]:
        statement = _statement(self.schema, function, tuple(arguments), columns is not None)
        lease = self.lease
        if lease is not None and arguments.get("p_lease_token") != lease.token:
            lease = None
        return Call(
            self.schema,
            function,
            statement,
            tuple(arguments.values()),
            read,
            self.company_id,
            columns,
            lease,
        )

    def _rows(self, function: str, row: Callable[..., T], **arguments: Any) -> Call[list[T]]:
        """A call of a function whose rows have the fields of this class."""
        return self._call(
            function,
            lambda rows: [row(*values) for values in rows],
            columns=_columns(row),
            **arguments,
        )

    def _token(self, given: int | None) -> dict[str, Any]:
        """Unless one is given, that of the lease which the client holds."""
        lease = self.lease
        token = lease.token if given is None and lease is not None else given
        return {} if token is None else {"p_lease_token": _wire.whole(token, "lease_token")}

    # Encryption: what is read is opened, what is written is sealed

    def _opened(self, read: Callable[[Opening, Rows], T]) -> Callable[[Rows], T | Doubtful[T]]:
        """A reader of answers that hold keys."""

        def opened(rows: Rows) -> T | Doubtful[T]:
            opening = self.sealing.opening()
            value = read(opening, rows)
            if not opening.is_doubtful:
                return value
            return Doubtful(value, self.get_creds(), lambda: self.sealing.complete)

        return opened

    def _creds(self, rows: Rows) -> Any:
        creds = self.sealing.opened_creds(self.reader.creds(rows[0][0]))
        return self.reader.decoded_creds(self.reader.usable(creds))

    def _learn(self) -> Call[Any] | None:
        """Whether all is encrypted has to be known before creds that are to say so are saved."""
        if self.sealing.keyring is None or self.sealing.complete:
            return None
        return replace(self.get_creds(), read=self._learnt)

    def _learnt(self, rows: Rows) -> None:
        self.sealing.is_first = rows[0][0] is None
        self.sealing.opened_creds(self.reader.creds(rows[0][0]))

    def _sealed_creds(self, creds: object) -> Callable[[], str]:
        """Creds of this moment, to be sealed when they are sent."""
        encoded = encoded_creds(creds)
        if self.sealing.keyring is None:
            text = _wire.compact(encoded)
            return lambda: text
        sealing = self.sealing
        sealing.check_creds(encoded)
        # Whoever stores the first creds of an account has encrypted everything there is.
        return lambda: _wire.compact(
            sealing.creds(encoded, complete=sealing.complete or sealing.is_first)
        )

    def _sealed_keys(self, data: object) -> str:
        return _wire.compact(self.sealing.batch(_wire.encoded_keys(data)))

    @_for_company
    def get_creds(self) -> Call[Any]:
        return self._call("auth_get_creds", self._creds, p_company_id=self.company_id)

    @_for_company
    def init_creds(self, creds: object, *, lease_token: int | None) -> Call[Any]:
        encoded = encoded_creds(creds)

        def read(rows: Rows) -> Any:
            # Without keys a JWE can be stored, as by save_creds(), and not be read.
            if isinstance(encoded, str) and self.reader.creds(rows[0][0]) == encoded:
                return encoded
            return self._creds(rows)

        return self._call(
            "auth_init_creds",
            read,
            p_company_id=self.company_id,
            p_creds=_wire.compact(self.sealing.creds(encoded, complete=True)),
            **self._token(lease_token),
        )

    @_for_company
    def save_creds(
        self,
        creds: object,
        *,
        expected_version: int | None,
        lease_token: int | None,
        allow_new_identity: bool,
    ) -> Call[int]:
        call: Call[int] = self._call(
            "auth_save_creds",
            _scalar,
            p_company_id=self.company_id,
            p_creds=self._sealed_creds(creds),
            **_version(expected_version),
            **self._token(lease_token),
            **_flag("p_allow_new_identity", allow_new_identity),
        )
        return replace(call, before=self._learn)

    @_for_company
    def creds_version(self) -> Call[int | None]:
        return self._call("auth_creds_version", _scalar, p_company_id=self.company_id)

    @_for_company
    def get_keys(self, keys: object, key_ids: Iterable[str] | None) -> Call[Any]:
        reader = self.reader
        if key_ids is None:
            return self._call(
                "auth_get_keys",
                self._opened(
                    lambda opening, rows: reader.decoded_types(
                        opening.types(reader.types(rows[0][0]))
                    )
                ),
                p_company_id=self.company_id,
                p_keys=_wire.dumps_wanted(keys),
            )
        key_type = _wire.text(keys, "key_type")
        return self._call(
            "auth_get_keys",
            self._opened(
                lambda opening, rows: reader.decoded_ids(
                    key_type, opening.ids(key_type, reader.ids(key_type, rows[0][0]))
                )
            ),
            p_company_id=self.company_id,
            p_key_type=key_type,
            p_key_ids=_wire.texts(key_ids, "key_ids"),
        )

    @_for_company
    def set_keys(self, data: object, *, lease_token: int | None) -> Call[int]:
        return self._call(
            "auth_set_keys",
            _scalar,
            p_company_id=self.company_id,
            p_data=self._sealed_keys(data),
            **self._token(lease_token),
        )

    @_for_company
    def save_state(
        self,
        creds: object,
        data: object,
        *,
        lease_token: int | None,
        expected_version: int | None,
        allow_new_identity: bool,
    ) -> Call[int]:
        call: Call[int] = self._call(
            "auth_save_state",
            _scalar,
            p_company_id=self.company_id,
            p_creds=self._sealed_creds(creds),
            p_data=self._sealed_keys(data),
            **self._token(lease_token),
            **_version(expected_version),
            **_flag("p_allow_new_identity", allow_new_identity),
        )
        return replace(call, before=self._learn)

    @_for_company
    def list_keys(
        self, key_type: str, *, after: str | None, limit: int, values: bool
    ) -> Call[list[KeyRow]]:
        arguments: dict[str, Any] = {} if values else {"p_values": False}
        key_type = _wire.text(key_type, "key_type")
        reader = self.reader

        def read(opening: Opening, rows: Rows) -> list[KeyRow]:
            found = []
            for key_id, text, updated_at, expires_at in rows:
                value = opening(key_type, key_id, reader.value(key_type, key_id, text))
                value = reader.decoded(key_type, key_id, value)
                found.append(KeyRow(key_id, value, updated_at, expires_at))
            return found

        return self._call(
            "auth_list_keys",
            self._opened(read),
            columns=_columns(KeyRow),
            p_company_id=self.company_id,
            p_key_type=key_type,
            **_page(after, limit),
            **arguments,
        )

    def list_companies(self, *, after: str | None, limit: int) -> Call[list[Company]]:
        return self._rows(
            "auth_list_companies",
            Company,
            **_page(after, limit),
        )

    @_for_company
    def clear_keys(self, key_type: str | None, *, lease_token: int | None) -> Call[int]:
        return self._call(
            "auth_clear_keys",
            _scalar,
            p_company_id=self.company_id,
            **_text("p_key_type", key_type),
            **self._token(lease_token),
        )

    @_for_company
    def delete_company(self, *, lease_token: int | None) -> Call[int]:
        def read(rows: Rows) -> int:
            self.sealing.forget()
            return int(rows[0][0])

        call: Call[int] = self._call(
            "auth_delete_company",
            read,
            p_company_id=self.company_id,
            **self._token(lease_token),
        )
        return replace(call, ends_lease=True)

    @_for_company
    def export(self, *, decrypt: bool) -> Call[dict[str, Any]]:
        def read(opening: Opening, rows: Rows) -> dict[str, Any]:
            state = self.reader.state(rows[0][0])
            if decrypt:
                state["creds"] = self.sealing.opened_creds(state["creds"])
                state["keys"] = opening.types(state["keys"])
            state["creds"] = self.reader.decoded_creds(state["creds"])
            self.reader.decoded_types(state["keys"])
            return state

        return self._call("auth_export", self._opened(read), p_company_id=self.company_id)

    @_for_company
    def import_state(
        self, state: object, *, mode: str, lease_token: int | None, allow_new_identity: bool
    ) -> Call[int]:
        return self._call(
            "auth_import",
            _scalar,
            p_company_id=self.company_id,
            p_state=self._sealed_state(state, mode),
            p_mode=_wire.text(mode, "mode"),
            **self._token(lease_token),
            **_flag("p_allow_new_identity", allow_new_identity),
        )

    def _sealed_state(self, state: object, mode: str) -> str:
        """What `export()` gave, encrypted or not, as it is sent."""
        encoded = encoded_state(state)
        if self.sealing.keyring is None:
            return _wire.compact(encoded)
        encoded["keys"] = self.sealing.batch(self.sealing.unsealed(encoded["keys"]))
        if encoded.get("creds") is not None:
            creds = self.sealing.unsealed_creds(encoded["creds"])
            check_creds(creds, "state.creds")
            encoded["creds"] = self.sealing.creds(creds, complete=mode != "merge")
        return _wire.compact(encoded)

    def cleanup_expired_keys(self, *, batch_size: int, dry_run: bool) -> Call[int]:
        return self._call(
            "cleanup_expired_keys",
            _scalar,
            p_batch_size=_wire.whole(batch_size, "batch_size", bits=32),
            p_dry_run=bool(dry_run),
            **_text("p_company_id", self.company_id),
        )

    def set_ttl(self, key_type: str, ttl: timedelta | None, *, force: bool) -> Call[int]:
        return self._call(
            "auth_set_ttl",
            _scalar,
            p_key_type=_wire.text(key_type, "key_type"),
            p_ttl=None if ttl is None else _interval(ttl),
            **_flag("p_force", force),
        )

    def schedule_cleanup(self, schedule: str | None) -> Call[int]:
        return self._call("auth_schedule_cleanup", _scalar, **_text("p_schedule", schedule))

    def unschedule_cleanup(self) -> Call[bool]:
        return self._call("auth_unschedule_cleanup", _scalar)

    def cleanup_job(self) -> Call[CleanupJob]:
        return self._call("auth_cleanup_job", _cleanup_job)

    @_for_company
    def acquire_lease(
        self, holder: str, *, ttl: timedelta | None, steal: bool, token: int | None = None
    ) -> Call[Lease]:
        return self._call(
            "auth_acquire_lease",
            _lease,
            columns=_columns(Lease),
            p_company_id=self.company_id,
            p_holder=_wire.text(holder, "holder"),
            **_ttl(ttl),
            **_flag("p_steal", steal),
            **({} if token is None else {"p_token": _wire.whole(token, "token")}),
        )

    @_for_company
    def renew_lease(self, token: int, *, ttl: timedelta | None) -> Call[datetime]:
        return self._call(
            "auth_renew_lease",
            _scalar,
            p_company_id=self.company_id,
            p_token=_wire.whole(token, "token"),
            **_ttl(ttl),
        )

    @_for_company
    def release_lease(self, token: int) -> Call[bool]:
        return self._call(
            "auth_release_lease",
            _scalar,
            p_company_id=self.company_id,
            p_token=_wire.whole(token, "token"),
        )

    def list_leases(self, *, after: str | None, limit: int) -> Call[list[LeaseRow]]:
        return self._rows(
            "auth_list_leases",
            LeaseRow,
            **_page(after, limit),
        )

    @_for_company
    def creds_history(self) -> Call[list[CredsVersion]]:
        return self._rows(
            "auth_creds_history",
            CredsVersion,
            p_company_id=self.company_id,
        )

    @_for_company
    def restore_creds(self, version: int, *, lease_token: int | None) -> Call[int]:
        return self._call(
            "auth_restore_creds",
            _scalar,
            p_company_id=self.company_id,
            p_version=_wire.whole(version, "version"),
            **self._token(lease_token),
        )

    @_for_company
    def forget_history(self, *, kept_kid: str | None, lease_token: int | None) -> Call[int]:
        return self._call(
            "auth_forget_history",
            _scalar,
            p_company_id=self.company_id,
            **_text("p_kept_kid", kept_kid),
            **self._token(lease_token),
        )

    @_for_company
    def bind_role(self, role_name: str) -> Call[None]:
        return self._call(
            "auth_bind_role",
            lambda rows: None,
            p_role_name=_wire.text(role_name, "role_name"),
            p_company_id=self.company_id,
        )

    def unbind_role(self, role_name: str) -> Call[bool]:
        return self._call(
            "auth_unbind_role", _scalar, p_role_name=_wire.text(role_name, "role_name")
        )

    def list_audit(self, *, before: datetime | None, limit: int) -> Call[list[AuditEvent]]:
        return self._call(
            "auth_list_audit",
            lambda rows: [_audit_event(*row) for row in rows],
            columns=_columns(AuditEvent),
            **_text("p_company_id", self.company_id),
            **_time("p_before", before),
            p_limit=_wire.whole(limit, "limit", bits=32),
        )

    def configure(self, name: str, value: str | None) -> Call[str | None]:
        return self._call(
            "auth_configure",
            _scalar,
            p_name=_wire.text(name, "name"),
            p_value=None if value is None else _wire.text(value, "value"),
        )

    def stats(self) -> Call[list[KeyStats]]:
        return self._rows(
            "auth_stats",
            KeyStats,
            **_text("p_company_id", self.company_id),
        )

    def schema_version(self) -> Call[str]:
        return self._call("auth_schema_version", _scalar)

    def status(self) -> Call[Status]:
        return self._call("auth_status", _status)


def encoded_state(state: object) -> dict[str, Any]:
    """What `export()` gave, as it is sent; the database looks at what is beside creds and keys."""
    if not isinstance(state, Mapping):
        raise InvalidInput(
            "invalid state", detail=f"state: an object is expected, not {type(state).__name__}"
        )
    creds, keys = state.get("creds"), state.get("keys")
    encoded: dict[str, Any] = _wire.encoded({**state, "creds": None, "keys": None}, "state")
    encoded["creds"] = None if creds is None else encoded_creds(creds, "state.creds")
    encoded["keys"] = _wire.encoded_keys(keys, "state.keys")
    return encoded


def _text(argument: str, value: str | None) -> dict[str, Any]:
    return {} if value is None else {argument: _wire.text(value, argument[2:])}


def _flag(argument: str, value: bool) -> dict[str, Any]:
    return {argument: True} if value else {}


def _version(value: int | None) -> dict[str, Any]:
    return {} if value is None else {"p_expected_version": _wire.whole(value, "expected_version")}


def _page(after: str | None, limit: int) -> dict[str, Any]:
    return {**_text("p_after", after), "p_limit": _wire.whole(limit, "limit", bits=32)}


def _time(argument: str, value: object) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, datetime) or value.tzinfo is None:
        raise InvalidInput(
            f"invalid {argument[2:]}",
            detail=f"{argument[2:]}: a datetime with a time zone is expected",
        )
    return {argument: value}


def _interval(value: object) -> timedelta:
    if not isinstance(value, timedelta):
        raise InvalidInput(
            "invalid ttl", detail=f"ttl: a timedelta is expected, not {type(value).__name__}"
        )
    return value


def _ttl(value: timedelta | None) -> dict[str, Any]:
    return {} if value is None else {"p_ttl": _interval(value)}
