"""`pg-auth-state import`, `verify` and `export`."""

from __future__ import annotations

import json
import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict
from datetime import timedelta
from functools import partial
from pathlib import Path
from typing import Any

import typer

from ..errors import InvalidInput
from ..files.database import Database
from ..files.exporting import export_folder
from ..files.folder import check_within
from ..files.importing import Imported
from ..files.jobs import (
    Failed,
    Outcome,
    Step,
    Task,
    company_folders,
    company_of,
    guarded,
    import_all,
    import_one,
    seldom_collect_garbage,
)
from ..files.problems import Note
from ..files.verifying import Verified, verify_folder
from ..keyfiles import KeyFile
from ._cleanup import seconds
from .errors import lines
from .options import counted
from .output import listed, named, say

_MOST_LINES = 100


def duration(text: str) -> timedelta | None:
    """7d, 36h; None for "never"."""
    if text == "never":
        return None
    return timedelta(seconds=seconds(text, "--lid-ttl"))


def run_import(
    task: Task,
    folder: Path,
    company: str | None,
    jobs: int | None,
    all_companies: bool,
    as_json: bool,
) -> None:
    seldom_collect_garbage()
    folders = _folders(folder, all_companies)
    with Database(task.conninfo, task.schema) as database:
        database.check()
    with progress(len(folders) if all_companies else None) as on_step:
        if all_companies:
            listener = on_step if on_step.is_shown else None
            outcomes = import_all(task, folders, _jobs(jobs, len(folders)), listener)
        else:
            outcomes = _one(task, folders[0], company, on_step)
        _report(_seen(outcomes, on_step), as_json, all_companies)


def _one(
    task: Task, path: Path, company: str | None, on_step: Callable[[Step], None]
) -> Iterator[Outcome]:
    with Database(task.conninfo, task.schema, task.keyring) as database:
        yield import_one(database, path, company or company_of(path), task.options, on_step)


def run_verify(
    conninfo: str,
    schema: str,
    folder: Path,
    company: str | None,
    all_companies: bool,
    allow_unknown: bool,
    lid_ttl: timedelta | None,
    keys: KeyFile | None,
    as_json: bool,
) -> None:
    def outcomes() -> Iterator[Verified | Failed]:
        with Database(conninfo, schema, None if keys is None else keys.keyring) as database:
            database.check()
            for path in _folders(folder, all_companies):
                name = company or company_of(path)
                yield guarded(partial(compare, database, path, name), name, path)

    def compare(database: Database, path: Path, name: str) -> Verified:
        if all_companies:
            check_within(path, folder)
        return verify_folder(database, path, name, allow_unknown=allow_unknown, lid_ttl=lid_ttl)

    _report(outcomes(), as_json, all_companies)


def run_export(
    conninfo: str,
    schema: str,
    company: str,
    folder: Path,
    keys: KeyFile | None,
    as_json: bool,
) -> None:
    keyring = None if keys is None else keys.keyring
    with Database(conninfo, schema, keyring) as database, progress(None) as on_step:

        def on_progress(done: int, total: int) -> None:
            on_step(Step(company, "write", done, total))

        exported = export_folder(database, company, folder, on_progress=on_progress)
    if as_json:
        typer.echo(json.dumps(asdict(exported), indent=2))
        return
    what = f"{'creds' if exported.creds else 'no creds'} and {_keys(exported.keys)}"
    say(f"{named(company)}: exported {what} to {exported.folder}")


# On any system a name of a folder, with room for what is added while it is written.
_NAME = re.compile(
    r"[^\s.\x00-\x1f/\\:*?\"<>|](?:[^\x00-\x1f/\\:*?\"<>|]*[^\s.\x00-\x1f/\\:*?\"<>|])?"
)
_LONGEST_NAME = 230


def default_folder(company: str) -> Path:
    """./company_COMPANY, if that names a folder right here."""
    name = f"company_{company}"
    if _NAME.fullmatch(company) and company.isprintable() and len(name.encode()) <= _LONGEST_NAME:
        return Path(name)
    raise InvalidInput(
        f"{named(company)} is no name of a folder",
        hint="Give one: pg-auth-state export COMPANY FOLDER",
    )


def _folders(folder: Path, all_companies: bool) -> list[Path]:
    if not all_companies:
        return [folder if folder.name not in ("", "..") else folder.resolve()]
    if not folder.is_dir():
        raise InvalidInput(f"there is no folder {folder}")
    folders = company_folders(folder)
    if not folders:
        raise InvalidInput(f"there is no folder company_* in {folder}")
    return folders


def _jobs(wanted: int | None, folders: int) -> int:
    available = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    # Twice the processors: while one job waits for the disk or the server another one works.
    return max(1, min(wanted or 2 * (available or 1), folders))


def _report(outcomes: Iterable[Any], as_json: bool, all_companies: bool) -> None:
    """Print each outcome as it comes, and end with exit code 1 if one of them is bad."""
    totals: dict[str, int] = {}
    if as_json:
        typer.echo('{"companies": [', nl=False)
    for number, outcome in enumerate(outcomes):
        kind = _kind(outcome)
        totals[kind] = totals.get(kind, 0) + 1
        if as_json:
            document = {"status": kind, **asdict(outcome)}
            typer.echo((",\n" if number else "\n") + json.dumps(document), nl=False)
        else:
            _print(outcome)
    bad = totals.get("failed", 0) + totals.get("different", 0)
    if as_json:
        typer.echo("\n], " + json.dumps({"totals": totals})[1:])
    elif all_companies:
        parts = ", ".join(f"{number:,} {kind}" for kind, number in totals.items())
        say(f"{counted(sum(totals.values()), 'folder')}: {parts}")
    if bad:
        raise typer.Exit(1)


