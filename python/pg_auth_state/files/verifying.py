"""A folder against the database, key by key."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from .._wire import Value
from . import mappings
from .database import Company, Database
from .folder import Account, Entry, read_account
from .names import CREDS, file_name
from .problems import Note
from .values import same

__all__ = ["Verified", "verify_folder"]

_BATCH = 500
_BATCH_BYTES = 8_000_000
_MOST_DIFFERENCES = 10_000


@dataclass(slots=True)
class Verified:
    """Whether folder and database hold the same account.

    `differences` names files, the first 10,000 of `differing`; keys that only the database has by
    the files they would be in. `expired` are LID mappings that an import leaves out, and that the
    database does not have.
    """

    company_id: str
    folder: str
    equal: int = 0
    differing: int = 0
    differences: list[Note] = field(default_factory=list)
    expired: list[Note] = field(default_factory=list)
    ignored: list[Note] = field(default_factory=list)

    def differ(self, name: str, reason: str) -> None:
        self.differing += 1
        if len(self.differences) < _MOST_DIFFERENCES:
            self.differences.append(Note(name, reason))


def verify_folder(
    database: Database,
    path: Path,
    company_id: str,
    *,
    allow_unknown: bool = False,
    lid_ttl: timedelta | None = mappings.TTL,
) -> Verified:
    """Compare every key of the folder with the database, and every key there with the folder.

    Raises:
        FolderError: Something is wrong with a file; `problems` names all.
    """
    company = database.company(company_id)
    account = read_account(
        path, allow_unknown=allow_unknown, without_creds=True, opened=company.opened_file
    )
    result = Verified(company_id, str(path), ignored=account.ignored)
    with database.snapshot():
        _compare_creds(company, account, result)
        expired = {entry.name: note for entry, note in mappings.plan(account, lid_ttl).skipped}
        there = company.stats()
        largest = {stats.key_type: stats.largest for stats in there}
        for batch in _batches(account.keys, largest):
            _compare_keys(company, account, batch, expired, result)
        ours = {(entry.key_type, entry.key_id) for entry in account.keys}
        for stats in there:
            for key_id in company.ids(stats.key_type):
                if (stats.key_type, key_id) not in ours:
                    result.differ(file_name(stats.key_type, key_id), "is only in the database")
    result.differences.sort(key=lambda note: note.file)
    return result


def _compare_creds(company: Company, account: Account, result: Verified) -> None:
    there = company.creds()
    ours: Value = None if account.creds is None else account.content(account.creds)[1]
    _compare(CREDS, ours, there, result)


def _compare(name: str, ours: Value, there: Value, result: Verified) -> None:
    if ours is None and there is None:
        return
    if there is None:
        result.differ(name, "is only in the folder")
    elif ours is None:
        result.differ(name, "is only in the database")
    elif same(ours, there):
        result.equal += 1
    else:
        result.differ(name, "has another value in the database")


def _compare_keys(
    company: Company,
    account: Account,
    batch: list[Entry],
    expired: dict[str, Note],
    result: Verified,
) -> None:
    wanted: dict[str, list[str]] = {}
    for entry in batch:
        wanted.setdefault(entry.type, []).append(entry.key_id)
    found = company.keys(wanted)
    for entry in batch:
        there = found[entry.type][entry.key_id]
        if there is None and entry.name in expired:
            result.expired.append(expired[entry.name])
        else:
            _compare(entry.name, account.content(entry)[1], there, result)


def _batches(keys: list[Entry], largest: dict[str, int]) -> Iterator[list[Entry]]:
    """Not more at once than what is bearable, in the folder and in the database."""
    batch: list[Entry] = []
    size = 0
    for entry in keys:
        bytes_ = max(entry.size, largest.get(entry.type, 0))
        if batch and (len(batch) == _BATCH or size + bytes_ > _BATCH_BYTES):
            yield batch
            batch, size = [], 0
        batch.append(entry)
        size += bytes_
    if batch:
        yield batch
