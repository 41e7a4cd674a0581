"""Exceptions, one for each SQLSTATE of the package.

What goes wrong with the connection, the server or the caller's rights stays psycopg's own
exception, `psycopg.OperationalError` or `psycopg.errors.InsufficientPrivilege` for example.
No message made here holds a value, only names, ids and JSON paths. psycopg's errors lose what the
server may quote in them: CONTEXT, internal query and positions.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

if TYPE_CHECKING:
    from datetime import datetime

    import psycopg

__all__ = [
    "AuthStateError",
    "DecryptionError",
    "IdentityChangeRefused",
    "InvalidInput",
    "LeaseHeld",
    "LeaseLost",
    "MissingExtra",
    "NotFound",
    "PlaintextRefused",
    "UnreadableValue",
    "UnsafeRequest",
    "VersionConflict",
]


class AuthStateError(Exception):
    """The base of all. `str()` is the message; `detail` and `hint` say what and what to do."""

    code: ClassVar[str] = ""

    sqlstate: str
    detail: str | None
    hint: str | None
    company_id: str | None

    def __init__(
        self,
        message: str,
        *,
        sqlstate: str | None = None,
        detail: str | None = None,
        hint: str | None = None,
        company_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.sqlstate = sqlstate or self.code
        self.detail = detail
        self.hint = hint
        self.company_id = company_id

    def __str__(self) -> str:
        lines = [str(self.args[0])]
        if self.detail:
            lines.append(f"DETAIL: {self.detail}")
        if self.hint:
            lines.append(f"HINT: {self.hint}")
        return "\n".join(lines)

    @property
    def message(self) -> str:
        """The first line, without detail and hint."""
        return str(self.args[0])


class InvalidInput(AuthStateError, ValueError):
    """WA001: refused whole, nothing was written. `detail` names the JSON path at fault.

    Raised by this package before anything is sent where it can tell, otherwise by the database.
    """

    code = "WA001"


class LeaseLost(AuthStateError):
    """WA002: the lease token is not that of a live lease, or a lease is held and none was given.

    Whoever gets this must stop using the account: somebody else may be writing it.
    """

    code = "WA002"


class LeaseHeld(LeaseLost):
    """WA002 from entering `lease()`: `holder` has the account, until `expires_at` or longer.

    It was never ours: there is nothing to stop. `holder` may be our own name: another process runs
    under it, or has a moment ago.
    """

    holder: str | None
    expires_at: datetime | None


class VersionConflict(AuthStateError):
    """WA003: the creds are not at `expected_version` any more. Read them again."""

    code = "WA003"


class NotFound(AuthStateError, LookupError):
    """WA004: no such company or version."""

    code = "WA004"


class IdentityChangeRefused(AuthStateError):
    """WA005: the creds would replace those of a paired account by another identity.

    The way to a new identity is `delete_company()`, then `init_creds()`.
    """

    code = "WA005"


class UnsafeRequest(AuthStateError):
    """WA006: unsafe or impossible here. `hint` says what to do instead."""

    code = "WA006"


class UnreadableValue(AuthStateError):
    """A stored value is JSON that Python cannot read, or could not write back as it was.

    An integer of more than 4,300 digits, a fraction beyond the range of a double, more than 200
    levels of nesting. A fraction within that range is read as the nearest double, as in JavaScript:
    further digits are lost without an error. `key_type` and `key_id` say which value; of creds
    `key_type` is "creds" and `key_id` None. All else of the account can be read. `sqlstate` is "".
    """

    key_type: str
    key_id: str | None


class DecryptionError(AuthStateError):
    """A stored value cannot be decrypted: no key, another key, or it was changed or moved.

    `key_type` and `key_id` say which one, `kid` under which key it is. Of creds `key_type` is
    "creds" and `key_id` None. It comes from this package, not from the database: `sqlstate` is "".
    """

    key_type: str
    key_id: str | None
    kid: str | None


class PlaintextRefused(DecryptionError):
    """The value is not encrypted, but everything of this account should be.

    Somebody wrote it without the keys; do not use it. `kid` is None.
    """


class MissingExtra(ImportError):
    """An optional package is not installed; the message has the pip command."""


_BY_SQLSTATE: dict[str, type[AuthStateError]] = {
    cls.code: cls
    for cls in (
        InvalidInput,
        LeaseLost,
        VersionConflict,
        NotFound,
        IdentityChangeRefused,
        UnsafeRequest,
    )
}

# What PostgreSQL's JSON parser raises. Its DETAIL and CONTEXT quote the input.
_JSON_SYNTAX = {"22P02", "22P05"}
_JSON_CONTEXT = "JSON data"


def translated(
    error: psycopg.Error, company_id: str | None = None, *, sends_json: bool = True
) -> AuthStateError | None:
    """The exception of this package that `error` stands for; None leaves it psycopg's own."""
    diagnostics = error.diag
    sqlstate = error.sqlstate or ""
    cls = _BY_SQLSTATE.get(sqlstate)
    if cls is not None:
        return cls(
            diagnostics.message_primary or "refused",
            detail=diagnostics.message_detail,
            hint=diagnostics.message_hint,
            company_id=company_id,
        )
    if sends_json and (sqlstate in _JSON_SYNTAX or _JSON_CONTEXT in (diagnostics.context or "")):
        return InvalidInput(
            "the database cannot read the JSON", sqlstate=sqlstate, company_id=company_id
        )
    return None


NO_GRANT = "The login needs the role auth_state_service, or one of those in docs/security.md."


def has_no_grant(error: psycopg.Error, *names: str) -> bool:
    """Whether the login may not call the function, or look into the schema, of these names."""
    message = error.diag.message_primary or ""
    return (
        error.sqlstate == "42501"
        and error.diag.source_function == "aclcheck_error"
        and any(message.rpartition(" ")[2].strip('"') == name for name in names)
    )
