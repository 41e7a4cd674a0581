"""What the functions return, where it is more than one value. Times are aware datetimes."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Any

__all__ = [
    "AuditEvent",
    "CleanupJob",
    "Company",
    "CredsVersion",
    "KeyRow",
    "KeyStats",
    "KeyTypeStatus",
    "Lease",
    "LeaseRow",
    "Status",
]


@dataclass(frozen=True, slots=True)
class Lease:
    """The answer to `acquire_lease()`. When `acquired` is false, `token` is None, and `holder` and
    `expires_at` are those of the lease there is, or was last; None if there never was one."""

    acquired: bool
    token: int | None
    holder: str | None
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class LeaseRow:
    """One lease, live or the last there was. Never its token."""

    company_id: str
    holder: str
    acquired_at: datetime
    expires_at: datetime
    is_live: bool


@dataclass(frozen=True, slots=True)
class CredsVersion:
    """Earlier creds that are kept. `identity` is a fingerprint of whose they are, no secret; None
    for creds without identity keys."""

    version: int
    saved_at: datetime
    identity: str | None


@dataclass(frozen=True, slots=True)
class AuditEvent:
    """Who did what. `company_id` is None where it concerned no account in particular, `login` who
    logged in, `on_behalf_of` for whom it says that it acted, `role` the role that was set, `holder`
    who held the lease of the account."""

    at: datetime
    company_id: str | None
    action: str
    login: str
    on_behalf_of: str | None
    role: str
    application_name: str | None
    holder: str | None
    rows: int | None
    details: dict[str, Any] | None


@dataclass(frozen=True, slots=True)
class KeyRow:
    """One key. `value` is None when values were not asked for; a stored null does not exist."""

    key_id: str
    value: Any
    updated_at: datetime
    expires_at: datetime | None


@dataclass(frozen=True, slots=True)
class Company:
    """One account. `version` is None when it has keys but no creds."""

    company_id: str
    version: int | None
    keys: int
    updated_at: datetime


@dataclass(frozen=True, slots=True)
class KeyStats:
    """The keys of one type in one account; sizes in bytes as stored."""

    company_id: str
    key_type: str
    keys: int
    bytes: int
    largest: int
    oldest: datetime | None
    newest: datetime | None
    expired: int


@dataclass(frozen=True, slots=True)
class KeyTypeStatus:
    """The keys of one type over all accounts; sizes in bytes as stored.

    `expired` ones wait for cleanup, `expiring` ones will within a day. `ttl` is how long keys of
    this type live without being written, as PostgreSQL spells an interval; None is for ever.
    """

    key_type: str
    keys: int
    bytes: int
    largest: int
    expired: int
    expiring: int
    ttl: str | None


@dataclass(frozen=True, slots=True)
class Status:
    """The installation as a whole.

    `version` is that of the schema, `server` PostgreSQL's, `paired` the accounts that are linked
    to a telephone, `encrypted` those whose creds are encrypted, `relation_bytes` the size on disk
    with indexes. `warnings` are sentences, each with its way out: settings of the server, the
    database or a login that print creds or values or may lose acknowledged writes, logins that can
    become the owner, parts of the install that are missing or belong to somebody else.
    """

    version: str
    schema: str
    server: str
    accounts: int
    paired: int
    encrypted: int
    live_leases: int
    keys: list[KeyTypeStatus]
    relation_bytes: int
    warnings: list[str]


@dataclass(frozen=True, slots=True)
class CleanupJob:
    """The scheduled cleanup, as far as the caller may see it.

    `pg_cron` is "here", "elsewhere" (in database `cron_database`, where a job cannot be seen from
    here) or "absent". Everything after `cron_database` is None where there is no job.
    """

    pg_cron: str
    cron_database: str | None
    job_id: int | None
    schedule: str | None
    active: bool | None
    owner: str | None
    last_run: datetime | None
    last_status: str | None
    last_message: str | None
