"""Values on their way from files to the database and back; nothing here needs a server."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.folders import Sample, samples
from pg_auth_state.files.values import BadValue, parsed, same, stored, text_for_file

VECTORS = Path(__file__).with_name("vectors")
BUFFERS = json.loads((VECTORS / "buffers.json").read_text())
UTF16 = json.loads((VECTORS / "utf16.json").read_text())


def from_file(text: str | bytes, key_type: str | None = "session") -> Any:
    """What the database is to hold; the text that is sent says the same."""
    content = text if isinstance(text, bytes) else text.encode()
    sent, value = stored(key_type, *parsed(content))
    assert json.loads(sent) == value
    return value


def shown(value: Any) -> Any:
    """A plain value of a vector in JSON."""
    if isinstance(value, dict):
        if value.keys() == {"$bytes"}:
            return {"type": "Buffer", "data": value["$bytes"]}
        return {name: shown(item) for name, item in value.items()}
    return [shown(item) for item in value] if isinstance(value, list) else value


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_files_of_every_version_become_the_current_form(sample: Sample) -> None:
    assert from_file((sample.path / "creds.json").read_bytes(), None) == sample.creds
    for key in sample.expected["keys"]:
        value = from_file((sample.path / key["file"]).read_bytes(), key["type"])
        assert value == key.get("current", key["value"]), key["file"]


@pytest.mark.parametrize(
    "vector", [v for v in BUFFERS if v["direction"] == "both"], ids=lambda v: v["name"]
)
def test_what_is_in_the_current_form_stays_as_it_stands(vector: Any) -> None:
    assert from_file(json.dumps(vector["stored"])) == vector["stored"]
    assert json.loads(text_for_file(vector["stored"])) == vector["stored"]


@pytest.mark.parametrize(
    "vector", [v for v in BUFFERS if v.get("read_by") == ["6"]], ids=lambda v: v["name"]
)
def test_buffers_that_only_version_6_reads_become_current_ones(vector: Any) -> None:
    assert from_file(json.dumps(vector["stored"])) == shown(vector["plain"])


def test_a_uint8array_by_index_takes_the_current_form() -> None:
    current = {"type": "Buffer", "data": "Bf8="}
    assert from_file('{"0":5,"1":255}') == current
    assert from_file('[{"a": {"0": 5, "1": 255}}]') == [{"a": current}]
    assert from_file('{"0":5,"1":256}') == {"0": 5, "1": 256}
    assert from_file('{"0":5,"2":1}') == {"0": 5, "2": 1}


@pytest.mark.parametrize(
    "text", ['{"type":"Buffer","data":[300]}', '{"type":"Buffer","data":{}, "value":1}']
)
def test_what_only_resembles_a_buffer_stays_as_it_stands(text: str) -> None:
    assert from_file(text) == json.loads(text)


@pytest.mark.parametrize(
    "spelling",
    [
        '{"type": "Buffer", "data": [1]}',
        '{"data":[1],"type":"Buffer"}',
        '{"\\u0074ype":"Buffer","data":[1]}',
    ],
)
def test_a_buffer_is_recognised_however_it_is_spelt(spelling: str) -> None:
    assert from_file(spelling) == {"type": "Buffer", "data": "AQ=="}


@pytest.mark.parametrize(
    ("halves", "number"),
    [
        ({"low": -649525728, "high": 417, "unsigned": False}, "1794646804000"),
        ({"low": -1, "high": -1, "unsigned": False}, "-1"),
        ({"low": -1, "high": -1, "unsigned": True}, "18446744073709551615"),
        ({"low": 5, "high": 0}, "5"),
    ],
)
def test_a_timestamp_in_two_halves_becomes_one_number(halves: Any, number: str) -> None:
    value = {"keyData": {"type": "Buffer", "data": "AQID"}, "timestamp": halves}
    current = {"keyData": "AQID", "timestamp": number}
    assert from_file(json.dumps(value), "app-state-sync-key") == current
    assert from_file(json.dumps(value), "session") == value


@pytest.mark.parametrize(
    "vector", [v for v in UTF16 if v["direction"] == "both"], ids=lambda v: v["name"]
)
def test_strings_that_jsonb_refuses_are_carried_and_turned_back(vector: Any) -> None:
    assert from_file(json.dumps(shown(vector["plain"]))) == vector["stored"]
    assert json.loads(text_for_file(vector["stored"])) == shown(vector["plain"])


@pytest.mark.parametrize(
    "vector", [v for v in UTF16 if v["direction"] == "refuse"], ids=lambda v: v["name"]
)
def test_the_name_of_a_member_that_jsonb_refuses_is_refused(vector: Any) -> None:
    with pytest.raises(BadValue, match="name of a member"):
        from_file(json.dumps(vector["plain"]))


SECRET = "c2VjcmV0"


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "is empty"),
        (b" \n", "is empty"),
        (b'{"private":"' + SECRET.encode(), "is torn"),
        (b'{"a":"' + SECRET.encode() + b'"}}', "is torn"),
        (b'{"a":"' + SECRET.encode() + b'\xff"}', "is not UTF-8"),
        (b"\xef\xbb\xbf{}", "is torn, or no JSON"),
        (b'["' + SECRET.encode() + b'",NaN]', "NaN"),
        (b"[-Infinity]", "Infinity"),
        (b"[1e999]", "too large"),
        (b"9" * 5000, "too large"),
        (b"[" * 100_000, "too deep"),
    ],
)
def test_what_is_no_json_is_refused_without_showing_it(content: bytes, reason: str) -> None:
    with pytest.raises(BadValue) as caught:
        from_file(content)
    assert reason in str(caught.value)
    assert SECRET not in str(caught.value)


numbers = st.integers() | st.floats(allow_nan=False, allow_infinity=False)
texts = st.text(st.characters(codec=None, categories=None))
json_values = st.recursive(
    st.none() | st.booleans() | numbers | texts,
    lambda inner: (
        st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4)
    ),
    max_leaves=12,
)


@given(json_values)
def test_any_value_is_the_same_after_there_and_back(value: Any) -> None:
    try:
        kept = from_file(json.dumps(value))
    except BadValue:
        assert "\\u0000" in json.dumps(value)
        return
    again = from_file(text_for_file(kept))
    assert same(kept, again)


@pytest.mark.parametrize(
    ("left", "right", "is_same"),
    [
        (1, 1.0, True),
        (1, True, False),
        (0, False, False),
        ([1], [True], False),
        ({"a": 1, "b": [2]}, {"b": [2], "a": 1}, True),
        ({"a": None}, {}, False),
        ([1, 2], [1], False),
        (2**60, 2**60 + 1, False),
        (1e23, 10**23, True),
        (10**400, 1.0, False),
        ("1", 1, False),
        ({}, [], False),
        (None, False, False),
    ],
)
def test_what_is_the_same_json(left: Any, right: Any, is_same: bool) -> None:
    assert same(left, right) is is_same
    assert same(right, left) is is_same
