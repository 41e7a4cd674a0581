"""`FileAuthState`: the methods of `AuthState` over a folder of `useMultiFileAuthState`."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from threading import RLock
from types import TracebackType
from typing import Any, Literal, NoReturn, cast, overload

from .. import _wire
from .._calls import encoded_state, parsed_time
from .._identity import encoded_creds, has_identity_of, is_paired, is_sealed
from .._reading import Reader
from .._sealing import Sealing
from .._wire import Value
from ..errors import IdentityChangeRefused, InvalidInput, NotFound, UnsafeRequest
from ..rows import KeyRow
from .atomic import Aside, remove_leftovers, sync_folder, write_file
from .database import from_ns, to_ns, utc
from .folder import Account, Entry, read_account, read_file
from .names import CREDS, file_name, key_of
from .problems import FolderError, Note
from .values import BadValue, parsed, same, stored, text_for_file

__all__ = ["FileAuthState"]


class FileAuthState:
    """The auth state of one account in a folder, as Baileys' `useMultiFileAuthState` keeps it.

    For going back to files, and for programs that are to run on either store. The methods are those
    of `AuthState`, and so are values, answers and the protection of a paired account's creds. Every
    file is written whole or not at all, and an unreadable one is an error and never "missing".

    What files cannot do: a batch of several keys is not atomic, nobody keeps a second process from
    writing, keys do not expire, and creds have no versions. Methods for leases, and arguments that
    name a lease or a version, raise `UnsafeRequest`.

    Args:
        folder: Made at the first write.
        company_id: The account; the folder's name unless given.
    """

    def __init__(self, folder: str | Path, company_id: str | None = None) -> None:
        self.folder = Path(folder)
        name = self.folder.name if company_id is None else company_id
        self.company_id = _wire.text(name, "company_id")
        self._reader = Reader(self.company_id)
        self._lock = RLock()
        self._is_tidy = False

    def __repr__(self) -> str:
        return f"<{type(self).__name__} company_id={self.company_id!r}>"

    def close(self) -> None:
        """Nothing is kept open."""

    def __enter__(self) -> FileAuthState:
        return self

    def __exit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        self.close()

    # Creds

    def get_creds(self) -> dict[str, Any] | None:
        """The creds; None only when there is no creds.json. No failure is ever None."""
        creds = self._reader.usable(self._opened(CREDS, None))
        return cast("dict[str, Any] | None", self._reader.decoded_creds(creds))

    def init_creds(
        self, creds: Mapping[str, Any], *, lease_token: int | None = None
    ) -> dict[str, Any]:
        """Store these creds if there are none; the ones that are stored afterwards."""
        _no_lease(lease_token)
        new = encoded_creds(creds)
        with self._lock:
            if self.get_creds() is None:
                self._write(CREDS, new)
            return cast("dict[str, Any]", self.get_creds())

    def save_creds(
        self,
        creds: Mapping[str, Any],
        *,
        expected_version: int | None = None,
        lease_token: int | None = None,
        allow_new_identity: bool = False,
    ) -> int:
        """Store the creds; the time of writing in microseconds, where a database has a version.

        Raises:
            IdentityChangeRefused: They are another identity than the paired creds that are there.
        """
        _no_lease(lease_token)
        _no_version(expected_version)
        new = encoded_creds(creds)
        with self._lock:
            old = self._stored(CREDS, None)
            if is_paired(old) and not has_identity_of(new, old) and not allow_new_identity:
                raise IdentityChangeRefused(
                    f"{self.company_id} is paired, and these creds are another identity",
                    detail="creds.noiseKey or creds.signedIdentityKey differs or is missing.",
                    hint="A new identity is delete_company(), then init_creds().",
                    company_id=self.company_id,
                )
            self._write(CREDS, new)
            return (self.folder / CREDS).stat().st_mtime_ns // 1000

    # Keys

    @overload
    def get_keys(
        self, keys: Mapping[str, Iterable[str]], /
    ) -> dict[str, dict[str, Value | None]]: ...

    @overload
    def get_keys(self, key_type: str, key_ids: Iterable[str], /) -> dict[str, Value | None]: ...

    def get_keys(
        self, keys: Mapping[str, Iterable[str]] | str, key_ids: Iterable[str] | None = None, /
    ) -> Any:
        """Keys of several types, or of one; those that are not there are None."""
        if key_ids is not None:
            key_type = _wire.text(keys, "key_type")
            return {
                key_id: self._read(key_type, key_id) for key_id in _wire.texts(key_ids, "key_ids")
            }
        wanted: dict[str, list[str]] = json.loads(_wire.dumps_wanted(keys))
        return {key_type: self.get_keys(key_type, ids) for key_type, ids in wanted.items()}

    def set_keys(
        self, data: Mapping[str, Mapping[str, Value | None]], *, lease_token: int | None = None
    ) -> int:
        """Write a batch of keys, one after the other; how many files really changed."""
        _no_lease(lease_token)
        batch = _wire.encoded_keys(data)
        with self._lock:
            names = [file_name(key_type, i) for key_type, ids in batch.items() for i in ids]
            if len(set(names)) != len(names):
                raise UnsafeRequest("two keys of the batch would be one file")
            return sum(
                self._set(file_name(key_type, key_id), key_type, value)
                for key_type, values in batch.items()
                for key_id, value in values.items()
            )

    def save_state(
        self,
        creds: Mapping[str, Any],
        data: Mapping[str, Mapping[str, Value | None]],
        *,
        lease_token: int | None = None,
        expected_version: int | None = None,
        allow_new_identity: bool = False,
    ) -> int:
        """Store the keys, then the creds; what `save_creds()` gives."""
        _wire.encoded_keys(data)
        with self._lock:
            version = self.save_creds(
                creds,
                expected_version=expected_version,
                lease_token=lease_token,
                allow_new_identity=allow_new_identity,
            )
            self.set_keys(data)
            return version

    def list_keys(
        self, key_type: str, *, after: str | None = None, limit: int = 1000, values: bool = True
    ) -> list[KeyRow]:
        """One page of the keys of a type, by id in byte order. Files do not expire."""
        if _wire.whole(limit, "limit", bits=32) < 1:
            raise InvalidInput("invalid limit", detail="limit: it begins at 1")
        rows = [
            KeyRow(
                entry.key_id,
                self._read(key_type, entry.key_id, entry.name) if values else None,
                from_ns(entry.mtime_ns),
                None,
            )
            for entry in sorted(
                self._account(decrypt=values).keys, key=lambda entry: entry.key_id.encode()
            )
            if entry.key_type == key_type
            and (after is None or entry.key_id.encode() > after.encode())
        ]
        return rows[:limit]

    def clear_keys(self, key_type: str | None = None, *, lease_token: int | None = None) -> int:
        """Delete the keys of one type, or all keys, and leave the creds; how many there were."""
        _no_lease(lease_token)
        with self._lock:
            doomed = [e for e in self._entries() if key_type is None or e.key_type == key_type]
            for entry in doomed:
                (self.folder / entry.name).unlink()
            return len(doomed)

    # The account

    def delete_company(self, *, lease_token: int | None = None) -> int:
        """Log out: delete the folder and all that is in it; how many files of the account."""
        _no_lease(lease_token)
        with self._lock:
            if not self.folder.exists():
                return 0
            count = len(self._entries()) + (self.folder / CREDS).exists()
            shutil.rmtree(self.folder)
            return count

    def export(self, *, decrypt: bool = False) -> dict[str, Any]:
        """The whole account, as `import_state()` of either store takes it."""
        with self._lock:
            account = self._account(decrypt=decrypt)
            if account.creds is None and not account.keys:
                raise NotFound(f"there is no account in {self.folder}", company_id=self.company_id)
            state: dict[str, Any] = {"format": 1, "creds": None, "creds_updated_at": None}
            if account.creds is not None:
                state["creds"] = self._reader.decoded_creds(account.content(account.creds)[1])
                state["creds_updated_at"] = utc(account.creds.mtime_ns)
            keys: dict[str, dict[str, Value]] = {}
            times: dict[str, dict[str, list[str | None]]] = {}
            for entry in account.keys:
                value = account.content(entry)[1]
                value = self._reader.decoded(entry.type, entry.key_id, value)
                keys.setdefault(entry.type, {})[entry.key_id] = value
                at = utc(entry.mtime_ns)
                times.setdefault(entry.type, {})[entry.key_id] = [at, None]
            return {**state, "keys": keys, "times": times}

    def import_state(
        self,
        state: Mapping[str, Any],
        *,
        mode: Literal["new"] = "new",
        lease_token: int | None = None,
        allow_new_identity: bool = False,
    ) -> int:
        """Store what `export()` of either store gave, all or nothing; how many files.

        Raises:
            UnsafeRequest: The folder exists, or the mode is another one than "new".
        """
        _no_lease(lease_token)
        if mode != "new":
            raise UnsafeRequest("files take a whole account into a new folder only")
        checked = _checked(encoded_state(state))
        with self._lock:
            if self.folder.exists():
                raise UnsafeRequest(f"{self.folder} exists already")
            aside = Aside(self.folder.absolute(), folder=True)
            try:
                count = FileAuthState(aside.path, self.company_id)._fill(checked)
                aside.finish()
            finally:
                aside.discard()
            return count

    def _fill(self, state: dict[str, Any]) -> int:
        files: dict[str, tuple[Value, str | None]] = {}
        if state.get("creds") is not None:
            files[CREDS] = state["creds"], state.get("creds_updated_at")
        for key_type, values in state["keys"].items():
            for key_id, value in values.items():
                name = file_name(key_type, key_id)
                if name in files:
                    raise UnsafeRequest(f"two keys would be one file, {name}")
                times = state["times"].get(key_type, {}).get(key_id)
                files[name] = value, times[0] if times else None
        for name, (value, at) in files.items():
            self._write(name, value, None if at is None else parsed_time(at))
        return len(files)

    # Leases and versions

    def creds_version(self) -> NoReturn:
        """Files have no versions."""
        raise _no_versions()

    def creds_history(self) -> NoReturn:
        """Files have no versions."""
        raise _no_versions()

    def restore_creds(self, version: int, **options: object) -> NoReturn:
        """Files have no versions."""
        raise _no_versions()

    def forget_history(self, **options: object) -> NoReturn:
        """Files have no versions."""
        raise _no_versions()

    def lease(self, holder: str, **options: object) -> NoReturn:
        """Files have no leases."""
        raise _no_leases()

    def acquire_lease(self, holder: str, **options: object) -> NoReturn:
        """Files have no leases."""
        raise _no_leases()

    def renew_lease(self, token: int, **options: object) -> NoReturn:
        """Files have no leases."""
        raise _no_leases()

    def release_lease(self, token: int) -> NoReturn:
        """Files have no leases."""
        raise _no_leases()

    # Files

    def _account(self, *, decrypt: bool = False) -> Account:
        if not self.folder.exists():
            return Account(self.folder)
        opened = self._refused if decrypt else None
        return read_account(self.folder, allow_unknown=True, without_creds=True, opened=opened)

    def _refused(self, key_type: str | None, key_id: str, text: str, value: Value) -> NoReturn:
        """Files of an export that was not decrypted: a program would take them for values."""
        sealing = Sealing(None, self.company_id)
        if key_type is None:
            sealing.opened_creds(value)
        sealing.opened(str(key_type), key_id, value)
        raise AssertionError

    def _entries(self) -> list[Entry]:
        return self._account().keys

    def _stored(self, name: str, key_type: str | None) -> Value:
        """A value as the database would hold it; None when there is no such file."""
        try:
            content = read_file(self.folder, name)
            return stored(key_type, *parsed(content))[1]
        except FileNotFoundError:
            return None
        except BadValue as bad:
            raise FolderError(self.folder, [Note(name, str(bad))]) from None

    def _opened(self, name: str, key_type: str | None) -> Value:
        """A value as it is stored; an encrypted one is refused."""
        value = self._stored(name, key_type)
        if is_sealed(value):
            key = key_of(name)
            self._refused(key_type, name if key is None else key[1], "", value)
        return value

    def _read(self, key_type: str, key_id: str, name: str | None = None) -> Value:
        value = self._opened(name or file_name(key_type, key_id), key_type)
        return self._reader.decoded(key_type, key_id, value)

    def _set(self, name: str, key_type: str, value: Value) -> bool:
        path = self.folder / name
        if value is None:
            existed = path.exists()
            path.unlink(missing_ok=True)
            return existed
        try:
            if same(self._stored(name, key_type), value):
                return False
        except FolderError:
            pass  # torn: written anew
        self._write(name, value)
        return True

    def _write(self, name: str, value: Value, at: datetime | None = None) -> None:
        if not self.folder.exists():
            self.folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            sync_folder(self.folder.parent)
        elif not self._is_tidy:
            remove_leftovers(self.folder)
        self._is_tidy = True
        write_file(self.folder / name, text_for_file(value), None if at is None else to_ns(at))


def _checked(state: dict[str, Any]) -> dict[str, Any]:
    """A state of which the files can be written; what the database looks at, too."""
    if state.get("format") != 1:
        raise InvalidInput("invalid state", detail="state.format: it is not 1")
    at = state.get("creds_updated_at")
    if at is not None and not _is_time(at):
        raise InvalidInput("invalid state", detail="state.creds_updated_at: it is no UTC time")
    times = state["times"] = {} if state.get("times") is None else state["times"]
    for key_type, of_type in times.items() if isinstance(times, dict) else [("", times)]:
        for key_id, pair in of_type.items() if isinstance(of_type, dict) else [("", of_type)]:
            if not (isinstance(pair, list) and pair and _is_time(pair[0])):
                raise InvalidInput(
                    "invalid state",
                    detail=f"state.times[{json.dumps(key_type)}][{json.dumps(key_id)}]: "
                    "an array that begins with a UTC time is expected",
                )
    return state


def _is_time(value: object) -> bool:
    try:
        return isinstance(value, str) and parsed_time(value).tzinfo is not None
    except ValueError:
        return False


def _no_lease(token: int | None) -> None:
    if token is not None:
        raise _no_leases()


def _no_leases() -> UnsafeRequest:
    return UnsafeRequest(
        "files have no leases", hint="Run one process per account, or use the database."
    )


def _no_version(version: int | None) -> None:
    if version is not None:
        raise _no_versions()


def _no_versions() -> UnsafeRequest:
    return UnsafeRequest("creds in files have no versions", hint="Use the database.")
