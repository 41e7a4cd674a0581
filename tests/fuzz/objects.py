"""Python objects, good and hostile, with how they come back from the database."""

from __future__ import annotations

import enum
import reprlib
from collections import OrderedDict, UserDict
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import Any

from hypothesis import strategies as st

from fuzz.json_texts import IDS, TYPES, hostile_names, long, mostly, weighted
from fuzz.markers import NAMED, SENT


@dataclass(frozen=True)
class Sent:
    """A value; `back` is equal to what is read afterwards. `good`: taken, refused, or either."""

    value: Any
    back: Any
    good: bool | None = True

    def __repr__(self) -> str:
        return spelled(self.value)


class _Spelling(reprlib.Repr):
    def repr_int(self, x: int, level: int) -> str:
        return repr(x) if x.bit_length() < 200 else f"<an int of {x.bit_length()} bits>"


_spelling = _Spelling()
_spelling.maxlevel, _spelling.maxdict, _spelling.maxlist = 8, 20, 20
_spelling.maxstring = _spelling.maxother = 200


def spelled(value: Any) -> str:
    """Its repr, shortened; some of these have none."""
    try:
        return _spelling.repr(value)
    except Exception as error:
        return f"<a {type(value).__name__} whose repr raises {type(error).__name__}>"


class OwnError(Exception):
    """What a hostile object raises itself, which may come out as it is."""


class _Text(str):
    """A str that says something else when it is asked."""

    def __str__(self) -> str:
        return SENT + "other"

    __repr__ = __str__


class _Number(int):
    def __repr__(self) -> str:
        return SENT

    __str__ = __repr__


class _Float(float):
    def __repr__(self) -> str:
        return SENT


class _Kind(enum.IntEnum):
    ONE = 1


class _Secret:
    def __repr__(self) -> str:
        return SENT


class _Lying(Mapping[str, Any]):
    """Its length, keys and items are about different things."""

    def __len__(self) -> int:
        return 1_000

    def __iter__(self) -> Iterator[str]:
        return iter(["a", "b"])

    def __getitem__(self, key: str) -> Any:
        if key == "b":
            raise OwnError
        return SENT


class _Changing(dict[str, Any]):
    """Another mapping each time it is asked."""

    def __init__(self) -> None:
        super().__init__({NAMED: SENT})
        self.times = 0

    def items(self) -> Any:
        self.times += 1
        return [(f"{NAMED}{self.times}", object() if self.times > 1 else SENT)] * self.times


class _Raising(UserDict[str, Any]):
    def items(self) -> Any:
        raise OwnError


class _NoPairs(UserDict[str, Any]):
    def items(self) -> Any:
        return [SENT]


def _cycle() -> Any:
    value: dict[str, Any] = {}
    value[NAMED] = [value]
    return value


def _nested(depth: int, opening: Callable[[Any], Any]) -> Any:
    value: Any = SENT
    for _ in range(depth):
        value = opening(value)
    return value


def _deep(depth: int, opening: Callable[[Any], Any]) -> Sent:
    value = _nested(depth, opening)
    good = True if depth < 190 else False if depth > 220 else None
    return Sent(value, value if good is not False else None, good)


# A comparison of depth 1,000 is beyond Python itself, so nothing asks for one.
_deep_values = st.builds(
    _deep,
    st.sampled_from([2, 100, 189, 197, 201, 221, 900, 5_000, 100_000]),
    st.sampled_from([lambda inside: [inside], lambda inside: {NAMED: inside}]),
)


def _same(value: Any) -> Sent:
    return Sent(value, value)


def _never(value: Any) -> Sent:
    return Sent(value, None, False)


def _joined(text: str) -> str:
    """Two halves of a surrogate pair are one character."""
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "surrogatepass")


