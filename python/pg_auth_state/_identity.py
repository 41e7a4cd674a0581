"""Who creds are, as the database judges it: `_is_paired` and `_identity` of its functions."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from typing import Any

from ._wire import Value, same

_SEALED = re.compile(r"eyJ[A-Za-z0-9_-]*\.\.")


def is_sealed(stored: Value) -> bool:
    """Whether this is an encrypted value, or stands for one and is damaged."""
    return isinstance(stored, str) and _SEALED.match(stored) is not None


def header(sealed: str) -> dict[str, Any] | None:
    """The protected header, which nobody has verified; None if it is no JSON object."""
    part = sealed.partition(".")[0]
    try:
        found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    except (ValueError, RecursionError):
        return None
    return found if isinstance(found, dict) else None


def is_paired(creds: Value) -> bool:
    """Whether these creds, as stored, are linked to a telephone."""
    if is_sealed(creds):
        return (header(creds) or {}).get("paired") is True
    if not isinstance(creds, dict):
        return False
    me = creds.get("me")
    name = me.get("id") if isinstance(me, dict) else None
    return creds.get("account") is not None or bool(re.search(":[0-9]+@", str(name)))


def has_identity_of(creds: Value, other: Value) -> bool:
    """Whether both are the same account of Signal."""
    if isinstance(creds, dict) and isinstance(other, dict):
        return all(
            creds.get(name) is not None and same(creds.get(name), other.get(name))
            for name in ("noiseKey", "signedIdentityKey")
        )
    return identity(creds) is not None and identity(creds) == identity(other)


def identity(creds: Value) -> str | None:
    """A fingerprint of the public keys that WhatsApp knows the account by, if they are Buffers."""
    if is_sealed(creds):
        found = (header(creds) or {}).get("identity")
        return found if isinstance(found, str) else None
    parts = [_public(creds, name) for name in ("noiseKey", "signedIdentityKey")]
    if None in parts:
        return None
    return hashlib.sha256(".".join(map(str, parts)).encode()).hexdigest()[:32]


def _public(creds: Value, name: str) -> str | None:
    pair = creds.get(name) if isinstance(creds, dict) else None
    public = pair.get("public") if isinstance(pair, dict) else None
    data = public.get("data") if isinstance(public, dict) else None
    return data if isinstance(data, str) else None
