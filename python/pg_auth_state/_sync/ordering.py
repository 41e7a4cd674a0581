"""Writes of one account reach the database in the order they were issued, also by many threads.

An account has one queue, shared by every client of the process whatever connection it writes over.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import TypeVar
from weakref import WeakValueDictionary

T = TypeVar("T")


class _Queue:
    """A lock that is handed on in the order it was asked for, which `threading.Lock` is not."""

    __slots__ = ("__weakref__", "_busy", "_mutex", "_waiting")

    def __init__(self) -> None:
        self._mutex = Lock()
        self._busy = False
        self._waiting: deque[Lock] = deque()

    def acquire(self) -> None:
        with self._mutex:
            if not self._busy:
                self._busy = True
                return
            gate = Lock()
            gate.acquire()
            self._waiting.append(gate)
        try:
            gate.acquire()
        except BaseException:  # KeyboardInterrupt: give the place back, or hand it on
            with self._mutex:
                if gate in self._waiting:
                    self._waiting.remove(gate)
                    raise
            self.release()
            raise

    def release(self) -> None:
        with self._mutex:
            if self._waiting:
                self._waiting.popleft().release()
            else:
                self._busy = False


_queues: WeakValueDictionary[str, _Queue] = WeakValueDictionary()
_queues_mutex = Lock()


@contextmanager
def turn(company_id: str) -> Iterator[None]:
    """Wait for the writes of the account that were issued earlier."""
    with _queues_mutex:
        queue = _queues.get(company_id)
        if queue is None:
            queue = _queues[company_id] = _Queue()
    queue.acquire()
    try:
        yield
    finally:
        queue.release()


class Writes:
    """Nothing is under way here: without an event loop a write is done when its call returns."""

    def start(self, result: T) -> T:
        return result

    def finish(self) -> None:
        pass
