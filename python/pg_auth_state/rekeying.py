"""An account whose values are all encrypted anew, under the current key."""

from __future__ import annotations

import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta

from . import _wire
from ._identity import header, is_sealed
from ._leases import Held
from ._sealing import text_of
from ._sync.client import AuthState
from ._wire import Value
from .encryption import Keyring
from .errors import DecryptionError
from .files import values
from .files.database import Company, Database, StoredRow
from .keyfiles import KeyFile
from .rows import KeyStats

__all__ = ["PLAIN", "Rekeyed", "rekey", "survey"]

PLAIN = "plain"

# As stored: what is compressed there is up to 255 times as long here.
_BATCH_BYTES = 1_000_000
_BATCH_ROWS = 1000

_MOST_KEYS = 20
_MOST_PROBLEMS = 100
OTHER_KEYS = "other keys"

Progress = Callable[[int, int], None]


@dataclass(slots=True)
class Rekeyed:
    """What became of an account.

    `found` counts values, the creds among them, by the key they were under, `plain` for none; who
    writes values names keys as he likes, and beyond 20 names the rest is counted as `other keys`.
    `written` were written anew. `left` could not be decrypted and were left as they are;
    `unreadable` says which, the first 100 of them. `complete`: everything is under the current key,
    and the creds, if any, say so. `forgotten` counts earlier creds.
    """

    company_id: str
    current: str
    found: dict[str, int] = field(default_factory=dict)
    written: int = 0
    left: int = 0
    unreadable: list[str] = field(default_factory=list)
    complete: bool = False
    forgotten: int = 0

    def _count(self, kid: str | None) -> None:
        name = PLAIN if kid is None else json.dumps(kid) if kid in (PLAIN, OTHER_KEYS) else kid
        if name not in self.found and len(self.found) >= _MOST_KEYS and kid != self.current:
            name = OTHER_KEYS
        self.found[name] = self.found.get(name, 0) + 1

    def _leave(self, error: DecryptionError) -> None:
        self.left += 1
        if len(self.unreadable) < _MOST_PROBLEMS:
            self.unreadable.append(f"{error.message}: {error.detail}")


def rekey(
    conninfo: str,
    schema: str,
    company_id: str,
    keys: KeyFile,
    *,
    keep_history: bool = False,
    ttl: timedelta | None = None,
    on_progress: Progress | None = None,
) -> Rekeyed:
    """Encrypt every value and the creds under the current key, batch by batch, under the lease.

    Stopped at any moment, it goes on at the next call: what is under the current key is left alone.

    Args:
        conninfo: The database.
        schema: Where the package is installed.
        company_id: The account.
        keys: All keys that something is encrypted with.
        keep_history: Leave the earlier creds, which may be plain or under an old key.
        ttl: Of the lease.
        on_progress: Called with the number of values looked at and that of all.

    Raises:
        LeaseLost: Somebody uses the account.
        PlaintextRefused: All was encrypted, and somebody has written plain values since.
    """
    keyring = keys.keyring(company_id)
    with (
        AuthState(conninfo, company_id, schema=schema) as state,
        Database(conninfo, schema, keys.keyring) as database,
        # The same after a restart, which need not wait then until the lease has ended.
        state.lease(f"rekey on {socket.gethostname()}", ttl=ttl) as lease,
    ):
        job = _Rekey(database.company(company_id), keyring, lease, on_progress)
        return job.run(keep_history)


def survey(database: Database, company_id: str, keyring: Keyring) -> Rekeyed:
    """What `rekey` would find. Nothing is written or decrypted, earlier creds are not seen."""
    company = database.company(company_id)
    result = Rekeyed(company_id, keyring.current, complete=True)
    creds = company.stored_creds()
    if creds is not None:
        kid = _kid(creds)
        result._count(kid)
        says_so = is_sealed(creds) and (header(creds) or {}).get("complete") is True
        result.complete = says_so and kid == keyring.current
    for types in company.stats():
        wanted = None if types.key_type in keyring.plain_types else keyring.current
        for page in company.stored_pages(types.key_type, _limit(types)):
            for _, stored, _ in page:
                kid = _kid(_sealed(stored))
                result._count(kid)
                result.complete &= kid == wanted
    return result


