"""Writes of one account reach the database in the order they were issued.

An account has one queue per event loop, shared by every client of the process whatever connection
it writes over. The counterpart for threads, `_sync/ordering.py`, is written by hand as well.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Coroutine
from contextlib import asynccontextmanager
from typing import Any, TypeVar
from weakref import WeakKeyDictionary, WeakValueDictionary

T = TypeVar("T")

_Queues = WeakValueDictionary[str, asyncio.Lock]
_queues: WeakKeyDictionary[asyncio.AbstractEventLoop, _Queues] = WeakKeyDictionary()


@asynccontextmanager
async def turn(company_id: str) -> AsyncIterator[None]:
    """Wait for the writes of the account that were issued earlier."""
    queues = _queues.setdefault(asyncio.get_running_loop(), WeakValueDictionary())
    queue = queues.get(company_id)
    if queue is None:
        queue = queues[company_id] = asyncio.Lock()  # first come, first served
    async with queue:
        yield


class Writes:
    """The writes of one client that are under way."""

    def __init__(self) -> None:
        self._running: set[asyncio.Task[Any]] = set()  # the loop itself refers to them weakly

    def start(self, work: Coroutine[Any, Any, T]) -> Coroutine[Any, Any, T]:
        """Take the place in the queue now, at the call, and not when the caller awaits it."""
        try:
            task = asyncio.get_running_loop().create_task(work)
        except RuntimeError:  # `asyncio.run(state.save_creds(…))`: the loop is still to start
            return work
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return _outcome(task)

    async def finish(self) -> None:
        """Wait for all of them. How they ended is the business of whoever awaits them."""
        if self._running:
            await asyncio.wait(self._running)


async def _outcome(task: asyncio.Task[T]) -> T:
    return await task
