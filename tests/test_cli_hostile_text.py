"""Text that a tenant chose neither stops, misleads nor floods the command."""

from __future__ import annotations

import json
import os
import pty
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from harness.cluster import Cluster, Database
from harness.command import Command
from harness.creds import CREDS
from harness.emptied import emptied_db, module_db  # noqa: F401
from harness.pgtap import CLUSTERS
from pg_auth_state import AuthState
from pg_auth_state.cli.output import named, printable
from pg_auth_state.keyfiles import KeyFile

# A cleared screen, a forged line, a colour, markup of rich, an emoji code, text from right to left.
HOSTILE = [
    "\x1b[2J\x1b[H",
    "x\nc9: complete, found nothing",
    "x\r\x1b[31mred\x1b[0m",
    "[/red][bold]b[/bold]",
    ":boom:",
    "\u202eabc\u2066",
    "\x85\u2028next",
    "😀" * 32,
    " ",
    "a: equal, 3 files",
]
ESCAPES = re.compile("[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029\u202a-\u202e\u2066-\u2069]")


@pytest.fixture(scope="session", params=["pg18-login"])
def cluster(request: pytest.FixtureRequest) -> Cluster:
    """It is a matter of the command."""
    return request.config.stash[CLUSTERS][request.param]


@pytest.fixture
def run(db: Database, tmp_path: Path) -> Command:
    run = Command(db, tmp_path)
    path = tmp_path / "keys.json"
    path.write_text(json.dumps({"keys": [{"kty": "oct", "kid": "k", "k": "A" * 43}]}))
    path.chmod(0o600)
    return run


@pytest.fixture
def hostile(db: Database) -> Database:
    """Accounts with such ids, types and names of keys."""
    for text in HOSTILE:
        with AuthState(db.service_dsn, text) as state:
            state.save_state(CREDS, {text: {"1": 1}, "session": {text: {"a": 1}}})
    return db


def assert_tame(text: str) -> None:
    assert ESCAPES.search(text) is None, repr(ESCAPES.search(text))


def test_status_prints_types_of_keys_as_text(run: Command, hostile: Database) -> None:
    shown = run.good("status")
    assert_tame(shown)
    for text in ("[/red][bold]b[/bold]", ":boom:", r"\u001b[2J", r"\u202eabc"):
        assert text in shown
    assert not any(line.startswith("c9:") for line in shown.splitlines())


def test_rekey_of_all_prints_ids_as_text(run: Command, hostile: Database) -> None:
    run.environment["PG_AUTH_STATE_KEYS"] = str(run.folder / "keys.json")
    shown = run.good("rekey", "--all")
    assert_tame(shown)
    assert len(shown.splitlines()) == len(HOSTILE)
    assert all(" complete, found 3 plain; 3 values" in line for line in shown.splitlines())
    assert '"a: equal, 3 files": complete' in shown


def test_a_terminal_gets_no_escape_of_theirs_from_the_progress(
    run: Command, hostile: Database
) -> None:
    with AuthState(hostile.service_dsn, HOSTILE[3]) as state:
        state.set_keys({"session": {str(n): n for n in range(2000)}})
    environment = {
        **run.environment,
        "PG_AUTH_STATE_KEYS": str(run.folder / "keys.json"),
        "TERM": "xterm",
    }
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "pg_auth_state", "rekey", "--all"],
        cwd=run.folder,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=theirs,
        text=True,
    )
    os.close(theirs)
    seen = b""
    while True:
        try:
            part = os.read(ours, 65536)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        seen += part
    os.close(ours)
    stdout, _ = process.communicate()
    assert process.returncode == 0, seen
    assert_tame(stdout)
    assert b"[/red][bold]b[/bold]" in seen
    assert b"\x1b[31mred" not in seen
    assert b"Traceback" not in seen