class _Rekey:
    def __init__(
        self, company: Company, keyring: Keyring, lease: Held, on_progress: Progress | None
    ) -> None:
        self.company = company
        self.keyring = keyring
        self.lease = lease
        self.progress = on_progress or (lambda done, total: None)
        self.result = Rekeyed(company.company_id, keyring.current)

    def run(self, keep_history: bool) -> Rekeyed:
        self.company.creds()  # says whether plain values are to be refused
        stats = self.company.stats()
        total = sum(types.keys for types in stats)
        done = 0
        for types in stats:
            for page in self.company.stored_pages(types.key_type, _limit(types)):
                self._write(types.key_type, dict(self._anew(types.key_type, page)))
                done += len(page)
                self.progress(done, total)
        self.result.complete = not self.result.left
        version = self.company.creds_version()
        if version is not None:
            self._creds(version)
        if not keep_history and not self.result.left:
            self.lease.check()
            self.result.forgotten = self.company.forget_history(
                self.keyring.current, self.lease.token
            )
        return self.result

    def _anew(self, key_type: str, page: list[StoredRow]) -> Iterator[tuple[str, str]]:
        """Id and JSON text of what is to be written."""
        stays_plain = key_type in self.keyring.plain_types
        opening = self.company.sealing.opening()
        for key_id, stored, _ in page:
            assert stored is not None
            sealed = _sealed(stored)
            kid = _kid(sealed)
            self.result._count(kid)
            if kid == (None if stays_plain else self.keyring.current):
                continue
            if sealed is None:
                opening(key_type, key_id, stored)  # whether plain ones are to be refused
                text = stored.decode()
                yield key_id, self.company.sealed(key_type, key_id, _text(key_type, text))
                continue
            try:
                text = self.company.sealing.opened_text(key_type, key_id, sealed)
            except DecryptionError as error:
                self.result._leave(error)
                continue
            yield key_id, self.company.sealed(key_type, key_id, _text(key_type, text))

    def _write(self, key_type: str, texts: dict[str, str]) -> None:
        if not texts:
            return
        members = ",".join(f"{_wire.compact(key_id)}:{text}" for key_id, text in texts.items())
        self.lease.check()
        self.company.put_keys(f"{{{_wire.compact(key_type)}:{{{members}}}}}", self.lease.token)
        self.result.written += len(texts)

    def _creds(self, version: int) -> None:
        stored = self.company.stored_creds()
        kid = _kid(stored)
        self.result._count(kid)
        found = header(stored) or {} if is_sealed(stored) else {}
        if kid == self.keyring.current and found.get("complete", False) is self.result.complete:
            return
        sealing = self.company.sealing
        text = text_of(stored) if kid is None else sealing.opened_text("creds", None, stored)
        text = _text(None, text)
        creds = _wire.parsed(text)
        self.lease.check()
        self.company.put_creds(
            self.company.sealed_creds(text, creds, complete=self.result.complete),
            version,
            self.lease.token,
        )
        self.result.written += 1


def _sealed(stored: bytes | None) -> str | None:
    """The JWE that is stored, or None for a plain value."""
    if stored is None or not stored.startswith(b'"eyJ'):
        return None
    value = _wire.parsed(stored)
    return value if is_sealed(value) else None


def _kid(value: Value) -> str | None:
    """The key that a value says it is under; None for a plain one."""
    if not is_sealed(value):
        return None
    return str((header(value) or {}).get("kid"))


class _Inexact(Exception):
    """A number that would change by being read and written."""


def _exact(digits: str) -> float:
    number = float(digits)
    if repr(number) != digits:
        raise _Inexact
    return number


_decoder = json.JSONDecoder(parse_float=_exact)


def _text(key_type: str | None, text: str) -> str:
    """The JSON text to encrypt, Buffers in their current form, or the text itself where Python
    cannot read it."""
    try:
        return text_of(values.stored(key_type, text, _decoder.decode(text))[1])
    except (_Inexact, ValueError, RecursionError):
        return text


def _limit(types: KeyStats) -> int:
    return max(1, min(_BATCH_ROWS, _BATCH_BYTES // max(types.largest, 1)))
