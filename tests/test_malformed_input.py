"""Input of every wrong kind: the right code, nothing written, and no value in what is said."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import psycopg
import pytest

from harness.cluster import Cluster, Database
from harness.creds import JWE, creds_json
from harness.installing import refusal
from harness.processes import Process

pytestmark = pytest.mark.parametrize("cluster", ["pg15-superuser", "pg18-login"], indirect=True)

MARKER = "hunter2MARKER"  # stands for a secret; no error and no line of the log may have it
SECRET = {"private": MARKER}
MEGABYTE = 1024 * 1024
PAIRED = {
    "me": {"id": "1:2@s.whatsapp.net"},
    "noiseKey": {"private": MARKER + "1"},
    "signedIdentityKey": {"private": MARKER + "2"},
}


@pytest.fixture(scope="module")
def db(cluster: Cluster) -> Iterator[Database]:
    """One for all: next to nothing is written."""
    database = cluster.new_database()
    yield database
    database.drop()


@pytest.fixture
def service(db: Database) -> Iterator[psycopg.Connection]:
    with db.connect("app") as conn:
        conn.execute(
            "select auth_save_state('acme', %s, %s)",
            [json.dumps(PAIRED), json.dumps({"session": {"1.0": SECRET}})],
        )
        yield conn


def stored(db: Database) -> list[Any]:
    return db.conn.execute(
        "select (select jsonb_agg(a order by a) from whatsapp_auth a),"
        " (select jsonb_agg(k order by k) from whatsapp_keys k),"
        " (select jsonb_agg(l order by l.company_id) from whatsapp_leases l),"
        " (select jsonb_agg(t order by t) from whatsapp_key_ttl t)"
    ).fetchall()


def refuse(
    db: Database, service: psycopg.Connection, code: str, call: str, *parameters: Any
) -> psycopg.Error:
    """The parameterised call fails with this code and writes nothing; its error."""
    before = stored(db)
    with pytest.raises(psycopg.Error) as caught:
        service.execute(f"select * from {call}", parameters)
    error = caught.value
    assert error.sqlstate == code, error
    assert stored(db) == before
    said = f"{refusal(error)}\n{error.diag.context}"
    if code.startswith("WA"):
        assert MARKER not in said
        assert error.diag.message_hint
        assert len(refusal(error)) < 2000
    return error


# Text arguments

TEXTS = {
    "null": (None, "null"),
    "empty": ("", "0 bytes"),
    "a megabyte": ("x" * MEGABYTE, "1048576 bytes"),
}
BY_COMPANY = {
    "auth_get_creds": "auth_get_creds(%s)",
    "auth_init_creds": f"auth_init_creds(%s, '{creds_json()}')",
    "auth_save_creds": f"auth_save_creds(%s, '{creds_json()}')",
    "auth_creds_version": "auth_creds_version(%s)",
    "auth_get_keys by types": "auth_get_keys(%s, '{}'::jsonb)",
    "auth_get_keys of a type": "auth_get_keys(%s, 'session', '{}')",
    "auth_set_keys": "auth_set_keys(%s, '{}')",
    "auth_save_state": f"auth_save_state(%s, '{creds_json()}', '{{}}')",
    "auth_list_keys": "auth_list_keys(%s, 'session')",
    "auth_clear_keys": "auth_clear_keys(%s)",
    "auth_delete_company": "auth_delete_company(%s)",
    "auth_export": "auth_export(%s)",
    "auth_import": 'auth_import(%s, \'{"format": 1, "keys": {}}\')',
    "auth_acquire_lease": "auth_acquire_lease(%s, 'me')",
    "auth_renew_lease": "auth_renew_lease(%s, 1)",
    "auth_release_lease": "auth_release_lease(%s, 1)",
}


@pytest.mark.parametrize("call", BY_COMPANY.values(), ids=BY_COMPANY)
def test_a_company_has_1_to_256_bytes(db: Database, service: psycopg.Connection, call: str) -> None:
    for company, found in [*TEXTS.values(), ("x" * 257, "257 bytes"), ("é" * 129, "258 bytes")]:
        error = refuse(db, service, "WA001", call, company)
        assert error.diag.message_detail == f"p_company_id is {found}."


@pytest.mark.parametrize("call", ["auth_stats(%s)", "cleanup_expired_keys(10, false, %s)"])
def test_a_company_that_may_be_left_out_has_1_to_256_bytes(
    db: Database, service: psycopg.Connection, call: str
) -> None:
    for company in ("", "x" * 257):
        refuse(db, service, "WA001", call, company)


@pytest.mark.parametrize(
    "call",
    [
        "auth_get_keys('acme', %s, '{1.0}')",
        "auth_list_keys('acme', %s)",
        "auth_set_ttl(%s, '1 day')",
    ],
)
def test_a_key_type_has_1_to_128_bytes(
    db: Database, service: psycopg.Connection, call: str
) -> None:
    for type_, found in [*TEXTS.values(), ("é" * 65, "130 bytes")]:
        error = refuse(db, service, "WA001", call, type_)
        assert error.diag.message_detail == f"p_key_type is {found}."


def test_a_key_type_to_clear_is_not_empty(db: Database, service: psycopg.Connection) -> None:
    refuse(db, service, "WA001", "auth_clear_keys('acme', %s)", "")


@pytest.mark.parametrize("holder", TEXTS, ids=str)
def test_a_holder_has_1_to_256_bytes(
    db: Database, service: psycopg.Connection, holder: str
) -> None:
    text, found = TEXTS[holder]
    error = refuse(db, service, "WA001", "auth_acquire_lease('acme', %s)", text)
    assert error.diag.message_detail == f"p_holder is {found}."


def test_ids_of_the_greatest_length_are_stored_and_read(
    db: Database, service: psycopg.Connection
) -> None:
    company, type_, id_ = "é" * 128, "é" * 64, "é" * 512
    service.execute("select auth_set_keys(%s, %s)", [company, json.dumps({type_: {id_: 1}})])
    query = "select auth_get_keys(%s, %s, %s)"
    assert service.execute(query, [company, type_, [id_]]).fetchone() == ({id_: 1},)


@pytest.mark.parametrize("id_", ["'; drop table whatsapp_keys; --", "%", "_", "\\", '"', "\n", "٣"])
def test_any_text_is_an_id(db: Database, service: psycopg.Connection, id_: str) -> None:
    service.execute("select auth_set_keys(%s, %s)", [id_, json.dumps({id_: {id_: id_}})])
    row = service.execute("select auth_get_keys(%s, %s, %s)", [id_, id_, [id_]]).fetchone()
    assert row == ({id_: id_},)
    row = service.execute(
        "select auth_get_keys(%s, %s::jsonb)", [id_, json.dumps({id_: [id_]})]
    ).fetchone()
    assert row == ({id_: {id_: id_}},)


# Batches

BATCHES: dict[str, tuple[Any, str]] = {
    "null": (None, "p_data is null."),
    "JSON null": ("null", "p_data is a JSON null."),
    "an array": (json.dumps([SECRET]), "p_data is a JSON array."),
    "a string": (json.dumps(MARKER), "p_data is a JSON string."),
    "a number": ("1", "p_data is a JSON number."),
    "a boolean": ("true", "p_data is a JSON boolean."),
    "a type that is a string": (
        json.dumps({"session": MARKER}),
        'p_data["session"] is a JSON string.',
    ),
    "a type that is an array": (
        json.dumps({"session": [SECRET]}),
        'p_data["session"] is a JSON array.',
    ),
    "a type that is null": ('{"session": null}', 'p_data["session"] is a JSON null.'),
    "an empty type": (json.dumps({"": {"1": SECRET}}), 'p_data[""] is a key type of 0 bytes.'),
    "a long type": (
        json.dumps({"t" * 129: {"1": SECRET}}),
        f'p_data["{"t" * 100}"] is a key type of 129 bytes.',
    ),
    "an empty id": (
        json.dumps({"session": {"": SECRET}}),
        'p_data["session"][""] is a key id of 0 bytes.',
    ),
    "an id of a megabyte": (
        json.dumps({"session": {"i" * MEGABYTE: SECRET}}),
        f'p_data["session"]["{"i" * 100}"] is a key id of 1048576 bytes.',
    ),
    "an id of 1025 bytes": (
        json.dumps({"session": {"é" * 512 + "x": SECRET}}),
        f'p_data["session"]["{"é" * 100}"] is a key id of 1025 bytes.',
    ),
    "one bad id among good ones": (
        json.dumps({"pre-key": {"1": SECRET, "2": None}, "session": {"1.0": MARKER, "": 1}}),
        'p_data["session"][""] is a key id of 0 bytes.',
    ),
    "a type with a quote": (
        json.dumps({'a"b\n': 1}),
        'p_data["a\\"b\\n"] is a JSON number.',
    ),
}


@pytest.mark.parametrize(("batch", "fault"), BATCHES.values(), ids=BATCHES)
@pytest.mark.parametrize(
    "call", ["auth_set_keys('acme', %s)", "auth_save_state('acme', auth_get_creds('acme'), %s)"]
)
def test_a_batch_of_another_shape_is_refused_with_its_path(
    db: Database, service: psycopg.Connection, call: str, batch: Any, fault: str
) -> None:
    error = refuse(db, service, "WA001", call, batch)
    assert error.diag.message_detail == fault


@pytest.mark.parametrize(("batch", "fault"), BATCHES.values(), ids=BATCHES)
def test_keys_to_import_of_another_shape_are_refused(
    db: Database, service: psycopg.Connection, batch: Any, fault: str
) -> None:
    state = f'{{"format": 1, "keys": {batch}}}' if batch is not None else '{"format": 1}'
    refuse(db, service, "WA001", "auth_import('new', %s)", state)


@pytest.mark.parametrize("batch", ["{}", '{"session": {}}'])
def test_an_empty_batch_is_valid(db: Database, service: psycopg.Connection, batch: str) -> None:
    before = stored(db)
    assert service.execute("select auth_set_keys('acme', %s)", [batch]).fetchone() == (0,)
    assert stored(db) == before


# What PostgreSQL's own parser refuses

NO_JSON = {
    "nothing": ("", "22P02"),
    "half an object": ('{"session": {"1.0": "hunter2MARKER', "22P02"),
    "text after it": ('{"session": {"1.0": "hunter2MARKER"}} x', "22P02"),
    "single quotes": ("{'session': {'1.0': 'hunter2MARKER'}}", "22P02"),
    "NaN": ('{"session": {"1.0": ["hunter2MARKER", NaN]}}', "22P02"),
    "a raw newline in a string": ('{"session": {"1.0": "hunter2MARKER\n"}}', "22P02"),
    "NUL": ('{"session": {"1.0": "hunter2MARKER \\u0000"}}', "22P05"),
    "NUL in an id": ('{"session": {"\\u0000": "hunter2MARKER"}}', "22P05"),
    "a high surrogate alone": ('{"session": {"1.0": "hunter2MARKER \\ud83d"}}', "22P02"),
    "a low surrogate alone": ('{"session": {"1.0": "hunter2MARKER \\ude00"}}', "22P02"),
    "surrogates the wrong way round": ('{"session": {"1.0": "\\ude00\\ud83d"}}', "22P02"),
    "a number too great": ('{"session": {"1.0": ["hunter2MARKER", 1e200000]}}', "22003"),
    "arrays 200,000 deep": ("[" * 200_000 + "]" * 200_000, "54001"),
}


@pytest.mark.parametrize(("text", "code"), NO_JSON.values(), ids=NO_JSON)
def test_what_jsonb_cannot_hold_has_the_code_of_postgresql(
    db: Database, service: psycopg.Connection, text: str, code: str
) -> None:
    for call in (
        "auth_set_keys('acme', %s)",
        "auth_save_creds('acme', %s)",
        f"auth_save_state('acme', '{creds_json()}', %s)",
        "auth_import('acme', %s, 'replace')",
        "auth_get_keys('acme', %s::jsonb)",
    ):
        refuse(db, service, code, call, text)


def test_a_surrogate_pair_is_kept(service: psycopg.Connection) -> None:
    service.execute("select auth_set_keys('acme', %s)", ['{"session": {"1.0": "\\ud83d\\ude00"}}'])
    row = service.execute("select auth_get_keys('acme', 'session', '{1.0}')").fetchone()
    assert row == ({"1.0": "😀"},)


@pytest.mark.parametrize("depth", [100, 3000])
def test_a_deep_value_is_kept(service: psycopg.Connection, depth: int) -> None:
    deep = "[" * depth + "]" * depth
    service.execute("select auth_set_keys('acme', %s)", [f'{{"session": {{"1.0": {deep}}}}}'])
    query = "select auth_get_keys('acme', 'session', '{1.0}')::text"
    assert deep in service.execute(query).fetchone()[0]


# Keys that are asked for

WANTED: dict[str, tuple[Any, str]] = {
    "null": (None, "p_keys is null."),
    "an array": ('["1.0"]', "p_keys is a JSON array."),
    "a type that is a string": ('{"session": "1.0"}', 'p_keys["session"] is a JSON string.'),
    "a type that is null": ('{"session": null}', 'p_keys["session"] is a JSON null.'),
    "an object of ids": ('{"session": {"1.0": null}}', 'p_keys["session"] is a JSON object.'),
    "a number as id": ('{"session": ["1", 1]}', 'p_keys["session"][1] is a JSON number.'),
    "null as id": ('{"session": [null]}', 'p_keys["session"][0] is a JSON null.'),
    "an array as id": ('{"session": [["1"]]}', 'p_keys["session"][0] is a JSON array.'),
    "an empty id": ('{"session": [""]}', 'p_keys["session"][0] is a key id of 0 bytes.'),
    "an id of a megabyte": (
        json.dumps({"session": ["x" * MEGABYTE]}),
        'p_keys["session"][0] is a key id of 1048576 bytes.',
    ),
    "an empty type": ('{"": []}', 'p_keys[""] is a key type of 0 bytes.'),
}


@pytest.mark.parametrize(("keys", "fault"), WANTED.values(), ids=WANTED)
def test_keys_asked_for_in_another_shape_are_refused_with_their_path(
    db: Database, service: psycopg.Connection, keys: Any, fault: str
) -> None:
    error = refuse(db, service, "WA001", "auth_get_keys('acme', %s::jsonb)", keys)
    assert error.diag.message_detail == fault


@pytest.mark.parametrize(
    ("ids", "fault"),
    [
        (None, "p_key_ids is null."),
        ([None], "p_key_ids[1] is null."),
        (["1", ""], "p_key_ids[2] is 0 bytes."),
        (["x" * 1025], "p_key_ids[1] is 1025 bytes."),
    ],
)
def test_ids_asked_for_that_are_none_are_refused(
    db: Database, service: psycopg.Connection, ids: Any, fault: str
) -> None:
    error = refuse(db, service, "WA001", "auth_get_keys('acme', 'session', %s::text[])", ids)
    assert error.diag.message_detail == fault


# Creds

# What is said after the name of the argument.
NO_CREDS: dict[str, tuple[Any, str]] = {
    "null": (None, " is null."),
    "JSON null": ("null", " is a JSON null."),
    "an array": (json.dumps([SECRET]), " is a JSON array."),
    "a number": ("1", " is a JSON number."),
    "a boolean": ("false", " is a JSON boolean."),
    "an empty object": ("{}", '["noiseKey"] is missing.'),
    "no noiseKey": (json.dumps({"signedIdentityKey": SECRET}), '["noiseKey"] is missing.'),
    "no signedIdentityKey": (json.dumps({"noiseKey": SECRET}), '["signedIdentityKey"] is missing.'),
    "a null noiseKey": (creds_json(noiseKey=None, x=SECRET), '["noiseKey"] is missing.'),
    "a null signedIdentityKey": (
        creds_json(signedIdentityKey=None, x=SECRET),
        '["signedIdentityKey"] is missing.',
    ),
    "the keys a level too deep": (json.dumps({"creds": PAIRED}), '["noiseKey"] is missing.'),
    "an empty string": ('""', " is a string that is no JWE in compact form."),
    "a word": (json.dumps(MARKER), " is a string that is no JWE in compact form."),
    "encoded twice": (
        json.dumps(json.dumps(PAIRED)),
        " is JSON text inside a JSON string: it was encoded twice.",
    ),
    "encoded three times": (
        json.dumps(json.dumps(json.dumps(PAIRED))),
        " is JSON text inside a JSON string: it was encoded twice.",
    ),
    "a JWE of four parts": (
        f'"eyJhbGciOiJkaXIifQ..AAAA.{MARKER}"',
        " is a string that is no JWE in compact form.",
    ),
    "a JWE of six parts": (
        f'"eyJhbGciOiJkaXIifQ..AAAA.{MARKER}.AAAA.AAAA"',
        " is a string that is no JWE in compact form.",
    ),
    "a JWE without a tag": (
        f'"eyJhbGciOiJkaXIifQ..AAAA.{MARKER}."',
        " is a string that is no JWE in compact form.",
    ),
    "a JWE with a line feed": (
        f'"eyJhbGciOiJkaXIifQ..AAAA.{MARKER}.AAAA\\n"',
        " is a string that is no JWE in compact form.",
    ),
    "a JWE whose header is torn": (
        f'"eyJhbGciOiJk..AAAA.{MARKER}.AAAA"',
        " is a string that is no JWE in compact form.",
    ),
}


@pytest.mark.parametrize(("creds", "fault"), NO_CREDS.values(), ids=NO_CREDS)
@pytest.mark.parametrize("company", ["new", "acme"])
@pytest.mark.parametrize(
    "call",
    [
        "auth_init_creds('%s', %%s)",
        "auth_save_creds('%s', %%s)",
        "auth_save_creds('%s', %%s, p_allow_new_identity => true)",
        "auth_save_state('%s', %%s, '{\"session\": {\"1.0\": 1}}')",
    ],
)
def test_creds_that_no_client_can_use_are_refused_with_their_path(
    db: Database, service: psycopg.Connection, call: str, company: str, creds: Any, fault: str
) -> None:
    error = refuse(db, service, "WA001", call % company, creds)
    assert error.diag.message_detail == f"p_creds{fault}"


@pytest.mark.parametrize("mode", ["new", "merge", "replace"])
@pytest.mark.parametrize(("creds", "fault"), list(NO_CREDS.values())[2:], ids=list(NO_CREDS)[2:])
def test_creds_to_import_that_no_client_can_use_are_refused_with_their_path(
    db: Database, service: psycopg.Connection, creds: str, fault: str, mode: str
) -> None:
    state = f'{{"format": 1, "creds": {creds}, "keys": {{"session": {{"2.0": 1}}}}}}'
    for company in ("new", "acme"):
        error = refuse(db, service, "WA001", f"auth_import('{company}', %s, %s)", state, mode)
        assert error.diag.message_detail == f'p_state["creds"]{fault}'


def test_no_refusal_by_lease_version_or_identity_shows_a_value(
    db: Database, service: psycopg.Connection
) -> None:
    other = json.dumps({"noiseKey": MARKER, "signedIdentityKey": MARKER})
    batch = json.dumps({"session": {"1.0": MARKER}})
    refuse(db, service, "WA005", "auth_save_creds('acme', %s)", other)
    refuse(db, service, "WA005", "auth_save_creds('acme', %s)", f'"{JWE}{MARKER}"')
    refuse(db, service, "WA005", "auth_save_state('acme', %s, %s)", other, batch)
    refuse(db, service, "WA003", "auth_save_creds('acme', %s, 1)", other)
    refuse(db, service, "WA002", "auth_save_creds('acme', %s, null, 1)", other)
    refuse(db, service, "WA002", "auth_set_keys('acme', %s, 1)", batch)
    state = f'{{"format": 1, "creds": {other}, "keys": {batch}}}'
    refuse(db, service, "WA006", "auth_import('acme', %s)", state)
    refuse(db, service, "WA005", "auth_import('acme', %s, 'replace')", state)
    service.execute("set default_transaction_isolation = serializable")
    refuse(db, service, "WA006", "auth_set_keys('acme', %s)", batch)


# States to import

STATES: dict[str, tuple[Any, str]] = {
    "null": (None, "p_state is null."),
    "an array": ("[]", "p_state is a JSON array."),
    "a string": (json.dumps(MARKER), "p_state is a JSON string."),
    "no format": ('{"keys": {}}', 'p_state["format"] is not 1.'),
    "another format": ('{"format": 2, "keys": {}}', 'p_state["format"] is not 1.'),
    "no keys": ('{"format": 1}', 'p_state["keys"] is missing.'),
    "an unknown member": (
        json.dumps({"format": 1, "keys": {}, "cerds": SECRET}),
        'p_state["cerds"] is unknown.',
    ),
    "creds that are a number": (
        '{"format": 1, "creds": 1, "keys": {}}',
        'p_state["creds"] is a JSON number.',
    ),
    "a key that is null": (
        '{"format": 1, "keys": {"session": {"1.0": null}}}',
        'p_state["keys"]["session"]["1.0"] is null, and a missing key is left out.',
    ),
    "a time of creds that is none": (
        json.dumps({"format": 1, "creds_updated_at": MARKER, "keys": {}}),
        'p_state["creds_updated_at"] is not a UTC time.',
    ),
    "times that are an array": (
        json.dumps({"format": 1, "keys": {}, "times": [MARKER]}),
        'p_state["times"] is a JSON array.',
    ),
    "times of a type that are a string": (
        json.dumps({"format": 1, "keys": {}, "times": {"session": MARKER}}),
        'p_state["times"]["session"] is a JSON string.',
    ),
    "a time that is none": (
        json.dumps({"format": 1, "keys": {}, "times": {"session": {"1.0": [MARKER]}}}),
        'p_state["times"]["session"]["1.0"] is not an array that begins with a UTC time.',
    ),
    "a day that is none": (
        json.dumps(
            {
                "format": 1,
                "keys": {},
                "times": {"session": {"1.0": ["2026-02-30T00:00:00Z", None]}},
            }
        ),
        'p_state["times"]["session"]["1.0"] is not an array that begins with a UTC time.',
    ),
}


@pytest.mark.parametrize(("state", "fault"), STATES.values(), ids=STATES)
@pytest.mark.parametrize("mode", ["new", "merge", "replace"])
def test_a_state_of_another_shape_is_refused_with_its_path(
    db: Database, service: psycopg.Connection, mode: str, state: Any, fault: str
) -> None:
    error = refuse(db, service, "WA001", "auth_import('new', %s, %s)", state, mode)
    assert error.diag.message_detail == fault


UTC = '"2024-01-02T03:04:05.000000Z"'
NO_TIMES = {
    "a string": UTC,
    "a number": "1704164645",
    "null": "null",
    "an object": f'{{"0": {UTC}}}',
    "an empty array": "[]",
    "an array in an array": f"[[{UTC}]]",
    "an array of a number": "[1704164645]",
    "an array of null": "[null]",
    "an array of an object": f'[{{"0": {UTC}}}]',
}


# A string was taken once, and became the time of the import.
@pytest.mark.parametrize("time", NO_TIMES.values(), ids=NO_TIMES)
@pytest.mark.parametrize("mode", ["new", "merge", "replace"])
def test_a_time_of_a_key_that_is_no_array_of_times_is_refused(
    db: Database, service: psycopg.Connection, mode: str, time: str
) -> None:
    good = f'"0.0": [{UTC}], "2.0": [{UTC}, null]'
    state = (
        '{"format": 1, "keys": {"session": {"0.0": 1, "1.0": 1, "2.0": 1}},'
        f' "times": {{"session": {{{good}, "1.0": {time}}}}}}}'
    )
    for company in ("new", "acme"):
        error = refuse(db, service, "WA001", f"auth_import('{company}', %s, %s)", state, mode)
        assert (
            error.diag.message_detail
            == 'p_state["times"]["session"]["1.0"] is not an array that begins with a UTC time.'
        )


@pytest.mark.parametrize("time", [f"[{UTC}]", "1704164645", f'{{"0": {UTC}}}', '"now"', "[]"])
@pytest.mark.parametrize("mode", ["new", "merge", "replace"])
def test_a_time_of_creds_that_is_no_time_is_refused(
    db: Database, service: psycopg.Connection, mode: str, time: str
) -> None:
    state = f'{{"format": 1, "creds": {creds_json()}, "creds_updated_at": {time}, "keys": {{}}}}'
    for company in ("new", "acme"):
        error = refuse(db, service, "WA001", f"auth_import('{company}', %s, %s)", state, mode)
        assert error.diag.message_detail == 'p_state["creds_updated_at"] is not a UTC time.'


@pytest.mark.parametrize("mode", [None, "", "NEW", MARKER])
def test_an_unknown_mode_of_import_is_refused(
    db: Database, service: psycopg.Connection, mode: str | None
) -> None:
    state = '{"format": 1, "keys": {}}'
    refuse(db, service, "WA001", "auth_import('new', %s, %s)", state, mode)


# Numbers and intervals


@pytest.mark.parametrize(
    "call",
    [
        "cleanup_expired_keys(%s)",
        "cleanup_expired_keys(%s, true)",
        "auth_list_keys('acme', 'session', null, %s)",
        "auth_list_companies(null, %s)",
    ],
)
@pytest.mark.parametrize("number", [0, -1, None])
def test_a_limit_below_one_is_refused(
    db: Database, service: psycopg.Connection, call: str, number: int | None
) -> None:
    refuse(db, service, "WA001", call, number)


TTLS = ["0 seconds", "-1 day", "1 month -40 days", "200000 years"]


@pytest.mark.parametrize(
    ("call", "ttls"),
    [
        ("auth_set_ttl('tctoken', %s::interval)", TTLS),
        ("auth_acquire_lease('acme', 'me', %s::interval)", [None, *TTLS]),
        ("auth_renew_lease('acme', 1, %s::interval)", [None, *TTLS]),
    ],
)
def test_a_ttl_that_is_not_above_zero_is_refused(
    db: Database, service: psycopg.Connection, call: str, ttls: list[str | None]
) -> None:
    for ttl in ttls:
        refuse(db, service, "WA001", call, ttl)


@pytest.mark.parametrize("call", ["auth_renew_lease", "auth_release_lease"])
def test_a_lease_needs_a_token(db: Database, service: psycopg.Connection, call: str) -> None:
    refuse(db, service, "WA001", f"{call}('acme', %s)", None)


def test_a_dry_run_of_null_removes_nothing(db: Database, service: psycopg.Connection) -> None:
    with db.connect() as conn:
        conn.execute("select auth_set_ttl('device-list', '7 days')")
        conn.execute("select set_config('auth_state.now', (now() - '8d'::interval)::text, false)")
        conn.execute("select auth_set_keys('acme', '{\"device-list\": {\"1\": 1}}')")
    before = stored(db)
    assert service.execute("select cleanup_expired_keys(10, %s)", [None]).fetchone() == (1,)
    assert stored(db) == before


@pytest.mark.parametrize("schedule", [None, ""])
def test_an_empty_schedule_is_refused(
    db: Database, service: psycopg.Connection, schedule: str | None
) -> None:
    refuse(db, service, "WA001", "auth_schedule_cleanup(%s)", schedule)


# The server's log


def lines_with_the_marker(db: Database, start: int) -> list[str]:
    log = db.server.log.read_bytes()[start:].decode(errors="replace")
    return [line for line in log.splitlines() if MARKER in line]


def test_no_value_of_a_refused_call_is_in_the_log(
    db: Database, service: psycopg.Connection
) -> None:
    start = db.server.log.stat().st_size
    for batch, _ in BATCHES.values():
        refuse(db, service, "WA001", "auth_set_keys('acme', %s)", batch)
    for state, _ in STATES.values():
        refuse(db, service, "WA001", "auth_import('acme', %s)", state)
    test_no_refusal_by_lease_version_or_identity_shows_a_value(db, service)
    log = db.server.log.read_bytes()[start:].decode()
    assert log.count("ERROR:") >= len(BATCHES) + len(STATES)
    assert MARKER not in log


def test_of_what_is_no_json_the_log_has_what_the_parser_quotes_and_nothing_else(
    db: Database, service: psycopg.Connection
) -> None:
    start = db.server.log.stat().st_size
    for text, code in NO_JSON.values():
        refuse(db, service, code, "auth_set_keys('acme', %s)", text)
    quoted = re.compile(r"DETAIL:  Token |CONTEXT:  JSON data, line \d+: ")
    for line in lines_with_the_marker(db, start):
        assert quoted.search(line), line
        assert len(line) < 500


def test_a_value_that_could_be_stored_is_not_in_the_log(
    db: Database, service: psycopg.Connection
) -> None:
    start = db.server.log.stat().st_size
    service.execute("select auth_set_keys('acme', %s)", [json.dumps({"session": {"1": SECRET}})])
    service.execute("select auth_get_keys('acme', 'session', '{1}')")
    assert lines_with_the_marker(db, start) == []


# 300 MB


def send_300_megabytes(dsn: str, how: str) -> tuple[str | None, str]:
    value = f'"{MARKER}{"x" * 1000}"'
    if how == "one string":
        value = f'"{MARKER}{"x" * (300 * MEGABYTE)}"'
    elif how == "many strings":
        value = f"[{','.join([value] * (300 * 1024))}]"
    text = f'{{"session": {{"1.0": {value}}}}}'
    with psycopg.connect(dsn, autocommit=True) as conn:
        try:
            conn.execute("select auth_set_keys('acme', %s)", [text])
        except psycopg.Error as error:
            return error.sqlstate, f"{refusal(error)}\n{error.diag.context}"[:10_000]
    return None, ""


@pytest.mark.parametrize("how", ["one string", "many strings"])
def test_a_value_of_300_megabytes_is_beyond_jsonb(
    db: Database, service: psycopg.Connection, how: str
) -> None:
    if db.cluster.version != 18:
        return  # once is enough for the memory it takes
    before = stored(db)
    start = db.server.log.stat().st_size
    code, said = Process(send_300_megabytes, db.service_dsn, how).result(timeout=200)
    assert code == "54000"
    assert MARKER not in said
    assert lines_with_the_marker(db, start) == []
    assert db.server.log.stat().st_size - start < 100_000
    assert stored(db) == before
