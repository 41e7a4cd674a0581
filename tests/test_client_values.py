"""Values on their way into the database and back; nothing here needs a server."""

from __future__ import annotations

import json
from base64 import b64decode
from collections import OrderedDict
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from pg_auth_state import InvalidInput, _wire
from pg_auth_state._identity import encoded_creds
from pg_auth_state._reading import Reader
from pg_auth_state.files.values import stored as stored_from_file

VECTORS = [
    vector
    for name in ("buffers", "utf16")
    for vector in json.loads((Path(__file__).with_name("vectors") / f"{name}.json").read_text())
]


def shown(value: Any) -> Any:
    """What a vector's `plain` stands for."""
    if isinstance(value, dict):
        if value.keys() == {"$bytes"}:
            return b64decode(value["$bytes"])
        return {key: shown(item) for key, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


def vectors(*directions: str) -> Any:
    chosen = [vector for vector in VECTORS if vector["direction"] in directions]
    assert chosen
    return pytest.mark.parametrize("vector", chosen, ids=lambda vector: vector["name"])


@vectors("both", "write")
def test_writing_gives_what_the_vectors_say(vector: Any) -> None:
    assert json.loads(_wire.dumps(shown(vector["plain"]), "value")) == vector["stored"]


@vectors("both", "read")
def test_reading_gives_what_the_vectors_say(vector: Any) -> None:
    assert _wire.decoded(vector["stored"]) == shown(vector["plain"])


@vectors("refuse")
def test_what_jsonb_cannot_hold_is_refused(vector: Any) -> None:
    with pytest.raises(InvalidInput):
        _wire.dumps(shown(vector["plain"]), "value")


# Surrogates included: hypothesis leaves them out of text() unless told.
any_text = st.text(st.characters(codec=None, categories=None), max_size=8)
storable_text = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"))
values = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.binary()
    | any_text,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(
            storable_text.filter(lambda key: key not in ("type", "buffer", "0")), inner
        )
    ),
)


def joined(value: Any) -> Any:
    """A surrogate pair in two halves is one character, as it is in JavaScript."""
    if isinstance(value, str):
        return value.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")
    if isinstance(value, list):
        return [joined(item) for item in value]
    if isinstance(value, dict):
        return {key: joined(item) for key, item in value.items()}
    return value


@given(values)
def test_any_value_comes_back(value: Any) -> None:
    text = _wire.dumps(value, "value")
    assert text.isascii()
    assert "\\u0000" not in text.replace("\\\\", "")
    assert _wire.decoded(json.loads(text)) == joined(value)


@pytest.mark.parametrize(
    "spelling",
    [
        bytearray(b"\1\2\3"),
        memoryview(b"\1\2\3"),
        memoryview(b"\1.\2.\3.")[::2],
        memoryview(b"\3\2\1")[::-1],
        b"\1\2\3",
    ],
)
def test_every_kind_of_bytes_is_a_buffer(spelling: Any) -> None:
    assert json.loads(_wire.dumps(spelling, "value")) == {"type": "Buffer", "data": "AQID"}


class NoPairs(OrderedDict[str, Any]):
    def items(self) -> Any:
        return ["abc"]


def test_a_mapping_whose_items_are_no_pairs_is_refused_with_its_path() -> None:
    for call in (
        lambda: _wire.dumps({"a": NoPairs()}, "creds"),
        lambda: _wire.encoded_keys({"a": NoPairs()}, "creds"),
    ):
        with pytest.raises(InvalidInput) as refused:
            call()
        assert refused.value.detail == "creds.a: its items() are no pairs"
    with pytest.raises(InvalidInput) as refused:
        _wire.encoded_keys(NoPairs())
    assert refused.value.detail == "data: its items() are no pairs"


def test_bytes_that_were_released_are_refused_with_their_path() -> None:
    released = memoryview(b"S3CRET")
    released.release()
    with pytest.raises(InvalidInput) as refused:
        _wire.dumps({"a": released}, "creds")
    assert refused.value.detail == "creds.a: its memory was released"


def test_a_buffer_object_is_not_encoded_again() -> None:
    buffer = {"type": "Buffer", "data": "AQID"}
    assert json.loads(_wire.dumps(buffer, "value")) == buffer


def test_tuples_are_lists_and_mappings_objects() -> None:
    assert _wire.dumps((1, OrderedDict(a=2)), "value") == '[1,{"a":2}]'


