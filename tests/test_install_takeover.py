"""Values of tables made by hand: taken over in the form that every client reads, or not at all."""

from __future__ import annotations

import json
import re
from base64 import b64encode
from collections.abc import Iterator

import psycopg
import pytest
from psycopg import sql

from harness.cluster import Cluster, Database
from harness.creds import creds, creds_json
from harness.installing import HAND_MADE, ROWS, count, dump, install, refusal, refuse, run_sql

# Who installed makes no difference here.
pytestmark = pytest.mark.parametrize("cluster", ["pg15-login", "pg18-superuser"], indirect=True)


def with_rows(database: Database, *rows: tuple[str, str], table: str = "whatsapp_auth") -> None:
    """Tables made by hand, with these rows: an id and JSON as text."""
    run_sql(database, HAND_MADE + ROWS)
    with database.connect(database.cluster.installer) as conn:
        for id_, value in rows:
            if table == "whatsapp_auth":
                conn.execute("insert into whatsapp_auth values (%s, %s)", [id_, value])
            else:
                query = "insert into whatsapp_keys values ('acme', 'session', %s, %s)"
                conn.execute(query, [id_, value])


# Creds that are none

NO_CREDS = {
    "an empty object": "{}",
    "a missing signedIdentityKey": json.dumps({"noiseKey": "MARKER"}),
    "a missing noiseKey": json.dumps({"signedIdentityKey": "MARKER", "account": {}}),
    "a null noiseKey": creds_json(noiseKey=None, x="MARKER"),
    "encoded twice": json.dumps(creds_json(x="MARKER")),
    "a word": '"MARKER"',
    "an array": '["MARKER"]',
    "a number": "7",
    "a JWE of four parts": '"eyJhbGciOiJkaXIifQ..AAAA.MARKER"',
}


@pytest.mark.parametrize("value", NO_CREDS.values(), ids=NO_CREDS)
def test_creds_that_no_client_can_use_are_not_taken_over(empty_db: Database, value: str) -> None:
    with_rows(empty_db, ("good", creds_json()), ("bad", value))
    refuse(
        empty_db,
        "WA006",
        "whatsapp_auth cannot be taken over: 1 of its rows could not be stored.",
        "noiseKey and signedIdentityKey",
    )
    with pytest.raises(psycopg.Error) as caught:
        install(empty_db)
    assert "MARKER" not in refusal(caught.value)


def test_how_many_creds_cannot_be_taken_over_is_counted(empty_db: Database) -> None:
    with_rows(empty_db, *NO_CREDS.items())
    refuse(empty_db, "WA006", f"{len(NO_CREDS)} of its rows could not be stored")


# What a client stored that passed text to a column of jsonb.
def test_the_hint_mends_creds_that_were_encoded_twice(empty_db: Database) -> None:
    wanted = creds(me={"id": "1:2@s.whatsapp.net", "name": 'Zoë "😀" \\ '})
    with_rows(empty_db, ("twice", json.dumps(json.dumps(wanted))))
    with pytest.raises(psycopg.Error) as caught:
        install(empty_db)
    found = re.search(r"update whatsapp_auth .*$", caught.value.diag.message_hint or "", re.M)
    assert found is not None
    run_sql(empty_db, found[0])
    install(empty_db)
    assert empty_db.conn.execute("select auth_get_creds('twice')").fetchone() == (wanted,)


def test_encrypted_creds_are_taken_over(empty_db: Database) -> None:
    jwe = '"eyJhbGciOiJkaXIifQ..AAAA.AAAA.AAAA"'
    with_rows(empty_db, ("sealed", jwe))
    install(empty_db)
    query = "select auth_get_creds('sealed')::text"
    assert empty_db.conn.execute(query).fetchone() == (jwe,)


def test_null_creds_mean_none(empty_db: Database) -> None:
    with_rows(empty_db, ("none", "null"))
    said = install(empty_db)
    assert any("1 rows hold null, which means absent" in line for line in said)
    assert empty_db.conn.execute("select auth_get_creds('none')").fetchone() == (None,)