def test_every_command_about_one_account_prints_its_id_as_text(
    run: Command, hostile: Database
) -> None:
    for number, text in enumerate(HOSTILE[:4]):
        run.good("export", text, str(number))
        assert_tame(run.good("verify", str(number), "--company", text, "--allow-unknown"))
        assert_tame(run.good("delete", text, "--yes"))
        assert_tame(run.bad("delete", text, "--yes"))
        assert_tame(run.bad("export", text, f"{number}_again"))
        assert_tame(
            run.good("import", str(number), "--company", text, "--allow-unknown", "--no-backup")
        )
        assert_tame(run.bad("import", str(number), "--company", text, "--allow-unknown"))


def test_errors_about_keys_name_them_as_text(run: Command, db: Database) -> None:
    key_type, key_id = HOSTILE[1], HOSTILE[0]
    with AuthState(db.service_dsn, "c1") as state:
        state.set_keys({key_type: {key_id: "eyJhIjoxfQ..a.b.c"}})
    document = json.dumps(CREDS)
    (run.folder / "f").mkdir()
    (run.folder / "f/creds.json").write_text(document)
    run.environment["PG_AUTH_STATE_KEYS"] = str(run.folder / "keys.json")
    done = run("rekey", "c1")
    assert done.returncode == 1
    assert_tame(done.stdout + done.stderr)
    assert "left as it is: " in done.stderr
    done = run("verify", "f", "--company", "c1")
    assert_tame(done.stdout + done.stderr)
    assert done.returncode == 1


def test_a_terminal_that_lacks_a_character_does_not_end_the_command(
    run: Command, hostile: Database
) -> None:
    run.environment["PYTHONIOENCODING"] = "latin-1"
    assert r"\U0001f600" in run.good("status")
    run.environment["PG_AUTH_STATE_KEYS"] = str(run.folder / "keys.json")
    assert r"\U0001f600" in run.good("rekey", "--all")


def test_a_hundred_thousand_types_do_not_flood_anything(run: Command, db: Database) -> None:
    with AuthState(db.service_dsn, "good") as state:
        state.save_state(CREDS, {"session": {str(n): {"a": "x" * 100} for n in range(50)}})
    db.conn.execute(
        "select auth_set_keys('bad', jsonb_object_agg('t' || n, '{\"1\": 1}'::jsonb))"
        " from generate_series(1, 100000) n"
    )
    shown = run.good("status")
    assert len(shown.splitlines()) < 50
    assert re.search(r"session +50", shown)
    assert "all, and 99,981 types more" in shown
    db.conn.execute("delete from whatsapp_keys where key_type >= 't2'")
    shown = run.good("export", "bad")
    assert len(shown) < 1000
    assert re.search(r"and [0-9,]+ more\) to company_bad", shown)
    assert len(run("verify", "company_bad", "--allow-unknown").stdout) < 20_000


def test_a_verify_shows_some_differences_and_counts_all(run: Command, db: Database) -> None:
    db.conn.execute(
        "select auth_save_state('c1', %s, jsonb_build_object('session',"
        " (select jsonb_object_agg(n::text, 1) from generate_series(1, 12000) n)))",
        [json.dumps(CREDS)],
    )
    (run.folder / "company_c1").mkdir()
    (run.folder / "company_c1/creds.json").write_text(json.dumps(CREDS))
    done = run("verify", "company_c1")
    assert done.returncode == 1
    assert done.stdout.startswith("c1: 12,000 differences, 1 equal\n")
    assert len(done.stdout.splitlines()) == 102
    assert done.stdout.endswith("  and 11,900 more: --json\n")
    (found,) = json.loads(run("verify", "company_c1", "--json").stdout)["companies"]
    assert (found["differing"], len(found["differences"])) == (12_000, 10_000)


