"""Many folders at once, each job in a process of its own.

Memory is that of one account per job, however many folders there are. A job ends with the process
that started it: what it had not committed by then is taken back.
"""

from __future__ import annotations

import gc
import os
import subprocess
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias, TypeVar

import psycopg

from .._command_hints import hint_of
from ..errors import AuthStateError
from ..keyfiles import KeyFile
from .database import Database
from .importing import Imported, Options, import_folder
from .problems import FolderError, Note

if TYPE_CHECKING:
    from ..encryption import Keyring

__all__ = [
    "Failed",
    "Outcome",
    "Step",
    "Task",
    "company_folders",
    "company_of",
    "guarded",
    "import_all",
    "import_one",
    "seldom_collect_garbage",
]


@dataclass(frozen=True, slots=True)
class Task:
    """What all jobs have in common."""

    conninfo: str
    schema: str
    options: Options
    keys: KeyFile | None = None

    @property
    def keyring(self) -> Callable[[str], Keyring] | None:
        return None if self.keys is None else self.keys.keyring


@dataclass(slots=True)
class Failed:
    """A folder that was not imported, and why; nothing of it was written."""

    company_id: str
    folder: str
    error: str
    detail: str | None = None
    hint: str | None = None
    problems: list[Note] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class Step:
    """How far a folder is: so many files of all were read, or written."""

    company_id: str
    step: str
    done: int
    total: int


T = TypeVar("T")
Outcome: TypeAlias = "Imported | Failed"
Listener: TypeAlias = Callable[[Step], None]


def company_folders(root: Path) -> list[Path]:
    """The folders named company_… in a folder, by name; links included."""
    with os.scandir(root) as entries:
        names = sorted(e.name for e in entries if e.name.startswith("company_") and e.is_dir())
    return [root / name for name in names]


def company_of(folder: Path) -> str:
    """The account that a folder is of: 962302 for company_962302, else the name of the folder."""
    return folder.name.removeprefix("company_") or folder.name


def import_one(
    database: Database,
    path: Path,
    company_id: str,
    options: Options,
    on_step: Listener | None = None,
    may_commit: Callable[[], bool] | None = None,
) -> Outcome:
    """Import a folder; what goes wrong with it is the outcome."""

    def progress(step: str, done: int, total: int) -> None:
        if on_step is not None:
            on_step(Step(company_id, step, done, total))

    return guarded(
        lambda: import_folder(
            database, path, company_id, options, on_progress=progress, may_commit=may_commit
        ),
        company_id,
        path,
    )


def guarded(job: Callable[[], T], company_id: str, path: Path) -> T | Failed:
    """What the job gives; what it raises that concerns this folder alone is given, too."""
    try:
        return job()
    except FolderError as error:
        return Failed(company_id, str(path), error.message, None, error.hint, error.problems)
    except AuthStateError as error:
        return Failed(company_id, str(path), error.message, error.detail, hint_of(error))
    except psycopg.Error as error:  # its CONTEXT may quote values
        diag = error.diag
        message = diag.message_primary or str(error).partition("\n")[0]
        return Failed(company_id, str(path), message, diag.message_detail, diag.message_hint)
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        reason = error.strerror or type(error).__name__
        return Failed(company_id, str(path), f"{where}{reason}")
    except Exception as error:  # a mistake of ours, which must not stop the others
        return Failed(company_id, str(path), f"this should not happen: {_raised(error)}")


def _raised(error: Exception) -> str:
    """Which error, and where; not what it says, which may be a value."""
    last = traceback.extract_tb(error.__traceback__)[-1]
    return f"{type(error).__name__} in {Path(last.filename).name}, line {last.lineno}"


def seldom_collect_garbage() -> None:
    """For a process that only imports: parsed JSON has no cycles to be looked for."""
    gc.freeze()
    gc.set_threshold(100_000, 100, 100)


def import_all(
    task: Task, folders: Iterable[Path], jobs: int, on_step: Listener | None = None
) -> Iterator[Outcome]:
    """Import every folder as the account it is named after; the outcomes as they come."""
    if jobs == 1:
        with Database(task.conninfo, task.schema, task.keyring) as database:
            for path in folders:
                yield import_one(database, path, company_of(path), task.options, on_step)
        return
    waiting = iter(folders)
    workers: dict[Connection[Any, Any], _Worker] = {}
    try:
        for path in waiting:
            worker = _Worker(task, on_step is not None)
            workers[worker.connection] = worker
            worker.give(path)
            if len(workers) == jobs:
                break
        while workers:
            for connection in wait(list(workers)):
                assert isinstance(connection, Connection)
                worker = workers[connection]
                message = worker.answer()
                if isinstance(message, Step):
                    if on_step is not None:
                        on_step(message)
                    continue
                yield message
                if worker.is_gone:
                    del workers[connection]
                    worker.end()
                path_or_none = next(waiting, None)
                if path_or_none is None:
                    if not worker.is_gone:
                        del workers[connection]
                        worker.end()
                    continue
                if worker.is_gone:
                    worker = _Worker(task, on_step is not None)
                    workers[worker.connection] = worker
                worker.give(path_or_none)
    finally:
        for worker in workers.values():
            worker.end(kill=True)


class _Worker:
    """Another process, and the folder that it is at."""

    def __init__(self, task: Task, wants_steps: bool) -> None:
        self.connection, theirs = Pipe()
        self.path = Path()
        self.is_gone = False
        with theirs:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "pg_auth_state.files.worker", str(theirs.fileno())],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
            )
        self.connection.send((task, wants_steps))

    def give(self, path: Path) -> None:
        self.path = path
        with suppress(OSError):  # it is gone: the answer will say so
            self.connection.send(path)

    def answer(self) -> Step | Outcome:
        try:
            message: Step | Outcome = self.connection.recv()
            return message
        except (EOFError, OSError):
            self.is_gone = True
            status = self._process.wait()
            return Failed(
                company_of(self.path),
                str(self.path),
                f"the process that imported it ended with status {status}",
                hint="It may be there, or not: run the import again.",
            )

    def end(self, *, kill: bool = False) -> None:
        self.connection.close()
        if kill:
            self._process.kill()
        self._process.wait()