# Bytes in the forms of former versions

B = '{"type": "Buffer", "data": "%s"}'
LONG = bytes(range(256)) * 5
# What was stored, and what it becomes.
FORMS = {
    "a list": ('{"type": "Buffer", "data": [1, 2, 3]}', B % "AQID"),
    "an empty list": ('{"type": "Buffer", "data": []}', B % ""),
    "every byte": (
        json.dumps({"type": "Buffer", "data": list(LONG)}),
        B % b64encode(LONG).decode(),
    ),
    "buffer and data as base64": ('{"buffer": true, "data": "AQID"}', B % "AQID"),
    "buffer and data as a list": ('{"buffer": true, "data": [1, 2, 3]}', B % "AQID"),
    "buffer and value as base64": ('{"buffer": true, "value": "AQID"}', B % "AQID"),
    "buffer and value as a list": ('{"buffer": true, "value": [1, 2, 3]}', B % "AQID"),
    "buffer, and value beside empty data": (
        '{"buffer": true, "data": "", "value": "AQID"}',
        B % "AQID",
    ),
    "buffer, and value beside null data": (
        '{"buffer": true, "data": null, "value": [1, 2, 3]}',
        B % "AQID",
    ),
    "buffer alone": ('{"buffer": true}', B % ""),
    "an object by index": ('{"0": 1, "1": 2, "2": 3}', B % "AQID"),
    "an object by index out of order": ('{"1": 2, "2": 3, "0": 1}', B % "AQID"),
    "an object by index of one": ('{"0": 255}', B % "/w=="),
    "an object by index of more than ten": (
        json.dumps({str(n): n for n in range(12)}),
        B % "AAECAwQFBgcICQoL",
    ),
    "inside of arrays": (
        '[[{"type": "Buffer", "data": [1]}], {"a": [{"0": 2}, null, "x"]}]',
        f'[[{B % "AQ=="}], {{"a": [{B % "Ag=="}, null, "x"]}}]',
    ),
    "inside of objects": (
        '{"key": {"public": {"type": "Buffer", "data": [5]}, "private": {"0": 6}}, "n": 1.50}',
        f'{{"n": 1.50, "key": {{"public": {B % "BQ=="}, "private": {B % "Bg=="}}}}}',
    ),
    "beside the present form": (
        f'{{"a": {B % "AQID"}, "b": {{"0": 1}}}}',
        f'{{"a": {B % "AQID"}, "b": {B % "AQ=="}}}',
    ),
}
# What stays as it is.
OTHERS = [
    B % "AQID",
    B % "",
    '{"0": 300}',
    '{"0": 256}',
    '{"0": -1}',
    '{"0": 1.5}',
    '{"0": "x"}',
    '{"0": "1"}',
    '{"0": 1, "1": "2"}',
    '{"0": 1, "2": 1}',
    '{"1": 1, "2": 1}',
    '{"0": 1, "length": 1}',
    '{"0": 1, "1": null}',
    '{"0": 1, "1": [2]}',
    '{"00": 1}',
    '{"type": "Buffer", "data": [1, 300]}',
    '{"type": "Buffer", "data": [1, "2"]}',
    '{"type": "Buffer", "data": [1, null]}',
    '{"type": "buffer", "data": [1]}',
    '{"type": "Other", "data": [1]}',
    '{"buffer": false, "data": [1]}',
    '{"buffer": "true", "data": [1]}',
    '{"data": [1, 2, 3]}',
    "[1, 2, 3]",
    '"\\"data\\": [1], \\"0\\": 1"',
    '{"text": "\\"buffer\\": true"}',
    '{"n": 1.500, "e": 1e10, "list": [], "o": {}, "s": "ñ 😀"}',
    "0",
    "false",
    '""',
]


