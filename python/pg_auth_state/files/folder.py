"""A folder of `useMultiFileAuthState`, read as one account."""

# Hundreds of thousands of files: os is several times faster than pathlib.
# ruff: noqa: PTH116, PTH120, PTH208

from __future__ import annotations

import errno
import hashlib
import json
import os
import stat
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import NoReturn

from .._identity import fault_of_creds, is_sealed
from .._wire import Value
from ..errors import InvalidInput
from .names import CREDS, NAMES, file_name, guessed_key, key_of
from .problems import FolderError, Note
from .values import BadValue, parsed, stored

__all__ = ["Account", "Entry", "check_within", "read_account", "read_file"]

# Beyond this much content the rest is read again when it is written: an account may have 2 GB.
KEPT_BYTES = 64 * 1024 * 1024

_MAPPINGS = ("lid-mapping", "lid-mapping-reverse")

_OPEN = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0)
_NO_FOLLOW = getattr(os, "O_NOFOLLOW", 0)

Sink = Callable[[str, bytes, int], None]
"""Takes every file of the folder: name, content and time in nanoseconds."""

Opened = Callable[[str | None, str, str, Value], tuple[str, Value]]
"""Given the key of a file, its text and value, gives text and value as they are to be taken:
decrypted."""


@dataclass(slots=True)
class Entry:
    """One file of the account. `key_type` is None for creds.json."""

    name: str
    key_type: str | None
    key_id: str
    mtime_ns: int
    size: int
    digest: bytes | None = None
    kept: tuple[str, Value] | None = None

    @property
    def type(self) -> str:
        """The type of a key, which creds have none of."""
        assert self.key_type is not None
        return self.key_type


@dataclass(slots=True)
class Account:
    """What a folder holds: creds (None if there are none), keys, and what is no part of it."""

    path: Path
    creds: Entry | None = None
    keys: list[Entry] = field(default_factory=list)
    ignored: list[Note] = field(default_factory=list)
    opened: Opened | None = None

    def content(self, entry: Entry) -> tuple[str, Value]:
        """The text and value of an entry, as the database is to hold them."""
        if entry.kept is not None:
            return entry.kept
        content, _ = _read(f"{self.path}/", entry.name)
        if hashlib.sha256(content).digest() != entry.digest:
            _changed(self.path, entry.name)
        return self.taken(entry.key_type, entry.key_id, *parsed(content))

    def taken(
        self, key_type: str | None, key_id: str, text: str, value: Value
    ) -> tuple[str, Value]:
        """Text and value of a file as the database is to hold them."""
        text, value = stored(key_type, text, value)
        if self.opened is not None and is_sealed(value):
            text, value = self.opened(key_type, key_id, text, value)
        return text, value

    @property
    def files(self) -> int:
        return len(self.keys) + (self.creds is not None)

    def counts(self) -> dict[str, int]:
        """How many keys of each type there are."""
        counts: dict[str, int] = {}
        for entry in self.keys:
            counts[entry.type] = counts.get(entry.type, 0) + 1
        return dict(sorted(counts.items()))


def read_account(
    path: Path,
    *,
    allow_unknown: bool = False,
    without_creds: bool = False,
    sink: Sink | None = None,
    on_progress: Callable[[int, int], None] | None = None,
    kept_bytes: int = KEPT_BYTES,
    opened: Opened | None = None,
) -> Account:
    """Read and check every file of a folder.

    Args:
        path: The folder.
        allow_unknown: Take types of keys that are not known, by the names of their files.
        without_creds: Even if there is no creds.json.
        sink: Given each file of the folder, also those that are no part of the account.
        on_progress: Called with the number of files read and that of all.
        kept_bytes: How much content is kept in memory, at most.
        opened: Asked about every encrypted value.

    Raises:
        FolderError: Something is wrong with a file; all that is, is named.
    """
    account = Account(path, opened=opened)
    return _Reading(account, allow_unknown, sink, kept_bytes).run(without_creds, on_progress)


def check_within(path: Path, root: Path) -> None:
    """Refuse a folder that is a link to somewhere outside of `root`."""
    if root.resolve() not in path.resolve().parents:
        raise FolderError(
            root,
            [Note(path.name, "is a symbolic link out of the folder")],
            hint="Import it by its own path.",
        )