_any_text = st.text(st.characters(codec=None, categories=None), max_size=6)
_texts = st.one_of(
    st.just(SENT),
    st.sampled_from(
        ["\0", "\ud800", "\udc00\ud800", "\ud83d\ude00", "😀\0", "\x7f\x1b[2J", "\\u0000"]
    ),
    _any_text,
    long(100_000),
).map(lambda text: Sent(SENT + text, _joined(SENT + text)))
_numbers = st.one_of(
    st.integers(-(2**70), 2**70).map(_same),
    st.floats(allow_nan=False, allow_infinity=False).map(_same),
    st.sampled_from([1e23, 5e-324, 1.7976931348623157e308, -0.0, 2.0**53 + 2]).map(_same),
    st.sampled_from([100, 3_800]).map(lambda digits: _same(-(10**digits))),
    st.sampled_from([4_301, 5_000, 200_000]).map(lambda digits: _never(10**digits)),
    st.sampled_from([float("nan"), float("inf"), float("-inf")]).map(_never),
)
_bytes = st.binary(max_size=40).flatmap(
    lambda data: st.sampled_from(
        [
            Sent(data, data),
            Sent(bytearray(data), data),
            Sent(memoryview(data), data),
            Sent(memoryview(data + data)[::2], (data + data)[::2]),
        ]
    )
)
# As other versions of Baileys spell bytes; they are bytes when they are read.
_buffers = st.sampled_from(
    [
        Sent({"type": "Buffer", "data": "AQID"}, b"\1\2\3"),
        Sent({"type": "Buffer", "data": [1, 2, 3]}, b"\1\2\3"),
        Sent({"buffer": True, "data": [1, 2, 3]}, b"\1\2\3"),
        Sent({"0": 1, "1": 255}, b"\1\xff"),
    ]
)
_subclasses = st.sampled_from(
    [
        Sent(_Kind.ONE, 1),
        Sent(_Number(7), 7),
        Sent(_Float(1.5), 1.5),
        Sent(_Text("plain"), "plain"),
        Sent((1, [SENT]), [1, [SENT]]),
        Sent(OrderedDict({NAMED: 1}), {NAMED: 1}),
        Sent(UserDict({NAMED: 1}), {NAMED: 1}),
    ]
)
_no_json = st.sampled_from(
    [
        *(_Secret(), object(), {SENT}, frozenset(), range(3), Decimal("1.5"), Fraction(1, 3), 1j),
        *(_Secret, len, NotImplemented, datetime.now(timezone.utc), timedelta(1), b"x".join),
        *({1: SENT}, {None: SENT}, {(1, 2): SENT}, {b"a": SENT}, {"\0": SENT}, {"\ud800": SENT}),
        *({"\ud83d\ude00": 1, "😀": 2}, [SENT, {SENT}], (x for x in [SENT])),
    ]
).map(_never)
_liars = st.sampled_from([_Lying, _Changing, _Raising, _NoPairs]).map(
    lambda kind: Sent(kind(), None, None)
)
_cycles = st.builds(_cycle).map(_never)
_leaves = weighted(
    (4, st.just(_same(SENT)) | st.sampled_from([None, True, False, 0, 1]).map(_same)),
    (3, _texts),
    (3, _numbers),
    (3, _bytes),
    (1, _buffers),
    (1, _subclasses),
    (1, _no_json),
    (1, _deep_values),
    (1, _liars | _cycles),
)


def _all_good(parts: list[Sent]) -> bool | None:
    if any(part.good is None for part in parts):
        return None
    return all(part.good for part in parts)


def _list(parts: list[Sent], kind: type[Any]) -> Sent:
    back = [part.back for part in parts]
    return Sent(kind(part.value for part in parts), back, _all_good(parts))


def _object(members: dict[str, Sent]) -> Sent:
    names = {_joined(name) for name in members}
    good = _all_good(list(members.values()))
    if len(names) < len(members) or any("\0" in n or not _is_whole(n) for n in names):
        good = False if good is not None else None
    return Sent(
        {name: part.value for name, part in members.items()},
        {_joined(name): part.back for name, part in members.items()},
        good,
    )


def _is_whole(text: str) -> bool:
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


_member_names = mostly(
    st.sampled_from([NAMED, f"{NAMED}2", "é", "😀", ""]), _any_text.map(lambda name: NAMED + name)
)
values = st.recursive(
    _leaves,
    lambda inner: (
        st.builds(_list, st.lists(inner, max_size=3), st.sampled_from([list, tuple]))
        | st.dictionaries(_member_names, inner, max_size=3).map(_object)
    ),
    max_leaves=5,
)


