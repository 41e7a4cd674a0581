"""Both Python clients behind one shape, so that a test of a behaviour is written once."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any

import psycopg
import psycopg_pool
import pytest

from harness.cluster import Cluster, Database
from harness.pgtap import CLUSTERS
from pg_auth_state import AsyncAuthState, AuthState


@pytest.fixture(scope="session", params=["pg15-superuser", "pg18-login"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """To a client it makes no difference who installed: half of the combinations will do."""
    return request.config.stash[CLUSTERS][request.param]


def stored_creds(db: Database, company_id: str = "c1") -> Any:
    """The creds as another process reads them."""
    with AuthState(db.service_dsn, company_id) as state:
        return state.get_creds()


@contextmanager
def writing(db: Database, company_id: str, creds: dict[str, Any]) -> Iterator[AuthState]:
    """A transaction that has written the account and holds its lock; it commits at the end."""
    with db.connect(autocommit=False) as connection, connection.transaction():
        state = AuthState(connection, company_id)
        state.save_creds(creds)
        yield state


class Sync:
    """The synchronous client as it is."""

    name = "sync"

    def __init__(self) -> None:
        self._cleanups: list[Callable[[], object]] = []

    def state(self, source: Any, company_id: str | None = "c1", **options: Any) -> Any:
        state = AuthState(source, company_id, **options)
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

    def close(self) -> None:
        while self._cleanups:
            self._cleanups.pop()()


class Async:
    """The asynchronous client and psycopg's, each call run to its end on one event loop."""

    name = "async"

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self._cleanups: list[Callable[[], Coroutine[Any, Any, object]]] = []

    def run(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return self.loop.run_until_complete(coroutine)

    def state(self, source: Any, company_id: str | None = "c1", **options: Any) -> Any:
        if isinstance(source, Driven):
            source = source.driven
        state = AsyncAuthState(source, company_id, **options)
        self._cleanups.append(state.close)
        return Driven(state, self)

    def connection(self, dsn: str, **options: Any) -> Any:
        connection = self.run(psycopg.AsyncConnection.connect(dsn, **options))
        self._cleanups.append(connection.close)
        return Driven(connection, self)

    def pool(self, dsn: str, **options: Any) -> Any:
        pool = psycopg_pool.AsyncConnectionPool(dsn, open=False, **options)
        self.run(pool.open())
        self._cleanups.append(pool.close)
        return Driven(pool, self)

    def close(self) -> None:
        while self._cleanups:
            self.run(self._cleanups.pop()())
        self.loop.close()


class Driven:
    """An object whose coroutines are run when they are called."""

    def __init__(self, driven: Any, by: Async) -> None:
        self.driven = driven
        self._by = by

    def __getattr__(self, name: str) -> Any:
        found = getattr(self.driven, name)
        if not callable(found):
            return found

        def call(*args: Any, **kwargs: Any) -> Any:
            result = found(*args, **kwargs)
            if inspect.isawaitable(result):

                async def wait() -> Any:
                    return await result

                return self._by.run(wait())
            return Driven(result, self._by) if hasattr(result, "__aenter__") else result

        return call

    def __enter__(self) -> Any:
        return self._by.run(self.driven.__aenter__())

    def __exit__(self, *exc: Any) -> Any:
        return self._by.run(self.driven.__aexit__(*exc))
