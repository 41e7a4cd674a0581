"""JSON that the database gives, read where it is known whose it is.

Python cannot read all that PostgreSQL stores: no integer of more than 4,300 digits, no fraction
beyond the range of a double, no nesting beyond its stack. Any writer of the account may have stored
such a value: the error names the key and not the value, and all other keys can be read.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from . import _wire
from ._identity import fault_of_creds
from ._wire import Unreadable, Value
from .errors import AuthStateError, UnreadableValue, UnsafeRequest

__all__ = ["Reader", "named", "parsed_answer", "unreadable"]

T = TypeVar("T")


class Reader:
    """Reads the values of one account, still as they are stored: Buffers are not decoded."""

    __slots__ = ("company_id",)

    def __init__(self, company_id: str | None) -> None:
        self.company_id = company_id

    def creds(self, text: bytes | None) -> Value:
        """Creds; None if there are none."""
        return None if text is None else self._of("creds", None, _wire.parsed, text)

    def value(self, key_type: str, key_id: str, text: bytes | None) -> Value:
        """One key; None where it was not asked for."""
        return None if text is None else self._of(key_type, key_id, _wire.parsed, text)

    def ids(self, key_type: str, text: bytes) -> dict[str, Value]:
        """{id: value}."""
        try:
            return dict(_wire.parsed(text))
        except Unreadable as error:
            reason = error.reason
        raise self._culprit(_of_ids(text.decode(), 0, key_type), reason)

    def types(self, text: bytes) -> dict[str, dict[str, Value]]:
        """{type: {id: value}}."""
        try:
            return dict(_wire.parsed(text))
        except Unreadable as error:
            reason = error.reason
        raise self._culprit(_of_types(text.decode(), 0), reason)

    def state(self, text: bytes) -> dict[str, Any]:
        """What auth_export gives."""
        try:
            return dict(_wire.parsed(text))
        except Unreadable as error:
            reason = error.reason
        raise self._culprit(_of_state(text.decode()), reason)

    def decoded_creds(self, creds: Value) -> Value:
        """Creds as Python has them."""
        return None if creds is None else self._of("creds", None, _wire.decoded, creds)

    def decoded(self, key_type: str, key_id: str, value: Value) -> Value:
        """A value as Python has it: buffers are bytes, carried strings strings again."""
        if isinstance(value, (dict, list)):
            return self._of(key_type, key_id, _wire.decoded, value)
        return value

    def decoded_ids(self, key_type: str, values: dict[str, Value]) -> dict[str, Value]:
        """{id: value}. Ids are any text: the mapping itself never stands for a buffer."""
        decoded = _wire.decoded
        key_id = ""
        try:
            for key_id, value in values.items():
                if isinstance(value, (dict, list)):
                    values[key_id] = decoded(value)
            return values
        except Unreadable as error:
            reason = error.reason
        except RecursionError:
            reason = _wire.TOO_DEEP
        raise unreadable(self.company_id, key_type, key_id, reason)

    def decoded_types(self, types: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
        """{type: {id: value}}."""
        for key_type, values in types.items():
            self.decoded_ids(key_type, values)
        return types

    def usable(self, creds: Value) -> Value:
        """Creds that a client can use, None for none; an error for whatever else is stored."""
        fault = None if creds is None else fault_of_creds(creds)
        if fault is None:
            return creds
        member, reason = fault
        raise UnsafeRequest(
            f"the stored creds of company {json.dumps(self.company_id)} are no creds",
            detail=f"{f'creds.{member}' if member else 'creds'}: {reason}",
            hint="Put earlier ones back with restore_creds(), or a backup. Nothing was changed.",
            company_id=self.company_id,
        )

    def _of(self, key_type: str, key_id: str | None, read: Callable[[T], Value], it: T) -> Value:
        try:
            return read(it)
        except Unreadable as error:
            reason = error.reason
        except RecursionError:
            reason = _wire.TOO_DEEP
        raise unreadable(self.company_id, key_type, key_id, reason)

    def _culprit(self, parts: Iterator[tuple[str, str | None, str]], reason: str) -> AuthStateError:
        """The error about the first part that cannot be read."""
        for key_type, key_id, text in parts:
            try:
                _wire.parsed(text)
            except Unreadable as error:
                return unreadable(self.company_id, key_type, key_id, error.reason)
        return _no_answer(reason)


def unreadable(
    company_id: str | None, key_type: str, key_id: str | None, reason: str
) -> UnreadableValue:
    """The error about a value, which `reason` says without the value."""
    error = UnreadableValue(
        f"{named(key_type, key_id)} of company {json.dumps(company_id)} cannot be read",
        detail=f"It {reason}.",
        hint="All else of the account can be read. Write this anew, or delete it.",
        company_id=company_id,
    )
    error.key_type, error.key_id = key_type, key_id
    return error


def parsed_answer(text: bytes) -> Any:
    """What a function says in JSON that holds no value of an account."""
    try:
        return _wire.parsed(text)
    except Unreadable as error:
        reason = error.reason
    raise _no_answer(reason)


def _no_answer(reason: str) -> AuthStateError:
    return AuthStateError("the answer of the database cannot be read", detail=f"It {reason}.")


_PLAIN = re.compile(r"[A-Za-z0-9_.-]{1,64}")


def named(key_type: str, key_id: str | None) -> str:
    """A key, or creds, as a message names them: printable, and not longer than need be."""
    if key_id is None:
        return "the creds"
    return (
        f"{key_type if _PLAIN.fullmatch(key_type) else json.dumps(key_type)} {json.dumps(key_id)}"
    )


# What cannot be read is looked for once it is there, without recursion and without reading numbers.

_TOKEN = re.compile(r'["\[\]{},]')
_NAME_OR_END = re.compile(r'["}]')


def _members(text: str, start: int) -> Iterator[tuple[str, int, int]]:
    """Name, and begin and end of the value, of the members of the object at or after `start`."""
    position = text.index("{", start) + 1
    while True:
        match = _NAME_OR_END.search(text, position)
        if match is None or match[0] == "}":
            return
        name, position = _wire.decoder.raw_decode(text, match.start())
        begin = text.index(":", position) + 1
        position = _end_of_value(text, begin)
        yield name, begin, position
        if text[position] == "}":
            return
        position += 1


def _end_of_value(text: str, position: int) -> int:
    """Where the comma or brace is that follows the value."""
    depth = 0
    while True:
        match = _TOKEN.search(text, position)
        assert match is not None
        token = match[0]
        position = match.end()
        if token == '"':
            _, position = _wire.decoder.raw_decode(text, position - 1)
        elif token in "[{":
            depth += 1
        elif depth == 0:
            return match.start()
        elif token != ",":
            depth -= 1


def _of_ids(text: str, start: int, key_type: str) -> Iterator[tuple[str, str | None, str]]:
    for key_id, begin, end in _members(text, start):
        yield key_type, key_id, text[begin:end]


def _of_types(text: str, start: int) -> Iterator[tuple[str, str | None, str]]:
    for key_type, begin, _ in _members(text, start):
        yield from _of_ids(text, begin, key_type)


def _of_state(text: str) -> Iterator[tuple[str, str | None, str]]:
    for name, begin, end in _members(text, 0):
        if name == "creds":
            yield "creds", None, text[begin:end]
        elif name == "keys":
            yield from _of_types(text, begin)
