"""What holds only while everything is as installed is an error when it is not, never "no creds"."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from itertools import chain
from pathlib import Path

import psycopg
import pytest

from harness.attacks import CALLS
from harness.cluster import Database
from harness.creds import creds_json
from harness.installing import count, install, program, refusal, run_program, schema

PAIRED = creds_json(account={"details": "d"})
# Each public function by its signature.
EVERY_CALL = {
    signature: [
        call.format(c="'acme'", t="1", v="1")
        for call in (calls if isinstance(calls, list) else [calls])
    ]
    for signature, calls in CALLS.items()
}
EVERY_CALL["auth_acquire_lease(text,text,interval,boolean,bigint)"] += [
    "auth_acquire_lease('acme', 'me')",
    "auth_acquire_lease('acme', 'me', p_token => 1)",
]
EVERY_CALL["auth_set_keys(text,jsonb,bigint)"] += [
    "auth_set_keys('acme', '{}')",
    "auth_set_keys('acme', '{\"session\": {\"1.0\": 9}}')",
    "auth_set_keys('acme', '{\"session\": {\"1.0\": null}}')",
]
# They read no table of ours.
ABOUT_NOBODY = {"auth_cleanup_job()", "auth_schema_version()", "auth_unschedule_cleanup()"}
# Whose owner makes no difference.
AS_THE_CALLER = {"auth_cleanup_job()", "auth_schedule_cleanup(text)", "auth_unschedule_cleanup()"}


@pytest.fixture
def filled(db: Database) -> Database:
    """With a paired account."""
    with db.connect("app") as conn:
        for turn in range(2):
            batch = f'{{"session": {{"1.0": {turn}}}, "lid-mapping": {{"1": "2"}}}}'
            creds = creds_json(account={"details": "d"}, turn=turn)
            conn.execute("select auth_save_state('acme', %s, %s)", [creds, batch])
    return db


def ours(database: Database) -> list[str]:
    """The signatures of our functions, the helpers' too."""
    query = (
        "select p.oid::regprocedure::text from pg_proc p"
        " where p.proowner = 'auth_state_owner'::regrole"
    )
    return [name for (name,) in database.conn.execute(query)]


def answers(database: Database, user: str = "app") -> dict[str, psycopg.Error | object]:
    """What each call gives, nothing of which stays."""
    found: dict[str, psycopg.Error | object] = {}
    with database.connect(user) as conn:
        for call in chain.from_iterable(EVERY_CALL.values()):
            try:
                with conn.transaction(force_rollback=True):
                    found[call] = conn.execute(f"select * from {call}").fetchall()
            except psycopg.Error as error:
                found[call] = error
    return found


def not_refused(database: Database, words: str, user: str = "app") -> list[tuple[str, object]]:
    """The calls that do not end with WA006 and a HINT in these words."""
    return [
        (call, answer)
        for call, answer in answers(database, user).items()
        if not isinstance(answer, psycopg.Error)
        or answer.sqlstate != "WA006"
        or words not in refusal(answer)
        or not answer.diag.message_hint
    ]


def test_every_function_works_while_all_is_as_installed(filled: Database) -> None:
    working = [call for call, answer in answers(filled).items() if isinstance(answer, list)]
    assert len(working) > 25


@pytest.mark.parametrize("is_super", [True, False], ids=["a superuser", "a login"])
def test_every_function_refuses_when_it_belongs_to_somebody_else(
    filled: Database, is_super: bool
) -> None:
    owner = f"boss_{filled.name}"
    filled.conn.execute(f"create role {owner} {'superuser' if is_super else 'nosuperuser'}")
    filled.conn.execute(f"grant create, usage on schema public to {owner}")
    try:
        for function in ours(filled):
            filled.conn.execute(f"alter function {function} owner to {owner}")
        assert not_refused(filled, "restored without owners") == []
        assert not_refused(filled, "restored without owners", "postgres") == []
    finally:
        filled.conn.execute(f"drop owned by {owner} cascade; drop role {owner}")


# One of them is enough to be misled.
def test_a_function_refuses_when_it_alone_belongs_to_somebody_else(filled: Database) -> None:
    for function, calls in EVERY_CALL.items():
        if function in AS_THE_CALLER:
            continue
        filled.conn.execute(f"alter function {function} owner to postgres")
        for call in calls:
            with filled.connect("app") as conn, pytest.raises(psycopg.Error) as caught:
                conn.execute(f"select * from {call}")
            assert caught.value.sqlstate == "WA006", call
        filled.conn.execute(f"alter function {function} owner to auth_state_owner")


@pytest.mark.parametrize("of", ["role app in database {}", "database {}"])
def test_every_function_refuses_with_row_security_off(filled: Database, of: str) -> None:
    filled.conn.execute(f"alter {of.format(filled.name)} set row_security = off")
    assert not_refused(filled, "row_security") == []
    filled.conn.execute(f"alter {of.format(filled.name)} reset row_security")


def drop_policies(database: Database) -> None:
    for name, table in database.conn.execute(
        "select p.polname, p.polrelid::regclass::text from pg_policy p"
    ).fetchall():
        database.conn.execute(f"drop policy {name} on {table}")


