"""File names of Baileys' `useMultiFileAuthState`, there and back.

The library writes the key `id` of type `type` to `<type>-<id>.json`, with `/` written `__` and `:`
written `-`. That loses information; `key_of` puts it back from what each type's ids look like.
"""

from __future__ import annotations

import re

__all__ = ["CREDS", "KNOWN_TYPES", "NAMES", "file_name", "guessed_key", "key_of"]

CREDS = "creds.json"

NAMES = "pg-auth-state.names"
"""What an export adds where a file's name does not tell its key; see `exporting`."""

KNOWN_TYPES = (
    "app-state-sync-key",
    "app-state-sync-version",
    "device-list",
    "identity-key",
    "lid-mapping",
    "lid-mapping-reverse",
    "pre-key",
    "sender-key",
    "sender-key-memory",
    "session",
    "tctoken",
)

# The longest type that fits: sender-key-memory- before sender-key-.
_KNOWN = re.compile(
    "({})-(.+)\\.json".format("|".join(sorted(KNOWN_TYPES, key=len, reverse=True))), re.DOTALL
)
_UNKNOWN = re.compile(r"([a-z]+(?:-[a-z]+)*)-(.+)\.json", re.DOTALL)


def file_name(key_type: str, key_id: str) -> str:
    """The file that the library keeps a key in."""
    return f"{key_type}-{key_id}.json".replace("/", "__").replace(":", "-")


def key_of(name: str) -> tuple[str, str] | None:
    """The type and id of the key in this file; None for a type that is not known."""
    match = _KNOWN.fullmatch(name)
    if match is None:
        return None
    key_type, key_id = match.groups()
    if key_type == "app-state-sync-key":  # base64, which may hold / but no _
        key_id = key_id.replace("__", "/")
    elif key_type == "sender-key":  # group::user::device; a lone - is one of an old group id
        key_id = key_id.replace("--", "::")
    return key_type, key_id


def guessed_key(name: str) -> tuple[str, str] | None:
    """For a type that is not known: as many lower-case words as can be are the type."""
    match = _UNKNOWN.fullmatch(name)
    return None if match is None else (match[1], match[2])
