"""What the SQL functions promise about the guard, versions, leases and expiry, in Python.

Times are exact, since a superuser sets the clock. Each method is one call: it answers what the
function answers, or raises `Refused`; then nothing has changed.
"""

from __future__ import annotations

import copy
import hashlib
import json
import re
from base64 import urlsafe_b64decode
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone
from decimal import Decimal
from enum import Enum
from typing import Any

DAY = timedelta(days=1)
EPOCH = datetime(1970, 1, 1, tzinfo=timezone.utc)
HISTORY_KEPT = timedelta(days=30)
AUDIT_KEPT = timedelta(days=90)
MAPPINGS = ("lid-mapping", "lid-mapping-reverse")
VITAL = ("creds", "app-state-sync-key", "pre-key", "session", "sender-key")

Place = tuple[str, str, str]
"""Company, key type, key id."""


class Refused(Exception):
    """The call answers with this code."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Word(Enum):
    """True and false of JSON; Python's own are equal to numbers."""

    TRUE = True
    FALSE = False


def loads(text: str | bytes) -> Any:
    """JSON that is equal to other JSON exactly if PostgreSQL says so."""
    return _exact(json.loads(text, parse_float=Decimal, parse_int=Decimal))


def _exact(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _exact(item) for name, item in value.items()}
    if isinstance(value, list):
        return [_exact(item) for item in value]
    return Word(value) if isinstance(value, bool) else value


@dataclass
class Key:
    value: Any
    updated_at: datetime
    expires_at: datetime | None


@dataclass
class Creds:
    value: Any
    version: int
    updated_at: datetime


@dataclass
class Earlier:
    """Creds that are kept in the history."""

    creds: Creds
    replaced_at: datetime
    ends_identity: bool


@dataclass
class Lease:
    holder: str
    token: int
    acquired_at: datetime
    expires_at: datetime
    is_untouched: bool = True
    """Nobody has written without it: it may be resumed."""
    retake_after: datetime | None = None


@dataclass
class Event:
    """A row of the audit log."""

    at: datetime
    company: str | None
    action: str
    holder: str | None
    rows: int | None
    details: Any

    def __lt__(self, other: Event) -> bool:
        return (self.at, str(self)) < (other.at, str(other))


@dataclass
class Account:
    creds: Creds | None = None
    keys: dict[tuple[str, str], Key] = field(default_factory=dict)
    history: list[Earlier] = field(default_factory=list)
    lease: Lease | None = None


# Who creds are


def _text(value: Any) -> str | None:
    return None if value is None else str(value)


