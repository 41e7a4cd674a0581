"""A folder into the database: one account whole, or not at all.

Read and check every file, back the folder up, write everything in one transaction, read it back in
that transaction and compare, commit.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal, TypeAlias

from .._identity import has_identity_of, is_paired
from .._wire import Value
from ..errors import AuthStateError, IdentityChangeRefused, UnsafeRequest
from . import mappings
from .backup import Backup
from .database import NOTHING, Company, Database, quoted, utc
from .folder import Account, Entry, check_within, read_account
from .problems import Note
from .values import same

__all__ = ["Imported", "Mode", "Options", "import_folder"]

Mode: TypeAlias = Literal["new", "merge", "replace"]
Progress: TypeAlias = Callable[[str, int, int], None]

# How much JSON goes into one call: far below what one jsonb can hold, far above most accounts.
CHUNK = 8_000_000


@dataclass(frozen=True, slots=True)
class Options:
    """How to import; the same for many folders.

    Args:
        mode: "new" refuses an account that exists, "merge" adds the keys that are missing,
            "replace" leaves nothing of what was there.
        backup: Where the archive goes, None is beside the folder; or False for none.
        allow_new_identity: Replace the creds of a paired account by those of another identity.
        allow_unknown: Take types of keys that are not known.
        without_creds: Take a folder without creds.json.
        lid_ttl: How old LID mappings without a session may be; None is any age.
        resume: An account that is there already with the same content is no error.
        dry_run: Only say what would be done.
        within: The folder must not be a link to somewhere outside of this one.
        chunk: How much JSON one call takes.
    """

    mode: Mode = "new"
    backup: Path | Literal[False] | None = None
    allow_new_identity: bool = False
    allow_unknown: bool = False
    without_creds: bool = False
    lid_ttl: timedelta | None = mappings.TTL
    resume: bool = False
    dry_run: bool = False
    within: Path | None = None
    chunk: int = CHUNK


@dataclass(slots=True)
class Imported:
    """What became of a folder.

    `status` is "imported", "would be imported" or "there already". `keys` counts the keys of the
    folder by type, `written` the rows that were written. `skipped` are LID mappings that have
    outlived their time, `ignored` files that are none of the account's, `kept` keys that a merge
    found in the database with another value. `replaced` counts what there was before, by type.
    """

    company_id: str
    folder: str
    status: str
    files: int
    creds: bool
    keys: dict[str, int]
    written: int = 0
    skipped: list[Note] = field(default_factory=list)
    ignored: list[Note] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    replaced: dict[str, int] | None = None
    backup: str | None = None


def import_folder(
    database: Database,
    path: Path,
    company_id: str,
    options: Options = Options(),
    *,
    on_progress: Progress | None = None,
    may_commit: Callable[[], bool] | None = None,
) -> Imported:
    """Bring the account in `path` into the database.

    Args:
        database: Where to.
        path: A folder of `useMultiFileAuthState`.
        company_id: The account that it becomes.
        options: How.
        on_progress: Called with what is done ("read", "write"), how many files of how many.
        may_commit: Asked at the very end; false takes everything back.

    Raises:
        FolderError: Something is wrong with a file; `problems` names all. Nothing was written.
        UnsafeRequest: The account exists, and the mode is "new".
        LeaseLost: Somebody uses the account in the database.
        IdentityChangeRefused: The account in the database is another one.
    """
    company = database.company(company_id)
    if options.within is not None:
        check_within(path, options.within)
    backup = None
    if options.backup is not False and not options.dry_run:
        backup = Backup(path.name, options.backup or path.absolute().parent)
    job = _Import(company, path, options, on_progress)
    try:
        return job.run(backup, may_commit)
    except AuthStateError as error:
        error.company_id = company_id
        raise
    finally:
        if backup is not None:
            backup.discard()


class _Exists(Exception):
    """The account is there, and must not be."""

    def __init__(self, refusal: UnsafeRequest) -> None:
        self.refusal = refusal


class _Import:
    def __init__(
        self, company: Company, path: Path, options: Options, on_progress: Progress | None
    ) -> None:
        self.company = company
        self.path = path
        self.options = options
        self.progress = on_progress or (lambda step, done, total: None)

    def run(self, backup: Backup | None, may_commit: Callable[[], bool] | None) -> Imported:
        account = read_account(
            self.path,
            allow_unknown=self.options.allow_unknown,
            without_creds=self.options.without_creds,
            sink=None if backup is None else backup.add,
            on_progress=lambda done, total: self.progress("read", done, total),
            opened=self.company.opened_file,
        )
        more = self.company.ids("session") if self.options.mode == "merge" else ()
        plan = mappings.plan(account, self.options.lid_ttl, more)
        left_out = {entry.name for entry, _ in plan.skipped}
        account.keys = [entry for entry in account.keys if entry.name not in left_out]
        report = Imported(
            company_id=self.company.company_id,
            folder=str(self.path),
            status="would be imported" if self.options.dry_run else "imported",
            files=account.files,
            creds=account.creds is not None,
            keys=account.counts(),
            skipped=[note for _, note in plan.skipped],
            ignored=account.ignored,
        )
        try:
            archive = self._commit(account, plan.times, report, backup, may_commit)
        except _Exists as exists:
            if not self.options.resume or not self._holds_the_same(account):
                raise exists.refusal from None
            report.status = "there already"
            return report
        report.backup = None if archive is None else str(archive)
        return report

    def _commit(
        self,
        account: Account,
        times: dict[str, int | None],
        report: Imported,
        backup: Backup | None,
        may_commit: Callable[[], bool] | None,
    ) -> Path | None:
        """Everything that is one transaction, and the backup, without which it must not be."""
        archive = None
        is_done = False
        try:
            with self.company.database.writing():
                self._probe()
                if self.options.mode != "new":
                    self._check_identity(account)
                if self.options.mode == "replace":
                    report.replaced = self._what_is_there()
                if self.options.dry_run:
                    return None
                if backup is not None:
                    archive = backup.finish()
                self._write(account, times, report)
                is_done = may_commit is None or may_commit()
                if not is_done:
                    raise UnsafeRequest("the import was given up; nothing was written")
        finally:
            # After the commit was asked for nobody knows; before, nothing has happened.
            if archive is not None and not is_done:
                archive.unlink(missing_ok=True)
        return archive

    def _probe(self) -> None:
        """Whether the account may be written, before it is backed up; from now on it is locked."""
        mode: Mode = "new" if self.options.mode == "new" else "merge"
        try:
            self.company.write(NOTHING, mode)
        except UnsafeRequest as refusal:
            if mode == "new":
                raise _Exists(refusal) from None
            raise

    def _holds_the_same(self, account: Account) -> bool:
        if sum(stats.keys for stats in self.company.stats()) != len(account.keys):
            return False
        if not same(self.company.creds(), _creds(account)):
            return False
        return not any(map(self._differing, self._chunks(account, {})))

    def _check_identity(self, account: Account) -> None:
        """A merge of two accounts would be neither; a replacement asks before it backs up."""
        merging = self.options.mode == "merge"
        ours, there = _creds(account), self.company.creds()
        if (ours is None and merging) or (self.options.allow_new_identity and not merging):
            return
        if is_paired(there) and not has_identity_of(ours, there):
            raise IdentityChangeRefused(
                f"{self.company.company_id} is paired in the database, and the creds in the "
                "folder are another identity",
                hint="Two accounts cannot be merged."
                if merging
                else "Add --allow-new-identity if the one in the database may be lost.",
            )

    def _what_is_there(self) -> dict[str, int]:
        there = {stats.key_type: stats.keys for stats in self.company.stats()}
        return {"creds": int(self.company.creds() is not None), **there}

    def _write(self, account: Account, times: dict[str, int | None], report: Imported) -> None:
        mode: Mode = self.options.mode
        creds = _creds(account)
        expected = done = 0
        for chunk in self._chunks(account, times):
            expected += len(chunk.keys) + (done == 0 and creds is not None)
            report.written += self.company.write(
                chunk.state(), mode, self.options.allow_new_identity
            )
            if self.options.mode == "new" and report.written != expected:
                raise _not_the_same(f"{expected} rows were sent, {report.written} written")
            differing = self._differing(chunk)
            if self.options.mode == "merge":
                report.kept += differing
            elif differing:
                raise _not_the_same(f"{differing[0]} is not what was sent")
            mode = "merge"
            done += len(chunk.keys)
            self.progress("write", done, len(account.keys))
        if self.options.mode == "merge":
            return
        if not _equal(self.company.creds(), creds):
            raise _not_the_same("the creds are not what was sent")
        if self.options.mode == "replace":
            there = sum(stats.keys for stats in self.company.stats())
            if there != done:
                raise _not_the_same(f"{done} keys were sent, {there} are there")

    def _differing(self, chunk: _Chunk) -> list[str]:
        """The files whose keys in the database are missing or other ones."""
        if not chunk.keys:
            return []
        there = self.company.keys({key_type: list(ids) for key_type, ids in chunk.values.items()})
        if there == chunk.values:
            return []
        return [
            entry.name
            for entry in chunk.keys
            if not _equal(there[entry.type][entry.key_id], chunk.values[entry.type][entry.key_id])
        ]

    def _chunks(self, account: Account, times: dict[str, int | None]) -> Iterator[_Chunk]:
        """The account as states of about the size that one call takes; the first has the creds."""
        chunk = _Chunk()
        if account.creds is not None:
            text, creds = account.content(account.creds)
            # An account that is there before may have plain values, unless they are all replaced.
            text = self.company.sealed_creds(text, creds, complete=self.options.mode != "merge")
            chunk.add_creds(text, account.creds.mtime_ns)
        for entry in account.keys:
            text, value = account.content(entry)
            text = self.company.sealed(entry.type, entry.key_id, text)
            if chunk.keys and chunk.size + len(text) > self.options.chunk:
                yield chunk
                chunk = _Chunk()
            chunk.add(entry, text, value, times.get(entry.name, entry.mtime_ns))
        yield chunk


class _Chunk:
    """A part of an account as `auth_import` takes it, put together from the text of its files."""

    def __init__(self) -> None:
        self.keys: list[Entry] = []
        self.values: dict[str, dict[str, Value]] = {}
        self.size = 0
        self._creds = ""
        self._texts: dict[str, list[str]] = {}
        self._times: dict[str, list[str]] = {}

    def add_creds(self, text: str, mtime_ns: int) -> None:
        self._creds = f',"creds":{text},"creds_updated_at":"{utc(mtime_ns)}"'
        self.size += len(text)

    def add(self, entry: Entry, text: str, value: Value, mtime_ns: int | None) -> None:
        """Take a key in; without a time it counts as written now."""
        key_type, key_id = entry.type, entry.key_id
        if key_type not in self.values:
            self.values[key_type], self._texts[key_type], self._times[key_type] = {}, [], []
        name = quoted(key_id)
        self.keys.append(entry)
        self.values[key_type][key_id] = value
        self._texts[key_type].append(f"{name}:{text}")
        if mtime_ns is not None:
            self._times[key_type].append(f'{name}:["{utc(mtime_ns)}"]')
        self.size += len(text)

    def state(self) -> str:
        return (
            f'{{"format":1{self._creds},"keys":{_object(self._texts)},'
            f'"times":{_object(self._times)}}}'
        )


def _object(members: dict[str, list[str]]) -> str:
    """{type: {id: …}} of the members of the inner objects."""
    inner = (f"{quoted(name)}:{{{','.join(texts)}}}" for name, texts in members.items())
    return f"{{{','.join(inner)}}}"


def _creds(account: Account) -> Value:
    return None if account.creds is None else account.content(account.creds)[1]


def _equal(left: Value, right: Value) -> bool:
    return bool(left == right) or same(left, right)


def _not_the_same(detail: str) -> UnsafeRequest:
    return UnsafeRequest(
        "what was read back is not what was written; nothing was kept", detail=detail
    )