class _Reading:
    def __init__(
        self, account: Account, allow_unknown: bool, sink: Sink | None, kept_bytes: int
    ) -> None:
        self.account = account
        self.path = account.path
        self.home = f"{self.path}/"
        self.allow_unknown = allow_unknown
        self.sink = sink
        self.room = kept_bytes
        self.problems: list[Note] = []
        self.named: dict[str, tuple[str, str]] = {}

    def run(self, without_creds: bool, on_progress: Callable[[int, int], None] | None) -> Account:
        names = _names(self.path)
        if NAMES in names:
            self._read_names()
        seen: dict[str, tuple[int, int] | None] = {}
        for number, name in enumerate(names):
            try:
                seen[name] = self._file(name)
            except BadValue as bad:
                self.problems.append(Note(_printable(name), str(bad)))
            except OSError as error:
                self.problems.append(Note(_printable(name), f"cannot be read: {error.strerror}"))
            if on_progress is not None and number % 256 == 255:
                on_progress(number + 1, len(names))
        self._duplicates()
        if CREDS not in names and not without_creds:
            self.problems.append(Note(CREDS, "is missing"))
        if self.problems:
            raise FolderError(self.path, self.problems, hint=self._hint())
        self._unchanged(seen)
        return self.account

    def _hint(self) -> str | None:
        if any(note.file == CREDS and note.reason != "is missing" for note in self.problems):
            return "Stop the client, and restore creds.json: nothing can stand in for it."
        if any("no known type" in note.reason for note in self.problems):
            return "Move files that are none of the account's away, or take them: --allow-unknown."
        if any("torn" in note.reason or "empty" in note.reason for note in self.problems):
            return "Stop the client, and restore the file or, if it can be lost, delete it."
        return None

    def _file(self, name: str) -> tuple[int, int] | None:
        """Read one file; its time and size, unless it is none of ours."""
        if not name.endswith(".json"):
            self._other(name)
            return None
        content, status = _read(self.home, name)
        mtime_ns, size = status.st_mtime_ns, len(content)
        if self.sink is not None:
            self.sink(name, content, mtime_ns)
        key_type, key_id = self._key(name)
        text, value = self.account.taken(key_type, key_id, *parsed(content))
        if value is None:
            if key_type is None:
                raise BadValue("holds null, no creds")
            self.account.ignored.append(Note(name, "holds null, which stands for no key"))
            return mtime_ns, status.st_size
        entry = Entry(name, key_type, key_id, mtime_ns, size)
        # Of LID mappings it has to be known later which go together; they are small.
        if self.room >= size or key_type in _MAPPINGS:
            self.room -= size
            entry.kept = text, value
        else:
            entry.digest = hashlib.sha256(content).digest()
        if key_type is not None:
            self.account.keys.append(entry)
        else:
            fault = fault_of_creds(value)
            if fault is not None:
                raise BadValue(_no_creds(*fault))
            self.account.creds = entry
        return mtime_ns, status.st_size

    def _key(self, name: str) -> tuple[str | None, str]:
        if name == CREDS:
            return None, ""
        if not name.isascii():
            try:
                name.encode()
            except UnicodeEncodeError:
                raise BadValue("has a name that is not UTF-8") from None
        key = self.named.get(name) or key_of(name)
        if key is None and self.allow_unknown:
            key = guessed_key(name)
        if key is None:
            raise BadValue("is of no known type of key")
        return key

    def _other(self, name: str) -> None:
        """A file that the library does not read: in the backup, and nowhere else."""
        status = os.stat(self.path / name, follow_symlinks=False)
        kind = "not a file of keys"
        if not stat.S_ISREG(status.st_mode):
            kind = "a folder" if stat.S_ISDIR(status.st_mode) else "not a regular file"
            kind += ", and not backed up"
        elif self.sink is not None:
            content, status = _read(self.home, name)
            self.sink(name, content, status.st_mtime_ns)
        if name != NAMES:
            self.account.ignored.append(Note(_printable(name), kind))

    def _read_names(self) -> None:
        """What an export says about names that do not tell their key."""
        try:
            for line in _read(self.home, NAMES)[0].decode().splitlines():
                name, key_type, key_id = json.loads(line)
                if file_name(key_type, key_id) != name:
                    raise ValueError
                self.named[name] = key_type, key_id
        except (ValueError, TypeError, AttributeError, OSError):
            self.problems.append(Note(NAMES, "is not as an export wrote it"))

    def _duplicates(self) -> None:
        first: dict[tuple[str | None, str], str] = {}
        for entry in self.account.keys:
            other = first.setdefault((entry.key_type, entry.key_id), entry.name)
            if other != entry.name:
                self.problems.append(Note(entry.name, f"is the same key as {other}"))

    def _unchanged(self, seen: dict[str, tuple[int, int] | None]) -> None:
        """A client that is still running would be copied in the middle of a step."""
        name = "the folder"
        try:
            with os.scandir(self.path) as entries:
                for entry in entries:
                    name = entry.name
                    was = seen.pop(name)
                    if was is not None:
                        status = entry.stat()
                        if (status.st_mtime_ns, status.st_size) != was:
                            _changed(self.path, name)
        except (KeyError, OSError):  # a new file, or one that has gone
            _changed(self.path, name)
        if seen:
            _changed(self.path, next(iter(seen)))


def _no_creds(member: str, reason: str) -> str:
    return f"is no creds: {member} {reason}" if member else reason


def _changed(path: Path, name: str) -> NoReturn:
    raise FolderError(
        path,
        [Note(name, "changed while it was read")],
        hint="Stop the client that uses the folder, then do it again.",
    )


def _names(path: Path) -> list[str]:
    try:
        return sorted(os.listdir(path))
    except FileNotFoundError:
        raise InvalidInput(f"there is no folder {path}") from None
    except OSError as error:
        raise InvalidInput(f"{path} cannot be read: {error.strerror}") from None


def _read(home: str, name: str) -> tuple[bytes, os.stat_result]:
    """The whole content of a file of the folder itself, and its status. `home` ends with /."""
    target = home + name
    try:
        fd = os.open(target, _OPEN | _NO_FOLLOW)
    except OSError as error:
        if error.errno != errno.ELOOP:
            raise
        real = os.path.realpath(target)
        if os.path.dirname(real) != os.path.realpath(home):
            raise BadValue("is a symbolic link out of the folder") from None
        fd = os.open(real, _OPEN | _NO_FOLLOW)
    try:
        status = os.fstat(fd)
        if not stat.S_ISREG(status.st_mode):
            raise BadValue("is not a regular file")
        content = os.read(fd, status.st_size + 1)
        if len(content) != status.st_size:  # a short read, or a file that grew
            parts = [content]
            while part := os.read(fd, 1 << 20):
                parts.append(part)
            content = b"".join(parts)
        return content, status
    finally:
        os.close(fd)


def read_file(path: Path, name: str) -> bytes:
    """The content of one file of a folder.

    Raises:
        BadValue: It is no regular file, or lies elsewhere.
    """
    return _read(f"{path}/", name)[0]


def _printable(name: str) -> str:
    return name.encode(errors="backslashreplace").decode()