@pytest.fixture(scope="module")
def taken_over(cluster: Cluster) -> Iterator[Database]:
    """All of the above, in keys and in creds, and what jsonb made of it in a table `was`."""
    database = cluster.new_database("template0")
    values = [form for form, _ in FORMS.values()] + OTHERS
    run_sql(database, HAND_MADE + "create table was (id text, value jsonb)")
    with database.connect(cluster.installer) as conn:
        for number, value in enumerate(values):
            conn.execute("insert into was values (%s, %s)", [str(number), value])
    run_sql(
        database,
        "insert into whatsapp_keys select 'acme', 'session', id, value from was;"
        "insert into whatsapp_auth select id, jsonb_build_object('noiseKey', value,"
        " 'signedIdentityKey', value, 'list', jsonb_build_array(value, value)) from was",
    )
    install(database)
    yield database
    database.drop()


def key(database: Database, number: int) -> str:
    query = "select value::text from whatsapp_keys where key_id = %s"
    row = database.conn.execute(query, [str(number)]).fetchone()
    assert row is not None
    return str(row[0])


def as_jsonb(database: Database, text: str) -> str:
    row = database.conn.execute("select %s::jsonb::text", [text]).fetchone()
    assert row is not None
    return str(row[0])


@pytest.mark.parametrize("name", FORMS)
def test_bytes_of_a_former_form_are_taken_over_in_the_present_one(
    taken_over: Database, name: str
) -> None:
    number = list(FORMS).index(name)
    wanted = as_jsonb(taken_over, FORMS[name][1])
    assert key(taken_over, number) == wanted
    query = "select auth_get_creds(%s)::text"
    row = taken_over.conn.execute(query, [str(number)]).fetchone()
    whole = f'{{"noiseKey": {wanted}, "signedIdentityKey": {wanted}, "list": [{wanted}, {wanted}]}}'
    assert row == (as_jsonb(taken_over, whole),)


@pytest.mark.parametrize("value", OTHERS)
def test_every_other_value_is_taken_over_byte_for_byte(taken_over: Database, value: str) -> None:
    number = len(FORMS) + OTHERS.index(value)
    assert key(taken_over, number) == as_jsonb(taken_over, value)
    query = (
        "select count(*) from whatsapp_auth a join was w on w.id = a.company_id"
        " where w.id = %s and a.creds -> 'noiseKey' = w.value"
    )
    assert count(taken_over.conn, query, str(number)) == 1


def test_installing_again_leaves_values_as_they_are(taken_over: Database) -> None:
    before = dump(taken_over, "--data-only")
    install(taken_over)
    assert dump(taken_over, "--data-only") == before


# Values deeper than the stack


@pytest.mark.parametrize("table", ["whatsapp_auth", "whatsapp_keys"])
def test_a_value_that_is_nested_too_deep_is_refused_and_ends_no_server(
    empty_db: Database, table: str
) -> None:
    deep = "[" * 3000 + '{"type": "Buffer", "data": [1]}' + "]" * 3000
    value = f'{{"noiseKey": "MARKER", "signedIdentityKey": 1, "deep": {deep}}}'
    with_rows(empty_db, ("deep", value), table=table)
    refuse(empty_db, "WA006", f"{table} cannot be taken over", "nesting too deep")
    with pytest.raises(psycopg.Error) as caught:
        install(empty_db)
    assert "MARKER" not in refusal(caught.value)


# Nothing in it has to be changed.
def test_a_value_that_is_deep_and_in_the_present_form_is_taken_over(empty_db: Database) -> None:
    deep = "[" * 3000 + B % "AQ==" + "]" * 3000
    with_rows(empty_db, ("deep", deep), table="whatsapp_keys")
    install(empty_db)
    row = empty_db.conn.execute(
        sql.SQL("select value::text from whatsapp_keys where key_id = 'deep'")
    ).fetchone()
    assert row == (as_jsonb(empty_db, deep),)
