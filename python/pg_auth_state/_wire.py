"""Values as they are in Python, and as they travel and are stored.

`bytes` are Baileys' `{"type": "Buffer", "data": base64}`. A string that jsonb refuses, because it
holds NUL or half of a surrogate pair, is `{"type": "Utf16", "data": base64 of its UTF-16LE}`.
Forms that older versions of Baileys wrote are read as well.

Everything is validated here, so that the database's JSON parser, whose errors quote their input,
never has anything to complain about.
"""

from __future__ import annotations

import json
import math
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, NoReturn, TypeAlias

from .errors import InvalidInput

Value: TypeAlias = Any
"""JSON (dict, list, str, int, float, bool, None) in which `bytes` may stand anywhere."""

MAX_DEPTH = 200
_MAX_INT_BITS = (
    14_285  # Python reads no integer of more than 4,300 digits, or of fewer if it is told
)
_SAFE_INT_BITS = 2_000  # which it reads however it is told

_UNSTORABLE = re.compile("[\0\ud800-\udfff]")
_PLAIN_KEY = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Unreadable(Exception):
    """A value is JSON, but none that Python can read and write back. `reason` ends "It …"."""

    def __init__(self, reason: str) -> None:
        self.reason = reason


class NotJson(Unreadable):
    """It is no JSON."""


TOO_DEEP = "is nested too deep"
_TOO_LARGE = "holds a number that is too large"


def _finite(digits: str) -> float:
    number = float(digits)
    if number == 0 and digits.lower().partition("e")[0].strip("-0."):
        raise Unreadable("holds a number that is too small")
    if math.isfinite(number):
        return number
    raise Unreadable(_TOO_LARGE)


def _constant(name: str) -> NoReturn:
    raise NotJson("holds NaN or Infinity, which JSON does not have")


decoder = json.JSONDecoder(parse_float=_finite, parse_constant=_constant)
"""Reads numbers exactly, or as near as a double is, or not at all."""


def parsed(text: str | bytes) -> Value:
    """JSON as it is stored.

    Raises:
        Unreadable: Python cannot read it.
    """
    try:
        return decoder.decode(text if isinstance(text, str) else text.decode())
    except json.JSONDecodeError:
        pass  # it quotes the whole text
    except RecursionError:
        raise Unreadable(TOO_DEEP) from None
    except UnicodeDecodeError:
        pass
    except ValueError:  # an integer of more than 4,300 digits
        raise Unreadable(_TOO_LARGE) from None
    raise NotJson("is no JSON")


class _Refused(Exception):
    """Raised at the fault; every level on the way out adds its step to the path."""

    def __init__(self, reason: str) -> None:
        self.reason = reason
        self.steps: list[str] = []

    def as_invalid_input(self, root: str) -> InvalidInput:
        path = root + "".join(reversed(self.steps))
        return InvalidInput(f"invalid {root}", detail=f"{path}: {self.reason}")


def _step(key: object) -> str:
    if isinstance(key, int):
        return f"[{key}]"
    text = str(key)
    if _PLAIN_KEY.fullmatch(text) and len(text) <= 64:
        return f".{text}"
    return f"[{json.dumps(text if len(text) <= 64 else text[:61] + '...')}]"


def _encoded_text(text: str) -> Value:
    """`text` as JSON can carry it. A surrogate pair in two halves is one character."""
    if not _UNSTORABLE.search(text):
        return text
    utf16 = text.encode("utf-16-le", "surrogatepass")
    if "\0" not in text:
        try:
            return utf16.decode("utf-16-le")
        except UnicodeDecodeError:
            pass
    return {"type": "Utf16", "data": b64encode(utf16).decode("ascii")}


def _encoded_key(key: object) -> str:
    if not isinstance(key, str):
        raise _Refused(f"object keys are strings, not {type(key).__name__}")
    if not _UNSTORABLE.search(key):
        return key
    encoded = _encoded_text(key)
    if not isinstance(encoded, str):
        raise _Refused("an object key cannot hold NUL or a lone surrogate")
    return encoded


def _encoded(value: object, depth: int = 0) -> Value:
    if isinstance(value, str):
        return _encoded_text(value)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, memoryview):  # of every other byte, or one that was released
        try:
            value = value.tobytes()
        except ValueError:
            raise _Refused("its memory was released") from None
    if isinstance(value, (bytes, bytearray)):
        return current_buffer(value)
    if isinstance(value, int):
        if value.bit_length() > _SAFE_INT_BITS and not _is_readable(value):
            raise _Refused("the number is too large")
        return value
    if isinstance(value, float):
        if not math.isfinite(value):
            raise _Refused("NaN and infinity are not JSON")
        return value
    if depth >= MAX_DEPTH:
        raise _Refused(f"nested deeper than {MAX_DEPTH} levels")
    if isinstance(value, (dict, Mapping)):
        return _encoded_items(value, depth)
    if isinstance(value, (list, tuple)):
        items = []
        for index, item in enumerate(value):
            try:
                items.append(_encoded(item, depth + 1))
            except _Refused as refused:
                refused.steps.append(_step(index))
                raise
        return items
    raise _Refused(f"{type(value).__name__} is not JSON")


