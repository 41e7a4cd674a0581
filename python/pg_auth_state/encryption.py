"""The keys that values are encrypted with before they are sent. The format: docs/encryption.md."""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterable, Mapping
from typing import Any

from . import _wire
from ._sealing import NotOpened
from .errors import InvalidInput, MissingExtra

try:
    from joserfc import jwe
    from joserfc.jwk import OctKey
except ImportError:
    raise MissingExtra(
        "encryption needs joserfc: pip install 'pg-auth-state[encryption]'"
    ) from None

__all__ = ["Keyring"]

_TYP = "pg-auth-state"
_FORMAT = {"alg": "dir", "enc": "A256GCM", "typ": _TYP}
_KEY_TEXT = re.compile(r"[A-Za-z0-9_-]{43}=?")


class _Registry(jwe.JWERegistry):
    """As large as ids and values may be."""

    max_protected_header_length = 64 * 1024
    max_ciphertext_length = 2**30


_registry = _Registry(algorithms=["dir", "A256GCM"], strict_check_header=False)


class Keyring:
    """The keys of an account, or of all of them. Everything is written with the current one.

        Keyring({"2026-11": key, "2025-02": old_key}, current="2026-11")

    Args:
        keys: Keys of 32 bytes by their names. Those that still read something stay in it.
        current: The name of the one to write with.
        plain_types: Types of keys that are not encrypted: `lid-mapping` and `lid-mapping-reverse`,
            so that the cleanup can read them. All clients of an account must have the same.
        allow_plaintext: Whether values that are not encrypted are read. Unless told, they are
            until the account is known to be encrypted completely.

    Wants the extra `encryption`.

    Raises:
        InvalidInput: There is no such current key, or a key has not 32 bytes.
    """

    def __init__(
        self,
        keys: Mapping[str, bytes],
        current: str,
        *,
        plain_types: Iterable[str] = (),
        allow_plaintext: bool | None = None,
    ) -> None:
        for kid in keys:
            # In a header that jsonb refuses the identity guard would not see that creds are paired.
            if not (_wire.text(kid, "kid") == kid and 1 <= len(kid.encode()) <= 256):
                raise InvalidInput("invalid keys", detail="The name of a key has 1 to 256 bytes.")
        for kid, key in keys.items():
            if not isinstance(key, bytes) or len(key) != 32:
                raise InvalidInput(
                    "invalid keys",
                    detail=f"{json.dumps(kid)} is not a key of 32 bytes.",
                    hint="Make one with secrets.token_bytes(32).",
                )
        if current not in keys:
            raise InvalidInput(
                "invalid keys", detail=f"The current one, {json.dumps(current)}, is none of them."
            )
        if isinstance(plain_types, str):
            raise InvalidInput("invalid plain_types", detail="plain_types: a list is expected.")
        self.current = current
        self.plain_types = frozenset(plain_types)
        self.allow_plaintext = allow_plaintext
        self._keys = {kid: OctKey.import_key(key) for kid, key in keys.items()}

    @classmethod
    def from_jwks(
        cls,
        jwks: str | bytes | Mapping[str, Any],
        current: str | None = None,
        *,
        plain_types: Iterable[str] = (),
        allow_plaintext: bool | None = None,
    ) -> Keyring:
        """The keys of a JWK Set (RFC 7517); the first is the current one unless told.

        {"keys": [{"kty": "oct", "kid": "2026-11", "k": "32 bytes in base64url"}]}
        """
        keys: dict[str, bytes] = {}
        try:
            found = json.loads(jwks) if isinstance(jwks, (str, bytes)) else jwks
            for key in found["keys"]:
                if key["kty"] != "oct" or not _KEY_TEXT.fullmatch(key["k"]):
                    raise ValueError
                if key["kid"] in keys:
                    raise ValueError
                keys[key["kid"]] = urlsafe_b64decode(key["k"].rstrip("=") + "=")
            first = next(iter(keys))
        except (ValueError, TypeError, KeyError, StopIteration, RecursionError):
            pass
        else:
            return cls(
                keys, current or first, plain_types=plain_types, allow_plaintext=allow_plaintext
            )
        # Out here what was raised, which may quote a key, is not chained to it.
        raise InvalidInput(
            "this is no JWK Set of keys with 32 bytes each",
            hint='{"keys": [{"kty": "oct", "kid": "2026-11", "k": "…"}, …]}, k in base64url.',
        )

    @property
    def kids(self) -> list[str]:
        """The names of the keys."""
        return list(self._keys)

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.kids} current={self.current!r}>"

    def encrypted(self, header: Mapping[str, Any], text: str) -> str:
        """The JWE of a text under the current key; `header` says where it belongs."""
        protected = {**_FORMAT, "kid": self.current, **header}
        key = self._keys[self.current]
        return jwe.encrypt_compact(protected, text.encode(), key, registry=_registry)

    def decrypted(self, sealed: str, header: Mapping[str, Any] | None) -> bytes:
        """The plain text of a JWE whose header this is."""
        if header is None:
            raise NotOpened("It is damaged: its header is no JSON object.")
        if "crit" in header or any(header.get(name) != value for name, value in _FORMAT.items()):
            raise NotOpened("It is of another format.")
        key = self._keys.get(kid) if isinstance(kid := header.get("kid"), str) else None
        if key is None:
            raise NotOpened("The keyring has no such key.")
        try:
            plain = jwe.decrypt_compact(sealed, key, registry=_registry).plaintext
        except Exception:  # whatever the library makes of a damaged one
            plain = None
        if plain is None:
            raise NotOpened("It was made with another key of this name, or was changed since.")
        return plain
