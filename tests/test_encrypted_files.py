"""Folders into an encrypted account, out of it, and against it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from harness.cluster import Database
from harness.command import Command
from harness.emptied import *  # noqa: F403 (fixtures)
from harness.folders import LARGE, SMALL, account, contents, sample
from pg_auth_state import AuthState, DecryptionError, FileAuthState, Keyring
from pg_auth_state._identity import header

pytestmark = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)

KEYS = {"keys": [{"kty": "oct", "kid": "2026-11", "k": "k" * 43}]}


@pytest.fixture
def run(db: Database, tmp_path: Path) -> Command:
    path = tmp_path / "keys.json"
    path.write_text(json.dumps(KEYS))
    path.chmod(0o600)
    return Command(db, tmp_path)


WITH_KEYS = ("--keys", "keys.json")
NEVER = ("--lid-ttl", "never")


def stored(db: Database) -> list[object]:
    query = "select value from whatsapp_keys union all select creds from whatsapp_auth"
    return [value for (value,) in db.conn.execute(query).fetchall()]


def test_there_and_back_encrypted(run: Command, db: Database, tmp_path: Path) -> None:
    folder = sample(LARGE).copy(tmp_path / "sessions")
    company = account(LARGE)
    run.good("import", folder, "--no-backup", *NEVER, *WITH_KEYS)
    assert all(str(value).startswith("eyJ") for value in stored(db))
    assert "equal" in run.good("verify", folder, *NEVER, *WITH_KEYS)
    assert run("verify", folder, *NEVER).returncode == 1, "without keys nothing is equal"

    # Encrypted unless asked, and not what a program takes for values.
    run.good("export", company, "sealed", *WITH_KEYS)
    sealed = contents(tmp_path / "sealed")
    assert all(str(value).startswith("eyJ") for value in sealed.values())
    assert set(sealed) == set(contents(folder))
    with pytest.raises(DecryptionError):
        FileAuthState(tmp_path / "sealed", company).get_creds()
    assert "equal" in run.good("verify", "sealed", "--company", company, *NEVER)
    assert "equal" in run.good("verify", "sealed", "--company", company, *NEVER, *WITH_KEYS)

    run.good("export", company, "plain", "--decrypt", *WITH_KEYS)
    assert contents(tmp_path / "plain") == contents(folder)
    assert run("export", company, "nothing", "--decrypt").returncode == 2
    assert not (tmp_path / "nothing").exists()


def test_an_export_that_stayed_encrypted_comes_back_without_keys_and_with_them(
    run: Command, db: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path / "sessions")
    company = account(SMALL)
    run.good("import", folder, "--no-backup", *NEVER, *WITH_KEYS)
    run.good("export", company, "sealed")
    before = sorted(map(str, stored(db)))
    run.good("delete", company, "--yes")
    run.good("import", "sealed", "--company", company, "--no-backup", *NEVER)
    assert sorted(map(str, stored(db))) == before
    assert "would be imported" in run.good(
        "import", "sealed", "--company", company, "--replace", "--dry-run", *NEVER, *WITH_KEYS
    )
    refusal = run.bad("import", "sealed", "--company", "other", "--no-backup", *NEVER, *WITH_KEYS)
    assert "cannot be decrypted" in refusal
    # A merge of two accounts is refused by what the headers say.
    other = sample(LARGE).copy(tmp_path / "others")
    assert "another identity" in run.bad(
        "import", other, "--company", company, "--merge", "--no-backup", *NEVER, *WITH_KEYS
    )
    assert "another identity" in run.bad(
        "import", other, "--company", company, "--merge", "--no-backup", *NEVER
    )


def test_many_folders_at_once(run: Command, db: Database, tmp_path: Path) -> None:
    for number in range(3):
        sample(SMALL).copy(tmp_path / "sessions", f"company_{number}")
    arguments = ("import", "sessions", "--all", "--jobs", 2, "--no-backup", *NEVER, *WITH_KEYS)
    run.good(*arguments)
    assert {header(str(value))["kid"] for value in stored(db)} == {"2026-11"}
    assert "3 there already" in run.good(*arguments)
    assert "3 equal" in run.good("verify", "sessions", "--all", *NEVER, *WITH_KEYS)


def test_types_that_are_left_plain(run: Command, db: Database, tmp_path: Path) -> None:
    folder = sample(LARGE).copy(tmp_path / "sessions")
    plain = ("--plain-type", "lid-mapping")
    run.good("import", folder, "--no-backup", *NEVER, *WITH_KEYS, *plain)
    query = (
        "select bool_and(value::text !~ 'eyJ') from whatsapp_keys where key_type = 'lid-mapping'"
    )
    assert db.conn.execute(query).fetchone() == (True,)
    assert "equal" in run.good("verify", folder, *NEVER, *WITH_KEYS, *plain)
    assert "is not encrypted" in run.bad("verify", folder, *NEVER, *WITH_KEYS)


def test_an_account_that_was_imported_encrypted_is_complete(
    run: Command, db: Database, tmp_path: Path
) -> None:
    folder = sample(SMALL).copy(tmp_path / "sessions")
    run.good("import", folder, "--no-backup", *NEVER, *WITH_KEYS)
    creds = db.conn.execute("select creds from whatsapp_auth").fetchone()[0]
    assert header(creds)["complete"] is True
    with AuthState(db.service_dsn, account(SMALL), encryption=Keyring.from_jwks(KEYS)) as state:
        assert state.get_creds()["registrationId"]