def _is_readable(value: int) -> bool:
    try:
        return value.bit_length() <= _MAX_INT_BITS and len(str(abs(value))) <= 4300
    except ValueError:
        return False


def _pairs(mapping: Mapping[Any, object]) -> Iterable[tuple[Any, object]]:
    return mapping.items() if type(mapping) is dict else _pairs_of_another(mapping)


def _pairs_of_another(mapping: Mapping[Any, object]) -> Iterator[tuple[Any, object]]:
    for pair in mapping.items():
        try:
            key, value = pair
        except (TypeError, ValueError):
            raise _Refused("its items() are no pairs") from None
        yield key, value


def _encoded_items(mapping: Mapping[Any, object], depth: int) -> dict[str, Value]:
    if depth >= 0 and ("type" in mapping or "buffer" in mapping or "0" in mapping):
        found = old_buffer(mapping)
        if found is not None:
            return current_buffer(found)
    encoded: dict[str, Value] = {}
    for key, item in _pairs(mapping):
        text = _encoded_key(key)
        if text in encoded:
            raise _Refused("two keys of the object are the same string")
        try:
            encoded[text] = _encoded(item, depth + 1)
        except _Refused as refused:
            refused.steps.append(_step(text))
            raise
    return encoded


def encoded(value: object, root: str, above: int = 0) -> Value:
    """`value` as it is sent and stored; InvalidInput names the path below `root`.

    `above` levels do not count as nesting: those of a batch around its values.
    """
    try:
        return _encoded(value, -above)
    except _Refused as refused:
        raise refused.as_invalid_input(root) from None


def dumps(value: object, root: str) -> str:
    """`value` as the JSON text to send."""
    return compact(encoded(value, root))


def compact(encoded: Value) -> str:
    return json.dumps(encoded, separators=(",", ":"))


def dumps_keys(data: object) -> str:
    return compact(encoded_keys(data))


def encoded_keys(data: object, root: str = "data") -> dict[str, dict[str, Value]]:
    """A batch of keys, {type: {id: value or None}}."""
    try:
        if not isinstance(data, Mapping):
            raise _Refused(f"an object is expected, not {type(data).__name__}")
        for key_type, values in _pairs(data):
            if not isinstance(values, Mapping):
                refused = _Refused(f"an object is expected, not {type(values).__name__}")
                refused.steps.append(_step(_encoded_key(key_type)))
                raise refused
    except _Refused as refused:
        raise refused.as_invalid_input(root) from None
    batch: dict[str, dict[str, Value]] = encoded(data, root, 2)
    return batch


def dumps_wanted(keys: object) -> str:
    """What to get, {type: [id, …]}."""
    if not isinstance(keys, Mapping):
        raise InvalidInput(
            "invalid keys",
            detail=f"keys: an object is expected, not {type(keys).__name__}",
        )
    wanted: dict[str, list[str]] = {}
    for key_type, key_ids in keys.items():
        name = text(key_type, "key_type")
        wanted[name] = texts(key_ids, "keys" + _step(name))
    return compact(wanted)


def text(value: object, argument: str) -> str:
    """A text argument that PostgreSQL can take."""
    try:
        if not isinstance(value, str):
            raise _Refused(f"a string is expected, not {type(value).__name__}")
        encoded = _encoded_text(value)
        if not isinstance(encoded, str):
            raise _Refused("text cannot hold NUL or a lone surrogate")
    except _Refused as refused:
        raise refused.as_invalid_input(argument) from None
    return encoded


def texts(values: object, argument: str) -> list[str]:
    """An array of text; a lone string, which is iterable too, is a mistake."""
    if isinstance(values, (str, bytes, Mapping)) or not hasattr(values, "__iter__"):
        raise InvalidInput(
            f"invalid {argument}",
            detail=f"{argument}: a list of strings is expected, not {type(values).__name__}",
        )
    return [text(value, f"{argument}[{index}]") for index, value in enumerate(values)]


def whole(value: object, argument: str, bits: int = 64) -> int:
    """A whole number that fits into a column of so many bits."""
    if not isinstance(value, int) or isinstance(value, bool):
        reason = f"a whole number is expected, not {type(value).__name__}"
    elif not -(2 ** (bits - 1)) <= value < 2 ** (bits - 1):
        reason = f"the number does not fit into {bits} bits"
    else:
        return int(value)
    raise InvalidInput(f"invalid {argument}", detail=f"{argument}: {reason}")


