"""`pg-auth-state cleanup`, once or as a service."""

from __future__ import annotations

import re
import signal
from dataclasses import dataclass
from datetime import datetime
from threading import Event
from types import FrameType

import psycopg
import typer

from .._sync.client import AuthState
from .errors import described
from .options import counted
from .output import say

_DURATION = re.compile(r"(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?")
_FIRST_WAIT, _LONGEST_WAIT = 1.0, 60.0


def seconds(duration: str, option: str = "--every") -> float:
    """ "1h30m" is 5400."""
    match = _DURATION.fullmatch(duration.replace(" ", ""))
    numbers = [int(number or 0) for number in match.groups()] if match else []
    if not any(numbers):
        raise typer.BadParameter(f"{option} takes a duration like 6h, 30m or 1h30m")
    days, hours, minutes, secs = numbers
    return float(((days * 24 + hours) * 60 + minutes) * 60 + secs)


@dataclass(frozen=True, slots=True)
class Job:
    """What to clean up. Each run has a connection of its own: a service holds none while idle."""

    conninfo: str
    schema: str
    company_id: str | None
    batch_size: int

    def count(self) -> int:
        """How many keys a run would remove."""
        with self._state() as state:
            return state.cleanup_expired_keys(batch_size=2**31 - 1, dry_run=True)

    def run(self, stopping: Event | None = None) -> int:
        """Remove batch by batch, each in its own transaction, until none is left."""
        total = 0
        with self._state() as state:
            while removed := state.cleanup_expired_keys(batch_size=self.batch_size):
                total += removed
                if stopping is not None and stopping.is_set():
                    break
        return total

    def _state(self) -> AuthState:
        return AuthState(self.conninfo, self.company_id, schema=self.schema)


def serve(job: Job, interval: float) -> None:
    """Run the job now and every `interval` seconds, until SIGTERM or SIGINT.

    A signal waits for the batch under way, a second one does not. While the database cannot be
    reached, it is tried again after 1, 2, 4 … 60 seconds.
    """
    stopping = Event()

    def stop(number: int, frame: FrameType | None) -> None:
        stopping.set()
        signal.signal(number, signal.SIG_DFL)

    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, stop)

    retry = _FIRST_WAIT
    while not stopping.is_set():
        try:
            _log(f"removed {counted(job.run(stopping), 'expired key')}")
            wait, retry = interval, _FIRST_WAIT
        except psycopg.OperationalError as error:
            wait, retry = min(retry, interval), min(retry * 2, _LONGEST_WAIT)
            _log(f"{described(error)[0]}; trying again in {wait:g} s", err=True)
        stopping.wait(wait)
    _log("stopped")


def _log(line: str, *, err: bool = False) -> None:
    say(f"{datetime.now().astimezone().isoformat(timespec='seconds')} {line}", err=err)
