"""A lease that a task renews while it is held.

The counterpart for threads, `_sync/leases.py`, is written by hand as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import psycopg

from .._calls import Call, Calls
from .._leases import (
    PATIENCE,
    TTL,
    Held,
    OnLost,
    Place,
    held_already,
    now,
    poll_pause,
    seconds,
)
from ..errors import AuthStateError, LeaseLost
from ..rows import Lease
from .ordering import turn

if TYPE_CHECKING:
    from contextlib import AbstractAsyncContextManager

    from .database import Database

__all__ = ["AsyncHeldLease"]


class AsyncHeldLease(Held):
    """The lease inside `async with state.lease(…) as lease`.

    Attributes:
        token: For writes of other clients; those of `state` have it without being told.
        holder: As given.
        expires_at: When it will end by the server's clock if it is not renewed again.
        lost: An `asyncio.Event`, set at the moment the lease is lost.
    """

    lost: asyncio.Event

    def _start(self, calls: Calls, database: Database) -> None:
        self.lost = asyncio.Event()
        self._ending = asyncio.Event()
        self._database = database
        self._renewal = calls.renew_lease(self.token, ttl=timedelta(seconds=self._ttl))
        self._release = calls.release_lease(self.token)
        self._body = asyncio.current_task()
        self._body_is_cancelled = False
        self._is_leaving = False
        self._cancelled_before = getattr(self._body, "cancelling", int)()  # Python 3.11
        self._loop = asyncio.get_running_loop()
        self._keeper = self._loop.create_task(self._keep())
        # A renewal may hang longer than the lease lasts.
        self._timer = self._loop.call_later(self._remaining(), self._watch)

    async def _keep(self) -> None:
        try:
            while not await self._ends_within(self._pause()) and not self._expires():
                await self._renew()
            if not self._is_lost and self._is_ours:
                await self._database.run(self._release, nullcontext())
        except (psycopg.Error, AuthStateError):
            pass  # not released, it ends by itself
        finally:
            await self._database.close()

    async def _ends_within(self, pause: float) -> bool:
        try:
            await asyncio.wait_for(self._ending.wait(), pause)
        except asyncio.TimeoutError:
            return False
        return True

    async def _renew(self) -> None:
        sent_at = now()
        try:
            self._extend(sent_at, await self._database.run(self._renewal, nullcontext()))
        except LeaseLost as error:
            self._lose(error)
        except Exception as error:
            self._failure = error  # tried again until the deadline, whatever it is

    def _watch(self) -> None:
        if not self._expires():
            self._timer = self._loop.call_later(self._remaining(), self._watch)

    def _tell(self) -> None:
        self.lost.set()
        self._stop()
        if self._is_leaving or self._body is None:
            return
        # The body's own task learns it from the exception that is about to be raised in it.
        if self._body is not _current_task():
            self._body_is_cancelled = self._body.cancel()

    def _stop(self) -> None:
        self._ending.set()
        self._timer.cancel()

    def _takes_back_cancelling(self) -> bool:
        """Whether the body was cancelled by this lease, and by nobody else."""
        if not self._body_is_cancelled or self._body is None:
            return False
        self._body_is_cancelled = False
        uncancel = getattr(self._body, "uncancel", None)  # Python 3.11
        return uncancel is None or uncancel() <= self._cancelled_before

    async def _leave(self) -> None:
        """Give it back, after all writes issued before; once, and quietly if it is lost."""
        if self._left or not self._is_ours:
            return
        self._is_leaving = True
        try:
            if not self._is_lost:
                await asyncio.sleep(0)  # writes issued before take their places in the queue
                async with turn(self._company_id):
                    self._left = True
                    self._stop()
                    await asyncio.wait({self._keeper}, timeout=PATIENCE)
        finally:
            self._left = True
            self._stop()
            self._keeper.cancel()
            await asyncio.wait({self._keeper}, timeout=1)


def _current_task() -> asyncio.Task[Any] | None:
    try:
        return asyncio.current_task()
    except RuntimeError:
        return None


class Leases:
    """The lease of one client."""

    def __init__(self, calls: Calls, database: Database) -> None:
        self._calls = calls
        self._database = database
        self._place = Place()
        self._current: AsyncHeldLease | None = None

    def hold(
        self,
        holder: str,
        *,
        ttl: timedelta | None,
        steal: bool,
        wait: timedelta | None,
        on_lost: OnLost | None,
    ) -> AbstractAsyncContextManager[AsyncHeldLease]:
        ttl = TTL if ttl is None else ttl
        acquire = self._calls.acquire_lease(holder, ttl=ttl, steal=steal)
        patience = 0.0 if wait is None else seconds(wait, "wait")
        return self._held(acquire, holder, ttl.total_seconds(), patience, on_lost)

    @asynccontextmanager
    async def _held(
        self,
        acquire: Call[Lease],
        holder: str,
        ttl: float,
        patience: float,
        on_lost: OnLost | None,
    ) -> AsyncIterator[AsyncHeldLease]:
        company_id = acquire.company_id
        assert company_id is not None
        with self._place.taken(company_id):
            database = self._database.beside(ttl / 3)
            try:
                lease, sent_at = await _acquired(database, acquire, holder, patience)
            except BaseException:
                await database.close()
                raise
            held = AsyncHeldLease(lease, company_id, ttl=ttl, sent_at=sent_at, on_lost=on_lost)
            held._start(self._calls, database)
            self._calls.lease = self._current = held
            try:
                yield held
            except asyncio.CancelledError:
                if held._takes_back_cancelling():
                    held._raise_if_lost()
                raise
            finally:
                held._takes_back_cancelling()
                try:
                    await held._leave()
                finally:
                    self._calls.lease = self._current = None
            held._raise_if_lost()

    async def finish(self) -> None:
        """Give it back before the block is left. Writes are refused until then."""
        if self._current is not None:
            await self._current._leave()


async def _acquired(
    database: Database, acquire: Call[Lease], holder: str, patience: float
) -> tuple[Lease, float]:
    """The lease, and when it was asked for."""
    company_id = acquire.company_id
    assert company_id is not None
    give_up_at = now() + patience
    await asyncio.sleep(0)  # writes issued before take their places in the queue
    while True:
        held_until = None
        sent_at = now()
        try:
            lease = await database.run(acquire, turn(company_id))
        except psycopg.OperationalError:
            if now() >= give_up_at:
                raise
        else:
            if lease.acquired:
                return lease, sent_at
            if now() >= give_up_at:
                raise held_already(lease, holder, company_id)
            held_until = lease.expires_at
        await asyncio.sleep(poll_pause(held_until, give_up_at))


@asynccontextmanager
async def leased_turn(lease: Held, company_id: str) -> AsyncIterator[None]:
    """Wait for the writes of the account that were issued earlier; the lease may be over then."""
    async with turn(company_id):
        lease._refuse()
        yield
