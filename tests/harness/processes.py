"""Other processes that do something in a database while a test goes on."""

from __future__ import annotations

import multiprocessing
import os
import signal
import time
from collections.abc import Callable
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import psycopg

_fork = multiprocessing.get_context("fork")  # a job may be any callable, with any arguments


class Process:
    """Runs `job(*arguments)` from now on."""

    def __init__(self, job: Callable[..., Any], *arguments: Any) -> None:
        self._outcome, theirs = _fork.Pipe(duplex=False)
        self._process = _fork.Process(target=_run, args=(theirs, job, arguments), daemon=True)
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        assert self._process.pid is not None
        return self._process.pid

    @property
    def is_running(self) -> bool:
        return not self._outcome.poll()

    @property
    def is_paused(self) -> bool:
        """Whether it has called `pause`, and nobody woke it."""
        stat = Path(f"/proc/{self.pid}/stat").read_text()
        return stat.rpartition(")")[2].split()[0] == "T"

    def wait_until_paused(self) -> None:
        wait_until(lambda: self.is_paused or not self.is_running)
        assert self.is_paused, self.result()

    def wake(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def kill(self) -> None:
        """End it at once, as the kernel does when memory runs out."""
        self._process.kill()
        self._process.join()

    def result(self, timeout: float = 60) -> Any:
        """What the job answered; what it raised is raised here."""
        if not self._outcome.poll(timeout):
            self._process.kill()
            raise TimeoutError(f"no answer for {timeout} s")
        good, outcome = self._outcome.recv()
        self._process.join()
        if good:
            return outcome
        raise outcome


def _run(answer: Connection, job: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    try:
        outcome = True, job(*arguments)
    except BaseException as error:
        outcome = False, error
    answer.send(outcome)


def pause() -> None:
    """Stops the process that calls it, as the kernel or an operator may at any moment."""
    os.kill(os.getpid(), signal.SIGSTOP)


def at_once(job: Callable[..., Any], argument_lists: list[tuple[Any, ...]]) -> list[Any]:
    """Runs the job in a process for each of the argument lists, and answers all results in order.

    The job's first argument is a function that returns when all processes have called it.
    """
    barrier = _fork.Barrier(len(argument_lists))
    processes = [Process(job, barrier.wait, *arguments) for arguments in argument_lists]
    return [process.result() for process in processes]


def wait_until(condition: Callable[[], object], timeout: float = 10) -> None:
    deadline = time.monotonic() + timeout
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"not within {timeout} s")
        time.sleep(0.005)


def waits_for_a_lock(conn: psycopg.Connection, database: str) -> bool:
    """Whether somebody in this database waits for an advisory lock at this moment."""
    row = conn.execute(
        "select from pg_locks l join pg_database d on d.oid = l.database"
        " where l.locktype = 'advisory' and not l.granted and d.datname = %s",
        (database,),
    ).fetchone()
    return row is not None