@pytest.mark.parametrize(
    ("value", "detail"),
    [
        ({"a": {"b c": [1, {1, 2}]}}, 'creds.a["b c"][1]: set is not JSON'),
        ({"a": float("nan")}, "creds.a: NaN and infinity are not JSON"),
        ({"a": [float("inf")]}, "creds.a[0]: NaN and infinity are not JSON"),
        ({"a": {1: 2}}, "creds.a: object keys are strings, not int"),
        ({"a": {"x\0y": 2}}, "creds.a: an object key cannot hold NUL or a lone surrogate"),
        (
            {"a": {"\ud83d\ude00": 1, "😀": 2}},
            "creds.a: two keys of the object are the same string",
        ),
        ({"a": 10**5000}, "creds.a: the number is too large"),
        ([b"secret"], "creds: an object is expected, not list"),
        (b"secret", "creds: an object is expected, not bytes"),
        (None, "creds: an object is expected, not NoneType"),
    ],
)
def test_an_error_names_the_path(value: Any, detail: str) -> None:
    with pytest.raises(InvalidInput) as caught:
        encoded_creds(value)
    assert caught.value.detail == detail
    assert caught.value.sqlstate == "WA001"
    assert isinstance(caught.value, ValueError)


def test_an_error_never_names_a_value() -> None:
    class Secret:
        def __repr__(self) -> str:
            return "hunter2"

    with pytest.raises(InvalidInput) as caught:
        _wire.dumps({"password": Secret(), "other": "hunter2"}, "creds")
    assert "hunter2" not in str(caught.value)
    assert caught.value.__context__ is None or "hunter2" not in repr(caught.value.__context__)


def test_a_value_that_contains_itself_is_refused() -> None:
    value: list[Any] = []
    value.append(value)
    with pytest.raises(InvalidInput, match="nested deeper"):
        _wire.dumps(value, "value")


@pytest.mark.parametrize(
    "data", [None, [], {"session": None}, {"session": ["1.0"]}, {1: {}}, {"a\0": {"1": 1}}]
)
def test_a_batch_is_an_object_of_objects(data: Any) -> None:
    with pytest.raises(InvalidInput):
        _wire.dumps_keys(data)


@pytest.mark.parametrize(
    "keys", [None, [], {"session": "1.0"}, {"session": [1]}, {"session": {"1.0": 1}}, {"a\0": []}]
)
def test_what_to_get_is_an_object_of_lists_of_strings(keys: Any) -> None:
    with pytest.raises(InvalidInput):
        _wire.dumps_wanted(keys)


@pytest.mark.parametrize(
    "value",
    [
        {"type": "Buffer", "data": 1},
        {"type": "Buffer", "data": [256]},
        {"type": "Buffer", "data": ["1"]},
        {"type": "Buffer", "data": [True, 1]},
        {"type": "Buffer", "data": [1, -1]},
        {"type": "Buffer", "data": [1.0]},
        {"type": "Buffer", "value": [False]},
        {"buffer": True, "data": [True]},
        {"type": "Utf16", "data": "AA=="},
        {"type": "Utf16", "data": "AAA=", "more": 1},
        {"0": 5, "2": 1},
        {"0": 256},
        {"0": True},
        {"1": 5},
    ],
)
def test_what_only_looks_like_bytes_or_text_stays_as_it_is(value: Any) -> None:
    assert _wire.decoded(dict(value)) == value
    if value.get("type") != "Utf16":
        assert _wire.encoded(value, "value") == value
        assert stored_from_file(None, json.dumps(value), value)[1] == value


@pytest.mark.parametrize("data", ["-_-_", "+/+/", "+/+/=", "+/+/\n"])
def test_base64_is_read_as_node_reads_it(data: str) -> None:
    assert _wire.decoded({"type": "Buffer", "data": data}) == b"\xfb\xff\xbf"


def test_ids_that_spell_a_buffer_stay_ids() -> None:
    stored = b'{"type": "Buffer", "data": "AQID"}'
    reader = Reader("c1")
    assert reader.decoded_ids("session", reader.ids("session", stored)) == {
        "type": "Buffer",
        "data": "AQID",
    }


@pytest.mark.parametrize("value", [1.0, "1", True, None, 2**63, -(2**63) - 1])
def test_a_whole_number_is_one_that_a_bigint_holds(value: Any) -> None:
    with pytest.raises(InvalidInput):
        _wire.whole(value, "token")


def test_the_smallest_and_largest_bigint_are_whole_numbers() -> None:
    assert _wire.whole(2**63 - 1, "token") == 2**63 - 1
    assert _wire.whole(-(2**63), "token") == -(2**63)