def test_any_number_of_keys_that_a_value_claims_to_be_under_is_counted_together(
    run: Command, db: Database
) -> None:
    from base64 import urlsafe_b64encode

    def jwe(kid: Any) -> str:
        header = json.dumps({"kid": kid}).encode()
        return urlsafe_b64encode(header).decode().rstrip("=") + "..a.b.c"

    kids = ["plain", "other keys", None, 5, "\x1b[2J", "k" * 10_000, *map(str, range(500))]
    with AuthState(db.service_dsn, "c1") as state:
        state.set_keys({"session": {str(n): jwe(kid) for n, kid in enumerate(kids)}})
        state.set_keys({"pre-key": {"1": 1}})
    run.environment["PG_AUTH_STATE_KEYS"] = str(run.folder / "keys.json")
    for arguments in (["--check"], []):
        done = run("rekey", "c1", *arguments)
        assert done.returncode == 1
        assert_tame(done.stdout + done.stderr)
        assert "1 plain" in done.stdout
        assert "under other keys" in done.stdout
        assert len(done.stdout) < 2000
        assert len(done.stderr.splitlines()) <= 21


def test_an_id_of_dots_leads_to_no_other_key_file(tmp_path: Path) -> None:
    jwks = json.dumps({"keys": [{"kty": "oct", "kid": "theirs", "k": "A" * 43}]})
    for folder in ("keys/.", "keys/..", "keys/%2E", "keys/%2E%2E", "keys/a.b", "keys/a%2Fb"):
        target = tmp_path / folder / "k.json"
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(jwks.replace("theirs", folder))
        target.chmod(0o600)
    keys = KeyFile(str(tmp_path / "keys/{company}/k.json"))
    for company, folder in (
        (".", "keys/%2E"),
        ("..", "keys/%2E%2E"),
        ("a.b", "keys/a.b"),
        ("a/b", "keys/a%2Fb"),
    ):
        assert keys.keyring(company).current == folder


NOT_NAMES = ["acme/../../out", "..", ".", "a\\b", "/etc/x", "a\0b", "C:x", "", "x" * 300, ".hidden"]
NOT_NAMES += ["a\nb", "\x1b[2J", "end.", "end ", " begin", "a*", "a?b", 'a"b', "a<b>", "a|b"]


@pytest.mark.parametrize("company", NOT_NAMES)
def test_an_export_of_an_id_that_is_no_name_of_a_folder_asks_for_one(
    run: Command, db: Database, company: str
) -> None:
    if company and "\0" not in company and len(company) <= 256:
        with AuthState(db.service_dsn, company) as state:
            state.save_creds(CREDS)
    (run.folder / "company_acme").mkdir()
    (run.folder / "company_").mkdir()
    before = sorted(path.name for path in run.folder.iterdir())
    if "\0" in company:  # which no command line can hold
        from pg_auth_state.cli._files import default_folder
        from pg_auth_state.errors import InvalidInput

        with pytest.raises(InvalidInput):
            default_folder(company)
        return
    error = run.bad("export", company)
    assert "is no name of a folder" in error
    assert "FOLDER" in error
    assert_tame(error)
    assert sorted(path.name for path in run.folder.iterdir()) == before
    assert not (run.folder.parent / "out").exists()


@pytest.mark.parametrize("company", ["962302", "ñandú", "a b", "my-bot_1@x", "😀", "a=b+c", "a.b"])
def test_an_export_of_a_plain_id_needs_no_folder(run: Command, db: Database, company: str) -> None:
    with AuthState(db.service_dsn, company) as state:
        state.save_creds(CREDS)
    run.good("export", company)
    assert (run.folder / f"company_{company}/creds.json").exists()
    assert "equal, 1 file" in run.good("verify", f"company_{company}")


def test_text_is_printed_on_one_line() -> None:
    assert printable("a\x1b[0m\n\t\udcff😀é\u202e") == r"a\x1b[0m\n\t\udcff😀é\u202e"
    assert named("5511900000002.0") == "5511900000002.0"
    assert named("a b") == '"a b"'
    assert named('a"\n') == r'"a\"\n"'
    assert named("x" * 500) == "x" * 79 + "…"