def _kind(outcome: Imported | Verified | Failed) -> str:
    if isinstance(outcome, Failed):
        return "failed"
    if isinstance(outcome, Verified):
        return "different" if outcome.differing else "equal"
    return outcome.status


def _print(outcome: Imported | Verified | Failed) -> None:
    if isinstance(outcome, Failed):
        for line in failure(outcome):
            say(line, err=True)
    elif isinstance(outcome, Verified):
        _print_verified(outcome)
    else:
        _print_imported(outcome)


def failure(outcome: Failed) -> Iterator[str]:
    """What went wrong with an account, in lines."""
    first, *rest = lines(outcome.error, outcome.detail, outcome.hint)
    yield first.replace("error: ", f"error: {named(outcome.company_id)}: ", 1)
    yield from _some(outcome.problems, len(outcome.problems))
    yield from rest


def _some(notes: list[Note], total: int) -> Iterator[str]:
    yield from (f"  {note}" for note in notes[:_MOST_LINES])
    if total > _MOST_LINES:
        yield f"  and {total - _MOST_LINES:,} more: --json"


def _print_imported(outcome: Imported) -> None:
    what = f"{'creds' if outcome.creds else 'no creds'} and {_keys(outcome.keys)}"
    rows = ""
    if outcome.status == "imported" and outcome.written != outcome.files:
        rows = f"; {counted(outcome.written, 'row')} written"
    say(f"{named(outcome.company_id)}: {outcome.status}, {what}{rows}")
    if outcome.replaced is not None:
        creds = "creds" if outcome.replaced["creds"] else "no creds"
        keys = {name: number for name, number in outcome.replaced.items() if name != "creds"}
        verb = "would replace" if outcome.status == "would be imported" else "replaced"
        say(f"  {verb} {creds} and {_keys(keys)}")
    if outcome.kept:
        _print_list("kept in the database, where it has another value", outcome.kept)
    if outcome.skipped:
        reason = "left out, LID mappings past their time without a session"
        _print_list(reason, [note.file for note in outcome.skipped])
    _print_ignored(outcome.ignored)
    if outcome.backup is not None:
        say(f"  backup: {outcome.backup}")


def _print_verified(outcome: Verified) -> None:
    if outcome.differing:
        say(
            f"{named(outcome.company_id)}: {counted(outcome.differing, 'difference')}, "
            f"{outcome.equal:,} equal"
        )
        for line in _some(outcome.differences, outcome.differing):
            say(line)
    else:
        say(f"{named(outcome.company_id)}: equal, {counted(outcome.equal, 'file')}")
    if outcome.expired:
        reason = "not in the database, LID mappings past their time without a session"
        _print_list(reason, [note.file for note in outcome.expired])
    _print_ignored(outcome.ignored)


def _print_ignored(notes: list[Note]) -> None:
    if notes:
        _print_list("no part of the account", [f"{note.file} ({note.reason})" for note in notes])


def _print_list(what: str, items: list[str]) -> None:
    say(f"  {what}: {listed(items, len(items), _MOST_LINES)}")


def _keys(counts: dict[str, int]) -> str:
    total = counted(sum(counts.values()), "key")
    if not counts:
        return total
    parts = (f"{number:,} {named(name)}" for name, number in counts.items())
    return f"{total} ({listed(parts, len(counts))})"


class _Listener:
    """Takes steps, and where there is a terminal shows them."""

    def __init__(self, progress: Any, total: Any) -> None:
        self._progress = progress
        self._total = total
        self._tasks: dict[str, Any] = {}

    @property
    def is_shown(self) -> bool:
        return self._progress is not None

    def __call__(self, step: Step) -> None:
        if not self.is_shown:
            return
        task = self._tasks.get(step.company_id)
        if task is None:
            task = self._tasks[step.company_id] = self._progress.add_task("")
        text = f"{named(step.company_id)}, {step.step}"
        self._progress.update(task, completed=step.done, total=step.total, description=text)

    def finished(self, company_id: str) -> None:
        if not self.is_shown:
            return
        task = self._tasks.pop(company_id, None)
        if task is not None:
            self._progress.remove_task(task)
        if self._total is not None:
            self._progress.advance(self._total)


def _seen(outcomes: Iterable[Outcome], listener: _Listener) -> Iterator[Outcome]:
    for outcome in outcomes:
        listener.finished(outcome.company_id)
        yield outcome


@contextmanager
def progress(folders: int | None) -> Iterator[_Listener]:
    """A bar for each account and one for all of them; on a terminal only."""
    if not sys.stderr.isatty():
        yield _Listener(None, None)
        return
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

    columns = TextColumn("{task.description}", markup=False), BarColumn(), MofNCompleteColumn()
    with Progress(*columns, console=Console(stderr=True), transient=True) as progress:
        total = None if folders is None else progress.add_task("all accounts", total=folders)
        yield _Listener(progress, total)
