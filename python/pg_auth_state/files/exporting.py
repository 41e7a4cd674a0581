"""An account out of the database into a folder that `useMultiFileAuthState` opens."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import datetime, timezone
from glob import escape
from pathlib import Path
from typing import Any, TypeAlias

import psycopg

from .._calls import parsed_time
from .._reading import named
from .._wire import Value
from ..errors import InvalidInput, NotFound, UnsafeRequest
from .atomic import Aside, remove_leftovers
from .database import Company, Database, to_ns
from .names import CREDS, NAMES, file_name, key_of
from .values import BadValue, text_for_file

__all__ = ["Exported", "export_folder"]

# An account that is not larger is read by one call, any other page by page. These are bytes as
# stored: what is compressed there is up to 255 times as long here.
WHOLE_BYTES = 16_000_000
_PAGE_BYTES = 1_000_000
_PAGE_ROWS = 1000


@dataclass(slots=True)
class Exported:
    """What was written. `creds` is false if the account has none."""

    company_id: str
    folder: str
    creds: bool
    keys: dict[str, int] = field(default_factory=dict)


def export_folder(
    database: Database,
    company_id: str,
    path: Path,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    whole_bytes: int = WHOLE_BYTES,
) -> Exported:
    """Write the account as a folder, all of it or nothing.

    Args:
        database: Where from. Reading is one snapshot; nothing is written, a replica will do.
        company_id: The account.
        path: The folder, which must not be there.
        on_progress: Called with the number of keys written and that of all.
        whole_bytes: Up to which size an account is read by one call.

    Raises:
        NotFound: There is no such account.
        UnsafeRequest: The folder exists, or two keys would be one file.
    """
    if os.path.lexists(path):
        raise UnsafeRequest(
            f"{path} exists already",
            hint="An export never overwrites: move it away, or name another folder.",
        )
    target = path.absolute()
    if not target.parent.is_dir():
        raise InvalidInput(f"there is no folder {path.parent}")
    remove_leftovers(target.parent, f"{escape(target.name)}.")
    company = database.company(company_id)
    aside = Aside(target, folder=True)
    try:
        with database.snapshot():
            export = _Export(company, aside.path, on_progress)
            exported = export.run(path, whole_bytes)
        export.sync()
        if os.path.lexists(path):
            raise UnsafeRequest(f"{path} has been made meanwhile")
        aside.finish()
    finally:
        aside.discard()
    return exported


_Account: TypeAlias = (
    "tuple[Value, datetime | None, Iterator[tuple[str, str, Value, datetime | None]]]"
)
"""Creds, their time, and type, id, value and time of each key."""


def _time(text: str | None) -> datetime | None:
    """The time; the last there is for one beyond Python's, None for one that never comes."""
    try:
        return None if text is None else parsed_time(text)
    except ValueError:
        return datetime.max.replace(tzinfo=timezone.utc)


class _Export:
    def __init__(
        self, company: Company, folder: Path, on_progress: Callable[[int, int], None] | None
    ) -> None:
        self.company = company
        self.folder = folder
        self.progress = on_progress or (lambda done, total: None)
        self.names: list[str] = []
        self.unclear: list[str] = []

    def run(self, path: Path, whole_bytes: int) -> Exported:
        stats = self.company.stats()
        whole = None
        if sum(types.bytes for types in stats) <= whole_bytes:
            whole = self._whole()
        if whole is None:
            whole = self.company.creds(), self.company.creds_time(), self._paged()
        creds, creds_at, rows = whole
        exported = Exported(self.company.company_id, str(path), creds is not None)
        if creds is not None:
            self._write(CREDS, "the creds", creds, creds_at)
        elif not stats:
            raise NotFound(f"there is no account {json.dumps(self.company.company_id)}")
        total = sum(types.keys for types in stats)
        for number, (key_type, key_id, value, at) in enumerate(rows):
            name = file_name(key_type, key_id)
            self._write(name, named(key_type, key_id), value, at)
            if key_of(name) != (key_type, key_id):
                self.unclear.append(json.dumps([name, key_type, key_id]))
            exported.keys[key_type] = exported.keys.get(key_type, 0) + 1
            if number % 256 == 255:
                self.progress(number + 1, total)
        if self.unclear:
            # What a name does not tell is told here, so that an import gives the same account.
            text = "".join(f"{line}\n" for line in self.unclear)
            self._create(NAMES, text.encode(), None)
        return exported

    def _whole(self) -> _Account | None:
        """All in one answer; None if that is too large for one."""
        try:
            with self.company.database.savepoint():
                state = self.company.whole()
        except NotFound:
            return None, None, iter(())
        except psycopg.errors.ProgramLimitExceeded:
            return None

        def rows() -> Iterator[tuple[str, str, Value, datetime | None]]:
            for key_type, values in state["keys"].items():
                times: dict[str, Any] = state["times"][key_type]
                for key_id, value in values.items():
                    yield key_type, key_id, value, _time(times[key_id][0])

        return state["creds"], _time(state["creds_updated_at"]), rows()

    def _paged(self) -> Iterator[tuple[str, str, Value, datetime | None]]:
        for types in self.company.stats():
            limit = max(1, min(_PAGE_ROWS, _PAGE_BYTES // max(types.largest, 1)))
            for page in self.company.pages(types.key_type, limit):
                for key_id, value, at in page:
                    yield types.key_type, key_id, value, at

    def _write(self, name: str, what: str, value: Value, at: datetime | None) -> None:
        try:
            self._create(name, text_for_file(value), at)
        except BadValue as bad:
            raise UnsafeRequest(f"{what} {bad}, and no file can hold it") from None
        except FileExistsError:
            raise UnsafeRequest(
                f"{what} and another key would be one file, {name}",
                detail="The library would read one of them for both.",
                hint="Delete the one that is wrong: " + self._clashing(name),
            ) from None
        except (OSError, ValueError) as error:
            reason = getattr(error, "strerror", None) or "the file system does not take the name"
            raise UnsafeRequest(f"{what} cannot be written to {name}: {reason}") from None

    def _clashing(self, name: str) -> str:
        keys = [
            named(types.key_type, key_id)
            for types in self.company.stats()
            for key_id in self.company.ids(types.key_type)
            if file_name(types.key_type, key_id).casefold() == name.casefold()
        ]
        return " or ".join(keys)

    def _create(self, name: str, content: bytes, at: datetime | None) -> None:
        path = f"{self.folder}/{name}"
        fd = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        try:
            with open(fd, "wb", closefd=False) as file:
                file.write(content)
            if at is not None:
                os.utime(path, ns=(to_ns(at), to_ns(at)))
        finally:
            os.close(fd)
        self.names.append(name)

    def sync(self) -> None:
        """Let the content of all files outlive a power failure."""
        for name in self.names:
            fd = os.open(f"{self.folder}/{name}", os.O_RDONLY)
            try:
                os.fsync(fd)
            finally:
                os.close(fd)
