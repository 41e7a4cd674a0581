"""What creds are, and whose: as `_assert_creds`, `_is_paired` and `_identity` judge it in SQL."""

from __future__ import annotations

import hashlib
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from typing import Any

from . import _wire
from ._wire import Value, same
from .errors import InvalidInput

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


_JWE = re.compile(r"eyJ[\w-]*\.[\w-]*\.[\w-]+\.[\w-]*\.[\w-]+", re.ASCII)
_NEEDED = ("noiseKey", "signedIdentityKey")


def fault_of_creds(stored: Value) -> tuple[str, str] | None:
    """Why this can be nobody's creds: the member at fault ("" for all of it), and what is wrong."""
    if isinstance(stored, dict):
        for name in _NEEDED:
            if stored.get(name) is None:
                return name, "is missing"
        return None
    if not isinstance(stored, str):
        return "", "is no object"
    if _JWE.fullmatch(stored) and header(stored) is not None:
        return None
    if stored.lstrip()[:1] in ("{", "[", '"'):
        return "", "is JSON text inside a JSON string: it was encoded twice"
    return "", "is a string that is no JWE in compact form"


def encoded_creds(creds: object, root: str = "creds") -> Value:
    """Creds as they are sent: an object, or the JWE that an encrypting client made of one.

    Raises:
        InvalidInput: No client could use them.
    """
    if not isinstance(creds, (Mapping, str)):
        raise InvalidInput(
            f"invalid {root}",
            detail=f"{root}: an object is expected, not {type(creds).__name__}",
        )
    encoded = _wire.encoded(creds, root)
    check_creds(encoded, root)
    return encoded


def check_creds(encoded: Value, root: str = "creds") -> None:
    """Raise InvalidInput for what can be nobody's creds."""
    fault = fault_of_creds(encoded)
    if fault is not None:
        member, reason = fault
        path = f"{root}.{member}" if member else root
        raise InvalidInput(
            f"invalid {root}",
            detail=f"{path}: {reason}",
            hint="Creds are what initAuthCreds() of Baileys makes.",
        )


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
            for name in _NEEDED
        )
    return identity(creds) is not None and identity(creds) == identity(other)


def identity(creds: Value) -> str | None:
    """A fingerprint of the public keys that WhatsApp knows the account by, if they are Buffers."""
    if is_sealed(creds):
        found = (header(creds) or {}).get("identity")
        return found if isinstance(found, str) else None
    parts = [_public(creds, name) for name in _NEEDED]
    if None in parts:
        return None
    return hashlib.sha256(".".join(map(str, parts)).encode()).hexdigest()[:32]


def _public(creds: Value, name: str) -> str | None:
    pair = creds.get(name) if isinstance(creds, dict) else None
    public = pair.get("public") if isinstance(pair, dict) else None
    data = public.get("data") if isinstance(public, dict) else None
    return data if isinstance(data, str) else None