# pg_restore --no-policies, or somebody's cleaning.
def test_no_function_says_there_is_none_where_the_policies_are_missing(filled: Database) -> None:
    drop_policies(filled)
    for call, answer in answers(filled).items():
        if not any(call.startswith(name[:-1]) for name in ABOUT_NOBODY):
            assert isinstance(answer, psycopg.Error), (call, answer)
            # Rows of ours cannot be written either: PostgreSQL says why.
            assert answer.sqlstate in ("WA006", "42501"), (call, answer)
            if answer.sqlstate == "42501":
                assert "row-level security policy" in str(answer), (call, answer)


# Restored


@pytest.fixture
def boss(filled: Database) -> Iterator[str]:
    """A login that restores, and may install."""
    name = f"boss_{filled.name}"
    filled.conn.execute(f"create role {name} login createrole createdb")
    # From 16 on CREATEROLE alone does not let it grant roles that somebody else made.
    for role in ("owner", "service", "tenant", "monitor", "proxy"):
        filled.conn.execute(f"grant auth_state_{role} to {name} with admin option")
    for role in ("owner", "service", "tenant", "monitor", "proxy"):
        if filled.cluster.version >= 16:
            filled.conn.execute(f"grant auth_state_{role} to {name} with inherit false, set false")
    yield name
    filled.conn.execute(f"drop owned by {name}; drop role {name}")


@pytest.fixture
def restored(filled: Database, boss: str, empty_db: Database, tmp_path: Path) -> Database:
    """Into a database of that login's, without owners and privileges."""
    path = tmp_path / "archive"
    run_program(filled, "pg_dump", "-Fc", "-f", str(path))
    empty_db.conn.execute(f"alter database {empty_db.name} owner to {boss}")
    empty_db.conn.execute(f"alter schema public owner to {boss}")
    subprocess.run(
        [
            *(str(program(empty_db, "pg_restore")), "--no-owner", "--no-privileges"),
            *("-d", empty_db.server.url(empty_db.name, boss), str(path)),
        ],
        check=True,
    )
    return empty_db


# It said "no creds" for a paired account.
def test_every_function_refuses_after_a_restore_without_owners(restored: Database) -> None:
    assert count(restored.conn, "select count(*) from whatsapp_auth") == 1
    assert not_refused(restored, "restored without owners") == []


def of_ours(database: Database) -> list[str]:
    """The lines of the schema that do not name who owns the database."""
    owner = r"boss_\w+|installer|postgres"
    lines = schema(database).splitlines()
    return sorted(line for line in lines if not re.search(rf"(OWNER TO|FROM|TO) ({owner});", line))


@pytest.mark.parametrize("who", ["the login that restored", "a superuser"])
def test_installing_again_heals_a_restore_without_owners(
    restored: Database, filled: Database, boss: str, who: str
) -> None:
    said = install(restored, "postgres" if who == "a superuser" else boss)
    assert any("restored without its owner" in line for line in said)
    assert of_ours(restored) == of_ours(filled)
    with restored.connect("app") as conn, filled.connect("app") as original:
        query = "select auth_export('acme'), auth_creds_version('acme')"
        assert conn.execute(query).fetchone() == original.execute(query).fetchone()
        saved = "select auth_save_creds('acme', auth_get_creds('acme') || '{\"more\": 1}')"
        assert count(conn, saved) > 1
    assert not install(restored, "postgres")[1:]


def test_a_restore_without_owners_is_healed_by_nobody_else(restored: Database) -> None:
    other = f"other_{restored.name}"
    restored.conn.execute(f"create role {other} login createrole")
    restored.conn.execute(f"grant create, usage on schema public to {other}")
    try:
        with pytest.raises(psycopg.Error) as caught:
            install(restored, other)
        assert caught.value.sqlstate in ("WA006", "42501")
        assert caught.value.diag.message_hint
        assert count(restored.conn, "select count(*) from whatsapp_auth") == 1
    finally:
        restored.conn.execute(f"drop owned by {other}; drop role {other}")


# Nothing can be installed there, but a dump can be restored.
def test_every_function_refuses_in_a_database_that_is_not_utf8(
    filled: Database, tmp_path: Path
) -> None:
    path = tmp_path / "archive"
    run_program(filled, "pg_dump", "-Fc", "-f", str(path))
    name = f"{filled.name}_ascii"
    filled.conn.execute(
        f"create database {name} encoding 'SQL_ASCII' locale 'C' template template0"
    )
    ascii_db = Database(filled.cluster, name)
    try:
        run_program(ascii_db, "pg_restore", "--exit-on-error", str(path))
        for call, answer in answers(ascii_db).items():
            if "'acme'" in call and "auth_bind_role" not in call and "auth_list_audit" not in call:
                assert isinstance(answer, psycopg.Error), (call, answer)
                assert answer.sqlstate == "WA006", (call, answer)
                assert "SQL_ASCII" in refusal(answer), (call, answer)
    finally:
        filled.cluster.drop_database(name)
