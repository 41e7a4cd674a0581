"""A lease that a thread renews while it is held.

The counterpart for tasks, `_async/leases.py`, is written by hand as well.
"""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import timedelta
from threading import Event, Thread
from typing import TYPE_CHECKING

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
    from contextlib import AbstractContextManager

    from .database import Database

__all__ = ["HeldLease"]


class HeldLease(Held):
    """The lease inside `with state.lease(…) as lease`.

    Attributes:
        token: For writes of other clients; those of `state` have it without being told.
        holder: As given.
        expires_at: When it will end by the server's clock if it is not renewed again.
        lost: A `threading.Event`, set at the moment the lease is lost.
    """

    lost: Event
    _keeper: Thread

    def _start(self, calls: Calls, database: Database) -> None:
        self.lost = Event()
        self._ending = Event()
        self._database = database
        self._renewal = calls.renew_lease(self.token, ttl=timedelta(seconds=self._ttl))
        self._release = calls.release_lease(self.token)
        name = f"lease of {self._company_id}"
        self._keeper = Thread(target=self._keep, name=name, daemon=True)
        self._keeper.start()
        # A renewal may hang longer than the lease lasts.
        Thread(target=self._watch, name=f"{name}, its end", daemon=True).start()

    def _keep(self) -> None:
        try:
            while not self._ending.wait(self._pause()) and not self._expires():
                self._renew()
            if not self._is_lost:
                self._database.run(self._release, nullcontext())
        except (psycopg.Error, AuthStateError):
            pass  # not released, it ends by itself
        finally:
            self._database.close()

    def _renew(self) -> None:
        sent_at = now()
        try:
            self._extend(sent_at, self._database.run(self._renewal, nullcontext()))
        except LeaseLost as error:
            self._lose(error)
        except Exception as error:
            self._failure = error  # tried again until the deadline, whatever it is

    def _watch(self) -> None:
        while not self._ending.wait(self._remaining()):
            self._expires()

    def _tell(self) -> None:
        self.lost.set()
        self._stop()

    def _stop(self) -> None:
        self._ending.set()

    def _leave(self) -> None:
        """Give it back, after all writes issued before; once, and quietly if it is lost."""
        if self._left or not self._is_ours:
            return
        with nullcontext() if self._is_lost else turn(self._company_id):
            self._left = True
            self._stop()
            if not self._is_lost and self._keeper.is_alive():
                self._keeper.join(PATIENCE)


class Leases:
    """The lease of one client."""

    def __init__(self, calls: Calls, database: Database) -> None:
        self._calls = calls
        self._database = database
        self._place = Place()
        self._current: HeldLease | None = None

    def hold(
        self,
        holder: str,
        *,
        ttl: timedelta | None,
        steal: bool,
        wait: timedelta | None,
        on_lost: OnLost | None,
    ) -> AbstractContextManager[HeldLease]:
        ttl = TTL if ttl is None else ttl
        acquire = self._calls.acquire_lease(holder, ttl=ttl, steal=steal)
        patience = 0.0 if wait is None else seconds(wait, "wait")
        return self._held(acquire, holder, ttl.total_seconds(), patience, on_lost)

    @contextmanager
    def _held(
        self,
        acquire: Call[Lease],
        holder: str,
        ttl: float,
        patience: float,
        on_lost: OnLost | None,
    ) -> Iterator[HeldLease]:
        company_id = acquire.company_id
        assert company_id is not None
        with self._place.taken(company_id):
            database = self._database.beside(ttl / 3)
            try:
                lease, sent_at = _acquired(database, acquire, holder, patience)
                held = HeldLease(lease, company_id, ttl=ttl, sent_at=sent_at, on_lost=on_lost)
                held._start(self._calls, database)
            except BaseException:
                database.close()
                raise
            self._calls.lease = self._current = held
            try:
                yield held
            finally:
                try:
                    held._leave()
                finally:
                    self._calls.lease = self._current = None
            held._raise_if_lost()

    def finish(self) -> None:
        """Give it back before the block is left. Writes are refused until then."""
        if self._current is not None:
            self._current._leave()


def _acquired(
    database: Database, acquire: Call[Lease], holder: str, patience: float
) -> tuple[Lease, float]:
    """The lease, and when it was asked for."""
    company_id = acquire.company_id
    assert company_id is not None
    give_up_at = now() + patience
    while True:
        held_until = None
        sent_at = now()
        try:
            lease = database.run(acquire, turn(company_id))
        except psycopg.OperationalError:
            if now() >= give_up_at:
                raise
        else:
            if lease.acquired:
                return lease, sent_at
            if now() >= give_up_at:
                raise held_already(lease, holder, company_id)
            held_until = lease.expires_at
        time.sleep(poll_pause(held_until, give_up_at))


@contextmanager
def leased_turn(lease: Held, company_id: str) -> Iterator[None]:
    """Wait for the writes of the account that were issued earlier; the lease may be over then."""
    with turn(company_id):
        lease._refuse()
        yield
