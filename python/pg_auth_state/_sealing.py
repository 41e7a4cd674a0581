"""The values of one account, encrypted on their way out and decrypted on their way in.

A client without a keyring has one of these as well: it refuses what it finds encrypted.
"""

from __future__ import annotations

import hashlib
import json
from collections import OrderedDict
from collections.abc import Mapping
from threading import Lock
from typing import TYPE_CHECKING, Any

from ._identity import header, identity, is_paired, is_sealed
from ._reading import named, unreadable
from ._wire import NotJson, Unreadable, Value, parsed
from .errors import DecryptionError, InvalidInput, PlaintextRefused

if TYPE_CHECKING:
    from .encryption import Keyring

MEMORY = 16_000_000
"""How many characters of encrypted values are remembered by a client."""


class NotOpened(Exception):
    """Why a value could not be decrypted."""


class Sealing:
    """What a client knows about the encryption of its account.

    `complete`: whether everything is encrypted, as far as is known; once true it stays so.
    `is_first`: there were no creds just now.
    """

    def __init__(self, keyring: Keyring | None, company_id: str | None) -> None:
        self.keyring = keyring
        self.company_id = company_id
        self.complete = False
        self.is_first = False
        self._remembered: OrderedDict[tuple[str, str | None], tuple[bytes, str]] = OrderedDict()
        self._size = 0
        self._lock = Lock()

    def forget(self) -> None:
        """The account is gone; the next of this id is another one."""
        with self._lock:
            self.complete = False
            self._remembered.clear()
            self._size = 0

    # Out

    def batch(self, encoded: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
        """{type: {id: value or None}} as it is sent."""
        if self.keyring is None:
            return encoded
        return {
            key_type: {
                key_id: None if value is None else self.sealed(key_type, key_id, text_of(value))
                for key_id, value in values.items()
            }
            if key_type not in self.keyring.plain_types
            else values
            for key_type, values in encoded.items()
        }

    def sealed(self, key_type: str, key_id: str, text: str) -> str:
        """The JSON text of a key, encrypted."""
        return self._sealed((key_type, key_id), {"type": key_type, "id": key_id}, text)

    def check_creds(self, encoded: Value) -> None:
        """Raise InvalidInput for creds that are no object, or are paired without an identity."""
        self._about(encoded)

    def creds(self, encoded: Value, *, complete: bool, text: str | None = None) -> Value:
        """Creds as they are sent; InvalidInput as by `check_creds()`."""
        if self.keyring is None:
            return encoded
        members = self._about(encoded)
        if complete:
            members["complete"] = True
        return self._sealed(("creds", None), members, text or text_of(encoded))

    def _about(self, encoded: Value) -> dict[str, Any]:
        """What the header of creds tells about them."""
        if not isinstance(encoded, dict):
            raise InvalidInput(
                "invalid creds",
                detail="creds: with a keyring an object is expected, which is encrypted here.",
                company_id=self.company_id,
            )
        members: dict[str, Any] = {"type": "creds", "paired": is_paired(encoded)}
        found = identity(encoded)
        if found is not None:
            members["identity"] = found
        elif members["paired"]:
            raise InvalidInput(
                "invalid creds",
                detail="creds: of paired ones noiseKey.public and signedIdentityKey.public are "
                "bytes.",
                company_id=self.company_id,
            )
        return members

    def _sealed(self, place: tuple[str, str | None], members: dict[str, Any], text: str) -> str:
        assert self.keyring is not None
        members = {"company": self.company_id, **members}
        digest = _digest({**members, "kid": self.keyring.current}, text.encode())
        with self._lock:
            known = self._remembered.get(place)
        # The same text again is sent as the same JWE: then the database sees whether it is there.
        if known is not None and known[0] == digest:
            return known[1]
        sealed = self.keyring.encrypted(members, text)
        self._remember(place, digest, sealed)
        return sealed

    def _remember(self, place: tuple[str, str | None], digest: bytes, sealed: str) -> None:
        with self._lock:
            known = self._remembered.pop(place, None)
            if known is not None:
                self._size -= len(known[1])
            self._remembered[place] = digest, sealed
            self._size += len(sealed)
            while self._size > MEMORY:
                _, (_, oldest) = self._remembered.popitem(last=False)
                self._size -= len(oldest)

    # In

    def opening(self) -> Opening:
        """For the values of one answer."""
        return Opening(self)

    def opened_creds(self, stored: Value) -> Value:
        """Creds in the form in which they are stored in plain; tells whether all is encrypted."""
        if stored is None:
            return None
        if not is_sealed(stored):
            if self.keyring is not None and not self._takes_plain():
                raise self._refused("creds", None)
            return stored
        found = header(stored)
        opened = self._opened(("creds", None), found, stored)
        if found is not None and found.get("complete") is True:
            self.complete = True
        return opened

    def unsealed(self, encoded: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
        """Of {type: {id: value}} those opened that are encrypted."""
        return {
            key_type: {
                key_id: self.opened(key_type, key_id, value) if is_sealed(value) else value
                for key_id, value in values.items()
            }
            for key_type, values in encoded.items()
        }

    def unsealed_creds(self, encoded: Value) -> Value:
        """Creds that somebody brings along, opened; they tell nothing about those stored."""
        if not is_sealed(encoded):
            return encoded
        return self._opened(("creds", None), header(encoded), encoded)

    def opened(self, key_type: str, key_id: str, sealed: str) -> Value:
        """An encrypted key in the form in which it is stored in plain."""
        return self._opened((key_type, key_id), header(sealed), sealed)

    def opened_text(self, key_type: str, key_id: str | None, sealed: str) -> str:
        """The text that was encrypted, of creds where `key_id` is None. Python need not be able
        to read what it says."""
        return self._read((key_type, key_id), header(sealed), sealed)[0]

    def _opened(
        self, place: tuple[str, str | None], found: Mapping[str, Any] | None, sealed: str
    ) -> Value:
        _, value = self._read(place, found, sealed)
        if isinstance(value, Unreadable):
            raise unreadable(self.company_id, *place, value.reason)
        return value

    def _read(
        self, place: tuple[str, str | None], found: Mapping[str, Any] | None, sealed: str
    ) -> tuple[str, Value]:
        try:
            return self._verified(place, found, sealed)
        except NotOpened as error:
            reason = str(error)
        raise self._error(place, found, reason)

    def _verified(
        self, place: tuple[str, str | None], found: Mapping[str, Any] | None, sealed: str
    ) -> tuple[str, Value]:
        """Text and value; for a value that Python cannot read why it cannot."""
        if self.keyring is None:
            raise NotOpened("It is encrypted, and no keys were given.")
        plain = self.keyring.decrypted(sealed, found)
        assert found is not None
        key_type, key_id = place
        if (found.get("company"), found.get("type")) != (self.company_id, key_type) or (
            "id" in found if key_id is None else found.get("id") != key_id
        ):
            raise NotOpened("It belongs to another company, type or id, and was moved.")
        value: Value
        try:
            text = plain.decode()
            value = parsed(text)
        except (UnicodeDecodeError, NotJson):
            raise NotOpened("What is in it is no JSON.") from None
        except Unreadable as error:
            value = error
        kept = {name: found[name] for name in _MEMBERS if name in found}
        self._remember(place, _digest(kept, plain), sealed)
        return text, value

    def _takes_plain(self) -> bool:
        assert self.keyring is not None
        allowed = self.keyring.allow_plaintext
        return not self.complete if allowed is None else allowed

    def _error(
        self, place: tuple[str, str | None], found: Mapping[str, Any] | None, reason: str
    ) -> DecryptionError:
        kid = (found or {}).get("kid")
        error = DecryptionError(
            f"{named(*place)} of company {json.dumps(self.company_id)} cannot be decrypted"
            + (f", key {json.dumps(kid)}" if isinstance(kid, str) else ""),
            detail=reason,
            hint="Give the key that it was encrypted with, or restore it from a backup. "
            "Nothing was changed.",
            company_id=self.company_id,
        )
        error.key_type, error.key_id = place
        error.kid = kid if isinstance(kid, str) else None
        return error

    def _refused(self, key_type: str, key_id: str | None) -> PlaintextRefused:
        place = key_type, key_id
        error = PlaintextRefused(
            f"{named(*place)} of company {json.dumps(self.company_id)} is not encrypted",
            detail="Plain values are not allowed."
            if self.keyring is not None and self.keyring.allow_plaintext is False
            else "Everything of this company was encrypted already: somebody wrote it since.",
            hint="Find out who writes without the keys. To read it all the same: allow_plaintext.",
            company_id=self.company_id,
        )
        error.key_type, error.key_id, error.kid = key_type, key_id, None
        return error


class Opening:
    """The values of one answer, on their way in.

    `is_doubtful`: it had plain ones, and whether they may be read depends on what the creds say
    now.
    """

    def __init__(self, sealing: Sealing) -> None:
        self._sealing = sealing
        self.is_doubtful = False

    def __call__(self, key_type: str, key_id: str, stored: Value) -> Value:
        """A key in the form in which it is stored in plain."""
        if isinstance(stored, str) and is_sealed(stored):
            return self._sealing.opened(key_type, key_id, stored)
        keyring = self._sealing.keyring
        if stored is None or keyring is None or key_type in keyring.plain_types:
            return stored
        if not self._sealing._takes_plain():
            raise self._sealing._refused(key_type, key_id)
        self.is_doubtful |= keyring.allow_plaintext is None
        return stored

    def ids(self, key_type: str, values: dict[str, Value]) -> dict[str, Value]:
        """{id: value}."""
        return {key_id: self(key_type, key_id, value) for key_id, value in values.items()}

    def types(self, values: dict[str, dict[str, Value]]) -> dict[str, dict[str, Value]]:
        """{type: {id: value}}."""
        return {key_type: self.ids(key_type, of_type) for key_type, of_type in values.items()}


_MEMBERS = ("company", "type", "id", "kid", "paired", "identity", "complete")


def _digest(members: Mapping[str, Any], text: bytes) -> bytes:
    """Of a text and of what its header would say. It stays in the memory of this process."""
    head = json.dumps(members, sort_keys=True, separators=(",", ":")).encode()
    return hashlib.sha256(head + b"\0" + text).digest()


def text_of(encoded: Value) -> str:
    """The JSON text to encrypt, as JavaScript spells it too."""
    return json.dumps(encoded, separators=(",", ":"), ensure_ascii=False)