def storable(text: str) -> Value:
    """`text`, or the Utf16 object that carries it where jsonb refuses it."""
    return _encoded_text(text)


_NOT_BASE64 = re.compile(r"[^A-Za-z0-9+/]")
_URL_SAFE = str.maketrans("-_", "+/")


def _from_base64(data: str) -> bytes:
    """Either alphabet, padded or not, as Node reads it."""
    try:
        return b64decode(data, validate=True)
    except ValueError:
        pass
    digits = _NOT_BASE64.sub("", data.partition("=")[0].translate(_URL_SAFE))
    if len(digits) % 4 == 1:
        digits = digits[:-1]
    return b64decode(digits + "=" * (-len(digits) % 4))


def buffer(data: object) -> bytes | None:
    """The bytes of a Buffer's `data`: base64, or a list of numbers; None if it is neither."""
    if isinstance(data, str):
        return _from_base64(data)
    return _numbers(data) if isinstance(data, (list, tuple)) else None


def _numbers(items: Sequence[object]) -> bytes | None:
    """Bytes as numbers, which true is none of."""
    if all(type(item) is int and 0 <= item < 256 for item in items):
        return bytes(items)  # type: ignore[arg-type]
    return None


def current_buffer(content: bytes | bytearray) -> dict[str, Value]:
    """The only form of a Buffer that every version of Baileys reads."""
    return {"type": "Buffer", "data": b64encode(content).decode("ascii")}


def old_buffer(value: Mapping[str, Value]) -> bytes | None:
    """The bytes of a Buffer in a form that not every version of Baileys reads; None for anything
    else, the current form among it."""
    if value.get("type") == "Buffer" and isinstance(value.get("data"), str):
        return None
    return _content(value)


def _content(value: Mapping[str, Value]) -> bytes | None:
    if value.get("type") == "Buffer" or value.get("buffer") is True:
        return buffer(value["data"] if "data" in value else value.get("value"))
    return _indexed(value) if "0" in value else None


def _indexed(value: Mapping[str, Value]) -> bytes | None:
    """A Uint8Array that went through a plain JSON.stringify: {"0": 5, "1": 255}."""
    return _numbers([value.get(str(index)) for index in range(len(value))])


def carried(value: dict[str, Value]) -> str | None:
    """The string that a Utf16 object carries; None for any other object."""
    data = value.get("data")
    if value.get("type") != "Utf16" or not isinstance(data, str) or len(value) != 2:
        return None
    try:
        return _from_base64(data).decode("utf-16-le", "surrogatepass")
    except UnicodeDecodeError:
        return None


def _special(value: dict[str, Value]) -> bytes | str | None:
    """What an object with `type`, `buffer` or `0` stands for; None if for itself."""
    return carried(value) if value.get("type") == "Utf16" else _content(value)


def decoded(value: Value, depth: int = 0) -> Value:
    """A stored value as Python has it: buffers are bytes, carried strings strings again.

    Raises:
        Unreadable: It is nested deeper than what can be written.
    """
    if isinstance(value, dict):
        if "type" in value or "buffer" in value or "0" in value:
            special = _special(value)
            if special is not None:
                return special
        if depth == MAX_DEPTH:
            raise Unreadable(TOO_DEEP)
        for key, item in value.items():
            if isinstance(item, (dict, list)):
                value[key] = decoded(item, depth + 1)
    elif isinstance(value, list):
        if depth == MAX_DEPTH:
            raise Unreadable(TOO_DEEP)
        for index, item in enumerate(value):
            if isinstance(item, (dict, list)):
                value[index] = decoded(item, depth + 1)
    return value


def same(left: Value, right: Value) -> bool:
    """Whether two values are the same JSON: 1 and 1.0 are, 1 and true are not."""
    pairs: list[tuple[Any, Any]] = [(left, right)]
    while pairs:
        left, right = pairs.pop()
        if isinstance(left, dict):
            if not isinstance(right, dict) or left.keys() != right.keys():
                return False
            pairs.extend((item, right[name]) for name, item in left.items())
        elif isinstance(left, list):
            if not isinstance(right, list) or len(left) != len(right):
                return False
            pairs.extend(zip(left, right, strict=True))
        elif isinstance(left, bool) or isinstance(right, bool):
            if left is not right:
                return False
        elif left != right and not _same_number(left, right):
            return False
    return True


def _same_number(left: object, right: object) -> bool:
    """1e+23 is stored as the whole number that it is written as, which is another one in binary."""
    if not isinstance(left, (int, float)) or not isinstance(right, (int, float)):
        return False
    if isinstance(left, int) and isinstance(right, int):
        return False
    try:
        return float(left) == float(right)
    except OverflowError:
        return False