def equal(left: Any, right: Any) -> bool:
    """Whether they are the same JSON: 1 and 1.0 are, 1 and true are not."""
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(equal(left[n], right[n]) for n in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(equal, left, right))
    if isinstance(left, bool) or isinstance(right, bool):
        return left is right
    if isinstance(left, float) or isinstance(right, float):
        # 1e23 is stored as the whole number that it is written as, which is another one in binary.
        return (
            isinstance(left, int | float)
            and isinstance(right, int | float)
            and (float(left) == float(right))
        )
    return type(left) is type(right) and bool(left == right)


# Arguments of the clients' methods, by name

_wrong = st.just(5_000).map(lambda digits: 10**digits) | st.sampled_from(
    [
        *(None, True, 0, -1, 1.5, float("nan"), 2**31, 2**63, -(2**63), "", "x", "\0"),
        *(
            "\ud800",
            b"x",
            [],
            {},
            [SENT],
            {SENT: SENT},
            _Secret(),
            _Text("x"),
            _Number(5),
            _Kind.ONE,
        ),
        *(timedelta(0), timedelta.max, timedelta.min, timedelta(microseconds=1), datetime.min),
        *(datetime.max.replace(tzinfo=timezone.utc), datetime(2026, 1, 1), OwnError, object()),
    ]
)


def _or_wrong(usual: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return weighted((7, usual), (1, _wrong))


_names = mostly(st.sampled_from(["session", "pre-key", "bot-1"]), hostile_names)
_id_lists = st.one_of(
    st.lists(mostly(st.sampled_from(IDS), hostile_names), max_size=4),
    st.sampled_from([("1.0",), {"1.0"}, "1.0", b"1.0", {"1.0": 1}, [SENT, {SENT}], [1.0], 5]),
    st.builds(lambda: iter(["1.0"])),
)
_raw = values.map(lambda sent: sent.value)
_batches = mostly(
    st.dictionaries(
        st.sampled_from(TYPES), st.dictionaries(st.sampled_from(IDS), _raw, max_size=3), max_size=3
    ),
    st.dictionaries(_any_text | hostile_names, st.dictionaries(_any_text | hostile_names, _raw)),
    st.dictionaries(st.sampled_from(TYPES), _raw, max_size=2),
    _raw,
)
_least = {"noiseKey": 1, "signedIdentityKey": 2}
creds = mostly(
    _raw.map(lambda value: {**_least, NAMED: value}),
    st.sampled_from([{}, {"noiseKey": 1}, "eyJ", "eyJhIjoxfQ..aXY.Y2lw.dGFn", f'{{"{NAMED}":1}}']),
    _raw,
)
_states = mostly(
    st.builds(
        lambda creds, keys: {"format": 1, "creds": creds, "keys": keys}, creds | st.none(), _batches
    ),
    _raw,
    st.builds(lambda times: {"format": 1, "keys": {}, "times": times}, _raw),
)
_tokens = mostly(st.none(), st.sampled_from([1, 2**62]))
ARGUMENTS: dict[str, st.SearchStrategy[Any]] = {
    "after": _or_wrong(st.none() | hostile_names),
    "allow_new_identity": _or_wrong(st.booleans()),
    "batch_size": _or_wrong(st.sampled_from([1, 10_000])),
    "before": _or_wrong(st.none() | st.just(datetime(2030, 1, 1, tzinfo=timezone.utc))),
    "creds": creds,
    "data": _batches,
    "dry_run": _or_wrong(st.booleans()),
    "expected_version": _or_wrong(_tokens),
    "holder": _or_wrong(_names),
    "kept_kid": _or_wrong(st.none() | _names),
    "key_ids": _id_lists,
    "key_type": _or_wrong(_names),
    "keys": st.one_of(
        st.sampled_from(TYPES),
        st.dictionaries(_names, _id_lists, max_size=3),
        _raw,
    ),
    "lease_token": _or_wrong(_tokens),
    "limit": _or_wrong(st.sampled_from([1, 1_000])),
    "mode": _or_wrong(st.sampled_from(["new", "merge", "replace", SENT])),
    "role_name": _or_wrong(st.sampled_from(["fuzz_stranger", "postgres", "nobody"])),
    "state": _states,
    "token": _or_wrong(st.sampled_from([1, 2**62])),
    "ttl": _or_wrong(st.none() | st.just(timedelta(hours=1))),
    "version": _or_wrong(st.just(1)),
}
ANYTHING = _wrong | _raw
"""For an argument that nobody has thought of yet."""
