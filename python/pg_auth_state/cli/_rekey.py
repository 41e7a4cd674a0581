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
from ..rekeying import PLAIN, Rekeyed, rekey, survey
from ._files import progress
from .errors import lines
from .options import counted


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
    outcomes: list[Rekeyed | Failed] = []
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
            outcomes.append(outcome)
            if not as_json:
                _print(outcome, check)
    if as_json:
        typer.echo(
            json.dumps({"companies": [_document(outcome) for outcome in outcomes]}, indent=2)
        )
    if any(isinstance(outcome, Failed) or not outcome.complete for outcome in outcomes):
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
        raise NotFound(f"there is no account {company}")
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
        first, *rest = lines(outcome.error, outcome.detail, outcome.hint)
        first = first.replace("error: ", f"error: {outcome.company_id}: ", 1)
        typer.echo("\n".join([first, *rest]), err=True)
        return
    found = ", ".join(
        f"{number:,} plain" if kid == PLAIN else f"{number:,} under {json.dumps(kid)}"
        for kid, number in sorted(outcome.found.items())
    )
    did = "" if check else f"; {counted(outcome.written, 'value')} encrypted anew"
    if outcome.forgotten:
        did += f", {counted(outcome.forgotten, 'version')} of earlier creds forgotten"
    state = "complete" if outcome.complete else "not complete"
    typer.echo(f"{outcome.company_id}: {state}, found {found or 'nothing'}{did}")
    for problem in outcome.unreadable:
        typer.echo(f"  left as it is: {problem}", err=True)
