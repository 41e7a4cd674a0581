"""A stored value that Python cannot read is an error that names it, and stops nothing else."""

from __future__ import annotations

import json
import sys
import time
import traceback
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest

from harness.clients import Async, Sync
from harness.cluster import Cluster, Database
from harness.command import Command
from harness.creds import CREDS, creds
from harness.emptied import emptied_db, module_db  # noqa: F401
from harness.pgtap import CLUSTERS
from pg_auth_state import AuthState, AuthStateError, InvalidInput, Keyring, UnreadableValue
from pg_auth_state._reading import Reader
from pg_auth_state.files.database import Database as FilesDatabase
from pg_auth_state.files.exporting import export_folder

MARKER = "hunter2"


@pytest.fixture(scope="session", params=["pg18-login"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """It is a matter of the client."""
    return request.config.stash[CLUSTERS][request.param]


def nested(depth: int) -> str:
    return "[" * depth + "]" * depth


# SQL that makes the value, and what the error says about it.
UNREADABLE = {
    "an integer of 5,001 digits": ("'1e5000'::jsonb", "too large"),
    "nested 2,500 deep": (f"'{nested(2500)}'::jsonb", "too deep"),
    "nested 201 deep": (f"'{nested(201)}'::jsonb", "too deep"),
    "a fraction beyond a double": ("to_jsonb(1e400::numeric + 0.5)", "too large"),
    "a fraction below a double": ("'1e-400'::jsonb", "too small"),
}


@pytest.fixture(params=[Sync, Async], ids=lambda kind: kind.name)
def kind(request: pytest.FixtureRequest) -> Iterator[Any]:
    kind = request.param()
    yield kind
    kind.close()


@pytest.fixture(params=[name for name in UNREADABLE if "201" not in name])
def unparsable(request: pytest.FixtureRequest, db: Database) -> str:
    """The same, of those that are not read as JSON at all: what goes into a file is not nested."""
    value, reason = UNREADABLE[request.param]
    store(db, "c1", value)
    return reason


@pytest.fixture(params=UNREADABLE)
def unreadable(request: pytest.FixtureRequest, db: Database) -> str:
    """Stores such a value beside good ones, and tells what the error has to say."""
    value, reason = UNREADABLE[request.param]
    store(db, "c1", value)
    return reason


def store(db: Database, company: str, value: str) -> None:
    # A builder of JSON and not text: PostgreSQL cannot read what it can hold.
    db.conn.execute(
        "select auth_save_state(%s, %s, jsonb_build_object("
        "'session', jsonb_build_object('1.0', '{\"a\": 1}'::jsonb, "
        f"'2.0', jsonb_build_object('secret', %s::text, 'x', {value}), '3.0', '[3]'::jsonb), "
        "'pre-key', '{\"1\": {\"public\": 1}}'::jsonb))",
        [company, json.dumps(CREDS), MARKER],
    )


def assert_names_it(error: AuthStateError, reason: str) -> None:
    assert type(error) is UnreadableValue
    assert (error.company_id, error.key_type, error.key_id) == ("c1", "session", "2.0")
    assert 'session "2.0" of company "c1" cannot be read' in str(error)
    assert reason in str(error.detail)
    assert MARKER not in "".join(traceback.format_exception(error)).replace(f'"{MARKER}"', "")


@pytest.mark.parametrize(
    "read",
    [
        lambda state: state.get_keys("session", ["1.0", "2.0", "3.0"]),
        lambda state: state.get_keys({"pre-key": ["1"], "session": ["1.0", "2.0"]}),
        lambda state: state.list_keys("session"),
        lambda state: state.export(),
        lambda state: state.export(decrypt=True),
    ],
)
def test_every_read_names_the_value(kind: Any, db: Database, unreadable: str, read: Any) -> None:
    with pytest.raises(UnreadableValue) as caught:
        read(kind.state(db.service_dsn))
    assert_names_it(caught.value, unreadable)


def test_everything_else_of_the_account_is_read(kind: Any, db: Database, unreadable: str) -> None:
    state = kind.state(db.service_dsn)
    assert state.get_creds() == CREDS
    assert state.get_keys("session", ["1.0", "3.0"]) == {"1.0": {"a": 1}, "3.0": [3]}
    assert [row.key_id for row in state.list_keys("session", values=False)] == ["1.0", "2.0", "3.0"]
    assert [row.value for row in state.list_keys("session", limit=1)] == [{"a": 1}]
    assert state.set_keys({"session": {"2.0": {"new": True}}}) == 1
    assert state.get_keys("session", ["2.0"]) == {"2.0": {"new": True}}


def test_creds_that_cannot_be_read_are_named_and_never_none(kind: Any, db: Database) -> None:
    db.conn.execute(
        "select auth_save_creds('c1', jsonb_build_object('noiseKey', 1, 'signedIdentityKey', 2,"
        " 'secret', %s::text, 'x', '1e5000'::jsonb))",
        [MARKER],
    )
    state = kind.state(db.service_dsn)
    for call in (state.get_creds, lambda: state.init_creds(CREDS), state.export):
        with pytest.raises(UnreadableValue) as caught:
            call()
        assert (caught.value.key_type, caught.value.key_id) == ("creds", None)
        assert "the creds of company" in str(caught.value)
        assert MARKER not in str(caught.value)


def test_what_was_encrypted_and_cannot_be_read_is_named_too(kind: Any, db: Database) -> None:
    ring = Keyring({"k": bytes(32)}, "k")
    members = {"company": "c1", "type": "session", "id": "2.0"}
    for text, reason in (("1" * 5000, "too large"), (nested(300), "too deep"), ("1e400", "large")):
        sealed = ring.encrypted(members, text)
        db.conn.execute(
            "select auth_set_keys('c1', jsonb_build_object('session',"
            " jsonb_build_object('2.0', %s::text)))",
            [sealed],
        )
        with pytest.raises(UnreadableValue) as caught:
            kind.state(db.service_dsn, encryption=ring).get_keys("session", ["2.0"])
        assert_names_it(caught.value, reason)


def test_names_that_look_like_json_do_not_confuse_the_search(db: Database) -> None:
    hostile = '", "2.0": {"a": 1}}, \\'
    db.conn.execute(
        "select auth_set_keys('c1', jsonb_build_object(%s::text, jsonb_build_object("
        "'{[,', '[1, {\"}\": \"]\"}]'::jsonb, %s::text, '1e5000'::jsonb)))",
        [hostile, hostile],
    )
    with AuthState(db.service_dsn, "c1") as state:
        for read in (
            lambda: state.get_keys({hostile: ["{[,", hostile, "not there"]}),
            lambda: state.get_keys(hostile, ["{[,", hostile]),
            state.export,
        ):
            with pytest.raises(UnreadableValue) as caught:
                read()
            assert (caught.value.key_type, caught.value.key_id) == (hostile, hostile)


def test_the_search_for_the_value_takes_no_longer_than_reading_it() -> None:
    text = json.dumps({"session": {str(n): {"a": [str(n)] * 50} for n in range(10_000)}})
    spoilt = text.replace('"9999": {"a": ["9999"', '"9999": {"a": [' + "1" * 5000)
    with pytest.raises(UnreadableValue) as caught:
        Reader("c1").types(spoilt.encode())
    assert caught.value.key_id == "9999"


# Each member once searched the whole text for a brace: one account could hold the process for long.
def test_the_search_for_the_value_grows_with_the_number_of_keys_and_no_faster() -> None:
    def seconds(keys: int) -> float:
        members = ",".join(f'"{n}":0' for n in range(keys))
        text = f'{{{members},"last":1e999}}'.encode()
        start = time.process_time()
        with pytest.raises(UnreadableValue) as caught:
            Reader("c1").ids("session", text)
        assert caught.value.key_id == "last"
        return time.process_time() - start

    few, many = (min(seconds(keys) for _ in range(3)) for keys in (50_000, 200_000))
    assert many < 8 * few


# Python limits the digits of integers further where it is told to.
def test_a_limit_that_the_program_has_set_is_obeyed(kind: Any, db: Database) -> None:
    state = kind.state(db.service_dsn)
    assert state.set_keys({"x": {"1": 10**999}}) == 1
    assert state.get_keys("x", ["1"]) == {"1": 10**999}
    sys.set_int_max_str_digits(700)
    try:
        with pytest.raises(UnreadableValue):
            state.get_keys("x", ["1"])
        with pytest.raises(InvalidInput):
            state.set_keys({"x": {"1": 10**999}})
    finally:
        sys.set_int_max_str_digits(4300)


READABLE = {
    "4,300 digits": 10**4299,
    "4,300 digits, negative": -(10**4300) + 1,
    "401 digits": 10**400,
    "17 digits and 284 zeros": 1.5e300,
    "the smallest double": 5e-324,
    "17 digits": 0.1 + 0.2,
    "a double without a fraction": 1e22,
    "nested 200 deep": json.loads(nested(200)),
    "an object": {"a": 0},
}

UNWRITABLE = {
    "4,301 digits": 10**4300,
    "nested 201 deep": json.loads(nested(201)),
    "infinity": [float("inf")],
}


@pytest.mark.parametrize("name", READABLE)
def test_what_is_read_is_written_back_unchanged(kind: Any, db: Database, name: str) -> None:
    state = kind.state(db.service_dsn)
    assert state.set_keys({"x": {"1": READABLE[name]}}) == 1
    read = state.get_keys("x", ["1"])
    assert read["1"] == READABLE[name] or float(read["1"]) == READABLE[name]
    assert state.set_keys({"x": read}) == 0


@pytest.mark.parametrize("name", UNWRITABLE)
def test_what_could_not_be_read_is_not_written(kind: Any, db: Database, name: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        kind.state(db.service_dsn).set_keys({"x": {"1": UNWRITABLE[name]}})
    assert str(caught.value.detail).startswith('data.x["1"]')


def test_a_large_number_is_read_as_it_is(kind: Any, db: Database) -> None:
    db.conn.execute("""select auth_set_keys('c1', '{"x": {"1": 1e400}}')""")
    state = kind.state(db.service_dsn)
    assert state.get_keys("x", ["1"]) == {"1": 10**400}
    assert state.set_keys({"x": {"1": 10**400}}) == 0


def test_a_caller_deep_in_its_own_stack_gets_the_same_error(db: Database) -> None:
    store(db, "c1", f"'{nested(150)}'::jsonb")

    def deep(levels: int) -> Any:
        if levels:
            return deep(levels - 1)
        with AuthState(db.service_dsn, "c1") as state:
            return state.get_keys("session", ["2.0"])

    used = len(traceback.extract_stack())
    with pytest.raises((UnreadableValue, RecursionError)):
        deep(sys.getrecursionlimit() - used - 150)


# Whoever may import keys chooses their times: these are before and after those of Python.
@pytest.mark.parametrize("zone", ["UTC", "America/Sao_Paulo", "Asia/Kathmandu"])
def test_times_beyond_those_of_python_are_its_first_or_last(
    kind: Any, db: Database, zone: str, tmp_path: Path
) -> None:
    db.conn.execute("select auth_save_state('c1', %s, '{\"x\": {\"1\": 1}}')", [json.dumps(CREDS)])
    # auth_import takes none of before the year 1, an administrator's SQL may.
    for table in ("whatsapp_auth", "whatsapp_keys"):
        first = "0001-01-01T00:00:00+14:00"
        db.conn.execute(f"update {table} set updated_at = '{first}'".encode())
    db.conn.execute(
        "insert into whatsapp_keys (company_id, key_type, key_id, value, created_at,"
        " updated_at, expires_at) values ('c1', 'x', '2', '2', now(), 'infinity', '20000-01-01'),"
        " ('c1', 'x', '3', '2', now(), '-infinity', null)"
    )
    dsn = psycopg.conninfo.make_conninfo(db.service_dsn, options=f"-c timezone={zone}")
    state = kind.state(dsn)
    years = [row.updated_at.year for row in state.list_keys("x")]
    assert years == [1, 9999, 1]
    assert [row.expires_at and row.expires_at.year for row in state.list_keys("x")][1] == 9999
    assert state.stats()[0].oldest.year == 1
    assert len(kind.state(dsn, None).list_companies()) == 1
    with FilesDatabase(dsn) as database:
        for number, whole_bytes in enumerate((0, 10**6)):
            folder = tmp_path / str(number)
            assert export_folder(database, "c1", folder, whole_bytes=whole_bytes).keys == {"x": 3}


@pytest.fixture
def run(db: Database, tmp_path: Path) -> Command:
    run = Command(db, tmp_path)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": "A" * 43}]}))
    path.chmod(0o600)
    run.environment["PG_AUTH_STATE_KEYS"] = str(path)
    return run


def others(db: Database) -> None:
    for company in ("a", "z"):
        with AuthState(db.service_dsn, company) as state:
            state.save_state(creds(n=1), {"session": {"1.0": {"n": 1}}})


def test_rekey_encrypts_what_python_cannot_read(
    run: Command, db: Database, unreadable: str
) -> None:
    others(db)
    before = db.conn.execute("select value from whatsapp_keys where key_id = '2.0'").fetchall
    shown = run.good("rekey", "--all")
    assert shown.count(": complete, ") == 3
    assert before
    with AuthState(db.service_dsn, "c1", encryption=Keyring({"k": bytes(32)}, "k")) as state:
        assert state.get_keys("session", ["1.0", "3.0"]) == {"1.0": {"a": 1}, "3.0": [3]}
        with pytest.raises(UnreadableValue) as caught:
            state.get_keys("session", ["2.0"])
    assert_names_it(caught.value, unreadable)


def test_rekey_changes_no_number(run: Command, db: Database) -> None:
    digits = "0.12345678901234567890123456789"
    db.conn.execute(
        f"""select auth_save_state('c1', '{json.dumps(CREDS)}', '{{"x": {{"1": [{digits}]}}}}')"""
    )
    run.good("rekey", "c1")
    (sealed,) = db.conn.execute("select value from whatsapp_keys").fetchone() or ()
    ring = Keyring({"k": bytes(32)}, "k")
    header = {"alg": "dir", "enc": "A256GCM", "typ": "pg-auth-state", "kid": "k"}
    assert json.loads(ring.decrypted(sealed, header), parse_float=str) == [digits]


def test_creds_that_cannot_be_read_stop_rekey_for_their_account_only(
    run: Command, db: Database
) -> None:
    others(db)
    db.conn.execute(
        "select auth_save_creds('c1', jsonb_build_object('noiseKey', 1, 'signedIdentityKey', 2,"
        " 'x', '1e5000'::jsonb))"
    )
    done = run("rekey", "--all")
    assert done.returncode == 1
    assert "a: complete" in done.stdout
    assert "z: complete" in done.stdout
    assert done.stderr.startswith('error: c1: the creds of company "c1" cannot be read\n')
    assert "Traceback" not in done.stderr
    document = json.loads(run("rekey", "--all", "--json").stdout)
    assert [each["company_id"] for each in document["companies"]] == ["a", "c1", "z"]


def test_an_export_says_which_value_stopped_it(run: Command, db: Database, unparsable: str) -> None:
    others(db)
    assert 'error: session "2.0" of company "c1" cannot be read' in run.bad("export", "c1")
    assert not (run.folder / "company_c1").exists()
    assert "exported creds and 1 key" in run.good("export", "z")


def test_a_verify_goes_on_with_the_other_accounts(
    run: Command, db: Database, unparsable: str
) -> None:
    others(db)
    del run.environment["PG_AUTH_STATE_KEYS"]
    for company in ("a", "z"):
        run.good("export", company)
    folder = run.folder / "company_c1"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    (folder / "session-2.0.json").write_text("{}")
    done = run("verify", ".", "--all")
    assert done.returncode == 1
    assert "a: equal, 2 files" in done.stdout
    assert "z: equal, 2 files" in done.stdout
    assert 'error: c1: session "2.0" of company "c1" cannot be read' in done.stderr


def test_status_and_cleanup_do_not_read_values(run: Command, db: Database, unparsable: str) -> None:
    assert "1, 0 paired" in run.good("status")
    assert "Removed 0" in run.good("cleanup")
