"""What a lease held by threads and one held by tasks have in common."""

from __future__ import annotations

import copy
import logging
import os
import random
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import datetime, timedelta, timezone
from threading import Lock

from .errors import InvalidInput, LeaseHeld, LeaseLost, UnsafeRequest
from .rows import Lease

OnLost = Callable[[LeaseLost], None]

TTL = timedelta(seconds=60)
PATIENCE = 5.0  # how long leaving waits for an answer to the release
LONGEST_PAUSE = 3600.0

# A clock that nobody sets and that goes on while the machine sleeps: CLOCK_MONOTONIC does so only
# on macOS, where `time.monotonic()` does not.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", getattr(time, "CLOCK_MONOTONIC", None))

_HINT = "Stop, take the lease again, read the state again, then go on."

_log = logging.getLogger("pg_auth_state")


def now() -> float:
    return time.monotonic() if _CLOCK is None else time.clock_gettime(_CLOCK)


def seconds(value: object, name: str) -> float:
    if not isinstance(value, timedelta):
        raise InvalidInput(
            f"invalid {name}", detail=f"{name}: a timedelta is expected, not {type(value).__name__}"
        )
    return value.total_seconds()


def poll_pause(held_until: datetime | None, give_up_at: float) -> float:
    """How long to wait before asking for a lease again that somebody else has."""
    pause = random.uniform(0.5, 1.5)
    if held_until is not None:
        left = (held_until - datetime.now(timezone.utc)).total_seconds()
        pause = min(pause, max(left, 0.1))  # not below: the server's clock may be another
    return max(0.0, min(pause, give_up_at - now()))


def held_already(lease: Lease, holder: str, company_id: str | None) -> LeaseHeld:
    """The error for `holder`, who asked for the lease and did not get it."""
    message = "somebody else holds the lease"
    hint = "Wait with `wait=`, or take it from them with `steal=True`."
    if lease.holder == holder:
        message = "your own name holds it: is another process running under it?"
        hint = "Give each process a name of its own. After a restart wait with `wait=`."
    error = LeaseHeld(
        message,
        detail=f"{lease.holder} holds it until {lease.expires_at}.",
        hint=hint,
        company_id=company_id,
    )
    error.holder, error.expires_at = lease.holder, lease.expires_at
    return error


class Held:
    """A lease from being acquired until it is given back or lost, whatever renews it."""

    token: int
    holder: str
    expires_at: datetime

    def __init__(
        self,
        lease: Lease,
        company_id: str,
        *,
        ttl: float,
        sent_at: float,
        on_lost: OnLost | None,
    ) -> None:
        assert lease.token is not None
        assert lease.holder is not None
        assert lease.expires_at is not None
        self.token = lease.token
        self.holder = lease.holder
        self.expires_at = lease.expires_at
        self._company_id = company_id
        self._ttl = ttl
        self._deadline = sent_at + ttl
        self._on_lost = on_lost
        self._error: LeaseLost | None = None
        self._failure: Exception | None = None
        self._untold = Lock()  # taken by the first who finds the lease lost, and kept
        self._left = False
        self._why_left = "It was given back."
        self._pid = os.getpid()

    def __repr__(self) -> str:
        return f"<{type(self).__name__} holder={self.holder!r} is_live={self.is_live}>"

    @property
    def is_live(self) -> bool:
        """Whether writes are still allowed, as far as is known here. Asks nobody."""
        return self._problem() is None

    def check(self) -> None:
        """Raise `LeaseLost` unless writes are still allowed. Asks nobody."""
        problem = self._problem()
        if problem is not None:
            self._lose(problem)
            raise copy.copy(problem) from problem.__cause__

    def _problem(self) -> LeaseLost | None:
        if self._error is not None:
            return self._error
        if not self._is_ours:
            return self._lost(f"It belongs to process {self._pid}, from which this one was forked.")
        if self._left:
            return self._lost(self._why_left)
        if now() >= self._deadline:
            # The name only: the message may say anything.
            failure = f" The last error was {type(self._failure).__name__}."
            error = self._lost(f"It was not renewed in time.{failure if self._failure else ''}")
            error.__cause__ = self._failure
            return error
        return None

    def _lost(self, detail: str) -> LeaseLost:
        return LeaseLost(
            "the lease is lost", detail=detail, hint=_HINT, company_id=self._company_id
        )

    @property
    def _is_ours(self) -> bool:
        return self._pid == os.getpid()

    @property
    def _is_lost(self) -> bool:
        return self._error is not None

    def _refuse(self) -> None:
        """`check()` for somebody in whose place nobody else may be called back."""
        problem = self._problem()
        if problem is not None:
            raise copy.copy(problem) from problem.__cause__

    def _extend(self, sent_at: float, expires_at: datetime) -> None:
        # From before the request: the server's own deadline is never earlier than this one.
        self._deadline = sent_at + self._ttl
        self.expires_at = expires_at
        self._failure = None

    def _lose(self, error: LeaseLost) -> None:
        """Tell everybody, once, that it is lost."""
        if self._left or not self._is_ours or not self._untold.acquire(blocking=False):
            return
        self._error = error
        self._tell()
        if self._on_lost is not None:
            try:
                self._on_lost(error)
            except Exception:
                _log.exception("on_lost raised an exception")

    def _end(self, why: str) -> None:
        """It is over without being lost."""
        if self._is_ours and not self._is_lost:
            self._why_left, self._left = why, True
            self._stop()

    def _tell(self) -> None:
        raise NotImplementedError

    def _stop(self) -> None:
        raise NotImplementedError

    def _expires(self) -> bool:
        """Whether it is over. If it is by the clock, then it is lost from now on."""
        problem = self._problem()
        if problem is not None:
            self._lose(problem)
        return problem is not None

    def _raise_if_lost(self) -> None:
        if self._error is not None:
            raise copy.copy(self._error) from self._error.__cause__

    def _remaining(self) -> float:
        return min(max(0.0, self._deadline - now()), LONGEST_PAUSE)

    def _pause(self) -> float:
        """How long to wait before the next renewal."""
        if self._failure is None:
            return min(self._ttl / 3 * random.uniform(0.9, 1.1), LONGEST_PAUSE)
        return min(1.0, self._ttl / 10) * random.uniform(0.5, 1.5)


class Place:
    """Room for one lease: a client writes with the token of one."""

    def __init__(self) -> None:
        self._mutex = Lock()
        self._pid = 0

    @contextmanager
    def taken(self, company_id: str | None) -> Iterator[None]:
        with self._mutex:
            if self._pid == os.getpid():
                raise UnsafeRequest(
                    "this auth state holds a lease already",
                    hint="Write with it, or make another AuthState.",
                    company_id=company_id,
                )
            self._pid = os.getpid()
        try:
            yield
        finally:
            if self._pid == os.getpid():
                self._pid = 0
