"""`AsyncAuthState`."""

from __future__ import annotations

from collections.abc import Coroutine, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, nullcontext
from datetime import datetime, timedelta
from types import TracebackType
from typing import TYPE_CHECKING, Any, Literal, TypeVar, cast, overload

from .._calls import Call, Calls
from .._leases import OnLost
from .._wire import Value
from ..errors import LeaseLost
from ..rows import (
    AuditEvent,
    CleanupJob,
    Company,
    CredsVersion,
    KeyRow,
    KeyStats,
    Lease,
    LeaseRow,
    Status,
)
from .database import database as _database
from .leases import Leases, leased_turn
from .ordering import Writes, turn

if TYPE_CHECKING:
    from psycopg import AsyncConnection
    from psycopg_pool import AsyncConnectionPool, AsyncNullConnectionPool

    from ..encryption import Keyring
    from .leases import AsyncHeldLease

    Source = str | AsyncConnection[Any] | AsyncConnectionPool[Any] | AsyncNullConnectionPool[Any]

T = TypeVar("T")


class AsyncAuthState:
    """The auth state of one account in PostgreSQL.

    Args:
        database: A psycopg connection string, `AsyncConnection` or `AsyncConnectionPool`.

            A connection string opens one connection at the first call, keeps it, and opens it
            anew at the next call once it is broken; `close()`, or leaving `async with`, closes
            it. Calls made at the same time take turns on it. It prepares no statements on the
            server, so that it works through any connection pooler; for prepared statements give
            a connection or pool of your own.

            A connection or pool stays yours, settings and closing included. On a connection that
            is in a transaction a call joins it, and what fails aborts it as any statement would;
            otherwise each call is its own transaction. Writes need READ COMMITTED, the default of
            PostgreSQL: in any other isolation level they raise `UnsafeRequest`. psycopg's
            `isolation_level` and `read_only` of the connection hold for them. Over a connection
            string they work whatever isolation level the login or the database has.
        company_id: The account. May be left out for what concerns none or all of them:
            `list_companies`, `cleanup_expired_keys`, `stats`, `status` and the settings.
        schema: Where the package is installed.
        encryption: The keys with which values are encrypted before they are sent. Without, what
            is found encrypted raises `DecryptionError`.

    Each method is one SQL function, called once, in one transaction: all of it happens or nothing.
    Values are JSON (dict, list, str, int, float, bool, None) in which `bytes` may stand anywhere;
    what was stored as a Buffer, by Baileys too, comes back as `bytes`.

    Writes of one account reach the database in the order in which the methods were called, and
    with the values of that moment, whatever connections of this process they travel on. Reads do
    not wait for them.

    Every method may raise an `AuthStateError`: `InvalidInput` for arguments, before anything is
    sent where possible; the others as the methods say. Anything else is psycopg's own exception:
    `psycopg.OperationalError` for a lost connection or a lock not had in time,
    `psycopg.errors.InsufficientPrivilege` for an account that is not the caller's. A write that
    ended in a lost connection may or may not have happened.
    """

    def __init__(
        self,
        database: Source,
        company_id: str | None = None,
        *,
        schema: str = "public",
        encryption: Keyring | None = None,
    ) -> None:
        self._calls = Calls(schema, company_id, encryption)
        self._database = _database(database)
        self._writes = Writes()
        self._leases = Leases(self._calls, self._database)

    @property
    def company_id(self) -> str | None:
        return self._calls.company_id

    @property
    def schema(self) -> str:
        return self._calls.schema

    def __repr__(self) -> str:
        return f"<{type(self).__name__} company_id={self.company_id!r}>"

    async def close(self) -> None:
        """Finish the writes under way, give back the lease that `lease()` holds, and close the
        connection that a connection string opened."""
        await self._writes.finish()
        await self._leases.finish()
        await self._database.close()

    async def __aenter__(self) -> AsyncAuthState:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.close()

    async def _read(self, call: Call[T]) -> T:
        return await self._database.run(call, nullcontext())

    def _write(self, call: Call[T]) -> Coroutine[Any, Any, T]:
        return self._writes.start(self._send(call))

    async def _send(self, call: Call[T]) -> T:
        lease = call.lease
        assert call.company_id is not None
        if lease is None:
            return await self._database.run(call, turn(call.company_id))
        lease.check()
        try:
            result = await self._database.run(call, leased_turn(lease, call.company_id))
        except LeaseLost as error:
            lease._lose(error)
            raise
        if call.ends_lease:
            lease._end("The account was deleted, and the lease with it.")
        return result

    # Creds

    async def get_creds(self) -> dict[str, Any] | None:
        """The creds; None only when the account has none. No failure is ever None."""
        return cast("dict[str, Any] | None", await self._read(self._calls.get_creds()))

    def init_creds(
        self, creds: Mapping[str, Any], *, lease_token: int | None = None
    ) -> Coroutine[Any, Any, dict[str, Any]]:
        """Store these creds if there are none; the ones that are stored afterwards.

        Of several processes that start the same new account all get the same creds.

        Raises:
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
        """
        return self._write(self._calls.init_creds(creds, lease_token=lease_token))

    def save_creds(
        self,
        creds: Mapping[str, Any],
        *,
        expected_version: int | None = None,
        lease_token: int | None = None,
        allow_new_identity: bool = False,
    ) -> Coroutine[Any, Any, int]:
        """Store the creds; their version, which is a new one unless they are unchanged.

        Args:
            creds: All of them.
            expected_version: Only if the stored ones still have this version.
            lease_token: Only while the lease with this token is live.
            allow_new_identity: Even if they belong to another identity than those of the paired
                account that they replace, which is gone then.

        Raises:
            VersionConflict: The stored creds have another version.
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
            IdentityChangeRefused: See `allow_new_identity`.
        """
        return self._write(
            self._calls.save_creds(
                creds,
                expected_version=expected_version,
                lease_token=lease_token,
                allow_new_identity=allow_new_identity,
            )
        )

    async def creds_version(self) -> int | None:
        """The version of the stored creds; None when there are none."""
        return await self._read(self._calls.creds_version())

    # Keys

    @overload
    async def get_keys(
        self, keys: Mapping[str, Iterable[str]], /
    ) -> dict[str, dict[str, Value | None]]: ...

    @overload
    async def get_keys(
        self, key_type: str, key_ids: Iterable[str], /
    ) -> dict[str, Value | None]: ...

    async def get_keys(
        self, keys: Mapping[str, Iterable[str]] | str, key_ids: Iterable[str] | None = None, /
    ) -> Any:
        """Keys of several types, or of one, in one snapshot; those that are not there are None.

        await state.get_keys({"session": ["1.0", "2.0"]})  # {"session": {"1.0": …, "2.0": None}}
        await state.get_keys("session", ["1.0", "2.0"])    # {"1.0": …, "2.0": None}
        """
        return await self._read(self._calls.get_keys(keys, key_ids))

    def set_keys(
        self, data: Mapping[str, Mapping[str, Value | None]], *, lease_token: int | None = None
    ) -> Coroutine[Any, Any, int]:
        """Write a batch of keys, all or none; how many rows really changed.

            await state.set_keys({"session": {"1.0": {…}}, "pre-key": {"7": None}})  # None deletes

        Raises:
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
        """
        return self._write(self._calls.set_keys(data, lease_token=lease_token))

    def save_state(
        self,
        creds: Mapping[str, Any],
        data: Mapping[str, Mapping[str, Value | None]],
        *,
        lease_token: int | None = None,
        expected_version: int | None = None,
        allow_new_identity: bool = False,
    ) -> Coroutine[Any, Any, int]:
        """Store creds and keys, all or nothing; the version of the creds.

        Arguments and errors are those of `save_creds()` and `set_keys()`.
        """
        return self._write(
            self._calls.save_state(
                creds,
                data,
                lease_token=lease_token,
                expected_version=expected_version,
                allow_new_identity=allow_new_identity,
            )
        )

    async def list_keys(
        self, key_type: str, *, after: str | None = None, limit: int = 1000, values: bool = True
    ) -> list[KeyRow]:
        """One page of the keys of a type, by id in byte order.

        Args:
            key_type: The type.
            after: The last `key_id` of the page before.
            limit: The most rows of a page; a shorter page is the last.
            values: False leaves the values out.
        """
        return await self._read(
            self._calls.list_keys(key_type, after=after, limit=limit, values=values)
        )

    def clear_keys(
        self, key_type: str | None = None, *, lease_token: int | None = None
    ) -> Coroutine[Any, Any, int]:
        """Delete the keys of one type, or all keys, and leave the creds; how many there were.

        Raises:
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
        """
        return self._write(self._calls.clear_keys(key_type, lease_token=lease_token))

    # The account

    async def list_companies(self, *, after: str | None = None, limit: int = 1000) -> list[Company]:
        """One page of all accounts, by id in byte order; `after` is the last of the page before."""
        return await self._read(self._calls.list_companies(after=after, limit=limit))

    def delete_company(self, *, lease_token: int | None = None) -> Coroutine[Any, Any, int]:
        """Log out: delete everything of the account; how many rows there were.

        Raises:
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
        """
        return self._write(self._calls.delete_company(lease_token=lease_token))

    async def export(self, *, decrypt: bool = False) -> dict[str, Any]:
        """The whole account in one snapshot, as `import_state()` takes it.

            {"format": 1, "creds": …, "creds_updated_at": "2025-01-31T12:00:00Z",
             "keys": {type: {id: value}}, "times": {type: {id: [updated_at, expires_at]}}}

        Args:
            decrypt: What is encrypted stays so unless this is true. For another `company_id`
                only plain values will do: the encrypted ones are bound to this one.

        Raises:
            psycopg.errors.ProgramLimitExceeded: It is larger than 128 MB. Page `list_keys()`.
            NotFound: There is no such account.
        """
        return await self._read(self._calls.export(decrypt=decrypt))

    def import_state(
        self,
        state: Mapping[str, Any],
        *,
        mode: Literal["new", "merge", "replace"] = "new",
        lease_token: int | None = None,
        allow_new_identity: bool = False,
    ) -> Coroutine[Any, Any, int]:
        """Store what `export()` gave, times included, all or nothing; how many rows were written.

        Args:
            state: The account.
            mode: "new" refuses an account that exists, "merge" writes only what is missing,
                "replace" leaves nothing of what was there.
            lease_token: Only while the lease with this token is live.
            allow_new_identity: As in `save_creds()`.

        Raises:
            UnsafeRequest: The account exists, and the mode is "new".
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
            IdentityChangeRefused: See `allow_new_identity`.
        """
        return self._write(
            self._calls.import_state(
                state, mode=mode, lease_token=lease_token, allow_new_identity=allow_new_identity
            )
        )

    # Leases

    def lease(
        self,
        holder: str,
        *,
        ttl: timedelta | None = None,
        steal: bool = False,
        wait: timedelta | None = None,
        on_lost: OnLost | None = None,
    ) -> AbstractAsyncContextManager[AsyncHeldLease]:
        """Hold the lease of the account inside `async with`, and be told when it is lost.

            async with state.lease("server-1") as lease:
                await state.set_keys({…})  # with the token of the lease

        Inside, writes of this object that are given no `lease_token` present that of the lease, and
        it is renewed in the background every third of `ttl`. Leaving gives it back, after all
        writes issued before; `delete_company()` ends it without a loss being told.

        It is lost when the database says so, to a renewal or to a write, and at the latest when
        `ttl` has passed since the last successful renewal was sent, by a clock of this machine that
        nobody sets. At that moment `lease.lost` is set, `on_lost` is called, and from then on
        writes raise `LeaseLost` without asking the database.
        The task inside is cancelled.

        The lease has a connection of its own, opened as that of the connection string or as the
        connection given, so that no statement or transaction delays it; over a pool it takes one
        out of it for each renewal. A transaction that has written the account keeps everybody else
        out of it, renewals as well: it must be over within `ttl`, and before leaving. A forked
        process has no part in the lease: writes raise `LeaseLost` there.

        Args:
            holder: Who asks; for people to read, and the same after a restart.
            ttl: How long it lasts without being renewed (60 seconds).
            steal: Take it from whoever has it. Their next write raises `LeaseLost`.
            wait: How long to go on trying while somebody else has it or the database cannot be
                reached.
            on_lost: Called once with the error, in whatever thread or task finds out, and not after
                leaving.

        Raises:
            LeaseHeld: On entering: somebody else has it; `holder` and `expires_at` are theirs.
            LeaseLost: On leaving: it was lost, and nothing else was raised inside.
            UnsafeRequest: On entering: this object holds a lease already.
        """
        return self._leases.hold(holder, ttl=ttl, steal=steal, wait=wait, on_lost=on_lost)

    async def acquire_lease(
        self,
        holder: str,
        *,
        ttl: timedelta | None = None,
        steal: bool = False,
        token: int | None = None,
    ) -> Lease:
        """Become the only one who may write the account, for `ttl` (60 seconds).

        Look at `acquired`: false is an answer and not an error. Give the `token` of the answer to
        every write, and renew in time. The same holder asking again gets a new token, and its old
        one is stale; while its lease lives, only once in a `ttl`, so that two processes under one
        name do not take turns.

        Args:
            holder: Who asks; for people to read, and the same after a restart.
            ttl: How long it lasts without being renewed.
            steal: Take it from whoever has it. Their next write raises `LeaseLost`.
            token: Only to go on: if the last lease, live or not, was this holder's with this token.
                Then nobody has written since, and what is in memory is still so.
        """
        return await self._read(
            self._calls.acquire_lease(holder, ttl=ttl, steal=steal, token=token)
        )

    async def renew_lease(self, token: int, *, ttl: timedelta | None = None) -> datetime:
        """Hold the lease for another `ttl` (60 seconds) from now; when it will expire.

        Raises:
            LeaseLost: It has expired, or somebody else has it. Stop using the account.
        """
        return await self._read(self._calls.renew_lease(token, ttl=ttl))

    def release_lease(self, token: int) -> Coroutine[Any, Any, bool]:
        """Give the lease back, after all writes issued before; false if it was lost already."""
        return self._write(self._calls.release_lease(token))

    async def list_leases(self, *, after: str | None = None, limit: int = 1000) -> list[LeaseRow]:
        """One page of the leases of all accounts that the caller may see, by account."""
        return await self._read(self._calls.list_leases(after=after, limit=limit))

    # Earlier creds

    async def creds_history(self) -> list[CredsVersion]:
        """The earlier creds that are kept, newest first: the last five, and for 30 days the last
        before each change of identity."""
        return await self._read(self._calls.creds_history())

    def restore_creds(
        self, version: int, *, lease_token: int | None = None
    ) -> Coroutine[Any, Any, int]:
        """Put earlier creds back, as a new version; that version.

        Creds only: sessions and sender keys stay as they are, a ratchet cannot go back.

        Raises:
            NotFound: This version is not kept.
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
        """
        return self._write(self._calls.restore_creds(version, lease_token=lease_token))

    def forget_history(
        self, *, kept_kid: str | None = None, lease_token: int | None = None
    ) -> Coroutine[Any, Any, int]:
        """Delete the earlier creds that are kept; how many. There is no way back to them.

        Args:
            kept_kid: Those encrypted under the key of this name stay.
            lease_token: Only while the lease with this token is live.

        Raises:
            LeaseLost: Somebody else holds the lease, or `lease_token` is not that of a live one.
        """
        return self._write(self._calls.forget_history(kept_kid=kept_kid, lease_token=lease_token))

    # Who may

    async def bind_role(self, role_name: str) -> None:
        """Confine a database login to this account, whatever else it is granted or sets.

        Raises:
            InvalidInput: There is no such role.
            UnsafeRequest: It is a superuser, or one of the package's own roles.
        """
        await self._read(self._calls.bind_role(role_name))

    async def unbind_role(self, role_name: str) -> bool:
        """Free a database login from its account; false if it was bound to none."""
        return await self._read(self._calls.unbind_role(role_name))

    async def list_audit(
        self, *, before: datetime | None = None, limit: int = 1000
    ) -> list[AuditEvent]:
        """One page of the audit log, newest first; of all accounts when `company_id` was left out.

        Args:
            before: Events older than this; for the next page, `at` of the last one.
            limit: The most rows of a page, but events of one instant stay together.
        """
        return await self._read(self._calls.list_audit(before=before, limit=limit))

    # Housekeeping

    async def cleanup_expired_keys(self, *, batch_size: int = 10_000, dry_run: bool = False) -> int:
        """Remove at most `batch_size` expired keys; how many. Call again until it is 0.

        Of this account, or of all when `company_id` was left out. Keys in use stay.

        Args:
            batch_size: The most rows of one transaction.
            dry_run: Remove nothing; how many there would be.
        """
        return await self._read(
            self._calls.cleanup_expired_keys(batch_size=batch_size, dry_run=dry_run)
        )

    async def set_ttl(self, key_type: str, ttl: timedelta | None, *, force: bool = False) -> int:
        """Let keys of this type expire so long after they were written, or never (None).

        Existing keys of all accounts follow; how many.

        Raises:
            UnsafeRequest: Losing keys of this type breaks an account, and not `force`.
        """
        return await self._read(self._calls.set_ttl(key_type, ttl, force=force))

    async def schedule_cleanup(self, schedule: str | None = None) -> int:
        """Let pg_cron clean up, every 6 hours or as `schedule` says; the id of the job.

        Safe to repeat. `schedule` is a cron expression.

        Raises:
            UnsafeRequest: pg_cron is not in this database; `hint` says what to do.
        """
        return await self._read(self._calls.schedule_cleanup(schedule))

    async def unschedule_cleanup(self) -> bool:
        """Stop the scheduled cleanup; false if there was none."""
        return await self._read(self._calls.unschedule_cleanup())

    async def cleanup_job(self) -> CleanupJob:
        """How cleanup is scheduled, and how its last run went."""
        return await self._read(self._calls.cleanup_job())

    async def configure(self, name: str, value: str | None) -> str | None:
        """Keep a setting of the package in the database; what was in effect before.

            await state.configure("audit_retention", "365 days")

        Args:
            name: lock_wait, history_versions, audit_retention, keep_deleted, keep_snapshots or
                starts_per_call.
            value: As PostgreSQL spells it; None for its default.

        Raises:
            InvalidInput: There is no such setting, or the value is out of its bounds.
        """
        return await self._read(self._calls.configure(name, value))

    async def stats(self) -> list[KeyStats]:
        """Numbers and sizes of keys by type; of all accounts when `company_id` was left out."""
        return await self._read(self._calls.stats())

    async def status(self) -> Status:
        """The installation as a whole: versions, accounts, keys, sizes and warnings."""
        return await self._read(self._calls.status())

    async def schema_version(self) -> str:
        """The version of the package in the database."""
        return await self._read(self._calls.schema_version())
