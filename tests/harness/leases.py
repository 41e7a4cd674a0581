"""Both clients holding a lease, each of the asynchronous one on an event loop in a thread."""

from __future__ import annotations

import asyncio
import inspect
import threading
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import psycopg
import psycopg_pool

from pg_auth_state import AsyncAuthState, AuthState


class Threads:
    """The synchronous client."""

    name = "threads"

    def __init__(self) -> None:
        self._cleanups: list[Callable[[], object]] = []

    def state(self, source: Any, company_id: str = "c1") -> Any:
        state = AuthState(source, company_id)
        self._cleanups.append(state.close)
        return state

    def connection(self, dsn: str, **options: Any) -> Any:
        connection = psycopg.connect(dsn, **options)
        self._cleanups.append(connection.close)
        return connection

    def pool(self, dsn: str, **options: Any) -> Any:
        pool = psycopg_pool.ConnectionPool(dsn, open=True, **options)
        self._cleanups.append(pool.close)
        return pool

    def lease(self, state: Any, *args: Any, **options: Any) -> AbstractContextManager[Any]:
        return state.lease(*args, **options)

    def close(self) -> None:
        while self._cleanups:
            self._cleanups.pop()()


class Tasks:
    """The asynchronous client, on a loop that goes on while the test does something else."""

    name = "tasks"

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._cleanups: list[Callable[[], Coroutine[Any, Any, object]]] = []

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result()

    def state(self, source: Any, company_id: str = "c1") -> Any:
        source = source.there if isinstance(source, There) else source
        state = AsyncAuthState(source, company_id)
        self._cleanups.append(state.close)
        return There(state, self)

    def connection(self, dsn: str, **options: Any) -> Any:
        connection = self.run(psycopg.AsyncConnection.connect(dsn, **options))
        self._cleanups.append(connection.close)
        return There(connection, self)

    def pool(self, dsn: str, **options: Any) -> Any:
        pool = psycopg_pool.AsyncConnectionPool(dsn, open=False, **options)
        self.run(pool.open())
        self._cleanups.append(pool.close)
        return There(pool, self)

    @contextmanager
    def lease(self, state: Any, *args: Any, **options: Any) -> Iterator[Any]:
        """The block of the lease is a task that waits while the block of the caller runs."""
        entered: asyncio.Future[Any] = asyncio.Future(loop=self._loop)
        left = asyncio.Event()

        async def block() -> None:
            try:
                async with state.there.lease(*args, **options) as lease:
                    entered.set_result(lease)
                    await left.wait()
            except BaseException as error:
                if entered.done():
                    raise
                entered.set_exception(error)

        async def enter() -> Any:
            return self._loop.create_task(block()), await entered

        task, lease = self.run(enter())

        async def leave() -> None:
            left.set()
            await task

        try:
            yield There(lease, self)
        except BaseException:
            asyncio.run_coroutine_threadsafe(leave(), self._loop).exception()
            raise
        self.run(leave())

    def close(self) -> None:
        while self._cleanups:
            self.run(self._cleanups.pop()())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


class There:
    """An object of the loop's: what is called is run there, to its end."""

    def __init__(self, there: Any, by: Tasks) -> None:
        self.there = there
        self._by = by

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.there, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            async def run() -> Any:
                result = found(*args, **kwargs)
                return await result if inspect.isawaitable(result) else result

            return self._by.run(run())

        return call
