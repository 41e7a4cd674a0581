"""The names of the library's files, there and back."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from harness.folders import Sample, samples
from pg_auth_state.files.names import KNOWN_TYPES, file_name, guessed_key, key_of


@pytest.mark.parametrize("sample", samples(), ids=lambda sample: sample.name)
def test_every_name_that_the_library_gave_is_reversed(sample: Sample) -> None:
    for key in sample.expected["keys"]:
        assert key_of(key["file"]) == (key["type"], key["id"])
        assert file_name(key["type"], key["id"]) == key["file"]


@pytest.mark.parametrize(
    ("name", "key"),
    [
        ("sender-key-memory-1-2@g.us.json", ("sender-key-memory", "1-2@g.us")),
        ("sender-key-1-2@g.us--3_1--4.json", ("sender-key", "1-2@g.us::3_1::4")),
        ("app-state-sync-key-____.json", ("app-state-sync-key", "//")),
        ("app-state-sync-version-regular_low.json", ("app-state-sync-version", "regular_low")),
        ("tctoken-__index.json", ("tctoken", "__index")),
        ("lid-mapping-1_reverse.json", ("lid-mapping", "1_reverse")),
        ("lid-mapping-reverse-1.json", ("lid-mapping-reverse", "1")),
        ("pre-key-.json", None),
        ("session.json", None),
        ("foo-1.json", None),
        ("Session-1.0.json", None),
    ],
)
def test_names_that_are_easily_taken_apart_wrongly(name: str, key: tuple[str, str] | None) -> None:
    assert key_of(name) == key


digits = st.from_regex(r"[0-9]{1,15}", fullmatch=True)
users = st.from_regex(r"[0-9]{1,15}(_1|_128|_129)?", fullmatch=True)
groups = st.from_regex(r"([0-9]{5,15}-)?[0-9]{5,18}@g\.us|status@broadcast", fullmatch=True)
jids = st.builds("{}@{}".format, digits, st.sampled_from(["lid", "s.whatsapp.net"]))
library_keys = st.one_of(
    st.tuples(st.just("pre-key"), digits),
    st.tuples(
        st.sampled_from(["session", "identity-key"]), st.builds("{}.{}".format, users, digits)
    ),
    st.tuples(st.just("sender-key"), st.builds("{}::{}::{}".format, groups, users, digits)),
    st.tuples(st.just("sender-key-memory"), groups),
    st.tuples(
        st.just("app-state-sync-key"), st.from_regex(r"[A-Za-z0-9+/]{2,12}={0,2}", fullmatch=True)
    ),
    st.tuples(
        st.just("app-state-sync-version"),
        st.sampled_from(["critical_block", "critical_unblock_low", "regular", "regular_low"]),
    ),
    st.tuples(st.just("lid-mapping"), digits | st.builds("{}_reverse".format, digits)),
    st.tuples(st.just("device-list"), digits),
    st.tuples(st.just("tctoken"), jids | st.just("__index")),
)


@given(library_keys)
def test_any_key_of_the_library_is_found_again_by_its_name(key: tuple[str, str]) -> None:
    assert key_of(file_name(*key)) == key


@given(st.sampled_from(KNOWN_TYPES), st.text(min_size=1))
def test_a_reversed_name_leads_to_the_same_file(key_type: str, key_id: str) -> None:
    name = file_name(key_type, key_id)
    found = key_of(name)
    assert found is not None
    assert file_name(*found) == name


def test_of_a_type_that_is_not_known_all_lower_case_words_are_the_name() -> None:
    assert guessed_key("message-retry-3EB0-1.json") == ("message-retry", "3EB0-1")
    assert guessed_key("foo-1.json") == ("foo", "1")
    assert guessed_key("package.json") is None
