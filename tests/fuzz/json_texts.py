"""JSON as text, good and hostile: what a client of another language may send."""

from __future__ import annotations

import json
from base64 import urlsafe_b64encode
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from hypothesis import strategies as st

from fuzz.markers import NAMED, SENT

T = TypeVar("T")
Text = st.SearchStrategy[str]


def mostly(usual: st.SearchStrategy[T], *rare: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """Four of five are usual, so that the inputs get past the first check."""
    return weighted((4 * len(rare), usual), *[(1, each) for each in rare])


def weighted(*choices: tuple[int, st.SearchStrategy[T]]) -> st.SearchStrategy[T]:
    """Each as often as its weight says; the first is the simplest.

    By number: a choice between strategies would print them all, each in each.
    """
    every = [choice for weight, choice in choices for _ in range(weight)]
    return st.integers(0, len(every) - 1).flatmap(lambda number: every[number])


def seldom(usual: st.SearchStrategy[T], rare: st.SearchStrategy[T]) -> st.SearchStrategy[T]:
    """One of fifteen is rare."""
    return weighted((14, usual), (1, rare))


def long(*sizes: int, of: str = "x") -> Text:
    """The character so many times; the strategy itself is short when it is printed."""
    return st.sampled_from(sizes).map(lambda size: of * size)


def string(text: str) -> str:
    return json.dumps(text)


def object_of(members: Sequence[tuple[str, str]]) -> str:
    """Of JSON texts, so that a name may stand there twice or be no name."""
    return "{" + ",".join(f"{name}:{value}" for name, value in members) + "}"


def nested(depth: int, inside: str, opening: str = "[", closing: str = "]") -> str:
    return opening * depth + inside + closing * depth


# Ids and types, which messages may show

TYPES = ("session", "pre-key", "lid-mapping", "lid-mapping-reverse", "device-list", "tctoken")
IDS = ("1.0", "2.0", "7", "111", "222_reverse", "111_1.0")

_odd_names = st.sampled_from(
    [
        *("", " ", "null", "NULL", "0", "-", "{}", "%", "%s %1$s", "$1", "'", '"', "\\", ".."),
        "a/b",
        *("a\nb", "\t", "\x1b[31m", "\u202e", "é", "e\u0301", "😀", "creds", "__proto__", "[bold]"),
        *("é" * 64, "é" * 65, "😀" * 32, "x" * 128, "x" * 129),
        *("1_2_3.4.5", "_", ".", "_reverse", "111_reverse_reverse", "lid-mapping"),
    ]
)
hostile_names = weighted((12, _odd_names), (1, long(1024, 1025, 100_000)))
types = mostly(st.sampled_from(TYPES), hostile_names)
ids = mostly(st.sampled_from(IDS), hostile_names)

# Values

_escapes = st.sampled_from(
    [
        *(r"\u0000", r"\ud83d\ude00", r"\ud800", r"\udc00\ud800", r"\u00e9", r"\/", r"\b\f\n\r\t"),
        *(r"\"", r"\\", r"\x41", r"\u12", "\\", "\t", "\x01", "\x7f", "😀", "é", "\ufeff"),
    ]
)
_good_escapes = st.sampled_from([r"\ud83d\ude00", r"\u00e9", r"\n", r"\"", "😀", "\u202e"])
_plain_strings = st.just(string(SENT))
_long_strings = st.builds(
    lambda size: string(SENT + "x" * size), st.sampled_from([1_000, 10_000, 300_000])
)
strings = weighted(
    (3, _plain_strings),
    (3, _good_escapes.map(lambda escape: f'"{SENT}{escape}"')),
    (1, _escapes.map(lambda escape: f'"{SENT}{escape}"')),
    (1, _long_strings),
)
numbers = weighted(
    (3, st.sampled_from(["0", "1", "-1", "1.0", "1.50", "-0", "1e3", "12345678901234567890"])),
    (3, st.sampled_from(["1e400", "-1e400", "1e-400", "9007199254740993", "0.1e1", "1E+2"])),
    (1, st.sampled_from(["1e131071", "1e131072", "1e999999999999", "01", "+1", ".5", "1.", "NaN"])),
    (1, long(4_300, 4_301, 10_000, 131_072, 200_000, of="9")),
)
_buffers = st.sampled_from(
    [
        object_of([('"type"', '"Buffer"'), ('"data"', string("U0VDUkVU"))]),
        object_of([('"type"', '"Buffer"'), ('"data"', "[1,2,300]")]),
        object_of([('"buffer"', "true"), ('"data"', "[1,2,3]")]),
        object_of([('"0"', "5"), ('"1"', "255")]),
        object_of([('"type"', '"Utf16"'), ('"data"', '"AADYAA=="')]),
    ]
)
_words = st.sampled_from(["true", "false", "null", "[]", "{}"])
_deep = st.builds(
    lambda depth, pair: nested(depth, string(SENT), *pair),
    st.sampled_from([2, 50, 1_000, 3_000, 5_000, 6_500, 8_000, 20_000, 200_000]),
    st.sampled_from([("[", "]"), (f'{{"{NAMED}":', "}"), (f'[{{"{NAMED}":', "}]")]),
)
_wide = st.builds(
    lambda number, item: f"[{','.join([item] * number)}]",
    st.sampled_from([100, 3_000]),
    st.sampled_from(["null", string(SENT), "{}"]),
)
_leaves = weighted((6, st.one_of(strings, numbers, _buffers, _words)), (1, _deep), (1, _wide))
# Below a key id a name is somebody's secret, too.
_member_names = mostly(
    st.sampled_from([string(name) for name in (NAMED, f"{NAMED}2", "type", "data", "0")]),
    _escapes.map(lambda escape: f'"{NAMED}{escape}"'),
)


def _containers(inner: Text) -> Text:
    return st.lists(inner, max_size=3).map(lambda items: f"[{','.join(items)}]") | st.lists(
        st.tuples(_member_names, inner), max_size=3
    ).map(object_of)


values = st.recursive(_leaves, _containers, max_leaves=6)
good_values = mostly(
    _plain_strings | st.sampled_from(["1", "true", "[]", "{}", "0"]) | _buffers,
    st.builds(lambda item: object_of([(string(NAMED), item)]), _plain_strings),
)

broken = st.sampled_from(
    [
        *("", " ", "{", "[", '"', "nul", "{}{}", "{},", "[1,]", '{"a"}', "{'a':1}", "\ufeff{}"),
        *(SENT, f'"{SENT}', f'{{"{NAMED}": {SENT}}}', f'["{SENT}"', f"// {SENT}\n{{}}"),
    ]
)
scalars = strings | numbers | _words
anything = values | broken

# Creds

PUBLIC = "UFVCTElD"  # no secret: the fingerprint is made of it


def key_pair(name: str) -> dict[str, Any]:
    return {
        "private": {"type": "Buffer", "data": f"{SENT}{name}"},
        "public": {"type": "Buffer", "data": PUBLIC + name},
    }


def creds(identity: str = "A", *, paired: bool = True, **members: Any) -> dict[str, Any]:
    """Creds of an identity: equal names are the same linked device."""
    account = {"me": {"id": "1:2@s.whatsapp.net"}, "account": {"details": SENT}} if paired else {}
    return {
        "noiseKey": key_pair(identity + "noise"),
        "signedIdentityKey": key_pair(identity + "own"),
        **account,
        **members,
    }


def sealed(header: str, tail: str = "..aXY.Y2lwaGVy.dGFn") -> str:
    """A JWE in compact form with this JSON as its header, as far as the database looks at it."""
    return string(urlsafe_b64encode(header.encode()).decode().rstrip("=") + tail)


good_creds = st.builds(
    lambda identity, paired, turn: json.dumps(creds(identity, paired=paired, turn=turn)),
    st.sampled_from("AAAB"),
    st.booleans(),
    st.integers(0, 3),
)
sealed_creds = st.sampled_from(
    [
        {"kid": "k1", "paired": True, "identity": "0" * 32},
        {"kid": "k2", "paired": True, "identity": "1" * 32},
        {"kid": "k1", "paired": False, "identity": None},
        {"paired": SENT, "identity": SENT},
        {"kid": {NAMED: SENT}, "paired": None, "identity": ["0" * 32]},
    ]
).map(lambda header: sealed(json.dumps(header, separators=(",", ":"))))
# Nearly creds: a member is missing, null, of another type, there twice, deep, or too large.
_members = st.lists(
    st.tuples(
        st.sampled_from(
            [string(name) for name in ("noiseKey", "signedIdentityKey", "account", "me")]
        ),
        mostly(
            values, st.just("null"), st.just(object_of([('"id"', string("1:2@s.whatsapp.net"))]))
        ),
    ),
    max_size=6,
)
bad_creds = (
    _members.map(object_of)
    | scalars
    | good_creds.map(string)  # encoded twice
    | st.sampled_from(["", ".", "....", "..a.b.c", ".a.a.a.a", "..a.b.c.d", "..a\n.b.c"]).map(
        lambda tail: sealed('{"kid":"k1"}', tail)
    )
    | values.map(lambda header: sealed(f'{{"kid":{header}}}'))
    | anything
)
# Good as an identity, and anything beside it.
odd_creds = st.builds(
    lambda creds, name, value: f"{creds[:-1]},{name}:{value}}}", good_creds, _member_names, values
)
all_creds = weighted((2, good_creds), (1, sealed_creds), (1, odd_creds), (1, bad_creds))

# Batches of keys, what to get, exports


def batch_of(types: Text, ids: Text, values: Text) -> Text:
    return st.lists(
        st.tuples(
            types.map(string),
            st.lists(st.tuples(ids.map(string), values), max_size=4).map(object_of),
        ),
        max_size=3,
    ).map(object_of)


good_batches = batch_of(
    st.sampled_from(TYPES), st.sampled_from(IDS), mostly(good_values, st.just("null"))
)
_many = st.builds(
    lambda number: object_of(
        [
            (
                string("session"),
                object_of([(string(f"{n}.0"), string(SENT)) for n in range(number)]),
            )
        ]
    ),
    st.sampled_from([100, 812]),
)
batches = weighted(
    (5, good_batches),
    (4, batch_of(types, ids, values)),
    (1, _many),
    (2, st.lists(st.tuples(types.map(string), values), max_size=3).map(object_of)),
    (1, anything),
)
_id_lists = st.lists(ids.map(string), max_size=5).map(lambda items: f"[{','.join(items)}]")
_value_lists = st.lists(values, max_size=3).map(lambda items: f"[{','.join(items)}]")


def _wanted(types: Text, lists: Text) -> Text:
    return st.lists(st.tuples(types.map(string), lists), max_size=3).map(object_of)


wanted = weighted(
    (3, _wanted(st.sampled_from(TYPES), _id_lists)),
    (2, _wanted(types, _id_lists)),
    (1, _wanted(types, _value_lists)),
    (1, anything),
)

_good_times = st.sampled_from(
    [
        *("2026-01-02T03:04:05.000006Z", "2026-01-02T03:04:05Z", "2020-02-29T23:59:60+02:00"),
        *("2999-12-31T00:00:00Z", "0001-01-01T00:00:00Z", "2026-01-01T24:00:00Z"),
    ]
).map(string)
_impossible_times = st.sampled_from(
    [
        *("2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "0000-01-01T00:00:00Z"),
        *("2026-01-01T25:00:00Z", "2026-01-01T00:61:00Z", "2026-01-01T00:00:00+99:99"),
        *("0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59.999999Z"),
    ]
).map(string)
_other_times = st.sampled_from(
    [
        *("infinity", "-infinity", "now", "today", "current", "epoch", "2026-01-01", SENT, ""),
        *("2026-01-01 00:00:00", "10000-01-01T00:00:00Z", "2026-01-01T00:00:00.1234567Z"),
        *("12026-01-01T00:00:00.000000Z", "0001-12-31T00:00:00.000000Z BC"),
    ]
).map(string)
_times = weighted(
    (4, _good_times), (4, _impossible_times), (3, _other_times), (1, scalars), (1, values)
)
_time_lists = weighted(
    (1, st.builds("[{},{}]".format, _good_times, st.just("null"))),
    (3, st.lists(_times, min_size=1, max_size=3).map(lambda items: f"[{','.join(items)}]")),
    (1, _times),
)
_some_times = weighted(
    (6, batch_of(types, ids, _time_lists)),
    (1, st.lists(st.tuples(types.map(string), anything), max_size=2).map(object_of)),
    (1, anything),
)
_key_types, _key_ids = st.sampled_from(TYPES), st.sampled_from(IDS)


def _state(creds: str, at: str, keys: dict[tuple[str, str], tuple[str, str]]) -> str:
    """An export of keys with their times."""

    def of_types(what: Callable[[tuple[str, str]], str]) -> str:
        types: dict[str, list[tuple[str, str]]] = {}
        for (key_type, key_id), kept in keys.items():
            types.setdefault(string(key_type), []).append((string(key_id), what(kept)))
        return object_of([(name, object_of(members)) for name, members in types.items()])

    return object_of(
        [
            ('"format"', "1"),
            ('"creds"', creds),
            ('"creds_updated_at"', at),
            ('"keys"', of_types(lambda kept: kept[0])),
            ('"times"', of_types(lambda kept: f"[{kept[1]},null]")),
        ]
    )


good_states = st.builds(
    _state,
    mostly(good_creds, st.just("null"), sealed_creds, odd_creds),
    mostly(_good_times, st.just("null")),
    st.dictionaries(
        st.tuples(mostly(_key_types, types), mostly(_key_ids, ids)),
        st.tuples(mostly(good_values, values), _good_times),
        max_size=4,
    ),
)
_state_members = {
    '"format"': mostly(st.just("1"), scalars),
    '"creds"': all_creds,
    '"creds_updated_at"': weighted((5, _times), (1, st.just("null"))),
    '"keys"': batches,
    '"times"': _some_times,
    '"cerds"': values,
}
_state_member = st.one_of(
    [st.tuples(st.just(name), member) for name, member in _state_members.items()]
)
states = weighted(
    (4, good_states),
    (
        4,
        st.lists(_state_member, max_size=6).map(
            lambda members: object_of([('"format"', "1"), ('"keys"', "{}"), *members])
        ),
    ),
    (1, anything),
)
