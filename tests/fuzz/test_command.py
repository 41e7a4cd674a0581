"""The command over hostile folders and hostile accounts."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import psycopg
from click.testing import Result
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from fuzz import json_texts, runs, tally
from fuzz.folders import File, folders, write
from fuzz.json_texts import mostly, weighted
from fuzz.markers import MARKER
from fuzz.scripts import literal
from fuzz.store import Store
from pg_auth_state.cli import app

pytestmark = runs.BOTH_SERVERS

COMPANY = "folder"
_OPTIONS = ("--dry-run", "--without-creds", "--allow-unknown", "--json")
_MODES = ("--replace", "--merge")
CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class Command:
    """`pg-auth-state` in this process."""

    def __init__(self, store: Store) -> None:
        self.environment = {"DATABASE_URL": store.database.service_dsn, "NO_COLOR": "1"}

    def __call__(self, name: str, *arguments: object) -> Result:
        result = CliRunner().invoke(app, [name, *map(str, arguments)], env=self.environment)
        code = f"exit code {result.exit_code}" if result.exit_code else tally.RESULT
        tally.count(f"pg-auth-state {name}", code)
        return result


def _faults(result: Result) -> Iterator[str]:
    shown = result.output + result.stderr
    if result.exit_code not in (0, 1):
        yield f"it ends with {result.exit_code}: {shown}"
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        yield f"it raises {result.exception!r}"
    if result.exit_code == 1 and not result.output.strip():
        yield "it fails without a word"
    if MARKER.search(shown):
        yield f"it shows a secret: {shown}"
    if CONTROL.search(shown):
        yield f"it writes control characters: {shown!r}"


def test_a_hostile_folder_is_taken_whole_or_refused(store: Store, tmp_path: Path) -> None:
    command = Command(store)
    folder, exported = tmp_path / "company_folder", tmp_path / "exported"

    @runs.seeded(store.database.cluster)
    @runs.examples(runs.COMMAND / 2)
    @given(
        folders,
        st.lists(st.sampled_from(_OPTIONS), max_size=2, unique=True),
        st.lists(st.sampled_from(_MODES), max_size=1),
    )
    def every_input(files: Mapping[str, File], options: list[str], mode: list[str]) -> None:
        tally.count_input("folders")
        options = options + mode
        write(folder, files)
        try:
            found = list(_of_import(command, store, folder, exported, options))
        finally:
            for path in tmp_path.iterdir():
                shutil.rmtree(path) if path.is_dir() else path.unlink()
            store.restore()
        shown = "\n".join(f"{name!r}: {file!r}" for name, file in files.items())
        runs.refuse(found, f"import {' '.join(options)} of", shown)

    every_input()


def _of_import(
    command: Command, store: Store, folder: Path, exported: Path, options: list[str]
) -> Iterator[str]:
    result = command("import", folder, "--company", COMPANY, "--no-backup", *options)
    yield from _faults(result)
    if result.exit_code or "--dry-run" in options:
        if store.look() != store.before():
            yield "it ended without an import, and yet something changed"
        return
    unknown = ["--allow-unknown"] if "--allow-unknown" in options else []
    verified = command("verify", folder, "--company", COMPANY, *unknown)
    yield from _faults(verified)
    if verified.exit_code:
        yield f"what was imported is not equal: {verified.output}"
    result = command("export", COMPANY, exported)
    yield from _faults(result)
    if result.exit_code == 0:
        back = command("verify", exported, "--company", COMPANY, "--allow-unknown")
        yield from _faults(back)
        if back.exit_code:
            yield f"what was exported is not equal: {back.output}"


@dataclass(frozen=True)
class Account:
    """What a tenant may have stored by SQL."""

    company: str
    creds: str
    batch: str

    def __repr__(self) -> str:
        return (
            f"auth_save_state({literal(self.company)}, {literal(self.creds)},"
            f" {literal(self.batch)})"
        )


_companies = mostly(
    st.just(COMPANY),
    st.sampled_from(
        ["../x", "..", ".x", "a\\b", "C:x", "x" * 256, "\x1b[2J", "a\nb", "[red]", " "]
    ),
)
_accounts = st.builds(
    Account,
    _companies,
    weighted((3, json_texts.good_creds), (1, json_texts.odd_creds), (1, json_texts.sealed_creds)),
    weighted(
        (1, json_texts.good_batches),
        (3, json_texts.batch_of(json_texts.types, json_texts.ids, json_texts.values)),
    ),
)


def test_a_hostile_account_is_exported_or_named(store: Store, tmp_path: Path) -> None:
    command = Command(store)

    @runs.seeded(store.database.cluster)
    @runs.examples(runs.COMMAND / 2)
    @given(_accounts)
    def every_input(account: Account) -> None:
        tally.count_input("accounts")
        try:
            store.superuser.execute(
                "select auth_save_state(%s, %s, %s)",
                [account.company, account.creds, account.batch],
            )
        except psycopg.Error:
            return  # PostgreSQL does not store it
        try:
            found = list(_of_account(command, account, tmp_path))
        finally:
            for path in tmp_path.iterdir():
                shutil.rmtree(path)
            store.restore()
        runs.refuse(found, repr(account))

    every_input()


def _of_account(command: Command, account: Account, parent: Path) -> Iterator[str]:
    folder = parent / "out"
    exported = command("export", "--", account.company, folder)
    yield from _faults(exported)
    if exported.exit_code == 0:
        verified = command("verify", folder, f"--company={account.company}", "--allow-unknown")
        yield from _faults(verified)
        if verified.exit_code and not _OLD_BUFFERS.search(account.creds + account.batch):
            yield f"what was exported is not equal: {verified.output}"
    yield from _faults(command("status"))


# An import puts them into the current form, and verify compares with that.
_OLD_BUFFERS = re.compile(r'"buffer"|"0"|"data":\[')
