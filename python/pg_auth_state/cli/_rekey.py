"""`pg-auth-state rekey`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import asdict
from functools import partial
from pathlib import Path

import typer

from .._sync.client import AuthState
from ..errors import NotFound
from ..files.database import Database
from ..files.jobs import Failed, Step, guarded
from ..keyfiles import KeyFile
from ..rekeying import OTHER_KEYS, PLAIN, Rekeyed, rekey, survey
from ._files import failure, progress
from .options import counted
from .output import MOST, named, printable, say


def run(
    conninfo: str,
    schema: str,
    companies: list[str],
    keys: KeyFile,
    *,
    check: bool,
    keep_history: bool,
    as_json: bool,
) -> None:
    """All accounts if none is named; exit code 1 if one of them is not under the current key."""
    names = companies or list(_all(conninfo, schema))
    is_bad = False
    documents = []
    with Database(conninfo, schema) as database, progress(len(names)) as on_step:
        for name in names:

            def on_progress(done: int, total: int, name: str = name) -> None:
                on_step(Step(name, "check" if check else "rekey", done, total))

            if check:
                job = partial(_surveyed, database, name, keys)
            else:
                job = partial(
                    rekey,
                    conninfo,
                    schema,
                    name,
                    keys,
                    keep_history=keep_history,
                    on_progress=on_progress,
                )
            outcome = guarded(job, name, Path(name))
            on_step.finished(name)
            is_bad |= isinstance(outcome, Failed) or not outcome.complete
            if as_json:
                documents.append(_document(outcome))
            else:
                _print(outcome, check)
    if as_json:
        typer.echo(json.dumps({"companies": documents}, indent=2))
    if is_bad:
        raise typer.Exit(1)


def _all(conninfo: str, schema: str) -> Iterator[str]:
    with AuthState(conninfo, schema=schema) as state:
        after = None
        while page := state.list_companies(after=after):
            for company in page:
                yield company.company_id
            after = page[-1].company_id


def _surveyed(database: Database, company: str, keys: KeyFile) -> Rekeyed:
    found = survey(database, company, keys.keyring(company))
    if not found.found and database.company(company).creds_version() is None:
        raise NotFound(f"there is no account {named(company)}")
    return found


def _document(outcome: Rekeyed | Failed) -> dict[str, object]:
    if isinstance(outcome, Failed):
        return {
            "company_id": outcome.company_id,
            "error": outcome.error,
            "detail": outcome.detail,
            "hint": outcome.hint,
        }
    return asdict(outcome)


def _print(outcome: Rekeyed | Failed, check: bool) -> None:
    if isinstance(outcome, Failed):
        for line in failure(outcome):
            say(line, err=True)
        return
    found = ", ".join(
        f"{number:,} {kid}" if kid == PLAIN else f"{number:,} under {_shown(kid)}"
        for kid, number in sorted(outcome.found.items())
    )
    did = "" if check else f"; {counted(outcome.written, 'value')} encrypted anew"
    if outcome.forgotten:
        did += f", {counted(outcome.forgotten, 'version')} of earlier creds forgotten"
    state = "complete" if outcome.complete else "not complete"
    say(f"{named(outcome.company_id)}: {state}, found {found or 'nothing'}{did}")
    for problem in outcome.unreadable[:MOST]:
        say(f"  left as it is: {problem}", err=True)
    if outcome.left > MOST:
        say(f"  left as they are: {outcome.left - MOST:,} more", err=True)


def _shown(kid: str) -> str:
    return kid if kid == OTHER_KEYS else printable(json.dumps(kid[:80]))
