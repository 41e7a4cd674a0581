"""The JSON of a file and the JSON that is stored in the database, each turned into the other.

A value stays JSON here: Buffers are not decoded. Between the two forms there is little difference.
The database cannot hold NUL and halves of surrogate pairs, and carries such strings as Utf16
objects; files hold them as they are. What older versions of Baileys wrote in other forms is stored
in the current one, the only one that the current version reads.
"""

from __future__ import annotations

import json
import re

from .. import _wire
from .._wire import Value, same

__all__ = ["BadValue", "parsed", "same", "stored", "text_for_file"]


class BadValue(ValueError):
    """What is wrong with the content of a file, without any of it."""


def parsed(content: bytes) -> tuple[str, Value]:
    """The content of a file as text and as value.

    Raises:
        BadValue: It is no JSON document.
    """
    try:
        text = content.decode()
    except UnicodeDecodeError as error:
        raise BadValue(f"is not UTF-8 at byte {error.start}") from None
    decoder = _wire.decoder
    try:
        try:
            value, end = decoder.raw_decode(text)
        except json.JSONDecodeError:
            end = -1
        # What is not one value from end to end has blanks around it, or is bad.
        return text, value if end == len(text) else decoder.decode(text)
    except json.JSONDecodeError as error:
        if not text.strip():
            raise BadValue("is empty") from None
        raise BadValue(
            f"is torn, or no JSON: it cannot be read beyond character {error.pos}"
        ) from None
    except RecursionError:
        raise BadValue(_wire.TOO_DEEP) from None
    except _wire.Unreadable as error:
        raise BadValue(error.reason) from None
    except ValueError:  # Python reads no integer of more than 4,300 digits
        raise BadValue("holds a number that is too large") from None


_BUFFER = '"Buffer"'
_CURRENT_BUFFER = '{"type":"Buffer","data":"'


def stored(key_type: str | None, text: str, value: Value) -> tuple[str, Value]:
    """Text and value as the database is to hold them. `key_type` is None for creds.

    Raises:
        BadValue: The database cannot hold it.
    """
    if key_type != "app-state-sync-key" and not (
        "\\u" in text
        or '"buffer"' in text
        or '"0"' in text
        or text.count(_BUFFER) != text.count(_CURRENT_BUFFER)
    ):
        return text, value  # nothing in it can need another form
    try:
        value = _current(value)
    except RecursionError:
        raise BadValue("is nested too deep") from None
    if key_type == "app-state-sync-key":
        value = _current_sync_key(value)
    return json.dumps(value, separators=(",", ":")), value


_SURROGATE = re.compile("[\0\ud800-\udfff]")


def _current(value: Value) -> Value:
    if isinstance(value, str):
        return _wire.storable(value)
    if isinstance(value, list):
        return [_current(item) for item in value]
    if not isinstance(value, dict):
        return value
    buffer = _wire.old_buffer(value)
    if buffer is not None:
        return _wire.current_buffer(buffer)
    if any(_SURROGATE.search(name) for name in value):
        raise BadValue("holds NUL or half a surrogate pair in the name of a member")
    return {name: _current(item) for name, item in value.items()}


def _current_sync_key(value: Value) -> Value:
    """7.0.0-rc.1 to rc.5 wrote keyData as a Buffer and the timestamp in two halves."""
    if not isinstance(value, dict):
        return value
    current = dict(value)
    key = current.get("keyData")
    if isinstance(key, dict) and key.get("type") == "Buffer" and isinstance(key.get("data"), str):
        current["keyData"] = key["data"]
    time = current.get("timestamp")
    if isinstance(time, dict) and _is_whole(time.get("low")) and _is_whole(time.get("high")):
        number = (time["high"] % 2**32 << 32) + time["low"] % 2**32
        if not time.get("unsigned") and number >= 2**63:
            number -= 2**64
        current["timestamp"] = str(number)
    return current


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def text_for_file(value: Value) -> bytes:
    """A stored value as the library would have written it.

    Raises:
        BadValue: A file cannot hold it.
    """
    try:
        text = json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
        if '"Utf16"' in text:
            text = json.dumps(_plain(value), ensure_ascii=False, separators=(",", ":"))
            text = _SURROGATE.sub(lambda match: f"\\u{ord(match[0]):04x}", text)
    except (ValueError, RecursionError):
        raise BadValue("holds a number that is too large, or is nested too deep") from None
    return text.encode()


def _plain(value: Value) -> Value:
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, dict):
        text = _wire.carried(value)
        if text is not None:
            return text
        return {name: _plain(item) for name, item in value.items()}
    return value