def _header(creds: Any) -> dict[str, Any]:
    if not isinstance(creds, str):
        return {}
    part = creds.partition(".")[0]
    found = json.loads(urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    assert isinstance(found, dict)
    return found


def is_paired(creds: Any) -> bool:
    if isinstance(creds, str):
        return _header(creds).get("paired") is True
    name = (creds.get("me") or {}).get("id") or ""
    return creds.get("account") is not None or re.search(":[0-9]+@", name) is not None


def identity(creds: Any) -> str | None:
    if creds is None:
        return None
    if isinstance(creds, str):
        found = _header(creds).get("identity")
        return found if re.fullmatch("[0-9a-f]{32}", found or "") else None
    parts = []
    for name in ("noiseKey", "signedIdentityKey"):
        key = creds[name]
        public = key["public"] if isinstance(key, dict) else key
        parts.append(_text(public["data"] if isinstance(public, dict) else public))
    return hashlib.sha256(".".join(map(str, parts)).encode()).hexdigest()[:32]


def _keys_of(creds: Any) -> tuple[Any, Any] | None:
    return (creds["noiseKey"], creds["signedIdentityKey"]) if isinstance(creds, dict) else None


def is_another(old: Any, new: Any) -> bool:
    """Whether the history keeps `old` as the last of an identity."""
    if _keys_of(old) is not None and _keys_of(old) == _keys_of(new):
        return False
    return identity(old) != identity(new)


def is_guarded_against(old: Any, new: Any) -> bool:
    """Whether the guard refuses `new`, or null, in place of `old`."""
    if old is None or not is_paired(old):
        return False
    if isinstance(old, dict) and isinstance(new, dict):
        return _keys_of(old) != _keys_of(new)
    return identity(old) is None or identity(old) != identity(new)


class Model:
    def __init__(self, now: datetime) -> None:
        self.now = now
        self.accounts: dict[str, Account] = {}
        self.ttls: dict[str, timedelta | None] = {name: 7 * DAY for name in MAPPINGS}
        self.settings: dict[str, str] = {}
        self.audit: list[Event] = []

    def copy(self) -> Model:
        return copy.deepcopy(self)

    def account(self, company: str) -> Account:
        return self.accounts.setdefault(company, Account())

    def exists(self, company: str) -> bool:
        account = self.account(company)
        return account.creds is not None or bool(account.keys)

    # What all writers do

    def is_live(self, company: str) -> bool:
        lease = self.account(company).lease
        return lease is not None and lease.is_untouched and lease.expires_at > self.now

    def _begin_write(self, company: str, token: int | None) -> Account:
        account = self.account(company)
        lease = account.lease
        if token is not None:
            if lease is None or lease.token != token or not self.is_live(company):
                raise Refused("WA002")
        elif self.is_live(company):
            raise Refused("WA002")
        elif lease is not None:
            lease.is_untouched = False
        return account

    def _note(
        self, company: str | None, action: str, rows: int | None, details: Any = None
    ) -> None:
        holder = None
        if company is not None and self.is_live(company):
            lease = self.account(company).lease
            holder = lease.holder if lease else None
        exact = None if details is None else loads(json.dumps(details))
        self.audit.append(Event(self.now, company, action, holder, rows, exact))

    def _next(self, previous: int | None) -> int:
        clock = (self.now - EPOCH) // timedelta(microseconds=1)
        return clock if previous is None else max(previous + 1, clock)

    # Creds

    @property
    def _versions_kept(self) -> int:
        return int(self.settings.get("history_versions", "5"))

    def _store_creds(self, account: Account, value: Any, saved_at: datetime) -> int | None:
        old = account.creds
        if value is None:
            account.creds = None
        elif old is not None and old.value == value:
            account.creds = Creds(value, old.version, saved_at)
        else:
            account.creds = Creds(value, self._next(old.version if old else None), saved_at)
        if old is not None and old.value != value:
            ends = is_another(old.value, value)
            account.history.append(Earlier(old, self.now, ends))
            account.history.sort(key=lambda earlier: -earlier.creds.version)
            account.history = [
                earlier
                for position, earlier in enumerate(account.history)
                if position < self._versions_kept
                or (earlier.ends_identity and earlier.replaced_at > self.now - HISTORY_KEPT)
            ]
        return account.creds.version if account.creds else None

    def _write_creds(
        self, company: str, account: Account, value: Any, expected: int | None, allow: bool
    ) -> int:
        old = account.creds
        if expected is not None and (old is None or old.version != expected):
            raise Refused("WA003")
        if old is not None and old.value == value:
            return old.version
        if old is not None and not allow and is_guarded_against(old.value, value):
            raise Refused("WA005")
        version = self._store_creds(account, value, self.now)
        if old is None:
            self._note(company, "creds_created", 1)
        elif is_another(old.value, value):
            self._note(company, "creds_new_identity", 1)
        assert version is not None
        return version

    def init_creds(self, company: str, creds: Any, token: int | None) -> Any:
        account = self._begin_write(company, token)
        if account.creds is None:
            self._write_creds(company, account, creds, None, False)
            return creds
        return account.creds.value

    def save_creds(
        self, company: str, creds: Any, expected: int | None, token: int | None, allow: bool
    ) -> int:
        account = self._begin_write(company, token)
        return self._write_creds(company, account, creds, expected, allow)

    def restore_creds(self, company: str, version: int, token: int | None) -> int:
        account = self._begin_write(company, token)
        for earlier in account.history:
            if earlier.creds.version == version:
                restored = self._store_creds(account, earlier.creds.value, self.now)
                self._note(company, "creds_restored", 1, {"version": version})
                assert restored is not None
                return restored
        raise Refused("WA004")

    def forget_history(self, company: str, kept_kid: str | None, token: int | None) -> int:
        account = self._begin_write(company, token)
        kept = [
            earlier
            for earlier in account.history
            if kept_kid is not None and _header(earlier.creds.value).get("kid") == kept_kid
        ]
        forgotten = len(account.history) - len(kept)
        account.history = kept
        if forgotten:
            self._note(company, "history_forgotten", forgotten)
        return forgotten

    # Keys

    def _expiry(self, key_type: str, updated_at: datetime) -> datetime | None:
        ttl = self.ttls.get(key_type)
        return None if ttl is None else updated_at + ttl

    def _put(self, account: Account, key_type: str, key_id: str, value: Any, at: datetime) -> None:
        account.keys[key_type, key_id] = Key(value, at, self._expiry(key_type, at))

    def _write_keys(self, account: Account, data: dict[str, dict[str, Any]]) -> int:
        changed = 0
        for key_type, values in data.items():
            for key_id, value in values.items():
                old = account.keys.get((key_type, key_id))
                if value is None:
                    changed += account.keys.pop((key_type, key_id), None) is not None
                elif old is None or old.value != value:
                    self._put(account, key_type, key_id, value, self.now)
                    changed += 1
                elif old.expires_at is not None and (
                    old.updated_at <= self.now - DAY or old.expires_at <= self.now
                ):
                    self._put(account, key_type, key_id, value, self.now)
        return changed

    def set_keys(self, company: str, data: dict[str, dict[str, Any]], token: int | None) -> int:
        return self._write_keys(self._begin_write(company, token), data)

    def save_state(
        self,
        company: str,
        creds: Any,
        data: dict[str, dict[str, Any]],
        token: int | None,
        expected: int | None,
        allow: bool,
    ) -> int:
        account = self._begin_write(company, token)
        version = self._write_creds(company, account, creds, expected, allow)
        self._write_keys(account, data)
        return version

    def get_keys(self, company: str, key_type: str, key_ids: list[str]) -> dict[str, Any]:
        keys = self.account(company).keys
        return {
            key_id: keys[key_type, key_id].value if (key_type, key_id) in keys else None
            for key_id in key_ids
        }

    def clear_keys(self, company: str, key_type: str | None, token: int | None) -> int:
        account = self._begin_write(company, token)
        gone = [place for place in account.keys if key_type in (None, place[0])]
        for place in gone:
            del account.keys[place]
        if gone:
            self._note(company, "keys_cleared", len(gone), {"key_type": key_type})
        return len(gone)

    def delete_company(self, company: str, token: int | None) -> int:
        account = self._begin_write(company, token)
        rows = len(account.keys) + (account.creds is not None)
        if rows:
            self._note(company, "company_deleted", rows)
        self.accounts[company] = Account()
        return rows

    def import_state(
        self, company: str, state: dict[str, Any], mode: str, token: int | None, allow: bool
    ) -> int:
        account = self._begin_write(company, token)
        old, creds = account.creds, state["creds"]
        if mode == "new" and self.exists(company):
            raise Refused("WA006")
        at = self._at(state["creds_updated_at"])
        if mode == "replace":
            is_other = old is not None and old.value != creds
            if old is not None and is_other and not allow and is_guarded_against(old.value, creds):
                raise Refused("WA005")
            given = {(kind, name) for kind, values in state["keys"].items() for name in values}
            for place in account.keys.keys() - given:
                del account.keys[place]
            if creds is None:
                self._store_creds(account, None, at)
        written = 0
        is_same = old is not None and (old.value, old.updated_at) == (creds, at)
        if creds is not None and not is_same and (old is None or mode == "replace"):
            self._store_creds(account, creds, at)
            written += 1
        for key_type, values in state["keys"].items():
            for key_id, value in values.items():
                updated_at = self._at(state["times"].get(key_type, {}).get(key_id))
                kept = account.keys.get((key_type, key_id))
                is_changed = kept is None or (kept.value, kept.updated_at) != (value, updated_at)
                if kept is None or (mode == "replace" and is_changed):
                    self._put(account, key_type, key_id, value, updated_at)
                    written += 1
        if written:
            self._note(company, "imported", written, {"mode": mode})
            if mode == "replace" and old is not None and is_another(old.value, creds):
                self._note(company, "creds_new_identity", 1)
        return written

    def _at(self, given: datetime | None) -> datetime:
        return self.now if given is None else min(given, self.now)

    # Leases

    def acquire_lease(
        self, company: str, holder: str, ttl: timedelta, steal: bool, token: int | None
    ) -> tuple[bool, int | None, str | None, datetime | None]:
        account = self.account(company)
        lease, is_live = account.lease, self.is_live(company)
        if lease is None:
            if token is not None:
                return False, None, None, None
            return self._give(company, holder, ttl, None, None)
        is_own = lease.holder == holder
        is_resumed = is_own and lease.token == token and lease.is_untouched
        has_just_retaken = lease.retake_after is not None and lease.retake_after > self.now
        is_taken = is_live and token is None and (not is_own or has_just_retaken)
        if (token is not None and not is_resumed) or (is_taken and not steal):
            # Who goes on asking is told so as long as it does.
            is_told = is_own and is_taken and lease.retake_after is not None
            if is_told and lease.retake_after < self.now + ttl / 2:
                lease.retake_after = self.now + ttl
            return False, None, lease.holder, lease.expires_at
        retake_after = None
        if is_live and is_own:
            retake_after = self.now + ttl if token is None else lease.retake_after
        action = None
        if not is_own or is_taken:
            action = "lease_stolen" if is_live else "lease_acquired"
        return self._give(company, holder, ttl, retake_after, lease, action)

    def _give(
        self,
        company: str,
        holder: str,
        ttl: timedelta,
        retake_after: datetime | None,
        before: Lease | None,
        action: str | None = "lease_acquired",
    ) -> tuple[bool, int | None, str | None, datetime | None]:
        token = self._next(before.token if before else None)
        lease = Lease(holder, token, self.now, self.now + ttl, retake_after=retake_after)
        self.account(company).lease = lease
        if action is not None:
            self._note(company, action, None, {"from": before.holder} if before else None)
        return True, token, holder, lease.expires_at

    def renew_lease(self, company: str, token: int, ttl: timedelta) -> datetime:
        lease = self._begin_write(company, token).lease
        assert lease is not None
        lease.expires_at = self.now + ttl
        return lease.expires_at

    def release_lease(self, company: str, token: int) -> bool:
        lease = self.account(company).lease
        if lease is None or lease.token != token or not self.is_live(company):
            return False
        self._note(company, "lease_released", None)
        lease.expires_at = self.now
        return True

    # Settings and expiry

    def configure(self, name: str, value: str | None, default: str) -> str:
        before = self.settings.get(name, default)
        if value == self.settings.get(name):
            return before
        if value is None:
            del self.settings[name]
        else:
            self.settings[name] = value
        details = {"setting": name, "from": before, "to": self.settings.get(name, default)}
        self._note(None, "configured", None, details)
        return before

    def set_ttl(self, key_type: str, ttl: timedelta | None, force: bool) -> int:
        if ttl is not None and not force and key_type in VITAL:
            raise Refused("WA006")
        is_new = key_type not in self.ttls or self.ttls[key_type] != ttl
        self.ttls[key_type] = ttl
        changed = 0
        for account in self.accounts.values():
            for (kind, _), key in account.keys.items():
                expires_at = self._expiry(kind, key.updated_at)
                if kind == key_type and key.expires_at != expires_at:
                    key.expires_at = expires_at
                    changed += 1
        if is_new or changed:
            self._note(None, "ttl_changed", changed, {"key_type": key_type})
        return changed

    def fates(self, company: str | None) -> dict[Place, Key | None]:
        """What cleanup may do to each key: remove it (None), or renew it so."""
        fates: dict[Place, Key | None] = {}
        for name, account in self.accounts.items():
            if company in (None, name) and not self.is_live(name):
                for place, fate in _Cleanup(self, account).fates():
                    fates[(name, *place)] = fate
        return fates

    def unit(self, place: Place) -> tuple[Any, ...]:
        """What goes together with it: both halves of a mapping."""
        company, key_type, key_id = place
        if key_type not in MAPPINGS:
            return place
        mapping = _Mapping(key_type, key_id, self.account(company).keys[key_type, key_id])
        return (company, *mapping.pair)

    def cleaned(self, company: str | None, removed: set[Place], renewed: set[Place]) -> None:
        """Cleanup has removed and renewed these."""
        fates = self.fates(company)
        for place in removed | renewed:
            fate = fates[place]
            account = self.account(place[0])
            if fate is None:
                del account.keys[place[1:]]
                if account.lease is not None:
                    account.lease.is_untouched = False
            else:
                account.keys[place[1:]] = fate
        if removed:
            self._note(company, "cleanup", len(removed))
        elif company is None:
            self._tidy_up()

    def _tidy_up(self) -> None:
        for account in self.accounts.values():
            if account.lease is not None and account.lease.expires_at < self.now - DAY:
                account.lease = None
            account.history = [
                earlier
                for position, earlier in enumerate(account.history)
                if not earlier.ends_identity
                or earlier.replaced_at >= self.now - HISTORY_KEPT
                or position < self._versions_kept
            ]
        self.audit = [event for event in self.audit if event.at >= self.now - AUDIT_KEPT]


class _Mapping:
    """A row of lid-mapping or lid-mapping-reverse: one half of a pair."""

    def __init__(self, key_type: str, key_id: str, key: Key) -> None:
        self.is_reverse = key_type == MAPPINGS[1] or key_id.endswith("_reverse")
        self.name = key_id.removesuffix("_reverse")
        is_name = isinstance(key.value, str) and re.fullmatch("[0-9A-Za-z_-]{1,40}", key.value)
        self.other: str | None = key.value if is_name else None

    @property
    def pair(self) -> tuple[Any, Any]:
        return (self.other, self.name) if self.is_reverse else (self.name, self.other)


class _Cleanup:
    """What becomes of the expired keys of an account."""

    def __init__(self, model: Model, account: Account) -> None:
        self.model = model
        self.keys = account.keys
        self.mappings = {
            place: _Mapping(*place, key)
            for place, key in account.keys.items()
            if place[0] in MAPPINGS
        }
        self.users = {
            key_id[: match.start()]
            for key_type, key_id in account.keys
            if key_type == "session"
            for match in re.finditer("[._]", key_id)
        }
        self.unreadable = {
            (mapping.name, mapping.is_reverse)
            for mapping in self.mappings.values()
            if mapping.other is None
        }

    def _is_expired(self, key: Key) -> bool:
        return key.expires_at is not None and key.expires_at <= self.model.now

    def fates(self) -> Iterator[tuple[tuple[str, str], Key | None]]:
        for place, key in self.keys.items():
            if not self._is_expired(key):
                continue
            mapping = self.mappings.get(place)
            if mapping is None:
                yield place, None
            elif self._is_in_use(mapping):
                yield place, self._renewed(place, self.model.now)
            elif self._lives(mapping):
                at = max(self.keys[half].updated_at for half in self._halves(mapping, place))
                renewed = self._renewed(place, at)
                if renewed.expires_at is not None and renewed.expires_at > self.model.now:
                    yield place, renewed
            else:
                yield place, None

    def _renewed(self, place: tuple[str, str], at: datetime) -> Key:
        return Key(self.keys[place].value, at, self.model._expiry(place[0], at))

    def _is_in_use(self, mapping: _Mapping) -> bool:
        """A session is there for either side, or what the pair is cannot be read."""
        if mapping.other is None or self.users & {mapping.name, mapping.other}:
            return True
        halves = {(mapping.other, not mapping.is_reverse), (mapping.name, mapping.is_reverse)}
        return bool(self.unreadable & halves)

    def _lives(self, mapping: _Mapping) -> bool:
        return any(
            other.pair == mapping.pair and not self._is_expired(self.keys[place])
            for place, other in self.mappings.items()
            if other.other is not None
        )

    def _halves(self, mapping: _Mapping, place: tuple[str, str]) -> Iterator[tuple[str, str]]:
        return (
            each
            for each, other in self.mappings.items()
            if each != place and other.other is not None and other.pair == mapping.pair
        )
