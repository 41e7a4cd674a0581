"""Writes of one account reach the database in the order they were issued."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

import psycopg
import psycopg_pool
import pytest

from harness.clients import cluster, stored_creds, writing  # noqa: F401
from harness.creds import creds
from pg_auth_state import AsyncAuthState, AuthState, LeaseLost

Scenario = Callable[[AsyncAuthState], Awaitable[None]]


async def fifty_tasks(state: AsyncAuthState) -> None:
    tasks = [asyncio.create_task(state.save_creds(creds(n=number))) for number in range(50)]
    await asyncio.gather(*tasks)


async def tasks_and_then_an_awaited_one(state: AsyncAuthState) -> None:
    tasks = [asyncio.create_task(state.save_creds(creds(n=number))) for number in range(49)]
    await state.save_creds(creds(n=49))
    assert all(task.done() for task in tasks)


async def coroutines_awaited_backwards(state: AsyncAuthState) -> None:
    for coroutine in reversed([state.save_creds(creds(n=number)) for number in range(50)]):
        await coroutine


async def one_object_changed_after_each_call(state: AsyncAuthState) -> None:
    latest = creds(n=0)
    tasks = []
    for number in range(50):
        latest["n"] = number
        tasks.append(asyncio.create_task(state.save_creds(latest)))
    latest["n"] = 1000
    await asyncio.gather(*tasks)


@pytest.mark.parametrize(
    "scenario",
    [
        fifty_tasks,
        tasks_and_then_an_awaited_one,
        coroutines_awaited_backwards,
        one_object_changed_after_each_call,
    ],
)
@pytest.mark.parametrize("source", ["string", "pool", "connection"])
def test_the_newest_wins(db: Any, source: str, scenario: Scenario) -> None:
    async def main() -> None:
        if source == "string":
            async with AsyncAuthState(db.service_dsn, "c1") as state:
                await scenario(state)
        elif source == "pool":
            async with psycopg_pool.AsyncConnectionPool(
                db.service_dsn, min_size=8, open=False
            ) as pool:
                await scenario(AsyncAuthState(pool, "c1"))
        else:
            async with await psycopg.AsyncConnection.connect(db.service_dsn) as connection:
                await scenario(AsyncAuthState(connection, "c1"))

    history = recorded(db)
    asyncio.run(main())
    assert stored_creds(db) == creds(n=49)
    assert history() == list(range(50))


def recorded(db: Any) -> Callable[[], list[int]]:
    """Keep every value that the creds of the database have had, in order."""
    db.conn.execute(
        """
        create table history (id bigserial, n int);
        create function note() returns trigger language plpgsql security definer as $$
          begin
            insert into public.history (n) values ((new.creds->>'n')::int);
            return new;
          end
        $$;
        create trigger note after insert or update on whatsapp_auth
          for each row execute function note();
        """
    )
    return lambda: [n for (n,) in db.conn.execute("select n from history order by id")]


def test_several_clients_of_one_account_share_the_order(db: Any) -> None:
    history = recorded(db)

    async def main() -> None:
        async with psycopg_pool.AsyncConnectionPool(db.service_dsn, min_size=4, open=False) as pool:
            states = [
                AsyncAuthState(pool, "c1"),
                AsyncAuthState(db.service_dsn, "c1"),
                AsyncAuthState(pool, "c1"),
            ]
            await asyncio.gather(*(states[n % 3].save_creds(creds(n=n)) for n in range(30)))
            await states[1].close()

    asyncio.run(main())
    assert history() == list(range(30))


def test_different_accounts_do_not_wait_for_each_other(db: Any) -> None:
    async def main() -> None:
        one, two = (AsyncAuthState(db.service_dsn, company_id) for company_id in ("c1", "c2"))
        async with one, two:
            with writing(db, "c1", creds(n=0)):
                held = asyncio.create_task(one.save_creds(creds(n=1)))
                await asyncio.wait_for(two.save_creds(creds(n=2)), 4)
                assert not held.done()
            await held

    asyncio.run(main())


def test_a_failed_write_does_not_hold_up_the_next(db: Any) -> None:
    async def main() -> None:
        async with AsyncAuthState(db.service_dsn, "c1") as state:
            failing = asyncio.create_task(state.save_creds(creds(n=1), lease_token=1))
            await state.save_creds(creds(n=2))
            with pytest.raises(LeaseLost):
                await failing

    asyncio.run(main())


def test_a_cancelled_write_gives_up_its_place(db: Any) -> None:
    async def main() -> None:
        async with AsyncAuthState(db.service_dsn, "c1") as state:
            with writing(db, "c1", creds(n=0)):
                running = asyncio.create_task(state.save_creds(creds(n=1)))
                waiting = asyncio.create_task(state.save_creds(creds(n=2)))
                await asyncio.sleep(0.2)
                running.cancel()
                waiting.cancel()
                await asyncio.wait([running, waiting])
                assert running.cancelled()
                assert waiting.cancelled()
                last = asyncio.create_task(state.save_creds(creds(n=3)))
                await asyncio.sleep(0.1)
            await last
            assert await state.get_creds() == creds(n=3)

    asyncio.run(main())


def test_a_write_that_nobody_awaits_is_done_all_the_same(db: Any) -> None:
    async def main() -> None:
        async with AsyncAuthState(db.service_dsn, "c1") as state:
            forgotten = state.save_creds(creds(n=1))
            await state.set_keys({"session": {"1.0": {}}})
            assert await state.get_creds() == creds(n=1)
            forgotten.close()

    asyncio.run(main())


@pytest.mark.parametrize("source", ["string", "pool"])
def test_closing_waits_for_the_writes_under_way(db: Any, source: str) -> None:
    async def main() -> None:
        pool = psycopg_pool.AsyncConnectionPool(db.service_dsn, open=False)
        state = AsyncAuthState(pool if source == "pool" else db.service_dsn, "c1")
        async with pool, state:
            tasks = [asyncio.create_task(state.save_creds(creds(n=n))) for n in range(20)]
        await asyncio.gather(*tasks)

    asyncio.run(main())
    assert stored_creds(db) == creds(n=19)


def test_a_write_may_be_the_whole_program(db: Any) -> None:
    state = AsyncAuthState(db.service_dsn, "c1")
    asyncio.run(state.save_creds(creds(n=1)))
    assert stored_creds(db) == creds(n=1)
    asyncio.run(state.close())


def test_one_client_may_serve_one_event_loop_after_another(db: Any) -> None:
    state = AsyncAuthState(db.service_dsn, "c1")

    async def main(number: int) -> None:
        await asyncio.gather(*(state.save_creds(creds(n=n)) for n in range(number)))

    for number in (5, 10):
        asyncio.run(main(number))
    asyncio.run(state.close())
    assert stored_creds(db) == creds(n=9)


def test_a_lease_is_given_back_after_the_writes_before(db: Any) -> None:
    async def main() -> None:
        async with psycopg_pool.AsyncConnectionPool(db.service_dsn, min_size=4, open=False) as pool:
            state = AsyncAuthState(pool, "c1")
            lease = await state.acquire_lease("me")
            writes = [
                asyncio.create_task(state.save_creds(creds(n=n), lease_token=lease.token))
                for n in range(20)
            ]
            assert await state.release_lease(lease.token or 0)
            await asyncio.gather(*writes)

    asyncio.run(main())


def test_arguments_are_refused_at_the_call(db: Any) -> None:
    async def main() -> None:
        state = AsyncAuthState(db.service_dsn, "c1")  # not connected yet
        with pytest.raises(ValueError, match="creds"):
            state.save_creds(creds(n=float("nan")))

    asyncio.run(main())


def test_threads_write_in_the_order_they_came(db: Any) -> None:
    history = recorded(db)
    with psycopg_pool.ConnectionPool(db.service_dsn, min_size=8, open=True) as pool:
        pool.wait()
        state = AuthState(pool, "c1")
        with writing(db, "c1", creds(n=0)):
            threads = []
            for number in range(1, 20):
                thread = threading.Thread(target=state.save_creds, args=(creds(n=number),))
                thread.start()
                threads.append(thread)
                time.sleep(0.02)
        for thread in threads:
            thread.join()
    assert history() == list(range(20))
